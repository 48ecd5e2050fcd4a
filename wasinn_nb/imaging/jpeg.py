"""JPEG as arrays: libjpeg-turbo as in Pillow, with the same values, and without Pillow's copy."""

from __future__ import annotations

from typing import IO

import numpy as np
import simplejpeg
from numpy.typing import NDArray
from PIL import Image

__all__ = ["jpeg_pixels"]


def jpeg_pixels(image: Image.Image, file: IO[bytes]) -> NDArray[np.uint8] | None:
    """Return the pixels of a color JPEG of which Pillow has read the header.

    Parameters
    ----------
    image : PIL.Image.Image
        Its size says at which part of the file's size libjpeg decodes.
    file : binary file
        Where it was read from.

    Returns
    -------
    (H, W, 3) uint8 array in RGB order, or None
        None where Pillow has to read it: other formats, gray, CMYK, and files with a fault.  What
        it says of these, and what it reads of them nevertheless, stays as it is.

    Examples
    --------
    >>> import io
    >>> file = io.BytesIO()
    >>> Image.new("RGB", (8, 8), (0, 0, 255)).save(file, "JPEG")
    >>> jpeg_pixels(Image.open(file), file)[0, 0].tolist()
    [0, 0, 254]
    """
    if image.format != "JPEG" or image.mode != "RGB":
        return None
    try:
        file.seek(0)
        pixels: NDArray[np.uint8] = simplejpeg.decode_jpeg(
            file.read(), "RGB", min_height=image.height, min_width=image.width
        )
    except (OSError, ValueError):
        return None
    return pixels if pixels.shape == (image.height, image.width, 3) else None
