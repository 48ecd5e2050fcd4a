"""The coarse grid of a mask: how many pixels of each class each cell has."""

from __future__ import annotations

import functools
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["cell_counts", "grid_size", "majority_grid"]

# A character is about twice as high as wide: 32 columns of an image as wide as high take 16 rows.
_COLUMNS: Final = 32
_ROWS: Final = 16
_KEPT_PIXELS: Final = 1 << 20


def majority_grid(
    labels: NDArray[np.uint8], classes: int, rows: int, columns: int
) -> NDArray[np.uint8]:
    """Return the most frequent class of each cell of a grid; ties go to the lower class.

    Row `y` of the mask belongs to row ``y * rows // H`` of the grid, columns likewise.

    Parameters
    ----------
    labels : (H, W) uint8 array
    classes, rows, columns : int
        At most H rows and W columns.

    Returns
    -------
    (rows, columns) uint8 array

    Examples
    --------
    >>> majority_grid(np.array([[0, 1, 1, 1], [0, 1, 1, 2]], np.uint8), 3, 1, 2)
    array([[0, 1]], dtype=uint8)
    """
    grid: NDArray[np.intp] = cell_counts(labels, classes, rows, columns).argmax(axis=2)
    return grid.astype(np.uint8)


def cell_counts(
    labels: NDArray[np.uint8], classes: int, rows: int, columns: int
) -> NDArray[np.intp]:
    """Return the pixels of each class in each cell: (rows, columns, classes)."""
    first = _first_codes if labels.size <= _KEPT_PIXELS else _first_codes.__wrapped__
    codes = (first(*labels.shape, classes, rows, columns) + labels).ravel()
    return np.bincount(codes, minlength=rows * columns * classes).reshape(rows, columns, classes)


@functools.lru_cache(maxsize=2)  # masks of one model have one size
def _first_codes(
    height: int, width: int, classes: int, rows: int, columns: int
) -> NDArray[np.unsignedinteger[Any]]:
    """Return for each pixel the number that stands for class 0 in its cell."""
    row = np.arange(height) * rows // height
    column = np.arange(width) * columns // width
    kind = np.min_scalar_type(rows * columns * classes)
    return ((row[:, None] * columns + column) * classes).astype(kind)


def grid_size(height: int, width: int) -> tuple[int, int]:
    """Return rows and columns of a grid that looks like the image in a terminal."""
    step = max(width / _COLUMNS, height / (2 * _ROWS))
    rows, columns = round(height / (2 * step)), round(width / step)
    return min(height, max(1, rows)), min(width, max(1, columns))
