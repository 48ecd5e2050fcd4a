"""The card of an INT8 model: what the original's card and file state."""

from __future__ import annotations

from typing import Any

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards import UNNAMED_CLASS, ModelCard, statements, unnamed_classes
from wasinn_nb.pipeline import Pipeline
from wasinn_nb.tasks import tasks

__all__ = ["int8_card"]


def int8_card(reference: Pipeline, name: str) -> ModelCard:
    """Return the card of an INT8 model, without its files.

    The file of the INT8 model states nothing of what the original's file may state, so that the
    card holds it: task, classes and recipe.  A recipe of which nothing is stated stays out, and is
    assumed of the INT8 model, too; of one that is stated in part the description says the rest.

    Parameters
    ----------
    reference : Pipeline
        Of the original.
    name : str
        Of the INT8 model.
    """
    card, stated = reference.model.card, reference.model.stated
    read = reference.reading.card
    changes: dict[str, Any] = {"name": name, "precisions": {}, "figures": {}}
    changes["encoding"] = GraphEncoding.OPENVINO
    if not card.classes and read.classes not in {UNNAMED_CLASS, unnamed_classes(len(read.classes))}:
        changes |= {"classes": read.classes, "task": read.task}
    if card.task == "unknown" and stated.task in tasks():
        changes["task"] = reference.reading.task
    about = [f"{card.name} in INT8 by NNCF.", card.description]
    assumed = [one for one in reference.assumed if "recipe" in statements([one])]
    if not assumed or _stated_in_part(reference):
        changes["recipe"] = reference.recipe
        about += [f"Assumed: {one}." for one in assumed]
    return card.replace(**changes, description=" ".join(filter(None, about)))


def _stated_in_part(reference: Pipeline) -> bool:
    """Return whether the caller or the model's file states some of the recipe."""
    of_file = reference.model.stated.recipe.keys() - {"layout"}  # the INT8 model's input shows it
    return bool(reference.arguments["recipe"] or of_file)
