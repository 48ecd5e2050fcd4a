"""``predict`` and ``predictions``: a model over many images, and what was found in them."""

from __future__ import annotations

from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

import wasinn_nb as wn
from wasinn_nb.cli.application import USAGE_ERROR, Command, is_too_many
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
    notes,
    print_json,
    print_line,
    print_remarks,
    show,
)
from wasinn_nb.cli.statements import Given, print_remedy, read_recipe
from wasinn_nb.cli.truth_options import ClassMap, DataClasses, DataColors, Ignored, truth_options
from wasinn_nb.errors import (
    InvalidArgumentError,
    MissingFileError,
    Remedy,
    UnsupportedOperationError,
)
from wasinn_nb.prediction import RowListing, dask_executor, is_store
from wasinn_nb.wording import counted

StoreFolder = Annotated[
    Path, typer.Argument(help="The folder that `predict` wrote, or that of one run in it.")
]

RunName = Annotated[
    str | None, typer.Option(help="The beginning of a run's name. (default: the last with rows)")
]


@app.command()
def predict(
    images: Annotated[
        str,
        typer.Argument(
            help="A folder, a glob in quotes, a CSV or Parquet file with a column of paths, or a "
            "URL such as s3://bucket/folder."
        ),
    ],
    store: Annotated[
        Path, typer.Option("--store", "-s", help="The folder that keeps the results.")
    ],
    model: ModelName = None,
    target: Target = None,
    precision: Precision = None,
    card: CardPath = None,
    recipe: RecipeText = None,
    runtime: RuntimeName = None,
    column: Annotated[
        str | None, typer.Option(help="The column of paths in a CSV or Parquet file.")
    ] = None,
    verify: Annotated[
        bool, typer.Option("--verify", help="Read files again that look unchanged.")
    ] = False,
    on_error: Annotated[
        Literal["keep", "raise"],
        typer.Option(help="keep: an image that fails is a row; raise: it ends the run."),
    ] = "keep",
    failures: Annotated[
        float, typer.Option(help="End the run where more of the first 100 images fail; 1: never.")
    ] = 0.5,
    no_masks: Annotated[
        bool, typer.Option("--no-masks", help="Keep figures without masks.")
    ] = False,
    no_thumbnails: Annotated[
        bool, typer.Option("--no-thumbnails", help="Keep no small images.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Number of processes. (default: this one alone)")
    ] = None,
    dask: Annotated[
        str | None,
        typer.Option(help="The address of a Dask scheduler, or local to start workers here."),
    ] = None,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Run a model on many images and keep every result; run again, it does what is missing.

    Exit code 0: done, also with images that failed; 130: interrupted, what is finished is kept.
    """
    cluster = nullcontext() if dask is None else dask_executor(dask, workers)
    try:
        with cluster as executor:
            found = wn.predict(
                images,
                model,
                store,
                target=target,
                precision=precision,
                card=card,
                recipe=read_recipe(recipe),
                runtime=runtime,
                column=column,
                verify=verify,
                on_error=on_error,
                failures=failures,
                masks=not no_masks,
                thumbnails=not no_thumbnails,
                executor=executor,
                workers=None if dask == "local" else workers,
            )
    except KeyboardInterrupt:
        notes(f"interrupted; what is finished is kept in {store}: run the same again to go on")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    command = Given(model, card, recipe).remedy(found.assumed)
    session = found.facts["sessions"][-1]
    kept, new = session["unchanged"], session["finished"]
    _tell(found, html, as_json=as_json, remedy=command or None, kept=kept, new=new)
    if not as_json:
        repeated = session["repeated"]
        more = f", {counted(repeated, 'image')} listed again" if repeated else ""
        print_line(f"{kept} kept, {new} new{more}")
        print_line(f"rows: {found.folder / 'rows'}")
        print_remedy(command)


@app.command()
def predictions(
    store: StoreFolder,
    run: RunName = None,
    query: Annotated[
        str | None,
        typer.Option(
            "--query",
            "-q",
            help="Only rows for which this holds: 'road < 0.05'; of errors: \"status != 'done'\".",
        ),
    ] = None,
    worst: Annotated[
        int | None,
        typer.Option(min=1, help="Number of rows to list, and to export; the summary is of all."),
    ] = None,
    by: Annotated[
        str | None,
        typer.Option(
            help="The column of numbers to order rows by; with --compare, agreement or "
            "'IoU CLASS'. (default: mean_confidence; of a classifier probability)"
        ),
    ] = None,
    compare: Annotated[
        Path | None, typer.Option(help="Another store or run: where the two disagree.")
    ] = None,
    export: Annotated[Path | None, typer.Option(help="Write the masks into this folder.")] = None,
    format_: Annotated[
        Literal["png", "coco"], typer.Option("--format", help="Of --export.")
    ] = "png",
    to_parquet: Annotated[
        Path | None, typer.Option(help="Write the rows as one Parquet file, without masks.")
    ] = None,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Look at what `predict` has kept: counts, errors, and the rows that are asked for."""
    found = wn.read_predictions(store, run)
    if query is not None:
        found = found.query(query)
    ordered = worst is not None or by is not None
    if compare is not None:
        if ordered and (export is not None or to_parquet is not None):
            raise typer.BadParameter(
                "with --compare, --worst and --by list images of the comparison; leave out "
                "--export and --to-parquet",
                param_hint="--compare",
            )
        compared = found.compare(wn.read_predictions(compare))
        if ordered:
            compared = compared.worst(worst) if by is None else compared.worst(worst, by)
    listing = RowListing(found, worst, by)
    chosen = found if worst is None else listing.rows
    if export is not None:
        print_line(f"masks: {chosen.export(export, format_)}")
    if to_parquet is not None:
        print_line(f"rows: {chosen.to_parquet(to_parquet)}")
    if compare is not None:
        _tell(compared, html, as_json=as_json)
    else:
        _tell(listing if ordered or query is not None else found, html, as_json=as_json)


class _Gallery(Command):
    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the words; one more is probably where the truths are."""
        try:
            return super().parse_args(ctx, args)
        except USAGE_ERROR as error:
            if is_too_many(error):
                error.message += "\nTrue masks, or classes, are named by --truths."
            raise


@app.command(cls=_Gallery)
def gallery(
    store: Annotated[
        Path,
        typer.Argument(
            help="The folder that `predict` wrote, or that of one run in it; or one of results "
            "that `segment --output` or `classify --output` wrote."
        ),
    ],
    html: Annotated[
        Path, typer.Option("--html", help="Write a page to this file, readable without Jupyter.")
    ],
    truths: Annotated[
        Path | None,
        typer.Option(help="The true masks: a folder; or of classes a CSV file or folders."),
    ] = None,
    other: Annotated[
        Path | None, typer.Option(help="Another store or run over the same images.")
    ] = None,
    classes: DataClasses = None,
    colors: DataColors = None,
    mapping: ClassMap = None,
    ignore: Ignored = None,
    suffix: Suffix = None,
    run: RunName = None,
    query: RowQuery = None,
    by: Annotated[
        str | None, typer.Option(help="The column to sort by. (default: the worst first)")
    ] = None,
    descending: Annotated[
        bool, typer.Option("--descending", help="With --by: the highest values first.")
    ] = False,
    most: Annotated[
        int, typer.Option("--most", "-n", min=1, max=500, help="The first so many images.")
    ] = 500,
    as_json: AsJson = False,
) -> None:
    """Write a page of a store, or of saved results, that filters, sorts and opens images."""
    needs = "--truths" if truths is None else ""
    how = truth_options(classes, colors, mapping, ignore, suffix, needs=needs)
    try:
        given = store if run is None else wn.read_predictions(store, run)
        if truths is not None and query:
            given = _judged_rows(given, query)
        made = wn.Gallery(given, truths, other, **how)
    except ModuleNotFoundError as error:
        raise UnsupportedOperationError(
            "a gallery needs anywidget, which is not installed",
            remedy=Remedy("install it with: pip install 'wasinn-nb[lab]'"),
        ) from error
    try:
        made.query = query or ""
        if by is not None:
            made.sort_by, made.descending = by, descending
        path, count = made.write_html(html, most), min(most, len(made.rows))
        print_remarks(made.predictions, made.other)
        if as_json:
            print_json({"html": str(path), "images": count, "selected": len(made.rows)})
        else:
            some = counted(count, "image")
            if count < len(made.rows):
                some = f"the first {count:,} of {counted(len(made.rows), 'image', grouped=True)}"
            print_line(f"{some}: {path}")
    finally:
        made.close()


def _judged_rows(given: Path | wn.Predictions, query: str) -> Path | wn.Predictions:
    """Return the rows that a query chooses, which alone need truths; all where it needs truths."""
    try:
        if isinstance(given, Path):
            found = wn.read_predictions(given) if is_store(given) else wn.gather_results(given)
        else:
            found = given
        return found.query(query) or given
    except (InvalidArgumentError, MissingFileError):  # the gallery knows more columns, or says it
        return given


def _tell(
    found: wn.Predictions | RowListing | wn.RunComparison,
    html: Path | None,
    *,
    as_json: bool,
    **more: Any,
) -> None:
    page = None if html is None else str(found.write_html(html))
    if as_json:
        print_json(found.to_dict() | {"html": page, **more})
    else:
        show(found)
