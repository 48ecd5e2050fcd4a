"""What command lines state of a model, and what is still to be stated: recipes, class names."""

from __future__ import annotations

import re
import shlex
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import wasinn_nb as wn
from wasinn_nb.cards import card_path, is_bare, statements
from wasinn_nb.cli.console import print_line
from wasinn_nb.errors import RecipeError, WasiNnWarning
from wasinn_nb.files import existing_file, first_bytes, is_file
from wasinn_nb.inspection import path_of
from wasinn_nb.json_files import read_json

__all__ = [
    "Given",
    "card_options",
    "made_card",
    "numbers",
    "output_of",
    "print_assumed",
    "print_remedy",
    "read_classes",
    "read_recipe",
    "read_suffix",
    "recipe_text",
]

_MOST_BYTES: Final = 1 << 24
_OF_A_CARD: Final = frozenset(
    {"recipe", "task", "classes", "output", "threshold", "channels_last", "logits", "background"}
)
_OF_A_RECIPE: Final = frozenset(
    {"color", "range", "mean", "scale", "layout", "fit", "pad_value", "resize", "height", "width"}
)
_OPTIONS: Final = {"pad_value": "--pad"}
_FLAGS: Final = {
    "channels_last": ("--channels-last", "--channels-first"),
    "logits": ("--logits", "--probabilities"),
}


def read_recipe(text: str | None) -> dict[str, Any] | None:
    """Return the fields of a recipe that ``--recipe`` states: a JSON file, or ``key=value,…``.

    Numbers of one field are separated by ``:``.

    Raises
    ------
    MissingFileError
        If there is no such file.
    RecipeError
        If it is neither, or a field occurs twice.

    Examples
    --------
    >>> read_recipe("color=RGB,range=-1:1,height=48")
    {'color': 'RGB', 'range': (-1, 1), 'height': 48}
    """
    if text is None:
        return None
    if "=" not in text:
        return read_json(Path(text), "recipe", most_bytes=_MOST_BYTES, error=RecipeError)
    fields: dict[str, Any] = {}
    for word in filter(None, text.split(",")):
        name, equals, value = word.partition("=")
        if not equals:
            raise RecipeError(
                f"expected a recipe as key=value,key=value with ':' between numbers, such as "
                f"color=RGB,range=0:1, or as the path of a JSON file; got {word!r:.80}"
            )
        field = name.strip()
        if field in fields:
            raise RecipeError(f"expected each field once, got {field!r} twice: {text!r:.200}")
        fields[field] = _value(value.strip())
    return fields


def _content(path: Path, what: str) -> str:
    content = first_bytes(path, what, _MOST_BYTES + 1)
    if len(content) > _MOST_BYTES:
        raise RecipeError(f"{path}: larger than {_MOST_BYTES} bytes, which no {what} is")
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RecipeError(f"{path}: expected text in UTF-8, got other bytes") from error


def _value(text: str) -> Any:
    if ":" in text:
        return tuple(map(_value, text.split(":")))
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def numbers(text: str | None, option: str) -> tuple[float, ...] | None:
    """Return numbers with commas between them.

    Raises
    ------
    RecipeError
        If one of them is not a number.
    """
    try:
        return None if text is None else tuple(map(float, text.split(",")))
    except ValueError as error:
        raise RecipeError(
            f"expected {option} as one number, or one for each channel with commas between them, "
            f"got {text!r:.80}"
        ) from error


def read_classes(names: str | None, file: Path | None) -> tuple[str, ...] | None:
    """Return class names: with commas between them, how many there are, or one in each line.

    Raises
    ------
    MissingFileError, RecipeError
        If the file cannot be read, or both are given.

    Examples
    --------
    >>> read_classes("road, sky", None), read_classes("2", None)
    (('road', 'sky'), ('class 0', 'class 1'))
    """
    if names is not None and file is not None:
        raise RecipeError("expected class names as --classes or as --classes-file, got both")
    if file is not None:
        lines = _content(existing_file(file, "file of class names"), "file of class names")
        return tuple(line.strip() for line in lines.splitlines() if line.strip())
    if names is None:
        return None
    if names.isdecimal():
        from wasinn_nb.cards import unnamed_classes

        return unnamed_classes(min(int(names), 100_001))  # one more than a card takes
    found = tuple(name.strip() for name in names.split(","))
    numbered = [name for name in found if re.fullmatch(".+=[0-9]+", name)]
    if numbered or re.fullmatch("[+-][0-9]+", names.strip()):
        raise RecipeError(
            f"expected class names in the order of their labels, NAME,NAME,…, or how many there "
            f"are, got {(numbered or found)[0]!r}; other names go in a file: --classes-file PATH"
        )
    return found


def read_suffix(text: str | None) -> str | tuple[str, str] | None:
    """Return what ``--suffix`` says: one suffix, or those of the images and of the truths.

    Examples
    --------
    >>> read_suffix("_mask"), read_suffix("_image,_mask")
    ('_mask', ('_image', '_mask'))
    """
    if text is None or "," not in text:
        return text
    own, _, true = text.partition(",")
    return own, true


def output_of(text: str | None) -> str | int | None:
    """Return an output as it is named: by index where it is a number."""
    return int(text) if text is not None and text.isdecimal() else text


