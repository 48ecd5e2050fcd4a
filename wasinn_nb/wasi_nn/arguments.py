"""The arguments of the WASI-NN calls: parsed, checked, and in short for the trace."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from wasinn_nb.abi import FOREIGN_ENCODINGS, ExecutionTarget, GraphEncoding
from wasinn_nb.cards import Port, check_with_weights, model_files
from wasinn_nb.errors import (
    InvalidArgumentError,
    InvalidEncodingError,
    UnsupportedOperationError,
)
from wasinn_nb.files import existing_file, expanded
from wasinn_nb.runtimes import Builder
from wasinn_nb.tensor import Tensor
from wasinn_nb.wording import counted

__all__ = [
    "ModelFiles",
    "checked_input",
    "checked_port",
    "checked_tensor",
    "compared_sizes",
    "has_port",
    "parsed_builders",
    "parsed_encoding",
    "short_builders",
    "short_name",
    "target_code",
    "writable_bytes",
]

ModelFiles: TypeAlias = str | os.PathLike[str] | Sequence[str | os.PathLike[str] | bytes]
"""A model: one path, or its builders as paths or bytes (OpenVINO IR: xml, then bin)."""


def parsed_encoding(encoding: GraphEncoding | str | int) -> GraphEncoding:
    """Return the encoding that a member, name or number means.

    Raises
    ------
    UnsupportedOperationError
        If it is one of WasmEdge's further ones.
    InvalidEncodingError
        If there is none of that name or number.
    """
    if isinstance(encoding, int) and encoding in FOREIGN_ENCODINGS:
        name, why = FOREIGN_ENCODINGS[encoding]
        raise UnsupportedOperationError(
            f"encoding {int(encoding)} is WasmEdge's {name}, for {why}; no engine here does"
        )
    try:
        if isinstance(encoding, str):
            return GraphEncoding[encoding.upper()]
        return GraphEncoding(encoding)
    except (KeyError, ValueError):
        known = ", ".join(f"{member.value} {member.name.lower()}" for member in GraphEncoding)
        raise InvalidEncodingError(f"unknown encoding {encoding!r}; expected {known}") from None


def parsed_builders(builders: ModelFiles) -> list[Builder]:
    """Return the parts of a model; an ``.xml`` path brings its ``.bin`` along."""
    if isinstance(builders, bytes | bytearray | memoryview):
        return [bytes(builders)]
    if isinstance(builders, str | os.PathLike):
        main = expanded(builders)
        builders = [main]
        if main.suffix.lower() == ".xml":
            builders = model_files(main)
            if main.is_file():
                check_with_weights(builders)
    parts: list[Builder] = []
    try:
        for part in builders:
            if isinstance(part, bytes | bytearray | memoryview):
                parts.append(bytes(part))
            else:
                path = expanded(part)
                parts.append(path if path.is_dir() else existing_file(path, "model"))
    except TypeError as error:
        raise InvalidArgumentError(
            f"expected a model as a path, or its builders as paths or bytes, got {builders!r:.120}"
        ) from error
    return parts


def checked_tensor(tensor: object) -> Tensor:
    """Return *tensor*, or raise InvalidArgumentError if it is not a `Tensor`."""
    if not isinstance(tensor, Tensor):
        raise InvalidArgumentError(
            f"expected a Tensor, got {type(tensor).__name__}; Tensor.from_array makes one of an "
            f"array"
        )
    return tensor


def checked_input(tensor: Tensor, port: Port) -> str:
    """Return a remark on *tensor* as input *port*, or raise if the model cannot take it."""
    if port.type is None:
        raise InvalidArgumentError(
            f"the model takes {port.signature}, a type that WASI-NN does not have; "
            f"got {tensor.signature}"
        )
    if tensor.type is not port.type:
        where = "" if port.type.in_wasi_nn else " in Python (WASI-NN does not have this type)"
        raise InvalidArgumentError(
            f"the model takes {port.signature}, got {tensor.signature}: "
            f"convert the values to {port.type_name}{where}"
        )
    expected, given = port.fixed_dimensions, tensor.dimensions
    if expected is None:
        fits = len(given) == len(port.dimensions) and all(
            open_or_size in {None, size}
            for open_or_size, size in zip(port.dimensions, given, strict=True)
        )
        if not fits:
            raise InvalidArgumentError(f"the model takes {port.signature}, got {tensor.signature}")
        return ""
    if math.prod(expected) != math.prod(given):
        raise InvalidArgumentError(
            f"the model takes {port.signature}, got {tensor.signature}: another number of elements"
        )
    if expected == given:
        return ""
    return "same bytes, other dimensions: read as the model's; check the layout (NCHW or NHWC)"


def has_port(ports: tuple[Port, ...], index: object) -> bool:
    """Return whether *index* is that of a port."""
    return isinstance(index, int | np.integer) and bool(0 <= index < len(ports))


def checked_port(ports: tuple[Port, ...], index: int, kind: str) -> Port:
    """Return port *index*, or raise InvalidArgumentError."""
    if not has_port(ports, index):
        raise InvalidArgumentError(f"no {kind} {index}; the model has {len(ports)}, counted from 0")
    return ports[index]


def compared_sizes(tensor: Tensor, port: Port) -> dict[str, int]:
    """Return how a tensor's dimensions differ from those of an input, as facts of a call."""
    expected, given = port.fixed_dimensions, tensor.dimensions
    if expected is None or expected == given:
        return {"permuted": 0, "resized": 0}
    same = math.prod(expected) == math.prod(given)
    return {"permuted": int(same), "resized": int(not same)}


def target_code(target: ExecutionTarget | str | int | None) -> int:
    """Return the number of a target; -1 for a device that WASI-NN has no number for."""
    if target is None:
        return ExecutionTarget.CPU
    if isinstance(target, str):
        codes = {member.device: member.value for member in ExecutionTarget}
        return codes.get(target.upper(), -1)
    return int(target)


def short_builders(parts: Iterable[Builder]) -> str:
    """Return the parts of a model in short."""
    names = [part.name if isinstance(part, Path) else counted(len(part), "byte") for part in parts]
    return " + ".join(names) or "no builders"


def short_name(value: object) -> str:
    """Return an enumeration's member, or anything else, in short."""
    return value.name.lower() if isinstance(value, GraphEncoding | ExecutionTarget) else str(value)


def writable_bytes(buffer: bytearray | memoryview | np.ndarray[Any, Any]) -> memoryview:
    """Return *buffer* as bytes to write to, or raise InvalidArgumentError."""
    try:
        view = memoryview(buffer)  # type: ignore[arg-type]  # arrays are buffers
        if view.readonly:
            raise InvalidArgumentError("expected a buffer to write to, got a read-only one")
        # An empty view with a 0 in its shape cannot be cast.
        return view.cast("B") if view.nbytes else memoryview(bytearray())
    except TypeError as error:
        raise InvalidArgumentError(
            f"expected a buffer such as a bytearray or a C-contiguous array, "
            f"got {type(buffer).__name__}: {error}"
        ) from error
