"""The JSON file beside a ``.tensor`` file: dimensions, type, hash, and what made the tensor."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NotRequired, TypedDict

from wasinn_nb.errors import Remedy, TensorError, TensorFileError
from wasinn_nb.json_files import checked_json, json_text, read_json
from wasinn_nb.tensor.shapes import checked_dimensions, checked_type, signature_text

if TYPE_CHECKING:
    from wasinn_nb.tensor.value import Tensor

__all__ = ["read_sidecar", "sidecar_path", "tensor_files"]

_FORMAT: Final = "wasinn_nb.tensor/1"
_MOST_BYTES: Final = 1 << 20
_REMEDY: Final = Remedy(
    "write the tensor again, or delete the file and pass dimensions and type",
    command="write the tensor again, or delete the file and add --shape and --type",
)


class _Fields(TypedDict):
    """What a sidecar states of the data; all else is metadata."""

    format: str
    dimensions: list[int]
    type: str
    bytes: NotRequired[int]
    sha256: str


def tensor_files(
    name: str, tensor: Tensor, metadata: Mapping[str, object]
) -> dict[str, bytes | memoryview]:
    """Return the files of a tensor: its sidecar first, then its data.

    Parameters
    ----------
    name : str
        Of the file with the data.
    tensor : Tensor
    metadata : mapping
        JSON values that the sidecar states, too.

    Returns
    -------
    dict
        File name → content.

    Raises
    ------
    TensorFileError
        If the metadata has a key that the sidecar itself has, or cannot be written as JSON.
    """
    fields: _Fields = {
        "format": _FORMAT,
        "dimensions": list(tensor.dimensions),
        "type": tensor.type.suffix,
        "bytes": tensor.nbytes,
        "sha256": tensor.sha256(),
    }
    if clash := fields.keys() & metadata.keys():
        raise TensorFileError(
            f"the sidecar of {name} has {', '.join(sorted(clash))} of its own; give the metadata "
            f"other names"
        )
    text = json_text({**fields, **metadata}, f"the metadata for {name}", TensorFileError)
    return {sidecar_path(name).name: text.encode(), name: tensor.data}


def read_sidecar(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Return what the sidecar of the ``.tensor`` file at *path* states, or None without one.

    ``dimensions`` is a tuple and ``type`` a `TensorType`; the rest is as in the JSON.

    Parameters
    ----------
    path : path-like
        Of the file with the data.

    Raises
    ------
    TensorFileError
        If the sidecar is not what :meth:`Tensor.write` writes.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import numpy as np
    >>> import wasinn_nb as wn
    >>> path = Path(tempfile.mkdtemp(), "a.tensor")
    >>> _ = wn.Tensor.from_array(np.zeros((1, 3), np.float32)).write(path)
    >>> wn.read_sidecar(path)["dimensions"]
    (1, 3)
    """
    sidecar = sidecar_path(path)
    if not sidecar.is_file():
        return None
    name = sidecar.name
    values = read_json(sidecar, "sidecar", most_bytes=_MOST_BYTES, error=TensorFileError, name=name)
    if values.get("format") != _FORMAT:
        raise TensorFileError(
            f'{name}: expected a JSON object with "format": "{_FORMAT}"', remedy=_REMEDY
        )
    try:
        fields = checked_json(values, _Fields, name, TensorFileError)
        dimensions, type_ = checked_dimensions(fields["dimensions"]), checked_type(fields["type"])
    except TensorError as error:
        raise TensorFileError(f"{name}: {error}", remedy=_REMEDY) from error
    except TensorFileError as error:
        raise TensorFileError(str(error), remedy=_REMEDY) from error
    needed = math.prod(dimensions) * type_.itemsize
    if fields.get("bytes", needed) != needed:
        raise TensorFileError(
            f"{name}: {signature_text(dimensions, type_)} takes {needed} bytes, it states "
            f"{fields['bytes']}",
            remedy=_REMEDY,
        )
    return values | {"dimensions": dimensions, "type": type_}


def sidecar_path(path: str | os.PathLike[str]) -> Path:
    """Return where the sidecar of the ``.tensor`` file at *path* lies."""
    path = Path(path)
    return path.with_name(path.name + ".json")
