"""Facts under headings, as wrapped text and as HTML."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Final

__all__ = ["Section", "sections_html", "sections_text"]

WIDTH: Final = 100
_MOST_LABEL: Final = 14
# Labels of all sections stand in one column.
_GRID: Final = "display:grid;grid-template-columns:minmax(7em,max-content) 1fr;column-gap:1em"
_TEXT: Final = "white-space:pre-line;overflow-wrap:anywhere;text-align:left"


@dataclass(frozen=True, slots=True)
class Section:
    """Facts under one heading, or code.

    Parameters
    ----------
    heading : str
    rows : sequence of (label, text)
        Texts of several lines keep their lines; those without a label stand below the heading.
    code : str
        In the place of rows; never wrapped.
    """

    heading: str
    rows: Sequence[tuple[str, str]] = ()
    code: str = ""


def sections_text(title: str, sections: Iterable[Section], width: int = WIDTH) -> str:
    """Return a title and sections as text; code starts in the first column, ready to be copied.

    Parameters
    ----------
    title : str
    sections : iterable of Section
        Those without rows and code are left out.
    width : int
        The longest line in characters; code and single words may be longer.

    Examples
    --------
    >>> print(sections_text("toy", [Section("inputs", [("0", "a b")]), Section("run", code="f()")]))
    toy
    <BLANKLINE>
    inputs
      0  a b
    <BLANKLINE>
    # run
    f()
    """
    sections = [section for section in sections if section.rows or section.code]
    labels = [label for section in sections for label, _ in section.rows]
    label_width = min(_MOST_LABEL, max(map(len, labels), default=0))
    blocks = [title]
    for section in sections:
        if section.code:
            blocks.append(f"# {section.heading}\n{section.code}")
            continue
        lines = [section.heading]
        for label, text in section.rows:
            lines += _row(label, text, label_width, width)
        blocks.append("\n".join(lines))
    return "\n\n".join(blocks)


def _row(label: str, text: str, label_width: int, width: int) -> list[str]:
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


def sections_html(title: str, sections: Iterable[Section]) -> str:
    """Return a title and sections as HTML, every text escaped.

    Examples
    --------
    >>> html = sections_html("<toy>", [Section("inputs", [("0", "a")])])
    >>> "&lt;toy&gt;" in html, ">a</div>" in html
    (True, True)
    """
    parts = [f'<div style="font-weight:600;font-size:1.1em">{escape(title)}</div>']
    for section in sections:
        if section.code:
            parts.append(
                f"{_heading(section)}"
                f'<pre style="margin:.25em 0;overflow-x:auto;text-align:left"><code>'
                f"{escape(section.code)}</code></pre>"
            )
        elif section.rows:
            cells = "".join(_cells(label, text) for label, text in section.rows)
            parts.append(f'{_heading(section)}<div style="{_GRID}">{cells}</div>')
    return f'<div style="max-width:60em;line-height:1.5">{"".join(parts)}</div>'


def _heading(section: Section) -> str:
    style = "font-weight:600;margin-top:.75em"
    return f'<div style="{style}">{escape(section.heading)}</div>'


def _cells(label: str, text: str) -> str:
    # Texts of several lines keep them; those without a label stand below the labels, too.
    span = "" if label else "grid-column:1/-1;"
    value = f'<div style="{span}{_TEXT}">{escape(text)}</div>'
    return f'<div style="opacity:0.75">{escape(label)}</div>{value}' if label else value
