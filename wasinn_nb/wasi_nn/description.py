"""What a graph takes and gives, as a table with the Rust lines that declare the buffers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from wasinn_nb.abi import TensorType
from wasinn_nb.cards import Port
from wasinn_nb.render import html_table, text_table

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


@dataclass(frozen=True, slots=True)
class GraphDescription:
    """What a graph takes and gives.

    Attributes
    ----------
    inputs, outputs : tuple of Port
    device, precision : str
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
    device: str
    precision: str

    _HEADERS = ("port", "name", "dimensions and type", "bytes", "in Rust")

    def _rows(self) -> list[tuple[str, str, str, str, str]]:
        return [
            (
                f"{kind} {index}",
                port.name,
                port.signature,
                _bytes(port),
                rust_declaration(port, kind),
            )
            for kind, ports in (("input", self.inputs), ("output", self.outputs))
            for index, port in enumerate(ports)
        ]

    def __repr__(self) -> str:
        return text_table(self._HEADERS, self._rows())

    def _repr_html_(self) -> str:
        title = f"on {self.device}, computed in {self.precision}"
        return html_table(self._HEADERS, self._rows(), caption=title)


def rust_declaration(port: Port, kind: str) -> str:
    """Return the Rust line that declares a buffer for a port; empty where its size is open.

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
    """Return how many bytes a port's tensor has; None where a size is open or WASI-NN lacks it.

    Examples
    --------
    >>> port_bytes(Port("data", (1, 4, 2, 2), TensorType.F32, "f32"))
    64
    """
    dimensions = port.fixed_dimensions
    if port.type is None or dimensions is None:
        return None
    return math.prod(dimensions) * port.type.itemsize


def _bytes(port: Port) -> str:
    if port.type is None:
        return "no such type"
    size = port_bytes(port)
    return "open" if size is None else str(size)
