"""How Pillow stores what it reads: its raw modes, which say what a file's samples were."""

from __future__ import annotations

from typing import Final

from PIL import Image

__all__ = ["CUT_TO_8_BITS", "stored_as"]

CUT_TO_8_BITS: Final = (";16B", ";16L", ";16N")
"""How the raw modes end of which Pillow keeps the high bytes, where they have several channels."""

_LARGEST: Final = {"L;2": 3, "L;2R": 3, "L;4": 15, "L;4R": 15}
"""The largest sample of Pillow's raw modes whose samples it multiplies up to 255."""


def stored_as(image: Image.Image) -> tuple[str, int]:
    """Return the raw mode of an image that is not loaded, and its largest sample.

    They are empty and 0 where Pillow does not change samples, or has loaded them.
    """
    tiles = getattr(image, "tile", None) or []
    if not tiles:
        return "", 0
    codec, arguments = tiles[0][0], tiles[0][3]
    if isinstance(arguments, str):
        arguments = (arguments,)
    raw_mode = str(arguments[0]) if arguments else ""
    if codec in {"ppm", "ppm_plain"} and isinstance(arguments[-1], int):
        return raw_mode, int(arguments[-1])
    return raw_mode, _LARGEST.get(raw_mode, 0)
