"""Widgets: pick a model, an image and an execution target; look at the mask."""

try:
    import anywidget as _anywidget  # noqa: F401 - to say what is missing
    import ipywidgets as _ipywidgets  # noqa: F401
except ModuleNotFoundError as error:
    raise ModuleNotFoundError("the widgets need anywidget: pip install 'wasinn-nb[lab]'") from error

from wasinn_nb.widgets.explorer import Explorer
from wasinn_nb.widgets.gallery import Gallery
from wasinn_nb.widgets.pickers import ImagePicker, ModelPicker, TargetPicker
from wasinn_nb.widgets.viewer import MaskViewer

__all__ = ["Explorer", "Gallery", "ImagePicker", "MaskViewer", "ModelPicker", "TargetPicker"]
