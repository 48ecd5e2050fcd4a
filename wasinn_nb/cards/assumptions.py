"""What is assumed where nothing states it: the words, and the fields of a card that state it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final, get_args

from wasinn_nb.imaging import Color, PreprocessRecipe, Resize

__all__ = [
    "UNNAMED_CLASS",
    "assumed_classes",
    "assumed_recipe",
    "assumed_scores",
    "assumed_size",
    "statements",
    "unnamed_classes",
]

UNNAMED_CLASS: Final = ("background", "foreground")
"""What the two labels of a model of one class are called where nothing names it."""

_RANGE: Final = re.compile(r"values (\S+) to (\S+)")
_SIZE: Final = re.compile(r"size (\d+)x(\d+), which the model leaves open")
_CLASSES: Final = re.compile(r"(\d+) classes, which nothing counts")
_SCORES: Final = re.compile(r"scores are (logits|probabilities), by their values")


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
    """Return what `assumed_recipe` put in words; nothing of any other text."""
    values: dict[str, Any] = {}
    for word in text.split(", "):
        if word in get_args(Color):
            values["color"] = word
        elif word in get_args(Resize):
            values["resize"] = word
        elif (ends := _RANGE.fullmatch(word)) is not None:
            values["range"] = float(ends[1]), float(ends[2])
        else:
            return {}
    return values
