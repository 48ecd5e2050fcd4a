"""`evaluate` on predictions of a store: the same figures as on the model, in little memory."""

from __future__ import annotations

import numpy as np
import pytest
from evaluations import CAMVID
from PIL import Image
from prediction_help import write_images
from toys import brightest_channel, brightest_of_image

import wasinn_nb as wn
from wasinn_nb.cards import ModelCard
from wasinn_nb.errors import InvalidArgumentError, WasiNnWarning
from wasinn_nb.evaluation.counts import Counts, ImageCounts

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """Images, true masks that are half right, a model, and a store."""
    folder = tmp_path_factory.mktemp("stored")
    brightest_channel(folder / "toy.xml")
    (folder / "masks").mkdir()
    for n, name in enumerate(write_images(folder / "images", 6)):
        truth = np.full((8, 12), n % 3, np.uint8)
        truth[: n + 1] = 2
        Image.fromarray(truth).save(folder / "masks" / name)
    card = ModelCard("toy", "segmentation", classes=("red", "green", "blue"), recipe=None)
    model = wn.Pipeline(folder / "toy.xml", card=card, recipe={"color": "RGB"})
    wn.predict(folder / "images", model, folder / "store", progress=False)
    return folder, model


@pytest.fixture
def found(place):
    return wn.read_predictions(place[0] / "store")


def test_the_same_figures_as_from_the_model(place, found):
    folder, model = place
    alone = wn.evaluate(folder / "images", folder / "masks", model=model, progress=False)
    stored = wn.evaluate(found, folder / "masks", progress=False)
    assert stored.to_dict() == alone.to_dict()
    assert (stored.matrix == alone.matrix).all()
    assert [count.confusion for count in stored.counts] == [
        count.confusion for count in alone.counts
    ]
    assert repr(stored) == repr(alone)
    for one, other in zip(stored.samples, alone.samples, strict=True):
        assert one.has_image
        assert (one.predicted == other.predicted).all()
    assert stored._repr_html_().count("<img") == alone._repr_html_().count("<img")


def test_a_part_of_the_rows_and_what_does_not_fit(place, found):
    folder, model = place
    some = found.query("name < '0002'")
    masks = {f"{n:04}": folder / f"masks/{n:04}.png" for n in range(2)}
    assert len(wn.evaluate(some, masks, progress=False).counts) == 2
    assert len(wn.evaluate(some, folder / "masks", progress=False).counts) == 2
    with pytest.raises(InvalidArgumentError, match="1 of 3 truths without prediction: 0009;"):
        wn.evaluate(some, {**masks, "0009": masks["0000"]}, progress=False)
    with pytest.raises(InvalidArgumentError, match="these predictions are there already"):
        wn.evaluate(found, folder / "masks", model=model)
    with pytest.raises(InvalidArgumentError, match="at least one image, got no predictions"):
        wn.evaluate(found.query("red > 2"), folder / "masks")
    turned = {name: np.zeros((12, 8), np.uint8) for name in masks}
    with pytest.raises(InvalidArgumentError, match="the image has 12x8 pixels, its mask 8x12"):
        wn.evaluate(some, turned, progress=False)


def test_images_without_a_result_are_named(place, tmp_path):
    _, model = place
    images = tmp_path / "images"
    write_images(images, 2)
    (images / "bad.png").write_text("no image")
    found = wn.predict(images, model, tmp_path / "store", progress=False)
    masks = {name: np.zeros((8, 12), np.uint8) for name in ("0000", "0001", "bad")}
    judged = wn.evaluate(found, masks, progress=False)
    assert [count.name for count in judged.counts] == ["0000", "0001"]
    ((name, reason),) = judged.remarks.failed
    assert name == "bad"
    assert "not an image" in reason
    (images / "0000.png").unlink()
    with pytest.warns(WasiNnWarning, match="without its image"):
        judged = wn.evaluate(found, masks, progress=False)
    assert not judged.samples[0].has_image or not judged.samples[1].has_image


def test_folders_in_a_folder(place, tmp_path):
    _, model = place
    for part in ("a", "b"):
        write_images(tmp_path / "images" / part, 2)
        (tmp_path / "masks" / part).mkdir(parents=True)
        for n in range(2):
            mask = Image.fromarray(np.full((8, 12), n, np.uint8))
            mask.save(tmp_path / f"masks/{part}/{n:04}.png")
    found = wn.predict(tmp_path / "images", model, tmp_path / "store", progress=False)
    judged = wn.evaluate(found, tmp_path / "masks", progress=False)
    names = ["a/0000", "a/0001", "b/0000", "b/0001"]
    assert ([count.name for count in judged.counts], judged.miou) == (names, 1)


def test_classification(tmp_path):
    write_images(tmp_path / "images", 5)
    model = brightest_of_image(tmp_path / "classifier.xml")
    card = ModelCard("toy", "classification", classes=("red", "green", "blue"))
    pipeline = wn.Pipeline(model, card=card, recipe={"color": "RGB"})
    found = wn.predict(tmp_path / "images", pipeline, tmp_path / "store", progress=False)
    truths = {f"{n:04}.png": ["red", "green", "green"][n % 3] for n in range(5)}
    stored = wn.evaluate(found, truths, progress=False)
    alone = wn.evaluate(tmp_path / "images", truths, model=pipeline, progress=False)
    assert stored.top1 == alone.top1 == 0.8
    assert stored.to_dict() == alone.to_dict()


def test_counts_of_many_images():
    rng = np.random.default_rng(0)
    matrices = rng.integers(0, 2, (50, 4, 4)) * rng.integers(0, 1 << 40, (50, 4, 4))
    counts = Counts([ImageCounts.of(f"{n}", matrix, n, 2 * n) for n, matrix in enumerate(matrices)])
    assert len(counts) == 50
    for n, (count, matrix) in enumerate(zip(counts, matrices, strict=True)):
        assert (count.name, count.ignored, count.uncovered) == (f"{n}", n, 2 * n)
        assert count.both.tolist() == np.diag(matrix).tolist()
        assert count.true.tolist() == matrix.sum(axis=1).tolist()
        assert count.predicted.tolist() == matrix.sum(axis=0).tolist()
    assert [count.name for count in counts[-2:]] == ["48", "49"]
    with pytest.raises(IndexError):
        counts[50]


@pytest.mark.slow
def test_camvid_as_before(shared, tmp_path):
    model = shared / "models/road-segmentation-adas-0001.xml"
    found = wn.predict(shared / "camvid/images", model, tmp_path / "store", progress=False)
    judged = wn.evaluate(
        found,
        shared / "camvid/labels",
        classes=CAMVID,
        mapping={"road": ("road", "mark")},
        ignore=11,
        progress=False,
    )
    assert judged.matrix.sum() == 4_415_069
    assert judged.iou["road"] == pytest.approx(0.975, abs=0.0005)
