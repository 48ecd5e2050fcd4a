"""Opening images: any source, any mode that Pillow reads, everything checked."""

from __future__ import annotations

import struct
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from wasinn_nb.errors import ImageError, Remedy
from wasinn_nb.imaging.exif import exif_orientation, is_sideways
from wasinn_nb.imaging.jpeg import jpeg_pixels
from wasinn_nb.imaging.recipe import MAX_SIDE, Exif
from wasinn_nb.imaging.sources import EncodedImage, ImageSource, encoded_file
from wasinn_nb.imaging.unreadable import HEADER_BYTES, unread_format

__all__ = ["BROKEN", "OpenedImage", "formats_loading", "open_image", "open_reduced"]

BROKEN: Final = (
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    struct.error,
    zlib.error,
    LookupError,
    TypeError,
    AttributeError,
    AssertionError,
    ArithmeticError,
    RuntimeError,  # AVIF; as NotImplementedError, DDS and BLP
    MemoryError,
    Image.DecompressionBombError,
    Image.DecompressionBombWarning,
)
"""What Pillow's decoders raise on broken files."""

# Pillow always turns TIFF files upright; this turns them back, by orientation.
_TURNED_BACK: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


_TOO_MANY_PIXELS: Final = Remedy(
    "of an image that you trust, set PIL.Image.MAX_IMAGE_PIXELS = None before; or make it smaller",
    command="make it smaller; in Python, PIL.Image.MAX_IMAGE_PIXELS = None lifts the limit",
)


class OpenedImage(NamedTuple):
    """A fully read image and its full size.

    Attributes
    ----------
    content : PIL.Image, or (H, W, 3) uint8 array in RGB order
        Upright where the EXIF orientation was applied.
    height, width : int
        The size, in pixels, that the image has at full resolution; that of `content` is smaller
        where libjpeg decoded it at a part of its size.
    ignored : int
        The EXIF orientation that was not applied; 1 where there was none, or where it is known
        that it is not to be applied.
    """

    content: Image.Image | NDArray[np.uint8]
    height: int
    width: int
    ignored: int = 1

    @property
    def image(self) -> Image.Image:
        """The content as a PIL.Image."""
        return (
            Image.fromarray(self.content) if isinstance(self.content, np.ndarray) else self.content
        )


_Needed: TypeAlias = Callable[[int, int], tuple[int, int]]


@contextmanager
def formats_loading() -> Iterator[None]:
    """Let another thread import Pillow's common formats; the first image needs them.

    They are there at the end of the context.

    Examples
    --------
    >>> with formats_loading():
    ...     "a model is compiled"
    'a model is compiled'
    """
    thread = threading.Thread(target=Image.preinit, name="wasinn-nb formats", daemon=True)
    try:
        thread.start()
    except RuntimeError:  # the interpreter is on its way out, or the system has no more threads
        yield
        return
    try:
        yield
    finally:
        thread.join()


def open_image(
    source: ImageSource, exif: Exif = "ignore", at_least: tuple[int, int] | None = None
) -> Image.Image:
    """Return *source* as a fully read Pillow image in its own mode.

    Parameters
    ----------
    source : path, bytes, binary file, PIL.Image or array
        Arrays are (H, W), (H, W, 1), (H, W, 3) or (H, W, 4), uint8 in RGB order; (H, W) may be
        uint16.
    exif : {"ignore", "apply"}
        ``"apply"`` turns the image upright by its EXIF orientation.
    at_least : (height, width), optional
        Lets libjpeg decode an encoded JPEG at a half, a quarter or an eighth of its size, as long
        as it is no smaller than this; other images come at their own size.

    Raises
    ------
    MissingFileError
        If a path leads nowhere.
    ImageError
        If it is not an image, or an empty, truncated or oversized one.

    Examples
    --------
    >>> open_image(np.zeros((2, 3), np.uint8)).size
    (3, 2)
    >>> open_image(b"not an image")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.ImageError: the 12 bytes: not an image that Pillow can read; the first bytes
    are b'not an image'
    """
    needed = None if at_least is None else lambda *_: at_least
    return open_reduced(source, exif, needed).image


def open_reduced(
    source: ImageSource | EncodedImage,
    exif: Exif = "ignore",
    needed: _Needed | None = None,
    *,
    arrays: bool = False,
) -> OpenedImage:
    """Return *source* as :func:`open_image` does, with its full size.

    Parameters
    ----------
    source : as for :func:`open_image`, or EncodedImage
    exif : {"ignore", "apply"}
        As for :func:`open_image`.
    needed : callable, optional
        Returns the height and width that are needed of an image, given its own, both after the
        EXIF orientation where it is applied; libjpeg may decode an encoded JPEG that small.
    arrays : bool
        Whether an encoded JPEG may become an array, which is quicker than a PIL.Image.

    Raises
    ------
    MissingFileError, ImageError
        As :func:`open_image`.
    """
    # A caller's image stays as large as it is.
    if isinstance(source, np.ndarray):
        return _complete(_from_array(source), "the array", exif)
    if isinstance(source, Image.Image):
        return _complete(source, "the image", exif)
    with encoded_file(source) as (file, name):
        return _complete(_decoded(file, name), name, exif, needed, file if arrays else None)


