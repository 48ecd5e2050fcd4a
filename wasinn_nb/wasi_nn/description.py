"""What a graph takes and gives, with the Rust lines that declare the buffers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from wasinn_nb.abi import TensorType
from wasinn_nb.cards import Port
from wasinn_nb.render import COUNT, Code, Column, Document, Only, Paragraph, Showing, Table

__all__ = ["GraphDescription", "port_bytes", "rust_declaration"]

_RUST_TYPES: Final = {
    TensorType.F16: "u16",  # Rust has no f16 on stable; its bits travel as u16
    TensorType.F32: "f32",
    TensorType.F64: "f64",
    TensorType.U8: "u8",
    TensorType.I32: "i32",
    TensorType.I64: "i64",
    TensorType.I8: "i8",
}


@dataclass(frozen=True, slots=True, repr=False)
class GraphDescription(Showing):
    """What a graph takes and gives.

    Its text leaves out the device, so that it stays the same from machine to machine.

    Attributes
    ----------
    inputs, outputs : tuple of Port
    device, precision : str

    Examples
    --------
    >>> port = Port("data", (1, 4, 2, 2), TensorType.F32, "f32")
    >>> GraphDescription((port,), (), "CPU", "f32")
    port     name  dimensions and type  bytes
    input 0  data  1x4x2x2xf32             64
    # in Rust
    let mut input = vec![0f32; 1 * 4 * 2 * 2];  // input 0
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    device: str
    precision: str

    def document(self) -> Document:
        """Return what there is to see: a row for each port, and the Rust lines."""
        sides = (("input", self.inputs), ("output", self.outputs))
        ports = [
            (f"{kind} {index}", port, rust_declaration(port, kind))
            for kind, side in sides
            for index, port in enumerate(side)
        ]
        table = Table(
            ["port", "name", "dimensions and type", Column("bytes", COUNT)],
            [(label, port.name, port.signature, _bytes(port)) for label, port, _ in ports],
        )
        ran = f"on {self.device}, computed in {self.precision}"
        lines = [f"{rust}  // {label}" for label, _, rust in ports if rust]
        return Document(
            "Inputs and outputs",
            [
                Only(("notebook", "page"), [Paragraph(ran, "strong")]),
                table,
                *([Code("\n".join(lines), "in Rust")] if lines else []),
            ],
            show_title=False,
        )


def rust_declaration(port: Port, kind: str) -> str:
    """Return the Rust line that declares a buffer for a port; empty where its size is open.

    Parameters
    ----------
    port : Port
    kind : str
        The name of the buffer: ``input`` or ``output``.

    Examples
    --------
    >>> rust_declaration(Port("data", (1, 4, 2, 2), TensorType.F32, "f32"), "output")
    'let mut output = vec![0f32; 1 * 4 * 2 * 2];'
    """
    dimensions = port.fixed_dimensions
    if dimensions is None or port.type is None:
        return ""
    sizes = " * ".join(map(str, dimensions)) or "1"
    return f"let mut {kind} = vec![0{_RUST_TYPES[port.type]}; {sizes}];"


def port_bytes(port: Port) -> int | None:
    """Return how many bytes a port's tensor has; None where a size or the type is open.

    Parameters
    ----------
    port : Port
        Its type is None where tensors do not have it.

    Examples
    --------
    >>> port_bytes(Port("data", (1, 4, 2, 2), TensorType.F32, "f32"))
    64
    """
    dimensions = port.fixed_dimensions
    if port.type is None or dimensions is None:
        return None
    return math.prod(dimensions) * port.type.itemsize


def _bytes(port: Port) -> int | str:
    if port.type is None:
        return "no such type"
    size = port_bytes(port)
    return "open" if size is None else size
