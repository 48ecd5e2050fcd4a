"""Pillow's antialiased bilinear filter as WebAssembly, for 8-bit RGB: the same values, sooner.

Pillow computes with whole numbers: weights of 22 bits, sums of 32, each pass rounded to 8 bits.
The loops of ``bilinear.wat`` split a weight in two of 11 bits, so that two products with their sum
are one instruction.
"""

from __future__ import annotations

import functools
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.imaging.loops import Instance, Loops
from wasinn_nb.imaging.taps import without_leading

__all__ = ["ORDERS", "Order", "resize_rows", "weights"]

Order = Literal["columns", "rows"]
"""What the first pass makes: the new columns or the new rows."""
ORDERS: Final[tuple[Order, ...]] = ("columns", "rows")

_BITS: Final = 22  # of a weight; PRECISION_BITS in Pillow's Resample.c
_LOW_BITS: Final = 11
_CHANNELS: Final = 3
_GROUP: Final = 5  # pixels that a vector holds
_LANES: Final = 16  # values that are written at once
_ROWS: Final = 4  # that are read at once
_BLOCK_BYTES: Final = 1 << 22  # of the rows that are read


class Weights(NamedTuple):
    """What each output of one axis reads.

    Attributes
    ----------
    starts : (out,) int32 array
        The first input, whose weight is not 0.
    values : (out, k) int32 array
        The weights of that one and those after it; they sum to 2**22, but for rounding.
    """

    starts: NDArray[np.int32]
    values: NDArray[np.int32]


@functools.lru_cache(maxsize=32)
def weights(inputs: int, outputs: int) -> Weights:
    """Return the weights of one axis as Pillow's ``precompute_coeffs`` computes them.

    Parameters
    ----------
    inputs, outputs : int
        Rows, or columns.

    Examples
    --------
    >>> weights(4, 2).starts.tolist()
    [0, 1]
    >>> (weights(4, 2).values / 2**22).round(3).tolist()
    [[0.429, 0.429, 0.143], [0.143, 0.429, 0.429]]
    """
    ratio = inputs / outputs
    support = max(ratio, 1.0)
    center = (np.arange(outputs) + 0.5) * ratio
    starts = np.maximum(0, (center - support + 0.5).astype(np.int32))
    ends = np.minimum(inputs, (center + support + 0.5).astype(np.int32))
    index = starts[:, None] + np.arange(int((ends - starts).max()))
    values = np.maximum(0.0, 1.0 - np.abs((index - center[:, None] + 0.5) * (1.0 / support)))
    values[index >= ends[:, None]] = 0.0
    values /= np.cumsum(values, axis=1)[:, -1:]  # which adds in index order, as Pillow does
    whole = (0.5 + values * (1 << _BITS)).astype(np.int32)
    skipped, kept = without_leading(whole)
    return Weights((starts + skipped).astype(np.int32), kept)


