"""The list of verbs without the verbs: ``wasinn-nb --help`` imports neither NumPy nor an engine."""

from __future__ import annotations

from typing import Annotated, Final

import typer
from typer.core import TyperGroup

from wasinn_nb import __version__
from wasinn_nb.cli.application import Application

__all__ = ["NAME", "SUMMARIES", "application", "front"]

NAME: Final = "wasinn-nb"
"""What the program is called in its own messages."""

_HELP: Final = "Run image models with OpenVINO natively and through WASI-NN, side by side."

_EPILOG: Final = (
    "Exit codes: 0: done. 1: compare found a difference, or diagnose did not find the "
    "tensor right. 2: an error. 130: interrupted. 141: the program that reads the output ended. "
    "run ends with the guest's own exit code, and with 125 where the guest could not be run or did "
    "not end by itself; lab ends as JupyterLab does."
)

SUMMARIES: Final = {
    "segment": "Segment an image and print how much of it each class takes.",
    "classify": (
        "Classify an image and print the most probable classes, as WASI-NN's example guests do."
    ),
    "run": "Run a WASI-NN guest here; its exit code is passed on.",
    "predict": (
        "Run a model on many images and keep every result; run again, it does what is missing."
    ),
    "predictions": (
        "Look at what `predict` has kept: counts, errors, and the rows that are asked for."
    ),
    "gallery": (
        "Write a page of a store, or of saved results, that filters, sorts and opens images."
    ),
    "compare": "Say whether two programs did the same, and where they first differ.",
    "diagnose": "Name the preprocessing mistake behind a tensor.",
    "evaluate": "Judge a model, or masks, by the truth: IoU, Dice, accuracy, worst images.",
    "quantize": "Make the INT8 variant of a model, and say what it gains and loses.",
    "bundle": "Write a folder that runs a model through WASI-NN on a device.",
    "inspect": "Say what tensors, images or models are; with --json, of several files a list.",
    "card": "Make a model's card: what the file states, completed by what you know.",
    "bench": (
        "Time models, targets, precisions, filters and runtimes side by side, and compare the "
        "results."
    ),
    "models": "List the models that can be picked here, and why the others cannot.",
    "devices": "List the execution targets of a runtime, and why the missing ones are missing.",
    "lab": (
        "Open JupyterLab; further options are passed to it (such as --no-browser --port 9000)."
    ),
}
"""Verb → the first paragraph of its help, in the order of the list."""


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"{NAME} {__version__}")
        raise typer.Exit


Version = Annotated[
    bool,
    typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version."),
]


def front() -> TyperGroup:
    """Return the program with verbs that have nothing but a summary."""
    program = application()
    for verb, summary in SUMMARIES.items():
        program.command(verb, help=summary)(_nothing)
    return program.group


def application() -> Application:
    """Return the program without verbs."""
    made = Application(
        help=_HELP, epilog=_EPILOG, no_args_is_help=True, pretty_exceptions_enable=False
    )
    made.callback()(_program)
    return made


def _program(*, _version: Version = False) -> None:
    pass


def _nothing() -> None:
    pass
