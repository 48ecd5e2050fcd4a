"""The choices of one run of the Explorer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

import ipywidgets

from wasinn_nb.recipe import PreprocessRecipe
from wasinn_nb.widgets.models import ModelPicker
from wasinn_nb.widgets.selection import Selection
from wasinn_nb.widgets.targets import TargetPicker

__all__ = ["FILTERS", "RunPicker"]

FILTERS: Final = (
    ("as the recipe says", ""),
    ("triangle (Rust image ≥ 0.24)", "triangle"),
    ("triangle (Rust image ≤ 0.23)", "triangle-0.23"),
    ("bilinear (Pillow)", "bilinear"),
    ("bilinear-draft (quickest)", "bilinear-draft"),
)
_CHANNELS: Final = (("as the recipe says", ""), ("BGR", "BGR"), ("RGB", "RGB"))


class RunPicker:
    """The choices of one run: model, target and precision, resize filter, order of channels."""

    def __init__(
        self,
        model: str | None,
        target: str | int | None,
        precision: str | None,
        resize: str | None,
        recipe: PreprocessRecipe | None,
    ) -> None:
        self.recipe = recipe
        self.models = ModelPicker(model)
        self.targets = TargetPicker(target, precision)
        style = {"description_width": "70px"}
        width = ipywidgets.Layout(width="auto", min_width="0")
        self.resize = ipywidgets.Dropdown(
            options=FILTERS, value=resize or "", description="Resize", style=style, layout=width
        )
        self.color = ipywidgets.Dropdown(
            options=_CHANNELS, value="", description="Channels", style=style, layout=width
        )
        self.model_box = ipywidgets.VBox([self.models, self.resize, self.color])

    @property
    def selection(self) -> Selection:
        """What is picked now."""
        return Selection(
            self.models.value,
            self.targets.value,
            self.targets.precision,
            self.resize.value,
            self.color.value,
            self.recipe,
        )

    def observe(self, handler: Callable[[Any], None]) -> None:
        """Call *handler* when another choice is made."""
        self.models.observe(handler, "value")
        self.targets.observe(handler, ["value", "precision"])
        self.resize.observe(handler, "value")
        self.color.observe(handler, "value")

    def holds(self, widget: Any) -> bool:
        """Return whether *widget* is one of the controls."""
        return widget in {self.models, self.targets, self.resize, self.color}
