"""quantize: which images, what is lost, which layers are kept, what is written."""

from __future__ import annotations

import json
import pickle
import shutil

import numpy as np
import pytest
import quantized
import toys
from commands import both, run
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError, RuntimeFailure, UnsupportedOperationError
from wasinn_nb.evaluation import evaluate
from wasinn_nb.quantization import ClassLoss, Interval
from wasinn_nb.quantization.losses import class_losses, mean_loss
from wasinn_nb.quantization.samples import split

PIXELS = np.full((64, 96, 3), 90, np.uint8)


def images_in(folder, count=8, size=(64, 96)):
    """Write images of few colors, and their labels by the class of the toy."""
    folder.mkdir()
    rng = np.random.default_rng(11)  # the same images, whatever ran before
    for number in range(count):
        small = rng.integers(0, 256, (4, 6, 3), np.uint8)
        image = Image.fromarray(small).resize(size[::-1], Image.Resampling.BICUBIC)
        image.save(folder / f"{number}.png")
    return folder


@pytest.fixture
def model(tmp_path):
    path = toys.textures(tmp_path / "model" / "toy.xml")
    wn.ModelCard.from_model(
        path,
        task="segmentation",
        classes=("background", "road", "curb", "mark"),
        recipe={"color": "RGB", "range": (0, 1)},
        figures={"miou": 0.5},
    ).write(path)
    return path


@pytest.fixture
def images(tmp_path):
    return images_in(tmp_path / "images")


# -- which images ----------------------------------------------------------------------------------


def test_one_of_four_images_judges_and_copies_stay_on_one_side(images):
    for number in range(8):
        shutil.copy(images / f"{number}.png", images / f"copy of {number}.png")
    found = split(images, None, 64)
    sides = [{one.sha256 for one in side} for side in (found.calibration, found.judged)]
    assert not sides[0] & sides[1]
    assert (len(found.calibration), len(found.judged)) == (8, 8)
    assert len(found.masked) == 16


def test_a_part_of_the_images_calibrates_evenly_chosen(images):
    found = split(images, [np.zeros((4, 4, 3), np.uint8)], 3)
    assert [one.name for one in found.calibration] == ["0", "4", "7"]


def test_an_image_on_both_sides_is_refused_by_its_content(images, tmp_path):
    other = tmp_path / "test"
    other.mkdir()
    shutil.copy(images / "3.png", other / "another name.png")
    with pytest.raises(InvalidArgumentError, match=r"1 image would calibrate .*: another name"):
        split(images, other, 64)


def test_broken_images_are_named_and_too_few_are_refused(images):
    (images / "broken.png").symlink_to("nowhere.png")
    assert [name for name, _ in split(images, None, 64).unreadable] == ["broken.png"]
    with pytest.raises(InvalidArgumentError, match="got 0 and 1"):
        split([images / "1.png"], None, 64)


def test_images_of_a_store(images, tmp_path):
    toy = toys.brightest_channel(tmp_path / "b.xml")
    stored = wn.predict(images, toy, tmp_path / "store", progress=False)
    found = split(stored, None, 64)
    plain = split(images, None, 64)
    assert {one.sha256 for one in found.judged} == {one.sha256 for one in plain.judged}


# -- what is lost ----------------------------------------------------------------------------------


def evaluation(*labels):
    """Judge masks of two classes by truths whose left half is class 1."""
    truth = np.zeros((4, 8), np.uint8)
    truth[:, :4] = 1
    names = [f"image {n}" for n in range(len(labels))]
    return evaluate(
        dict(zip(names, labels, strict=True)),
        dict.fromkeys(names, truth),
        classes=("background", "road"),
        progress=False,
    )


def halves(columns):
    mask = np.zeros((4, 8), np.uint8)
    mask[:, :columns] = 1
    return mask


