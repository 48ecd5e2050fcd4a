"""``segment``, ``classify`` and ``run``: a model natively, and a guest."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

import typer
from rich.text import Text

import wasinn_nb as wn
from wasinn_nb.cli import completing
from wasinn_nb.cli.application import USAGE_ERROR, Command
from wasinn_nb.cli.console import (
    AsJson,
    CardPath,
    ExitCode,
    ImageName,
    ModelName,
    OutputName,
    Precision,
    RecipeText,
    RuntimeName,
    Target,
    app,
    notes,
    out,
    pairs,
    print_json,
    print_line,
    show,
    text_width,
)
from wasinn_nb.cli.guest_options import parsed_directories, parsed_preloads
from wasinn_nb.cli.saving import StemName, check_stem, print_files, saved_files
from wasinn_nb.cli.statements import Given, output_of, print_assumed, print_remedy, read_recipe
from wasinn_nb.cli.stdin import image_of
from wasinn_nb.errors import WasiNnError
from wasinn_nb.imaging import Resize
from wasinn_nb.render import Document, Legend, Table, document_text

if TYPE_CHECKING:
    from wasinn_nb.host import GuestRun

_SWATCH: Final = "\u25a0"

ResizeName = Annotated[
    Resize | None,
    typer.Option("--resize", help="triangle: as Rust guests with image 0.24 and later do."),
]


@app.command()
def segment(
    image: ImageName = None,
    model: ModelName = None,
    target: Target = None,
    precision: Precision = None,
    card: CardPath = None,
    recipe: RecipeText = None,
    runtime: RuntimeName = None,
    resize: ResizeName = None,
    threshold: Annotated[
        float | None,
        typer.Option(
            help="Of a single class: probability above which it is present. (default: 0.5)"
        ),
    ] = None,
    output_name: OutputName = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for mask, overlay, .tensor and facts."),
    ] = None,
    stem: StemName = None,
    scores: Annotated[
        bool, typer.Option("--scores", help="Write the scores of every class, not the labels.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Segment an image and print how much of it each class takes."""
    check_stem(output, stem)
    result = wn.segment(
        image_of(image),
        model,
        target,
        precision=precision,
        card=card,
        recipe=read_recipe(recipe),
        resize=resize,
        scores=scores,
        threshold=threshold,
        output=output_of(output_name),
        runtime=runtime,
    )
    files = saved_files(result, output, stem, image)
    command = Given(model, card, recipe).remedy(result.assumed)
    if as_json:
        print_json(result.to_dict() | {"remedy": command or None, "files": files})
        return
    if out.is_terminal:
        print_line(_with_swatches(result.document()))
    else:
        show(result.document())
    print_remedy(command)
    print_files(files)


def _with_swatches(document: Document) -> Text:
    """Return a document as text, its table with the colors that the legend has."""
    (entries,) = (block.entries for block in document.blocks if isinstance(block, Legend))
    blocks = [
        replace(
            block,
            columns=["", *block.columns],
            rows=[[_SWATCH, *row] for row in block.rows],
        )
        if isinstance(block, Table)
        else block
        for block in document.blocks_in("text")
    ]
    text = Text(document_text(replace(document, blocks=blocks), text_width()))
    places = (match.end() - 1 for match in re.finditer(rf"\n{_SWATCH}", text.plain))
    for place, entry in zip(places, entries, strict=True):
        text.stylize(f"rgb({','.join(map(str, entry.color))})", place, place + 1)
    return text


@app.command()
def classify(
    image: ImageName = None,
    model: ModelName = None,
    target: Target = None,
    precision: Precision = None,
    card: CardPath = None,
    recipe: RecipeText = None,
    runtime: RuntimeName = None,
    resize: ResizeName = None,
    output_name: OutputName = None,
    top: Annotated[int, typer.Option("--top", "-k", min=1, help="How many classes.")] = 5,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder for the .tensor and facts.")
    ] = None,
    stem: StemName = None,
    as_json: AsJson = False,
) -> None:
    """Classify an image and print the most probable classes, as WASI-NN's example guests do."""
    check_stem(output, stem)
    result = wn.classify(
        image_of(image),
        model,
        target,
        precision=precision,
        card=card,
        recipe=read_recipe(recipe),
        resize=resize,
        output=output_of(output_name),
        runtime=runtime,
    )
    files = saved_files(result, output, stem, image)
    command = Given(model, card, recipe).remedy(result.assumed)
    if as_json:
        print_json(result.to_dict(top) | {"remedy": command or None, "files": files})
        return
    for line in (*result.lines(top), *result.remarks):
        print_line(line)
    print_assumed(result.assumed, command)
    print_files(files)


