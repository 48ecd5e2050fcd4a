"""Widgets: pick a model, an image and an execution target; look at the mask."""

from wasinn_nb.widgets.viewer import MaskViewer

__all__ = ["MaskViewer"]
