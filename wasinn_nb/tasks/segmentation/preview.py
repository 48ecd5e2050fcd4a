"""A mask, over its image where there is one, encoded small enough to embed in a notebook."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from wasinn_nb.render import palette_image
from wasinn_nb.tasks.segmentation.on_image import blended

if TYPE_CHECKING:
    from wasinn_nb.tasks.segmentation.result import SegmentationResult

__all__ = ["encoded_preview"]

_SIDES: Final = (900, 640, 450, 320, 200)
"""Longer sides in pixels, tried in this order until the image is small enough."""

_MOST_BYTES: Final = 220_000
"""How small that is: 293,000 characters of base64."""

_OPACITY: Final = 0.5
_SMALL_MASK: Final = 320
"""Masks whose longer side is shorter than this are shown enlarged."""


def encoded_preview(result: SegmentationResult) -> tuple[str, bytes, int]:
    """Encode a result's mask, over its image where it has one: JPEG, else an index PNG.

    Labels are brought to the smaller size and colored there.

    Parameters
    ----------
    result : SegmentationResult

    Returns
    -------
    media type, bytes, and the widest that it is shown, in CSS pixels
    """
    pixels = result.photo
    whole = result.labels.shape if pixels is None else pixels.shape[:2]
    for side in _SIDES:
        shrink = min(1.0, side / max(whole))
        height, width = (max(1, round(length * shrink)) for length in whole)
        labels = result.labels_at(height, width)
        encoded = io.BytesIO()
        if pixels is None:
            palette_image(labels, result.card.palette).save(encoded, "PNG", optimize=True)
        else:
            small = Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR)
            tinted = blended(result, np.asarray(small), labels, _OPACITY)
            Image.fromarray(tinted).save(encoded, "JPEG", quality=85)
        if encoded.tell() <= _MOST_BYTES:
            break
    media_type = "image/png" if pixels is None else "image/jpeg"
    return media_type, encoded.getvalue(), width * max(1, _SMALL_MASK // max(height, width))
