"""Documents as HTML, for notebooks in any theme and for pages of their own.

Every text is escaped, and what steers a display becomes visible.

Notebooks remove ``<style>`` from what they do not trust, so that styles
stand on their elements; text and lines take the theme's own color.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from html import escape
from typing import Final

from wasinn_nb.render.document import (
    Bar,
    Bars,
    Block,
    Code,
    Document,
    Facts,
    ImageBlock,
    ImageRow,
    Items,
    Legend,
    Matrix,
    Medium,
    Paragraph,
    Section,
)
from wasinn_nb.render.matrix import matrix_html
from wasinn_nb.render.palette import RGB, LegendEntry
from wasinn_nb.render.table import Table
from wasinn_nb.wording import inert, percent

__all__ = ["blocks_html", "document_html", "table_html"]

_GOOD: Final = "#1a7f37"
_BAD: Final = "#d1242f"
_TONES: Final = {
    "plain": "",
    "strong": "font-weight:600",
    "good": f"font-weight:600;color:{_GOOD}",
    "bad": f"font-weight:600;color:{_BAD}",
}
_DOCUMENT: Final = "max-width:900px;color:inherit;line-height:1.5;text-align:left"
_HEADING: Final = "font-weight:600;margin:.75em 0 .25em"
_PARAGRAPH: Final = "margin:.35em 0;white-space:pre-line;overflow-wrap:anywhere"
_CODE: Final = "margin:.25em 0;overflow-x:auto;text-align:left"
_CELL: Final = "vertical-align:top;padding:.25em .75em .25em 0"
_NUMBER: Final = "text-align:right;white-space:nowrap;font-variant-numeric:tabular-nums"
_NAME: Final = "text-align:left;overflow-wrap:anywhere;min-width:11em"
_SHORT: Final = 32
"""Characters of a cell that stays on one line."""

# The labels of a list of facts stand in one column.
_GRID: Final = "display:grid;grid-template-columns:minmax(7em,max-content) 1fr;column-gap:1em"
_LEGEND: Final = (
    "display:flex;flex-wrap:wrap;gap:2px 18px;margin:6px 0 4px;padding:0;list-style:none"
)
_SWATCH: Final = (
    "display:inline-block;width:12px;height:12px;margin-right:6px;border:1px solid currentColor;"
    "border-radius:2px;vertical-align:-1px;background:#{color}"
)
_SHARE: Final = "opacity:0.75;font-variant-numeric:tabular-nums"
_IMAGE: Final = "display:block;width:100%;max-width:{width}px;height:auto;border-radius:3px"
_ROW: Final = "display:flex;flex-wrap:wrap;gap:8px;margin:0 0 1em"
_ROW_CELL: Final = "margin:0;flex:1 1 200px;max-width:max({width}px,9em);overflow-wrap:anywhere"


def document_html(document: Document) -> str:
    """Return a document as a notebook shows it.

    Parameters
    ----------
    document : Document

    Returns
    -------
    str
        HTML that needs nothing from outside.

    Examples
    --------
    >>> from wasinn_nb.render import Document, Paragraph
    >>> html = document_html(Document("<toy>", [Paragraph("a < b", "bad")]))
    >>> "&lt;toy&gt;" in html, "a &lt; b" in html
    (True, True)
    """
    title = (
        f'<div style="font-weight:600;font-size:1.1em">{_escaped(document.title)}</div>'
        if document.show_title
        else ""
    )
    inner = blocks_html(document.blocks, "notebook")
    return f'<div style="{_DOCUMENT}">{title}{inner}</div>'


def blocks_html(blocks: Sequence[Block], medium: Medium) -> str:
    """Return blocks as HTML.

    Parameters
    ----------
    blocks : sequence of blocks
    medium : {"notebook", "page"}
    """
    visible = Document("", blocks).blocks_in(medium)
    return "".join(_block_html(block, medium) for block in visible)


def _block_html(block: Block, medium: Medium) -> str:
    match block:
        case Paragraph(text, tone):
            # A page's style has other colors in the dark; notebooks keep no style sheet.
            named = medium == "page" and tone in {"good", "bad"}
            name = f' class="wnb-{tone}"' if named else ""
            style = f"{_PARAGRAPH};{_TONES[tone]}"
            return f'<p{name} style="{style}">{_escaped(text, lines=True)}</p>' if text else ""
        case Items(items):
            inner = "".join(f"<li>{_escaped(item)}</li>" for item in items)
            return f'<ul style="margin:.25em 0">{inner}</ul>' if items else ""
        case Facts(rows):
            cells = "".join(_fact_html(label, text) for label, text in rows)
            return f'<div style="{_GRID}">{cells}</div>' if rows else ""
        case Code(text, heading):
            title = f'<div style="{_HEADING}">{_escaped(heading)}</div>' if heading else ""
            return f'{title}<pre style="{_CODE}"><code>{_escaped(text, lines=True)}</code></pre>'
        case Table():
            return table_html(block, sortable=medium == "page")
        case ImageBlock():
            return _block_image_html(block)
        case ImageRow(images):
            return f'<div style="{_ROW}">{"".join(map(_cell_html, images))}</div>'
        case Legend(entries):
            items = "".join(map(_legend_html, entries))
            return f'<ul style="{_LEGEND}">{items}</ul>' if entries else ""
        case Bars():
            return _bars_html(block)
        case Matrix():
            return matrix_html(block)
        case Section():
            return _section_html(block, medium)
        case _:
            raise AssertionError(block)


def _section_html(section: Section, medium: Medium) -> str:
    inner = blocks_html(section.blocks, medium)
    if not inner:
        return ""
    heading = _escaped(section.heading)
    folded = section.folded_on_page if medium == "page" else section.folded
    if folded:
        return f"<details><summary>{heading}</summary>{inner}</details>"
    if not heading:
        return inner
    if medium == "page":
        return f"<h2>{heading}</h2>{inner}"
    return f'<div style="{_HEADING}">{heading}</div>{inner}'


def _fact_html(label: str, text: str) -> str:
    span = "" if label else "grid-column:1/-1;"
    style = f"{span}white-space:pre-line;overflow-wrap:anywhere;text-align:left"
    value = f'<div style="{style}">{_escaped(text, lines=True)}</div>'
    return f'<div style="opacity:0.75">{_escaped(label)}</div>{value}' if label else value


def table_html(table: Table, *, sortable: bool = False) -> str:
    """Return a table as HTML: numbers to the right, long names wrapped, failed rows in color.

    Parameters
    ----------
    table : Table
    sortable : bool
        Whether it stands on a page, whose script sorts the rows.

    Examples
    --------
    >>> from wasinn_nb.render import Table
    >>> "&lt;b&gt;" in table_html(Table(["name"], [["<b>"]]))
    True
    """
    failed, columns, numeric = set(table.marked), table.headers, table.numeric

    def cell(text: str, tag: str, column: int, number: float | str | None = None) -> str:
        align = _NUMBER if numeric[column] else _NAME
        if not numeric[column] and len(text) <= _SHORT:
            align = "text-align:left;white-space:nowrap"
        color = (columns[column].colors or {}).get(text) if tag == "td" else None
        swatch = "" if color is None else _swatch_html(color)
        value = "" if number is None else f' data-value="{number}"'
        return f'<{tag} style="{_CELL};{align}"{value}>{swatch}{_escaped(text)}</{tag}>'

    def row(index: int, texts: Sequence[str], numbers: Sequence[float | str | None]) -> str:
        marked = index in failed
        style = f"color:{_BAD};font-weight:600" if marked else ""
        cells = "".join(map(cell, texts, ["td"] * len(texts), range(len(texts)), numbers))
        name = ' class="wnb-bad"' if marked and sortable else ""
        return f'<tr{name} style="background:transparent;{style}">{cells}</tr>'

    head = "".join(cell(column.name, "th", number) for number, column in enumerate(columns))
    values = table.sort_values if sortable else [[None] * len(columns)] * len(table.rows)
    body = "".join(map(row, range(len(table.rows)), table.cells, values))
    style = f"{_CELL};text-align:left;font-weight:600"
    caption = (
        f'<caption style="{style}">{_escaped(table.caption)}</caption>' if table.caption else ""
    )
    mark = " data-sortable" if sortable and len(table.rows) > 1 else ""
    scroll = ' class="wnb-scroll"' if sortable else ""
    return (
        f'<div{scroll} style="overflow-x:auto">'
        f'<table{mark} style="border-collapse:collapse;margin:0">{caption}'
        f'<thead><tr style="background:transparent;">{head}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
    )


def _image_html(image: ImageBlock) -> tuple[str, int]:
    media_type, encoded, width = image.encode()
    source = f"data:{media_type};base64,{base64.b64encode(encoded).decode('ascii')}"
    style = _IMAGE.format(width=width) + (";image-rendering:pixelated" if image.pixelated else "")
    return f'<img alt="{_escaped(image.alt)}" src="{source}" style="{style}">', width


def _figure_html(image: ImageBlock, style: str) -> str:
    tag, width = _image_html(image)
    caption = f"<figcaption>{_escaped(image.caption)}</figcaption>" if image.caption else ""
    return f'<figure style="{style.format(width=width)}">{tag}{caption}</figure>'


def _block_image_html(image: ImageBlock) -> str:
    return _figure_html(image, "margin:0")


def _cell_html(image: ImageBlock) -> str:
    return _figure_html(image, _ROW_CELL)


def _legend_html(entry: LegendEntry) -> str:
    share = f' <span style="{_SHARE}">{_escaped(entry.share)}</span>' if entry.share else ""
    return (
        f'<li style="margin:0;padding:0">{_swatch_html(entry.color)}'
        f"{_escaped(entry.name)}{share}</li>"
    )


def _swatch_html(color: RGB) -> str:
    style = _SWATCH.format(color="{:02x}{:02x}{:02x}".format(*color))
    return f'<span style="{style}"></span>'


def _bars_html(block: Bars) -> str:
    image = ""
    if block.image is not None:
        inner, width = _image_html(block.image)
        image = f'<div style="flex:0 1 {width}px;min-width:120px">{inner}</div>'
    rows = "".join(map(_bar_html, block.bars))
    return (
        f'<div style="display:flex;flex-wrap:wrap;gap:10px 18px">{image}'
        f'<div style="flex:1 1 260px;min-width:0">{rows}</div></div>'
    )


def _bar_html(bar: Bar) -> str:
    note = f' <span style="opacity:0.6">{_escaped(bar.note)}</span>' if bar.note else ""
    return (
        '<div style="margin:0 0 7px">'
        '<div style="display:flex;justify-content:space-between;gap:12px">'
        f'<span style="min-width:0;overflow-wrap:anywhere">{_escaped(bar.name)}{note}</span>'
        f'<span style="{_SHARE};white-space:nowrap">{_escaped(percent(bar.share))}</span></div>'
        '<div style="height:8px;border-radius:4px;background:rgba(128,128,128,0.2)">'
        f'<div style="width:{100 * min(1.0, max(0.0, bar.share)):.2f}%;height:8px;'
        'border-radius:4px;background:#0072b2"></div></div></div>'
    )


def _escaped(text: str, *, lines: bool = False) -> str:
    return escape(inert(text, lines=lines))
