"""Documents as pages of their own: readable without Jupyter, a server or a network."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from html import escape
from pathlib import Path
from typing import Final

from wasinn_nb.render.document import Block, Document, Section
from wasinn_nb.render.html import blocks_html
from wasinn_nb.render.showing import Showing
from wasinn_nb.transaction import atomic
from wasinn_nb.wording import inert

__all__ = ["Report", "document_page", "write_page"]

_FILES: Final = Path(__file__).with_name("page_files")
_LEAST_PARTS: Final = 3
"""A page with fewer parts has no table of contents."""


def document_page(document: Document) -> str:
    """Return a document as a page of its own.

    Parameters
    ----------
    document : Document

    Returns
    -------
    str
        HTML that needs nothing from outside.

    Examples
    --------
    >>> from wasinn_nb.render import Paragraph
    >>> "<h1>A &lt; B</h1>" in document_page(Document("A < B", [Paragraph("So.")]))
    True
    """
    title = escape(inert(document.title))
    parts, headings = [], []
    for block in document.blocks_in("page"):
        part = blocks_html([block], "page")
        if isinstance(block, Section) and block.heading and part:
            headings.append(escape(inert(block.heading)))
            part = f'<section id="part-{len(headings)}">{part}</section>'
        parts.append(part)
    body = "".join(parts)
    script = f"<script>{_text('report.js')}</script>" if 'class="wnb-scroll"' in body else ""
    return _page(title, f"{_contents(headings)}{body}{script}")


def write_page(path: str | os.PathLike[str], title: str, body: str) -> Path:
    """Write HTML as a page with the style of all pages.

    Parameters
    ----------
    path : path-like
        The page appears whole or not at all.
    title : str
        Plain text.
    body : str
        HTML that needs nothing from outside.

    Raises
    ------
    OSError
        If it cannot be written.
    """
    return _written(path, _page(escape(inert(title)), body))


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_text('report.css')}</style></head>"
        f"<body><h1>{title}</h1>{body}</body></html>\n"
    )


def _written(path: str | os.PathLike[str], page: str) -> Path:
    path = Path(path)
    with atomic(path) as temporary:
        temporary.write_text(page, encoding="utf-8")
    return path


def _contents(headings: Sequence[str]) -> str:
    if len(headings) < _LEAST_PARTS:
        return ""
    links = "".join(
        f'<li><a href="#part-{number}">{heading}</a></li>'
        for number, heading in enumerate(headings, start=1)
    )
    return f'<nav aria-label="Contents"><ul>{links}</ul></nav>'


@functools.cache
def _text(name: str) -> str:
    return (_FILES / name).read_text(encoding="utf-8")


class Report(Showing):
    """A value that shows itself, and can be written as a page of its own.

    Examples
    --------
    >>> import tempfile
    >>> class Found(Report):
    ...     def document(self) -> Document:
    ...         return Document("Found")
    >>> Found().write_html(Path(tempfile.mkdtemp(), "a.html")).name
    'a.html'
    """

    __slots__ = ()

    def _repr_png_(self) -> bytes | None:
        from wasinn_nb.render.png import report_png

        return report_png(self.document(), self._drawn_blocks())

    def _drawn_blocks(self) -> Sequence[Block]:
        """Return the images and legends for exports that take no HTML: by default, the page's."""
        return self.document().blocks_in("page")

    def write_html(self, path: str | os.PathLike[str]) -> Path:
        """Write everything as one self-contained page, readable without Jupyter.

        Parameters
        ----------
        path : path-like
            The page appears whole or not at all.

        Returns
        -------
        Path

        Raises
        ------
        OSError
            If it cannot be written.
        """
        return _written(path, document_page(self.document()))
