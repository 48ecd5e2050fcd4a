"""``bundle``: a folder that runs a model on a device."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import wasinn_nb as wn
from wasinn_nb.cli import completing
from wasinn_nb.cli.console import (
    AsJson,
    CardPath,
    RecipeText,
    RuntimeName,
    app,
    print_json,
    print_line,
    show,
)
from wasinn_nb.cli.statements import Given, print_remedy, read_recipe
from wasinn_nb.cli.stdin import image_of
from wasinn_nb.deployment import RUNTIMES


@app.command()
def bundle(
    model: Annotated[
        str,
        typer.Argument(help="Catalog name or path of the model.", autocompletion=completing.models),
    ],
    folder: Annotated[Path, typer.Argument(help="A new or an empty folder.")],
    image: Annotated[
        str | None,
        typer.Option(
            "--image",
            "-i",
            help="For the check: path, or name of a shipped one; - reads the standard input.",
            autocompletion=completing.images,
        ),
    ] = None,
    recipe: RecipeText = None,
    card: CardPath = None,
    on: Annotated[
        list[str] | None,
        typer.Option("--on", help="wasmedge or wasmtime. Repeatable. (default: both)"),
    ] = None,
    source: Annotated[
        bool,
        typer.Option("--source", help="Write the guest as a Cargo project, too, to source/ there."),
    ] = False,
    runtime: RuntimeName = None,
    as_json: AsJson = False,
) -> None:
    """Write a folder that runs a model through WASI-NN on a device.

    In it: the model, a guest for WebAssembly, a script for each runtime, and an image with its
    expected output.  Check what a device gives with: wasinn-nb compare FOLDER OUT.
    """
    made = wn.bundle(
        model,
        folder,
        image_of(image),
        read_recipe(recipe),
        tuple(RUNTIMES) if on is None else on,
        card=card,
        source=source,
        runtime=runtime,
    )
    command = Given(model, card, recipe).remedy(made.assumed)
    if as_json:
        print_json(made.to_dict() | {"remedy": command or None})
        return
    show(made)
    print_remedy(command)
    print_line(f"folder {made.folder}")
