"""Widgets: pick a model, an image and an execution target; look at the mask."""

from wasinn_nb.widgets.explorer import Explorer
from wasinn_nb.widgets.images import ImagePicker
from wasinn_nb.widgets.models import ModelPicker
from wasinn_nb.widgets.targets import TargetPicker
from wasinn_nb.widgets.viewer import MaskViewer

__all__ = ["Explorer", "ImagePicker", "MaskViewer", "ModelPicker", "TargetPicker"]
