"""The page's side of the widgets: ESM and CSS files, as text.

As text, because anywidget would watch a path for changes.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

__all__ = ["page"]

_HERE: Final = Path(__file__).parent


def page(name: str, *parts: str) -> tuple[str, str]:
    """Return the ESM and the CSS of a kind of widget, with what it shares with others before it.

    Parameters
    ----------
    name : str
        Of the widget's own files.
    *parts
        Names of files that it shares; those of all widgets come first by themselves.

    Examples
    --------
    >>> esm, css = page("viewer", "notes", "masks")
    >>> "function element(" in esm, ".wnb-viewer {" in css, ".wnb-note" in css
    (True, True, True)
    """
    scripts = [_HERE / f"{part}.js" for part in ("elements", *parts, name)]
    styles = [_HERE / f"{part}.css" for part in (*parts, name)]
    esm, css = (
        "\n".join(path.read_text(encoding="utf-8") for path in paths if path.exists())
        for paths in (scripts, styles)
    )
    return esm, css
