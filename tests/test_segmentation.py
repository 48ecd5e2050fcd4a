"""Results of segmentation: labels, areas, sizes, thresholds."""

import copy
import io
import pickle
from dataclasses import FrozenInstanceError, replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image
from segmentations import CARD, LABELS, full_result, pixels, scores

from wasinn_nb.cards.card import ModelCard
from wasinn_nb.errors import (
    ImageError,
    InvalidArgumentError,
    TensorError,
)
from wasinn_nb.imaging.coverage import Coverage
from wasinn_nb.imaging.recipe import PreprocessRecipe
from wasinn_nb.runtimes import argmax_labels
from wasinn_nb.tasks.segmentation.masks import blend, resize_labels, resize_scores
from wasinn_nb.tasks.segmentation.result import SegmentationResult

PERSON = ModelCard("toy", "segmentation", classes=("background", "person"))


def test_one_class_at_another_threshold():
    probabilities = np.array([[[0.2, 0.5, 0.7], [0.3, 0.9, 0.1]]], np.float32)
    result = SegmentationResult.from_scores(probabilities, PERSON, threshold=0.5)
    other = result.with_threshold(0.3)  # which float32 rounds up
    assert other.labels.tolist() == [[0, 1, 1], [0, 1, 0]]
    assert (other.threshold, result.threshold) == (0.3, 0.5)
    assert result.with_threshold(0.5) is result
    with pytest.raises(InvalidArgumentError, match="a threshold between 0 and 1, got 1"):
        result.with_threshold(1.0)
    bare = replace(result, scores=None)
    with pytest.raises(InvalidArgumentError, match=r"keeps no scores .* scores=True"):
        bare.with_threshold(0.3)
    with pytest.raises(InvalidArgumentError, match="this one of toy has 3 classes"):
        SegmentationResult(LABELS, CARD).with_threshold(0.3)


def test_what_a_mask_does_not_cover_is_not_tinted_whatever_the_background():
    card = CARD.replace(palette=((200, 0, 0), (0, 200, 0), (0, 0, 200)), background=None)
    gray = np.full((2, 4, 3), 100, np.uint8)
    result = SegmentationResult(
        np.array([[0, 1]], np.uint8), card, image=gray, covers=Coverage(0, 0.25, 1, 0.75)
    )
    plain, red, green = [100, 100, 100], [150, 50, 50], [50, 150, 50]
    assert np.asarray(result.overlay()).tolist() == [[plain, red, green, plain]] * 2


def test_areas_and_fractions_have_every_class():
    result = SegmentationResult(LABELS, CARD)
    assert result.areas() == {"background": 3, "road": 3, "curb": 0}
    assert result.fractions() == {"background": 0.5, "road": 0.5, "curb": 0}
    assert (result.height, result.width) == (2, 3)


def test_what_can_change_is_copied():
    labels, image, kept = LABELS.copy(), pixels(2, 3), scores(2, 3)
    result = SegmentationResult(labels, CARD, kept, image)
    labels[:], image[:], kept[:] = 2, 0, 0
    assert np.array_equal(result.labels, LABELS)
    assert np.array_equal(result.image, pixels(2, 3))
    assert np.array_equal(result.scores, scores(2, 3))
    for array in (result.labels, result.image, result.scores):
        with pytest.raises(ValueError, match="read-only"):
            array[0, 0] = 0


def test_what_cannot_change_is_not_copied():
    kept = scores(2, 3)
    kept.flags.writeable = False
    assert SegmentationResult(LABELS, CARD, kept).scores is kept


def test_a_result_is_frozen():
    result = full_result()
    with pytest.raises(FrozenInstanceError):
        result.precision = "f32"
    with pytest.raises(TypeError):
        result.timings["compute"] = 0


@pytest.mark.parametrize("clone", [copy.deepcopy, lambda r: pickle.loads(pickle.dumps(r))])
def test_a_result_can_be_copied_and_pickled(clone):
    result = full_result()
    again = clone(result)
    assert again.digest() == result.digest()
    assert dict(again.timings) == dict(result.timings)
    assert np.array_equal(again.scores, result.scores)


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"labels": LABELS.astype(np.int64)}, TensorError, r"\(H, W\) uint8"),
        ({"labels": LABELS[None]}, TensorError, r"\(H, W\) uint8"),
        ({"labels": LABELS[:0]}, TensorError, r"\(H, W\) uint8"),
        ({"labels": LABELS * 3}, TensorError, r"from 0 to 2, got 3 \(3 pixels\)$"),
        ({"scores": scores(3, 2)}, TensorError, r"expected scores as a \(3, 2, 3\) float32"),
        ({"scores": scores(2, 3)[:2]}, TensorError, r"got \(2, 2, 3\) float32"),
        ({"scores": scores(2, 3).astype(float)}, TensorError, "float64"),
        ({"image": pixels(2, 3).astype(np.float32)}, ImageError, "uint8 array in RGB order"),
        ({"image": b"not an image"}, ImageError, "not an image that Pillow can read"),
        ({"card": ModelCard("toy")}, InvalidArgumentError, "names no classes"),
        ({"target": ""}, InvalidArgumentError, "target as text"),
        ({"precision": "32 bit"}, InvalidArgumentError, "precision such as f32"),
        ({"model_sha384": "abc"}, InvalidArgumentError, "96 hexadecimal digits"),
    ],
)
def test_fields_that_do_not_fit(changes, error, message):
    with pytest.raises(error, match=message):
        SegmentationResult(**{"labels": LABELS, "card": CARD} | changes)


