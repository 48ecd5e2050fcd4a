"""Evaluation: what is counted, what is refused, and how it is presented."""

from __future__ import annotations

import ast
import io
import json
import math
import re
import shlex

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


@pytest.mark.parametrize("kind", ["name", "label", "color", "group"])
def test_an_ignored_class_is_in_no_mean_and_never_the_worst(kind):
    # Of road 4 of 6 pixels, of curb 1 of 2, of mark 1 of 2; background was found where road is.
    found = np.where(TRUTH == 1, TRUTH * (np.arange(4) > 2), FOUND).astype(U8)
    options = {"classes": CARD.classes, "ignore": 0 if kind == "label" else "background"}
    truth = TRUTH
    if kind == "color":
        found, truth, options["classes"] = painted(found), painted(TRUTH), COLORS
    if kind == "group":
        options["mapping"] = {name: name for name in CARD.classes}
    got = evaluate(found, truth, **options)
    counted = ["road", "curb", "mark"]
    assert got.matrix[0].sum() == 0
    assert got.matrix[1, 0] > 0  # road taken for background still counts against road
    assert got.miou == got.image_miou == got.samples[0].miou
    assert got.miou == pytest.approx(np.mean([got.iou[name] for name in counted]))
    assert all(math.isnan(figure["background"]) for figure in (got.iou, got.dice, got.boundary_iou))
    assert got.image_rows()[0][-1] == min(counted, key=got.iou.get)
    assert got.images()["worst class"].tolist() == [min(counted, key=got.iou.get)]
    assert "mean over road, curb, mark; left out: background (ignored in the truth)" in repr(got)
    assert got.table().loc["background", "IoU"] != got.table().loc["background", "IoU"]
    json.dumps(got.to_dict(), allow_nan=False)


def test_a_group_of_classes_is_in_the_mean_unless_all_of_it_is_ignored():
    groups = {("background", "road"): ("background", "road"), "curb": "curb", "mark": "mark"}
    options = {"classes": CARD.classes, "mapping": groups}
    part = evaluate(FOUND, TRUTH, ignore="background", **options)
    assert part.miou == pytest.approx(np.mean(list(part.iou.values())))
    both = evaluate(FOUND, TRUTH, ignore=("background", "road"), **options)
    assert both.miou == pytest.approx((both.iou["curb"] + both.iou["mark"]) / 2)
    every = evaluate(FOUND, TRUTH, ignore=range(4), classes=CARD.classes)
    assert math.isnan(every.miou)
    assert "mean over no class" in repr(every)


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


PQ = (("p", "jpg"), ("q", "png"))


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


@pytest.mark.parametrize("side", ["truth", "prediction", "both"])
@pytest.mark.parametrize(
    ("shape", "images"),
    [
        ((3, 4, 1), 1),
        ((1, 3, 4, 1), 1),
        ((1, 3, 5), 1),
        ((6, 1, 1), 1),
        ((2, 3, 5), 2),
        ((2, 3, 4, 1), 2),
        ((2, 1, 3, 5), 2),
    ],
)
def test_a_channel_of_its_own_makes_one_mask(shape, images, side):
    masks = np.arange(math.prod(shape)).reshape(shape) % 4
    flat = masks.reshape([n for n in shape if n != 1]) if shape != (6, 1, 1) else masks[..., 0]
    found = masks if side != "truth" else [*flat] if flat.ndim == 3 else flat
    truth = masks if side != "prediction" else [*flat] if flat.ndim == 3 else flat
    got = evaluate(found, truth, classes=CARD.classes)
    assert len(got.counts) == images
    assert got.matrix.sum() == masks.size
    assert got.miou == 1


def test_arrays_in_lists_and_mappings_may_have_a_channel():
    channel = TRUTH[..., None]
    for truths in ([channel, channel], {"a": channel, "b": TRUTH}):
        names = truths if isinstance(truths, dict) else [0, 1]
        found = dict.fromkeys(names, FOUND) if isinstance(truths, dict) else [FOUND, channel]
        assert len(evaluate(found, truths, classes=4).counts) == 2


def test_a_stack_of_color_masks():
    stack = np.stack([painted(TRUTH), painted(FOUND)])
    assert len(evaluate(stack, stack, classes=COLORS).counts) == 2


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
        ([[0.0, 1.0, 0.5]], {}, ImageError, r"whole numbers as labels, got 0.5 among float64"),
        ([[0.0, 1.0, math.nan]], {}, ImageError, r"whole numbers as labels, got nan among float64"),
        ([[0.0, 1.0, 1e30]], {}, ImageError, r"whole numbers as labels, got 1e\+30"),
        ([[0.0, 1.0, 7.0]], {}, TensorError, r"got 7 \(1 pixel\)"),
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


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_floating_point_masks_of_whole_numbers_are_taken(dtype):
    as_array = evaluate(FOUND.astype(dtype), TRUTH.astype(dtype), classes=CARD.classes)
    assert as_array.matrix.tolist() == evaluate(FOUND, TRUTH, classes=4).matrix.tolist()
    ignored = evaluate(FOUND, np.where(TRUTH == 3, dtype(-1), TRUTH), classes=4, ignore=-1)
    assert ignored.matrix.sum() == 10


