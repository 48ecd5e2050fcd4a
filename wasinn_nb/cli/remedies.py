"""The remedies of errors as commands that can be pasted into a shell."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from typer.core import TyperCommand, TyperOption

from wasinn_nb.cards import card_path
from wasinn_nb.cli.console import app, print_error_text
from wasinn_nb.cli.statements import Given, card_options, recipe_text
from wasinn_nb.errors import Remedy, WasiNnError
from wasinn_nb.files import is_file
from wasinn_nb.inspection import path_of

__all__ = ["error_text", "print_error", "remedy_commands", "remedy_text"]

_VERBS: Final = {"segmentation": "segment", "classification": "classify"}
_RUNS_A_GUEST: Final = "run"
"""Its last words are the guest's arguments: no option may follow them."""


def print_error(error: Exception, arguments: Sequence[str]) -> None:
    """Print an error of ours on stderr: one line, no traceback, and what to type instead.

    Parameters
    ----------
    error : Exception
    arguments : sequence of str
        The words of the command line, without the program's name.
    """
    print_error_text(error_text(error, arguments))


def error_text(error: Exception, arguments: Sequence[str]) -> str:
    """Return an error's message with its remedy as a command, where it has one.

    Parameters
    ----------
    error : Exception
    arguments : sequence of str
        The words of the command line that failed, without the program's name.

    Examples
    --------
    >>> from wasinn_nb.errors import RuntimeFailure
    >>> remedy = Remedy("use runtime='litert'", [{"runtime": "litert"}])
    >>> error = RuntimeFailure("OpenVINO does not have this operation", remedy=remedy)
    >>> error_text(error, ["segment", "my image.jpg", "-m", "m.tflite", "--runtime", "openvino"])
    "OpenVINO does not have this operation; use: wasinn-nb segment 'my image.jpg' -m m.tflite \
--runtime litert"
    """
    if not isinstance(error, WasiNnError):
        return _without_number(error) if isinstance(error, OSError) else str(error)
    if error.remedy is None:
        return str(error)
    return f"{error.problem}; {remedy_text(error.remedy, arguments)}"


def remedy_text(remedy: Remedy, arguments: Sequence[str]) -> str:
    """Return a remedy as a command where it can be one, else in words.

    Parameters
    ----------
    remedy : Remedy
    arguments : sequence of str
        The words of the command line, without the program's name.
    """
    commands = remedy_commands(remedy, arguments)
    if commands:
        return f"use: {' or '.join(commands)}"
    call = _Call.of(arguments)
    if remedy.command:
        model = None if call is None else call.model
        return remedy.command.replace("{model}", shlex.quote(model or "MODEL"))
    if call is not None and (options := call.options(remedy)):
        return f"use: {' or '.join(options)}"
    return remedy.python


def _without_number(error: OSError) -> str:
    """Return an operating system's message without Python's ``[Errno 28]``."""
    place = "the output cannot be written" if error.filename is None else error.filename
    return f"{place}: {error.strerror}" if error.strerror else str(error)


def remedy_commands(remedy: Remedy, arguments: Sequence[str]) -> list[str]:
    """Return a command for each choice of a remedy that one can state.

    Parameters
    ----------
    remedy : Remedy
    arguments : sequence of str
        The words of the command line that failed, without the program's name.
    """
    call = _Call.of(arguments)
    return [] if call is None else call.remedied(remedy)


