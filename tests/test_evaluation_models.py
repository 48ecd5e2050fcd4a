"""Evaluations of models, and what is shown of them."""

from __future__ import annotations

import io
import json
import math
import re

import numpy as np
import pytest
import toys
from evaluations import CAMVID, CARD, FOUND, TRUTH, U8, png
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.evaluation.judging import evaluate
from wasinn_nb.tasks.segmentation.result import SegmentationResult

pytestmark = pytest.mark.full

PQ = (("p", "jpg"), ("q", "png"))


# ------------------------------------------------------------------------------------------- model


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return wn.Pipeline(toys.brightest_channel(tmp_path_factory.mktemp("toy") / "toy.xml"))


@pytest.fixture
def image():
    pixels = np.zeros((4, 6, 3), U8)
    pixels[:, :2, 2] = pixels[:, 2:, 1] = 200  # the left third is blue: class 0; the rest class 1
    return pixels


def test_a_model_runs_over_images(toy, image, tmp_path):
    truth = np.array([[0, 0, 1, 1, 1, 2]] * 4, U8)
    found = evaluate([image, image], [truth, truth], model=toy)
    assert found.model == "toy"
    assert found.matrix.tolist() == [[16, 0, 0], [0, 24, 0], [0, 8, 0]]
    png(tmp_path / "images/p.png", image)
    png(tmp_path / "masks/p.png", truth)
    folder = evaluate(tmp_path / "images", tmp_path / "masks", model=toy.model, classes=3)
    assert folder.matrix.tolist() == [[8, 0, 0], [0, 12, 0], [0, 4, 0]]
    assert folder.samples[0].result.photo.tolist() == image.tolist()


def test_a_model_takes_images(toy):
    with pytest.raises(InvalidArgumentError, match="expected an image for the model"):
        evaluate(SegmentationResult(FOUND, CARD), TRUTH, model=toy)


@pytest.mark.parametrize("turned", [False, True])
def test_a_mask_of_another_aspect_ratio_is_refused(toy, image, tmp_path, turned):
    source = image
    if turned:  # a file whose EXIF the recipe applies would be upright: 4 wide, 6 high
        exif = Image.Exif()
        exif[0x0112] = 6
        source = tmp_path / "p.jpg"
        Image.fromarray(image).save(source, exif=exif)
        toy = wn.Pipeline(toy.model, recipe=toy.recipe.replace(exif="apply"))
    size = (4, 6) if turned else (6, 4)
    with pytest.raises(InvalidArgumentError, match="another aspect ratio; check the pair"):
        evaluate(source, {"p": np.zeros(size, U8)}, model=toy)
    evaluate(source, {"p": np.zeros(size[::-1], U8)}, model=toy)


@pytest.mark.parametrize("exif", ["ignore", "apply"])
@pytest.mark.parametrize("orientation", [1, 2, 3, 4, 6])
@pytest.mark.parametrize("kind", ["jpg", "png", "tif", "opened", "result"])
def test_an_exif_orientation_is_named(toy, image, tmp_path, kind, orientation, exif):
    metadata = Image.Exif()
    metadata[0x0112] = orientation
    source = tmp_path / f"p.{kind if kind in {'png', 'tif'} else 'jpg'}"
    Image.fromarray(image).save(source, exif=metadata)
    Image.fromarray(image).save(tmp_path / "q.png")
    toy = wn.Pipeline(toy.model, recipe=toy.recipe.replace(exif=exif))
    given = Image.open(io.BytesIO(source.read_bytes())) if kind == "opened" else source
    sideways = exif == "apply" and orientation == 6
    truths = {"p": np.zeros((6, 4) if sideways else (4, 6), U8), "q": np.zeros((4, 6), U8)}
    if kind == "result":
        found = evaluate({name: toy(tmp_path / f"{name}.{s}") for name, s in PQ}, truths)
    else:
        found = evaluate({"p": given, "q": tmp_path / "q.png"}, truths, model=toy)
    lines = [line for line in found.policy() if line.startswith("EXIF")]
    if orientation == 1:
        assert lines == []
    elif exif == "ignore":
        assert lines[0].startswith("EXIF orientation ignored by the recipe (p): masks must be turn")
    else:
        assert lines[0].startswith("EXIF orientation applied by the recipe (p): masks must be upr")
    assert len(lines) == (orientation != 1)
    assert all(line.split(":")[0] in " ".join(repr(found).split()) for line in lines)


