"""Images as results keep them: small, and so that they can no longer change."""

from __future__ import annotations

import io
import warnings

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.imaging.colors import rgb_image
from wasinn_nb.imaging.reading import BROKEN, open_reduced
from wasinn_nb.imaging.recipe import Exif
from wasinn_nb.imaging.sources import ImageSource, read_encoded

__all__ = ["kept_image"]


def kept_image(
    source: ImageSource, exif: Exif = "ignore", bits: int | None = None
) -> bytes | NDArray[np.uint8]:
    """Return *source* so that it can no longer change: encoded bytes, or a read-only RGB array.

    Encoded bytes take about a tenth of the memory of pixels, and are decoded only when they are
    shown.

    Parameters
    ----------
    source : path, bytes, binary file, PIL.Image or array
    exif : {"ignore", "apply"}
        Whether the EXIF orientation turns an image that comes decoded.
    bits : int, optional
        As in a `PreprocessRecipe`, of such an image.

    Returns
    -------
    bytes, or (H, W, 3) uint8 array in RGB order

    Raises
    ------
    MissingFileError, ImageError
        If it is not an image; that an encoded one ends too early shows only when it is decoded.

    Examples
    --------
    >>> kept_image(np.zeros((2, 3), np.uint8)).shape
    (2, 3, 3)
    """
    if isinstance(source, Image.Image | np.ndarray):
        pixels = np.asarray(rgb_image(source, exif, bits))
        if pixels.flags.writeable:
            pixels = pixels.copy()
            pixels.flags.writeable = False
        return pixels
    encoded = read_encoded(source)
    try:
        with warnings.catch_warnings():
            # Whoever decodes the image gets Pillow's warning of its size; once is enough.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(encoded.content)):
                return encoded.content
    except BROKEN:
        open_reduced(encoded, exif)  # raises the error with the reason
        raise
