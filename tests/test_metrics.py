"""Figures of agreement: exact on tiny masks, and those of scikit-learn and SciPy on random ones."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wasinn_nb import metrics
from wasinn_nb.errors import InvalidArgumentError, TensorError

U8 = np.uint8


@st.composite
def masks(draw, max_side=12, fewest=1):
    """Return classes, truth and prediction."""
    classes = draw(st.integers(fewest, 6))
    shape = draw(hnp.array_shapes(min_dims=2, max_dims=2, max_side=max_side))
    labels = hnp.arrays(U8, shape, elements=st.integers(0, classes - 1))
    return classes, draw(labels), draw(labels)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.int64, np.uint16])
@pytest.mark.parametrize(
    ("truth", "predicted", "classes", "ignore", "expected"),
    [
        ([[0, 1], [1, 1]], [[0, 1], [0, 1]], 2, None, [[1, 0], [1, 2]]),
        ([[0, 1], [1, 1]], [[0, 0], [0, 0]], 3, None, [[1, 0, 0], [3, 0, 0], [0, 0, 0]]),
        ([[0, 9], [1, 9]], [[0, 1], [1, 0]], 2, 9, [[1, 0], [0, 1]]),
        ([[0, 1], [2, 9]], [[0, 0], [2, 2]], 3, [9, 1], [[1, 0, 0], [0, 0, 0], [0, 0, 1]]),
        ([[0, 1]], [[0, 7]], 2, 1, [[1, 0], [0, 0]]),
        ([[9, 9]], [[0, 1]], 2, 9, [[0, 0], [0, 0]]),
    ],
)
def test_confusion_matrix(dtype, truth, predicted, classes, ignore, expected):
    truth, predicted = np.array(truth, dtype), np.array(predicted, dtype)
    before = truth.copy(), predicted.copy()
    matrix = metrics.confusion_matrix(truth, predicted, classes, ignore=ignore)
    assert matrix.dtype == np.int64
    assert matrix.tolist() == expected
    assert (truth == before[0]).all()
    assert (predicted == before[1]).all()


def test_confusion_matrix_of_256_classes_and_mixed_types():
    labels = np.arange(256, dtype=U8)
    assert (metrics.confusion_matrix(labels, labels, 256) == np.eye(256)).all()
    truth = np.array([0, 1, -1, 70_000])
    assert metrics.confusion_matrix(
        truth, np.array([0, 1, 1, 1], U8), 2, ignore=(-1, 70_000)
    ).tolist() == [[1, 0], [0, 1]]
    flags = np.array([True, False])
    assert metrics.confusion_matrix(flags, flags, 2).tolist() == [[1, 0], [0, 1]]


@pytest.mark.parametrize(
    ("truth", "predicted", "classes", "error", "message"),
    [
        (np.zeros((2, 2), U8), np.zeros((2, 3), U8), 2, TensorError, r"\(2, 2\) and \(2, 3\)"),
        (np.zeros(2), np.zeros(2), 2, TensorError, "whole numbers, got float64"),
        (np.array([0, 7, 7], U8), np.zeros(3, U8), 2, TensorError, r"true .* 7 \(2 pixels\)"),
        (np.zeros(2, U8), np.array([0, 9], U8), 2, TensorError, r"predicted .* 9 \(1 pixel\)"),
        (np.array([0, -1]), np.zeros(2, U8), 2, TensorError, r"true .* -1 \(1 pixel\)"),
        (np.zeros(1, U8), np.zeros(1, U8), 0, InvalidArgumentError, "1 to 256 classes"),
        (np.zeros(1, U8), np.zeros(1, U8), True, InvalidArgumentError, "1 to 256 classes"),
        (np.zeros(1, U8), np.zeros(1, U8), 257, InvalidArgumentError, "1 to 256 classes"),
    ],
)
def test_confusion_matrix_refuses(truth, predicted, classes, error, message):
    with pytest.raises(error, match=message):
        metrics.confusion_matrix(truth, predicted, classes)


def test_what_to_ignore_is_labels():
    with pytest.raises(InvalidArgumentError, match="got 'road'"):
        metrics.confusion_matrix(np.zeros(1, U8), np.zeros(1, U8), 1, ignore="road")


def test_many_offending_values_are_cut_short():
    with pytest.raises(TensorError, match=r"17 \(1 pixel\) and 12 more"):
        metrics.confusion_matrix(np.arange(30, dtype=U8), np.zeros(30, U8), 10)


def test_figures_of_a_matrix():
    matrix = np.array([[3, 1, 0, 0], [0, 2, 0, 0], [0, 0, 0, 0], [0, 0, 2, 0]])
    # Class 2 is only predicted, class 3 only true; a class in neither would be NaN.
    np.testing.assert_allclose(metrics.iou(matrix), [3 / 4, 2 / 3, 0, 0])
    np.testing.assert_allclose(metrics.dice(matrix), [6 / 7, 4 / 5, 0, 0])
    np.testing.assert_allclose(metrics.accuracy(matrix), [3 / 4, 1, np.nan, 0])
    assert metrics.pixel_accuracy(matrix) == 5 / 8
    empty = np.zeros((2, 2), np.int64)
    for figure in (metrics.iou, metrics.dice, metrics.accuracy):
        assert np.isnan(figure(empty)).all()
    assert math.isnan(metrics.pixel_accuracy(empty))
    assert math.isnan(metrics.mean_over_classes(np.array([np.nan])))


@pytest.mark.parametrize("matrix", [np.zeros((2, 3), int), np.zeros(4, int), np.eye(2)])
def test_a_matrix_is_square_and_counts(matrix):
    with pytest.raises(TensorError, match="confusion matrix of whole numbers"):
        metrics.iou(matrix)


@pytest.mark.full
@given(masks(fewest=2))  # of one class scikit-learn warns
@settings(deadline=None, max_examples=60)
def test_as_scikit_learn(drawn):
    from sklearn import metrics as peer

    classes, truth, predicted = drawn
    labels = list(range(classes))
    given_ = truth.ravel(), predicted.ravel()
    matrix = metrics.confusion_matrix(truth, predicted, classes)
    assert (matrix == peer.confusion_matrix(*given_, labels=labels)).all()
    some = matrix.sum(axis=0) + matrix.sum(axis=1) > 0
    options = {"labels": labels, "average": None, "zero_division": 0}
    np.testing.assert_allclose(
        metrics.iou(matrix)[some], peer.jaccard_score(*given_, **options)[some]
    )
    np.testing.assert_allclose(metrics.dice(matrix)[some], peer.f1_score(*given_, **options)[some])
    true = matrix.sum(axis=1) > 0
    recall = peer.recall_score(*given_, **options)
    np.testing.assert_allclose(metrics.accuracy(matrix)[true], recall[true])
    assert np.isnan(metrics.iou(matrix)[~some]).all()
    assert np.isnan(metrics.accuracy(matrix)[~true]).all()
    assert metrics.pixel_accuracy(matrix) == pytest.approx(peer.accuracy_score(*given_))


@given(masks(), st.integers(0, 5))
@settings(deadline=None, max_examples=40)
def test_ignoring_is_leaving_pixels_out(drawn, ignored):
    classes, truth, predicted = drawn
    kept = truth != ignored
    assert (
        metrics.confusion_matrix(truth, predicted, classes, ignore=ignored)
        == metrics.confusion_matrix(truth[kept], predicted[kept], classes)
    ).all()


# ------------------------------------------------------------------------------------- boundaries


def slow_boundary(mask, reach):
    """Return a mask without its erosion, as in Cheng et al.'s code: a border of zeros around."""
    from scipy.ndimage import binary_erosion

    inside = binary_erosion(mask, np.ones((3, 3)), iterations=reach, border_value=0)
    return mask & ~inside


