"""What runtimes share: checks of models, inputs and outputs, and what the model's file states."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from numpy.typing import NDArray

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards import Port, Signature, checked_encoding, checked_files, stated
from wasinn_nb.errors import (
    InvalidArgumentError,
    Remedy,
    RuntimeFailure,
    UnsupportedOperationError,
)
from wasinn_nb.runtimes.protocols import Builder
from wasinn_nb.tensor import Tensor
from wasinn_nb.wording import counted

__all__ = [
    "BUSY",
    "OPEN_RANK",
    "check_ends",
    "check_output",
    "check_sizes",
    "checked_part",
    "failure",
    "input_array",
    "with_dimensions",
    "with_stated",
]

BUSY: Final = "the context is computing: wait for it, or use a context for each run"
OPEN_RANK: Final = "the model leaves the number of dimensions open; fix its shape first"
# A wasm guest's memory ends at 4 GiB, and a model's file at 2.
_MOST_BYTES: Final = 1 << 31
_MOST_CHARACTERS: Final = 1000


def checked_part(
    builders: Sequence[Builder], encoding: GraphEncoding, readable: GraphEncoding, runtime: str
) -> Builder:
    """Return the one part of a model for a runtime that reads one encoding, or refuse it.

    Parameters
    ----------
    builders : sequence of path or bytes
    encoding : GraphEncoding
        As declared.
    readable : GraphEncoding
        What the runtime reads: ``ONNX`` or ``TENSORFLOWLITE``.
    runtime : str
        Its name, for the error.

    Raises
    ------
    UnsupportedOperationError
        If the model is of another encoding, or does not show its encoding.
    InvalidArgumentError, MissingFileError, RuntimeFailure
        As `checked_encoding` and `checked_files` of `wasinn_nb.cards`.
    """
    found = encoding
    if encoding in {readable, GraphEncoding.AUTODETECT}:
        found = checked_encoding(builders, encoding)
    if found is not readable:
        unknown = found is GraphEncoding.AUTODETECT
        this = "does not show its encoding" if unknown else f"is {found.name.lower()}"
        remedy = Remedy("use runtime='openvino'", [{"runtime": "openvino"}])
        if found is GraphEncoding.PYTORCH:
            remedy = Remedy("convert it to ONNX")
        raise UnsupportedOperationError(
            f"{runtime} reads models of encoding {readable.name.lower()}, this one {this}",
            remedy=remedy,
        )
    checked_files(builders, readable)
    return builders[0]


def check_ends(inputs: int, outputs: int, encoding: GraphEncoding) -> None:
    """Raise RuntimeFailure unless a model has inputs and outputs."""
    if not inputs or not outputs:
        raise RuntimeFailure(
            f"expected a model with inputs and outputs, got {counted(inputs, 'input')} and "
            f"{counted(outputs, 'output')}: the file is not a model of "
            f"encoding {encoding.name.lower()}, or is not one to run; convert the original model "
            f"again"
        )


def check_sizes(signature: Signature) -> None:
    """Raise RuntimeFailure if an input or output takes more than 2 GiB."""
    for kind, ports in (("input", signature.inputs), ("output", signature.outputs)):
        for index, port in enumerate(ports):
            size = math.prod(port.fixed_dimensions or (0,))
            size *= 1 if port.type is None else port.type.itemsize
            if size > _MOST_BYTES:
                raise RuntimeFailure(
                    f"expected inputs and outputs of at most {_MOST_BYTES} bytes, {kind} {index} "
                    f"({port.signature:.80}) takes {size}: the file is damaged, or has to be "
                    f"converted again with smaller sizes"
                )


def input_array(index: int, port: Port, tensor: Tensor) -> NDArray[Any]:
    """Return a read-only array over the bytes of *tensor* with the dimensions of input *index*.

    Where only the order of the sizes differs, the bytes are taken as the model's.

    Raises
    ------
    InvalidArgumentError
        If type or number of elements are not the model's.
    """
    array = tensor.to_array()
    expected = port.fixed_dimensions
    if tensor.type is not port.type or (
        expected is not None and math.prod(expected) != math.prod(tensor.dimensions)
    ):
        raise InvalidArgumentError(f"input {index} is {port.signature}, got {tensor.signature}")
    return array if expected is None else array.reshape(expected)


def check_output(index: int, port: Port, *, computed: bool) -> None:
    """Refuse an output that a context cannot give.

    Parameters
    ----------
    index : int
    port : Port
    computed : bool
        Whether the context's last run has ended well.

    Raises
    ------
    RuntimeFailure
        If there was no such run.
    UnsupportedOperationError
        If the output is of a type that tensors do not have.
    """
    if not computed:
        raise RuntimeFailure(f"there is no output {index} yet: run the graph first")
    if port.type is None:
        raise UnsupportedOperationError(
            f"output {index} is of type {port.type_name}, which WASI-NN does not have"
        )


def failure(what: str, message: str, remedies: Mapping[str, Remedy | str]) -> RuntimeFailure:
    """Return the error for what an engine failed at, with the remedy where it is known.

    Parameters
    ----------
    what : str
        What could not be done.
    message : str
        The engine's own.
    remedies : mapping
        Part of the engine's message → what to do.

    Examples
    --------
    >>> failure("ONNX Runtime cannot read the model", "IR version 99", {"IR version": "update it"})
    RuntimeFailure('ONNX Runtime cannot read the model: IR version 99; update it')
    """
    reason = " ".join(message.split())[:_MOST_CHARACTERS].rstrip(".") or "no reason given"
    known = [
        Remedy(remedy) if isinstance(remedy, str) else remedy
        for part, remedy in remedies.items()
        if part in reason
    ]
    remedy = None
    if known:
        choices = [choice for one in known for choice in one.choices]
        remedy = Remedy("; ".join(one.python for one in known), choices)
    return RuntimeFailure(f"{what}: {reason}", remedy=remedy)


def with_dimensions(
    ports: tuple[Port, ...], dimensions: Sequence[tuple[int | None, ...]]
) -> tuple[Port, ...]:
    """Return *ports* with other dimensions, in their order.

    Parameters
    ----------
    ports : tuple of Port
    dimensions : sequence of tuple of int or None
        None where a size is open.
    """
    pairs = zip(ports, dimensions, strict=True)
    return tuple(replace(port, dimensions=sizes) for port, sizes in pairs)


def with_stated(signature: Signature, builders: Sequence[Builder]) -> Signature:
    """Return *signature* with the layouts, operations and quantization that the file states.

    What the runtime itself reports stays.

    Parameters
    ----------
    signature : Signature
        As the runtime gives it.
    builders : sequence of path or bytes
        The model's files.
    """
    in_file = stated(builders).signature
    if in_file is None:
        return signature
    return Signature(
        _completed(signature.inputs, in_file.inputs),
        _completed(signature.outputs, in_file.outputs),
    )


def _completed(ports: tuple[Port, ...], in_file: tuple[Port, ...]) -> tuple[Port, ...]:
    """Return *ports* completed by those in the same place, or of the same name."""
    named = {port.name: port for port in in_file}
    in_order = len(ports) == len(in_file)
    completed = []
    for index, port in enumerate(ports):
        other = in_file[index] if in_order else None
        if other is None or other.name != port.name:
            other = named.get(port.name, other)
        if other is None:
            completed.append(port)
            continue
        completed.append(
            replace(
                port,
                layout=port.layout or other.layout,
                operation=port.operation or other.operation,
                quantization=port.quantization or other.quantization,
            )
        )
    return tuple(completed)
