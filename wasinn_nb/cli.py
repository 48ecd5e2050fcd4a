"""``wasinn-nb``: the package's verbs on the command line."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.table import Table

import wasinn_nb as wn
from wasinn_nb.errors import UnsupportedOperationError, WasiNnError
from wasinn_nb.recipe import Resize

if TYPE_CHECKING:
    from wasinn_nb.host import GuestRun

__all__ = ["app", "main"]

app = typer.Typer(
    help="Run image models with OpenVINO natively and through WASI-NN, side by side.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
# Wide enough for the longest reason when the output goes to a file or another program.
_out = Console(width=None if sys.stdout.isatty() else 200, highlight=False)

_MODEL_SUFFIXES = {".xml", ".onnx", ".tflite", ".pb", ".pdmodel"}

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object instead of text.")]
ModelName = Annotated[
    str | None, typer.Option("--model", "-m", help="Catalog name or path. (default: shipped)")
]
Target = Annotated[
    str | None, typer.Option("--target", "-t", help="CPU, GPU, NPU, AUTO. (default: CPU)")
]
Precision = Annotated[
    str | None,
    typer.Option("--precision", "-p", help="f32, f16, bf16, or device (its own). (default: f32)"),
]


@app.command()
def segment(
    image: Annotated[
        str | None, typer.Argument(help="Path, or name of a shipped picture. (default: shipped)")
    ] = None,
    model: ModelName = None,
    target: Target = None,
    precision: Precision = None,
    resize: Annotated[
        Resize | None,
        typer.Option(help="triangle: as Rust guests with image 0.24 and later do."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for mask, overlay, .tensor and facts."),
    ] = None,
    scores: Annotated[
        bool, typer.Option("--scores", help="Write the scores of every class, not the labels.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Segment a picture and print how much of it each class takes."""
    result = wn.segment(
        image,
        model,
        target,
        precision=precision,
        resize=resize,
        scores=scores,
    )
    files = {} if output is None else _said_files(result.save(output))
    if as_json:
        _print_json(
            {
                "model": result.card.name,
                "target": result.target,
                "precision": result.precision,
                "height": result.height,
                "width": result.width,
                "areas": result.areas(),
                "fractions": result.fractions(),
                "digest": str(result.digest()).splitlines(),
                "seconds": dict(result.timings),
                "files": files,
            }
        )
        return
    _out.print(
        f"{result.card.name}, {result.width}x{result.height} pixels, "
        f"{result.precision} on {result.target}"
    )
    table = Table("class")
    table.add_column("pixels", justify="right")
    table.add_column("share", justify="right")
    for (name, pixels), share, colour in zip(
        result.areas().items(), result.fractions().values(), result.card.palette, strict=True
    ):
        swatch = f"[rgb({','.join(map(str, colour))})]\u25a0[/] " if _out.is_terminal else ""
        table.add_row(f"{swatch}{name}", str(pixels), f"{share:.2%}")
    _out.print(table)
    for what, path in files.items():
        _out.print(f"{what:8} {path}", soft_wrap=True, markup=False)


