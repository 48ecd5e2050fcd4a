"""Images in the color modes that models take: RGB, RGBA and gray, with 8 or 16 bits."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.errors import ImageError, Remedy
from wasinn_nb.imaging.depth import spread
from wasinn_nb.imaging.reading import BROKEN, open_image
from wasinn_nb.imaging.recipe import Color, Exif
from wasinn_nb.imaging.sources import ImageSource

__all__ = ["color_pixels", "narrowed", "rgb_image", "rgb_pixels", "rgba_image"]

_SCALE: Final = Remedy(
    "scale it and pass a uint8 or uint16 array",
    command="scale it to 0 to 255, and save it as PNG",
)
_GRAY_MODES: Final = {"1", "L", "LA", "La"}


def rgb_image(source: ImageSource, exif: Exif = "ignore", bits: int | None = None) -> Image.Image:
    """Return *source* as an RGB image with 8 bits per channel.

    Gray is repeated, palettes are looked up, alpha is dropped (not blended), 1-bit becomes 0 and
    255, 16-bit gray is rounded to 8 (``(v + 128) // 257``, as `image` 0.24 does), CMYK and the
    other color spaces are converted by Pillow.  16-bit color files lose their low bytes to
    Pillow's decoder.

    Parameters
    ----------
    source, exif
        As for :func:`open_image`.
    bits : int, optional
        As in a `PreprocessRecipe`.

    Raises
    ------
    MissingFileError, ImageError
        As :func:`open_image`; and for floating-point images, whose range is not stated.

    Examples
    --------
    >>> rgb_image(np.full((1, 1), 7, np.uint8)).getpixel((0, 0))
    (7, 7, 7)
    """
    image = spread(open_image(source, exif), bits)
    if image.mode == "RGB":
        return image
    if image.mode.startswith("I"):
        return Image.fromarray(narrowed(_gray_16_bit(image))).convert("RGB")
    if image.mode == "F":
        raise ImageError("a floating-point image does not state its range", remedy=_SCALE)
    try:
        # A palette may carry alpha; going through RGBA keeps its colors and drops the alpha.
        # Pillow turns La (premultiplied) into nothing but LA.
        through = {"P": "RGBA", "PA": "RGBA", "La": "LA"}.get(image.mode, image.mode)
        return image.convert(through).convert("RGB")
    except BROKEN as error:
        raise ImageError(f"Pillow cannot turn mode {image.mode} into RGB: {error}") from error


def rgba_image(source: ImageSource, exif: Exif = "ignore") -> Image.Image:
    """Return *source* as an RGBA image with 8 bits per channel.

    Alpha is the image's own, also that of a palette or of a transparent color, and 255 where it
    has none; colors are as :func:`rgb_image` makes them.

    Parameters
    ----------
    source, exif
        As for :func:`open_image`.

    Raises
    ------
    MissingFileError, ImageError
        As :func:`rgb_image`.

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
    except BROKEN as error:
        raise ImageError(f"Pillow cannot turn mode {image.mode} into RGBA: {error}") from error


def rgb_pixels(
    source: ImageSource, exif: Exif = "ignore"
) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Return *source* as an (H, W, 3) array: uint8, or uint16 for 16-bit gray.

    The guests resize 16-bit images at 16 bits and round to 8 afterwards.

    Parameters
    ----------
    source, exif
        As for :func:`open_image`.

    Raises
    ------
    MissingFileError, ImageError
        As :func:`rgb_image`.

    Examples
    --------
    >>> rgb_pixels(np.full((1, 1), 300, np.uint16)).tolist()
    [[[300, 300, 300]]]
    """
    image = open_image(source, exif)
    if image.mode.startswith("I"):
        return np.repeat(_gray_16_bit(image)[:, :, None], 3, axis=2)
    return np.asarray(rgb_image(image))


def color_pixels(image: Image.Image, color: Color) -> NDArray[np.uint8] | NDArray[np.uint16]:
    """Return an opened image as an (H, W, C) array: uint8, or uint16 for 16-bit gray.

    C is 4 in RGBA order for ``RGBA`` and ``BGRA``, 1 for ``GRAY`` if the image is gray itself, and
    else 3 in RGB order.

    Parameters
    ----------
    image : PIL.Image.Image
    color : {"BGR", "RGB", "GRAY", "RGBA", "BGRA"}

    Raises
    ------
    ImageError
        As :func:`rgb_image`.
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


def narrowed(values: NDArray[np.uint16]) -> NDArray[np.uint8]:
    """Return 16-bit values rounded to 8 bits, as the Rust `image` crate does from 0.24 on.

    Parameters
    ----------
    values : uint16 array

    Examples
    --------
    >>> narrowed(np.array([0, 128, 129, 65_535], np.uint16)).tolist()
    [0, 0, 1, 255]
    """
    return ((values.astype(np.uint32) + 128) // 257).astype(np.uint8)


def _gray_16_bit(image: Image.Image) -> NDArray[np.uint16]:
    values = np.asarray(image)
    if values.size and (values.min() < 0 or values.max() > 65_535):
        raise ImageError(
            f"expected 16-bit gray values from 0 to 65535, got {values.min()} to {values.max()}",
            remedy=_SCALE,
        )
    return values.astype(np.uint16)
