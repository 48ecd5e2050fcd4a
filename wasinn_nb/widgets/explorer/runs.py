"""The choices of one run of the Explorer."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from wasinn_nb import catalog
from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards import ModelCard, PartialRecipe
from wasinn_nb.catalog import Model
from wasinn_nb.errors import WasiNnError, WasiNnWarning
from wasinn_nb.imaging import Resize
from wasinn_nb.runtimes import Precision
from wasinn_nb.widgets.explorer.choice import Choice
from wasinn_nb.widgets.explorer.selection import TASKS, Selection
from wasinn_nb.widgets.pickers import ModelPicker, Picker, TargetPicker

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
    """The choices of one run: model, target, precision, runtime, filter, order of channels.

    Parameters
    ----------
    model, target, precision, runtime
        What is picked at first; see `Explorer`.
    resize : str or None
        The filter that is picked at first.
    card, recipe
        In place of those of *model*; another model that is picked has its own.
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | Model | None,
        target: str | int | None,
        *,
        precision: Precision | None = None,
        runtime: str | None = None,
        resize: Resize | None = None,
        card: ModelCard | str | os.PathLike[str] | None = None,
        recipe: PartialRecipe | None = None,
    ) -> None:
        self._card, self._recipe = _given_card(model, card), recipe
        self.models = ModelPicker(model, card=self._card, tasks=TASKS)
        self._given = self.models.value
        self.targets = TargetPicker(target, precision, runtime)
        self.resize = Choice("Resize", FILTERS, resize or "")
        self.color = Choice("Channels", _CHANNELS)
        self.models.observe(self._fit_runtime, "value")

    @property
    def selection(self) -> Selection:
        """What is picked now."""
        model = self.models.value
        given = model == self._given
        return Selection(
            model,
            self.targets.value,
            self.targets.precision,
            self.resize.value,
            self.color.value,
            self._recipe if given else None,
            self._card if given else None,
            self.targets.runtime,
        )

    def observe(self, handler: Callable[[Any], None]) -> None:
        """Call *handler* when another choice is made."""
        self.models.observe(handler, "value")
        self.targets.observe(handler, ["value", "precision", "runtime"])
        self.resize.observe(handler, "value")
        self.color.observe(handler, "value")

    @property
    def controls(self) -> tuple[Picker | Choice, ...]:
        """All that is picked with."""
        return self.models, self.targets, self.resize, self.color

    @property
    def names(self) -> dict[str, str]:
        """What the page calls the controls."""
        kinds = "models", "targets", "resize", "color"
        return {kind: one.model_id for kind, one in zip(kinds, self.controls, strict=True)}

    def holds(self, widget: Any) -> bool:
        """Return whether *widget* is one of the controls."""
        return widget in self.controls

    def list_runtimes(self) -> None:
        """Offer the runtimes that can read the model that is picked."""
        if (encoding := self._encoding()) is not None:
            self.targets.list_runtimes(encoding)

    def _fit_runtime(self, _: object) -> None:
        """Go back to the default runtime where the present one cannot read another model."""
        if (encoding := self._encoding()) is not None:
            self.targets.fit_runtime(encoding)

    def _encoding(self) -> GraphEncoding | None:
        """Return the format of the model that is picked; None where it is not here."""
        try:
            return self.selection.found.encoding
        except (WasiNnError, WasiNnWarning):  # whoever runs it says what is wrong
            return None


def _given_card(
    model: str | os.PathLike[str] | Model | None, card: ModelCard | str | os.PathLike[str] | None
) -> ModelCard | str | None:
    """Return the card that is to count for *model*; None where it is the one that is found."""
    if card is not None:
        return card if isinstance(card, ModelCard) else os.fspath(card)
    if not isinstance(model, Model):
        return None
    try:
        found = catalog.model(model.path, download=False)
    except WasiNnError:
        return model.card
    return None if found.card == model.card else model.card
