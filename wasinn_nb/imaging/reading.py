"""Opening images: any source, any mode that Pillow reads, nothing taken on trust."""

from __future__ import annotations

import io
import os
import struct
import zlib
from collections.abc import Callable
from typing import IO, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from wasinn_nb.errors import ImageError
from wasinn_nb.files import existing_file
from wasinn_nb.imaging.recipe import MAX_SIDE, Color, Exif

__all__ = [
    "IMAGE_SUFFIXES",
    "JPEG_SUFFIXES",
    "ImageSource",
    "OpenedImage",
    "color_pixels",
    "open_image",
    "open_reduced",
    "rgb_image",
    "rgb_pixels",
    "rgba_image",
]

ImageSource: TypeAlias = (
    str
    | os.PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | IO[bytes]
    | Image.Image
    | NDArray[np.generic]
)
"""A path, an encoded image as bytes or as an open file, a `PIL.Image`, or an array in RGB order."""

JPEG_SUFFIXES: Final = (".jfif", ".jpeg", ".jpg")
"""How the names of JPEG files end, in lower case."""

IMAGE_SUFFIXES: Final = (
    *(".avif", ".bmp", ".gif", *JPEG_SUFFIXES, ".jp2", ".pbm", ".pgm", ".png", ".ppm"),
    *(".tif", ".tiff", ".webp"),
)
"""How the names of image files end, in lower case."""