class _RunCommand(Command):
    """``run``, whose usage errors do not end with an exit code that a guest may have, either."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        with _usage_errors():
            return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        with _usage_errors():
            return super().invoke(ctx)


@contextmanager
def _usage_errors() -> Iterator[None]:
    try:
        yield
    except USAGE_ERROR as error:
        vars(error)["exit_code"] = ExitCode.GUEST
        raise


@app.command(cls=_RunCommand)
def run(
    wasm: Annotated[
        str,
        typer.Argument(
            help="The module's path, or the name of a shipped one: roadseg.",
            autocompletion=completing.guest_names,
        ),
    ],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="The guest's arguments; put -- before them.")
    ] = None,
    directories: Annotated[
        list[str] | None,
        typer.Option("--dir", help="GUEST:HOST, or GUEST:HOST:readonly. Repeatable."),
    ] = None,
    environment: Annotated[
        list[str] | None, typer.Option("--env", help="NAME=VALUE. Repeatable.")
    ] = None,
    preload: Annotated[
        list[str] | None,
        typer.Option(
            "--nn-preload",
            help="A model for load_by_name: NAME:PATH, or as wasmedge takes it. Repeatable.",
        ),
    ] = None,
    target: Annotated[
        str | None,
        typer.Option(
            "--target",
            "-t",
            help="Device for all graphs, whatever the guest asks for.",
            autocompletion=completing.targets,
        ),
    ] = None,
    precision: Precision = None,
    runtime: RuntimeName = None,
    memory_limit: Annotated[int, typer.Option(help="MiB that the guest may have.")] = 1024,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds after which the guest is stopped.")
    ] = None,
    write_limit: Annotated[
        int, typer.Option(help="MiB that the guest may write to files; not in a thread.")
    ] = 1024,
    isolation: Annotated[
        Literal["process", "thread"],
        typer.Option(help="A process of its own; thread: for modules and models that you trust."),
    ] = "process",
    on: Annotated[
        str | None,
        typer.Option("--on", help="wasmtime or wasmedge: run it with that program, not here."),
    ] = None,
    invoke: Annotated[
        str | None, typer.Option("--invoke", help="Run this function instead of _start.")
    ] = None,
    save: Annotated[
        Path | None, typer.Option(help="Folder for a recording of the calls, for --replay.")
    ] = None,
    replay: Annotated[
        Path | None, typer.Option(help="Answer the calls from a recording, without a model.")
    ] = None,
    trace: Annotated[
        bool, typer.Option("--trace", help="Print the WASI-NN calls on stderr at the end.")
    ] = False,
    portability: Annotated[
        bool,
        typer.Option("--portability", help="Print on stderr what other runtimes would do."),
    ] = False,
    dump_tensors: Annotated[
        Path | None, typer.Option(help="Folder for the tensors that went in and out.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Run a WASI-NN guest here; its exit code is passed on.

    Exit code 125: the guest could not be run, or did not end by itself.  With --json, what it
    prints is in the JSON.

    As with wasmedge and wasmtime, directories are writable unless they end in :readonly.
    """
    dirs, writable = parsed_directories(directories or [])
    run: GuestRun | None = None
    try:
        run = wn.run_guest(
            wn.guest(wasm),
            arguments or [],
            dirs,
            writable=writable,
            env=pairs(environment, "=", "--env"),
            models=parsed_preloads(preload),
            target=target,
            precision=precision,
            runtime=runtime,
            memory_limit=memory_limit << 20,
            time_limit=time_limit,
            write_limit=write_limit << 20,
            isolation=isolation,
            output_limit=None,
            stream=not as_json,
            keep=None if dump_tensors is None and save is None else "all",
            on=on,
            invoke=invoke,
            replay=replay,
        )
    except (WasiNnError, KeyboardInterrupt) as error:
        run = getattr(error, "run", None)
        raise
    finally:
        if run is not None:
            _report(run, trace=trace, dump_tensors=dump_tensors)
            if save is not None:
                run.save(save)
            judged = wn.portability(run) if portability and not run.on else None
            if judged is not None and not as_json:
                notes(str(judged))
            if as_json:
                values = run.to_dict()
                print_json(values if judged is None else values | {"portability": judged.to_dict()})
    if run.reasons and not (trace or as_json):
        notes(run.reasons)
    raise typer.Exit(run.exit_code or 0)


def _report(run: GuestRun, *, trace: bool, dump_tensors: Path | None) -> None:
    if dump_tensors is not None:
        for kind, tensors in (("input", run.inputs), ("output", run.outputs)):
            for number, tensor in enumerate(tensors):
                tensor.write(dump_tensors / f"{kind}-{number}-{tensor.signature}.tensor")
    if trace:
        sys.stderr.write(f"{run}\n")
