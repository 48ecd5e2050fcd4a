"""How the truths of images are read: the options of every verb that takes them."""

from __future__ import annotations

import re
from typing import Annotated, Any

import typer

from wasinn_nb.cli import completing
from wasinn_nb.cli.console import pairs
from wasinn_nb.cli.statements import read_suffix

__all__ = ["ClassMap", "DataClasses", "DataColors", "Ignored", "truth_options"]

DataClasses = Annotated[
    str | None,
    typer.Option(
        help="The data's classes: NAME,NAME,…, NAME=LABEL,… or how many. (default: the model's)"
    ),
]
DataColors = Annotated[
    list[str] | None, typer.Option("--color", help="NAME=RRGGBB in RGB masks. Repeatable.")
]
ClassMap = Annotated[
    list[str] | None,
    typer.Option(
        "--map",
        help="DATA[,…]=MODEL[,…]: the same class. Repeatable; the same DATA again adds to it.",
        autocompletion=completing.mapped_classes,
    ),
]
Ignored = Annotated[
    list[str] | None,
    typer.Option(
        help="Label, class or RRGGBB not to count. Repeatable.",
        autocompletion=completing.classes,
    ),
]


def truth_options(
    classes: str | None,
    colors: list[str] | None,
    mapping: list[str] | None,
    ignore: list[str] | None,
    suffix: str | None,
    *,
    needs: str = "",
) -> dict[str, Any]:
    """Return the options as parameters of `wasinn_nb.evaluate`; None where one is not given.

    Parameters
    ----------
    classes, colors, mapping, ignore, suffix
        As they were typed.
    needs : str
        The option that names the truths, where it is not given; "" where there are truths.

    Raises
    ------
    typer.BadParameter
        If one cannot be read, or is given without truths.

    Examples
    --------
    >>> options = truth_options("road=1,sky=2", None, ["car,bus=road"], ["255"], None)
    >>> options["classes"], options["mapping"], options["ignore"]
    ({'road': 1, 'sky': 2}, {('car', 'bus'): ('road',)}, [255])
    """
    if needs:
        given = {
            "--classes": classes,
            "--color": colors,
            "--map": mapping,
            "--ignore": ignore,
            "--suffix": suffix,
        }
        for option, value in given.items():
            if value:
                raise typer.BadParameter(
                    f"it says how the truths are read; add {needs}, or leave it out",
                    param_hint=option,
                )
    stated: Any = None if classes is None else _classes(classes)
    if colors:
        stated = {name: _color(text) for name, text in pairs(colors, "=", "--color").items()}
    return {
        "classes": stated,
        "mapping": _mapping(mapping) or None,
        "ignore": [
            _color(text) if colors and _is_color(text) else _class(text) for text in ignore or []
        ]
        or None,
        "suffix": read_suffix(suffix),
    }


def _classes(text: str) -> int | list[str] | dict[str, int]:
    """Return how many classes there are, their names, or their labels by name."""
    if re.fullmatch("[+-]?[0-9]+", text.strip()):
        return int(text)
    items = [item.strip() for item in text.split(",")]
    labeled = [re.fullmatch("(.+)=([0-9]+)", item) for item in items]
    if not any("=" in item for item in items):
        return items
    found = {match[1].strip(): int(match[2]) for match in labeled if match}
    if not all(labeled) or len(found) < len(items):
        raise typer.BadParameter(
            f"expected a label for each of different classes, NAME=LABEL,…, got {text!r}",
            param_hint="--classes",
        )
    return found


def _mapping(texts: list[str] | None) -> dict[tuple[str | int, ...], tuple[str | int, ...]]:
    """Return the model's classes of the data's; the same ones of the data again add to them.

    Examples
    --------
    >>> _mapping(["road=road", "car,bus=car", "road=mark", "bus,car=car,bus"])
    {('road',): ('road', 'mark'), ('car', 'bus'): ('car', 'bus')}
    """
    found: dict[frozenset[str | int], tuple[list[str | int], list[str | int]]] = {}
    for text in texts or []:
        ((data, own),) = pairs([text], "=", "--map").items()
        names = [_class(name) for name in data.split(",")]
        _, classes = found.setdefault(frozenset(names), (names, []))
        classes += [one for one in map(_class, own.split(",")) if one not in classes]
    return {tuple(names): tuple(classes) for names, classes in found.values()}


def _class(text: str) -> str | int:
    """Return a class as it is named: by name, or by number."""
    return int(text) if text.lstrip("-").isdecimal() else text


def _is_color(text: str) -> bool:
    return re.fullmatch("[0-9a-fA-F]{6}", text) is not None


def _color(text: str) -> tuple[int, int, int]:
    if not _is_color(text):
        raise typer.BadParameter(f"expected six hexadecimal digits, got {text!r}")
    red, green, blue = bytes.fromhex(text)
    return red, green, blue
