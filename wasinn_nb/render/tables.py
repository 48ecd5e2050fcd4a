"""Figures as text, and small tables as aligned text and as HTML for light and dark notebooks."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

__all__ = ["html_table", "text_table"]


def text_table(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """Return a table as text: columns aligned, two spaces between, no trailing blanks.

    Examples
    --------
    >>> print(text_table(["class", "pixels"], [["road", 12], ["curb", 3]]))
    class  pixels
    road   12
    curb   3
    """
    cells = [[str(cell) for cell in row] for row in [headers, *rows]]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)
    return "\n".join(lines)


def html_table(
    headers: Sequence[str],
    rows: Iterable[Sequence[object]],
    *,
    caption: str = "",
    marked: Iterable[int] = (),
) -> str:
    """Return a table as HTML, every cell escaped.

    Parameters
    ----------
    headers, rows : sequences
    caption : str
        Text above the table.
    marked : iterable of int
        Rows to show as failed.

    Examples
    --------
    >>> "&lt;b&gt;" in html_table(["name"], [["<b>"]])
    True
    """
    failed = set(marked)
    left = "text-align:left;vertical-align:top;padding:.25em .75em .25em 0"

    def cell(value: object, tag: str) -> str:
        text = str(value)
        # Names and figures stay on one line; sentences and lists of files may wrap.
        wrap = "nowrap" if len(text) <= 32 else "normal"
        return f'<{tag} style="{left};white-space:{wrap}">{escape(text)}</{tag}>'

    def row(cells: Sequence[object], tag: str, style: str = "") -> str:
        inner = "".join(cell(value, tag) for value in cells)
        return f'<tr style="background:transparent;{style}">{inner}</tr>'

    body = "".join(
        row(cells, "td", "color:#d1242f;font-weight:600" if index in failed else "")
        for index, cells in enumerate(rows)
    )
    title = f'<caption style="{left};font-weight:600">{escape(caption)}</caption>'
    return (
        f'<table style="border-collapse:collapse">{title if caption else ""}'
        f"<thead>{row(headers, 'th')}</thead><tbody>{body}</tbody></table>"
    )
