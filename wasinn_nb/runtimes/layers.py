"""The layers of a model: what a runtime that can show them gives, beside the outputs."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol, runtime_checkable

from numpy.typing import NDArray

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.errors import UnsupportedOperationError
from wasinn_nb.runtimes.protocols import Builder, InputOf, Runtime

__all__ = [
    "INPUT",
    "FusableModel",
    "Layer",
    "LayeredModel",
    "LayeredRuntime",
    "QuantizedModel",
    "is_numbered",
    "open_layers",
]

INPUT: Final = -1
"""The place of the model's image among the values that layers read."""

_NUMBERED: Final = re.compile(r"[A-Z][A-Za-z0-9]*[-_]\d+(\.\d+)?")


@dataclass(frozen=True, slots=True)
class Layer:
    """A value that a model computes on its way from the image to the outputs.

    Values that do not depend on the image, such as prepared weights, are not layers.

    Parameters
    ----------
    name : str
        The operation's name in the file; ``name.1`` is its second output.
    operation : str
        Such as ``Convolution``.
    dimensions : tuple of int
    itemsize : int
        Bytes of an element.
    tensor_names : frozenset of str
        What the file calls the value itself: the same for every runtime that reads the file.
    has_weights : bool
        Whether it multiplies by constants: a convolution or a matrix product.
    """

    name: str
    operation: str
    dimensions: tuple[int, ...]
    itemsize: int = 4
    tensor_names: frozenset[str] = frozenset()
    has_weights: bool = False


class LayeredModel(Protocol):
    """A model whose layers can be read; compiled again for each group of them that is asked for."""

    @property
    def layers(self) -> tuple[Layer, ...]:
        """The layers in the order in which they are computed."""

    @property
    def outputs(self) -> tuple[int | None, ...]:
        """Which layer each output of the model is; None of one that is not a layer."""

    @property
    def precision(self) -> str:
        """What it computes in, as the device reports it."""

    @property
    def weights(self) -> str:
        """What its weights are stored in: ``f32``, ``f16``, ``i8``."""

    def reads(self, layer: int, known: frozenset[int]) -> frozenset[int]:
        """Return which of the *known* layers a layer is computed from, or `INPUT`."""

    def values(self, chosen: Sequence[int], image: NDArray[Any]) -> list[NDArray[Any]]:
        """Return the values of layers, for an image of the model's dimensions."""

    def values_from(
        self, chosen: Sequence[int], known: Mapping[int, NDArray[Any]]
    ) -> list[NDArray[Any]]:
        """Return the values of layers, each computed from the *known* ones before it."""


@runtime_checkable
class FusableModel(Protocol):
    """A model whose layers can be read, and whose normalizations can be fused."""

    def fused(self) -> LayeredModel:
        """Return the model with normalizations that are part of the convolutions before them."""


@runtime_checkable
class QuantizedModel(Protocol):
    """A model whose layers can be read, and whose weights can be taken and given."""

    def weights_of(self, layers: Sequence[int]) -> dict[int, NDArray[Any]]:
        """Return the weights that layers multiply by; nothing for those without weights."""

    def with_weights(self, weights: Mapping[int, NDArray[Any]]) -> LayeredModel:
        """Return the model with other weights of some layers, rounded to 8 bits."""


@runtime_checkable
class LayeredRuntime(Protocol):
    """A runtime that shows the layers of models."""

    def layered(
        self,
        builders: Sequence[Builder],
        encoding: GraphEncoding,
        device: str,
        precision: str,
        *,
        input: InputOf,
    ) -> LayeredModel:
        """Read a model for its layers; parameters and errors are those of `Runtime.load`."""


def is_numbered(name: str) -> bool:
    """Return whether a layer's name may be one that an engine generated when it read the file.

    Examples
    --------
    >>> [is_numbered(name) for name in ("Transpose_47093", "Add-12", "head/conv_1", "Relu")]
    [True, True, False, False]
    """
    return _NUMBERED.fullmatch(name) is not None


def open_layers(
    runtime: Runtime,
    builders: Sequence[Builder],
    encoding: GraphEncoding,
    device: str,
    precision: str,
    *,
    input: InputOf,
) -> LayeredModel:
    """Return a model whose layers can be read.

    Parameters are those of `Runtime.load`.

    Raises
    ------
    UnsupportedOperationError
        If the runtime does not show layers.
    """
    if not isinstance(runtime, LayeredRuntime):
        raise UnsupportedOperationError(
            f"{runtime.name} does not show the layers of a model; openvino does, and onnxruntime "
            f"of ONNX models"
        )
    return runtime.layered(builders, encoding, device, precision, input=input)
