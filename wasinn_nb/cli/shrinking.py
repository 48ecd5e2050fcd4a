"""``quantize``: a model in INT8, and what that costs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer

import wasinn_nb as wn
from wasinn_nb.cli import completing
from wasinn_nb.cli.console import (
    AsJson,
    CardPath,
    RecipeText,
    Suffix,
    app,
    notes,
    print_json,
    print_line,
    print_remarks,
    show,
)
from wasinn_nb.cli.statements import read_recipe
from wasinn_nb.cli.truth_options import ClassMap, DataClasses, DataColors, Ignored, truth_options
from wasinn_nb.prediction import is_store


@app.command()
def quantize(
    model: Annotated[
        str,
        typer.Argument(help="Catalog name or path of the model.", autocompletion=completing.models),
    ],
    images: Annotated[
        str,
        typer.Argument(
            help="What calibrates: a folder, a glob in quotes, a CSV file of paths, or a store "
            "that `predict` wrote."
        ),
    ],
    masks: Annotated[
        Path | None,
        typer.Option(help="A folder with the true masks of the images that judge: same names."),
    ] = None,
    test: Annotated[
        str | None,
        typer.Option(
            "--test", help="The images that judge, as IMAGES. (default: one of four of IMAGES)"
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="A new or an empty folder. (default: NAME-int8)"),
    ] = None,
    max_drop: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="How much IoU a class may lose before layers are kept as they are."
        ),
    ] = 0.01,
    subset: Annotated[int, typer.Option(min=1, help="So many images calibrate at most.")] = 64,
    card: CardPath = None,
    recipe: RecipeText = None,
    classes: DataClasses = None,
    colors: DataColors = None,
    mapping: ClassMap = None,
    ignore: Ignored = None,
    suffix: Suffix = None,
    as_json: AsJson = False,
) -> None:
    """Make the INT8 variant of a model, and say what it gains and loses.

    The folder gets the model, its card, and the report as report.json and report.html.  It needs
    the extra quantize: NNCF, whose telemetry is off.
    """
    needs = "--masks" if masks is None else ""
    how = truth_options(classes, colors, mapping, ignore, suffix, needs=needs)
    if not sys.stderr.isatty():  # no bar says what it is doing
        notes(
            "quantizing; where a class loses more than --max-drop, layers are compared and kept, "
            "which takes minutes"
        )
    found = wn.quantize(
        model,
        _images(images),
        masks,
        output,
        test_images=None if test is None else _images(test),
        max_drop=max_drop,
        subset=subset,
        card=card,
        recipe=read_recipe(recipe),
        **how,
    )
    if as_json:
        print_json(found.to_dict())
        return
    show(found)
    print_line(f"model: {found.model.path}")
    print_line(f"page: {found.model.path.parent / 'report.html'}")


def _images(text: str) -> Any:
    """Return what an argument names: the rows of a store, else the images as they are."""
    if not is_store(text):
        return text
    found = wn.read_predictions(text)
    print_remarks(found)
    return found
