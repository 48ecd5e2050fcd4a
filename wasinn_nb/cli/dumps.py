"""Raw dumps of tensors on the command line: their shape and type as options, or from the model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

import wasinn_nb as wn
from wasinn_nb.abi import TensorType
from wasinn_nb.cli import completing
from wasinn_nb.errors import TensorFileError
from wasinn_nb.imaging import IMAGE_SUFFIXES
from wasinn_nb.wasi_nn import port_bytes

__all__ = ["Shape", "TypeName", "dimensions_of", "stated_by_model", "stated_tensor"]

Shape = Annotated[
    str | None, typer.Option(help="Of a raw dump: 1x224x224x3. (default: by its name)")
]
TypeName = Annotated[
    str | None,
    typer.Option(
        "--type",
        help="Of a raw dump's numbers: f32, u8. (default: as shape)",
        autocompletion=completing.types,
    ),
]


def dimensions_of(text: str | None) -> tuple[int, ...] | None:
    """Return the dimensions that ``--shape`` states, with ``x`` or commas between them.

    Examples
    --------
    >>> dimensions_of("1x224x224x3"), dimensions_of("4,6")
    ((1, 224, 224, 3), (4, 6))
    """
    if text is None:
        return None
    words = text.lower().replace(",", "x").split("x")
    if not all(word.strip().isdecimal() for word in words):
        raise typer.BadParameter(f"expected 1x224x224x3, got {text!r:.80}", param_hint="--shape")
    return tuple(map(int, words))


def stated_tensor(
    path: Path, shape: str | None, type_: str | None, model: str | None = None
) -> Path | wn.Tensor:
    """Return a file's path where the file says what its tensor is; else the tensor.

    Parameters
    ----------
    path : Path
    shape, type_ : str or None
        As ``--shape`` and ``--type`` state them.
    model : str or None
        Whose inputs and outputs say what a dump of their size is, where nothing else does.

    Raises
    ------
    TensorFileError
        If the file says otherwise than the options.
    """
    if path.suffix.lower() in {".json", *IMAGE_SUFFIXES}:
        return path
    if shape is not None or type_ is not None:
        tensor = wn.read_tensor(path, dimensions_of(shape), type_)
        return path if _says_its_shape(path) else tensor
    stated = None if model is None else stated_by_model(path, model)
    return path if stated is None else wn.read_tensor(path, *stated)


def stated_by_model(path: Path, model: str) -> tuple[tuple[int, ...], TensorType] | None:
    """Return what a model says of a raw dump: the input or output of its size; None if not one.

    Parameters
    ----------
    path : Path
    model : str
        Its name or path.
    """
    if not path.is_file() or _says_its_shape(path):
        return None
    size = path.stat().st_size
    described = wn.describe(model)
    fitting = {
        (port.fixed_dimensions, port.type)
        for port in (*described.inputs, *described.outputs)
        if port.fixed_dimensions is not None and port.type is not None and port_bytes(port) == size
    }
    return fitting.pop() if len(fitting) == 1 else None


def _says_its_shape(path: Path) -> bool:
    try:
        wn.read_tensor(path, verify=False)
    except TensorFileError:
        return False
    return True
