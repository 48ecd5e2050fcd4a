"""What the verbs share: the application, its options, and how it prints."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.text import Text

from wasinn_nb import runtimes
from wasinn_nb.cli import completing
from wasinn_nb.cli.exit_codes import ExitCode
from wasinn_nb.cli.front import application
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.json_files import json_text
from wasinn_nb.prediction import Predictions
from wasinn_nb.render import Document, Showing, document_text
from wasinn_nb.wording import inert

__all__ = [
    "AsJson",
    "CardPath",
    "ExitCode",
    "Html",
    "ImageName",
    "ModelName",
    "OutputName",
    "Precision",
    "RecipeText",
    "RowQuery",
    "RuntimeName",
    "Suffix",
    "Target",
    "add_once",
    "app",
    "notes",
    "out",
    "pairs",
    "print_error_text",
    "print_json",
    "print_line",
    "print_remarks",
    "print_warning",
    "show",
    "text_width",
]


app = application()
out = Console(highlight=False)

_UNLIMITED: Final = 1_000_000
"""The longest line, in characters, where the output goes to a file or another program."""

AsJson = Annotated[
    bool,
    typer.Option(
        "--json", help="Print JSON instead of text: what `to_dict()` of the value has in Python."
    ),
]
CardPath = Annotated[
    str | None, typer.Option("--card", help="JSON file of a card. (default: the model's)")
]
Html = Annotated[
    Path | None, typer.Option(help="Write a page to this file, readable without Jupyter.")
]
ImageName = Annotated[
    str | None,
    typer.Argument(
        help="Path, or name of a shipped image; - reads the standard input. (default: shipped)",
        autocompletion=completing.images,
    ),
]
ModelName = Annotated[
    str | None,
    typer.Option(
        "--model",
        "-m",
        help="Catalog name or path. (default: shipped)",
        autocompletion=completing.models,
    ),
]
OutputName = Annotated[
    str | None,
    typer.Option("--output-name", help="The model's output to read: name or index."),
]
Precision = Annotated[
    runtimes.Precision | None,
    typer.Option("--precision", "-p", help="Of the inference; device: its default. (default: f32)"),
]
RecipeText = Annotated[
    str | None,
    typer.Option("--recipe", help="JSON file, or color=RGB,fit=crop (default: the card's)"),
]
RuntimeName = Annotated[
    str | None,
    typer.Option(
        "--runtime",
        help="openvino, onnxruntime, litert. (default: openvino)",
        autocompletion=completing.runtime_names,
    ),
]
RowQuery = Annotated[
    str | None,
    typer.Option("--query", "-q", help="Only rows for which this holds: 'road < 0.05'."),
]
Suffix = Annotated[
    str | None,
    typer.Option(
        help="What the names of the truths end with besides, such as _mask; A,B where those of the "
        "images do, too."
    ),
]
Target = Annotated[
    str | None,
    typer.Option(
        "--target",
        "-t",
        help="CPU, GPU, NPU, AUTO. (default: CPU)",
        autocompletion=completing.targets,
    ),
]


def print_error_text(text: str) -> None:
    """Print the message of an error of ours on stderr, in one line."""
    _print_on_stderr(f"error: {text}", "red")


def print_warning(message: object) -> None:
    """Print a warning of ours on stderr: one line, without a place in the source code."""
    _print_on_stderr(f"warning: {message}", "yellow")


def notes(text: str) -> None:
    """Print on stderr what accompanies a result on stdout."""
    _print_on_stderr(text, "")


def print_remarks(*runs: Predictions | None) -> None:
    """Print on stderr which runs were taken, where the result on stdout does not say it."""
    for run in runs:
        for remark in () if run is None else run.remarks:
            notes(remark)


def _print_on_stderr(text: str, style: str) -> None:
    Console(stderr=True, highlight=False).print(
        inert(text, lines=True), style=style, soft_wrap=True, markup=False, emoji=False
    )


def text_width() -> int:
    """Return how long a line may be: the terminal's width, or any length where there is none.

    Scripts read a row of a table as one line, so that nothing is wrapped for them.
    """
    return out.width if out.is_terminal else _UNLIMITED


def show(value: Showing | Document | object) -> None:
    """Print a value on stdout as its document says, in tables that fit the terminal."""
    if isinstance(value, Showing):
        value = value.document()
    print_line(document_text(value, text_width()) if isinstance(value, Document) else str(value))


def print_line(text: str | Text) -> None:
    """Print a text on stdout, inert: the terminal wraps what is too long."""
    printed = inert(text, lines=True) if isinstance(text, str) else text
    out.print(printed, soft_wrap=True, markup=False, emoji=False)


def print_json(value: Any) -> None:
    """Print *value* as JSON."""
    typer.echo(json_text(value, "the output", InvalidArgumentError), nl=False)


def pairs(texts: list[str] | None, separator: str, option: str) -> dict[str, str]:
    """Return ``NAME<separator>VALUE`` words as a mapping.

    Others, and a name that occurs twice, are usage errors of *option*.
    """
    found: dict[str, str] = {}
    for text in texts or []:
        name, separated, value = text.partition(separator)
        if not separated:
            raise typer.BadParameter(f"expected NAME{separator}…, got {text!r}", param_hint=option)
        add_once(found, name, value, option)
    return found


def add_once(found: dict[str, Any], name: str, value: Any, option: str) -> None:
    """Put a value into a mapping; a name that it has already is a usage error of *option*."""
    if name in found:
        raise typer.BadParameter(
            f"expected different names, got {name!r} twice: once as {found[name]!r}, once as "
            f"{value!r}",
            param_hint=option,
        )
    found[name] = value