def test_losses_of_classes_by_hand():
    before = evaluation(*[halves(4)] * 8)
    after = evaluation(*[halves(4)] * 4, *[halves(2)] * 4)
    losses = class_losses(("background", "road"), np.array([[32, 0], [8, 24]]), before, after)
    road = losses[1]
    assert road.iou == (1.0, 24 / 32)
    assert road.loss.value == 0.25
    assert road.agreement == 24 / 32
    # Resamples of eight images hold the four bad ones once to seven times, but for 5 % of them.
    assert (road.loss.low, road.loss.high) == (0.5 * 1 / 8, 0.5 * 7 / 8)
    assert road.boundary[0] == 1.0
    assert road.boundary[1] < 1.0
    assert losses[0].loss.value == pytest.approx(1 - 32 / 40)
    mean = mean_loss(before, after)
    assert mean.value == pytest.approx((0.25 + 0.2) / 2)
    low, high = ((n / 16 + 1 - 32 / (32 + 2 * n)) / 2 for n in (1, 7))
    assert (mean.low, mean.high) == (pytest.approx(low), pytest.approx(high))


def test_mapped_classes_are_judged_together_and_the_rest_is_left_out():
    names = ["a", "b"]
    truth = np.zeros((4, 8), np.uint8)
    truth[:, :4] = 3
    found = evaluate(
        dict.fromkeys(names, np.where(truth == 3, 2, 0).astype(np.uint8)),
        dict.fromkeys(names, truth),
        model=wn.ModelCard("toy", classes=("background", "road", "mark")),
        classes=("sky", "tree", "car", "street"),
        mapping={"street": ("road", "mark")},
        progress=False,
    )
    agreement = np.array([[32, 0, 0], [0, 10, 6], [0, 0, 16]])
    (street,) = class_losses(("background", "road", "mark"), agreement, found, found)
    assert (street.name, street.agreement, street.iou) == ("street", 1.0, (1.0, 1.0))


def test_equal_masks_lose_nothing():
    before = evaluation(*[halves(4), halves(3)] * 4)
    losses = class_losses(("background", "road"), np.diag([30, 34]), before, before)
    assert [one.loss for one in losses] == [Interval(0.0, 0.0, 0.0)] * 2
    assert mean_loss(before, before) == Interval(0.0, 0.0, 0.0)


def test_without_masks_a_class_loses_what_does_not_agree():
    (first, second) = class_losses(("a", "b"), np.array([[6, 2], [0, 0]]), None, None)
    assert (first.lost, second.lost) == (0.25, 1.0)
    assert ClassLoss("nowhere", float("nan")).lost == 0.0


# -- the whole -------------------------------------------------------------------------------------


@pytest.mark.full
def test_a_model_in_int8_is_a_model_with_a_card(model, images, tmp_path, capfd):
    pytest.importorskip("nncf")
    calls = []
    found = wn.quantize(
        model,
        images,
        folder=tmp_path / "out",
        max_drop=1,  # of two images a class has few pixels: no layer is kept for it
        progress=lambda *done: calls.append(done),
    )
    assert capfd.readouterr() == ("", "")
    assert calls[0][0] == 0
    assert calls[-1][0] >= 10
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == [
        "report.html",
        "report.json",
        "toy-int8.bin",
        "toy-int8.card.json",
        "toy-int8.xml",
    ]
    card = found.model.card
    assert (card.name, card.figures, found.model.precision) == ("toy-int8", {}, "INT8")
    assert found.model.verified
    assert card.recipe == wn.Pipeline(model).recipe
    assert card.classes == ("background", "road", "curb", "mark")
    assert len(found.quantized) == 2
    # What everything else takes.
    result = wn.segment(images / "0.png", found.model)
    plain = wn.segment(images / "0.png", model)
    assert 0.9 < float(np.mean(result.labels == plain.labels)) <= 1
    compared = wn.compare(model, found.model, layers=True, image=PIXELS, progress=False)
    assert compared.layers.explained_by == "i8"
    values = json.loads((tmp_path / "out" / "report.json").read_text())
    assert values == json.loads(json.dumps(found.to_dict()))
    assert values["images"]["calibration"] == 6
    assert "in INT8" in (tmp_path / "out" / "report.html").read_text()
    again = pickle.loads(pickle.dumps(found))
    assert repr(again.judgement) == repr(found.judgement)  # NaN of classes that no pixel has
    assert "INT8 is" in repr(found)


