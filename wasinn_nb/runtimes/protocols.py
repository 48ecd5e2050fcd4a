"""What the toolkit needs of an inference runtime, as protocols."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol, TypeAlias

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards import Port, Signature
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.runtimes.concurrency import Concurrency
from wasinn_nb.runtimes.device_table import DeviceTable
from wasinn_nb.runtimes.head import Head
from wasinn_nb.tensor import Tensor

__all__ = ["Builder", "ExecutionContext", "Graph", "HeadOf", "InputOf", "Runtime"]

Builder: TypeAlias = Path | bytes
"""One part of a model: a file, or its bytes."""


class ExecutionContext(Protocol):
    """One inference at a time over a graph.  Callers keep it to one thread.

    From :meth:`start` to :meth:`wait`, while the graph runs, it can neither be run again nor take
    an input: that raises BusyError.
    """

    def set_input(self, index: int, tensor: Tensor) -> None:
        """Use *tensor* as input *index*; its bytes are read in place.

        Where only the order of the sizes differs, the bytes are taken as the model's.  A tensor of
        another type or number of elements raises InvalidArgumentError.
        """

    def start(self) -> None:
        """Begin to run the graph, and return at once."""

    def wait(self) -> None:
        """Wait until what :meth:`start` began has ended; raise what it failed with."""

    def compute(self) -> None:
        """Run the graph: :meth:`start`, then :meth:`wait`."""

    def output(self, index: int) -> Tensor:
        """Return output *index* of the last run; it stays as it is after the next one."""

    def cancel(self) -> None:
        """Make a run that another thread waits for fail soon."""


class Graph(Protocol):
    """A model compiled for one device.

    Where the graph has taken over preprocessing or the head, `inputs` and `outputs` are those of
    the whole: see :meth:`Runtime.load`.
    """

    @property
    def inputs(self) -> tuple[Port, ...]:
        """What it takes."""

    @property
    def outputs(self) -> tuple[Port, ...]:
        """What it gives."""

    @property
    def device(self) -> str:
        """The device that runs it."""

    @property
    def precision(self) -> str:
        """The precision that it computes in: ``f32``, ``bf16``, ``f16``."""

    @property
    def input(self) -> PreprocessRecipe | None:
        """The recipe of its image, as it was given to :meth:`Runtime.load`."""

    @property
    def head(self) -> Head | None:
        """The head behind it, as it was given to :meth:`Runtime.load`."""

    @property
    def fuses_input(self) -> bool:
        """Whether it takes 8-bit pixels, and does the rest of the recipe itself."""

    @property
    def fuses_head(self) -> bool:
        """Whether it gives what the head makes, in place of the model's outputs."""

    def execution_context(self) -> ExecutionContext:
        """Make a context with memory of its own; several of one graph run side by side."""


InputOf: TypeAlias = Callable[[Signature], PreprocessRecipe]
"""From what a model takes and gives to the recipe of its image."""

HeadOf: TypeAlias = Callable[[Signature], Head]
"""From what a model takes and gives, at the recipe's size, to the head behind it."""


class Runtime(Protocol):
    """An engine that reads models and runs them."""

    @property
    def name(self) -> str:
        """What it is called: ``"openvino"``."""

    @property
    def encodings(self) -> frozenset[GraphEncoding]:
        """The formats of models that it reads."""

    @property
    def versions(self) -> Mapping[str, str]:
        """The packages that it consists of: name → version."""

    def describe(
        self,
        builders: Sequence[Builder],
        encoding: GraphEncoding,
        *,
        input: InputOf | None = None,
    ) -> Signature:
        """Return what a model takes and gives, without compiling it; errors as of :meth:`load`.

        Parameters
        ----------
        builders : sequence of path or bytes
        encoding : GraphEncoding
        input : callable, optional
            As for :meth:`load`: what the model gives is that of the recipe's size then.
        """

    def load(
        self,
        builders: Sequence[Builder],
        encoding: GraphEncoding,
        device: str,
        precision: str,
        *,
        input: InputOf | None = None,
        head: HeadOf | None = None,
        concurrency: Concurrency | None = None,
    ) -> Graph:
        """Read and compile a model once.

        A runtime takes over as much of preprocessing and head as it can, and its graph states what:
        with ``fuses_input``, input 0 takes (1, height, width, channels) u8 pixels as
        `wasinn_nb.imaging.resized_pixels` makes them, in the recipe's order of channels; with
        ``fuses_head``, the outputs are those of `Head.apply`, bit for bit.  The rest is NumPy's
        work, in the caller.

        Parameters
        ----------
        builders : sequence of path or bytes
        encoding : GraphEncoding
        device : str
        precision : str
        input : callable, optional
            Asked once for the recipe of the model's one image.  Open sizes of the model become
            the recipe's.
        head : callable, optional
            Asked once, with the sizes of the outputs at the recipe's size.
        concurrency : Concurrency, optional
            Compile for many runs at once.  Passed only where many images are predicted, so that a
            runtime without this parameter runs there, too, with the threads that it has.

        Raises
        ------
        InvalidArgumentError
            Wrong number of builders, unknown precision, a device that is not here, or a recipe
            that does not fit the model; and whatever *input* and *head* raise.
        UnsupportedOperationError
            The runtime does not read this encoding.
        RuntimeFailure
            The bytes are not a model, or the device cannot run it.
        """

    def devices(self) -> DeviceTable:
        """Return the devices that the runtime knows, the missing ones with the reason."""