@dataclass(frozen=True, slots=True)
class _Call:
    """A command line that failed: its words, the command and the values of its parameters."""

    verb: str
    words: tuple[str, ...]
    command: TyperCommand
    values: Mapping[str, Any]

    @classmethod
    def of(cls, arguments: Sequence[str]) -> _Call | None:
        """Return the call that words are; None where no command takes them."""
        verb, *words = arguments or [""]
        command = app.group.commands.get(verb)
        if not isinstance(command, TyperCommand):
            return None
        try:
            # The parser takes the words off the list.
            values = command.make_context(verb, [*words]).params
        except Exception:  # noqa: BLE001 - whatever the parser raises, it does not take the words
            return None
        return cls(verb, tuple(words), command, values)

    @property
    def model(self) -> str | None:
        """The model's name or path as it was typed; None for the default one."""
        given = self.values.get("model") or self.values.get("paths")
        if isinstance(given, list | tuple):  # which of several failed is not known
            given = given[0] if len(given) == 1 else None
        return None if given is None else str(given)

    def remedied(self, remedy: Remedy) -> list[str]:
        """Return a command for each choice that one can state."""
        commands = map(self._command, remedy.choices)
        return list(dict.fromkeys(command for command in commands if command))

    def _command(self, choice: Mapping[str, Any]) -> str:
        if self.verb == _RUNS_A_GUEST:
            return self._with_first_options(choice)
        return self._other_verb(choice) or self._with_options(choice) or self._card(choice)

    def _other_verb(self, choice: Mapping[str, Any]) -> str:
        """Return the command of another task: the same words where it takes them."""
        if self.verb not in _VERBS.values() or set(choice) != {"task"}:
            return ""
        verb = _VERBS.get(choice["task"], "")
        if _Call.of([verb, *self.words]) is not None:
            return _shell(verb, self.words)
        image, model = self.values.get("image"), self.model
        words = [*([image] if image else []), *(["--model", model] if model else [])]
        return _shell(verb, words) if verb else ""

    def _with_options(self, choice: Mapping[str, Any]) -> str:
        """Return the same command with other options; empty where it does not have them all."""
        words, left = list(self.words), dict(choice)
        if self.verb == "card":
            left = {name: value for name, value in choice.items() if name == "recipe"}
            others = {name: value for name, value in choice.items() if name != "recipe"}
            added = card_options(others)
            if others and not added:  # a card does not state it
                return ""
            for one in self.command.params:
                names = {*one.opts, *one.secondary_opts}
                if isinstance(one, TyperOption) and names.intersection(added):
                    words = _without(words, one)
            words += added
        for name, value in left.items():
            option = self._option(name)
            if option is None:
                return ""
            text = ",".join(value) if isinstance(value, tuple) else str(value)
            if name == "recipe":
                given = self.values.get(name)
                if given is not None and "=" not in given:  # a file: nothing can be added to it
                    return ""
                text = recipe_text(given, value)
            words = [*_without(words, option), option.opts[0], text]
        return _shell(self.verb, words)

    def _with_first_options(self, choice: Mapping[str, Any]) -> str:
        """Return the same command with options before its words; empty where one is given."""
        words: list[str] = []
        for name, value in choice.items():
            option = self._option(name)
            if option is None or self.values.get(option.name or "") is not None:
                return ""
            words += [option.opts[0], str(value)]
        return _shell(self.verb, [*words, *self.words])

    def options(self, remedy: Remedy) -> list[str]:
        """Return the options of the command that state a choice, for each that they can state."""
        known = {one.name: one.opts[0] for one in self.command.params}
        return [
            shlex.join(word for name, value in choice.items() for word in (known[name], str(value)))
            for choice in remedy.choices
            if choice.keys() <= known.keys() - {"recipe", "output"}
        ]

    def _option(self, name: str) -> TyperOption | None:
        """Return the option that states an argument, unless it is given several times."""
        options = {
            one.name: one
            for one in self.command.params
            if isinstance(one, TyperOption)
            and not (one.multiple and len(self.values.get(one.name or "") or ()) > 1)
        }
        # Where results are written to a folder, --output is the folder.
        return options.get(f"{name}_name") or (None if name == "output" else options.get(name))

    def _card(self, choice: Mapping[str, Any]) -> str:
        """Return the command that states the choice on the model's card."""
        if self.model is None or not card_options(choice):
            return ""
        given = Given(self.model, self.values.get("card"), self.values.get("recipe"))
        try:
            found = given.found
        except (WasiNnError, OSError):
            return ""
        force = is_file(card_path(found.path))
        return given.command(choice, path_of(self.model, found), force=force)


def _without(words: Sequence[str], option: TyperOption) -> list[str]:
    """Return words without an option and its values."""
    kept: list[str] = []
    rest = iter(words)
    for word in rest:
        if word in option.opts or word in option.secondary_opts:
            for _ in range(0 if option.is_flag else option.nargs):
                next(rest, None)
        elif not word.startswith(tuple(f"{name}=" for name in option.opts)):
            kept.append(word)
    return kept


def _shell(verb: str, words: Sequence[str]) -> str:
    return shlex.join(["wasinn-nb", verb, *words])
