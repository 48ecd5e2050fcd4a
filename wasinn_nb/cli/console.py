"""What the verbs share: the application, its options, and how it prints."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

__all__ = [
    "AsJson",
    "CardPath",
    "Html",
    "ImageName",
    "ModelName",
    "OutputName",
    "Precision",
    "RecipeText",
    "RuntimeName",
    "Target",
    "app",
    "notes",
    "out",
    "pairs",
    "print_error_text",
    "print_json",
    "print_warning",
]

app = typer.Typer(
    help="Run image models with OpenVINO natively and through WASI-NN, side by side.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# Wide enough for the longest reason when the output goes to a file or another program.
out = Console(width=None if sys.stdout.isatty() else 200, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
CardPath = Annotated[
    str | None, typer.Option("--card", help="JSON file of a card. (default: the model's)")
]
Html = Annotated[Path | None, typer.Option(help="Write one page there, readable without Jupyter.")]
ImageName = Annotated[
    str | None, typer.Argument(help="Path, or name of a shipped image. (default: shipped)")
]
ModelName = Annotated[
    str | None, typer.Option("--model", "-m", help="Catalog name or path. (default: shipped)")
]
OutputName = Annotated[
    str | None,
    typer.Option("--output-name", help="The model's output to read: name or index."),
]
Precision = Annotated[
    str | None,
    typer.Option("--precision", "-p", help="f32, f16, bf16, or device (its own). (default: f32)"),
]
RecipeText = Annotated[
    str | None,
    typer.Option("--recipe", help="JSON file, or color=RGB,range=0:1. (default: the card's)"),
]
RuntimeName = Annotated[
    str | None, typer.Option("--runtime", help="openvino, onnxruntime, litert. (default: openvino)")
]
Target = Annotated[
    str | None, typer.Option("--target", "-t", help="CPU, GPU, NPU, AUTO. (default: CPU)")
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


def _print_on_stderr(text: str, style: str) -> None:
    Console(stderr=True, highlight=False).print(text, style=style, soft_wrap=True, markup=False)


def print_json(value: Any) -> None:
    """Print *value* as JSON."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def pairs(said: list[str] | None, separator: str, option: str) -> dict[str, str]:
    """Return ``NAME<separator>VALUE`` words as a mapping; others are usage errors of *option*."""
    for text in said or []:
        if separator not in text:
            raise typer.BadParameter(f"expected NAME{separator}…, got {text!r}", param_hint=option)
    return dict(text.split(separator, 1) for text in said or [])
