"""Masks as an evaluation reads them: labels, colors, formats."""

from __future__ import annotations

import math

import numpy as np
import pytest
from evaluations import CARD, COLORS, FOUND, TRUTH, U8, painted, png
from PIL import Image

from wasinn_nb.errors import ImageError, TensorError
from wasinn_nb.evaluation.judging import evaluate
from wasinn_nb.tasks.segmentation.result import SegmentationResult


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
        (
            [[7, 8]],
            "; name every class of the data in classes; ignore is for values that are no class",
        ),
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


def test_a_dozen_clean_labels_are_not_called_lossy():
    # A data set of 12 classes, of which two were named.
    with pytest.raises(TensorError, match=r"ignore is for values that are no class$"):
        evaluate(np.zeros((1, 12), U8), np.arange(12, dtype=U8)[None], classes=2)


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
