"""``compare``, ``diagnose`` and ``evaluate``: whether a mask can be trusted."""

from __future__ import annotations

import shlex
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Final

import typer

import wasinn_nb as wn
from wasinn_nb import settings
from wasinn_nb.cards import ENCODINGS
from wasinn_nb.catalog import known_card
from wasinn_nb.cli import completing
from wasinn_nb.cli.console import (
    AsJson,
    CardPath,
    ExitCode,
    Html,
    ModelName,
    Precision,
    RecipeText,
    RowQuery,
    RuntimeName,
    Suffix,
    Target,
    app,
    print_json,
    print_line,
    show,
)
from wasinn_nb.cli.dumps import Shape, TypeName, stated_tensor
from wasinn_nb.cli.models import EachPrecision, EachRuntime, EachTarget, two_pipelines
from wasinn_nb.cli.remedies import remedy_text
from wasinn_nb.cli.statements import Given, print_remedy, read_recipe
from wasinn_nb.cli.stdin import image_of, stdin_file
from wasinn_nb.cli.truth_options import ClassMap, DataClasses, DataColors, Ignored, truth_options
from wasinn_nb.comparison import TOLERANCE
from wasinn_nb.deployment import is_bundle
from wasinn_nb.errors import InvalidArgumentError, Remedy
from wasinn_nb.prediction import is_store
from wasinn_nb.render import Column, Document, Table
from wasinn_nb.wording import listed

_LISTED: Final = 5
_WORST: Final = (
    "worst images",
    Column("mean IoU", ".4f"),
    Column("accuracy", ".4f"),
    "worst class",
)


@app.command()
def compare(
    a: Annotated[
        str,
        typer.Argument(
            help="A .tensor or .npy file, a saved result's JSON, an index mask; - reads one from "
            "the standard input; the folder of a bundle; or a model, with --layers."
        ),
    ],
    b: Annotated[
        str,
        typer.Argument(
            help="What to compare it with: another of these; of a bundle the folder, or the file, "
            "that its guest wrote on a device."
        ),
    ],
    tolerance: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Part of the largest value that precision may change. (default: the bundle's, "
            f"else {TOLERANCE})",
        ),
    ] = None,
    image: Annotated[
        str | None,
        typer.Option(
            help="The image of results saved without it, or that models run on: path or name; - "
            "reads the standard input.",
            autocompletion=completing.images,
        ),
    ] = None,
    layers: Annotated[
        bool,
        typer.Option("--layers", help="A and B are models: run both, compare layer by layer."),
    ] = False,
    precision: EachPrecision = None,
    target: EachTarget = None,
    runtime: EachRuntime = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="Whose class names and colors to show.",
            autocompletion=completing.models,
        ),
    ] = None,
    shape: Shape = None,
    type_: TypeName = None,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Say whether two programs did the same, and where they first differ.

    Exit code 0: the same, exactly or within precision; 1: different; 2: an error.
    """
    if layers:
        if model or shape or type_:
            raise typer.BadParameter(
                "--model, --shape and --type are for tensors; A and B are the models",
                param_hint="--layers",
            )
        pipelines = two_pipelines((a, b), precision=precision, target=target, runtime=runtime)
        found = wn.compare(
            *pipelines,
            tolerance=TOLERANCE if tolerance is None else tolerance,
            image=image_of(image),
            layers=True,
        )
        _tell(found, html, as_json=as_json)
        raise typer.Exit(ExitCode.DONE if found.same else ExitCode.NO)
    if precision or target or runtime:
        raise typer.BadParameter(
            "--precision, --target and --runtime are for models that run; add --layers",
            param_hint="--layers",
        )
    if is_store(a) or is_store(b):
        raise InvalidArgumentError(
            f"expected tensors, images or results, got the store {a if is_store(a) else b}",
            remedy=Remedy(
                "compare predictions by Predictions.compare",
                command="compare stores with: "
                + shlex.join(["wasinn-nb", "predictions", str(a), "--compare", str(b)]),
            ),
        )
    models = [path for path in (a, b) if Path(path).suffix.lower() in ENCODINGS]
    if models:
        named = image or "IMAGE"
        if len(models) > 1:
            start, words = (
                "run them, layer by layer,",
                ["compare", a, b, "--layers", "--image", named],
            )
        else:
            start, words = "run it", ["segment", named, "-m", models[0], "-o", "DIR"]
        raise InvalidArgumentError(
            f"expected tensors, image masks or results, got {listed(models, 2)}: models",
            remedy=Remedy(
                "run them by wn.compare(a, b, image=…, layers=True)",
                command=f"{start} with: {shlex.join(['wasinn-nb', *words])}",
            ),
        )
    with stdin_file(a) as one, stdin_file(b) as other:
        if is_bundle(one):
            found = wn.Bundle.read(one).compare(other, tolerance=tolerance)
        else:
            found_image = image_of(image)
            found = wn.compare(
                *(stated_tensor(path, shape, type_, model) for path in (one, other)),
                tolerance=TOLERANCE if tolerance is None else tolerance,
                image=wn.image(found_image) if isinstance(found_image, str) else found_image,
                card=None if model is None else wn.model(model).card,
            )
        _tell(found, html, as_json=as_json)
    raise typer.Exit(ExitCode.DONE if found.same else ExitCode.NO)


@app.command()
def diagnose(
    tensor: Annotated[
        Path,
        typer.Argument(
            help="A .tensor or .npy file: what a program fed to the model, or got from it."
        ),
    ],
    image: Annotated[
        str | None,
        typer.Option(
            "--image",
            "-i",
            help="The image: a path, or the name of a shipped one; - reads the standard input.",
            autocompletion=completing.images,
        ),
    ] = None,
    model: ModelName = None,
    target: Target = None,
    precision: Precision = None,
    card: CardPath = None,
    recipe: RecipeText = None,
    runtime: RuntimeName = None,
    output: Annotated[
        bool, typer.Option("--output", help="The tensor came out of the model. (default: by size)")
    ] = False,
    shape: Shape = None,
    type_: TypeName = None,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Name the preprocessing mistake behind a tensor.

    Exit code 0: it is right; 1: a mistake is named, or nothing fits; 2: an error.
    """
    found = wn.diagnose(
        stated_tensor(tensor, shape, type_, model or settings.default("model")),
        image_of(image),
        model,
        stage="output" if output else None,
        card=card,
        recipe=read_recipe(recipe),
        runtime=runtime,
        target=target,
        precision=precision,
    )
    _tell(found, html, as_json=as_json)
    if not as_json:
        print_remedy(Given(model, card, recipe).remedy(found.assumed))
    raise typer.Exit(ExitCode.DONE if found.right else ExitCode.NO)


