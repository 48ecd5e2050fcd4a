"""Text in the cells of a terminal: Latin letters take one, Chinese ones and emoji two."""

from __future__ import annotations

import textwrap

from rich.cells import cell_len, chop_cells

__all__ = ["cell_width", "padded", "wrapped"]


def cell_width(text: str) -> int:
    r"""Return how many cells of a terminal a line of text takes.

    Examples
    --------
    >>> [cell_width(text) for text in ("road", "道路", "cafe\u0301", "👍")]
    [4, 4, 4, 2]
    """
    return cell_len(text)


def padded(text: str, width: int, *, right: bool = False) -> str:
    """Return a text with blanks after it, or before it, so that it takes *width* cells.

    Examples
    --------
    >>> padded("道", 4) + "|", padded("道", 4, right=True)
    ('道  |', '  道')
    """
    blanks = " " * (width - cell_len(text))
    return blanks + text if right else text + blanks


def wrapped(text: str, width: int, *, within_words: bool = True) -> list[str]:
    """Return the lines of a text, none of which takes more than *width* cells.

    Parameters
    ----------
    text : str
        One line.
    width : int
        In cells.
    within_words : bool
        Whether words may be broken, at hyphens and where they are longer than a line.  Words with
        wide letters may be in any case: languages that have them write without blanks.

    Examples
    --------
    >>> wrapped("a long name", 6), wrapped("道路標識", 4)
    (['a long', 'name'], ['道路', '標識'])
    """
    if len(text) == cell_len(text):
        lines = textwrap.wrap(
            text, width, break_long_words=within_words, break_on_hyphens=within_words
        )
        return lines or [""]
    lines = []
    for word in text.split():
        if lines and cell_len(f"{lines[-1]} {word}") <= width:
            lines[-1] += f" {word}"
        else:
            lines += chop_cells(word, max(2, width))
    return lines or [""]
