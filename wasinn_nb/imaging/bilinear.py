"""Pillow's antialiased bilinear filter, on two processors where the values stay the same.

Pillow's first pass is along the rows or along the columns, whichever it takes for quicker, and it
rounds to whole numbers in between: the halves of an image, of its rows or of its columns, have the
same values as the whole where the order is the same.  That is tried once for each size, on noise,
when an image of the size comes the second time.
"""

from __future__ import annotations

import functools
import threading
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.imaging.sharing import in_threads

__all__ = ["resize_bilinear"]

# Of smaller images, starting a thread takes longer than it saves.
_SHARED_PIXELS: Final = 1 << 18
_MOST_KNOWN: Final = 256

_Sizes: TypeAlias = tuple[int, int, int, int, int]
"""Rows and columns before and after, and bands."""

_lock = threading.Lock()
_seen: dict[_Sizes, int] = {}


def resize_bilinear(
    image: Image.Image, height: int, width: int, threads: int = 1
) -> NDArray[np.uint8]:
    """Return an image as Pillow's ``resize`` with ``BILINEAR`` makes it.

    Parameters
    ----------
    image : PIL.Image.Image
        Of mode L, RGB or RGBA.
    height, width : int
    threads : int
        With 2 or more, two threads share a large image.

    Returns
    -------
    (height, width) or (height, width, C) uint8 array

    Examples
    --------
    >>> resize_bilinear(Image.new("RGB", (8, 8), (1, 2, 3)), 2, 2)[0, 0].tolist()
    [1, 2, 3]
    """
    sizes = image.height, image.width, height, width, len(image.getbands())
    large = image.height * image.width >= _SHARED_PIXELS
    if (
        threads > 1
        and large
        and _comes_again(sizes)
        and (axis := _axis_of_halves(sizes)) is not None
    ):
        return _halves(image, height, width, axis)
    return _whole(image, height, width)


def _whole(image: Image.Image, height: int, width: int) -> NDArray[np.uint8]:
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))


def _halves(image: Image.Image, height: int, width: int, axis: int) -> NDArray[np.uint8]:
    """Return an image resized by two threads, each one half of the rows (axis 0) or columns (1).

    A box says where a half comes from; the filter reads beyond it, as for the whole.  Half of a
    number of rows or columns is exact in the floats that Pillow takes.
    """
    bands = len(image.getbands())
    pixels = np.empty((height, width, bands) if bands > 1 else (height, width), np.uint8)
    length = pixels.shape[axis]

    def fill(start: int, end: int) -> None:
        if axis == 0:
            size, target = (width, end - start), pixels[start:end]
            top, bottom = (image.height * row / length for row in (start, end))
            box = (0.0, top, float(image.width), bottom)
        else:
            size, target = (end - start, height), pixels[:, start:end]
            left, right = (image.width * column / length for column in (start, end))
            box = (left, 0.0, right, float(image.height))
        target[:] = np.asarray(image.resize(size, Image.Resampling.BILINEAR, box))

    in_threads(fill, length, 2)
    return pixels


def _comes_again(sizes: _Sizes) -> bool:
    with _lock:
        if len(_seen) >= _MOST_KNOWN:
            _seen.clear()
        _seen[sizes] = _seen.get(sizes, 0) + 1
        return _seen[sizes] > 1


@functools.lru_cache(maxsize=_MOST_KNOWN)
def _axis_of_halves(sizes: _Sizes) -> int | None:
    """Return along which axis halves of noise of a size have the values of the whole, or None."""
    rows, columns, height, width, bands = sizes
    shape = (rows, columns, bands) if bands > 1 else (rows, columns)
    noise = Image.fromarray(np.random.default_rng(0).integers(0, 256, shape, np.uint8))
    whole = _whole(noise, height, width)
    for axis, length in enumerate((height, width)):
        if length % 2 == 0 and np.array_equal(whole, _halves(noise, height, width, axis)):
            return axis
    return None