def _tell(found: wn.Comparison | wn.Diagnosis, html: Path | None, *, as_json: bool) -> None:
    if html is not None:
        found.write_html(html)
    if as_json:
        print_json(found.to_dict())
    elif isinstance(found, wn.Comparison):
        show(replace(found, remedies=()))
        for remedy in found.remedies:
            print_line(f"- {remedy_text(remedy, sys.argv[1:])}")
    else:
        show(found)


@app.command()
def evaluate(
    images: Annotated[
        str,
        typer.Argument(
            help="An image, a folder of them, or a store that `predict` wrote; masks, with "
            "--masks-only.",
            autocompletion=completing.images,
        ),
    ],
    truths: Annotated[
        Path,
        typer.Argument(
            help="The true mask, or a folder of them: same names. Of a classifier: a CSV file with "
            "the columns image and class, or a folder of folders named after the classes."
        ),
    ],
    model: ModelName = None,
    target: Target = None,
    precision: Precision = None,
    card: CardPath = None,
    recipe: RecipeText = None,
    runtime: RuntimeName = None,
    masks_only: Annotated[
        bool, typer.Option("--masks-only", help="IMAGES are predicted masks: run nothing.")
    ] = False,
    classes: DataClasses = None,
    colors: DataColors = None,
    mapping: ClassMap = None,
    ignore: Ignored = None,
    suffix: Suffix = None,
    query: RowQuery = None,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Judge a model, or masks, by the truth: IoU, Dice, accuracy, worst images."""
    judged: wn.Pipeline | wn.ModelCard | None = None
    if masks_only and (target or precision or recipe or runtime):
        raise typer.BadParameter(
            "--target, --precision, --recipe and --runtime are for a model that runs; leave them "
            "out, or leave --masks-only out",
            param_hint="--masks-only",
        )
    given: str | wn.Predictions = images
    if is_store(images):
        if masks_only or model or target or precision or recipe or runtime:
            raise typer.BadParameter(
                f"{images} is a store of predictions, which are judged as they are; leave out what "
                f"is for a model that runs, and --masks-only",
                param_hint="IMAGES",
            )
        stored = wn.read_predictions(images)
        given = stored if query is None else stored.query(query)
    elif query is not None:
        raise typer.BadParameter(
            f"it chooses rows of a store that `predict` wrote; {images} is none",
            param_hint="--query",
        )
    if not masks_only and given is images:
        judged = wn.Pipeline(
            model,
            target,
            precision=precision,
            card=card,
            recipe=read_recipe(recipe),
            runtime=runtime,
        )
    elif card is not None:
        judged = wn.ModelCard.read(card)
    elif model is not None:
        judged = known_card(model) or wn.model(model, download=False).card
    found = wn.evaluate(
        given,
        truths,
        model=judged,
        **truth_options(classes, colors, mapping, ignore, suffix),
    )
    page = None if html is None else found.write_html(html)
    if as_json:
        print_json(found.to_dict() | {"html": None if page is None else str(page)})
        return
    show(found)
    if isinstance(found, wn.Evaluation):  # of a classifier, the text has them
        pairs = zip(found.image_rows(), found.samples[:_LISTED], strict=False)
        if rows := [row for row, sample in pairs if sample.is_wrong]:
            worst = Table(_WORST, rows, "the lowest mean IoU first")
            show(Document("", [worst], show_title=False))
    if isinstance(judged, wn.Pipeline):
        print_remedy(Given(model, card, recipe).remedy(judged.assumed))
    if page is not None:
        print_line(f"page: {page}")