def test_a_card_a_recipe_and_a_runtime_that_are_passed_are_honored(toy, image):
    """BGR in place of RGB: the left third, which is blue, is the class of the last channel."""
    card = toy.model.card.replace(classes=("red", "green", "blue"), palette=[(9, 8, 7)] * 3)
    truth = np.array([[2, 2, 1, 1, 1, 1]] * 4, U8)
    options = {"card": card, "recipe": toy.recipe.replace(color="RGB"), "runtime": "openvino"}
    found = evaluate(image, truth, model=toy.model.path, **options)
    assert found.iou == {"red": pytest.approx(math.nan, nan_ok=True), "green": 1, "blue": 1}
    assert found.class_map.palette == ((9, 8, 7),) * 3
    assert found.samples[0].result.recipe.color == "RGB"
    assert evaluate(image, truth, model=wn.Model(card, None, toy.model.files, "x")).iou["blue"] == 0


def test_a_card_alone_describes_masks_and_results(tmp_path):
    path = tmp_path / "card.json"
    named = CARD.replace(classes=("a", "b", "c", "d"))
    path.write_text(json.dumps(named.to_dict()))
    for predictions in (FOUND, SegmentationResult(FOUND, CARD)):
        for card in (named, path, str(path)):
            found = evaluate(predictions, TRUTH, card=card)
            assert found.accuracy == {"a": 3 / 4, "b": 1, "c": 1 / 2, "d": 1 / 2}


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        ("pipeline", {"card": CARD}, "a Pipeline has its card, recipe and runtime already"),
        ("pipeline", {"runtime": "openvino"}, "a Pipeline has its card, recipe and runtime"),
        (CARD, {"card": CARD}, "expected one card"),
        (None, {"recipe": wn.PreprocessRecipe(4, 6)}, "for a model that runs"),
        (CARD, {"runtime": "openvino"}, "for a model that runs"),
    ],
)
def test_options_that_would_not_be_honored_are_refused(toy, image, model, options, message):
    with pytest.raises(InvalidArgumentError, match=message):
        evaluate(image, TRUTH, model=toy if model == "pipeline" else model, **options)


def test_the_bar_is_silent_where_nobody_looks(toy, image, capsys):
    evaluate(image, np.zeros((4, 6), U8), model=toy)
    assert capsys.readouterr() == ("", "")


def test_progress_is_reported_to_a_callable(toy, image):
    calls = []
    evaluate(
        image, np.zeros((4, 6), U8), model=toy, progress=lambda *numbers: calls.append(numbers)
    )
    assert calls == [(0, 1), (1, 1)]


# ----------------------------------------------------------------------------------------- telling

WORST = "Worst images, the lowest mean IoU first"


@pytest.fixture
def three():
    worse = FOUND.copy()
    worse[:2] = 2
    return evaluate({"fair": FOUND, "good": TRUTH, "bad": worse},
                    dict.fromkeys(("fair", "good", "bad"), TRUTH),
                    classes=CARD.classes, ignore=3, worst=2)  # fmt: skip


def test_tables(three):
    table = three.table()
    assert table.index.tolist() == list(CARD.classes)
    assert table.columns.tolist() == ["IoU", "Dice", "accuracy", "boundary IoU", "pixels"]
    assert table["pixels"].tolist() == [12, 12, 6, 0]
    assert table.loc["road", "IoU"] == three.iou["road"]
    images = three.images()
    assert images.index.tolist() == ["bad", "fair", "good"]
    assert images.loc["good", ["mean IoU", "accuracy"]].tolist() == [1, 1]
    assert images.loc["bad", "worst class"] == "background"
    assert images["pixels"].tolist() == [10, 10, 10]
    assert [sample.name for sample in three.samples] == ["bad", "fair"]


def test_repr_is_stable(three):
    again = repr(three)
    assert again == repr(three)
    assert again.splitlines()[0] == "Evaluation: 3 images, 30 pixels counted"
    assert not re.search(r"0x[0-9a-f]{4,}|/tmp", again)


def test_large_numbers_of_pixels_are_grouped():
    mask = np.zeros((40, 50), np.uint8)
    found = wn.evaluate({"a": mask}, {"a": mask}, classes=("road",))
    assert repr(found).splitlines()[0] == "Evaluation: 1 image, 2,000 pixels counted"


