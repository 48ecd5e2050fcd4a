"""Tables as text that fits a width: texts are wrapped; where that is not enough, rows are lists."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from wasinn_nb.render.cells import cell_width, padded, wrapped
from wasinn_nb.render.table import Table
from wasinn_nb.wording import inert

__all__ = ["table_text"]

_GAP: Final = "  "
_NARROWEST: Final = 8
"""Cells that a column of text keeps when a table is made to fit."""
_WHOLE_PARTS: Final = 14
"""Words, or their parts between hyphens, are whole up to so many cells."""
_WHOLE_WORDS: Final = 40
"""Words of the first column, which says what a row is about, are whole up to so many cells."""


def table_text(table: Table, width: int = 100) -> str:
    """Return a table as text: numbers to the right, texts wrapped where the table is too wide.

    Where even that is too wide, each row becomes a list with a line for each value.

    Parameters
    ----------
    table : Table
    width : int
        In cells of a terminal.  Numbers are never cut.

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
    >>> table = Table(["class", "pixels"], [("a long name of a class", 1)])
    >>> print(table_text(table, 20))
    class         pixels
    a long name        1
    of a class
    >>> print(table_text(table, 13))
    class   a
            long
            name
            of a
            class
    pixels  1
    """
    headers = [inert(column.name) for column in table.headers]
    rows = [headers, *(list(row) for row in table.cells)]
    widths = _fitting([*zip(*rows, strict=True)], table.numeric, width)
    if widths is not None or len(rows) == 1:
        return "\n".join(_lines(rows, widths or [*map(cell_width, headers)], table.numeric))
    return "\n\n".join("\n".join(_listed(headers, row, width)) for row in rows[1:])


def _lines(
    rows: Sequence[Sequence[str]], widths: Sequence[int], numeric: Sequence[bool]
) -> Iterator[str]:
    for row in rows:
        cells = [
            wrapped(cell, column) if column < cell_width(cell) else [cell]
            for cell, column in zip(row, widths, strict=True)
        ]
        for number in range(max(map(len, cells))):
            parts = (cell[number] if number < len(cell) else "" for cell in cells)
            yield _GAP.join(
                padded(part, column, right=right)
                for part, column, right in zip(parts, widths, numeric, strict=True)
            ).rstrip()


def _listed(headers: Sequence[str], row: Sequence[str], width: int) -> Iterator[str]:
    """Return a row as lines with a header and its value; a column without a header stands before.

    The latter holds a mark of the whole row.
    """
    mark = "".join(f"{cell}{_GAP}" for header, cell in zip(headers, row, strict=True) if not header)
    left = min(_longest(headers), max(1, 2 * width // 3))
    right = max(2, width - cell_width(mark) - left - len(_GAP))
    facts = [(header, cell) for header, cell in zip(headers, row, strict=True) if header and cell]
    lines = _lines(facts, [left, right], [False, False])
    for number, line in enumerate(lines):
        yield f"{mark if number == 0 else ' ' * cell_width(mark)}{line}"


def _fitting(
    columns: Sequence[Sequence[str]], numeric: Sequence[bool], width: int
) -> list[int] | None:
    """Return the columns' widths: the widest texts are wrapped until the table fits, or None."""
    widths = [max(map(cell_width, column)) for column in columns]
    narrowest = [
        _narrowest(column, is_numeric=is_numeric)
        for column, is_numeric in zip(columns, numeric, strict=True)
    ]
    texts = [index for index, is_numeric in enumerate(numeric) if not is_numeric]
    numbers = [index for index, is_numeric in enumerate(numeric) if is_numeric]
    first, parts = texts[:1] if 0 in texts else [], narrowest[0]
    if first:  # it says what a row is about: its words stay whole as long as they can
        words = [word for cell in columns[0] for word in cell.split()]
        narrowest[0] = max(parts, min(_longest(words), _WHOLE_WORDS))
    for group in (texts, numbers, first):
        if group is first:
            narrowest[0] = parts
        while sum(widths) + len(_GAP) * (len(widths) - 1) > width:
            narrowed = [index for index in group if widths[index] > narrowest[index]]
            if not narrowed:
                break
            widths[max(narrowed, key=widths.__getitem__)] -= 1
        else:
            return widths
    return None


def _narrowest(column: Sequence[str], *, is_numeric: bool) -> int:
    """Return the least width of a column, whose header comes first."""
    if is_numeric:  # a number is never cut; its header may be wrapped between words
        return _longest([*column[1:], *column[0].split()])
    parts = [part for cell in column for part in re.findall(r"[^-\s]*-|[^-\s]+", cell)]
    return max(min(_longest(column), _NARROWEST), min(_longest(parts), _WHOLE_PARTS))


def _longest(words: Sequence[str]) -> int:
    return max(map(cell_width, words), default=1)
