"""Buffers that hold the image in a form that the model does not read: padding, wrapped numbers.

They are looked for where no usual reading of the bytes fits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.abi import TensorType
from wasinn_nb.diagnosis.candidates import Order
from wasinn_nb.diagnosis.decoding import Decoded
from wasinn_nb.diagnosis.scalings import known_scalings
from wasinn_nb.imaging import PreprocessRecipe

__all__ = ["misreadings", "wraps"]

_SAMPLES: Final = 4000
# How much nearer to each other two rows are at their distance than at any other.
_ROWS_ALIKE: Final = 0.6
_TRIED: Final = 2
_WHOLE: Final = 1e-3


def misreadings(decoded: Decoded, recipe: PreprocessRecipe) -> Iterator[Decoded]:
    """Yield further readings of a tensor.

    Parameters
    ----------
    decoded : Decoded
        As it was declared.
    recipe : PreprocessRecipe
        What the model takes.
    """
    yield from _wrapped(decoded)
    if decoded.type is TensorType.U8 and decoded.values.dtype == np.uint8:
        signed = decoded.values.view(np.int8)
        yield replace(decoded, values=signed, type=TensorType.I8, declared=TensorType.U8)
    yield from _with_gaps(decoded, recipe)


def _wrapped(decoded: Decoded) -> Iterator[Decoded]:
    """Yield the values in which levels from 128 to 255 became -128 to -1, put right."""
    values = decoded.values
    if values.dtype.kind != "f" or not np.isfinite(values).all():
        return
    for scaling in known_scalings("GRAY"):
        levels = scaling.undo(values[:, None])[:, 0]
        low, high = float(levels.min()), float(levels.max())
        if not -128.5 < low < -0.5 < high < 127.5 or scaling.slope[0] < 0:
            continue
        if np.abs(levels - np.rint(levels)).max() < _WHOLE:
            right = np.where(levels < -0.5, values + 256 * scaling.slope[0], values)
            yield replace(decoded, values=right.astype(values.dtype), wrapped=True)


def _with_gaps(decoded: Decoded, recipe: PreprocessRecipe) -> Iterator[Decoded]:
    """Yield the values without what lies between rows or pixels."""
    height, width, channels = recipe.height, recipe.width, recipe.channels
    flat = decoded.values
    of_rows: dict[Order, tuple[int, int]] = {
        "HWC": (height, width * channels),
        "CHW": (height * channels, width),
    }
    for order, (rows, length) in of_rows.items():
        for pitch in _pitches(flat, rows, length):
            index = pitch * np.arange(rows)[:, None] + np.arange(length)
            yield _gathered(decoded, index, order, pitch=pitch)
    if channels == 3 and flat.size == math.prod(recipe.dimensions):
        index = 4 * np.arange(height * width)[:, None] + np.arange(channels)
        yield _gathered(decoded, index, "HWC", step=4)


def _gathered(
    decoded: Decoded,
    index: NDArray[np.intp],
    order: Order,
    *,
    pitch: int | None = None,
    step: int | None = None,
) -> Decoded:
    """Return the values at an ascending index, as far as there are any."""
    flat = decoded.values
    index = index.reshape(-1)
    valid = int(np.searchsorted(index, flat.size))
    values = np.zeros(index.size, flat.dtype)
    values[:valid] = flat[index[:valid]]
    rest = None if valid == index.size else valid
    return replace(decoded, values=values, valid=rest, order=order, pitch=pitch, step=step)


def _pitches(flat: NDArray[Any], rows: int, length: int) -> list[int]:
    """Return from which value to which rows may follow each other, if not *length* apart.

    Rows of an image resemble the next ones: two values are nearest at the distance of two rows.
    """
    exact, rest = divmod(flat.size, rows)
    found = [exact] if not rest and length < exact <= 2 * length else []
    lags = np.arange(length // 2, 2 * length + 1)
    if length < 8 or flat.size < 4 * length or not np.isfinite(flat).all():
        return found
    starts = np.random.default_rng(0).integers(0, flat.size - lags[-1], _SAMPLES)
    real = flat.astype(np.float32)
    first = real[starts]
    apart = np.array([np.abs(real[starts + lag] - first).mean() for lag in lags])
    ranked = [int(lags[at]) for at in np.argsort(apart)[:_TRIED]]
    if apart.min() < _ROWS_ALIKE * np.median(apart):
        found += [lag for lag in ranked if lag > length and lag not in found]
    return found


def wraps(values: NDArray[np.float64], levels: NDArray[np.generic]) -> float:
    """Return how well 8-bit levels less a constant, wrapped at 256, explain each channel.

    Parameters
    ----------
    values : (n, channels) array
        Of a tensor.
    levels : (n, channels) array
        Of an image, at the same positions.

    Returns
    -------
    float
        0 to 1, of the channel that is explained least.

    Examples
    --------
    >>> levels = np.random.default_rng(0).integers(0, 256, (100, 3))
    >>> round(wraps((levels - 104.0) % 256, levels), 6)
    1.0
    """
    turns = np.exp(2j * np.pi / 256 * (values - levels.astype(np.float64)))
    return float(np.abs(np.nanmean(turns, axis=0)).min())
