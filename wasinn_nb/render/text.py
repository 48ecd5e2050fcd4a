"""Documents as text: for terminals, for ``print`` and for cells that are compared."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from wasinn_nb.render.cells import cell_width, padded, wrapped
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
from wasinn_nb.render.text_table import table_text
from wasinn_nb.wording import inert

__all__ = ["document_text"]

_LONGEST_LABEL: Final = 14


def document_text(document: Document, width: int = 100) -> str:
    """Return a document as text; images and legends are left out.

    What steers a terminal becomes visible escapes, by :func:`wasinn_nb.wording.inert`.

    Parameters
    ----------
    document : Document
    width : int
        The longest line, in cells of a terminal.  Sentences and code may be longer.

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
            widest = max(widest, *(cell_width(label) for label, _ in block.rows), 0)
        elif isinstance(block, Section):
            widest = max(widest, _label_width(_text_blocks(block)))
    return min(_LONGEST_LABEL, widest)


def _fact(label: str, text: str, label_width: int, width: int) -> list[str]:
    indent = " " * (label_width + 4 if label else 2)
    lines = [
        part
        for line in text.splitlines() or [""]
        for part in wrapped(line, max(1, width - len(indent)), within_words=False)
    ]
    first = f"  {padded(label, label_width)}  " if label else indent
    if cell_width(first) > len(indent):  # a long label has a line of its own
        return [first.rstrip(), *(f"{indent}{line}" for line in lines)]
    return [f"{first}{lines[0]}".rstrip(), *(f"{indent}{line}" for line in lines[1:])]
