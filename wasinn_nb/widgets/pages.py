"""The page's side of the widgets: ES modules and CSS files in the folder ``page``, as text.

anywidget takes one ES module as text (of a path, it would watch the file for changes), so they are
joined here: each module becomes a function that is called once and returns what the module exports.
Names that a module does not export stay its own, as with any ES module.  Neither a bundler nor Node
is needed.

A page keeps every ES module that it ever loaded, and anywidget loads one for each widget.  What it
gets is therefore short, and loads the widget's own once, from a blob as anywidget itself does.
"""

from __future__ import annotations

import functools
import re
import zlib
from pathlib import Path
from typing import Final

__all__ = ["LOADED_ONCE", "deflated", "joined", "page"]

_FOLDER: Final = Path(__file__).with_name("page")
LOADED_ONCE: Final = (_FOLDER / "loaded_once.js").read_text(encoding="utf-8")
"""The ES module that anywidget loads: it loads that of the trait ``_module``, once in a page."""
_TOKENS: Final = _FOLDER / "tokens.css"
# What a module may import and export; anything else is refused, so that nothing is joined wrongly.
_IMPORT: Final = re.compile(
    r'^import \{\s*(\w+(?:,\s+\w+)*),?\s*\} from "\./([a-z_]+)\.js";\n', re.MULTILINE
)
_EXPORT: Final = re.compile(
    r"^export (?=(?:(?:async )?function|class|const) (\w+)\b)", re.MULTILINE
)
_DEFAULT: Final = re.compile(r"^export default ", re.MULTILINE)
# At the start of a line, import and export; anywhere but in a comment, import() and import.meta.
_REFUSED: Final = re.compile(
    r"^(?:(?:import|export)\b|(?!\s*(?://|/?\*)).*\bimport\s*[.(]).*", re.MULTILINE
)


def page(name: str) -> tuple[str, str]:
    """Return the ES module and the CSS of a kind of widget: the design tokens, and its own.

    Parameters
    ----------
    name : str
        Of the widget's own files.

    Examples
    --------
    >>> esm, css = page("viewer")
    >>> "function element(" in esm, ".wnb-viewer {" in css, ".wnb-note" in css
    (True, True, True)
    """
    esm, modules = joined(_FOLDER / f"{name}.js")
    styles = [_TOKENS, *(path.with_suffix(".css") for path in modules)]
    return esm, "\n".join(path.read_text(encoding="utf-8") for path in styles if path.exists())


@functools.cache
def deflated(esm: str) -> bytes:
    """Return an ES module as a page gets it: a quarter of its bytes."""
    return zlib.compress(esm.encode(), 9)


def joined(entry: Path) -> tuple[str, list[Path]]:
    """Join an ES module and all that it imports into one ES module without imports.

    Parameters
    ----------
    entry : Path
        The module that has the default export.

    Returns
    -------
    tuple of str and list of Path
        The text, and the modules in it: each once, after those that it imports, the entry last.

    Raises
    ------
    ValueError
        If a module imports or exports in a form other than ``import { a, b } from "./c.js";`` and
        ``export`` before a function, class or const; if it imports what is not exported; or if it
        imports itself by way of others.
    FileNotFoundError
        If an imported module does not exist.
    """
    exports: dict[Path, list[str]] = {}
    texts: list[str] = []

    def add(path: Path, importers: tuple[Path, ...]) -> None:
        if path in importers:
            chain = " -> ".join(one.name for one in (*importers, path))
            raise ValueError(f"modules import one another in a circle: {chain}")
        if path in exports:
            return
        text = path.read_text(encoding="utf-8")
        for names, stem in _IMPORT.findall(text):
            source = path.with_name(f"{stem}.js")
            add(source, (*importers, path))
            if missing := set(re.findall(r"\w+", names)) - set(exports[source]):
                raise ValueError(f"{path.name}: {source.name} does not export {sorted(missing)}")
        exports[path] = _EXPORT.findall(text)
        text = _IMPORT.sub(r"const { \1 } = module_\2;\n", text)
        text = _EXPORT.sub("", text)
        body = text if importers else _DEFAULT.sub("", text, count=1)
        if refused := _REFUSED.search(body):
            raise ValueError(f"{path.name} cannot be joined for: {refused[0]!r}")
        if importers:
            returned = ", ".join(exports[path])
            text = f"const module_{path.stem} = (() => {{\n{text}return {{ {returned} }};\n}})();\n"
        texts.append(text)

    add(entry, ())
    return "\n".join(texts), list(exports)
