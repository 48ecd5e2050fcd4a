"""Pillow's antialiased bilinear filter; large RGB images by loops of our own, with the same values.

Pillow's first pass makes the new columns or the new rows, whichever it takes for quicker, and
rounds to whole numbers in between.  Which one, and that the loops have Pillow's values at all, is
tried once for each size, on noise, when an image of the size comes the second time.
"""

from __future__ import annotations

import functools
import threading
from contextlib import suppress
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.imaging.bilinear_wasm import ORDERS, Order, resize_rows
from wasinn_nb.imaging.loops import Loops, loops
from wasinn_nb.imaging.sharing import in_threads

__all__ = ["resize_bilinear"]

# Of smaller images, an instance and a second thread take longer than they save.
_LARGE_PIXELS: Final = 1 << 18
# Of a smaller result, both orders of passes may give the same noise by chance.
_TELLING_PIXELS: Final = 1 << 10
_MOST_KNOWN: Final = 256

_Sizes: TypeAlias = tuple[int, int, int, int]
"""Rows and columns before and after."""

_lock = threading.Lock()
_seen: dict[_Sizes, int] = {}


def resize_bilinear(
    image: Image.Image | NDArray[np.uint8],
    height: int,
    width: int,
    threads: int = 1,
    *,
    backwards: bool = False,
) -> NDArray[np.uint8]:
    """Return an image as Pillow's ``resize`` with ``BILINEAR`` makes it.

    Parameters
    ----------
    image : PIL.Image.Image, or (H, W, 3) uint8 array in RGB order
        Of mode L, RGB or RGBA.
    height, width : int
    threads : int
        How many share a large RGB image, where wasmtime is installed; the values are the same.
    backwards : bool
        Whether the channels may lie in memory as BGR: what is returned is in RGB order all the
        same, and turned into BGR without a copy.

    Returns
    -------
    (height, width) or (height, width, C) uint8 array

    Examples
    --------
    >>> resize_bilinear(Image.new("RGB", (8, 8), (1, 2, 3)), 2, 2)[0, 0].tolist()
    [1, 2, 3]
    """
    rows, columns = image.shape[:2] if isinstance(image, np.ndarray) else image.size[::-1]
    sizes = rows, columns, height, width
    if (
        rows * columns >= _LARGE_PIXELS
        and height * width >= _TELLING_PIXELS
        and (isinstance(image, np.ndarray) or image.mode == "RGB")
        and _comes_again(sizes)
        and (fast := loops("bilinear")) is not None
        and (order := _order_of_pillow(sizes)) is not None
    ):
        with suppress(MemoryError):
            return _by_loops(fast, np.asarray(image), sizes, order, threads, backwards=backwards)
    return _by_pillow(image, height, width)


def _by_pillow(
    image: Image.Image | NDArray[np.uint8], height: int, width: int
) -> NDArray[np.uint8]:
    whole = Image.fromarray(image) if isinstance(image, np.ndarray) else image
    return np.asarray(whole.resize((width, height), Image.Resampling.BILINEAR))


def _by_loops(
    fast: Loops,
    pixels: NDArray[np.uint8],
    sizes: _Sizes,
    order: Order,
    threads: int = 1,
    *,
    backwards: bool = False,
) -> NDArray[np.uint8]:
    _, _, height, width = sizes
    resized = np.empty((height, width, 3), np.uint8)
    channels = (2, 1, 0) if backwards else (0, 1, 2)

    def fill(start: int, end: int) -> None:
        resize_rows(fast, pixels, height, order, start, resized[start:end], channels)

    in_threads(fill, height, threads)
    return resized[:, :, ::-1] if backwards else resized


def _comes_again(sizes: _Sizes) -> bool:
    with _lock:
        if len(_seen) >= _MOST_KNOWN:
            _seen.clear()
        _seen[sizes] = _seen.get(sizes, 0) + 1
        return _seen[sizes] > 1


@functools.lru_cache(maxsize=_MOST_KNOWN)
def _order_of_pillow(sizes: _Sizes) -> Order | None:
    """Return the order of passes that gives noise of a size Pillow's values; None for neither."""
    rows, columns, height, width = sizes
    fast = loops("bilinear")
    assert fast is not None  # noqa: S101 - the caller has them
    noise = np.random.default_rng(0).integers(0, 256, (rows, columns, 3), np.uint8)
    expected = _by_pillow(noise, height, width)
    with suppress(MemoryError):
        for order in ORDERS:
            if np.array_equal(expected, _by_loops(fast, noise, sizes, order)):
                return order
    return None