@dataclass(frozen=True, slots=True)
class Given:
    """What a command line says of a model.

    Parameters
    ----------
    model : str, Path or None
        Its name or path.
    card : str or None
        The path of a card.
    recipe : str or None
        As :func:`read_recipe` takes it.

    Examples
    --------
    >>> given = Given("m 1.onnx", recipe="color=RGB")
    >>> given.command({"recipe": {"range": (0.0, 255.0)}, "logits": True}, "m 1.onnx", force=False)
    "wasinn-nb card 'm 1.onnx' --recipe color=RGB --range 0 255 --logits"
    """

    model: str | Path | None
    card: str | None = None
    recipe: str | None = None

    @property
    def found(self) -> wn.Model:
        """The model, without the warnings that were shown when it was found first."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", WasiNnWarning)
            return wn.model(self.model, card=self.card)

    def remedy(self, assumed: Sequence[str]) -> str:
        """Return the command that states what is assumed; empty where no card can state it."""
        stated = statements(assumed)
        if not stated:
            return ""
        found = self.found
        force = is_file(card_path(found.path))
        return self.command(stated, path_of(self.model, found), force=force)

    def command(self, stated: Mapping[str, Any], path: str, *, force: bool) -> str:
        """Return the command that writes a card with some more fields.

        Parameters
        ----------
        stated : mapping
            As from :func:`wasinn_nb.cards.statements`.
        path : str
            Of the model.
        force : bool
            Whether the model has a card in its folder.
        """
        words = ["wasinn-nb", "card", path]
        for option, text in (("--card", self.card), ("--recipe", self.recipe)):
            words += [] if text is None else [option, text]
        words += card_options(stated)
        return shlex.join([*words, "--force"] if force else words)


def card_options(stated: Mapping[str, Any]) -> list[str]:
    """Return the options of ``wasinn-nb card`` that state fields of a card.

    Parameters
    ----------
    stated : mapping
        As from :func:`wasinn_nb.cards.statements`.

    Returns
    -------
    list of str
        Empty where one of them is not a field of a card that the command can state.

    Examples
    --------
    >>> card_options({"recipe": {"layout": "NHWC"}, "channels_last": True})
    ['--layout', 'NHWC', '--channels-last']
    >>> card_options({"runtime": "litert"})
    []
    """
    recipe = dict(stated.get("recipe", {}))
    if not (stated.keys() <= _OF_A_CARD and recipe.keys() <= _OF_A_RECIPE):
        return []
    words = []
    if "height" in recipe:
        words += ["--size", f"{recipe.pop('height')}x{recipe.pop('width')}"]
    for name, value in recipe.items():
        values = _words(value)
        words += [_OPTIONS.get(name, f"--{name}")]
        words += values if name == "range" else [",".join(values)]
    for name, value in stated.items():
        if name in _FLAGS:
            words.append(_FLAGS[name][0 if value else 1])
        elif name != "recipe":
            words += [f"--{name}", ",".join(_words(value))]
    return words


def recipe_text(given: str | None, fields: Mapping[str, Any]) -> str:
    """Return the value of ``--recipe`` with some fields set; the reverse of `read_recipe`.

    Parameters
    ----------
    given : str or None
        As it was typed: ``key=value,...``.
    fields : mapping

    Examples
    --------
    >>> recipe_text("color=RGB,fit=crop", {"range": (0, 1), "fit": "stretch"})
    'color=RGB,range=0:1,fit=stretch'
    """
    words = filter(None, (given or "").split(","))
    kept = [word for word in words if word.partition("=")[0].strip() not in fields]
    added = [f"{name}={':'.join(_words(value))}" for name, value in fields.items()]
    return ",".join([*kept, *added])


def _words(value: Any) -> list[str]:
    values = value if isinstance(value, list | tuple) else [value]
    return [f"{number:g}" if isinstance(number, float) else str(number) for number in values]


def made_card(
    found: wn.Model, known: Mapping[str, Any], partial: Mapping[str, Any]
) -> wn.ModelCard:
    """Return a model's card with what is known laid over it.

    Parameters
    ----------
    found : Model
    known : mapping
        Fields of the card, without its recipe.
    partial : mapping
        Fields of its recipe.

    Raises
    ------
    RecipeError
        If they cannot be, or a recipe lacks something.
    """
    changes = dict(known)
    if is_bare(found.card):
        return wn.ModelCard.from_model(found.path, **changes, recipe=_recipe(found, partial))
    if partial and found.card.recipe is not None:
        changes["recipe"] = found.card.recipe.replace(**partial)
    elif partial:
        changes["recipe"] = wn.ModelCard.from_model(
            found.path, recipe=_recipe(found, partial)
        ).recipe
    return found.card.replace(**changes)


def _recipe(found: wn.Model, partial: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return fields of a recipe; of a format that only a runtime reads, with those of its input."""
    if not partial or found.stated.signature is not None:
        return partial or None
    described = wn.describe(found.path, recipe=partial)
    if described.recipe is None or any(p.fixed_dimensions is None for p in described.inputs):
        return partial
    of_input = {
        name: getattr(described.recipe, name) for name in ("height", "width", "layout", "type")
    }
    return {**of_input, **partial}


def print_assumed(assumed: Sequence[str], command: str) -> None:
    """Print what is assumed, and the command that states it."""
    if assumed:
        print_line(f"assumed: {'; '.join(assumed)}")
    print_remedy(command)


def print_remedy(command: str) -> None:
    """Print the command that states what is assumed, where there is one."""
    if command:
        print_line(f"state it, or what is right, with: {command}")
