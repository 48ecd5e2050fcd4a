"""Resizing with the ``Triangle`` filter of the Rust `image` crate, bit for bit.

Rows first, then columns; :mod:`wasinn_nb.imaging.taps` says what each output reads.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.imaging.loops import loops
from wasinn_nb.imaging.sharing import in_threads
from wasinn_nb.imaging.taps import Age, Taps, taps
from wasinn_nb.imaging.triangle_wasm import MOST_CHANNELS, resize_rows

__all__ = ["Age", "resize_triangle"]

_F32: Final = np.float32
# So many values of the rows between the passes stay in a core's own cache (1 to 2 MiB of L2).
_BLOCK_VALUES: Final = 3 << 15
# Of smaller images, NumPy is done before a WebAssembly instance is ready.
_LARGE_VALUES: Final = 1 << 17


def resize_triangle(
    pixels: NDArray[np.uint8] | NDArray[np.uint16],
    height: int,
    width: int,
    age: Age = "0.24",
    threads: int = 1,
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
    threads : int
        How many threads share a large image of 8 bits, where wasmtime is installed; the values are
        the same.

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
    large = pixels.dtype == np.uint8 and pixels.size >= _LARGE_VALUES and channels <= MOST_CHANNELS
    if large and (fast := loops("triangle")) is not None:
        narrow = pixels.astype(np.uint8, copy=False)
        resized = np.empty((height, width, channels), np.uint8)

        def fill(start: int, end: int) -> None:
            resize_rows(fast, narrow, height, age, start, resized[start:end])

        with suppress(MemoryError):
            in_threads(fill, height, threads)
            return resized
    return _resized_by_numpy(pixels, taps(rows, height), taps(columns, width), age)


def _resized_by_numpy(
    pixels: NDArray[Any], vertical: Taps, horizontal: Taps, age: Age
) -> NDArray[Any]:
    rows, columns, channels = pixels.shape
    height, width = len(vertical.sums), len(horizontal.sums)
    result = np.empty((height, width, channels), pixels.dtype)
    flat = pixels.reshape(rows, columns * channels)
    block = max(1, _BLOCK_VALUES // (columns * channels))

    # Threads that share the blocks were measured: they gain nothing.
    for top in range(0, height, block):
        part = slice(top, top + block)
        result[part] = _resized_rows(flat, vertical.part(part), horizontal, age, channels)
    return result


def _resized_rows(
    flat: NDArray[np.uint8] | NDArray[np.uint16],
    vertical: Taps,
    horizontal: Taps,
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


def _weighted_rows(rows: NDArray[Any], taps: Taps, age: Age) -> NDArray[np.float32]:
    """Return for each output the weighted sum of the rows that it reads: (out, N) float32.

    Products and sums are rounded one by one, in index order, as the crate's scalar loop does; a
    matrix product would be faster and would round otherwise.
    """
    weights = taps.factors(age)
    total: NDArray[np.float32] = rows[taps.sources[:, 0]] * weights[:, 0, None]
    term = np.empty_like(total)
    for k in range(1, taps.sources.shape[1]):
        np.multiply(rows[taps.sources[:, k]], weights[:, k, None], out=term)
        total += term
    if age == "0.23":
        total /= taps.sums[:, None]
    return total


def _rounded(values: NDArray[np.float32], limit: int) -> NDArray[np.float32]:
    """Return *values* clamped to 0..limit and rounded half away from zero.

    Adding 0.5 and flooring would be wrong just below a half, where the sum itself rounds up.
    """
    clamped = np.clip(values, 0, limit)
    whole = np.floor(clamped)
    whole += clamped - whole >= _F32(0.5)
    return whole
