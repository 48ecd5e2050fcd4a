"""The Python that states on a card what was assumed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.assumptions import statements
from wasinn_nb.cards.modelpath import encoding_by_suffix, main_path
from wasinn_nb.cards.unnamed import UNNAMED_CLASS, unnamed_classes
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.literals import called, literal

if TYPE_CHECKING:
    from wasinn_nb.cards.card import ModelCard

__all__ = ["card_code", "card_line", "is_bare", "recipe_code"]

# Of a bare card: what follows from the file's name and suffix, and generated class names.
_NOT_STATED: Final = frozenset({"name", "task", "encoding", "classes"})
# Of which `from_model` reads inputs and metadata.
_READ: Final = frozenset({GraphEncoding.OPENVINO, GraphEncoding.ONNX, GraphEncoding.TENSORFLOWLITE})
_ALWAYS_WRITTEN: Final = ("color", "range", "resize")


def card_line(
    path: str,
    assumed: Sequence[str],
    card: ModelCard,
    recipe: PreprocessRecipe | None = None,
) -> str:
    """Return the Python that writes a card which states what is assumed, as it is assumed.

    The user corrects the values in it that are wrong.

    Parameters
    ----------
    path : str
        Of the model's file.
    assumed : sequence of str
        As on a result or a pipeline.
    card : ModelCard
        The model's, as a result or the catalog has it.
    recipe : PreprocessRecipe, optional
        What was done to the image.

    Returns
    -------
    str
        Empty where nothing is assumed that a card can state.

    Examples
    --------
    >>> from wasinn_nb.cards import ModelCard, assumed_recipe, assumed_scores
    >>> recipe = PreprocessRecipe(4, 4, resize="bilinear")
    >>> assumed = assumed_recipe(recipe, ["color", "range", "resize"])
    >>> print(card_line("m.onnx", [assumed], ModelCard("m")))
    wn.ModelCard.from_model(
        "m.onnx",
        recipe={"color": "BGR", "range": (0, 255), "resize": "bilinear"},
    ).write("m.onnx")
    >>> card = ModelCard("m", classes=("road", "sky"))
    >>> print(card_line("m.onnx", [assumed_scores(logits=True)], card))
    wn.model("m.onnx").card.replace(logits=True).write("m.onnx")
    """
    stated = statements(assumed)
    if not stated:
        return ""
    return card_code(path, stated, card, recipe, end=f".write({literal(path)})")


def card_code(
    path: str,
    stated: Mapping[str, Any],
    card: ModelCard,
    recipe: PreprocessRecipe | None = None,
    *,
    start: str = "",
    end: str = "",
) -> str:
    """Return the Python that makes a model's card with some more fields.

    Parameters
    ----------
    path : str
        Of the model's file.
    stated : mapping
        Fields, as from :func:`wasinn_nb.cards.statements`.
    card : ModelCard
        As it is.
    recipe : PreprocessRecipe, optional
        Of which *stated* has some fields.
    start : str
        The code of the card to add to.  Default: of the one beside the model; of what the model's
        file states, where *card* is bare.
    end : str
        What follows.

    Examples
    --------
    >>> from wasinn_nb.cards import ModelCard
    >>> print(card_code("m.onnx", {"threshold": 0.5}, ModelCard("m")))
    wn.ModelCard.from_model("m.onnx", threshold=0.5)
    """
    arguments = {name: literal(value) for name, value in stated.items()}
    if isinstance(count := stated.get("classes"), int):
        arguments["classes"] = f'[f"class {{index}}" for index in range({count})]'
    first = []
    if is_bare(card) and not start and _completes(path, stated.get("recipe")):
        start, first = "wn.ModelCard.from_model", [literal(path)]
    else:
        start = f"{start or f'wn.model({literal(path)}).card'}.replace"
        if recipe is not None and "recipe" in stated:
            arguments["recipe"] = recipe_code(recipe)
    return called(start, [*first, *(f"{name}={code}" for name, code in arguments.items())], end)


def is_bare(card: ModelCard) -> bool:
    """Return whether a card states nothing but what follows from the file's name."""
    unnamed = card.classes in {(), UNNAMED_CLASS, unnamed_classes(len(card.classes))}
    return unnamed and card.to_dict().keys() <= _NOT_STATED


def _completes(path: str, recipe: Mapping[str, Any] | None) -> bool:
    """Return whether `ModelCard.from_model` finds the rest of a recipe in the model's file."""
    return recipe is None or (
        encoding_by_suffix(main_path(Path(path))) in _READ and recipe.keys() >= {"color", "range"}
    )


def recipe_code(recipe: PreprocessRecipe) -> str:
    """Return the Python that makes a recipe; color, range and filter are always in it.

    Examples
    --------
    >>> print(recipe_code(PreprocessRecipe(4, 6, color="RGB", range=(0, 1))))
    wn.PreprocessRecipe(4, 6, color="RGB", range=(0, 1), resize="triangle")
    """
    default = PreprocessRecipe(recipe.height, recipe.width, color=recipe.color)
    values = {field.name: getattr(recipe, field.name) for field in fields(PreprocessRecipe)}
    values["type"] = recipe.type.suffix
    given = [str(values.pop("height")), str(values.pop("width"))]
    for name, value in values.items():
        standard = default.type.suffix if name == "type" else getattr(default, name)
        if name in _ALWAYS_WRITTEN or value != standard:
            given.append(f"{name}={literal(value)}")
    return f"wn.PreprocessRecipe({', '.join(given)})"
