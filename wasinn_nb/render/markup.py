"""HTML for notebooks: one figure with a picture, facts and a legend, in any theme."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.wording import percent

__all__ = ["bars_html", "image_preview"]

# Notebooks strip <style> from what they do not trust, so that every style stands on its element;
# text and lines take the theme's own colour.
_FIGURE: Final = "margin:0;max-width:900px;color:inherit;font-size:13px;line-height:1.5"
_SHARE: Final = "opacity:0.75;font-variant-numeric:tabular-nums"
_BARS_SIDE: Final = 320


def image_preview(pixels: NDArray[np.uint8]) -> tuple[str, bytes, tuple[int, int]]:
    """Encode an image small enough to embed; media type, bytes, (height, width).

    Parameters
    ----------
    pixels : (h, w, 3) uint8 array
    """
    image = Image.fromarray(pixels)
    image.thumbnail((_BARS_SIDE, _BARS_SIDE))
    encoded = io.BytesIO()
    image.save(encoded, "JPEG", quality=85)
    return "image/jpeg", encoded.getvalue(), (image.height, image.width)


def bars_html(
    image: tuple[str, bytes, tuple[int, int]] | None,
    *,
    bars: Sequence[tuple[str, str, float]],
    facts: Sequence[str],
    details: Mapping[str, str],
    card_line: str = "",
) -> str:
    """Return an image with a bar for each class as HTML that needs nothing from outside.

    Every text is escaped.

    Parameters
    ----------
    image : (media type, encoded bytes, (height, width)) or None
        As from :func:`image_preview`.
    bars : sequence of (index, name, probability)
    facts : sequence of str
        In one line; the first one in bold.
    details : mapping
        Name → text, folded away.
    card_line : str
        The Python that states what the facts say is assumed.

    Examples
    --------
    >>> html = bars_html(None, bars=[("7", "<cat>", 0.25)], facts=["toy"], details={})
    >>> "&lt;cat&gt;" in html, "width:25.00%" in html
    (True, True)
    """
    rows = "".join(_bar(index, name, probability) for index, name, probability in bars)
    shown = ""
    if image is not None:
        media_type, encoded, (_, width) = image
        source = f"data:{media_type};base64,{base64.b64encode(encoded).decode()}"
        best = f"{bars[0][1]} {percent(bars[0][2])}" if bars else ""
        style = f"display:block;width:100%;max-width:{width}px;height:auto;border-radius:3px"
        shown = (
            f'<div style="flex:0 1 {width}px;min-width:120px">'
            f'<img alt="{escape(f"Image: {best}")}" src="{source}" style="{style}"></div>'
        )
    return "\n".join(
        [
            f'<figure style="{_FIGURE}">',
            f'<div style="display:flex;flex-wrap:wrap;gap:10px 18px">{shown}',
            f'<div style="flex:1 1 260px;min-width:0">{rows}</div></div>',
            f'<figcaption style="margin-top:6px"><div>{_facts_line(facts)}</div>',
            _stating(card_line),
            _folded(details),
            "</figcaption></figure>",
        ]
    )


def _bar(index: str, name: str, probability: float) -> str:
    share = percent(probability)
    return (
        '<div style="margin:0 0 7px">'
        '<div style="display:flex;justify-content:space-between;gap:12px">'
        f'<span style="min-width:0;overflow-wrap:anywhere">{escape(name)} '
        f'<span style="opacity:0.6">{escape(index)}</span></span>'
        f'<span style="{_SHARE};white-space:nowrap">{escape(share)}</span></div>'
        '<div style="height:8px;border-radius:4px;background:rgba(128,128,128,0.2)">'
        f'<div style="width:{100 * min(1.0, max(0.0, probability)):.2f}%;height:8px;'
        'border-radius:4px;background:#0072b2"></div></div></div>'
    )


def _stating(card_line: str) -> str:
    if not card_line:
        return ""
    code = f'<pre style="margin:2px 0;white-space:pre-wrap"><code>{escape(card_line)}</code></pre>'
    return f"<div>state what is assumed, corrected where it is not right:{code}</div>"


def _folded(details: Mapping[str, str]) -> str:
    if not details:
        return ""
    rows = "".join(
        f"<div>{escape(name)}: <code>{escape(text)}</code></div>" for name, text in details.items()
    )
    return f'<details style="opacity:0.85"><summary>Details</summary>{rows}</details>'


def _facts_line(facts: Sequence[str]) -> str:
    first, *others = map(escape, facts)
    return " · ".join([f"<strong>{first}</strong>", *others])
