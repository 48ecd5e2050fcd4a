"""Documents as one PNG, for exports that take no HTML: PDF, LaTeX, Word, some hosts of notebooks.

Drawn with Pillow, in a few hundredths of a second: every result that a notebook shows carries one.
"""

from __future__ import annotations

import functools
import io
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from wasinn_nb.render.document import (
    Bars,
    Block,
    Document,
    ImageBlock,
    ImageRow,
    Legend,
    Matrix,
    Paragraph,
    Section,
)
from wasinn_nb.render.palette import RGB, LegendEntry
from wasinn_nb.render.text import document_text
from wasinn_nb.wording import inert, percent

__all__ = ["document_png", "documents_png", "report_png"]

_WIDTHS: Final = (640, 480, 360, 240)
"""Of one document, tried in this order until the PNG is small enough."""
_MOST_BYTES: Final = 300_000
_COLORS: Final = 96
_GAP: Final = 8
_MOST_ACROSS: Final = 3
_POINTS: Final = 12
_LINE: Final = 17
_SWATCH: Final = 11
_BAR_HEIGHT: Final = 7
_BAR_COLOR: Final = (0, 114, 178)
_TRACK_COLOR: Final = (226, 226, 226)
_MOST_LINES: Final = 48
_MOST_ENTRIES: Final = 60
_MOST_IN_A_REPORT: Final = 3
"""Of images and legends."""
_INK: Final = (20, 20, 20)


def document_png(document: Document) -> bytes | None:
    r"""Return what a notebook shows of a document as a PNG; None where it shows no image.

    Parameters
    ----------
    document : Document

    Returns
    -------
    bytes or None
        At most 300 kB, on white.

    Examples
    --------
    >>> document_png(Document("toy", [Paragraph("no image")])) is None
    True
    >>> document_png(Document("toy", [Bars([])]))[:4]
    b'\x89PNG'
    """
    return documents_png([document])