def test_floating_point_images():
    image = Image.fromarray(TRUTH.astype(np.float32))
    assert evaluate(TRUTH, image, classes=CARD.classes).miou == 1
    with pytest.raises(ImageError, match=r"whole numbers as labels, got 0\.5"):
        evaluate(FOUND, Image.fromarray(TRUTH.astype(np.float32) / 2), classes=CARD.classes)


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "LA"])
@pytest.mark.parametrize("given", ["file", "image", "array"])
def test_gray_color_images_are_read_as_labels_and_named(mode, given, tmp_path):
    image = Image.fromarray(TRUTH).convert(mode)
    if given == "array" and mode != "LA":
        image = np.asarray(image)
    elif given == "file":
        image.save(tmp_path / "t.png")
        image = tmp_path / "t.png"
    found = evaluate({"t": TRUTH}, {"t": image}, classes=CARD.classes)
    assert found.miou == 1
    assert "read as labels, though they are color images (R = G = B): truth t" in found.policy()
    assert "R = G = B" not in repr(evaluate(TRUTH, TRUTH, classes=4))
    both = evaluate({"t": image}, {"t": image}, classes=CARD.classes).policy()[-1]
    assert both.endswith("truth t, prediction t")


def test_gray_colors_that_are_classes_are_not_read_as_labels():
    classes = {"a": (0, 0, 0), "b": (9, 9, 9)}
    mask = np.array([[[0] * 3, [9] * 3]], U8)
    found = evaluate(mask, mask, classes=classes)
    assert (found.miou, found.remarks.gray) == (1, ())


WHITE_IS_AN_OBJECT = r"classes=\{'background': 0, 'object': 255\}"


@pytest.mark.parametrize("classes", [3, ("a", "b", "c")])
def test_black_and_white_masks_name_the_classes(classes):
    truth = (TRUTH > 0) * U8(255)
    with pytest.raises(TensorError, match=WHITE_IS_AN_OBJECT):
        evaluate(truth, truth, classes=classes)
    found = evaluate(truth, truth, classes={"background": 0, "object": 255})
    assert found.iou == {"background": 1, "object": 1}


def test_black_and_white_masks_of_two_classes_are_never_advised_to_be_ignored():
    truth = (TRUTH > 0) * U8(255)
    with pytest.raises(TensorError, match=r"classes=\{'a': 0, 'b': 255\}$"):
        evaluate(TRUTH > 0, truth, classes=("a", "b"))


