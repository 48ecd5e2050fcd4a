"""The triangle filter as WebAssembly, where wasmtime is installed: the same values, sooner.

WebAssembly rounds each product and each sum by itself, on every processor, as the Rust crate's
loops do; they are in ``triangle.wat``.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.imaging.loops import Loops
from wasinn_nb.imaging.taps import Age, Taps

__all__ = ["MOST_CHANNELS", "resize_rows"]

MOST_CHANNELS: Final = 4
"""Values of a pixel that one vector holds."""
_BLOCK_BYTES: Final = 1 << 20  # of the rows that are read: they stay in a core's own cache


def resize_rows(
    loops: Loops,
    pixels: NDArray[np.uint8],
    vertical: Taps,
    horizontal: Taps,
    age: Age,
    out: NDArray[np.uint8],
) -> None:
    """Fill *out* with the rows that *vertical* describes.

    Parameters
    ----------
    loops : Loops
        Those of ``triangle.wat``.
    pixels : (H, W, C) uint8 array
        Of 1 to 4 channels; the whole image.
    vertical, horizontal : Taps
        Of the rows of *out*, and of its columns.
    age : {"0.24", "0.23"}
    out : (len(vertical.sums), len(horizontal.sums), C) uint8 array

    Raises
    ------
    MemoryError
        If there is not enough for a copy of the rows that are read.

    Examples
    --------
    >>> from wasinn_nb.imaging.taps import taps
    >>> row = np.array([[[0], [10], [20], [30]]], np.uint8)
    >>> out = np.empty((1, 2, 1), np.uint8)
    >>> resize_rows(Loops("triangle"), row, taps(1, 1), taps(4, 2), "0.24", out)
    >>> out[0, :, 0].tolist()
    [7, 23]
    """
    _, columns, channels = pixels.shape
    values, width = columns * channels, len(horizontal.sums)
    reach = horizontal.weights.shape[1]
    block = max(1, _BLOCK_BYTES * len(out) // max(1, _read(pixels, vertical).size))
    with loops.instance() as instance:
        starts = (horizontal.sources[:, 0] * (4 * channels)).astype(np.int32)
        across = [instance.put(array) for array in (starts, horizontal.factors(age))]
        across.append(instance.put(horizontal.sums))
        # Taps of weight 0 read beyond the end of a row: zeros.
        row = instance.put(np.zeros(channels * (columns + reach), np.float32))
        result = instance.place(block * width * channels)
        kept = instance.end
        for top in range(0, len(out), block):
            part, target = vertical.part(slice(top, top + block)), out[top : top + block]
            instance.end = kept
            source = instance.put(_read(pixels, part))
            places = source + (part.sources - part.sources.min()) * values
            instance.run(
                "resize",
                instance.put(places.astype(np.int32)),
                instance.put(part.factors(age)),
                instance.put(part.sums),
                4 * part.weights.shape[1],
                *across,
                4 * reach,
                int(age == "0.23"),
                row,
                values,
                result,
                *target.shape,
            )
            target[:] = instance.view(result, target.size).reshape(target.shape)


def _read(pixels: NDArray[np.uint8], vertical: Taps) -> NDArray[np.uint8]:
    """Return the rows that some outputs read."""
    return pixels[int(vertical.sources.min()) : int(vertical.sources.max()) + 1]
