"""The application that the verbs are registered with, and how its help is laid out."""

from __future__ import annotations

import functools
import inspect
from collections import Counter
from collections.abc import Callable
from typing import Any, Final

import typer
import typer.main
from typer.core import TyperCommand, TyperGroup, TyperOption

from wasinn_nb.cli.examples import EXAMPLES, OTHER_NAMES
from wasinn_nb.cli.wrong_values import wrong_value

__all__ = ["USAGE_ERROR", "Application", "Command", "is_too_many"]

USAGE_ERROR: Final[Any] = typer.BadParameter.__base__
"""What typer has from click, or from its own copy of click, and has no name for."""

_TOGETHER: Final = "; put its fields together, as in --recipe color=RGB,range=0:1"


class Command(TyperCommand):
    """A verb: its help is wrapped by the terminal's width, and its flags have no type."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.help = _joined(self.help)
        self.example = EXAMPLES.get(self.name or "", "")
        if self.example:
            self.epilog = f"For example: {self.example}"

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words; where one is missing or too many, the error ends in an example.

        A value that is wrong is answered with what was expected.
        """
        given = list(args)
        try:
            left = super().parse_args(ctx, args)
        except USAGE_ERROR as error:
            param = getattr(error, "param", None)
            missing = param is not None and not error.message
            if self.example and (missing or is_too_many(error)):
                error.message = f"{error.message}\n{self.epilog}"
            if param is not None and error.message:
                error.message = wrong_value(self, ctx, given, param.name) or error.message
            raise
        self._refuse_repeated(ctx, given)
        return left

    def _refuse_repeated(self, ctx: Any, args: list[str]) -> None:
        """Refuse an option of one value that is given again: the first would be lost."""
        if ctx.resilient_parsing:  # a line that is being completed
            return
        _, _, order = self.make_parser(ctx).parse_args(args)
        for one, times in Counter(order).items():
            if not isinstance(one, TyperOption) or one.multiple or one.is_flag or one.count:
                continue
            if times > 1:
                more = _TOGETHER if one.name == "recipe" else ""
                raise typer.BadParameter(f"expected it once, got it {times} times{more}", ctx, one)

    def get_params(self, ctx: Any) -> Any:
        """Return the parameters as the help lists them."""
        return _typed(super().get_params(ctx))


def is_too_many(error: Any) -> bool:
    """Return whether a usage error is that of words that nothing takes."""
    return not hasattr(error, "param") and not hasattr(error, "option_name")


class _Group(TyperGroup):
    """The program itself."""

    def resolve_command(self, ctx: Any, args: list[str]) -> Any:
        """Return the verb that is named; a function's name is answered with its verb."""
        try:
            return super().resolve_command(ctx, args)
        except USAGE_ERROR as error:
            if verb := OTHER_NAMES.get(args[0]):
                error.message = f"No such command {args[0]!r}. Did you mean {verb!r}?"
            raise

    def get_params(self, ctx: Any) -> Any:
        return _typed(super().get_params(ctx))


class Application(typer.Typer):
    """An application whose verbs are of the class `Command`, where no other is named."""

    def __init__(self, **options: Any) -> None:
        super().__init__(cls=_Group, **options)

    @functools.cached_property
    def group(self) -> TyperGroup:
        """All verbs, put together; a verb that is added later is not in it."""
        group = typer.main.get_command(self)
        if not isinstance(group, TyperGroup):
            raise TypeError(f"expected several verbs, got {group!r}")
        return group

    def command(self, name: str | None = None, **options: Any) -> Callable[[Any], Any]:
        """Return the decorator that makes a function a verb; parameters as `typer.Typer` has."""
        return super().command(name, **{"cls": Command, **options})


def _typed(parameters: Any) -> Any:
    """Return parameters whose help says what values they take: flags none, lists one each time."""
    for one in parameters:
        if isinstance(one, TyperOption) and one.metavar is None:
            if one.is_flag:
                one.metavar = ""
            elif one.multiple:
                one.metavar = "<str>"
    return parameters


def _joined(text: str | None) -> str | None:
    """Return a docstring's paragraphs, each in one line."""
    if text is None:
        return None
    paragraphs = inspect.cleandoc(text).split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)
