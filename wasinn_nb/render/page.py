"""One self-contained HTML page: readable without Jupyter, a server or a network."""

from __future__ import annotations

import base64
import io
import os
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from wasinn_nb.files import atomic
from wasinn_nb.render.document import Document, Showing
from wasinn_nb.render.html import blocks_html

if TYPE_CHECKING:
    from matplotlib.figure import Figure
    from PIL import Image

__all__ = ["Report", "figure_html", "image_html", "write_document", "write_page"]

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 62rem; margin: 2rem auto; padding: 0 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2rem; }
img { max-width: 100%; height: auto; } pre { overflow-x: auto; } table { font-size: .9rem; }
"""


def write_page(
    path: str | os.PathLike[str], title: str, sections: Iterable[tuple[str, str]]
) -> Path:
    """Write a page, whole or not at all.

    Parameters
    ----------
    path : path-like
    title : str
        Plain text.
    sections : iterable of (heading, html)
        Headings are plain text, and empty ones are left out; the rest is HTML that is already
        escaped.

    Returns
    -------
    Path

    Examples
    --------
    >>> import tempfile
    >>> page = write_page(Path(tempfile.mkdtemp(), "a.html"), "A < B", [("Why", "<p>So.</p>")])
    >>> "<h1>A &lt; B</h1>" in page.read_text()
    True
    """
    body = "".join(
        (f"<h2>{escape(heading)}</h2>" if heading else "") + f"<section>{html}</section>"
        for heading, html in sections
    )
    text = (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><h1>{escape(title)}</h1>{body}</body></html>\n"
    )
    path = Path(path)
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    return path


def write_document(path: str | os.PathLike[str], document: Document) -> Path:
    """Write a document as a page of its own, whole or not at all.

    Parameters
    ----------
    path : path-like
    document : Document

    Returns
    -------
    Path

    Examples
    --------
    >>> import tempfile
    >>> from wasinn_nb.render import Document, Paragraph
    >>> page = write_document(
    ...     Path(tempfile.mkdtemp(), "a.html"), Document("A < B", [Paragraph("So.")])
    ... )
    >>> "<h1>A &lt; B</h1>" in page.read_text()
    True
    """
    return write_page(path, document.title, [("", blocks_html(document.blocks, "page"))])


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
        return write_document(path, self.document())


def image_html(image: Image.Image, alt: str) -> str:
    """Return an image as an ``<img>`` with its bytes inside: PNG for index images, else JPEG."""
    file = io.BytesIO()
    kind = "png" if image.mode in {"P", "RGBA", "1"} else "jpeg"
    image.save(file, kind.upper(), **({"quality": 88} if kind == "jpeg" else {"optimize": True}))
    return _embedded(file.getvalue(), kind, alt)


def figure_html(figure: Figure, alt: str) -> str:
    """Return a matplotlib figure as an ``<img>`` with its bytes inside."""
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=110)
    return _embedded(file.getvalue(), "png", alt)


def _embedded(data: bytes, kind: str, alt: str) -> str:
    encoded = base64.b64encode(data).decode("ascii")
    return f'<img src="data:image/{kind};base64,{encoded}" alt="{escape(alt)}">'
