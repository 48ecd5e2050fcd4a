"""What is said of an option's value that is not one of its choices, or not such a number."""

from __future__ import annotations

import inspect
import math
import typing
from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Any

from wasinn_nb.wording import closest

__all__ = ["wrong_value"]

_NUMBERS = {int: "a whole number", float: "a number"}


def wrong_value(command: Any, ctx: Any, args: list[str], name: str) -> str:
    """Return what was expected of a parameter, and what was given, in the words of our errors.

    Parameters
    ----------
    command : typer.core.TyperCommand
    ctx : context
    args : list of str
        The command line, which can be split into options.
    name : str
        Of the parameter, as its function has it.

    Returns
    -------
    str
        Empty where its values are neither choices nor numbers.
    """
    hints = typing.get_type_hints(inspect.unwrap(command.callback), include_extras=True)
    kind, *about = typing.get_args(hints[name]) or (hints[name],)
    found, _, _ = command.make_parser(ctx).parse_args(list(args))
    given = found.get(name)
    for text in given if isinstance(given, list | tuple) else (given,):
        for one in _plain_kinds(kind):
            if typing.get_origin(one) is typing.Literal:
                message = _of_choices(text, typing.get_args(one))
            elif one in _NUMBERS:
                message = _of_number(text, one, about[0] if about else None)
            else:
                continue
            if message:
                return message
    return ""


def _plain_kinds(kind: Any) -> Iterator[Any]:
    """Yield the types of one value that an annotation allows: without None, of lists the items."""
    if typing.get_origin(kind) in {typing.Union, UnionType, list, tuple, typing.Annotated}:
        for one in typing.get_args(kind):
            yield from _plain_kinds(one)
    elif kind is not NoneType:
        yield kind


def _of_choices(text: Any, choices: tuple[str, ...]) -> str:
    if text is None or text in choices:
        return ""
    *first, last = choices
    message = f"expected {', '.join(first)} or {last}, got {str(text)!r:.80}"
    close = closest(str(text), choices)
    return f"{message}; did you mean {' or '.join(close)}?" if close else message


def _of_number(text: Any, kind: type[int | float], about: Any) -> str:
    low, high = getattr(about, "min", None), getattr(about, "max", None)
    what = _NUMBERS[kind]
    if low is not None and high is not None:
        what += f" from {low} to {high}"
    elif low is not None:
        what += f" of {low} or more"
    lowest, highest = (-math.inf if low is None else low), (math.inf if high is None else high)
    try:
        right = text is None or lowest <= kind(text) <= highest
    except ValueError:
        right = False
    return "" if right else f"expected {what}, got {str(text)!r:.80}"
