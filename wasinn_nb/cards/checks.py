"""The fields of a model card, checked: nothing in a ``card.json`` is trusted until then."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, Final, Required, TypedDict

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.modelfile import ModelFile, is_text
from wasinn_nb.errors import RecipeError, Remedy
from wasinn_nb.json_files import checked_json
from wasinn_nb.render import RGB, checked_palette, class_palette

__all__ = [
    "BY_NAME",
    "MOST_MASK_CLASSES",
    "card_background",
    "card_classes",
    "card_figures",
    "card_output",
    "card_palette",
    "card_precisions",
    "card_threshold",
    "json_fields",
    "named_background",
    "unexpected",
]

# Labels have 8 bits where a mask is made, or may be made.
_MASK_TASKS: Final = frozenset({"segmentation", "unknown"})
MOST_MASK_CLASSES: Final = 256
_MOST_CLASSES: Final = 100_000
BY_NAME: Final[Any] = "by name"
"""The background that the names of the classes tell."""
# What has no class is called so; the first of these that a class has counts.
_BACKGROUNDS: Final = ("background", "bg", "unlabeled", "unlabelled", "void")


class _CardFields(TypedDict, total=False):
    """The fields of a ``card.json`` and their types; what they may hold is checked by the card."""

    name: Required[str]
    task: str
    recipe: dict[str, Any] | None
    classes: tuple[str, ...]
    palette: Any
    encoding: str
    precisions: dict[str, tuple[ModelFile, ...]]
    description: str
    license: str
    source: str
    figures: dict[str, int | float]
    output: str | int | None
    threshold: float | None
    channels_last: bool | None
    logits: bool | None
    background: int | None


def json_fields(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields in a ``card.json``, of the types that a card takes; `recipe` is a mapping.

    Raises
    ------
    RecipeError
        If one is of another type; the error names it.
    """
    name = values["name"] if isinstance(values["name"], str) else "the model card"
    given: dict[str, Any] = {**checked_json(values, _CardFields, f"{name:.80}", RecipeError)}
    if "encoding" in given:
        known = {member.name.lower(): member for member in GraphEncoding}
        if given["encoding"].lower() not in known:
            raise unexpected(name, f"encoding as one of {', '.join(known)}", given["encoding"])
        given["encoding"] = known[given["encoding"].lower()]
    return given


def unexpected(card: str, expected: str, value: object) -> RecipeError:
    """Return the error for a field of the card named *card*."""
    return RecipeError(f"{card}: expected {expected}, got {value!r:.120}")


def card_classes(card: str, task: str, classes: Any) -> tuple[str, ...]:
    """Return the names of the classes as a tuple."""
    # A string is a sequence of strings too: of its letters.
    try:
        # Sets have no order, and mappings are something else.
        unordered = isinstance(classes, str | AbstractSet | Mapping)
        names = (None,) if unordered else tuple(classes)
    except TypeError:
        names = (None,)
    if not all(name and is_text(name) for name in names):
        raise unexpected(card, "class names as text", classes)
    masks, most = task in _MASK_TASKS, _most_classes(task)
    if len(names) > most:
        remedy = Remedy(
            f"with task='classification' it takes {_MOST_CLASSES}", [{"task": "classification"}]
        )
        raise RecipeError(
            f"{card}: expected at most {most} classes, got {len(names)}",
            remedy=remedy if task == "unknown" else None,
        )
    if masks and len(set(names)) != len(names):
        raise RecipeError(f"{card}: two classes have the same name: {names!r:.120}")
    return names


def card_palette(card: str, classes: int, palette: Any, background: int | None) -> tuple[RGB, ...]:
    """Return one color per class, the distinct ones where none are given."""
    colors = checked_palette(palette, 0)
    if not colors:
        return class_palette(classes, background)
    if classes == 1 and len(colors) > 1:
        raise RecipeError(
            f"{card}: expected one color for one class, got {len(colors)}; name both classes, "
            f"such as ('background', 'person')"
        )
    return checked_palette(colors, classes)


def card_precisions(card: str, precisions: Any) -> dict[str, tuple[ModelFile, ...]]:
    """Return the files per precision, as tuples."""
    expected = "precisions as name and files"
    if not isinstance(precisions, Mapping) or not all(map(is_text, precisions)):
        raise unexpected(card, expected, precisions)
    checked = {}
    for precision, files in precisions.items():
        if not isinstance(files, tuple | list) or not all(isinstance(f, ModelFile) for f in files):
            raise unexpected(card, expected, precisions)
        checked[precision] = tuple(files)
    return checked


def card_figures(card: str, figures: Any) -> dict[str, float]:
    """Return the measured figures."""
    if not isinstance(figures, Mapping) or not all(map(is_text, figures)):
        raise unexpected(card, "figures as name and finite number", figures)
    for number in figures.values():
        if type(number) not in {int, float} or not _is_finite(number):
            raise unexpected(card, "figures as name and finite number", figures)
    return dict(figures)


def card_output(card: str, output: Any) -> str | int | None:
    """Return the name or the index of an output, or None."""
    if output is None or (isinstance(output, str) and output and is_text(output)):
        return output
    index = _index(output)
    if index is None:
        raise unexpected(card, "output as the name of an output or its index from 0", output)
    return index


def card_threshold(card: str, threshold: Any) -> float | None:
    """Return a probability above 0 and below 1, or None."""
    if threshold is None:
        return None
    try:
        number = math.nan if isinstance(threshold, bool | str) else float(threshold)
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if not 0 < number < 1:
        raise unexpected(card, "threshold as a probability above 0 and below 1", threshold)
    return number


def named_background(classes: Sequence[str]) -> int | None:
    """Return the index of the class whose name says that it is the background, or None.

    A model of one class has two labels, of which 0 is what is not of the class.

    Examples
    --------
    >>> named_background(["sky", "_background_"]), named_background(["road", "sky"])
    (1, None)
    >>> named_background(["person"])
    0
    """
    if len(classes) == 1:
        return 0
    names = ["".join(filter(str.isalpha, name)).casefold() for name in classes]
    return next((names.index(name) for name in _BACKGROUNDS if name in names), None)


def card_background(card: str, task: str, classes: tuple[str, ...], background: Any) -> int | None:
    """Return the index of a class, or None."""
    if isinstance(background, str) and background == BY_NAME:
        return named_background(classes)
    if background is None:
        return None
    # A model of one class has two labels.
    labels = max(len(classes), 2) if classes else _most_classes(task)
    index = _index(background)
    if index is None or index >= labels:
        raise unexpected(
            card, f"background as None or the index of a class, 0 to {labels - 1}", background
        )
    return index


def _most_classes(task: str) -> int:
    return MOST_MASK_CLASSES if task in _MASK_TASKS else _MOST_CLASSES


def _index(value: Any) -> int | None:
    """Return *value* as a whole number from 0, or None where it is not one."""
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)  # NumPy's integers too
    except TypeError:
        return None
    return number if number >= 0 else None


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:  # a whole number beyond every float
        return False
