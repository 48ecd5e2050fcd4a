"""What a model takes and gives: its inputs and outputs."""

from __future__ import annotations

from dataclasses import dataclass

from wasinn_nb.abi import TensorType

__all__ = ["Port", "Signature"]


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
        The order of the axes as the file states it, such as ``"NCHW"``; empty where it does not.
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
    """What a model takes and gives.

    Parameters
    ----------
    inputs, outputs : tuple of Port
    """

    inputs: tuple[Port, ...]
    outputs: tuple[Port, ...]
