"""How well two masks agree: the confusion matrix and what follows from it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.errors import TensorError

__all__ = ["confusion_matrix", "iou"]


def confusion_matrix(
    truth: NDArray[np.uint8], predicted: NDArray[np.uint8], classes: int
) -> NDArray[np.int64]:
    """Count the pixels of each pair of classes.

    Parameters
    ----------
    truth, predicted : uint8 arrays
        Labels, of the same shape.
    classes : int

    Returns
    -------
    (classes, classes) int64 array
        Row: the class in *truth*; column: the class in *predicted*.

    Raises
    ------
    TensorError
        If the shapes differ, or a label is *classes* or more.

    Examples
    --------
    >>> truth = np.array([[0, 0, 1]], np.uint8)
    >>> confusion_matrix(truth, np.array([[0, 1, 1]], np.uint8), 2)
    array([[1, 1],
           [0, 1]])
    """
    if truth.shape != predicted.shape:
        raise TensorError(
            f"expected two masks of one shape, got {truth.shape} and {predicted.shape}"
        )
    for labels in (truth, predicted):
        if labels.size and labels.max() >= classes:
            raise TensorError(f"expected labels from 0 to {classes - 1}, got {labels.max()}")
    pairs = truth.ravel().astype(np.uint32) * np.uint32(classes) + predicted.ravel()
    counts = np.bincount(pairs, minlength=classes * classes)
    return counts.reshape(classes, classes).astype(np.int64, copy=False)


def iou(matrix: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return each class's intersection over union; NaN where a class is in neither mask.

    Parameters
    ----------
    matrix : (classes, classes) int64 array
        As from :func:`confusion_matrix`.

    Returns
    -------
    (classes,) float64 array

    Examples
    --------
    >>> iou(np.array([[1, 1, 0], [0, 1, 0], [0, 0, 0]]))
    array([0.5, 0.5, nan])
    """
    both = np.diagonal(matrix)
    either = matrix.sum(axis=0) + matrix.sum(axis=1) - both
    overlap = np.full(len(matrix), np.nan)
    np.divide(both, either, out=overlap, where=either > 0)
    return overlap
