"""The EXIF orientation of images: how a camera was held."""

from __future__ import annotations

from typing import Final

from PIL import ExifTags, Image

__all__ = ["exif_orientation", "ignored_orientation", "is_sideways"]

_UPRIGHT: Final = 1
_FIRST_SIDEWAYS: Final = 5
_LAST: Final = 8


def exif_orientation(image: Image.Image) -> int:
    """Return the EXIF orientation of an image.

    Parameters
    ----------
    image : PIL.Image.Image

    Returns
    -------
    int
        1 to 8 (source: Exif 2.32, section 4.6.4); 1 is upright, and stands for what is missing or
        not one of these, too.

    Examples
    --------
    >>> image = Image.new("RGB", (4, 3))
    >>> exif_orientation(image)
    1
    >>> image.getexif()[ExifTags.Base.Orientation] = 6
    >>> exif_orientation(image)
    6
    """
    orientation = image.getexif().get(ExifTags.Base.Orientation)
    if isinstance(orientation, int) and _UPRIGHT <= orientation <= _LAST:
        return orientation
    return _UPRIGHT


def is_sideways(image: Image.Image) -> bool:
    """Return whether the EXIF orientation, once it is applied, exchanges height and width.

    Parameters
    ----------
    image : PIL.Image.Image

    Examples
    --------
    >>> image = Image.new("RGB", (4, 3))
    >>> is_sideways(image)
    False
    >>> image.getexif()[ExifTags.Base.Orientation] = 8
    >>> is_sideways(image)
    True
    """
    return exif_orientation(image) >= _FIRST_SIDEWAYS


def ignored_orientation(orientation: int) -> str:
    """Return a sentence on an EXIF orientation that is not applied; nothing of an upright image.

    Parameters
    ----------
    orientation : int
        As from :func:`exif_orientation`.

    Examples
    --------
    >>> ignored_orientation(6)
    'the image as it is stored, not turned by its EXIF orientation 6 (recipe exif=apply turns it)'
    >>> ignored_orientation(1)
    ''
    """
    if orientation == _UPRIGHT:
        return ""
    return (
        f"the image as it is stored, not turned by its EXIF orientation {orientation} (recipe "
        f"exif=apply turns it)"
    )
