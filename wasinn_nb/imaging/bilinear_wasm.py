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

from wasinn_nb.imaging.loops import Block, Instance, Loops, parts
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
    stop = first + len(out)
    work = _Work(rows, columns, height, out.shape[1], order, channels, first, stop)
    loops.resize(work, _lay_out, pixels, out)


class _Work(NamedTuple):
    """Which rows of which result."""

    rows: int
    columns: int
    height: int
    width: int
    order: Order
    channels: tuple[int, int, int]
    start: int
    stop: int


def _lay_out(instance: Instance, work: _Work) -> list[Block]:
    """Put all that depends on no pixel into an instance's memory."""
    starts, across = _packed_across(work.columns, work.width)
    index, down = _packed_down(work.rows, work.height)
    ends = np.minimum(index[:, 0] + weights(work.rows, work.height).values.shape[1], work.rows)
    wide, narrow = work.columns * _CHANNELS, _whole(work.width * _CHANNELS + 1, _LANES)
    made = parts(work.start, work.stop, work.rows * wide / work.height)
    read = [slice(int(index[part.start, 0]), int(ends[part.stop - 1])) for part in made]
    most_made, most_read = (max(rows.stop - rows.start for rows in which) for which in (made, read))
    # The pass that makes new columns reads and writes whole groups of rows, and reads on behind
    # the last one, with weights of 0.
    beyond = across.shape[1] * _GROUP * _CHANNELS + _LANES
    source = instance.place((most_read + _ROWS) * wide + beyond)
    result = instance.place((most_made + _ROWS) * narrow)
    rows_first = work.order == "rows"
    lines, stride = (most_made, _whole(wide, _LANES)) if rows_first else (most_read, narrow)
    between = instance.place((lines + _ROWS) * stride + beyond)
    lanes = [4 * row + channel for row in range(_ROWS) for channel in (*work.channels, 3)]
    columns = instance.put(starts), instance.put(across), across[0].nbytes
    last = work.width, instance.put(np.array(lanes, np.uint8))
    blocks = []
    for part, rows in zip(made, read, strict=True):
        height, lines = part.stop - part.start, rows.stop - rows.start
        if rows_first:
            places = (index[part] - rows.start) * np.int32(wide) + np.int32(source)
            new_columns = between, stride, result, narrow, height
            new_rows = between, stride, height, wide
        else:
            places = (index[part] - rows.start) * np.int32(stride) + np.int32(between)
            new_columns = source, wide, between, stride, lines
            new_rows = result, narrow, height, work.width * _CHANNELS
        tables = instance.put(places), instance.put(down[part]), places[0].nbytes
        numbers = [rows_first, *columns, *new_columns, *last, *tables, *new_rows]
        filled = slice(part.start - work.start, part.stop - work.start)
        at = instance.put(np.array(numbers, np.int32))
        blocks.append(Block(rows, source, filled, result, narrow, at))
    return blocks


@functools.lru_cache(maxsize=32)
def _packed_across(columns: int, width: int) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    """Return the first byte that each output reads, and its weights in groups and in pairs."""
    starts, values = weights(columns, width)
    groups = _padded(values, _GROUP).reshape(width, -1, _GROUP)
    even = _padded(groups, 2)  # a group ends in a pair of its last weight and 0
    packed = _pairs(even.reshape(width, -1))
    return starts * _CHANNELS, packed.reshape(*groups.shape[:2], -1)


@functools.lru_cache(maxsize=32)
def _packed_down(rows: int, height: int) -> tuple[NDArray[np.int32], NDArray[np.int16]]:
    """Return the rows that each output reads, two for each pair of weights, and those pairs.

    A pair of 0 is the end, and no row from there on is read.  Before it, the second row of a pair
    may be the one behind the last row that there is, with the weight 0.
    """
    starts, values = weights(rows, height)
    pairs = _pairs(np.pad(values, ((0, 0), (0, 2))))
    index = starts[:, None] + np.arange(2 * pairs.shape[1], dtype=np.int32)
    return index, pairs


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
