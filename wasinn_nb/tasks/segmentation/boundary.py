"""How well the contours of labels agree with the truth: boundary IoU."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.errors import InvalidArgumentError, TensorError
from wasinn_nb.tasks.segmentation.metrics import as_bytes, checked_pair, ratio, refuse_counts

__all__ = ["DILATION_RATIO", "boundary_counts", "boundary_iou"]

DILATION_RATIO: Final = 0.02
"""How far from a contour its boundary reaches, as a part of the image's diagonal: the value of the
reference code of Cheng et al. (2021)."""


def boundary_iou(
    truth: NDArray[Any],
    predicted: NDArray[Any],
    classes: int,
    *,
    ignore: int | Iterable[int] | None = None,
    dilation_ratio: float = DILATION_RATIO,
) -> NDArray[np.float64]:
    """Return the IoU of each class along its contours (Cheng et al.: Boundary IoU, CVPR 2021).

    Only pixels of a mask within *d* pixels of its own contour count, `d` being
    *dilation_ratio* times the image's diagonal, rounded, and at least 1.  Distance is that of
    repeated 3x3 erosions (chessboard), and the image's border is a contour, both as in the authors'
    code.  The edge of an ignored region is none.

    Parameters
    ----------
    truth, predicted : (H, W) integer arrays
    classes : int
    ignore : int or iterable of int, optional
        As for :func:`confusion_matrix`.
    dilation_ratio : float
        More than 0; 0.02 is the authors' choice, and 0.005 is used for large images.

    Returns
    -------
    (classes,) float64 array
        NaN where a class is in neither.

    Raises
    ------
    TensorError, InvalidArgumentError
        As :func:`confusion_matrix`; and if the arrays have no rows and columns, or *dilation_ratio*
        is not a positive number.

    Examples
    --------
    One column too many is a small part of the area, and a larger one of the boundary:

    >>> from wasinn_nb import metrics
    >>> truth, predicted = np.zeros((2, 40, 40), np.uint8)
    >>> truth[:, 20:] = predicted[:, 19:] = 1
    >>> metrics.iou(metrics.confusion_matrix(truth, predicted, 2)).round(3)
    array([0.95 , 0.952])
    >>> metrics.boundary_iou(truth, predicted, 2).round(3)
    array([0.494, 0.5  ])
    """
    intersection, union = boundary_counts(
        truth, predicted, classes, ignore=ignore, dilation_ratio=dilation_ratio
    )
    return ratio(intersection, union)


def boundary_counts(
    truth: NDArray[Any],
    predicted: NDArray[Any],
    classes: int,
    *,
    ignore: int | Iterable[int] | None = None,
    dilation_ratio: float = DILATION_RATIO,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the pixels in intersection and union of each class's boundaries.

    Their sums over many images give the boundary IoU of all.

    Parameters
    ----------
    truth, predicted, classes, ignore, dilation_ratio
        As for :func:`boundary_iou`, and so are the errors.

    Examples
    --------
    >>> from wasinn_nb import metrics
    >>> mask = np.array([[0, 1]], np.uint8)
    >>> [counts.tolist() for counts in metrics.boundary_counts(mask, mask, 2)]
    [[1, 1], [1, 1]]
    """
    ignored = checked_pair(truth, predicted, classes, ignore)
    if truth.ndim != 2 or not truth.size:
        raise TensorError(f"expected masks with rows and columns, got {truth.shape}")
    if not (math.isfinite(dilation_ratio) and dilation_ratio > 0):
        raise InvalidArgumentError(
            f"expected a positive dilation ratio such as 0.02, got {dilation_ratio!r:.80}"
        )
    skipped = np.isin(truth, np.array(sorted(ignored), np.int64)) if ignored else None
    if skipped is not None:
        truth, predicted = np.where(skipped, 0, truth), np.where(skipped, 0, predicted)
    truth, predicted = as_bytes(truth, predicted, classes, frozenset())
    for kind, labels in (("true", truth), ("predicted", predicted)):
        counts = np.bincount(labels.ravel(), minlength=256)
        refuse_counts(kind, counts[classes:], classes)
    reach = max(1, round(dilation_ratio * math.hypot(*truth.shape)))
    near_true = ~_interior(truth, reach, skipped)
    near_predicted = ~_interior(predicted, reach, skipped)
    if skipped is not None:
        near_true &= ~skipped
        near_predicted &= ~skipped
    both = near_true & near_predicted & (truth == predicted)

    def count(labels: NDArray[np.uint8]) -> NDArray[np.int64]:
        return np.bincount(labels, minlength=classes).astype(np.int64)

    intersection = count(truth[both])
    union = count(truth[near_true]) + count(predicted[near_predicted]) - intersection
    return intersection, union


def _interior(
    labels: NDArray[np.uint8], reach: int, skipped: NDArray[np.bool_] | None
) -> NDArray[np.bool_]:
    """Return where all labels within *reach* rows and columns are one, and none is outside.

    That is the erosion of every class's mask at once: where minimum and maximum are equal.
    """
    interior = np.zeros(labels.shape, np.bool_)
    window = 2 * reach + 1
    if min(labels.shape) < window:
        return interior
    # What is skipped is neither a minimum nor a maximum, whatever is around it.
    lowest = labels if skipped is None else np.where(skipped, np.uint8(255), labels)
    highest = labels if skipped is None else np.where(skipped, np.uint8(0), labels)
    for axis in (0, 1):
        lowest = _running(np.minimum, lowest, window, axis)
        highest = _running(np.maximum, highest, window, axis)
    interior[reach : labels.shape[0] - reach, reach : labels.shape[1] - reach] = lowest == highest
    return interior


def _running(
    extreme: Callable[..., NDArray[np.uint8]], labels: NDArray[np.uint8], window: int, axis: int
) -> NDArray[np.uint8]:
    """Return the extreme of each *window* neighbors along an axis, in log2(window) steps."""
    along = np.moveaxis(labels, axis, 0)
    covered = 1
    while covered < window:
        step = min(covered, window - covered)  # windows may overlap: an extreme does not mind
        along = extreme(along[:-step], along[step:])
        covered += step
    return np.moveaxis(along, 0, axis)
