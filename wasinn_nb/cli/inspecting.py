"""``inspect`` and ``card``: what a file is, and what is to be known of a model."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Annotated, Any, TypeAlias

import typer

import wasinn_nb as wn
from wasinn_nb.cards import card_path
from wasinn_nb.cli import completing
from wasinn_nb.cli.console import (
    AsJson,
    CardPath,
    ExitCode,
    RecipeText,
    RuntimeName,
    app,
    notes,
    print_json,
    print_line,
    print_warning,
    text_width,
)
from wasinn_nb.cli.dumps import Shape, TypeName
from wasinn_nb.cli.inspected import Inspected, Request, inspected
from wasinn_nb.cli.remedies import error_text, print_error
from wasinn_nb.cli.statements import Given, made_card, numbers, output_of, read_classes, read_recipe
from wasinn_nb.cli.stdin import STDIN, stdin_file
from wasinn_nb.errors import InvalidArgumentError, RecipeError, WasiNnError
from wasinn_nb.files import is_file
from wasinn_nb.imaging import Color, Fit, Layout, Resize
from wasinn_nb.inspection import path_of

Read: TypeAlias = Callable[[str, Sequence[str]], Inspected]
"""Reads a file, given the words of a command line that inspects it alone."""


@app.command()
def inspect(
    context: typer.Context,
    paths: Annotated[
        list[str],
        typer.Argument(
            help="A .tensor or .npy file, an image, a model or its name; - reads an image or a "
            "tensor from the standard input.",
            autocompletion=completing.models,
        ),
    ],
    card: CardPath = None,
    recipe: RecipeText = None,
    runtime: RuntimeName = None,
    shape: Shape = None,
    type_: TypeName = None,
    model: Annotated[
        str | None,
        typer.Option(
            "--model",
            "-m",
            help="Of a raw dump: the model whose input or output it is.",
            autocompletion=completing.models,
        ),
    ] = None,
    memory_limit: Annotated[
        int, typer.Option(min=1, help="MiB that reading a file may take.")
    ] = 4096,
    time_limit: Annotated[
        float, typer.Option(min=0.001, help="Seconds that reading a file may take.")
    ] = 120.0,
    as_json: AsJson = False,
) -> None:
    """Say what tensors, images or models are; with --json, of several files a list.

    Of a model: what it takes, gives and states, what is assumed, and how to run it.

    Files are read in a process of their own, which ends at the limits: a file that makes an
    engine crash, or takes too long, is an error.
    """
    request = Request(card, recipe, runtime, shape, type_, model, text_width())
    start: Callable[..., Any] = context.obj or _here
    with start(request, memory_limit=memory_limit << 20, time_limit=time_limit) as read:
        if len(paths) == 1:
            found = _from_file_or_stdin(paths[0], read, sys.argv[1:])
            if as_json:
                print_json(found.facts)
            else:
                print_line(found.text)
            return
        _inspect_several(paths, read, as_json=as_json)


@contextmanager
def _here(request: Request, **limits: object) -> Iterator[Read]:
    """Read files in this process, where no limits can be set."""
    del limits
    yield partial(inspected, request)


def _from_file_or_stdin(text: str, read: Read, words: Sequence[str]) -> Inspected:
    if text != STDIN:
        return read(text, words)
    with stdin_file(text) as path:
        return read(str(path), words)


def _inspect_several(paths: Sequence[str], read: Read, *, as_json: bool) -> None:
    listed, failed, files = [], False, set(paths)
    for number, path in enumerate(paths):
        if number and not as_json:
            print_line("")
        words = [word for word in sys.argv[1:] if word == path or word not in files]
        try:
            found = _from_file_or_stdin(path, read, words)
        except (WasiNnError, OSError) as error:
            failed = True
            print_error(error, words)
            listed.append({"path": path, "error": error_text(error, words)})
        else:
            listed.append(found.facts)
            if not as_json:
                print_line(found.text)
    if as_json:
        print_json(listed)
    if failed:
        raise typer.Exit(ExitCode.ERROR)


@app.command()
def card(
    model: Annotated[
        str,
        typer.Argument(help="The model's path, or its name.", autocompletion=completing.models),
    ],
    base: Annotated[
        str | None, typer.Option("--card", help="Card to start from. (default: the model's)")
    ] = None,
    recipe: RecipeText = None,
    task: Annotated[
        str | None,
        typer.Option(help="segmentation or classification.", autocompletion=completing.task_names),
    ] = None,
    classes: Annotated[
        str | None, typer.Option(help="NAME,NAME,… in the order of the channels, or how many.")
    ] = None,
    classes_file: Annotated[
        Path | None, typer.Option(help="Text file with one class name in each line.")
    ] = None,
    color: Annotated[Color | None, typer.Option(help="Order of the image's channels.")] = None,
    range_: Annotated[
        tuple[float, float] | None,
        typer.Option("--range", help="Where 0 and 255 go: 0 1, or -1 1.", metavar="LOW HIGH"),
    ] = None,
    mean: Annotated[
        str | None, typer.Option(help="Subtracted after --range: N, or N,N,N by channel.")
    ] = None,
    scale: Annotated[
        str | None, typer.Option(help="Divided by after --mean: N, or N,N,N by channel.")
    ] = None,
    layout: Annotated[Layout | None, typer.Option(help="Order of the input's axes.")] = None,
    fit: Annotated[Fit | None, typer.Option(help="What happens to the aspect ratio.")] = None,
    pad: Annotated[
        int | None, typer.Option(help="Level of letterbox borders, 0 to 255.", metavar="LEVEL")
    ] = None,
    size: Annotated[
        str | None, typer.Option(help="Of the image, where the model leaves it open: HxW.")
    ] = None,
    resize: Annotated[Resize | None, typer.Option(help="The filter.")] = None,
    output: Annotated[
        str | None, typer.Option(help="The model's output to read: name or index.")
    ] = None,
    threshold: Annotated[
        float | None, typer.Option(help="Of a single class: probability above which it is present.")
    ] = None,
    channels_last: Annotated[
        bool | None,
        typer.Option("--channels-last/--channels-first", help="Where scores have their classes."),
    ] = None,
    logits: Annotated[
        bool | None, typer.Option("--logits/--probabilities", help="What the scores are.")
    ] = None,
    background: Annotated[
        str | None, typer.Option(help="Class that is not tinted: its index, or none.")
    ] = None,
    write: Annotated[
        bool, typer.Option("--write/--print", help="Save it beside the model, or only print it.")
    ] = True,
    force: Annotated[bool, typer.Option("--force", help="Replace a card that is there.")] = False,
) -> None:
    """Make a model's card: what the file states, completed by what you know.

    Where the model has a card already, the options are laid over it.  The card is printed on
    stdout as JSON; what is still assumed, and the command that states it, on stderr.
    """
    sides = _size(size)
    fields_given: dict[str, Any] = {
        "color": color,
        "range": range_,
        "mean": numbers(mean, "--mean"),
        "scale": numbers(scale, "--scale"),
        "layout": layout,
        "fit": fit,
        "pad_value": pad,
        "resize": resize,
        "height": sides and sides[0],
        "width": sides and sides[1],
    }
    known: dict[str, Any] = {
        "task": task,
        "classes": read_classes(classes, classes_file),
        "output": output_of(output),
        "threshold": threshold,
        "channels_last": channels_last,
        "logits": logits,
    }
    known = {name: value for name, value in known.items() if value is not None}
    if background is not None:
        known["background"] = None if background == "none" else _index(background)
    found = wn.model(model, card=base)
    fields = (read_recipe(recipe) or {}) | {n: v for n, v in fields_given.items() if v is not None}
    made = made_card(found, known, fields)
    place = card_path(found.path)
    if write and is_file(place) and not force:
        raise InvalidArgumentError(
            f"{place} is there already: --force replaces it, --print writes nothing"
        )
    described = _described(found, made)
    if write:
        made.write(found.path)
    print_json(made.to_dict())
    if write:
        notes(f"wrote {place}")
    if described is not None and described.assumed:
        notes(f"assumed: {'; '.join(described.assumed)}")
    if described is not None and described.task and not made.classes:
        notes(f"classes: {described.reading['classes']}")
    if write and described is not None and described.assumed_fields:
        command = Given(model).command(
            described.assumed_fields, path_of(model, found), force=is_file(place)
        )
        notes(f"state it, or what is right, with: {command}")


def _described(found: wn.Model, made: wn.ModelCard) -> wn.ModelDescription | None:
    """Return how the model is read with its new card; refuse a card that makes it unreadable."""
    try:
        described = wn.describe(found.path, card=made)
    except WasiNnError as error:
        print_warning(f"the card could not be tried: {error_text(error, sys.argv[1:])}")
        return None
    if described.error is not None:
        if wn.describe(found.path, card=wn.ModelCard(made.name)).error is None:
            raise described.error
        print_warning(f"no task reads the model: {error_text(described.error, sys.argv[1:])}")
    return described


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    height, times, width = text.lower().partition("x")
    if not (times and height.isdecimal() and width.isdecimal()):
        raise RecipeError(f"expected --size as HxW, such as 512x896, got {text!r:.80}")
    return int(height), int(width)


def _index(text: str) -> int:
    if not text.isdecimal():
        raise RecipeError(f"expected --background as an index or none, got {text!r:.80}")
    return int(text)
