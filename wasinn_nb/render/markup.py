"""HTML for notebooks: one figure with a picture, facts and a legend, in any theme."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable, Mapping, Sequence
from html import escape
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.render.palette import RGB, LegendEntry, palette_image
from wasinn_nb.wording import percent

__all__ = ["bars_html", "image_preview", "picture_html", "preview"]

# Longer sides to try until the picture is small enough to embed, and how small that is: 293,000
# characters of base64.
_PREVIEW_SIDES: Final = (900, 640, 450, 320, 200)
_PREVIEW_BYTES: Final = 220_000
# Notebooks strip <style> from what they do not trust, so that every style stands on its element;
# text and lines take the theme's own colour.
_FIGURE: Final = "margin:0;max-width:900px;color:inherit;font-size:13px;line-height:1.5"
_PICTURE: Final = "display:block;width:100%;max-width:{width}px;height:auto;border-radius:3px"
_LIST: Final = "display:flex;flex-wrap:wrap;gap:2px 18px;margin:6px 0 4px;padding:0;list-style:none"
_SWATCH: Final = (
    "display:inline-block;width:12px;height:12px;margin-right:6px;border:1px solid currentColor;"
    "border-radius:2px;vertical-align:-1px;background:#{color}"
)
_SHARE: Final = "opacity:0.75;font-variant-numeric:tabular-nums"
_BARS_SIDE: Final = 320
_PIXELATED: Final = ";image-rendering:pixelated"


def preview(
    photo: NDArray[np.uint8] | None,
    size: tuple[int, int],
    labels_at: Callable[[int, int], NDArray[np.uint8]],
    palette: Sequence[RGB],
    blended: Callable[[NDArray[np.uint8], NDArray[np.uint8], float], NDArray[np.uint8]],
) -> tuple[str, bytes, tuple[int, int]]:
    """Encode a mask, over its photograph where there is one, small enough to embed.

    Labels are brought to the smaller size and coloured there.

    Parameters
    ----------
    photo : (h, w, 3) uint8 array or None
    size : (height, width)
        Of the photograph, or of the mask where there is none.
    labels_at : callable
        ``(height, width)`` → labels of that size.
    palette : sequence of (red, green, blue)
    blended : callable
        ``(photo, labels, opacity)`` → the photograph tinted with the mask.

    Returns
    -------
    media type, bytes, (height, width)
    """
    for side in _PREVIEW_SIDES:
        shrink = min(1.0, side / max(size))
        height, width = (max(1, round(length * shrink)) for length in size)
        labels = labels_at(height, width)
        encoded = io.BytesIO()
        if photo is None:
            palette_image(labels, palette).save(encoded, "PNG", optimize=True)
        else:
            small = Image.fromarray(photo).resize((width, height), Image.Resampling.BILINEAR)
            tinted = blended(np.asarray(small), labels, 0.5)
            Image.fromarray(tinted).save(encoded, "JPEG", quality=85)
        if encoded.tell() <= _PREVIEW_BYTES:
            break
    media_type = "image/png" if photo is None else "image/jpeg"
    return media_type, encoded.getvalue(), (height, width)


def image_preview(pixels: NDArray[np.uint8]) -> tuple[str, bytes, tuple[int, int]]:
    """Encode an image small enough to embed; returned as by :func:`preview`.

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
    facts, details, card_line
        As for :func:`picture_html`.

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


def picture_html(
    picture: tuple[str, bytes],
    *,
    width: int,
    alt: str,
    facts: Sequence[str],
    legend: Sequence[LegendEntry],
    details: Mapping[str, str],
    card_line: str = "",
    pixelated: bool = False,
) -> str:
    """Return a picture with a legend as HTML that needs nothing from outside.

    Every text is escaped.

    Parameters
    ----------
    picture : (media type, encoded bytes)
    width : int
        The widest that the picture is shown, in CSS pixels.
    alt : str
        What the picture shows, for those who do not see it.
    facts : sequence of str
        Said in one line; the first one in bold.
    legend : sequence of LegendEntry
    details : mapping
        Name → text, folded away.
    card_line : str
        The Python that states what the facts say is assumed.
    pixelated : bool
        Whether an enlarged picture shows its pixels.

    Examples
    --------
    >>> entry = LegendEntry("road", (0, 114, 178), "19.19 %")
    >>> html = picture_html(
    ...     ("image/png", b""),
    ...     width=9,
    ...     alt="a mask",
    ...     facts=["toy <1>"],
    ...     legend=[entry],
    ...     details={},
    ... )
    >>> print(html)
    <figure ...<img alt="a mask" src="data:image/png;base64," ...
    ...background:#0072b2...</span>road ...19.19 %...
    ...<strong>toy &lt;1&gt;</strong>...
    """
    media_type, encoded = picture
    style = _PICTURE.format(width=width) + (_PIXELATED if pixelated else "")
    source = f"data:{media_type};base64,{base64.b64encode(encoded).decode()}"
    lines = [
        f'<figure style="{_FIGURE}">',
        f'<img alt="{escape(alt)}" src="{source}" style="{style}">',
        f'<figcaption><ul style="{_LIST}">',
        *map(_legend_item, legend),
        "</ul>",
        f"<div>{_facts_line(facts)}</div>",
        _stating(card_line),
    ]
    lines.append(_folded(details))
    return "\n".join([*lines, "</figcaption></figure>"])


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


def _legend_item(entry: LegendEntry) -> str:
    color = "".join(f"{channel:02x}" for channel in entry.color)
    return (
        f'<li style="margin:0;padding:0"><span style="{_SWATCH.format(color=color)}"></span>'
        f'{escape(entry.name)} <span style="{_SHARE}">{escape(entry.share)}</span></li>'
    )


def _facts_line(facts: Sequence[str]) -> str:
    first, *others = map(escape, facts)
    return " · ".join([f"<strong>{first}</strong>", *others])
