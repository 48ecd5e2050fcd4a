"""What the verbs share: the application, its options, and how it prints."""

from __future__ import annotations

import json
import sys
from typing import Annotated, Any

import typer
from rich.console import Console

__all__ = ["AsJson", "ModelName", "Precision", "Target", "app", "out", "pairs", "print_json"]

app = typer.Typer(
    help="Run image models with OpenVINO natively and through WASI-NN, side by side.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# Wide enough for the longest reason when the output goes to a file or another program.
out = Console(width=None if sys.stdout.isatty() else 200, highlight=False)

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
ModelName = Annotated[
    str | None, typer.Option("--model", "-m", help="Catalog name or path. (default: shipped)")
]
Target = Annotated[
    str | None, typer.Option("--target", "-t", help="CPU, GPU, NPU, AUTO. (default: CPU)")
]
Precision = Annotated[
    str | None,
    typer.Option("--precision", "-p", help="f32, f16, bf16, or device (its own). (default: f32)"),
]


def print_json(value: Any) -> None:
    """Print *value* as JSON."""
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def pairs(said: list[str] | None, separator: str, option: str) -> dict[str, str]:
    """Return ``NAME<separator>VALUE`` words as a mapping; others are usage errors of *option*."""
    for text in said or []:
        if separator not in text:
            raise typer.BadParameter(f"expected NAME{separator}…, got {text!r}", param_hint=option)
    return dict(text.split(separator, 1) for text in said or [])
