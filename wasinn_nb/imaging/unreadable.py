"""What a file is that Pillow does not read as an image, and what reads it."""

from __future__ import annotations

import re
from typing import Final

from PIL import features

__all__ = ["HEADER_BYTES", "unread_format"]

HEADER_BYTES: Final = 512
"""How much of a file :func:`unread_format` looks at."""

_EXPORT: Final = "export it as PNG"
_CONVERT: Final = "convert it to PNG or JPEG"
_HEIC: Final = (
    f"{_CONVERT}, or install a plug-in (pip install pillow-heif) and register it in Python: "
    f"import pillow_heif; pillow_heif.register_heif_opener()"
)
_AVIF: Final = (
    f"{_CONVERT}, or install a Pillow that reads AVIF: pip install --upgrade 'pillow>=11.3'"
)
_JPEG_XL: Final = (
    f"{_CONVERT}, or install a plug-in (pip install pillow-jxl-plugin) and import it in Python: "
    f"import pillow_jxl"
)
# Sources of the brands: ISO/IEC 23008-12 (HEIF), the AVIF specification, https://mp4ra.org.
_HEIC_BRANDS: Final = {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"}
_AVIF_BRANDS: Final = {b"avif", b"avis"}
_FORMATS: Final = (
    (rb"\xff\x0a|\x00\x00\x00\x0cJXL \x0d\x0a\x87\x0a", "a JPEG XL image", _JPEG_XL),
    (rb"%PDF-", "a PDF document", "export its page as PNG"),
    (
        rb"\s*(<\?xml[^>]*>\s*)?(<!--.*?-->\s*|<!DOCTYPE svg[^>]*>\s*)*<svg",
        "an SVG drawing",
        _EXPORT,
    ),
    (rb"\s*<(!DOCTYPE html|html)", "a web page", "download the image itself"),
    (rb"version https://git-lfs", "a Git LFS pointer", "fetch the file itself: git lfs pull"),
    (rb"RIFF....AVI ", "a video (AVI)", "save a frame of it as PNG"),
    (rb"\x1aE\xdf\xa3", "a video (Matroska or WebM)", "save a frame of it as PNG"),
    (
        rb"\x93NUMPY",
        "a NumPy array",
        "save it as PNG; in Python, pass the array that numpy.load gives",
    ),
)


def unread_format(start: bytes) -> tuple[str, str] | None:
    """Return what a file is that Pillow could not identify, and what to do about it.

    Parameters
    ----------
    start : bytes
        The first `HEADER_BYTES` of the file.

    Returns
    -------
    (str, str) or None
        With its article; None where it is not known, or where the Pillow here reads the format.

    Examples
    --------
    >>> unread_format(b"%PDF-1.7")
    ('a PDF document', 'export its page as PNG')
    """
    if start[4:8] == b"ftyp":
        return _of_brands({start[i : i + 4] for i in range(8, min(_box_size(start), 64), 4)})
    for pattern, name, remedy in _FORMATS:
        if re.match(pattern, start, re.DOTALL | re.IGNORECASE):
            return name, remedy
    return None


def _box_size(start: bytes) -> int:
    return int.from_bytes(start[:4], "big")


def _of_brands(brands: set[bytes]) -> tuple[str, str] | None:
    if brands & _AVIF_BRANDS:
        return None if features.check("avif") else ("an AVIF image", _AVIF)
    if brands & _HEIC_BRANDS:
        return "a HEIC image (HEIF)", _HEIC
    return "a video (MP4 or QuickTime)", "save a frame of it as PNG"
