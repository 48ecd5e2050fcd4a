"""What runtimes share: checks of a model and of outputs, and what the file says besides."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards import Port, Signature, checked_encoding, checked_files, stated
from wasinn_nb.errors import RuntimeFailure, UnsupportedOperationError
from wasinn_nb.runtimes.base import Builder

__all__ = ["check_output", "checked_parts", "with_stated"]


def checked_parts(
    builders: Sequence[Builder], encoding: GraphEncoding, wanted: GraphEncoding, runtime: str
) -> Sequence[Builder]:
    """Return the parts of a model for a runtime that reads one encoding, or refuse them.

    Parameters
    ----------
    builders : sequence of path or bytes
    encoding : GraphEncoding
        As declared.
    wanted : GraphEncoding
        What the runtime reads.
    runtime : str
        Its name, for the error.

    Raises
    ------
    UnsupportedOperationError
        If the model is of another encoding.
    InvalidArgumentError, MissingFileError, RuntimeFailure
        As `checked_encoding` and `checked_files` of `wasinn_nb.cards`.
    """
    found = encoding
    if encoding in {wanted, GraphEncoding.AUTODETECT}:
        found = checked_encoding(builders, encoding)
    if found not in {wanted, GraphEncoding.AUTODETECT}:
        raise UnsupportedOperationError(
            f"{runtime} reads models of encoding {wanted.name.lower()}, this one is "
            f"{found.name.lower()}; use runtime='openvino'"
        )
    checked_files(builders, wanted)
    return builders


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


def with_stated(signature: Signature, builders: Sequence[Builder]) -> Signature:
    """Return *signature* with the layouts, operations and quantization that the file states.

    What the runtime says itself stays.

    Parameters
    ----------
    signature : Signature
        As the runtime gives it.
    builders : sequence of path or bytes
        The model's files.
    """
    said = stated(builders).signature
    if said is None:
        return signature
    return Signature(
        _completed(signature.inputs, said.inputs), _completed(signature.outputs, said.outputs)
    )


def _completed(ports: tuple[Port, ...], said: tuple[Port, ...]) -> tuple[Port, ...]:
    """Return *ports* completed by those of the same name, or in the same place where all fit."""
    named = {port.name: port for port in said}
    in_order = len(ports) == len(said)
    completed = []
    for index, port in enumerate(ports):
        other = named.get(port.name) or (said[index] if in_order else None)
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
