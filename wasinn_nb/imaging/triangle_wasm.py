"""The triangle filter as WebAssembly, where wasmtime is installed: the same values, sooner.

WebAssembly rounds each product and each sum by itself, on every processor, as the Rust crate's
loops do; they are in ``triangle.wat``.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.imaging.loops import Block, Instance, Loops, parts
from wasinn_nb.imaging.taps import Age, taps

__all__ = ["MOST_CHANNELS", "resize_rows"]

MOST_CHANNELS: Final = 4
"""Values of a pixel that one vector holds."""


def resize_rows(
    loops: Loops,
    pixels: NDArray[np.uint8],
    height: int,
    age: Age,
    first: int,
    out: NDArray[np.uint8],
) -> None:
    """Fill *out* with rows of the result.

    Parameters
    ----------
    loops : Loops
        Those of ``triangle.wat``.
    pixels : (H, W, C) uint8 array
        Of 1 to 4 channels; the whole image.
    height : int
        Of the whole result.
    age : {"0.24", "0.23"}
    first : int
        The first row of *out* within the result.
    out : (rows, width, C) uint8 array

    Raises
    ------
    MemoryError
        If there is not enough for a copy of the rows that are read.

    Examples
    --------
    >>> row = np.array([[[0], [10], [20], [30]]], np.uint8)
    >>> out = np.empty((1, 2, 1), np.uint8)
    >>> resize_rows(Loops("triangle"), row, 1, "0.24", 0, out)
    >>> out[0, :, 0].tolist()
    [7, 23]
    """
    rows, columns, channels = pixels.shape
    stop = first + len(out)
    work = _Work(rows, columns, channels, height, out.shape[1], age, first, stop)
    loops.resize(work, _lay_out, pixels, out)


class _Work(NamedTuple):
    """Which rows of which result."""

    rows: int
    columns: int
    channels: int
    height: int
    width: int
    age: Age
    start: int
    stop: int


def _lay_out(instance: Instance, work: _Work) -> list[Block]:
    """Put all that depends on no pixel into an instance's memory."""
    vertical, horizontal = taps(work.rows, work.height), taps(work.columns, work.width)
    values, stride = work.columns * work.channels, work.width * work.channels
    reach = horizontal.weights.shape[1]
    made = parts(work.start, work.stop, work.rows * values / work.height)
    read = [
        slice(int(sources.min()), int(sources.max()) + 1)
        for sources in (vertical.sources[part] for part in made)
    ]
    most_made, most_read = (max(rows.stop - rows.start for rows in which) for which in (made, read))
    starts = (horizontal.sources[:, 0] * (4 * work.channels)).astype(np.int32)
    across = [
        *map(instance.put, (starts, horizontal.factors(work.age), horizontal.sums)),
        4 * reach,
    ]
    # Taps of weight 0 read beyond the end of a row: zeros.
    row = instance.put(np.zeros(work.channels * (work.columns + reach), np.float32))
    source, result = instance.place(most_read * values), instance.place(most_made * stride)
    blocks = []
    for part, rows in zip(made, read, strict=True):
        some = vertical.part(part)
        places = ((some.sources - rows.start) * values + source).astype(np.int32)
        down = [*map(instance.put, (places, some.factors(work.age), some.sums)), places[0].nbytes]
        height = part.stop - part.start
        of_both = int(work.age == "0.23"), row, values, result, height, work.width, work.channels
        at = instance.put(np.array([*down, *across, *of_both], np.int32))
        filled = slice(part.start - work.start, part.stop - work.start)
        blocks.append(Block(rows, source, filled, result, stride, at))
    return blocks
