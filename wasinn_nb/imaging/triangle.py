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
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["Age", "resize_triangle"]

Age = Literal["0.23", "0.24"]
"""``"0.24"`` and later: weights divided by their sum first, float32 between the passes.
``"0.23"`` and before: sums of products divided afterwards, rounded to integers after each pass."""

_F32: Final = np.float32
# So many values of the rows between the passes stay in a core's own cache (1 to 2 MiB of L2).
_BLOCK_VALUES: Final = 3 << 15


@dataclass(frozen=True, slots=True)
class _Taps:
    """What each output of one axis reads: (out, k) indices and weights; (out,) sums."""

    sources: NDArray[np.intp]
    weights: NDArray[np.float32]
    sums: NDArray[np.float32]

    def part(self, outputs: slice) -> _Taps:
        """Return the taps of some of the outputs."""
        return _Taps(self.sources[outputs], self.weights[outputs], self.sums[outputs])


def resize_triangle(
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    height: int,
    width: int,
    age: Age = "0.24",
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
    rows, columns, channels = pixels.shape
    result = np.empty((height, width, channels), pixels.dtype)
    vertical, horizontal = _taps(rows, height), _taps(columns, width)
    flat = pixels.reshape(rows, columns * channels)
    block = max(1, _BLOCK_VALUES // (columns * channels))

    # Threads that share the blocks were measured: they gain nothing.
    for top in range(0, height, block):
        part = slice(top, top + block)
        result[part] = _resized_rows(flat, vertical.part(part), horizontal, age, channels)
    return result


def _resized_rows(
    flat: NDArray[np.uint8] | NDArray[np.uint16],
    vertical: _Taps,
    horizontal: _Taps,
    age: Age,
    channels: int,
) -> NDArray[np.generic]:
    """Return some rows of the result, (N, width, C)."""
    limit = int(np.iinfo(flat.dtype).max)
    between = _weighted_rows(flat, vertical, age)
    if age == "0.23":
        between = _rounded(between, limit)
    # Columns become rows, so that both passes run over contiguous memory.
    turned = _turned(between, len(between), channels)
    resized = _rounded(_weighted_rows(turned, horizontal, age), limit).astype(flat.dtype)
    back = _turned(resized, len(resized), channels)
    return back.reshape(len(back), -1, channels)


def _turned(values: NDArray[Any], rows: int, channels: int) -> NDArray[Any]:
    """Return (rows, N * channels) values as (N, rows * channels): pixels are copied as a whole."""
    pixels = values.reshape(rows, -1).view(np.dtype((np.void, channels * values.itemsize)))
    turned = np.ascontiguousarray(pixels.T)
    return turned.view(values.dtype).reshape(pixels.shape[1], rows * channels)


def _weighted_rows(rows: NDArray[Any], taps: _Taps, age: Age) -> NDArray[np.float32]:
    """Return for each output the weighted sum of the rows that it reads: (out, N) float32.

    Products and sums are rounded one by one, in index order, as the crate's scalar loop does; a
    matrix product would be faster and would round otherwise.
    """
    weights = taps.weights / taps.sums[:, None] if age == "0.24" else taps.weights
    total: NDArray[np.float32] = rows[taps.sources[:, 0]] * weights[:, 0, None]
    term = np.empty_like(total)
    for k in range(1, taps.sources.shape[1]):
        np.multiply(rows[taps.sources[:, k]], weights[:, k, None], out=term)
        total += term
    if age == "0.23":
        total /= taps.sums[:, None]
    return total


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
    # A weight of 0 changes no sum: each output begins at its first other one.
    skipped = (weights != 0).argmax(axis=1)
    place = np.minimum(skipped[:, None] + np.arange(index.shape[1]), index.shape[1] - 1)
    moved = np.take_along_axis(weights, place, axis=1)
    moved[skipped[:, None] + np.arange(index.shape[1]) >= index.shape[1]] = 0
    count = int((moved != 0).sum(axis=1).max())
    sources = np.take_along_axis(np.minimum(index, right[:, None] - 1), place, axis=1)
    return _Taps(sources[:, :count], moved[:, :count], sums)


def _rounded(values: NDArray[np.float32], limit: int) -> NDArray[np.float32]:
    """Return *values* clamped to 0..limit and rounded half away from zero.

    Adding 0.5 and flooring would be wrong just below a half, where the sum itself rounds up.
    """
    clamped = np.clip(values, 0, limit)
    whole = np.floor(clamped)
    whole += clamped - whole >= _F32(0.5)
    return whole