@pytest.mark.full
@given(
    masks(max_side=24),
    st.floats(0.001, 0.4),
)
@settings(deadline=None, max_examples=80)
def test_boundary_iou_as_by_erosion(drawn, dilation_ratio):
    classes, truth, predicted = drawn
    truth, predicted = truth.repeat(3, 0).repeat(3, 1), predicted.repeat(3, 0).repeat(3, 1)
    reach = max(1, round(dilation_ratio * math.hypot(*truth.shape)))
    expected = []
    for index in range(classes):
        one, other = (slow_boundary(labels == index, reach) for labels in (truth, predicted))
        union = (one | other).sum()
        expected.append((one & other).sum() / union if union else np.nan)
    found = metrics.boundary_iou(truth, predicted, classes, dilation_ratio=dilation_ratio)
    np.testing.assert_allclose(found, expected)


def test_boundary_iou_tells_a_rough_contour_that_iou_does_not():
    truth = np.zeros((100, 100), U8)
    truth[:, 50:] = 1
    shifted = np.zeros_like(truth)
    shifted[:, 52:] = 1
    whole = metrics.iou(metrics.confusion_matrix(truth, shifted, 2))
    edge = metrics.boundary_iou(truth, shifted, 2)
    assert (whole > 0.95).all()
    assert (edge < 0.75).all()
    assert metrics.boundary_iou(truth, truth, 2).tolist() == [1, 1]


def test_the_edge_of_an_ignored_region_is_no_contour():
    predicted = np.zeros((60, 60), U8)
    truth = predicted.copy()
    truth[20:40, 20:40] = 255
    intersection, union = metrics.boundary_counts(truth, predicted, 1, ignore=255)
    assert intersection.tolist() == union.tolist() == [60 * 60 - 56 * 56]
    # Nothing within it counts, even where its border is near.
    predicted[22:38, 22:38] = 1
    assert metrics.boundary_counts(truth, predicted, 2, ignore=255)[1].tolist() == [464, 0]


@pytest.mark.parametrize(
    ("shape", "ratio", "error", "message"),
    [
        ((4,), 0.02, TensorError, "rows and columns"),
        ((0, 4), 0.02, TensorError, "rows and columns"),
        ((4, 4), 0, InvalidArgumentError, "positive dilation ratio"),
        ((4, 4), math.nan, InvalidArgumentError, "positive dilation ratio"),
        ((4, 4), math.inf, InvalidArgumentError, "positive dilation ratio"),
    ],
)
def test_boundary_iou_refuses(shape, ratio, error, message):
    labels = np.zeros(shape, U8)
    with pytest.raises(error, match=message):
        metrics.boundary_iou(labels, labels, 1, dilation_ratio=ratio)


def test_boundary_iou_refuses_labels_that_are_no_class():
    right, wrong = np.zeros((4, 4), U8), np.full((4, 4), 3, U8)
    with pytest.raises(TensorError, match=r"predicted .* 3 \(16 pixels\)"):
        metrics.boundary_iou(right, wrong, 2)
