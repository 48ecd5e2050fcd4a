"""Images and figures as the bytes that HTML embeds."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL import Image

__all__ = ["encoded_figure", "encoded_image"]


def encoded_image(image: Image.Image, longest: int | None = None) -> tuple[str, bytes, int]:
    r"""Encode an image: PNG for index images and those with alpha, else JPEG.

    Parameters
    ----------
    image : PIL.Image.Image
    longest : int, optional
        The longest side in pixels; a larger image is made smaller.

    Returns
    -------
    media type, bytes, width in pixels

    Examples
    --------
    >>> from PIL import Image
    >>> kind, data, width = encoded_image(Image.new("RGB", (400, 100)), 200)
    >>> kind, data[:2], width
    ('image/jpeg', b'\xff\xd8', 200)
    """
    if longest is not None and max(image.size) > longest:
        image = image.copy()
        image.thumbnail((longest, longest))
    file = io.BytesIO()
    if image.mode in {"P", "RGBA", "1"}:
        image.save(file, "PNG", optimize=True)
        return "image/png", file.getvalue(), image.width
    image.save(file, "JPEG", quality=88)
    return "image/jpeg", file.getvalue(), image.width


def encoded_figure(figure: Figure) -> tuple[str, bytes, int]:
    """Encode a matplotlib figure as PNG.

    Parameters
    ----------
    figure : matplotlib.figure.Figure

    Returns
    -------
    media type, bytes, width in pixels
    """
    file = io.BytesIO()
    dots = 110
    figure.savefig(file, format="png", dpi=dots)
    return "image/png", file.getvalue(), round(figure.get_figwidth() * dots)
