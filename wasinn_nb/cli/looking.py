"""``bench``, ``models``, ``devices`` and ``lab``: what is here, and how fast."""

from __future__ import annotations

import dataclasses
import itertools
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

import wasinn_nb as wn
from wasinn_nb.benchmark import FEWEST_ROUNDS
from wasinn_nb.cli import completing
from wasinn_nb.cli.console import (
    AsJson,
    CardPath,
    ImageName,
    RecipeText,
    RuntimeName,
    app,
    print_json,
    show,
)
from wasinn_nb.cli.statements import Given, print_remedy, read_recipe
from wasinn_nb.cli.stdin import image_of
from wasinn_nb.errors import UnsupportedOperationError


@app.command()
def bench(
    image: ImageName = None,
    model: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            help="Name or path; again for more. (default: shipped)",
            autocompletion=completing.models,
        ),
    ] = None,
    target: Annotated[
        list[str] | None,
        typer.Option(
            "--target",
            "-t",
            help="Repeatable. (default: CPU)",
            autocompletion=completing.targets,
        ),
    ] = None,
    precision: Annotated[
        list[str] | None,
        typer.Option(
            "--precision",
            "-p",
            help="Repeatable. (default: f32)",
            autocompletion=completing.precisions,
        ),
    ] = None,
    resize: Annotated[
        list[str] | None,
        typer.Option(help="Repeatable. (default: the model's)", autocompletion=completing.filters),
    ] = None,
    runtime: Annotated[
        list[str] | None,
        typer.Option(
            "--runtime",
            help="Repeatable. (default: openvino)",
            autocompletion=completing.runtime_names,
        ),
    ] = None,
    card: CardPath = None,
    recipe: RecipeText = None,
    rounds: Annotated[
        int, typer.Option("--rounds", "-n", min=FEWEST_ROUNDS, help="Runs of each, in turn.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """Time models, targets, precisions, filters and runtimes side by side, and compare the results.

    All combinations run in turn; the first is what the others are measured by.
    """
    fields, given = read_recipe(recipe), image_of(image)
    choices: tuple[list[Any], ...] = (
        model or [None],
        target or [None],
        precision or [None],
        resize or [None],
        runtime or [None],
    )
    pipelines = [
        wn.Pipeline(
            name, where, precision=kind, resize=how, card=card, recipe=fields, runtime=engine
        )
        for name, where, kind, how, engine in itertools.product(*choices)
    ]
    timings = wn.bench(pipelines, given, rounds=rounds)
    remedies = dict.fromkeys(
        Given(name, card, recipe).remedy(pipeline.assumed)
        for (name, *_), pipeline in zip(itertools.product(*choices), pipelines, strict=True)
    )
    if as_json:
        print_json(timings.records())
    else:
        show(timings)
        for command in remedies:
            print_remedy(command)


@app.command()
def models(as_json: AsJson = False) -> None:
    """List the models that can be picked here, and why the others cannot."""
    table = wn.models()
    if as_json:
        print_json([entry.to_dict() for entry in table])
    else:
        show(table.document("wasinn-nb inspect {name} fetches it"))


@app.command()
def devices(runtime: RuntimeName = None, as_json: AsJson = False) -> None:
    """List the execution targets of a runtime, and why the missing ones are missing."""
    table = wn.devices(runtime)
    if as_json:
        print_json([dataclasses.asdict(device) for device in table])
    else:
        show(table)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(help="Where to open JupyterLab.")] = Path(),
) -> None:
    """Open JupyterLab; further options are passed to it (such as --no-browser --port 9000)."""
    import importlib.util

    if importlib.util.find_spec("jupyterlab") is None:
        raise UnsupportedOperationError(
            "JupyterLab is not installed; install it with: pip install 'wasinn-nb[lab]'"
        )
    # Containers and CI run as root, where JupyterLab starts only with this option.
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [sys.executable, "-m", "jupyterlab", str(directory), *root, *context.args]
    os.execv(sys.executable, command)  # noqa: S606 - no shell; Ctrl-C goes straight to Jupyter
