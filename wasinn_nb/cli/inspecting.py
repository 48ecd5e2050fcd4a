"""``inspect`` and ``card``: what a file is, and what is to be known of a model."""

from __future__ import annotations

import sys
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer

import wasinn_nb as wn
from wasinn_nb.cards import card_path, is_model_file
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
    show,
)
from wasinn_nb.cli.dumps import Shape, TypeName, dimensions_of, stated_by_model
from wasinn_nb.cli.remedies import error_text, print_error, remedy_commands
from wasinn_nb.cli.statements import Given, made_card, numbers, output_of, read_classes, read_recipe
from wasinn_nb.cli.stdin import STDIN, stdin_file
from wasinn_nb.errors import InvalidArgumentError, MissingFileError, RecipeError, WasiNnError
from wasinn_nb.files import is_file, is_folder
from wasinn_nb.imaging import Color, Fit, Layout, Resize
from wasinn_nb.inspection import describe_file, kinds_in, path_of


@app.command()
def inspect(
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
            help="Of a raw dump: whose input or output of its size it is.",
            autocompletion=completing.models,
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Say what tensors, images or models are; with --json, of several files a list.

    Of a model: what it takes, gives and states, what is assumed, and how to run it.
    """
    inspected = partial(
        _inspected,
        given=(card, recipe, runtime),
        dump=(shape, type_, model),
        as_json=as_json,
    )
    if len(paths) == 1:
        facts = inspected(paths[0])
        if as_json:
            print_json(facts)
        return
    listed, failed = [], False
    for number, path in enumerate(paths):
        if number and not as_json:
            print_line("")
        try:
            listed.append(inspected(path))
        except (WasiNnError, OSError) as error:
            failed = True
            words = [word for word in sys.argv[1:] if word == path or word not in paths]
            print_error(error, words)
            listed.append({"path": path, "error": error_text(error, words)})
    if as_json:
        print_json(listed)
    if failed:
        raise typer.Exit(ExitCode.ERROR)


def _inspected(
    text: str,
    *,
    given: tuple[str | None, str | None, str | None],
    dump: tuple[str | None, str | None, str | None],
    as_json: bool,
) -> dict[str, Any]:
    """Return what is known of a file as JSON values; print it where they are not asked for."""
    card, recipe, runtime = given
    shape, type_, of_dump = dump
    path = Path(text)
    if text == STDIN or shape is not None or type_ is not None or not _is_model(path):
        with stdin_file(text) as found:
            stated: tuple[Any, Any] = dimensions_of(shape), type_
            if of_dump is not None and stated == (None, None):
                stated = stated_by_model(found, of_dump) or stated
            described_file = describe_file(_shipped(found), *stated)
        if not as_json:
            show(described_file)
        return described_file.to_dict()
    model = path if is_folder(path) else text  # text alone may be a name
    try:
        described = wn.describe(model, card=card, recipe=read_recipe(recipe), runtime=runtime)
    except MissingFileError as error:
        if not is_folder(path) or card is not None:
            raise
        raise MissingFileError(f"{path}: {kinds_in(path)}") from error
    of_model = Given(model, card, recipe)
    if not as_json:
        show(described)
        _print_command(described, of_model)
    return described.to_dict() | _file_facts(of_model.found)


def _shipped(path: Path) -> Path:
    """Return the path of a shipped image where its name is given."""
    return wn.image(str(path)) if not path.exists() and str(path) in wn.images() else path


def _is_model(path: Path) -> bool:
    if path.suffix in {".tensor", ".npy"}:
        return False
    if path.suffix == ".bin" and is_file(path) and not is_file(path.with_suffix(".xml")):
        return False
    if is_folder(path) or is_model_file(path):
        return True
    if path.exists() or str(path) in wn.images():
        return False
    return not path.suffix or str(path) in wn.models().names


def _file_facts(found: wn.Model) -> dict[str, Any]:
    return {
        "files": [str(path) for path in found.files],
        "sha384": dict(found.sha384),
        "verified": found.verified,
    }


def _print_command(described: wn.ModelDescription, given: Given) -> None:
    found = given.found
    if described.error is not None and described.error.remedy is not None:
        for command in remedy_commands(described.error.remedy, sys.argv[1:]):
            print_line(f"\n# what would read it\n{command}")
    if fields := described.assumed_fields:
        force = is_file(card_path(found.path))
        command = given.command(fields, described.path, force=force)
        print_line(f"\n# the same on the command line\n{command}")
    if found.card.precisions:
        verified = "yes, by SHA-384" if found.verified else "no: another build than its card says"
        print_line(f"\n# the files are those of the card: {verified}")


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
        float | None, typer.Option(help="Of one class: probability above which it is there.")
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
        print_warning(f"the card could not be tried: {error}")
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
