"""How many bits the values of an image have: cameras put 10, 12 or 14 into files of 16."""

from __future__ import annotations

import io
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.errors import ImageError
from wasinn_nb.imaging.rawmodes import CUT_TO_8_BITS, stored_as
from wasinn_nb.imaging.sources import EncodedImage, ImageSource

__all__ = ["spread", "unused_bits"]

_DEPTHS: Final = (10, 12, 14)
_BITS: Final = 16
_MOST: Final = 65_535


def spread(image: Image.Image, bits: int | None) -> Image.Image:
    """Return a gray image of 16 bits whose values have fewer, with values up to 65535.

    Parameters
    ----------
    image : PIL.Image.Image
        Images of other modes are returned as they are.
    bits : int or None
        How many bits values have; None for all 16.

    Raises
    ------
    ImageError
        If a value has more bits.

    Examples
    --------
    >>> twelve = Image.fromarray(np.array([[0, 2048, 4095]], np.uint16))
    >>> np.asarray(spread(twelve, 12)).tolist()
    [[0, 32776, 65535]]
    """
    if bits is None or not image.mode.startswith("I"):
        return image
    values = np.asarray(image)
    most = (1 << bits) - 1
    if values.min() < 0 or values.max() > most:
        raise ImageError(
            f"expected values of {bits} bits, 0 to {most}, got {values.min()} to {values.max()}; "
            f"state the bits that they have, or none for all {_BITS}"
        )
    wide: NDArray[np.uint32] = (values.astype(np.uint32) * _MOST + most // 2) // most
    return Image.fromarray(wide.astype(np.uint16))


def unused_bits(image: Image.Image | NDArray[np.uint8], source: ImageSource | EncodedImage) -> str:
    """Return a sentence on an image of 16 bits of which the upper ones are not used; else nothing.

    Parameters
    ----------
    image : PIL.Image.Image or uint8 array
        As it was read.
    source : path, bytes, binary file, PIL.Image, array or EncodedImage
        What it was read from.  That a color file has 16 bits shows only in an `EncodedImage`.

    Examples
    --------
    >>> dark = Image.fromarray(np.array([[0, 4095]], np.uint16))
    >>> unused_bits(dark, dark)
    'image values up to 4095 of 65535 (recipe bits=12, if they have 12 bits)'
    """
    if isinstance(image, np.ndarray):  # every bit of 8 is used
        return ""
    if image.mode.startswith("I"):
        most = int(np.asarray(image).max())
        depth = next((bits for bits in _DEPTHS if most < 1 << bits), None)
        if depth is None or not most:
            return ""
        known = f"recipe bits={depth}, if they have {depth} bits"
        return f"image values up to {most} of {_MOST} ({known})"
    deep = image.mode in {"RGB", "RGBA", "LA"} and image.format != "JPEG"
    if not deep or not isinstance(source, EncodedImage):
        return ""
    with Image.open(io.BytesIO(source.content)) as header:
        if not stored_as(header)[0].endswith(CUT_TO_8_BITS):
            return ""
    most = int(np.asarray(image)[..., : 1 if image.mode == "LA" else 3].max())
    if not 0 < most < 1 << (_DEPTHS[-1] - 8):
        return ""
    return (
        f"image values up to {most} of 255: the file has 16 bits per channel, of which the upper 8 "
        f"are read; bring it to 8 bits first, if its values have fewer than 16"
    )
