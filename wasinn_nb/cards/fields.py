"""The fields of a card by name: what `ModelCard.replace` takes, and how they are written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, TypedDict

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.modelfile import ModelFile
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.render import RGB

__all__ = ["CardFields", "card_text"]


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


def card_text(values: Mapping[str, Any]) -> str:
    """Return a card as JSON with a line for each field, which people can read and change.

    Parameters
    ----------
    values : mapping
        As from `ModelCard.to_dict`.

    Examples
    --------
    >>> print(card_text({"name": "toy", "classes": ["road"]}), end="")
    {
      "name": "toy",
      "classes": ["road"]
    }
    """
    lines = (
        f"  {json.dumps(name)}: {json.dumps(value, ensure_ascii=False, allow_nan=False)}"
        for name, value in values.items()
    )
    return "{\n" + ",\n".join(lines) + "\n}\n"
