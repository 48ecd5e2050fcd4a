"""Documents as pages of their own: readable without Jupyter, a server or a network."""

from __future__ import annotations

import os
from collections.abc import Sequence
from html import escape
from pathlib import Path

from wasinn_nb.render.document import Block, Document, Showing
from wasinn_nb.render.html import blocks_html
from wasinn_nb.transaction import atomic
from wasinn_nb.wording import inert

__all__ = ["Report", "document_page"]

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
img { max-width: 100%; height: auto; } pre { overflow-x: auto; } table { font-size: .9rem; }
"""


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
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{title}</h1>{blocks_html(document.blocks, 'page')}</body></html>\n"
    )


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
        path = Path(path)
        with atomic(path) as temporary:
            temporary.write_text(document_page(self.document()), encoding="utf-8")
        return path