# Pillow's decoders fail in many ways on broken files; nothing else is caught here.
_BROKEN: Final = (
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
_ORIENTATION: Final = 0x0112  # the EXIF tag; from 5 on rows and columns are swapped
_FIRST_SIDEWAYS: Final = 5
_GRAY_MODES: Final = {"1", "L", "LA", "La"}
# Pillow turns TIFF files upright, asked or not; this is the way back, by orientation.
_TURNED_BACK: Final = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


class OpenedImage(NamedTuple):
    """A fully read image and its full size.

    Attributes
    ----------
    image : PIL.Image
        Upright where the EXIF orientation was applied.
    height, width : int
        The size, in pixels, that the image has at full resolution; that of `image` is smaller
        where libjpeg decoded it at a part of its size.
    """

    image: Image.Image
    height: int
    width: int


_Needed: TypeAlias = Callable[[int, int], tuple[int, int]]


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
        ``"apply"`` turns the image as its EXIF orientation says.
    at_least : (height, width), optional
        Lets libjpeg decode an encoded JPEG at a half, a quarter or an eighth of its size, as long
        as it is no smaller than this; other images come at their own size.

    Raises
    ------
    MissingFileError
        If a path leads nowhere.
    ImageError
        If it is no image, or an empty, truncated or oversized one.

    Examples
    --------
    >>> open_image(np.zeros((2, 3), np.uint8)).size
    (3, 2)
    >>> open_image(b"not a picture")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.ImageError: the 13 bytes are no image that Pillow can read; they start
    with b'not a picture'
    """
    return open_reduced(source, exif, None if at_least is None else lambda *_: at_least).image


def open_reduced(
    source: ImageSource, exif: Exif = "ignore", needed: _Needed | None = None
) -> OpenedImage:
    """Return *source* as :func:`open_image` does, with its full size.

    Parameters
    ----------
    source, exif
        As for :func:`open_image`.
    needed : callable, optional
        Returns the height and width that are needed of an image, given its own, both after the
        EXIF orientation where it is applied; libjpeg may decode an encoded JPEG that small.

    Raises
    ------
    MissingFileError, ImageError
        As :func:`open_image`.
    """
    if isinstance(source, np.ndarray):
        image, name = _from_array(source), "the array"
    elif isinstance(source, Image.Image):
        image, name = source, "the image"
    else:
        return _decoded(source, exif, needed)
    return _complete(image, name, exif, None)  # a caller's image stays as large as it is


def _complete(
    image: Image.Image, name: str, exif: Exif, needed: _Needed | None = None
) -> OpenedImage:
    """Return *image* read to its end, and turned if *exif* says so."""
    if image.format == "EPS":  # to draw it, Pillow would run another program on it
        raise ImageError(f"{name}: PostScript, which is a program; export it as PNG or JPEG")
    if 0 in image.size or max(image.size) > MAX_SIDE:
        raise ImageError(
            f"{name}: {image.width}x{image.height} pixels; expected sides of 1 to {MAX_SIDE}"
        )
    try:
        reduced_from = None if needed is None else _reduce(image, exif, needed)
        turned = image.getexif().get(_ORIENTATION) if image.format == "TIFF" else None
        image.load()
        if exif == "apply":
            image = ImageOps.exif_transpose(image)
        elif turned in _TURNED_BACK:
            image = image.transpose(_TURNED_BACK[turned])
        return OpenedImage(image, *(reduced_from or image.size[::-1]))
    except _BROKEN as error:
        raise ImageError(
            f"{name}: begins like a {image.format or 'picture'}, cannot be read to its end: "
            f"{error}; fetch or export it again"
        ) from error


def _reduce(image: Image.Image, exif: Exif, needed: _Needed) -> tuple[int, int] | None:
    """Let libjpeg decode *image* smaller; return the full size if it does, as EXIF turns it."""
    full = image.size
    sideways = exif == "apply" and image.getexif().get(_ORIENTATION, 1) >= _FIRST_SIDEWAYS
    height, width = full if sideways else full[::-1]
    smallest = needed(height, width)
    image.draft(None, smallest if sideways else smallest[::-1])
    return None if image.size == full else (height, width)


def rgb_image(source: ImageSource, exif: Exif = "ignore") -> Image.Image:
    """Return *source* as an RGB image with 8 bits per channel.

    Grey is repeated, palettes are looked up, alpha is dropped (not blended), 1-bit becomes 0 and
    255, 16-bit grey is rounded to 8 (``(v + 128) // 257``, as `image` 0.24 does), CMYK and the
    other colour spaces are converted by Pillow.  16-bit colour files lose their low bytes to
    Pillow's decoder.

    Parameters are those of :func:`open_image`.

    Raises
    ------
    MissingFileError, ImageError
        As :func:`open_image`; and for floating-point images, whose range nothing says.
    """
    image = open_image(source, exif)
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I"):
        return Image.fromarray(_as_8_bit(_grey_16_bit(image))).convert("RGB")
    if image.mode == "F":
        raise ImageError(
            "a floating-point image does not say its range; scale it to 0..255 "
            "and pass a uint8 array"
        )
    try:
        # A palette may carry alpha; going through RGBA keeps its colours and drops the alpha.
        # Pillow turns La (premultiplied) into nothing but LA.
        through = {"P": "RGBA", "PA": "RGBA", "La": "LA"}.get(image.mode, image.mode)
        return image.convert(through).convert("RGB")
    except _BROKEN as error:
        raise ImageError(f"Pillow cannot turn mode {image.mode} into RGB: {error}") from error


def rgba_image(source: ImageSource, exif: Exif = "ignore") -> Image.Image:
    """Return *source* as an RGBA image with 8 bits per channel.

    Alpha is the image's own, also that of a palette or of a transparent color, and 255 where it
    has none; colors are as :func:`rgb_image` makes them.  Parameters and errors are its, too.

    Examples
    --------
    >>> rgba_image(np.full((1, 1), 7, np.uint8)).getpixel((0, 0))
    (7, 7, 7, 255)
    """
    image = open_image(source, exif)
    if image.mode == "RGBA":
        return image
    if image.mode.startswith("I") or not image.has_transparency_data:
        return rgb_image(image).convert("RGBA")
    try:
        return image.convert("LA" if image.mode == "La" else image.mode).convert("RGBA")
    except _BROKEN as error:
        raise ImageError(f"Pillow cannot turn mode {image.mode} into RGBA: {error}") from error


def kept_image(source: ImageSource, exif: Exif = "ignore") -> bytes | NDArray[np.uint8]:
    """Return *source* so that it can no longer change: encoded bytes, or a read-only RGB array.

    Bytes are a tenth of the pixels, and nobody may ever look at them.

    Raises
    ------
    MissingFileError, ImageError
        If it is no image; that an encoded one ends too early shows only when it is decoded.
    """
    if isinstance(source, Image.Image | np.ndarray):
        pixels = np.asarray(rgb_image(source, exif))
        if pixels.flags.writeable:
            pixels = pixels.copy()
            pixels.flags.writeable = False
        return pixels
    content = source if isinstance(source, bytes) else encoded_bytes(source)
    try:
        with Image.open(io.BytesIO(content)):
            return content
    except _BROKEN:
        open_image(source if isinstance(source, str | os.PathLike) else content, exif)
        raise


def encoded_bytes(source: ImageSource) -> bytes:
    """Return the bytes of an encoded image: of a file that a path leads to, or that is open.

    Raises
    ------
    MissingFileError, ImageError
        If it cannot be read.
    """
    if isinstance(source, str | os.PathLike):
        path = existing_file(source, "image")
        try:
            return path.read_bytes()
        except OSError as error:
            raise ImageError(f"{path} cannot be read: {error}") from error
    if isinstance(source, bytes | bytearray | memoryview):
        return bytes(source)
    if not isinstance(source, Image.Image | np.ndarray) and hasattr(source, "read"):
        return _content(source)
    raise ImageError(f"expected an encoded image, got {type(source).__name__}")


def rgb_pixels(
    source: ImageSource, exif: Exif = "ignore"
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Return *source* as an (H, W, 3) array: uint8, or uint16 for 16-bit grey.

    The guests resize 16-bit images at 16 bits and round to 8 afterwards.
    """
    image = open_image(source, exif)
    if image.mode.startswith("I"):
        return np.repeat(_grey_16_bit(image)[:, :, None], 3, axis=2)
    return np.asarray(rgb_image(image))


def color_pixels(image: Image.Image, color: Color) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Return an opened image as an (H, W, C) array: uint8, or uint16 for 16-bit gray.

    C is 4 in RGBA order for ``RGBA`` and ``BGRA``, 1 for ``GRAY`` if the image is gray itself, and
    else 3 in RGB order.
    """
    wide = image.mode.startswith("I")
    if color == "GRAY" and (wide or image.mode in _GRAY_MODES):
        return rgb_pixels(image)[:, :, :1]
    if color not in {"RGBA", "BGRA"}:
        return rgb_pixels(image)
    if not wide:
        return np.asarray(rgba_image(image))
    pixels = rgb_pixels(image)
    opaque = np.full_like(pixels[:, :, :1], 65_535)
    return np.concatenate([pixels, opaque], axis=2)


def _as_8_bit(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _grey_16_bit(image: Image.Image) -> NDArray[np.uint16]:
    values = np.asarray(image)
    if values.size and (values.min() < 0 or values.max() > 65_535):
        raise ImageError(
            f"expected 16-bit grey values from 0 to 65535, got {values.min()} to {values.max()}; "
            f"scale them and pass a uint8 or uint16 array"
        )
    return values.astype(np.uint16)


def _from_array(array: NDArray[np.generic]) -> Image.Image:
    shape_fits = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in {1, 3, 4})
    type_fits = array.dtype == np.uint8 or (array.dtype == np.uint16 and array.ndim == 2)
    if not shape_fits or not type_fits:
        raise ImageError(
            f"expected a (H, W), (H, W, 3) or (H, W, 4) uint8 array in RGB order, "
            f"or (H, W) uint16, got {array.shape} {array.dtype}"
        )
    if 0 in array.shape:
        raise ImageError(f"the array has no pixels: its shape is {array.shape}")
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[:, :, 0]
    return Image.fromarray(np.ascontiguousarray(array))


def _decoded(
    source: str | os.PathLike[str] | bytes | bytearray | memoryview | IO[bytes],
    exif: Exif,
    needed: _Needed | None,
) -> OpenedImage:
    if isinstance(source, str | os.PathLike):
        path = existing_file(source, "image")
        try:
            # Pillow leaves files with several frames open.
            with path.open("rb") as file:
                return _decoded_file(file, str(path), exif, needed)
        except OSError as error:
            raise ImageError(f"{path} cannot be read: {error}") from error
    if isinstance(source, bytes | bytearray | memoryview):
        name = f"the {memoryview(source).nbytes} bytes"
        return _decoded_file(io.BytesIO(source), name, exif, needed)
    if hasattr(source, "read"):
        return _decoded(_content(source), exif, needed)
    raise ImageError(
        f"expected a path, bytes, an open file, a PIL.Image or an array, "
        f"got {type(source).__name__}"
    )


def _decoded_file(file: IO[bytes], name: str, exif: Exif, needed: _Needed | None) -> OpenedImage:
    start = file.read(16)
    if not start:
        raise ImageError(f"{name}: empty; expected an encoded image such as JPEG or PNG")
    try:
        image = Image.open(file)
    except UnidentifiedImageError as error:
        are, they = ("are", "they start") if isinstance(file, io.BytesIO) else ("is", "it starts")
        raise ImageError(
            f"{name} {are} no image that Pillow can read; {they} with {start!r}"
        ) from error
    except _BROKEN as error:
        raise ImageError(f"{name} cannot be opened as an image: {error}") from error
    return _complete(image, name, exif, needed)


def _content(file: IO[bytes]) -> bytes:
    """Return what is in an open file, from its beginning as Pillow reads it."""
    try:
        if file.seekable():
            file.seek(0)
        content = file.read()
    except (OSError, ValueError, AttributeError) as error:  # closed, or made of other things
        raise ImageError(f"the open file cannot be read: {error}") from error
    if not isinstance(content, bytes | bytearray | memoryview):
        raise ImageError(
            f"expected a file opened as binary ('rb'), it gives {type(content).__name__}"
        )
    return bytes(content)
