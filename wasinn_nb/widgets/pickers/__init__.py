"""Pickers of a model, an image, an execution target."""

from wasinn_nb.widgets.pickers.images import ImagePicker
from wasinn_nb.widgets.pickers.models import ModelPicker
from wasinn_nb.widgets.pickers.picking import Picker, readable
from wasinn_nb.widgets.pickers.targets import TargetPicker

__all__ = ["ImagePicker", "ModelPicker", "Picker", "TargetPicker", "readable"]