def resize_rows(
    loops: Loops,
    pixels: NDArray[np.uint8],
    height: int,
    order: Order,
    first: int,
    out: NDArray[np.uint8],
    channels: tuple[int, int, int] = (0, 1, 2),
) -> None:
    """Fill *out* with rows of the result.

    Parameters
    ----------
    loops : Loops
        Those of ``bilinear.wat``.
    pixels : (H, W, 3) uint8 array
        The whole image.
    height : int
        Of the whole result.
    order : {"columns", "rows"}
    first : int
        The first row of *out* within the result.
    out : (rows, width, 3) uint8 array
    channels : tuple of int
        Which channel of *pixels* each one of *out* is.

    Raises
    ------
    MemoryError
        If there is not enough for a copy of the rows that are read.

    Examples
    --------
    >>> row = np.repeat(np.array([[0, 10, 20, 30]], np.uint8)[:, :, None], 3, axis=2)
    >>> out = np.empty((1, 2, 3), np.uint8)
    >>> resize_rows(Loops("bilinear"), row, 1, "columns", 0, out)
    >>> out[0, :, 0].tolist()
    [7, 23]
    """
    rows, columns, _ = pixels.shape
    width = out.shape[1]
    starts, values = weights(rows, height)
    block = max(1, _BLOCK_BYTES * height // (rows * columns * _CHANNELS))
    wide, narrow = columns * _CHANNELS, _whole(width * _CHANNELS + 1, _LANES)
    with loops.instance() as instance:
        across = _Across(instance, columns, width, channels)
        kept = instance.end
        for top in range(0, len(out), block):
            target = out[top : top + block]
            count = len(target)
            part = slice(first + top, first + top + count)
            read = pixels[starts[part.start] : starts[part.stop - 1] + values.shape[1]]
            instance.end = kept
            source = instance.place((len(read) + _ROWS) * wide + across.beyond)
            instance.view(source, read.size).reshape(read.shape)[...] = read
            down = _Down(instance, starts[part] - starts[part.start], values[part], len(read))
            result = instance.place((count + _ROWS) * narrow)
            if order == "columns":
                between = instance.place((len(read) + _ROWS) * narrow)
                across.run(source, wide, between, narrow, len(read))
                down.run(between, narrow, result, narrow, width * _CHANNELS)
            else:
                stride = _whole(wide, _LANES)
                between = instance.place((count + _ROWS) * stride + across.beyond)
                down.run(source, wide, between, stride, wide)
                across.run(between, stride, result, narrow, count)
            made = instance.view(result, count * narrow).reshape(count, narrow)
            target[...] = made[:, : width * _CHANNELS].reshape(target.shape)


class _Across:
    """The pass that makes the new columns, in several rows at once.

    Attributes
    ----------
    beyond : int
        The bytes that it may read behind the last row, with weights of 0.
    """

    def __init__(
        self, instance: Instance, columns: int, width: int, channels: tuple[int, int, int]
    ) -> None:
        starts, packed = _packed_across(columns, width)
        lanes = [4 * row + channel for row in range(_ROWS) for channel in (*channels, 3)]
        self.beyond = packed.shape[1] * _GROUP * _CHANNELS + _LANES
        self._instance, self._width = instance, width
        self._order = instance.put(np.array(lanes, np.uint8))
        self._tables = instance.put(starts), instance.put(packed), packed[0].nbytes

    def run(self, source: int, stride: int, out: int, out_stride: int, rows: int) -> None:
        """Write rows, of which whole groups of `_ROWS` are read and written."""
        self._instance.run(
            "across",
            *self._tables,
            source,
            stride,
            out,
            out_stride,
            rows,
            self._width,
            self._order,
        )


class _Down:
    """The pass that makes new rows, of *count* that are there."""

    def __init__(
        self,
        instance: Instance,
        starts: NDArray[np.int32],
        values: NDArray[np.int32],
        count: int,
    ) -> None:
        pairs = _pairs(np.pad(values, ((0, 0), (0, 2))))  # a pair of 0 is the end
        index = starts[:, None] + np.arange(2 * pairs.shape[1])
        self._index = np.minimum(index, count - 1).astype(np.int32)  # those behind have weight 0
        self._instance, self._weights = instance, instance.put(pairs)

    def run(self, source: int, stride: int, out: int, out_stride: int, values: int) -> None:
        """Write rows of so many values."""
        places = self._index * np.int32(stride) + np.int32(source)
        self._instance.run(
            "down",
            self._instance.put(places),
            self._weights,
            places[0].nbytes,
            out,
            out_stride,
            len(places),
            values,
        )


@functools.lru_cache(maxsize=32)
def _packed_across(columns: int, width: int) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    """Return the first byte that each output reads, and its weights in groups and in pairs."""
    starts, values = weights(columns, width)
    groups = _padded(values, _GROUP).reshape(width, -1, _GROUP)
    even = _padded(groups, 2)  # a group ends in a pair of its last weight and 0
    packed = _pairs(even.reshape(width, -1))
    return starts * _CHANNELS, packed.reshape(*groups.shape[:2], -1)


def _pairs(values: NDArray[np.int32]) -> NDArray[np.int16]:
    """Return (out, k) weights as (out, pairs, 2, 2): high bits of two weights, then their low."""
    pairs = _padded(values, 2).reshape(len(values), -1, 2)
    split = [pairs >> _LOW_BITS, pairs & ((1 << _LOW_BITS) - 1)]
    return np.stack(split, axis=2).astype(np.int16)


def _padded(values: NDArray[np.int32], count: int) -> NDArray[np.int32]:
    """Return values with as many of 0 behind them that their last axis holds whole counts."""
    rest = -values.shape[-1] % count
    return np.pad(values, [(0, 0)] * (values.ndim - 1) + [(0, rest)])


def _whole(value: int, of: int) -> int:
    return -(-value // of) * of
