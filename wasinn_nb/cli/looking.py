"""``bench``, ``inspect``, ``models``, ``devices`` and ``lab``: what is here, and how fast."""

from __future__ import annotations

import dataclasses
import itertools
import os
import sys
from pathlib import Path
from typing import Annotated, Any, get_args

import typer

import wasinn_nb as wn
from wasinn_nb.cli.console import AsJson, ImageName, Target, app, out, print_json
from wasinn_nb.errors import UnsupportedOperationError
from wasinn_nb.recipe import Resize
from wasinn_nb.timing import FEWEST_ROUNDS

_MODEL_SUFFIXES = {".xml", ".onnx", ".tflite", ".pb", ".pdmodel"}


@app.command()
def bench(
    image: ImageName = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", "-m", help="Name or path; again for more. (default: shipped)"),
    ] = None,
    target: Annotated[
        list[str] | None, typer.Option("--target", "-t", help="Again for more. (default: CPU)")
    ] = None,
    precision: Annotated[
        list[str] | None,
        typer.Option("--precision", "-p", help="Again for more. (default: f32)"),
    ] = None,
    resize: Annotated[
        list[str] | None,
        typer.Option(help=f"{', '.join(get_args(Resize))}; again for more. (default: the model's)"),
    ] = None,
    rounds: Annotated[
        int, typer.Option("--rounds", "-n", min=FEWEST_ROUNDS, help="Runs of each, in turn.")
    ] = 20,
    as_json: AsJson = False,
) -> None:
    """Time models, targets, precisions and filters side by side, and compare their masks.

    All combinations run in turn; the first is what the others are measured by.
    """
    choices: tuple[list[Any], ...] = (
        model or [None],
        target or [None],
        precision or [None],
        resize or [None],
    )
    timings = wn.bench(
        [
            wn.Pipeline(name, where, precision=kind, resize=how)
            for name, where, kind, how in itertools.product(*choices)
        ],
        image,
        rounds=rounds,
    )
    if as_json:
        ratios = [timings.ratio(index) for index in range(len(timings))]
        print_json(
            [
                {
                    **dataclasses.asdict(one),
                    "seconds": one.seconds,
                    "ratio": dict(zip(("lower", "median", "upper"), ratio, strict=True)),
                }
                for one, ratio in zip(timings, ratios, strict=True)
            ]
        )
    else:
        out.print(str(timings), soft_wrap=True, markup=False)


@app.command()
def inspect(
    path: Annotated[
        Path, typer.Argument(help="A .tensor or .npy file, a picture, a model file or its name.")
    ],
    target: Target = None,
    as_json: AsJson = False,
) -> None:
    """Say what a tensor, a picture or a model is."""
    if path.suffix in {".tensor", ".npy"}:
        facts = _tensor_facts(path, as_json=as_json)
    elif path.suffix in _MODEL_SUFFIXES or (not path.exists() and not path.suffix):
        facts = _model_facts(str(path), target, as_json=as_json)
    else:
        facts = _picture_facts(path)
    if as_json:
        print_json(facts)
        return
    for name, value in facts.items():
        out.print(f"{name:14} {value}", soft_wrap=True, markup=False)


@app.command()
def models(as_json: AsJson = False) -> None:
    """List the models that can be picked here, and why the others cannot."""
    table = wn.models()
    if as_json:
        print_json(
            [
                {
                    "name": entry.name,
                    "task": entry.task,
                    "precisions": entry.precisions,
                    "where": entry.where,
                    "here": entry.here,
                    "reason": entry.reason,
                }
                for entry in table
            ]
        )
    else:
        out.print(str(table), soft_wrap=True, markup=False)


@app.command()
def devices(as_json: AsJson = False) -> None:
    """List the execution targets, and why the missing ones are missing."""
    table = wn.devices()
    if as_json:
        print_json([{"name": d.name, "full_name": d.full_name, "reason": d.reason} for d in table])
    else:
        out.print(str(table), soft_wrap=True, markup=False)


@app.command(context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def lab(
    context: typer.Context,
    directory: Annotated[Path, typer.Argument(help="Where to open JupyterLab.")] = Path(),
) -> None:
    """Open JupyterLab; further options are handed to it (such as --no-browser --port 9000)."""
    import importlib.util

    if importlib.util.find_spec("jupyterlab") is None:
        raise UnsupportedOperationError(
            "JupyterLab is not installed; install it with: pip install 'wasinn-nb[lab]'"
        )
    # Containers and CI run as root, where JupyterLab wants to be told that this is meant.
    root = ["--allow-root"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
    command = [sys.executable, "-m", "jupyterlab", str(directory), *root, *context.args]
    os.execv(sys.executable, command)  # noqa: S606 - no shell; Ctrl-C goes straight to Jupyter


def _tensor_facts(path: Path, *, as_json: bool) -> dict[str, Any]:
    tensor = wn.read_tensor(path)
    values = tensor.to_array()
    facts: dict[str, Any] = {
        "tensor": path.name,
        "dimensions": list(tensor.dimensions),
        "type": tensor.type.suffix,
        "bytes": tensor.nbytes,
        "sha256": tensor.sha256(),
    }
    if values.size:
        facts |= {
            "min": float(values.min()),
            "mean": float(values.mean(dtype="f8")),
            "max": float(values.max()),
        }
    sidecar = wn.read_sidecar(path) if path.suffix == ".tensor" else None
    told = set(facts) | {"format"}
    about = {name: said for name, said in (sidecar or {}).items() if name not in told}
    if not as_json and isinstance(about.get("model"), dict):
        about["model"] = about["model"].get("name")
    if not as_json and about.get("recipe"):
        about["recipe"] = wn.PreprocessRecipe.from_dict(about["recipe"])
    return facts | about


def _picture_facts(path: Path) -> dict[str, Any]:
    from wasinn_nb.pictures import open_image

    picture = open_image(path)
    orientation = picture.getexif().get(0x0112, 1)
    return {
        "picture": path.name,
        "format": picture.format,
        "width": picture.width,
        "height": picture.height,
        "mode": picture.mode,
        "EXIF": "upright" if orientation == 1 else f"orientation {orientation}: guests ignore it",
        "bytes": path.stat().st_size,
    }


def _model_facts(name: str, target: str | None, *, as_json: bool) -> dict[str, Any]:
    found = wn.model(name)
    with wn.WasiNnCtx(keep=None) as context:
        described = context.describe(context.load(found.files, found.encoding, target))
    ports = {
        "inputs": [f"{port.name} {port.signature}" for port in described.inputs],
        "outputs": [f"{port.name} {port.signature}" for port in described.outputs],
    }
    card = found.card
    return {
        "model": card.name,
        "task": card.task,
        "description": card.description,
        "classes": list(card.classes) if as_json else ", ".join(card.classes),
        "recipe": card.recipe.to_dict() if as_json and card.recipe else str(card.recipe),
        "files": [str(path) for path in found.files] if as_json else str(found.path),
        **({"sha384": dict(found.sha384)} if as_json else {}),
        "verified": found.verified if as_json else _verified(found),
        "device": f"{described.device}, {described.precision}",
        **(ports if as_json else {"ports": f"\n{described}"}),
    }


def _verified(model: wn.Model) -> str:
    if model.verified:
        return "yes, by its SHA-384"
    return "no: another build than its card describes" if model.card.precisions else "no card"
