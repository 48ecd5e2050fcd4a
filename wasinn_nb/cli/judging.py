"""``compare``, ``diagnose`` and ``evaluate``: whether a mask can be trusted."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any

import typer

import wasinn_nb as wn
from wasinn_nb.catalog.lookup import known_card
from wasinn_nb.cli.console import (
    AsJson,
    ModelName,
    Precision,
    Target,
    app,
    out,
    pairs,
    print_json,
)


@app.command()
def evaluate(
    images: Annotated[
        Path, typer.Argument(help="A photograph or a folder of them; masks, with --masks-only.")
    ],
    masks: Annotated[Path, typer.Argument(help="The true mask, or a folder of them: same names.")],
    model: ModelName = None,
    target: Target = None,
    precision: Precision = None,
    masks_only: Annotated[
        bool, typer.Option("--masks-only", help="IMAGES are predicted masks: run nothing.")
    ] = False,
    classes: Annotated[
        str | None,
        typer.Option(help="The data's classes: NAME,NAME,… or how many. (default: the model's)"),
    ] = None,
    colors: Annotated[
        list[str] | None, typer.Option("--color", help="NAME=RRGGBB in RGB masks. Again for more.")
    ] = None,
    mapping: Annotated[
        list[str] | None,
        typer.Option("--map", help="DATA[,…]=MODEL[,…]: the same class. Again for more."),
    ] = None,
    ignore: Annotated[
        list[str] | None,
        typer.Option(help="Label, class or RRGGBB not to count. Again for more."),
    ] = None,
    html: Annotated[Path | None, typer.Option(help="Write one self-contained page.")] = None,
    as_json: AsJson = False,
) -> None:
    """Judge a model, or masks, by true masks: IoU, Dice, accuracy, worst images."""
    said: Any = int(classes) if classes and classes.isdecimal() else classes and classes.split(",")
    if colors:
        said = {name: _color(text) for name, text in pairs(colors, "=", "--color").items()}
    runs: wn.Pipeline | wn.ModelCard | None = None
    if not masks_only:
        runs = wn.Pipeline(model, target, precision=precision)
    elif model is not None:
        runs = known_card(model) or wn.model(model, download=False).card
    found = wn.evaluate(
        images,
        masks,
        model=runs,
        mapping={
            tuple(map(_class, data.split(","))): tuple(map(_class, own.split(",")))
            for data, own in pairs(mapping, "=", "--map").items()
        }
        or None,
        ignore=[
            _color(text) if colors and _is_color(text) else _class(text) for text in ignore or []
        ],
        classes=said,
    )
    page = None if html is None else found.write_html(html)
    if as_json:
        print_json(found.to_dict() | {"html": None if page is None else str(page)})
        return
    out.print(str(found), soft_wrap=True, markup=False)
    for name, miou, accuracy, worst in found.image_rows()[:5]:
        out.print(f"worst: {name}  {miou}  {accuracy}  {worst}", soft_wrap=True, markup=False)
    if page is not None:
        out.print(f"page: {page}", soft_wrap=True, markup=False)


def _class(text: str) -> str | int:
    """Return a class as it is said: by name, or by number."""
    return int(text) if text.lstrip("-").isdecimal() else text


def _is_color(text: str) -> bool:
    return re.fullmatch("[0-9a-fA-F]{6}", text) is not None


def _color(text: str) -> tuple[int, int, int]:
    if not _is_color(text):
        raise typer.BadParameter(f"expected six hexadecimal digits, got {text!r}")
    red, green, blue = bytes.fromhex(text)
    return red, green, blue
