"""Documents as text: for terminals, for ``print`` and for cells that are compared."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from typing import Final

from wasinn_nb.render.document import (
    Bars,
    Block,
    Code,
    Document,
    Facts,
    Items,
    Paragraph,
    Section,
)
from wasinn_nb.render.table import Table
from wasinn_nb.wording import inert

__all__ = ["document_text", "table_text"]

_GAP: Final = "  "
_NARROWEST: Final = 8
"""Characters that a column of text keeps when a table is made to fit."""

_LONGEST_LABEL: Final = 14


def document_text(document: Document, width: int = 100) -> str:
    """Return a document as text; images and legends are left out.

    What steers a terminal becomes visible escapes, by :func:`wasinn_nb.wording.inert`.

    Parameters
    ----------
    document : Document
    width : int
        The longest line, in characters.  Sentences, code and columns of numbers may be longer.

    Returns
    -------
    str

    Examples
    --------
    >>> from wasinn_nb.render import Document, Facts, Items, Section, Table
    >>> table = Table(["class", "pixels"], [("road", 12), ("curb", 3)])
    >>> print(document_text(Document("toy", [table, Items(["a note"])])))
    toy
    class  pixels
    road       12
    curb        3
    - a note
    >>> print(document_text(Document("toy", [Section("inputs", [Facts([("0", "data")])])])))
    toy
    <BLANKLINE>
    inputs
      0  data
    """
    blocks = document.blocks_in("text")
    lines = [inert(document.title)] if document.show_title else []
    lines += _lines(blocks, width, _label_width(blocks))
    return "\n".join(lines).lstrip("\n")


def _lines(blocks: Sequence[Block], width: int, label_width: int) -> list[str]:
    lines: list[str] = []
    for block in blocks:
        match block:
            case Paragraph():
                lines += inert(block.text, lines=True).splitlines()
            case Items():
                lines += [f"- {inert(item)}" for item in block.items]
            case Facts():
                for label, text in block.rows:
                    lines += _fact(inert(label), inert(text, lines=True), label_width, width)
            case Code():
                lines += [f"# {inert(block.heading)}"] if block.heading else []
                lines.append(inert(block.text, lines=True))
            case Table():
                lines += [inert(block.caption)] if block.caption else []
                lines += table_text(block, width).splitlines()
            case Bars():
                lines += [f"{inert(bar.name)}  {bar.share:.4f}" for bar in block.bars]
            case Section():
                inner = _lines(_text_blocks(block), width, label_width)
                if inner:
                    lines += ["", *([inert(block.heading)] if block.heading else []), *inner]
            case _:  # images, and what their colors mean
                pass
    return lines


def _text_blocks(section: Section) -> list[Block]:
    return Document("", section.blocks).blocks_in("text")


def _label_width(blocks: Sequence[Block]) -> int:
    """Return the width of the labels of all facts, so that their texts stand in one column."""
    widest = 0
    for block in blocks:
        if isinstance(block, Facts):
            widest = max(widest, *(len(label) for label, _ in block.rows), 0)
        elif isinstance(block, Section):
            widest = max(widest, _label_width(_text_blocks(block)))
    return min(_LONGEST_LABEL, widest)


def _fact(label: str, text: str, label_width: int, width: int) -> list[str]:
    indent = " " * (label_width + 4 if label else 2)
    lines = [
        wrapped
        for line in text.splitlines() or [""]
        for wrapped in textwrap.wrap(
            line, width - len(indent), break_long_words=False, break_on_hyphens=False
        )
        or [""]
    ]
    first = f"  {label.ljust(label_width)}  " if label else indent
    if len(first) > len(indent):  # a long label has a line of its own
        return [first.rstrip(), *(f"{indent}{line}" for line in lines)]
    return [f"{first}{lines[0]}".rstrip(), *(f"{indent}{line}" for line in lines[1:])]


def table_text(table: Table, width: int = 100) -> str:
    """Return a table as text: numbers to the right, texts wrapped where the table is too wide.

    Parameters
    ----------
    table : Table
    width : int
        In characters.  Columns of numbers are never cut.

    Returns
    -------
    str
        No trailing blanks.

    Examples
    --------
    >>> from wasinn_nb.render import Column, Table
    >>> print(table_text(Table(["class", Column("IoU", ".3f")], [("road", 0.9), ("curb", 0.65)])))
    class    IoU
    road   0.900
    curb   0.650
    >>> print(table_text(Table(["class", "pixels"], [("a long name of a class", 1)]), 20))
    class         pixels
    a long name        1
    of a class
    """
    headers = [inert(column.name) for column in table.headers]
    rows = [headers, *table.cells]
    widths = _fitting([*zip(*rows, strict=True)], table.numeric, width)
    lines = []
    for row in rows:
        wrapped = [
            _wrapped(cell, column) if column < len(cell) else [cell]
            for cell, column in zip(row, widths, strict=True)
        ]
        for number in range(max(map(len, wrapped))):
            parts = [cell[number] if number < len(cell) else "" for cell in wrapped]
            aligned = (
                part.rjust(column) if right else part.ljust(column)
                for part, column, right in zip(parts, widths, table.numeric, strict=True)
            )
            lines.append(_GAP.join(aligned).rstrip())
    return "\n".join(lines)


def _wrapped(text: str, width: int) -> list[str]:
    return textwrap.wrap(text, width) or [""]


def _fitting(columns: Sequence[Sequence[str]], numeric: Sequence[bool], width: int) -> list[int]:
    """Return the columns' widths: the widest texts are wrapped until the table fits."""
    widths = [max(map(len, column)) for column in columns]
    # A number is never cut; its header may be wrapped between words.
    narrowest = [
        max(max(map(len, column[1:]), default=0), *map(len, column[0].split()), 1)
        if is_numeric
        else min(whole, _NARROWEST)
        for column, is_numeric, whole in zip(columns, numeric, widths, strict=True)
    ]
    while sum(widths) + len(_GAP) * (len(widths) - 1) > width:
        room = [whole - least for whole, least in zip(widths, narrowest, strict=True)]
        if not any(room):
            break
        # Texts first; headers of numbers only where that is not enough.
        texts = [index for index, is_numeric in enumerate(numeric) if not is_numeric]
        narrowed = [index for index in texts if room[index]] or [
            index for index in range(len(widths)) if room[index]
        ]
        widest = max(narrowed, key=widths.__getitem__)
        widths[widest] -= 1
    return widths