def test_predictions_are_never_advised_to_be_ignored():
    truth = (TRUTH > 0).astype(U8)
    with pytest.raises(TensorError, match=r"where 255 is b, divide the prediction by 255$"):
        evaluate(truth * U8(255), truth, classes=("a", "b"))
    assert evaluate(truth * U8(255) // 255, truth, classes=("a", "b")).miou == 1
    with pytest.raises(TensorError, match="a prediction has only the labels of its classes"):
        evaluate(truth * U8(7), truth, classes=("a", "b"), ignore=7)


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


def test_files_that_are_passed_over_are_named_and_counted(tmp_path):
    for folder in ("found", "truth"):
        png(tmp_path / folder / "a.png", TRUTH)
        (tmp_path / folder / ".hidden.txt").write_text("not named")
        (tmp_path / folder / "inner").mkdir()
    clean = evaluate(tmp_path / "found", tmp_path / "truth", classes=4)
    assert "passed over" not in repr(clean)
    np.save(tmp_path / "found/b.npy", TRUTH)
    for n in range(10):
        (tmp_path / f"truth/c{n}.xcf").write_bytes(b"gimp")
    found = evaluate(tmp_path / "found", tmp_path / "truth", classes=4)
    lines = [line for line in found.policy() if "passed over" in line]
    names = ", ".join(["b.npy", *(f"c{n}.xcf" for n in range(7))])
    assert lines == [f"passed over, as not named like images: {names} and 3 more (11 files)"]
    assert lines[0] in found.to_dict()["policy"]


def test_files_that_are_passed_over_are_named_where_nothing_fits(tmp_path):
    png(tmp_path / "found/a.png", TRUTH)
    png(tmp_path / "found/b.png", TRUTH)
    png(tmp_path / "truth/a.png", TRUTH)
    (tmp_path / "truth/b.xcf").write_bytes(b"gimp")
    with pytest.raises(
        InvalidArgumentError, match=r"truth: b; passed over, .* images: b\.xcf; name"
    ):
        evaluate(tmp_path / "found", tmp_path / "truth", classes=4)
    (tmp_path / "truth/a.png").unlink()
    with pytest.raises(
        MissingFileError, match=r"no images in .*, but other files \(1\): b\.xcf; check"
    ):
        evaluate(tmp_path / "found", tmp_path / "truth", classes=4)


@pytest.mark.parametrize(
    "suffix", ["tga", "TGA", "pnm", "PGM", "PNG", "Tiff", "dib", "apng", "BMP"]
)
def test_masks_in_folders_whatever_their_suffix(suffix, tmp_path):
    for folder in ("found", "truth"):
        (tmp_path / folder).mkdir()
        formats = {"PNM": "PPM", "PGM": "PPM", "APNG": "PNG", "TIFF": "TIFF"}
        kind = formats.get(suffix.upper(), suffix.upper())
        Image.fromarray(TRUTH).save(tmp_path / folder / f"a.{suffix}", kind)
    got = evaluate(tmp_path / "found", tmp_path / "truth", classes=4)
    assert (got.miou, len(got.counts)) == (1, 1)


@pytest.mark.parametrize("size", [(60, 40), (60, 60), (40, 56), (20, 26)])
@pytest.mark.parametrize("kind", ["array", "file", "colors"])
def test_a_predicted_mask_of_another_aspect_ratio_is_refused(kind, size, tmp_path):
    found, options = np.zeros(size, U8), {"classes": CARD.classes}
    truth = np.zeros((40, 60), U8)
    if kind == "file":
        found = png(tmp_path / "m.png", found)
    if kind == "colors":
        found, truth, options = painted(found), painted(truth), {"classes": COLORS}
    there = f"{size[1]}x{size[0]} pixels, the true one 60x40: another aspect ratio"
    with pytest.raises(InvalidArgumentError, match=f"image 0: .* {there}|m: .* {there}"):
        evaluate(found, truth, **options)


@pytest.mark.parametrize("size", [(20, 30), (80, 120), (2, 3), (13, 20), (14, 20), (7, 10)])
def test_masks_of_one_aspect_ratio_are_resized(size):
    got = evaluate(np.zeros(size, U8), np.zeros((40, 60), U8), classes=2)
    assert (got.resized, got.matrix.sum()) == (1, 2400)


def test_a_transposed_result_is_refused_and_a_models_square_is_not():
    truth = np.zeros((40, 60), U8)
    with pytest.raises(InvalidArgumentError, match=r"has 40x60 pixels, its truth 60x40: .* transp"):
        evaluate(SegmentationResult(np.zeros((60, 40), U8), CARD), truth)
    assert evaluate(SegmentationResult(np.zeros((32, 32), U8), CARD), truth).resized == 1


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
        ({"classes": 847}, "1 to 250 classes, got 847"),
        ({"classes": -5}, "1 to 250 classes, got -5"),
        ({"worst": -1}, "how many images to keep"),
        ({"classes": ("other", "b"), "mapping": {"other": "road"}}, "names a class 'other'"),
    ],
)
def test_classes_that_do_not_fit(options, message):
    with pytest.raises(InvalidArgumentError, match=message):
        evaluate(SegmentationResult(FOUND, CARD), TRUTH, **options)


@pytest.mark.parametrize(
    ("data", "model", "mapping"),
    [
        (("sky", "car"), ("sky", "vehicle"), {"sky": "sky"}),
        (("car", "Sky", "road"), ("road", "sky", "x"), {"road": "road", "Sky": "sky"}),
        (("SKY", "sky", "a"), ("sky", "b"), {"sky": "sky"}),
        (("it's", "b"), ("it's", "c"), {"it's": "it's"}),
        (("other", "sky"), ("other", "sky", "x"), {"sky": "sky"}),
    ],
)
def test_the_mapping_that_is_proposed_joins_classes_of_one_name(data, model, mapping):
    labels = np.zeros((1, 2), U8)
    result = SegmentationResult(labels, ModelCard("toy", "segmentation", classes=model))
    with pytest.raises(InvalidArgumentError, match="are not the model's") as caught:
        evaluate(result, labels, classes=data)
    remedy = re.search(r"say which are the same: mapping=(\{.*\}); the rest", str(caught.value))
    assert ast.literal_eval(remedy[1]) == mapping
    assert evaluate(result, labels, classes=data, mapping=mapping).class_map.has_other
    words = shlex.split(caught.value.remedy.command.replace("; the rest", " ; the rest"))
    options = [words[n + 1] for n, word in enumerate(words) if word == "--map"]
    assert options == [f"{own}={other}" for own, other in mapping.items()]


def test_no_mapping_is_proposed_where_no_name_is_the_same():
    labels = np.zeros((1, 2), U8)
    result = SegmentationResult(labels, CARD)
    with pytest.raises(InvalidArgumentError, match=r"mapping=\{DATA_CLASS: MODEL_CLASS, …\}; the"):
        evaluate(result, labels, classes=("sky", "vehicle"))


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


def test_page(three, toy, image, tmp_path):
    page = three.write_html(tmp_path / "page.html").read_text()
    for heading in ("Classes", "How it was counted", "Confusion matrix", "Worst images"):
        assert f"<h2>{heading}</h2>" in page
    assert page.count("<img ") == 1 + 2 * 3
    outside = re.findall(r'(?:src|href)="(?!data:)', page)
    assert not outside
    named = evaluate({"<b>x": image}, {"<b>x": np.zeros((4, 6), U8)}, model=toy)
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
