"""``bundle``: a folder that runs a model on a device."""

from __future__ import annotations

import json
import os
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Final

import typer

import wasinn_nb as wn
from wasinn_nb.cards import card_path
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
from wasinn_nb.cli.exit_codes import ExitCode
from wasinn_nb.cli.statements import Given, print_remedy, read_recipe
from wasinn_nb.cli.stdin import image_of
from wasinn_nb.deployment import RUNTIMES
from wasinn_nb.files import is_file
from wasinn_nb.inspection import path_of

_CONVERTED: Final = frozenset({"onnx", "tensorflowlite"})
"""What `openvino.convert_model` reads from a path."""


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

    Exit code 0: a runtime runs it; 1: it is written, but no runtime runs it; 2: an error.
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
        raise typer.Exit(_exit_code(made))
    show(made)
    print_remedy(command)
    if made.runs_nowhere and made.encoding in _CONVERTED:
        options = {"--image": image, "--recipe": recipe, "--card": card}
        found = Given(model, card).found
        if card is None and is_file(card_path(found.path)):
            options["--card"] = str(card_path(found.path))
        path = Path(path_of(model, found))
        for line in _as_ir(path, folder, options, on or [], source=source):
            print_line(line)
    print_line(f"folder {made.folder}")
    raise typer.Exit(_exit_code(made))


def _exit_code(made: wn.Bundle) -> ExitCode:
    return ExitCode.NO if made.runs_nowhere else ExitCode.DONE


def _as_ir(
    path: Path, folder: Path, options: Mapping[str, str | None], on: list[str], *, source: bool
) -> Iterator[str]:
    """Yield the commands that convert a model, and that make a bundle of what comes of it."""
    converted = path.with_suffix(".xml")
    if os.path.lexists(converted):  # of another model
        converted = path.with_name(f"{path.stem}-ir.xml")
    read, written = (json.dumps(str(one), ensure_ascii=False) for one in (path, converted))
    code = (
        f"import openvino as ov; ov.save_model(ov.convert_model({read}), {written}, "
        f"compress_to_fp16=False)"
    )
    words = ["wasinn-nb", "bundle", str(converted), f"{folder}-ir"]
    words += [word for option, text in options.items() if text for word in (option, text)]
    words += [word for name in on for word in ("--on", name)]
    yield f"convert the model with: {shlex.join(['python', '-c', code])}"
    yield f"and make the bundle with: {shlex.join([*words, '--source'] if source else words)}"
