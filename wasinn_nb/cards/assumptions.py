"""What is assumed where nothing states it: sentences, and the fields of a card that state it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from itertools import combinations
from types import MappingProxyType
from typing import Any, Final, Self

from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.wording import counted

__all__ = [
    "DEFAULT_THRESHOLD",
    "Assumption",
    "assumed_classes",
    "assumed_recipe",
    "assumed_scores",
    "assumed_size",
    "assumed_threshold",
    "restored_assumptions",
    "statements",
]

DEFAULT_THRESHOLD: Final = 0.5
"""The probability above which a pixel is of a model's one class, where nothing states it."""

_RECIPE_FIELDS: Final = ("color", "range", "resize")


class Assumption(str):
    """A sentence on what is assumed, and the fields of a card that would state it.

    Parameters
    ----------
    sentence : str
    states : mapping
        Fields of a card → the values that are assumed: ``recipe`` as a mapping of its fields,
        ``classes`` as their number, ``logits``, ``threshold``.

    Attributes
    ----------
    states : mapping

    Examples
    --------
    >>> assumption = assumed_classes(21)
    >>> assumption, dict(assumption.states)
    ('21 classes, which nothing counts', {'classes': 21})
    """

    __slots__ = ("states",)
    states: Mapping[str, Any]

    def __new__(cls, sentence: str, states: Mapping[str, Any]) -> Self:  # noqa: D102 - the class
        self = super().__new__(cls, sentence)
        self.states = MappingProxyType(dict(states))
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        # Read-only views of mappings cannot be pickled; what they show can.
        return type(self), (str(self), dict(self.states))


def assumed_recipe(recipe: PreprocessRecipe, names: Iterable[str]) -> Assumption:
    """Return the assumption of some fields of a recipe: ``color``, ``range``, ``resize``.

    Examples
    --------
    >>> assumed_recipe(PreprocessRecipe(4, 4), ["color", "range", "resize"])
    'BGR, values 0 to 255, triangle'
    """
    low, high = recipe.range
    texts = {
        "color": recipe.color,
        "range": f"values {low:g} to {high:g}",
        "resize": recipe.resize,
    }
    states = {name: getattr(recipe, name) for name in names}
    return Assumption(", ".join(texts[name] for name in states), {"recipe": states})


def assumed_size(height: int, width: int) -> Assumption:
    """Return the assumption of the image's size."""
    sentence = f"size {height}x{width}, which the model leaves open"
    return Assumption(sentence, {"recipe": {"height": height, "width": width}})


def assumed_classes(count: int) -> Assumption:
    """Return the assumption of the number of classes."""
    return Assumption(f"{counted(count, 'class')}, which nothing counts", {"classes": count})


def assumed_scores(*, logits: bool | None) -> Assumption:
    """Return the assumption that scores are what their values look like; None before a run.

    Examples
    --------
    >>> assumed_scores(logits=None), assumed_scores(logits=True)
    ('scores are probabilities or logits, by their values', 'scores are logits, by their values')
    """
    if logits is None:
        return Assumption("scores are probabilities or logits, by their values", {})
    kind = "logits" if logits else "probabilities"
    return Assumption(f"scores are {kind}, by their values", {"logits": logits})


def assumed_threshold() -> Assumption:
    """Return the assumption of a model's threshold."""
    return Assumption(f"threshold {DEFAULT_THRESHOLD:g}", {"threshold": DEFAULT_THRESHOLD})


def restored_assumptions(
    sentences: Iterable[str], recipe: PreprocessRecipe | None, classes: int
) -> tuple[str, ...]:
    """Return the sentences of a saved result as the assumptions that they were.

    Parameters
    ----------
    sentences : iterable of str
    recipe : PreprocessRecipe or None
        The result's.
    classes : int
        How many classes the result has.

    Returns
    -------
    tuple of str
        An `Assumption` for each sentence that a result of this recipe and these classes can have;
        others as they are.

    Examples
    --------
    >>> (color, other) = restored_assumptions(["BGR", "more"], PreprocessRecipe(4, 4), 2)
    >>> dict(color.states), other
    ({'recipe': {'color': 'BGR'}}, 'more')
    """
    possible = [assumed_classes(classes), assumed_threshold()]
    possible += (assumed_scores(logits=is_) for is_ in (True, False, None))
    if recipe is not None:
        possible.append(assumed_size(recipe.height, recipe.width))
        for length in range(1, len(_RECIPE_FIELDS) + 1):
            sets = combinations(_RECIPE_FIELDS, length)
            possible += (assumed_recipe(recipe, names) for names in sets)
    by_sentence = {str(assumption): assumption for assumption in possible}
    return tuple(by_sentence.get(sentence, sentence) for sentence in sentences)


def statements(assumed: Iterable[str]) -> dict[str, Any]:
    """Return the fields of a card that state what is assumed, with the values that are assumed.

    Parameters
    ----------
    assumed : iterable of Assumption or str
        As on a result or a pipeline; of plain text nothing is returned.

    Returns
    -------
    dict
        ``recipe`` as a mapping of its fields, ``classes`` as their number, ``logits``,
        ``threshold``.

    Examples
    --------
    >>> recipe = assumed_recipe(PreprocessRecipe(4, 4), ["color", "range"])
    >>> statements([recipe, assumed_size(4, 4), assumed_classes(21)])
    {'recipe': {'color': 'BGR', 'range': (0.0, 255.0), 'height': 4, 'width': 4}, 'classes': 21}
    """
    recipe: dict[str, Any] = {}
    others: dict[str, Any] = {}
    for assumption in assumed:
        if isinstance(assumption, Assumption):
            others |= assumption.states
            recipe |= others.pop("recipe", {})
    return ({"recipe": recipe} if recipe else {}) | others
