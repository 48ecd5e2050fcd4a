"""From scores to labels, in NumPy."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.errors import TensorError

__all__ = ["argmax_labels", "nan_error", "refuse_nan", "score_planes", "write_argmax"]

# Pixels at a time, so that the running maximum of a large mask stays in the cache.  Measured: 2**15
# to 2**17 do alike; below 2**14 the calls themselves cost more than what they compute.
_BLOCK: Final = 1 << 16


def argmax_labels(scores: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the class with the highest score at each pixel.

    The same as ``scores.argmax(axis=0)``, ties included (the lower class wins), without its long
    strides: a running maximum over the planes, a block of pixels at a time.

    Parameters
    ----------
    scores : (C, H, W) or (1, C, H, W) float32 array
        At most 256 classes.  Other real dtypes work too.

    Returns
    -------
    (H, W) uint8 array

    Raises
    ------
    TensorError
        If the shape or dtype is another, or a score is NaN, so that no class is the highest.

    Examples
    --------
    >>> scores = np.array([[[0.2, 0.5]], [[0.7, 0.5]], [[0.1, 0.0]]], np.float32)
    >>> argmax_labels(scores)
    array([[1, 0]], dtype=uint8)
    """
    planes = score_planes(scores)
    refuse_nan(planes)
    flat = planes.reshape(len(planes), -1)
    labels = np.zeros(flat.shape[1], np.uint8)
    for start in range(0, labels.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        write_argmax(flat[:, block], labels[block])
    return labels.reshape(planes.shape[1:])


def score_planes(scores: NDArray[Any]) -> NDArray[Any]:
    """Return scores as planes of classes: (C, H, W), contiguous.

    Parameters
    ----------
    scores : (C, H, W) or (1, C, H, W) array
        At most 256 classes, of any real dtype.

    Raises
    ------
    TensorError
        If the shape or dtype is another.

    Examples
    --------
    >>> score_planes(np.zeros((1, 4, 2, 3))).shape
    (4, 2, 3)
    """
    planes = scores[0] if scores.ndim == 4 and scores.shape[0] == 1 else scores
    if planes.ndim != 3 or 0 in planes.shape or planes.dtype.kind not in "fiu":
        raise TensorError(
            f"expected scores as (C, H, W) or (1, C, H, W) numbers, "
            f"got {scores.shape} {scores.dtype}"
        )
    if len(planes) > 256:
        raise TensorError(f"expected at most 256 classes for uint8 labels, got {len(planes)}")
    return np.ascontiguousarray(planes)


def refuse_nan(scores: NDArray[Any]) -> None:
    """Raise `TensorError` if a score is NaN.

    Parameters
    ----------
    scores : array
        Of any shape and real dtype.

    Examples
    --------
    >>> refuse_nan(np.float32([1, np.nan]))
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.TensorError: 1 of 2 scores are NaN, so that the class is undefined; check the
    model's input (range, mean, scale) and its precision
    """
    # The minimum is NaN where any score is, and needs no array of flags.
    if scores.dtype.kind == "f" and np.isnan(scores.min()):
        raise nan_error(f"{np.isnan(scores).sum()} of {scores.size} scores are NaN")


def nan_error(found: str) -> TensorError:
    """Return the error of scores that are NaN, with the remedy.

    Parameters
    ----------
    found : str
        How many scores are NaN, as the beginning of a sentence.

    Examples
    --------
    >>> str(nan_error("2 of 9 scores are NaN"))[:58]
    '2 of 9 scores are NaN, so that the class is undefined; che'
    """
    return TensorError(
        f"{found}, so that the class is undefined; check the model's input (range, mean, scale) "
        f"and its precision"
    )


def write_argmax(planes: Iterable[NDArray[Any]], labels: NDArray[np.uint8]) -> None:
    """Write into *labels*, for each pixel, the index of the first plane with the highest value.

    Parameters
    ----------
    planes : iterable of arrays
        Of one shape, without NaN.
    labels : uint8 array
        Of the same shape, all zeros.

    Examples
    --------
    >>> labels = np.zeros(3, np.uint8)
    >>> write_argmax([np.array([1, 5, 2]), np.array([3, 5, 0]), np.array([2, 1, 9])], labels)
    >>> labels
    array([1, 0, 2], dtype=uint8)
    """
    best: NDArray[Any] | None = None
    for index, plane in enumerate(planes):
        if best is None:
            best = plane.copy()
            continue
        higher = (plane > best).view(np.uint8)
        np.maximum(best, plane, out=best)
        # A later class has the greater number, so that a maximum puts it over the earlier ones.
        higher *= np.uint8(index)
        np.maximum(labels, higher, out=labels)
