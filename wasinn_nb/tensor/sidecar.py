"""The JSON file beside a ``.tensor`` file: dimensions, type, hash, and what made the tensor."""

from __future__ import annotations

import math
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NotRequired, TypedDict

from wasinn_nb.abi import TensorType
from wasinn_nb.errors import TensorError, TensorFileError
from wasinn_nb.json_files import checked_json, json_text, read_json
from wasinn_nb.tensor.shapes import checked_dimensions, checked_type, signature_text

__all__ = ["read_sidecar", "sidecar_path", "sidecar_text"]

_FORMAT: Final = "wasinn_nb.tensor/1"
_MOST_BYTES: Final = 1 << 20
_REMEDY: Final = "write the tensor again, or delete the file and pass dimensions and type"


class _Fields(TypedDict):
    """What a sidecar states of the data; all else is metadata."""

    format: str
    dimensions: list[int]
    type: str
    bytes: NotRequired[int]
    sha256: str


def sidecar_text(
    name: str,
    dimensions: tuple[int, ...],
    type_: TensorType,
    sha256: str,
    metadata: Mapping[str, object],
) -> str:
    """Return the content of a sidecar.

    Parameters
    ----------
    name : str
        Of the file with the data, for errors.
    dimensions, type_, sha256
        Of the tensor.
    metadata : mapping
        JSON values.

    Raises
    ------
    TensorFileError
        If the metadata has a key that the sidecar itself has, or cannot be written as JSON.
    """
    fields: _Fields = {
        "format": _FORMAT,
        "dimensions": list(dimensions),
        "type": type_.suffix,
        "bytes": math.prod(dimensions) * type_.itemsize,
        "sha256": sha256,
    }
    if clash := fields.keys() & metadata.keys():
        raise TensorFileError(
            f"the sidecar of {name} has {', '.join(sorted(clash))} of its own; give the metadata "
            f"other names"
        )
    return json_text({**fields, **metadata}, f"the metadata for {name}", TensorFileError)


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
    """
    sidecar = sidecar_path(path)
    if not sidecar.is_file():
        return None
    name = sidecar.name
    values = read_json(sidecar, "sidecar", most_bytes=_MOST_BYTES, error=TensorFileError, name=name)
    if values.get("format") != _FORMAT:
        raise TensorFileError(
            f'{name}: expected a JSON object with "format": "{_FORMAT}"; {_REMEDY}'
        )
    try:
        fields = checked_json(values, _Fields, name, TensorFileError)
        dimensions, type_ = checked_dimensions(fields["dimensions"]), checked_type(fields["type"])
    except TensorError as error:
        raise TensorFileError(f"{name}: {error}; {_REMEDY}") from error
    except TensorFileError as error:
        raise TensorFileError(f"{error}; {_REMEDY}") from error
    needed = math.prod(dimensions) * type_.itemsize
    if fields.get("bytes", needed) != needed:
        raise TensorFileError(
            f"{name}: {signature_text(dimensions, type_)} takes {needed} bytes, it states "
            f"{fields['bytes']}; {_REMEDY}"
        )
    return values | {"dimensions": dimensions, "type": type_}


def sidecar_path(path: str | os.PathLike[str]) -> Path:
    """Return where the sidecar of the ``.tensor`` file at *path* lies."""
    path = Path(path)
    return path.with_name(path.name + ".json")