def test_from_scores():
    kept = SegmentationResult.from_scores(scores()[None], CARD)
    assert np.array_equal(kept.labels, scores().argmax(axis=0))
    assert np.array_equal(kept.scores, scores())
    dropped = SegmentationResult.from_scores(scores(), CARD, keep_scores=False, target="NPU")
    assert dropped.scores is None
    assert dropped.target == "NPU"


def test_from_half_precision_scores():
    half = scores().astype(np.float16)
    result = SegmentationResult.from_scores(half, CARD)
    assert result.scores.dtype == np.float32
    assert np.array_equal(result.labels, half.argmax(axis=0))


def test_resize_takes_scores_where_they_are_kept():
    result = full_result()
    larger = result.resize(40, 50)
    assert np.array_equal(larger.scores, resize_scores(scores(), 40, 50))
    assert np.array_equal(larger.labels, argmax_labels(larger.scores))
    assert (larger.recipe, larger.precision) == (result.recipe, "bf16")
    assert result.labels.shape == (4, 6)


def test_resize_takes_the_nearest_label_otherwise():
    result = full_result()
    bare = replace(result, scores=None)
    larger = bare.resize(40, 50)
    assert larger.scores is None
    assert np.array_equal(larger.labels, resize_labels(bare.labels, 40, 50))
    assert not np.array_equal(larger.labels, result.resize(40, 50).labels)


def test_resize_to_the_same_size_is_the_same_result():
    result = full_result()
    assert result.resize(4, 6) is result


@pytest.mark.parametrize("size", [(0, 6), (4, 70_000), (4.0, 6)])
def test_resize_refuses_sizes_that_no_image_has(size):
    with pytest.raises(InvalidArgumentError, match="height and width"):
        full_result().resize(*size)


@pytest.mark.parametrize("keep", [True, False])
def test_overlay_resizes_labels_and_colors_last(keep):
    result = full_result() if keep else replace(full_result(), scores=None)
    labels = result.resize(8, 12).labels
    expected = blend(pixels(8, 12), labels, CARD.palette, 0.3)
    overlay = result.overlay(opacity=0.3)
    assert overlay.size == (12, 8)
    assert np.array_equal(np.asarray(overlay), expected)


def test_overlay_of_another_image():
    other = Image.fromarray(pixels(5, 7, seed=1))
    file = io.BytesIO()
    other.save(file, "PNG")
    overlay = full_result(image=None).overlay(file.getvalue(), opacity=0)
    assert np.array_equal(np.asarray(overlay), np.asarray(other))


def test_overlay_turns_an_image_as_the_recipe_says():
    sideways = Image.fromarray(pixels(5, 7))
    exif = sideways.getexif()
    exif[0x0112] = 6
    file = io.BytesIO()
    sideways.save(file, "PNG", exif=exif)
    assert full_result().overlay(file.getvalue()).size == (7, 5)
    turned = full_result(recipe=PreprocessRecipe(4, 6, exif="apply"))
    assert turned.overlay(file.getvalue()).size == (5, 7)


def test_overlay_without_an_image():
    with pytest.raises(InvalidArgumentError, match="keeps no image"):
        full_result(image=None).overlay()
    with pytest.raises(InvalidArgumentError, match="opacity from 0 to 1"):
        full_result().overlay(opacity=2)


def test_mask_image():
    image = SegmentationResult(LABELS, CARD).mask_image()
    assert image.mode == "P"
    assert np.array_equal(np.asarray(image), LABELS)
    assert image.convert("RGB").getpixel((2, 0)) == CARD.palette[1]


def test_repr_is_stable_text():
    assert repr(full_result(timings={"compute": 9.9})) == repr(full_result())
    assert repr(SegmentationResult(LABELS, CARD, target="GPU")) == (
        "SegmentationResult(toy, 2x3, f32 on GPU: background 50.00 %, road 50.00 %, curb 0.00 %)"
    )


def test_repr_of_many_classes_is_short():
    card = ModelCard("many", classes=tuple(f"class {i}" for i in range(256)))
    labels = np.arange(256, dtype=np.uint8).reshape(16, 16)
    text = repr(SegmentationResult(labels, card))
    assert text.endswith("class 5 0.39 %, 250 more)")


@pytest.mark.full
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.integers(1, 256), st.data())
def test_every_mask_is_read_back(tmp_path, classes, data):
    shape = hnp.array_shapes(min_dims=2, max_dims=2, max_side=20)
    labels = data.draw(hnp.arrays(np.uint8, shape, elements=st.integers(0, classes - 1)))
    card = ModelCard("many", "segmentation", classes=tuple(f"class {i}" for i in range(classes)))
    again = SegmentationResult.load(SegmentationResult(labels, card).save(tmp_path).facts)
    assert np.array_equal(again.labels, labels)
    assert again.card == card