def _decoded(file: IO[bytes], name: str) -> Image.Image:
    """Return an image whose header is read."""
    start = file.read(HEADER_BYTES)
    if not start:
        raise ImageError("empty; expected an encoded image such as JPEG or PNG", source=name)
    try:
        return Image.open(file)
    except UnidentifiedImageError as error:
        if (known := unread_format(start)) is not None:
            message = f"{known[0]}, which is not read here; {known[1]}"
            raise ImageError(message, source=name) from error
        raise ImageError(
            f"not an image that Pillow can read; the first bytes are {start[:16]!r}", source=name
        ) from error
    except Image.DecompressionBombError as error:
        raise ImageError(
            f"cannot be opened as an image: {str(error).rstrip('.')}",
            source=name,
            remedy=_TOO_MANY_PIXELS,
        ) from error
    except BROKEN as error:
        raise ImageError(f"cannot be opened as an image: {error}", source=name) from error


def _complete(
    image: Image.Image,
    name: str,
    exif: Exif,
    needed: _Needed | None = None,
    file: IO[bytes] | None = None,
) -> OpenedImage:
    """Return *image* read to its end, and turned if *exif* says so; as an array of *file*."""
    if image.format == "EPS":  # to draw it, Pillow would run another program on it
        message = "PostScript, which is a program; export it as PNG or JPEG"
        raise ImageError(message, source=name)
    if 0 in image.size or max(image.size) > MAX_SIDE:
        raise ImageError(
            f"{image.width}x{image.height} pixels; expected sides of 1 to {MAX_SIDE}", source=name
        )
    try:
        reduced_from = None if needed is None else _reduce(image, exif, needed)
        if (
            file is not None
            and (exif == "ignore" or exif_orientation(image) == 1)
            and (pixels := jpeg_pixels(image, file)) is not None
        ):
            ignored = _ignored(image) if exif == "ignore" else 1
            height, width = reduced_from or pixels.shape[:2]
            return OpenedImage(pixels, height, width, ignored)
        turned_by_pillow = exif_orientation(image) if image.format == "TIFF" else None
        image.load()
        if exif == "apply":
            image, ignored = ImageOps.exif_transpose(image), 1
        elif turned_by_pillow is None:
            ignored = _ignored(image)
        else:
            ignored = turned_by_pillow
            if ignored in _TURNED_BACK:
                image = image.transpose(_TURNED_BACK[ignored])
        return OpenedImage(image, *(reduced_from or image.size[::-1]), ignored)
    except BROKEN as error:
        begins_like = f"a {image.format}" if image.format else "an image"
        raise ImageError(
            f"begins like {begins_like}, cannot be read to its end: {error}; "
            f"fetch or export it again",
            source=name,
        ) from error


def _ignored(image: Image.Image) -> int:
    """Return the EXIF orientation of an image; 1 where its EXIF cannot be read."""
    try:
        return exif_orientation(image)
    except BROKEN:
        return 1


def _reduce(image: Image.Image, exif: Exif, needed: _Needed) -> tuple[int, int] | None:
    """Let libjpeg decode *image* smaller; return the full size if it does, as EXIF turns it."""
    full = image.size
    sideways = exif == "apply" and is_sideways(image)
    height, width = full if sideways else full[::-1]
    smallest = needed(height, width)
    image.draft(None, smallest if sideways else smallest[::-1])
    return None if image.size == full else (height, width)


def _from_array(array: NDArray[np.generic]) -> Image.Image:
    shape_fits = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in {1, 3, 4})
    type_fits = array.dtype == np.uint8 or (array.dtype == np.uint16 and array.ndim == 2)
    if not shape_fits or not type_fits:
        raise ImageError(
            f"expected a (H, W), (H, W, 3) or (H, W, 4) uint8 array in RGB order, "
            f"or (H, W) uint16, got {array.shape} {array.dtype}{_as_it_should_be(array)}"
        )
    if 0 in array.shape:
        raise ImageError(f"the array has no pixels: its shape is {array.shape}")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    return Image.fromarray(np.ascontiguousarray(array))


def _as_it_should_be(array: NDArray[np.generic]) -> str:
    """Return what makes an image of an array x that is none; empty where nothing is known."""
    code, shape = "x", array.shape
    if len(shape) == 4 and shape[0] == 1:
        code, shape = "x[0]", shape[1:]
    if len(shape) == 3 and shape[0] in {1, 3, 4} and shape[2] not in {1, 3, 4}:
        code, shape = f"{code}.transpose(1, 2, 0)", (*shape[1:], shape[0])
    if not (len(shape) == 2 or (len(shape) == 3 and shape[2] in {1, 3, 4})):
        return ""
    kind = array.dtype.kind
    if array.dtype == np.uint8:
        return f"; pass {code}"
    if kind == "u" and array.dtype.itemsize == 2:
        return f'; of values from 0 to 65535, pass ({code} // 257).astype("uint8")'
    if kind == "b" or (kind == "f" and bool((array <= np.float64(1)).all())):
        return f'; of values from 0 to 1, pass ({code} * 255).astype("uint8")'
    return f'; of values from 0 to 255, pass {code}.astype("uint8")' if kind in "fiu" else ""
