"""A few thousand pixels, and what they show: likeness, and the scaling by least squares."""

from __future__ import annotations

import functools
import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.diagnosis.scalings import Scaling
from wasinn_nb.imaging import Color, ordered

__all__ = ["least_squares", "likeness", "overlap", "some_points"]

POINTS: Final = 2500
_EITHER_ORDER: Final[dict[int, tuple[Color, ...]]] = {
    1: ("GRAY",),
    3: ("RGB", "BGR"),
    4: ("RGBA", "BGRA"),
}


@functools.lru_cache(maxsize=64)
def some_points(rows: int, columns: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Return the rows and columns of some pixels, the same every time."""
    rng = np.random.default_rng(0)
    if rows * columns < 4 * POINTS:
        at = rng.permutation(rows * columns)[:POINTS]
    else:
        at = rng.integers(0, rows * columns, POINTS)
    y, x = np.divmod(at, columns)
    return y.astype(np.intp), x.astype(np.intp)


def overlap(array: NDArray[Any], rows: int, columns: int) -> NDArray[Any]:
    """Return *array* without its first (or, if negative, last) rows and columns."""
    return array[
        max(0, rows) : array.shape[0] + min(0, rows),
        max(0, columns) : array.shape[1] + min(0, columns),
    ]


def likeness(values: NDArray[np.float64], levels: NDArray[np.float32]) -> float:
    """Return the correlation of (n, channels) values with the image's levels.

    It is the mean of the channels, in that of the two orders of red, green and blue in which it is
    higher; alpha stays the last.
    """
    finite = np.isfinite(values)
    best = 0.0
    for color in _EITHER_ORDER[values.shape[1]]:
        levels_in_order = ordered(levels, color)
        found = []
        for channel in range(values.shape[1]):
            use = finite[:, channel]
            if use.sum() < 16 and not use.all():
                continue
            a, b = values[use, channel], levels_in_order[use, channel].astype(np.float64)
            a, b = a - a.mean(), b - b.mean()
            size = math.sqrt(float(a @ a) * float(b @ b))
            if not (a @ a) and not (b @ b):
                found.append(1.0)  # a channel without contrast in both
            elif size > 0 and math.isfinite(size):
                found.append(abs(float(a @ b)) / size)
            else:
                found.append(0.0)
        if found:
            best = max(best, sum(found) / len(found))
    return best


def least_squares(values: NDArray[np.float64], levels: NDArray[np.float64]) -> Scaling | None:
    """Return the scaling that fits best, or None where a channel does not show one.

    Alpha without contrast counts as scaled as the first channel is.
    """
    slopes: list[float] = []
    offsets: list[float] = []
    for channel in range(values.shape[1]):
        use = np.isfinite(values[:, channel])
        a, b = levels[use, channel], values[use, channel]
        if channel == 3 and len(a) and np.ptp(a) == np.ptp(b) == 0:
            slopes.append(slopes[0])
            offsets.append(float(b[0] - slopes[0] * a[0]))
            continue
        if len(a) < 16 or np.ptp(a) < 2 or np.ptp(b) == 0:
            return None
        middle = a.mean()
        slope = float((a - middle) @ (b - b.mean()) / ((a - middle) @ (a - middle)))
        if not slope or not math.isfinite(slope):
            return None
        slopes.append(slope)
        offsets.append(float(b.mean() - slope * middle))
    first = ", ".join(f"{s:.6g}" for s in slopes)
    second = ", ".join(f"{o:.6g}" for o in offsets)
    name = f"\u00d7 ({first}) + ({second})"
    return Scaling(name, tuple(slopes), tuple(offsets), fitted=True)
