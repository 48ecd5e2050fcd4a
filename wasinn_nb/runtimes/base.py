"""A class to start a runtime from: the order in which a model is checked, read and compiled."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Generic, NamedTuple, TypeVar

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards import Signature
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.runtimes.concurrency import Concurrency
from wasinn_nb.runtimes.device_table import HARDWARE, DeviceTable, check_device
from wasinn_nb.runtimes.head import Head
from wasinn_nb.runtimes.precisions import check_precision, warn_of_precision
from wasinn_nb.runtimes.protocols import Builder, Graph, HeadOf, InputOf
from wasinn_nb.runtimes.reading import check_sizes, with_stated

__all__ = ["BaseRuntime", "GraphSpec"]

Model = TypeVar("Model")
"""What an engine makes of a model's files before it compiles them."""


class GraphSpec(NamedTuple):
    """What a graph is compiled from, besides the model.

    Attributes
    ----------
    signature : Signature
        What the model takes and gives, at the size of its recipe.
    recipe : PreprocessRecipe or None
        Of its image.
    head : Head or None
        What is computed behind it.
    concurrency : Concurrency or None
        How many runs go on at once; None for the shortest time of one.
    """

    signature: Signature
    recipe: PreprocessRecipe | None
    head: Head | None
    concurrency: Concurrency | None = None


class BaseRuntime(ABC, Generic[Model]):
    """A `Runtime` whose engine fills in the steps.

    A runtime may start from it, or be any class that has the attributes of `Runtime`.  The steps:
    check precision and device, read, describe, take the size of the recipe, compile, and warn where
    the device computes in another precision.

    Attributes
    ----------
    name : str
    encodings : frozenset of GraphEncoding
        As of `Runtime`.
    """

    name: str
    encodings: frozenset[GraphEncoding]

    @property
    @abstractmethod
    def versions(self) -> Mapping[str, str]:
        """The packages that it consists of: name → version."""

    @abstractmethod
    def devices(self) -> DeviceTable:
        """Return the devices that the runtime knows, the missing ones with the reason."""

    def precisions(self, device: str) -> tuple[str, ...] | None:
        """Return what a device computes in, of f32, f16 and bf16; None where that is not known."""
        del device
        return None

    def describe(
        self,
        builders: Sequence[Builder],
        encoding: GraphEncoding,
        *,
        input: InputOf | None = None,
    ) -> Signature:
        """Return what a model takes and gives; see :meth:`wasinn_nb.runtimes.Runtime.describe`."""
        model = self._read(builders, encoding, HARDWARE[0])
        return self._fitted(model, builders, input)[0]

    def load(
        self,
        builders: Sequence[Builder],
        encoding: GraphEncoding,
        device: str,
        precision: str = "f32",
        *,
        input: InputOf | None = None,
        head: HeadOf | None = None,
        concurrency: Concurrency | None = None,
    ) -> Graph:
        """Read and compile a model; see :meth:`wasinn_nb.runtimes.Runtime.load`."""
        check_precision(precision)
        device = self._device(device)
        model = self._read(builders, encoding, device, concurrency)
        signature, recipe = self._fitted(model, builders, input)
        fitted = None if head is None else head(signature)
        spec = GraphSpec(signature, recipe, fitted, concurrency)
        graph = self._compiled(model, spec, device, precision)
        warn_of_precision(self.name, device, precision, graph.precision)
        return graph

    def _fitted(
        self, model: Model, builders: Sequence[Builder], input: InputOf | None
    ) -> tuple[Signature, PreprocessRecipe | None]:
        """Return what a model takes and gives, at the size of its recipe if there is one."""
        signature = self._signature(model, builders)
        check_sizes(signature)
        if self._needs_stated(signature):
            signature = with_stated(signature, builders)
        if input is None:
            return signature, None
        recipe = input(signature)
        signature = self._at_size(model, signature, recipe)
        check_sizes(signature)
        return signature, recipe

    # -- what an engine fills in -------------------------------------------------------------------

    def _device(self, device: str) -> str:
        """Return the device that runs for *device*, or raise InvalidArgumentError."""
        return check_device(device, self.devices())

    def _needs_stated(self, signature: Signature) -> bool:
        """Return whether to complete *signature* by what its file states."""
        del signature
        return True

    @abstractmethod
    def _read(
        self,
        builders: Sequence[Builder],
        encoding: GraphEncoding,
        device: str,
        concurrency: Concurrency | None = None,
    ) -> Model:
        """Return a model that is read; where it is only described, the device is ``CPU``."""

    @abstractmethod
    def _signature(self, model: Model, builders: Sequence[Builder]) -> Signature:
        """Return what a model takes and gives, as the engine reports it."""

    @abstractmethod
    def _at_size(self, model: Model, signature: Signature, recipe: PreprocessRecipe) -> Signature:
        """Give the model's one image the recipe's size; return *signature* with all sizes."""

    @abstractmethod
    def _compiled(self, model: Model, spec: GraphSpec, device: str, precision: str) -> Graph:
        """Return the graph of a model, with as much of recipe and head as the engine takes over."""