@app.command()
def run(
    wasm: Annotated[
        str, typer.Argument(help="The module's path, or the name of a shipped one: roadseg.")
    ],
    arguments: Annotated[
        list[str] | None, typer.Argument(help="The guest's arguments; put -- before them.")
    ] = None,
    directories: Annotated[
        list[str] | None,
        typer.Option("--dir", help="GUEST:HOST, or GUEST:HOST:readonly. Again for more."),
    ] = None,
    environment: Annotated[
        list[str] | None, typer.Option("--env", help="NAME=VALUE. Again for more.")
    ] = None,
    preload: Annotated[
        list[str] | None,
        typer.Option("--nn-preload", help="NAME:PATH, a model for load_by_name. Again for more."),
    ] = None,
    target: Annotated[
        str | None, typer.Option("--target", "-t", help="Run graphs there, whatever it asks for.")
    ] = None,
    precision: Precision = None,
    memory_limit: Annotated[int, typer.Option(help="MiB that the guest may have.")] = 1024,
    time_limit: Annotated[
        float | None, typer.Option(help="Seconds after which the guest is stopped.")
    ] = None,
    trace: Annotated[
        bool, typer.Option("--trace", help="Print the WASI-NN calls on stderr at the end.")
    ] = False,
    dump_tensors: Annotated[
        Path | None, typer.Option(help="Folder for the tensors that went in and out.")
    ] = None,
) -> None:
    """Run a WASI-NN guest here; its exit code is handed on.

    As with wasmedge and wasmtime, directories are writable unless they end in :readonly.
    """
    dirs, writable = _parsed_directories(directories or [])
    run: GuestRun | None = None
    try:
        run = wn.run_guest(
            wn.guest(wasm),
            arguments or [],
            dirs,
            writable=writable,
            env=_pairs(environment, "=", "--env"),
            models=_pairs(preload, ":", "--nn-preload"),
            target=target,
            precision=precision,
            memory_limit=memory_limit << 20,
            time_limit=time_limit,
            output_limit=None,
            keep=None if dump_tensors is None else "all",
        )
    except (WasiNnError, KeyboardInterrupt) as error:
        run = getattr(error, "run", None)
        raise
    finally:
        if run is not None:
            _report(run, trace=trace, dump_tensors=dump_tensors)
    raise typer.Exit(run.exit_code or 0)


def _report(run: GuestRun, *, trace: bool, dump_tensors: Path | None) -> None:
    if dump_tensors is not None:
        for kind, tensors in (("input", run.inputs), ("output", run.outputs)):
            for number, tensor in enumerate(tensors):
                tensor.write(dump_tensors / f"{kind}-{number}-{tensor.signature}.tensor")
    if trace:
        sys.stderr.write(f"{run}\n")


def _parsed_directories(said: list[str]) -> tuple[dict[str, str], list[str]]:
    """Return guest path → host path, and the writable ones."""
    dirs, writable = {}, []
    for text in said:
        path = text.removesuffix(":readonly")
        guest, colon, host = path.partition(":")
        dirs[guest] = host if colon else guest
        if path == text:
            writable.append(guest)
    return dirs, writable


def _pairs(said: list[str] | None, separator: str, option: str) -> dict[str, str]:
    for text in said or []:
        if separator not in text:
            raise typer.BadParameter(f"expected NAME{separator}…, got {text!r}", param_hint=option)
    return dict(text.split(separator, 1) for text in said or [])


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
        _print_json(facts)
        return
    for name, value in facts.items():
        _out.print(f"{name:14} {value}", soft_wrap=True, markup=False)


@app.command()
def models(as_json: AsJson = False) -> None:
    """List the models that can be picked here, and why the others cannot."""
    table = wn.models()
    if as_json:
        _print_json(
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
        _out.print(str(table), soft_wrap=True, markup=False)


@app.command()
def devices(as_json: AsJson = False) -> None:
    """List the execution targets, and why the missing ones are missing."""
    table = wn.devices()
    if as_json:
        _print_json([{"name": d.name, "full_name": d.full_name, "reason": d.reason} for d in table])
    else:
        _out.print(str(table), soft_wrap=True, markup=False)


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


def _said_files(saved: Any) -> dict[str, str]:
    return {name: str(path) for name, path in saved._asdict().items() if path is not None}


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


def _print_json(value: Any) -> None:
    sys.stdout.write(json.dumps(value, indent=2) + "\n")


def main() -> NoReturn:
    """Run the command line; an error of ours is one line on stderr and exit code 1."""
    try:
        app()
    except (WasiNnError, OSError) as error:
        Console(stderr=True, highlight=False).print(
            f"error: {error}", style="red", soft_wrap=True, markup=False
        )
        sys.exit(1)
    sys.exit(0)


if __name__ == "__main__":
    main()