def test_json(three):
    values = json.loads(json.dumps(three.to_dict(), allow_nan=False))
    assert values["classes"]["road"]["iou"] == three.iou["road"]
    assert [image["name"] for image in values["images"]] == ["bad", "fair", "good"]
    assert values["matrix"] == three.matrix.tolist()
    assert values["mapping"]["road"] == {"data": ["road"], "model": ["road"]}


@pytest.mark.full
def test_plot(three):
    figure = three.plot()
    assert len(figure.axes) == 1 + 2 * 3  # no images: truth, prediction, errors
    assert [axes.get_title() for axes in figure.axes[1:4]] == [
        "truth",
        "prediction",
        "wrong in bad",
    ]
    texts = [text.get_text() for text in figure.axes[0].texts]
    assert texts[0] == f"{100 * three.accuracy['background']:.1f}"
    assert len(texts) == 3 * 4  # no pixel of the ignored class
    labels = [text.get_text() for text in figure.legends[0].get_texts()]
    assert labels == [*CARD.classes, "wrong", "ignored"]
    assert len(three.plot(worst=0).axes) == 1
    assert figure._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(InvalidArgumentError, match="how many images to draw"):
        three.plot(worst=-1)


def test_a_legend_of_many_classes_names_those_that_are_there():
    labels = np.array([[0, 7]], U8)
    names = [entry.name for entry in evaluate(labels, labels, classes=21).legend()]
    assert names == ["class 0", "class 7", "wrong"]


def test_the_figure_shows_what_is_wrong(three):
    drawn = three.plot(worst=1).axes[3].images[0].get_array()
    sample = three.samples[0]
    wrong = (sample.truth != sample.predicted) & (sample.truth != 255)
    marked = (drawn[..., 0].astype(int) - drawn[..., 1]) > 100
    assert (marked == wrong).all()


def test_page(three, toy, image, tmp_path):
    page = three.write_html(tmp_path / "page.html").read_text()
    for heading in ("Classes", "How it was counted", "Confusion matrix", WORST):
        assert f"<h2>{heading}</h2>" in page
    assert page.count("<img ") == 2 * 3
    assert page.count("<svg ") == 1
    outside = re.findall(r'(?:src|href)="(?!data:|#part-)', page)
    assert not outside
    named = evaluate({"<b>x": image}, {"<b>x": np.zeros((4, 6), U8)}, model=toy)
    page = named.write_html(tmp_path / "named.html").read_text()
    assert "<b>" not in page
    assert "&lt;b&gt;x" in page
    assert "<h1>Evaluation: toy, 1 image, 24 pixels counted</h1>" in page
    assert page.count("<img ") == 4


def test_html_in_a_notebook(three):
    html = three._repr_html_()
    assert "<table" in html
    assert "mean IoU" in html
    assert html.count("<img ") == 2 * 3
    assert "<style" not in html
    assert "<script" not in html


# -------------------------------------------------------------------------------------- real models


def camvid(shared, model):
    folder = shared / "camvid"
    return evaluate(
        folder / "images",
        folder / "labels",
        model=model,
        classes=CAMVID,
        mapping={"road": ("road", "mark")},
        ignore=11,
    )


@pytest.mark.slow
def test_the_real_model_on_camvid(shared):
    found = camvid(shared, shared / "models/road-segmentation-adas-0001.xml")
    print(found)  # noqa: T201 - the figures are worth reading
    assert len(found.counts) == 26
    assert found.matrix.sum() == 4_415_069
    # Counted independently with scikit-learn and Pillow's nearest: 0.97498.
    assert found.iou["road"] == pytest.approx(0.975, abs=0.002)
    assert found.boundary_iou["road"] < found.iou["road"]


def test_the_shipped_model_on_camvid(shared):
    found = camvid(shared, "road-segmentation-synth-0001")
    print(found)  # noqa: T201 - the figures are worth reading
    assert found.iou["road"] > 0.75


@pytest.mark.full
def test_the_shipped_model_on_the_shipped_scenes():
    names = wn.images()
    truths = [wn.mask(name) for name in names]
    road = ("road", "mark")
    found = evaluate(names, truths, model="road-segmentation-synth-0001", mapping={road: road})
    assert found.classes == ("road + mark", "other")
    assert [count.name for count in found.counts] == list(names)
    assert found.miou > 0.7