@pytest.mark.full
def test_with_masks_on_the_command_line(model, images, tmp_path, here):
    pytest.importorskip("nncf")
    masks = tmp_path / "masks"
    masks.mkdir()
    pipeline = wn.Pipeline(model)
    for path in images.iterdir():
        Image.fromarray(pipeline(path).labels).save(masks / f"{path.stem}_mask.png")
    words = ["quantize", model, images, "--masks", masks, "--suffix", "_mask"]
    printed, noted = both(*words, "--max-drop", "1", "--json")
    values = json.loads(printed)
    assert "layers are compared and kept" in noted
    assert values["miou"][0] == 1.0
    assert values["loss"][0] == pytest.approx(1 - values["miou"][1])
    assert values["within"]
    assert (here / "toy-int8" / "toy-int8.xml").is_file()
    with pytest.raises(InvalidArgumentError, match="expected a new or an empty folder"):
        run(*words)


@pytest.mark.full
def test_a_planted_fault_in_int8_is_named(model, images, tmp_path):
    pytest.importorskip("nncf")
    from layered import planted

    copy, name = planted(model, tmp_path / "fault" / "toy.xml", 1)
    shutil.copy(model.with_suffix(".card.json"), copy.with_suffix(".card.json"))
    made = wn.quantize(copy, images, folder=tmp_path / "out", max_drop=1, progress=False)
    found = wn.compare(model, made.model, layers=True, image=images / "0.png", progress=False)
    assert (found.layers.first.name, found.layers.explained_by) == (name, "i8")


def test_arguments_that_do_not_fit(model, images, tmp_path):
    with pytest.raises(InvalidArgumentError, match="max_drop from 0 to 1"):
        wn.quantize(model, images, max_drop=2)
    with pytest.raises(InvalidArgumentError, match="how many images calibrate"):
        wn.quantize(model, images, subset=0)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "x").touch()
    with pytest.raises(InvalidArgumentError, match="expected a new or an empty folder"):
        wn.quantize(model, images, folder=tmp_path / "out")


def test_without_nncf(model, images, tmp_path, monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "nncf", None)
    with pytest.raises(UnsupportedOperationError, match="pip install 'wasinn-nb\\[quantize\\]'"):
        wn.quantize(model, images, folder=tmp_path / "out", progress=False)
    assert not (tmp_path / "out").exists()


@pytest.mark.full
def test_what_nncf_fails_at_is_said(tmp_path, images, monkeypatch):
    nncf = pytest.importorskip("nncf")

    def fail(*_, **__):
        raise RuntimeError("no such operation")

    monkeypatch.setattr(nncf, "quantize", fail)
    model = toys.brightest_channel(tmp_path / "b.xml")
    with pytest.raises(RuntimeFailure, match="NNCF cannot quantize the model: no such operation"):
        wn.quantize(model, images, folder=tmp_path / "out", progress=False)


# -- what is shown ---------------------------------------------------------------------------------


@pytest.fixture
def toy(tmp_path):
    return toys.brightest_channel(tmp_path / "toy.xml")


IMAGE = np.zeros((4, 6, 3), np.uint8)


def test_the_report_names_kept_layers_and_broken_images(toy):
    found = quantized.quantization(toy, IMAGE, kept=["relu"])
    text = repr(found)
    assert "1 of 2 with weights in INT8" in text
    assert "kept      relu in floating point" in text
    assert "0 kept: class 2 loses 0.0500; 1 kept: class 2 loses 0.0040" in text
    assert "1 image could not be read: c.png" in text
    values = found.to_dict()
    assert values["tried"] == [[0, "class 2", 0.05], [1, "class 2", 0.004]]
    assert values["layers"]["first"] == "relu"
    json.dumps(values, allow_nan=False)
