"""What is assumed where nothing states it: the words for it, and the line that states it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, get_args

from wasinn_nb.literals import called, literal
from wasinn_nb.recipe import Color, PreprocessRecipe, Resize

if TYPE_CHECKING:
    from wasinn_nb.cards.card import ModelCard

__all__ = [
    "UNNAMED_CLASS",
    "assumed_classes",
    "assumed_recipe",
    "assumed_scores",
    "assumed_size",
    "card_line",
    "is_bare",
    "recipe_code",
    "statements",
    "unnamed_classes",
]

UNNAMED_CLASS: Final = ("background", "foreground")
"""What the two labels of a model of one class are called where nothing names it."""

_RANGE: Final = re.compile(r"values (\S+) to (\S+)")
_SIZE: Final = re.compile(r"size (\d+)x(\d+), which the model leaves open")
_CLASSES: Final = re.compile(r"(\d+) classes, which nothing counts")
_SCORES: Final = re.compile(r"scores are (logits|probabilities), by their values")
# Of a bare card: what the file's name and suffix give, and the names that are made up.
_NOT_STATED: Final = frozenset({"name", "task", "encoding", "classes"})
_READ_SUFFIXES: Final = frozenset({".xml", ".bin", ".onnx", ".tflite"})
_ALWAYS_WRITTEN: Final = ("color", "range", "resize")


def assumed_recipe(recipe: PreprocessRecipe, names: Iterable[str]) -> str:
    """Return the assumed fields of a recipe in words: ``color``, ``range``, ``resize``.

    Examples
    --------
    >>> assumed_recipe(PreprocessRecipe(4, 4), ["color", "range", "resize"])
    'BGR, values 0 to 255, triangle'
    """
    low, high = recipe.range
    words = {
        "color": recipe.color,
        "range": f"values {low:g} to {high:g}",
        "resize": recipe.resize,
    }
    return ", ".join(words[name] for name in names)


def assumed_size(height: int, width: int) -> str:
    """Return in words that the image's size is assumed."""
    return f"size {height}x{width}, which the model leaves open"


def assumed_classes(count: int) -> str:
    """Return in words that the number of classes is assumed."""
    return f"{count} classes, which nothing counts"


def assumed_scores(*, logits: bool) -> str:
    """Return in words that the values of the scores told what they are."""
    return f"scores are {'logits' if logits else 'probabilities'}, by their values"


def unnamed_classes(count: int) -> tuple[str, ...]:
    """Return names for classes that nothing names.

    Examples
    --------
    >>> unnamed_classes(2)
    ('class 0', 'class 1')
    """
    return tuple(f"class {index}" for index in range(count))


def statements(assumed: Iterable[str]) -> dict[str, Any]:
    """Return the fields of a card that state what is assumed, with the values that are assumed.

    Parameters
    ----------
    assumed : iterable of str
        As on a result or a pipeline.

    Returns
    -------
    dict
        ``recipe`` as a mapping of its fields, ``classes`` as their number, ``logits``.

    Examples
    --------
    >>> statements(["BGR, values 0 to 255, bilinear", "21 classes, which nothing counts"])
    {'recipe': {'color': 'BGR', 'range': (0.0, 255.0), 'resize': 'bilinear'}, 'classes': 21}
    """
    recipe: dict[str, Any] = {}
    found: dict[str, Any] = {}
    for text in assumed:
        if size := _SIZE.fullmatch(text):
            recipe |= {"height": int(size[1]), "width": int(size[2])}
        elif classes := _CLASSES.fullmatch(text):
            found["classes"] = int(classes[1])
        elif scores := _SCORES.fullmatch(text):
            found["logits"] = scores[1] == "logits"
        else:
            recipe |= _recipe_fields(text)
    return ({"recipe": recipe} if recipe else {}) | found


def _recipe_fields(text: str) -> dict[str, Any]:
    """Return what `assumed_recipe` said; nothing of any other text."""
    values: dict[str, Any] = {}
    for word in text.split(", "):
        if word in get_args(Color):
            values["color"] = word
        elif word in get_args(Resize):
            values["resize"] = word
        elif (ends := _RANGE.fullmatch(word)) is not None:
            values["range"] = float(ends[1]), float(ends[2])
    return values


def is_bare(card: ModelCard) -> bool:
    """Return whether a card states nothing but what the file's name gives."""
    unnamed = card.classes in {(), UNNAMED_CLASS, unnamed_classes(len(card.classes))}
    return unnamed and card.to_dict().keys() <= _NOT_STATED


def card_line(
    path: str,
    assumed: Sequence[str],
    card: ModelCard,
    recipe: PreprocessRecipe | None = None,
    *,
    start: str = "",
) -> str:
    """Return the Python that writes a card which states what is assumed, as it is assumed.

    Whoever knows better changes the values in it.

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
    start : str
        The code of the card to add to.  Default: the one beside the model, or what the file states
        where *card* is bare.

    Returns
    -------
    str
        Empty where nothing is assumed that a card states.

    Examples
    --------
    >>> from wasinn_nb.cards import ModelCard
    >>> print(card_line("m.onnx", ["BGR, values 0 to 255, bilinear"], ModelCard("m")))
    wn.ModelCard.from_model(
        "m.onnx",
        recipe={"color": "BGR", "range": (0, 255), "resize": "bilinear"},
    ).write("m.onnx")
    >>> card = ModelCard("m", classes=("road", "sky"))
    >>> print(card_line("m.onnx", ["scores are logits, by their values"], card))
    wn.model("m.onnx").card.replace(logits=True).write("m.onnx")
    """
    stated = statements(assumed)
    if not stated:
        return ""
    arguments = dict(stated)
    if "classes" in stated:
        # Its names are to be put in the place of these.
        arguments["classes"] = f'[f"class {{index}}" for index in range({stated["classes"]})]'
    if "logits" in stated:
        arguments["logits"] = literal(stated["logits"])
    end = f".write({literal(path)})"
    if is_bare(card) and not start and _completes(path, stated.get("recipe")):
        if "recipe" in stated:
            arguments["recipe"] = literal(stated["recipe"])
        given = [f"{name}={code}" for name, code in arguments.items()]
        return called("wn.ModelCard.from_model", [literal(path), *given], end)
    if "recipe" in stated:
        if recipe is None:
            return ""
        arguments["recipe"] = recipe_code(recipe)
    given = [f"{name}={code}" for name, code in arguments.items()]
    return called(f"{start or f'wn.model({literal(path)}).card'}.replace", given, end)


def _completes(path: str, recipe: Mapping[str, Any] | None) -> bool:
    """Return whether `ModelCard.from_model` finds the rest of a recipe in the model's file."""
    return recipe is None or (
        Path(path).suffix.lower() in _READ_SUFFIXES and recipe.keys() >= {"color", "range"}
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
        standard = getattr(default, name)
        if name in _ALWAYS_WRITTEN or value != (standard.suffix if name == "type" else standard):
            given.append(f"{name}={literal(value)}")
    return f"wn.PreprocessRecipe({', '.join(given)})"
