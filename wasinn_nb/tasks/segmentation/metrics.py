"""How well labels agree with the truth: confusion matrix, IoU, Dice, accuracy, boundary IoU.

Pure arrays.  Everything but the boundary IoU follows from the confusion matrix, so that many images
are judged together by adding their matrices.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.errors import InvalidArgumentError, TensorError
from wasinn_nb.render import refuse_values

__all__ = [
    "accuracy",
    "as_bytes",
    "checked_pair",
    "confusion_matrix",
    "dice",
    "iou",
    "mean_over_classes",
    "pixel_accuracy",
    "ratio",
    "refuse_counts",
]

_MOST_CLASSES: Final = 256


def confusion_matrix(
    truth: NDArray[Any],
    predicted: NDArray[Any],
    classes: int,
    *,
    ignore: int | Iterable[int] | None = None,
) -> NDArray[np.int64]:
    """Count the pixels of each pair of true and predicted class.

    Parameters
    ----------
    truth, predicted : integer arrays of one shape
        Labels from 0 to ``classes - 1``; uint8 is the fastest.
    classes : int
        At most 256.
    ignore : int or iterable of int, optional
        Labels of *truth* whose pixels are not counted, whatever was predicted there.  They may be
        classes, or are outside of them.

    Returns
    -------
    (classes, classes) int64 array
        A row for each true class, a column for each predicted one.

    Raises
    ------
    TensorError
        If the shapes differ, the arrays do not hold integers, or a label is not a class.
    InvalidArgumentError
        If *classes* is not within 1 to 256.

    Examples
    --------
    >>> from wasinn_nb import metrics
    >>> truth = np.array([[0, 0, 1, 255]], np.uint8)
    >>> predicted = np.array([[0, 1, 1, 1]], np.uint8)
    >>> metrics.confusion_matrix(truth, predicted, 2, ignore=255)
    array([[1, 1],
           [0, 1]])
    """
    ignored = checked_pair(truth, predicted, classes, ignore)
    truth, predicted = as_bytes(truth, predicted, classes, ignored)
    # One count over all pairs of bytes: labels without a class have rows of their own.
    pairs = truth.ravel().astype(np.uint16)
    pairs <<= 8
    pairs |= predicted.ravel()
    counts = np.bincount(pairs, minlength=1 << 16).reshape(256, 256)
    for label in ignored:
        if 0 <= label < 256:
            counts[label] = 0
    refuse_counts("true", counts[classes:].sum(axis=1), classes)
    refuse_counts("predicted", counts[:, classes:].sum(axis=0), classes)
    return counts[:classes, :classes].astype(np.int64)


def iou(matrix: NDArray[Any]) -> NDArray[np.float64]:
    """Return the intersection over union of each class (the Jaccard index).

    Parameters
    ----------
    matrix : (C, C) array
        Of :func:`confusion_matrix`.

    Returns
    -------
    (C,) float64 array
        NaN where a class is in neither truth nor prediction.

    Examples
    --------
    >>> from wasinn_nb import metrics
    >>> metrics.iou(np.array([[3, 1, 0], [0, 2, 0], [0, 0, 0]]))
    array([0.75      , 0.66666667,        nan])
    """
    both, true, predicted = _sums(matrix)
    return ratio(both, true + predicted - both)


def dice(matrix: NDArray[Any]) -> NDArray[np.float64]:
    """Return the Dice coefficient of each class (its F1 score): ``2 IoU / (1 + IoU)``.

    NaN where a class is in neither truth nor prediction.

    Parameters
    ----------
    matrix : (C, C) array
        Of :func:`confusion_matrix`.

    Examples
    --------
    >>> from wasinn_nb import metrics
    >>> metrics.dice(np.array([[3, 1, 0], [0, 2, 0], [0, 0, 0]]))
    array([0.85714286, 0.8       ,        nan])
    """
    both, true, predicted = _sums(matrix)
    return ratio(2 * both, true + predicted)


def accuracy(matrix: NDArray[Any]) -> NDArray[np.float64]:
    """Return the part of each class's true pixels that were predicted as such (its recall).

    NaN where a class has no true pixel, so also where it is in neither.

    Parameters
    ----------
    matrix : (C, C) array
        Of :func:`confusion_matrix`.

    Examples
    --------
    >>> from wasinn_nb import metrics
    >>> metrics.accuracy(np.array([[3, 1, 0], [0, 2, 0], [0, 0, 0]]))
    array([0.75, 1.  ,  nan])
    """
    both, true, _ = _sums(matrix)
    return ratio(both, true)


def pixel_accuracy(matrix: NDArray[Any]) -> float:
    """Return the part of all counted pixels that were predicted right; NaN without a pixel.

    Parameters
    ----------
    matrix : (C, C) array
        Of :func:`confusion_matrix`.

    Examples
    --------
    >>> from wasinn_nb import metrics
    >>> round(metrics.pixel_accuracy(np.array([[3, 1, 0], [0, 2, 0], [0, 0, 0]])), 4)
    0.8333
    """
    both, true, _ = _sums(matrix)
    total = int(true.sum())
    return int(both.sum()) / total if total else math.nan


def mean_over_classes(values: NDArray[np.float64]) -> float:
    """Return the mean of what is not NaN; NaN where all is.

    Parameters
    ----------
    values : (C,) array
        Such as :func:`iou` returns.

    Examples
    --------
    >>> from wasinn_nb import metrics
    >>> metrics.mean_over_classes(np.array([0.5, np.nan, 1.0]))
    0.75
    """
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else math.nan


def ratio(part: NDArray[Any], whole: NDArray[Any]) -> NDArray[np.float64]:
    """Return ``part / whole``, NaN where *whole* is 0.

    Parameters
    ----------
    part, whole : arrays of one shape
    """
    known = np.full(whole.shape, np.nan)
    np.divide(part, whole, out=known, where=whole > 0)
    return known


def _sums(
    matrix: NDArray[Any],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Return what is right, true and predicted of each class."""
    square = matrix.ndim == 2 and matrix.shape[0] == matrix.shape[1]
    if not square or matrix.dtype.kind not in "iu":
        raise TensorError(
            f"expected a confusion matrix of whole numbers, got {matrix.shape} {matrix.dtype}"
        )
    return (
        np.diag(matrix).astype(np.int64),
        matrix.sum(axis=1, dtype=np.int64),
        matrix.sum(axis=0, dtype=np.int64),
    )


