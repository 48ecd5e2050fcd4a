"""Resizing with the ``Triangle`` filter of the Rust `image` crate, bit for bit.

For each axis, in float32: ``ratio = in / out``; ``s = max(1, ratio)``.  Output `o` has its center
at ``c = (o + 0.5) * ratio`` and reads the inputs from ``clamp(floor(c - s), 0, in - 1)`` up to, not
including, ``clamp(ceil(c + s), left + 1, in)``, input `i` with weight
``max(0, 1 - |(i - (c - 0.5)) / s|)``, summed in index order.  Rows first, then columns.
The crate's two ages differ in where they divide by the sum of the weights and where they round
(:class:`Age`).  Source: ``imageops/sample.rs`` of `image` 0.23.14 and 0.24.3, checked against the
tensors that guests built with these versions handed over.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Age", "resize_triangle"]

Age = Literal["0.23", "0.24"]
"""``"0.24"`` and later: weights divided by their sum first, float32 between the passes.
``"0.23"`` and before: sums of products divided afterwards, rounded to integers after each pass."""

_F32: Final = np.float32
# Rows of this many values at a time stay in a core's own cache (measured: 1-2 MiB of L2).
_BLOCK_VALUES: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class _Taps:
    """What each output of one axis reads: (out, k) indices and weights; (out,) sums."""

    sources: NDArray[np.intp]
    weights: NDArray[np.float32]
    sums: NDArray[np.float32]


def resize_triangle(
    pixels: NDArray[np.uint8] | NDArray[np.uint16], height: int, width: int, age: Age = "0.24"
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Resize as ``resize_exact(width, height, FilterType::Triangle)`` does.

    Parameters
    ----------
    pixels : (H, W, C) uint8 or uint16 array
        Channels in any order; they do not influence each other.
    height, width : int
        The new size in pixels.
    age : {"0.24", "0.23"}
        Which `image` crate: from 0.24 on, or up to 0.23.

    Returns
    -------
    (height, width, C) array
        Of the dtype of *pixels*.

    Examples
    --------
    >>> row = np.array([[[0], [10], [20], [30]]], np.uint8)
    >>> resize_triangle(row, 1, 2)[0, :, 0].tolist()
    [7, 23]
    """
    limit = int(np.iinfo(pixels.dtype).max)
    rows, columns, channels = pixels.shape
    vertical, horizontal = _taps(rows, height), _taps(columns, width)
    between = _weighted_rows(pixels.reshape(rows, -1), vertical, age)
    if age == "0.23":
        between = _rounded(between, limit).astype(pixels.dtype)
    # Columns become rows, so that both passes run over long contiguous memory.
    turned = between.reshape(height, columns, channels).transpose(1, 0, 2).reshape(columns, -1)
    resized = _rounded(_weighted_rows(turned, horizontal, age), limit).astype(pixels.dtype)
    return np.ascontiguousarray(resized.reshape(width, height, channels).transpose(1, 0, 2))


def _weighted_rows(rows: NDArray[np.generic], taps: _Taps, age: Age) -> NDArray[np.float32]:
    """Return for each output the weighted sum of the rows that it reads: (out, N) float32.

    Products and sums are rounded one by one, in index order, as the crate's scalar loop does; a
    matrix product would be faster and would round otherwise.
    """
    outputs, count = taps.sources.shape
    result = np.empty((outputs, rows.shape[1]), _F32)
    block = max(1, _BLOCK_VALUES // max(1, rows.shape[1]))
    weights = taps.weights / taps.sums[:, None] if age == "0.24" else taps.weights
    product = np.empty((block, rows.shape[1]), _F32)
    for start in range(0, outputs, block):
        part = slice(start, min(start + block, outputs))
        total, term = result[part], product[: part.stop - start]
        np.multiply(rows[taps.sources[part, 0]], weights[part, 0, None], out=total)
        for k in range(1, count):
            np.multiply(rows[taps.sources[part, k]], weights[part, k, None], out=term)
            total += term
    if age == "0.23":
        result /= taps.sums[:, None]
    return result


@functools.lru_cache(maxsize=32)
def _taps(inputs: int, outputs: int) -> _Taps:
    ratio = _F32(inputs) / _F32(outputs)
    support = max(_F32(1), ratio)
    center = (np.arange(outputs, dtype=_F32) + _F32(0.5)) * ratio
    left = np.clip(np.floor(center - support).astype(np.int64), 0, inputs - 1)
    right = np.clip(np.ceil(center + support).astype(np.int64), left + 1, inputs)
    index = left[:, None] + np.arange(int((right - left).max()))
    distance = (index.astype(_F32) - (center - _F32(0.5))[:, None]) / support
    weights = np.maximum(_F32(0), _F32(1) - np.abs(distance))
    # Outputs that read fewer inputs than others end in weight 0, which changes no sum.
    weights[index >= right[:, None]] = 0
    # cumsum adds in index order, as the crate does; sum adds in pairs.
    sums = np.cumsum(weights, axis=1, dtype=_F32)[:, -1]
    return _Taps(np.minimum(index, right[:, None] - 1), weights, sums)


def _rounded(values: NDArray[np.float32], limit: int) -> NDArray[np.float32]:
    """Return *values* clamped to 0..limit and rounded half away from zero.

    Adding 0.5 and flooring would be wrong just below a half, where the sum itself rounds up.
    """
    clamped = np.clip(values, 0, limit)
    whole = np.floor(clamped)
    whole += clamped - whole >= _F32(0.5)
    return whole
