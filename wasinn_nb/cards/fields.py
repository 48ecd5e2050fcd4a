"""The fields of a card by name, for editors: what `ModelCard.replace` takes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.modelfile import ModelFile
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.render import RGB

__all__ = ["CardFields"]


class CardFields(TypedDict, total=False):
    """Fields of a card with the types that they can be given in."""

    name: str
    task: str
    recipe: PreprocessRecipe | None
    classes: Sequence[str]
    palette: Sequence[RGB]
    encoding: GraphEncoding
    precisions: Mapping[str, Sequence[ModelFile]]
    description: str
    license: str
    source: str
    figures: Mapping[str, float]
    output: str | int | None
    threshold: float | None
    channels_last: bool | None
    logits: bool | None
    background: int | None
