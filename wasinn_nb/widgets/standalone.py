"""A viewer on a page of its own: alive without a kernel, an image where scripts are off."""

from __future__ import annotations

import json
from collections.abc import Sequence

from ipywidgets.embed import dependency_state

from wasinn_nb.render import Showing
from wasinn_nb.widgets.access import PageWidget
from wasinn_nb.widgets.pages import page

__all__ = ["standalone_html"]


def standalone_html(widget: PageWidget, still: Sequence[Showing]) -> str:
    """Return a viewer as HTML to put into a page: it needs nothing from outside.

    Parameters
    ----------
    widget : MaskViewer
    still : sequence of Showing
        What the place shows until the script has started, and where scripts are off.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> result = wn.segment("city-arrow")
    >>> html = standalone_html(wn.MaskViewer(result), [result])
    >>> [html.count(tag) for tag in ("<script", "data-wnb-viewer>", "<img ", "http://")]
    [2, 1, 1, 0]
    """
    module, style = page("standalone")
    image = "".join(one._repr_html_() for one in still)
    return (
        f"<style>{style}</style>"
        f'<div class="wnb-standalone" data-wnb-viewer>{image}'
        f'<script type="application/json">{_saved(widget)}</script></div>'
        f'<script type="module">{module}</script>'
    )


def _saved(widget: PageWidget) -> str:
    """Return the traits that the page has, as JSON that no HTML can be in."""
    own = dependency_state([widget], drop_defaults=False)[widget.model_id]
    others = PageWidget.class_traits().keys() | {"_anywidget_id", "_css", "_esm"}
    values = {name: value for name, value in own["state"].items() if name not in others}
    saved = [{"path": one["path"], "data": one["data"]} for one in own.get("buffers", [])]
    return json.dumps({"values": values, "bytes": saved}).replace("<", "\\u003c")