def checked_pair(
    truth: NDArray[Any], predicted: NDArray[Any], classes: int, ignore: int | Iterable[int] | None
) -> frozenset[int]:
    """Check all but the labels, and return those to ignore."""
    if type(classes) is not int or not 1 <= classes <= _MOST_CLASSES:
        raise InvalidArgumentError(
            f"expected 1 to {_MOST_CLASSES} classes as a whole number, got {classes!r:.80}"
        )
    if truth.shape != predicted.shape:
        raise TensorError(
            f"expected truth and prediction of one shape, got {truth.shape} and {predicted.shape}; "
            f"bring the prediction to the truth's size with resize_labels"
        )
    for labels in (truth, predicted):
        if labels.dtype.kind not in "biu":
            raise TensorError(f"expected labels as whole numbers, got {labels.dtype}")
    if ignore is None:
        return frozenset()
    try:
        labels_to_ignore = ignore if isinstance(ignore, Iterable) else [ignore]
        return frozenset(map(operator.index, labels_to_ignore))
    except TypeError as error:
        raise InvalidArgumentError(
            f"expected labels to ignore as whole numbers, got {ignore!r:.80}"
        ) from error


def as_bytes(
    truth: NDArray[Any], predicted: NDArray[Any], classes: int, ignored: frozenset[int]
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return both as uint8; wider ones without their ignored pixels, so that what is left fits."""
    if truth.dtype == predicted.dtype == np.uint8:
        return truth, predicted
    if ignored:
        counted = ~np.isin(truth, np.array(sorted(ignored), np.int64))
        truth, predicted = truth[counted], predicted[counted]
    for kind, labels in (("true", truth), ("predicted", predicted)):
        if labels.size and (labels.min() < 0 or labels.max() >= classes):
            values, counts = np.unique(
                labels[(labels < 0) | (labels >= classes)], return_counts=True
            )
            wrong = zip(values.tolist(), counts.tolist(), strict=True)
            refuse_values(list(wrong), classes, f"{kind} labels")
    return truth.astype(np.uint8), predicted.astype(np.uint8)


def refuse_counts(kind: str, counts: NDArray[Any], classes: int) -> None:
    """Raise TensorError where labels of *classes* or more have pixels."""
    wrong = np.flatnonzero(counts)
    if wrong.size:
        pairs = zip((wrong + classes).tolist(), counts[wrong].tolist(), strict=True)
        refuse_values(list(pairs), classes, f"{kind} labels")
