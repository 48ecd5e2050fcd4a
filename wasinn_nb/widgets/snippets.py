"""Values as the Python that makes them, for code that runs as it is pasted."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

from wasinn_nb.cards import ModelCard
from wasinn_nb.recipe import PreprocessRecipe

__all__ = ["call_code", "card_code", "quoted", "recipe_code"]

_WIDTH = 90  # with "result = " before it, as long as a line may be


def quoted(text: str) -> str:
    r"""Return text as a Python string of ASCII characters.

    Examples
    --------
    >>> print(quoted('C:\\a "b".xml'))
    "C:\\a \"b\".xml"
    """
    return '"' + text.encode("unicode_escape").decode().replace('"', '\\"') + '"'


def recipe_code(recipe: PreprocessRecipe, *always: str) -> str:
    """Return the constructor's call, without what is its default.

    Parameters
    ----------
    recipe : PreprocessRecipe
    *always
        Names of fields to write even so.

    Examples
    --------
    >>> recipe_code(PreprocessRecipe(4, 6, color="RGB"), "range")
    'wn.PreprocessRecipe(4, 6, color="RGB", range=(0.0, 255.0))'
    """
    default = PreprocessRecipe(recipe.height, recipe.width)
    arguments = [str(recipe.height), str(recipe.width)]
    for field in fields(recipe):
        value: Any = getattr(recipe, field.name)
        if value != getattr(default, field.name) or field.name in always:
            value = value.suffix if field.name == "type" else value
            arguments.append(
                f"{field.name}={quoted(value) if isinstance(value, str) else repr(value)}"
            )
    return f"wn.PreprocessRecipe({', '.join(arguments)})"


def card_code(card: ModelCard | str) -> str:
    """Return a card, or the path of one, as Python.

    Examples
    --------
    >>> print(card_code(ModelCard("toy", classes=("a", "b"))))
    wn.ModelCard.from_dict({'name': 'toy', 'classes': ['a', 'b']})
    """
    if isinstance(card, str):
        return quoted(card)
    return f"wn.ModelCard.from_dict({card.to_dict()!a})"


def call_code(function: str, arguments: list[str]) -> str:
    """Return a call on one line, or with a line for each argument where that is too long.

    Examples
    --------
    >>> call_code("wn.segment", ['"a.png"', '"m.xml"'])
    'wn.segment("a.png", "m.xml")'
    """
    line = f"{function}({', '.join(arguments)})"
    if len(line) <= _WIDTH:
        return line
    return f"{function}(\n" + "".join(f"    {argument},\n" for argument in arguments) + ")"