def documents_png(documents: Sequence[Document]) -> bytes | None:
    """Return what a notebook shows of documents as one PNG, side by side.

    Parameters
    ----------
    documents : sequence of Document
        None is returned where one of them shows no image.
    """
    blocks = [one.blocks_in("notebook") for one in documents]
    if not documents or not all(any(map(_is_drawn, _unfolded(some))) for some in blocks):
        return None

    def sheets(width: int) -> list[Image.Image]:
        return [
            _sheet([*_title(one, width), *_parts(some, width)], width)
            for one, some in zip(documents, blocks, strict=True)
        ]

    exact = [color for some in blocks for color in _legend_colors(_unfolded(some))]
    return _smallest(lambda width: sheets(width // len(documents)), exact)


def report_png(document: Document, blocks: Sequence[Block]) -> bytes | None:
    """Return the text of a document, and below it its first images, as a PNG.

    Parameters
    ----------
    document : Document
    blocks : sequence of blocks
        None is returned where no image is among them; their text is left out.
    """
    drawn = [one for one in _unfolded(blocks) if _is_drawn(one) or isinstance(one, Legend)]
    if not any(map(_is_drawn, drawn)):
        return None
    drawn = drawn[:_MOST_IN_A_REPORT]
    lines = document_text(document).splitlines()
    if len(lines) > _MOST_LINES:
        lines = [*lines[: _MOST_LINES - 1], f"… {len(lines) - _MOST_LINES + 1} more lines"]

    def sheets(width: int) -> list[Image.Image]:
        width = max(width, 1 + max(int(_font(mono=True).getlength(one)) for one in lines))
        text = [_text_image([line], width, mono=True) for line in lines]
        whole = _sheet(text, width, gap=0)
        return [_sheet([whole, *_parts(drawn, width)], width)]

    return _smallest(sheets, _legend_colors(drawn))


# --------------------------------------------------------------------------------------- drawing


def _smallest(sheets: Callable[[int], Sequence[Image.Image]], exact: Sequence[RGB] = ()) -> bytes:
    """Return sheets side by side as a PNG, in the largest width that is small enough.

    With few colors it takes a quarter of what all of them would; those of legends stay exact.
    """
    for width in _WIDTHS:
        made = sheets(width)
        size = sum(one.width for one in made) + _GAP * (len(made) - 1), max(o.height for o in made)
        whole = Image.new("RGB", size, "white")
        left = 0
        for one in made:
            whole.paste(one, (left, 0))
            left += one.width + _GAP
        encoded = io.BytesIO()
        _with_few_colors(whole, [*exact, _BAR_COLOR, _INK]).save(encoded, "PNG")
        if encoded.tell() <= _MOST_BYTES:
            break
    return encoded.getvalue()


def _with_few_colors(image: Image.Image, exact: Sequence[RGB]) -> Image.Image:
    """Return an index image in which some colors are as they were."""
    few = image.quantize(_COLORS, Image.Quantize.FASTOCTREE)
    colors = list(dict.fromkeys(exact))
    pixels = np.asarray(image).astype(np.uint32) @ np.array([65536, 256, 1], np.uint32)
    packed = np.array([(red << 16) + (green << 8) + blue for red, green, blue in colors])
    order = np.argsort(packed)
    found = order[np.searchsorted(packed[order], pixels).clip(max=len(colors) - 1)]
    indices = np.where(packed[found] == pixels, _COLORS + found, np.asarray(few)).astype(np.uint8)
    palette = (few.getpalette() or [])[: 3 * _COLORS]
    palette += [0] * (3 * _COLORS - len(palette))
    result = Image.fromarray(indices)
    result.putpalette([*palette, *(channel for color in colors for channel in color)])
    return result


def _sheet(parts: Sequence[Image.Image], width: int, gap: int = _GAP) -> Image.Image:
    height = sum(one.height for one in parts) + gap * (len(parts) - 1)
    sheet = Image.new("RGB", (width, max(1, height)), "white")
    top = 0
    for one in parts:
        sheet.paste(one, (0, top))
        top += one.height + gap
    return sheet


def _title(document: Document, width: int) -> list[Image.Image]:
    return [_paragraph(document.title, width, bold=True)] if document.show_title else []


def _unfolded(blocks: Sequence[Block]) -> list[Block]:
    """Return the blocks that a notebook shows without a click."""
    listed: list[Block] = []
    for block in blocks:
        if not isinstance(block, Section):
            listed.append(block)
        elif not block.folded:
            listed += _unfolded(Document("", block.blocks).blocks_in("notebook"))
    return listed


def _legend_colors(blocks: Sequence[Block]) -> list[RGB]:
    legends = [block for block in blocks if isinstance(block, Legend)]
    return [entry.color for one in legends for entry in one.entries[:_MOST_ENTRIES]]


def _is_drawn(block: Block) -> bool:
    matrix = isinstance(block, Matrix) and block.image is not None
    return matrix or isinstance(block, ImageBlock | ImageRow | Bars)


def _parts(blocks: Sequence[Block], width: int) -> list[Image.Image]:
    """Return the drawn blocks of a document, and its sentences."""
    parts: list[Image.Image] = []
    for block in _unfolded(blocks):
        match block:
            case ImageBlock():
                parts.append(_fitted(block.encode()[1], width, pixelated=block.pixelated))
            case Matrix(image=ImageBlock() as image):
                parts.append(_fitted(image.encode()[1], width))
            case ImageRow():
                parts.append(_row_image(block.images, width))
            case Legend():
                parts.append(_legend_image(block.entries, width))
            case Bars():
                if block.image is not None:
                    parts.append(_fitted(block.image.encode()[1], width))
                parts += [_bar_image(one.name, one.note, one.share, width) for one in block.bars]
            case Paragraph() if block.text:
                parts.append(_paragraph(block.text, width))
            case _:
                pass
    return parts


def _row_image(images: Sequence[ImageBlock], width: int) -> Image.Image:
    """Return images with their captions side by side, in rows of equal parts."""
    across = {1: 1, 2: 2, 4: 2}.get(len(images), _MOST_ACROSS)
    each = (width - _GAP * (across - 1)) // across
    cells = []
    for one in images:
        fitted = _fitted(one.encode()[1], each, pixelated=one.pixelated)
        caption = [_paragraph(one.caption, each)] if one.caption else []
        cells.append(_sheet([fitted, *caption], each, gap=2))
    rows = [cells[start : start + across] for start in range(0, len(cells), across)]
    heights = [max(one.height for one in row) for row in rows]
    sheet = Image.new("RGB", (width, sum(heights) + _GAP * (len(rows) - 1)), "white")
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            top = sum(heights[:number]) + _GAP * number
            sheet.paste(cell, ((each + _GAP) * column, top))
    return sheet


def _fitted(encoded: bytes, width: int, *, pixelated: bool = False) -> Image.Image:
    """Return an image, made smaller where it is wider than there is room."""
    image = Image.open(io.BytesIO(encoded)).convert("RGB")
    if pixelated and image.width * 2 <= width:
        times = min(width, 320) // image.width or 1
        return image.resize((image.width * times, image.height * times), Image.Resampling.NEAREST)
    if image.width <= width:
        return image
    height = max(1, round(image.height * width / image.width))
    return image.resize((width, height), Image.Resampling.LANCZOS)


def _paragraph(text: str, width: int, *, bold: bool = False) -> Image.Image:
    font = _font(bold=bold)
    lines: list[str] = []
    for line in inert(text, lines=True).splitlines():
        lines.append("")
        for word in line.split():
            longer = f"{lines[-1]} {word}".lstrip()
            if lines[-1] and font.getlength(longer) > width:
                lines.append(word)
            else:
                lines[-1] = longer
    return _text_image(lines[:_MOST_LINES], width, bold=bold)


def _text_image(
    lines: Sequence[str], width: int, *, bold: bool = False, mono: bool = False
) -> Image.Image:
    image = Image.new("RGB", (width, max(1, _LINE * len(lines))), "white")
    pen = ImageDraw.Draw(image)
    for number, line in enumerate(lines):
        pen.text((0, _LINE * number), _drawable(line), _INK, _font(bold=bold, mono=mono))
    return image


def _legend_image(entries: Sequence[LegendEntry], width: int) -> Image.Image:
    """Return the entries of a legend, in as many columns as there is room for."""
    listed = entries[:_MOST_ENTRIES]
    font = _font()
    texts = [_drawable(f"{inert(one.name, 48)}  {one.share}".rstrip()) for one in listed]
    if len(entries) > len(listed):
        texts.append(f"and {len(entries) - len(listed)} more")
    longest = max((font.getlength(text) for text in texts), default=0.0)
    column = min(width, int(longest) + _SWATCH + 3 * _GAP)
    columns = max(1, width // column) if column else 1
    rows = -(-len(texts) // columns)
    image = Image.new("RGB", (width, max(1, _LINE * rows)), "white")
    pen = ImageDraw.Draw(image)
    for index, text in enumerate(texts):
        left, top = column * (index % columns), _LINE * (index // columns)
        if index < len(listed):
            _swatch(pen, left, top, listed[index].color)
        pen.text((left + _SWATCH + 6, top), text, _INK, font)
    return image


def _swatch(pen: ImageDraw.ImageDraw, left: int, top: int, color: RGB) -> None:
    corner = (left, top + 2, left + _SWATCH, top + 2 + _SWATCH)
    pen.rectangle(corner, fill=color, outline=(96, 96, 96))


def _bar_image(name: str, note: str, share: float, width: int) -> Image.Image:
    image = Image.new("RGB", (width, _LINE + _BAR_HEIGHT), "white")
    pen = ImageDraw.Draw(image)
    text = percent(share)
    named = _drawable(inert(f"{name} [{note}]" if note else name, 64))
    pen.text((0, 0), named, _INK, _font())
    pen.text((width - _font().getlength(text), 0), text, _INK, _font())
    filled = round(width * min(1.0, max(0.0, share)))
    pen.rectangle((0, _LINE, width - 1, _LINE + _BAR_HEIGHT - 1), fill=_TRACK_COLOR)
    if filled:
        pen.rectangle((0, _LINE, filled - 1, _LINE + _BAR_HEIGHT - 1), fill=_BAR_COLOR)
    return image


def _drawable(text: str) -> str:
    """Return a text with escapes in place of what the font has no glyph for."""
    return "".join(
        one
        if one.isascii() or _has_glyph(one)
        else one.encode("ascii", "backslashreplace").decode()
        for one in text
    )


@functools.lru_cache(maxsize=1024)
def _has_glyph(character: str) -> bool:
    drawn, missing = (bytes(_font().getmask(one)) for one in (character, "\uffff"))
    return drawn != missing


@functools.lru_cache(maxsize=4)
def _font(*, bold: bool = False, mono: bool = False) -> ImageFont.FreeTypeFont:
    """Return a font of matplotlib's, which is found without importing it."""
    spec = find_spec("matplotlib")
    assert spec is not None  # noqa: S101 - the package requires it
    assert spec.submodule_search_locations is not None  # noqa: S101
    folder = Path(spec.submodule_search_locations[0], "mpl-data/fonts/ttf")
    name = f"DejaVuSans{'Mono' if mono else ''}{'-Bold' if bold else ''}.ttf"
    return ImageFont.truetype(str(folder / name), _POINTS)
