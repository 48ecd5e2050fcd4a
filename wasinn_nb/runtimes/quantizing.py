"""What makes the INT8 variant of a model."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol, runtime_checkable

from numpy.typing import NDArray

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.runtimes.protocols import Builder, InputOf

__all__ = ["QuantizedLayers", "QuantizingRuntime"]


class QuantizedLayers(NamedTuple):
    """Which layers of a model are in 8 bits.

    Attributes
    ----------
    names : tuple of str
        The layers with weights that are in 8 bits now.
    weighted : int
        How many layers with weights the model has.
    """

    names: tuple[str, ...]
    weighted: int


@runtime_checkable
class QuantizingRuntime(Protocol):
    """A runtime that writes models with weights and values of 8 bits."""

    def quantize(
        self,
        builders: Sequence[Builder],
        encoding: GraphEncoding,
        images: Iterable[NDArray[Any]],
        path: Path,
        *,
        count: int,
        keep: Sequence[str] = (),
        input: InputOf,
    ) -> QuantizedLayers:
        """Write the INT8 variant of a model as OpenVINO IR.

        Parameters
        ----------
        builders : sequence of path or bytes
        encoding : GraphEncoding
        images : iterable of arrays
            What the model takes, to measure the ranges of its values; read more than once.
        path : Path
            Of the xml; the bin lies beside it.
        count : int
            How many images there are.
        keep : sequence of str
            Names of layers that stay as they are.
        input : callable
            As for `Runtime.load`.

        Returns
        -------
        QuantizedLayers
        """
