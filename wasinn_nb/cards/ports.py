"""The inputs and outputs of a model."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from wasinn_nb.abi import TensorType

__all__ = ["Port", "Signature", "port_of"]


@dataclass(frozen=True, slots=True)
class Port:
    """One input or output of a model.

    Parameters
    ----------
    name : str
    dimensions : tuple of int or None
        ``None`` where the model leaves a size open.
    type : TensorType or None
        ``None`` where `TensorType` has no such type.
    type_name : str
        The runtime's own name of the type.
    layout : str
        The order of the axes as the file states it, such as ``"NCHW"``; else empty.
    operation : str
        Of an output, the kind of operation that computes it, such as ``"Sigmoid"``; empty where
        that is not known.
    quantization : (float, int), optional
        Scale and zero point: a stored value `q` stands for ``scale * (q - zero_point)``.
    """

    name: str
    dimensions: tuple[int | None, ...]
    type: TensorType | None
    type_name: str
    layout: str = ""
    operation: str = ""
    quantization: tuple[float, int] | None = None

    @property
    def fixed_dimensions(self) -> tuple[int, ...] | None:
        """The dimensions where all are fixed, else None."""
        fixed = tuple(dim for dim in self.dimensions if dim is not None)
        return fixed if len(fixed) == len(self.dimensions) else None

    @property
    def signature(self) -> str:
        """Dimensions and type as in file names, ``?`` for an open size."""
        sizes = ["?" if dim is None else str(dim) for dim in self.dimensions]
        return "x".join([*sizes, self.type_name])


@dataclass(frozen=True, slots=True)
class Signature:
    """The inputs and outputs of a model.

    Parameters
    ----------
    inputs, outputs : tuple of Port
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]


def port_of(
    name: str,
    dimensions: Iterable[int | None],
    type_name: str,
    *,
    layout: str = "",
    operation: str = "",
    quantization: tuple[float, int] | None = None,
) -> Port:
    """Return a port whose `type` follows from *type_name*, such as ``"f32"`` or ``"boolean"``.

    Examples
    --------
    >>> port_of("data", (1, 3, None, None), "f32").type
    <TensorType.F32: 1>
    >>> port_of("data", (1,), "boolean").type is None
    True
    """
    known = type_name.upper() in TensorType.__members__
    return Port(
        name,
        tuple(dimensions),
        TensorType.parse(type_name) if known else None,
        type_name,
        layout,
        operation,
        quantization,
    )
