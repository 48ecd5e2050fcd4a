"""The page's side of the widgets: ESM and CSS files, as text.

As text, because anywidget would watch a path for changes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["page"]

_HERE: Final = Path(__file__).parent


def page(name: str) -> tuple[str, str]:
    """Return the ESM, with what all share before it, and the CSS of a kind of widget.

    Examples
    --------
    >>> esm, css = page("viewer")
    >>> "function element(" in esm, ".wnb-viewer {" in css
    (True, True)
    """
    shared, own, css = (
        (_HERE / file).read_text(encoding="utf-8")
        for file in ("elements.js", f"{name}.js", f"{name}.css")
    )
    return f"{shared}\n{own}", css
