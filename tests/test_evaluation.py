"""Evaluation: what is counted, what is refused, and how it is presented."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import pytest
import toys
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.errors import ImageError, InvalidArgumentError, MissingFileError, TensorError
from wasinn_nb.evaluation.judging import evaluate
from wasinn_nb.tasks.segmentation.result import SegmentationResult

U8 = np.uint8
CARD = ModelCard("toy", "segmentation", classes=("background", "road", "curb", "mark"))
CAMVID = ("sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car")
CAMVID += ("pedestrian", "cyclist")

TRUTH = np.array([[0, 0, 1, 1], [0, 0, 1, 3], [2, 2, 1, 3]], U8)
FOUND = np.array([[0, 0, 1, 1], [0, 1, 1, 1], [0, 2, 1, 3]], U8)


def png(path, labels, palette=None):
    image = Image.fromarray(labels)
    if palette:
        image.putpalette([channel for color in palette for channel in color])
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return path


# ---------------------------------------------------------------------------------------- counting


def test_figures():
    found = evaluate(SegmentationResult(FOUND, CARD), TRUTH)
    assert found.classes == CARD.classes
    assert found.matrix.tolist() == [[3, 1, 0, 0], [0, 4, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1]]
    assert found.iou == {"background": 3 / 5, "road": 4 / 6, "curb": 1 / 2, "mark": 1 / 2}
    assert found.miou == pytest.approx((3 / 5 + 4 / 6 + 1 / 2 + 1 / 2) / 4)
    assert found.dice["road"] == 8 / 10
    assert found.accuracy == {"background": 3 / 4, "road": 1, "curb": 1 / 2, "mark": 1 / 2}
    assert found.pixel_accuracy == 9 / 12
    assert found.image_miou == pytest.approx(found.miou)
    assert found.model == "toy"


def test_one_class_against_the_rest():
    data = np.array([[3, 3, 0, 11], [3, 5, 0, 0]], U8)
    found = SegmentationResult(np.array([[1, 3, 0, 1], [0, 1, 2, 0]], U8), CARD)
    got = evaluate(found, data, classes=CAMVID, mapping={"road": ("road", "mark")}, ignore=11)
    assert got.classes == ("road", "other")
    assert got.matrix.tolist() == [[2, 1], [1, 3]]
    assert got.miou == got.iou["road"] == 1 / 2
    assert "- road: road of the data, road + mark of the model" in repr(got)
    assert "left out: other (what the mapping does not name)" in repr(got)
    assert "ignored in the truth: 11, 1 pixel (12.50 %)" in repr(got)
    by_index = evaluate(found, data, classes=11, mapping={3: [1, 3]}, ignore=[11])
    assert by_index.classes == ("class 3", "other")
    assert by_index.matrix.tolist() == got.matrix.tolist()


def test_classes_merged_on_both_sides():
    found = evaluate(
        SegmentationResult(FOUND, CARD),
        TRUTH,
        mapping={"background": "background", ("road", "mark"): ("road", "mark"), "curb": "curb"},
    )
    assert found.classes == ("background", "road + mark", "curb")
    assert found.matrix.tolist() == [[3, 1, 0], [0, 6, 0], [1, 0, 1]]
    assert "other" not in repr(found)


def test_classes_of_one_name_are_the_same_in_any_order():
    card = ModelCard("toy", "segmentation", classes=("b", "a"))
    result = SegmentationResult(np.array([[0, 1, 1]], U8), card)
    found = evaluate(result, np.array([[1, 0, 1]], U8), classes=("a", "b"))
    assert found.classes == ("a", "b")
    assert found.matrix.tolist() == [[1, 0], [1, 1]]
    # Numbers instead of names: the label is the index.
    assert evaluate(result, np.array([[0, 1, 1]], U8), classes=2).iou == {"b": 1, "a": 1}


def test_the_mean_leaves_out_what_is_in_neither_and_says_so():
    labels = np.array([[0, 1]], U8)
    found = evaluate(labels, labels, classes=("a", "b", "c"))
    assert math.isnan(found.iou["c"])
    assert found.miou == 1
    assert "- mean over a, b; left out: c (in neither)" in repr(found)
    nothing = evaluate(labels, np.full((1, 2), 255, U8), classes=("a", "b"), ignore=255)
    assert math.isnan(nothing.miou)
    assert "mean over no class" in repr(nothing)
    json.dumps(nothing.to_dict(), allow_nan=False)


def test_global_and_per_image_means_differ():
    small, large = np.zeros((1, 2), U8), np.zeros((10, 10), U8)
    found = evaluate([np.ones((1, 2), U8), large], [small, large], classes=("a", "b"))
    assert found.iou["a"] == 100 / 102
    assert found.miou == 50 / 102
    assert found.image_miou == (0 + 1) / 2
    assert "the mean of each image's own is 0.5000" in repr(found)


def test_predictions_are_compared_at_the_truths_size():
    truth = np.repeat(np.array([[0, 0, 0, 1]], U8), 2, axis=0)
    labels = evaluate(np.array([[0, 1]], U8), truth, classes=("a", "b"))
    assert labels.matrix.tolist() == [[4, 2], [0, 2]]
    assert labels.resized == 1
    # Scores are resized before their argmax: the edge lies where they cross.
    scores = np.array([[[1.0, 0.45]], [[0.0, 0.55]]], np.float32)
    card = ModelCard("toy", "segmentation", classes=("a", "b"))
    result = SegmentationResult.from_scores(scores, card)
    assert evaluate(result, truth).matrix.tolist() == [[6, 0], [0, 2]]
    assert "1 of 1 prediction was brought to its truth's size" in repr(labels)


def test_nothing_is_written_into_what_came_in():
    truth, found = TRUTH.copy(), FOUND.copy()
    evaluate(found, truth, classes=CARD.classes, ignore=3)
    assert (truth == TRUTH).all()
    assert (found == FOUND).all()


# ------------------------------------------------------------------------------------------- masks


COLORS = {"background": (0, 0, 0), "road": (128, 64, 128), "curb": (9, 9, 9), "mark": (1, 2, 3)}


def painted(labels):
    return np.array(list(COLORS.values()), U8)[labels]


@pytest.mark.parametrize("kind", ["array", "index", "palette", "color array", "color", "image"])
def test_every_kind_of_mask(kind, tmp_path):
    classes = COLORS if kind.startswith("color") else None
    truth = {
        "array": lambda: TRUTH.astype(np.int64),
        "index": lambda: png(tmp_path / "t.png", TRUTH),
        "palette": lambda: png(tmp_path / "t.png", TRUTH, list(COLORS.values())),
        "color array": lambda: painted(TRUTH),
        "color": lambda: png(tmp_path / "t.png", painted(TRUTH)),
        "image": lambda: Image.fromarray(TRUTH.astype(np.uint16)),
    }[kind]()
    found = evaluate(SegmentationResult(FOUND, CARD), truth, classes=classes)
    assert np.diag(found.matrix).tolist() == [3, 4, 1, 1]


def test_a_palette_mask_by_its_colors(tmp_path):
    path = png(tmp_path / "t.png", TRUTH, list(COLORS.values()))
    found = evaluate(SegmentationResult(FOUND, CARD), path, classes=COLORS, ignore=(0, 0, 0))
    assert found.matrix.tolist() == [[0, 0, 0, 0], [0, 4, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1]]
    assert "ignored in the truth: background, 4 pixels" in repr(found)


def test_one_bit_masks_and_labels_of_any_value():
    bits = Image.fromarray(np.array([[0, 255]], U8)).convert("1")
    assert evaluate(np.array([[0, 1]], U8), bits, classes=2).miou == 1
    truth = np.array([[0, 255, -1]])
    labels = evaluate(np.array([[0, 255, 0]]), truth, classes={"no": 0, "yes": 255}, ignore=-1)
    assert labels.matrix.tolist() == [[1, 0], [0, 1]]


def test_masks_of_a_known_model(tmp_path):
    found = evaluate(png(tmp_path / "a.png", FOUND), png(tmp_path / "t/a.png", TRUTH), model=CARD)
    assert found.model == "toy"
    assert np.diag(found.matrix).tolist() == [3, 4, 1, 1]


@pytest.mark.parametrize(
    ("truth", "options", "error", "message"),
    [
        ([[0, 7, 7]], {}, TensorError, r"truth image 0: .* 0 \(a\), 1 \(b\), got 7 \(2 pixels\); "),
        ([[7, 8, 8]], {"ignore": 9}, TensorError, r"9 \(ignored\), got 8 \(2 pixels\), 7 \(1"),
        ([[0, -1, 1]], {}, TensorError, r"got -1 \(1 pixel\)"),
        ([[0, 70_000, 1]], {}, TensorError, r"got 70000 \(1 pixel\)"),
        ([[0.0, 1.0, 1.0]], {}, ImageError, r"\(H, W\) integer array, got \(1, 3\) float64"),
        ([[]], {}, ImageError, "no pixels"),
    ],
)
def test_wrong_truths_are_refused(truth, options, error, message):
    truth = np.array(truth, np.int64 if truth == [[]] else None)
    with pytest.raises(error, match=message):
        evaluate(np.zeros((1, 3), U8), truth, classes=("a", "b"), **options)


def test_wrong_predictions_are_refused():
    with pytest.raises(TensorError, match=r"prediction image 0: .* got 5 \(1 pixel\)"):
        evaluate(np.array([[0, 5]], U8), np.zeros((1, 2), U8), classes=("a", "b"))
    # What may be ignored in the truth is not a class of a prediction.
    with pytest.raises(TensorError, match="prediction image 0"):
        evaluate(np.array([[0, 9]], U8), np.zeros((1, 2), U8), classes=("a", "b"), ignore=9)


def test_unknown_colors_are_named():
    truth = painted(TRUTH)
    truth[0, 0] = (7, 8, 9)
    with pytest.raises(TensorError, match=r"expected the colors .* got \(7, 8, 9\) \(1 pixel\)"):
        evaluate(FOUND, truth, classes=COLORS)


@pytest.mark.parametrize(
    ("values", "remedy"),
    [
        ([[0, 7]], "; name it in classes, or leave it out with ignore"),
        ([[7, 8]], "; name them in classes, or leave them out with ignore"),
    ],
)
def test_the_remedy_names_one_value_or_several(values, remedy):
    with pytest.raises(TensorError, match=f"{remedy}$"):
        evaluate(np.zeros((1, 2), U8), np.array(values), classes=("a", "b"))


def test_many_unknown_values_hint_at_their_cause():
    with pytest.raises(
        TensorError, match=r"and 42 more values \(42 pixels\); .* lossy compression"
    ):
        evaluate(np.zeros((1, 52), U8), np.arange(52, dtype=U8)[None], classes=2)


@pytest.mark.parametrize("format_", ["JPEG", "WEBP", "TIFF"])
def test_lossy_masks_are_refused_with_their_values(format_, tmp_path):
    labels = np.zeros((64, 64), U8)
    labels[20:50, 13:41] = 3
    path = tmp_path / f"m.{format_.lower()}"
    options = {"compression": "jpeg"} if format_ == "TIFF" else {"quality": 60}
    Image.fromarray(labels * 80).save(path, format_, **options)
    classes = {"a": 0, "b": 240} if format_ != "WEBP" else {"a": (0, 0, 0), "b": (240, 240, 240)}
    shape = np.zeros((64, 64) + ((3,) if format_ == "WEBP" else ()), U8)
    with pytest.raises(ImageError, match=r"lossy .* pixels? (is|are) not a class: .* \(\d+ pixel"):
        evaluate(shape, path, classes=classes)


def test_a_lossy_mask_is_refused_even_where_all_its_values_are_classes(tmp_path):
    Image.fromarray(np.zeros((8, 8), U8)).save(tmp_path / "m.jpg")
    with pytest.raises(ImageError, match=r"lossy format \(JPEG\), which changes labels; export"):
        evaluate(np.zeros((8, 8), U8), tmp_path / "m.jpg", classes=2)


def test_a_colored_mask_without_colors(tmp_path):
    path = png(tmp_path / "t.png", painted(TRUTH))
    with pytest.raises(ImageError, match=r"mode RGB with 4 colors, .*\(128, 64, 128\).*classes="):
        evaluate(FOUND, path, classes=CARD.classes)


def test_a_floating_point_mask_is_refused():
    with pytest.raises(ImageError, match="floating-point"):
        evaluate(FOUND, Image.fromarray(TRUTH.astype(np.float32)), classes=CARD.classes)


# ------------------------------------------------------------------------------------------- pairs


def test_folders_are_paired_by_stem(tmp_path):
    for name, labels in (("b", FOUND), ("a", TRUTH)):
        png(tmp_path / "found" / f"{name}.png", labels)
        png(tmp_path / "truth" / f"{name}.tiff", TRUTH)
    (tmp_path / "truth/notes.txt").write_text("not a mask")
    found = evaluate(tmp_path / "found", tmp_path / "truth", classes=CARD.classes)
    assert [count.name for count in found.counts] == ["a", "b"]
    assert found.images().index.tolist() == ["b", "a"]
    listed = evaluate(
        [tmp_path / "found/b.png"], {"b": tmp_path / "truth/a.tiff"}, classes=CARD.classes
    )
    assert listed.counts[0].both.tolist() == [3, 4, 1, 1]


@pytest.mark.parametrize(
    ("predictions", "truths", "message"),
    [
        ({"a": FOUND, "b": FOUND}, {"b": TRUTH}, "predictions without truth: a; name"),
        ({"b": FOUND}, {"a": TRUTH, "b": TRUTH, "c": TRUTH}, "truths without prediction: a, c; n"),
        (
            {f"n{i:02}": FOUND for i in range(11)},
            {"x": TRUTH},
            "without truth: n00, n01, n02, n03, n04, n05, n06, n07 and 3 more; truths without.*: x",
        ),
        ([FOUND, FOUND], [TRUTH], "2 predictions and 1 truth"),
        (["x/a.png", "y/a.png"], ["x/a.png", "y/a.png"], "two predictions of one name: a"),
        ([], [], "got no predictions"),
        ({"a": FOUND}, {}, "got no truths"),
    ],
)
def test_incomplete_pairs_are_refused(predictions, truths, message):
    with pytest.raises(InvalidArgumentError, match=message):
        evaluate(predictions, truths, classes=CARD.classes)


def test_a_folder_without_images_and_a_missing_file(tmp_path):
    with pytest.raises(MissingFileError, match="no images in the folder"):
        evaluate(tmp_path, TRUTH, classes=2)
    with pytest.raises(MissingFileError, match=r"no image at .*t\.png"):
        evaluate(FOUND, tmp_path / "t.png", classes=CARD.classes)


# ----------------------------------------------------------------------------------------- classes


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"classes": ("a", "b", "c", "d")}, r"a, b, c, d\) are not the model's \(background, road"),
        ({"mapping": {"rod": "road"}}, "no data class 'rod'; did you mean road?"),
        ({"mapping": {"road": "rode"}}, "no model class 'rode'; did you mean road?"),
        ({"mapping": {"road": ("road", 4)}}, "index from 0 to 3, got 4"),
        ({"mapping": {"road": True}}, "got True"),
        ({"mapping": {"road": 1.5}}, "got 1.5"),
        ({"mapping": {"road": "road", "mark": "road"}}, "model's road more than once"),
        ({"mapping": {"road": "road", ("mark", "road"): "mark"}}, "data's road more than once"),
        ({"mapping": {"road": ()}}, "gives no model class"),
        ({"mapping": {}}, "expected a mapping"),
        ({"mapping": "road"}, "expected a mapping"),
        ({"ignore": "rod"}, "no data class 'rod'"),
        ({"ignore": (0, (1, 2, 3))}, "expected labels to ignore"),
        ({"ignore": 1.5}, "expected a label, or a color"),
        ({"classes": "road"}, "expected classes as names"),
        ({"classes": ("road", 3)}, "class names as text"),
        ({"classes": ("road", "road")}, "share a name or a value"),
        ({"classes": {"a": 1, "b": 1}}, "share a name or a value"),
        ({"classes": {"a": 1, "b": (1, 2, 3)}}, "labels or colors, not both"),
        ({"classes": {"a": (1, 2)}}, r"color \(red, green, blue\)"),
        ({"classes": {"a": (1, 2, 300)}}, r"color \(red, green, blue\)"),
        ({"classes": {"a": -1}}, "labels from 0 to 65535"),
        ({"classes": 0}, "1 to 250 classes"),
        ({"classes": 251}, "1 to 250 classes"),
        ({"worst": -1}, "how many images to keep"),
        ({"classes": ("other", "b"), "mapping": {"other": "road"}}, "names a class 'other'"),
    ],
)
def test_classes_that_do_not_fit(options, message):
    with pytest.raises(InvalidArgumentError, match=message):
        evaluate(SegmentationResult(FOUND, CARD), TRUTH, **options)


def test_masks_need_classes():
    with pytest.raises(InvalidArgumentError, match=r"pass classes="):
        evaluate(FOUND, TRUTH)


def test_results_of_two_models_are_refused():
    other = ModelCard("second", "segmentation", classes=("a", "b", "c", "d"))
    results = [SegmentationResult(FOUND, card) for card in (CARD, other)]
    with pytest.raises(InvalidArgumentError, match=r"image 1: .* other classes than those before"):
        evaluate(results, [TRUTH, TRUTH])


# ------------------------------------------------------------------------------------------- model


@pytest.fixture(scope="module")
def toy(tmp_path_factory):
    return wn.Pipeline(toys.brightest_channel(tmp_path_factory.mktemp("toy") / "toy.xml"))


@pytest.fixture
def photo():
    pixels = np.zeros((4, 6, 3), U8)
    pixels[:, :2, 2] = pixels[:, 2:, 1] = 200  # the left third is blue: class 0; the rest class 1
    return pixels


def test_a_model_runs_over_images(toy, photo, tmp_path):
    truth = np.array([[0, 0, 1, 1, 1, 2]] * 4, U8)
    found = evaluate([photo, photo], [truth, truth], model=toy)
    assert found.model == "toy"
    assert found.matrix.tolist() == [[16, 0, 0], [0, 24, 0], [0, 8, 0]]
    png(tmp_path / "images/p.png", photo)
    png(tmp_path / "masks/p.png", truth)
    folder = evaluate(tmp_path / "images", tmp_path / "masks", model=toy.model, classes=3)
    assert folder.matrix.tolist() == [[8, 0, 0], [0, 12, 0], [0, 4, 0]]
    assert folder.samples[0].result.photo.tolist() == photo.tolist()


def test_a_model_takes_images(toy):
    with pytest.raises(InvalidArgumentError, match="expected an image for the model"):
        evaluate(SegmentationResult(FOUND, CARD), TRUTH, model=toy)


@pytest.mark.parametrize("turned", [False, True])
def test_a_mask_of_another_aspect_ratio_is_refused(toy, photo, tmp_path, turned):
    source = photo
    if turned:  # a file whose EXIF the recipe applies would be upright: 4 wide, 6 high
        exif = Image.Exif()
        exif[0x0112] = 6
        source = tmp_path / "p.jpg"
        Image.fromarray(photo).save(source, exif=exif)
        toy = wn.Pipeline(toy.model, recipe=toy.recipe.replace(exif="apply"))
    size = (4, 6) if turned else (6, 4)
    with pytest.raises(InvalidArgumentError, match="another aspect ratio; check the pair"):
        evaluate(source, {"p": np.zeros(size, U8)}, model=toy)
    evaluate(source, {"p": np.zeros(size[::-1], U8)}, model=toy)


def test_a_card_a_recipe_and_a_runtime_that_are_passed_are_honored(toy, photo):
    """BGR in place of RGB: the left third, which is blue, is the class of the last channel."""
    card = toy.model.card.replace(classes=("red", "green", "blue"), palette=[(9, 8, 7)] * 3)
    truth = np.array([[2, 2, 1, 1, 1, 1]] * 4, U8)
    options = {"card": card, "recipe": toy.recipe.replace(color="RGB"), "runtime": "openvino"}
    found = evaluate(photo, truth, model=toy.model.path, **options)
    assert found.iou == {"red": pytest.approx(math.nan, nan_ok=True), "green": 1, "blue": 1}
    assert found.class_map.palette == ((9, 8, 7),) * 3
    assert found.samples[0].result.recipe.color == "RGB"
    assert evaluate(photo, truth, model=wn.Model(card, None, toy.model.files, "x")).iou["blue"] == 0


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
def test_options_that_would_not_be_honored_are_refused(toy, photo, model, options, message):
    with pytest.raises(InvalidArgumentError, match=message):
        evaluate(photo, TRUTH, model=toy if model == "pipeline" else model, **options)


def test_the_bar_is_silent_where_nobody_looks(toy, photo, capsys):
    evaluate(photo, np.zeros((4, 6), U8), model=toy)
    assert capsys.readouterr() == ("", "")


def test_progress_is_reported_to_a_callable(toy, photo):
    calls = []
    evaluate(
        photo, np.zeros((4, 6), U8), model=toy, progress=lambda *numbers: calls.append(numbers)
    )
    assert calls == [(0, 1), (1, 1)]


# ----------------------------------------------------------------------------------------- telling


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
    assert texts[-4:] == [""] * 4  # no pixel of the ignored class
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


def test_page(three, toy, photo, tmp_path):
    page = three.write_html(tmp_path / "page.html").read_text()
    for heading in ("Classes", "How it was counted", "Confusion matrix", "Worst images"):
        assert f"<h2>{heading}</h2>" in page
    assert page.count("<img ") == 1 + 2 * 3
    outside = re.findall(r'(?:src|href)="(?!data:)', page)
    assert not outside
    named = evaluate({"<b>x": photo}, {"<b>x": np.zeros((4, 6), U8)}, model=toy)
    page = named.write_html(tmp_path / "named.html").read_text()
    assert "<b>" not in page
    assert "&lt;b&gt;x" in page
    assert "<h1>Evaluation: toy, 1 image, 24 pixels counted</h1>" in page
    assert page.count("<img ") == 1 + 4


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
