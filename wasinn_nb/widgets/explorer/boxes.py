"""Widgets side by side, and closing them."""

from __future__ import annotations

from collections.abc import Sequence

import ipywidgets

__all__ = ["close_all", "open_all", "row"]


def row(widgets: Sequence[tuple[ipywidgets.Widget, str]]) -> ipywidgets.Box:
    """Return widgets side by side that wrap where the cell is narrow."""
    for widget, flex in widgets:
        widget.layout.flex, widget.layout.min_width = flex, "0"
    layout = ipywidgets.Layout(
        display="flex",
        flex_flow="row wrap",
        width="100%",
        align_items="flex-start",
        grid_gap="10px",
    )
    return ipywidgets.Box([widget for widget, _ in widgets], layout=layout)


def close_all(widget: ipywidgets.Widget) -> None:
    """Close a widget and all that is in it."""
    for child in getattr(widget, "children", ()):
        close_all(child)
    widget.close()


def open_all(widget: ipywidgets.Widget) -> None:
    """Bring a closed widget, and all that is in it, back to the page under their old names."""
    for child in getattr(widget, "children", ()):
        open_all(child)
    vars(widget).pop("_repr_mimebundle_", None)  # closing sets it to None
    widget.open()
