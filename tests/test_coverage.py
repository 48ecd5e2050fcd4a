"""Masks laid over the right part of their image: letterbox, crop, strides."""

from __future__ import annotations

import numpy as np
import pytest
import toys
from hypothesis import given
from hypothesis import strategies as st

import wasinn_nb as wn
from wasinn_nb.imaging.coverage import WHOLE, Coverage
from wasinn_nb.imaging.placement import Placement
from wasinn_nb.tasks.segmentation.result import SegmentationResult

SIDES = st.integers(1, 40)


def placed(mask, model, image, **fit):
    recipe = wn.PreprocessRecipe(*model, **fit)
    return Coverage.of(mask, model, Placement.of(recipe, *image), image)


@given(SIDES, SIDES, SIDES, SIDES, st.sampled_from([1, 2, 4]))
def test_a_stretched_image_is_covered_as_a_whole(height, width, rows, columns, factor):
    model = height * factor, width * factor
    covers, *kept = placed((height, width), model, (rows, columns))
    assert covers == WHOLE
    assert kept == [slice(0, height), slice(0, width)]


def test_borders_of_a_letterbox_are_cut_off():
    # 2:1 in a square of 8: two rows of border above and below.
    covers, rows, columns = placed((8, 8), (8, 8), (10, 20), fit="letterbox")
    assert (rows, columns) == (slice(2, 6), slice(0, 8))
    assert covers == WHOLE


def test_a_border_that_ends_inside_a_pixel_of_the_mask_keeps_the_pixel():
    # The same at a quarter of the size: the image ends in the middle of rows 0 and 1.
    covers, rows, _ = placed((2, 2), (8, 8), (10, 20), fit="letterbox")
    assert rows == slice(0, 2)
    assert covers == Coverage(-0.5, 0.0, 1.5, 1.0)


def test_a_crop_covers_the_middle():
    covers, rows, columns = placed((4, 4), (4, 4), (10, 20), fit="crop")
    assert (rows, columns) == (slice(0, 4), slice(0, 4))
    assert covers == Coverage(0.0, 0.25, 1.0, 0.75)


def test_the_first_and_last_pixels_of_a_stride_are_centered_on_those_of_the_image():
    covers, *_ = placed((3, 3), (5, 5), (5, 5))
    # Pixel 0 of the mask reaches from -0.5 to 1.5 of the input, pixel 2 from 3.5 to 5.5.
    assert covers == Coverage(-0.1, -0.1, 1.1, 1.1)


def test_labels_outside_of_a_crop_are_background():
    card = wn.ModelCard("toy", "segmentation", classes=("a", "b", "c"), background=2)
    labels = np.array([[0, 1], [1, 0]], np.uint8)
    result = SegmentationResult(labels, card, covers=Coverage(0.0, 0.25, 1.0, 0.75))
    assert result.labels_at(2, 4).tolist() == [[2, 0, 1, 2], [2, 1, 0, 2]]
    assert result.covered_at(2, 4).tolist() == [[False, True, True, False]] * 2


def test_scores_of_a_stride_are_aligned_at_the_corners():
    card = wn.ModelCard("toy", "segmentation", classes=("a", "b"))
    scores = np.array([[[0.0, 0.5, 1.0]]], np.float32)
    covers, *_ = placed((1, 3), (1, 5), (1, 5))
    result = SegmentationResult(
        np.array([[0, 0, 1]], np.uint8), card, scores, threshold=0.6, covers=covers
    )
    # Between them the probabilities are 0, 0.25, 0.5, 0.75, 1.
    assert result.labels_at(1, 5).tolist() == [[0, 0, 0, 1, 1]]


@pytest.mark.parametrize("fit", ["stretch", "letterbox", "crop"])
def test_a_mask_lies_where_its_image_does(tmp_path, fit):
    model = toys.brightest_channel(tmp_path / "toy.xml", height=16, width=16)
    image = np.zeros((20, 40, 3), np.uint8)
    image[:, :20, 2] = 200  # the left half is blue: channel 0 of a BGR model
    image[:, 20:, 0] = 200  # the right half is red: channel 2
    recipe = wn.PreprocessRecipe(16, 16, resize="bilinear", fit=fit)
    result = wn.segment(image, model, recipe=recipe)
    assert result.labels.shape == {"letterbox": (8, 16)}.get(fit, (16, 16))
    laid = result.labels_at(20, 40)
    left, right = {"crop": (10, 30)}.get(fit, (0, 40))
    expected = np.zeros((20, 40), np.uint8)
    expected[:, 20:right] = 2
    assert np.array_equal(laid, expected)
    covered = np.zeros((20, 40), bool)
    covered[:, left:right] = True
    assert np.array_equal(result.covered_at(20, 40), covered)


def test_what_is_covered_is_saved(tmp_path):
    card = wn.ModelCard("toy", "segmentation", classes=("a", "b"))
    covers = Coverage(0.0, 0.25, 1.0, 0.75)
    result = SegmentationResult(np.array([[0, 1]], np.uint8), card, covers=covers)
    assert SegmentationResult.load(result.save(tmp_path).facts).covers == covers
