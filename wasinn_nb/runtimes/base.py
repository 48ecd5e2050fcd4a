"""What the toolkit asks of an inference runtime; one file per runtime lies beside this one."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypeAlias

from wasinn_nb import settings
from wasinn_nb.abi import ExecutionTarget, GraphEncoding
from wasinn_nb.cards import Port, Signature
from wasinn_nb.errors import InvalidArgumentError, WasiNnWarning
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.render import html_table, text_table
from wasinn_nb.runtimes.head import Head
from wasinn_nb.tensor import Tensor

__all__ = [
    "PRECISIONS",
    "Builder",
    "Device",
    "DeviceTable",
    "ExecutionContext",
    "Graph",
    "HeadOf",
    "InputOf",
    "Runtime",
    "check_device",
    "check_precision",
    "device_name",
    "precision_remark",
    "processors",
    "warn_of_precision",
]

PRECISIONS: Final = ("f32", "f16", "bf16", "device")
"""What a graph can be asked to compute in; ``device`` is what the device prefers."""

Builder: TypeAlias = Path | bytes
"""One part of a model: a file, or its bytes."""


@dataclass(frozen=True, slots=True)
class Device:
    """A device that a graph can run on, or why it cannot.

    Parameters
    ----------
    name : str
        What to pass as the execution target.
    full_name : str
        The hardware's own name; empty where it is not here.
    reason : str
        Why it cannot be used here; empty where it can.
    """

    name: str
    full_name: str = ""
    reason: str = ""

    @property
    def available(self) -> bool:
        """Whether it can be used here."""
        return not self.reason


class DeviceTable(tuple[Device, ...]):
    """Devices, shown as a table.

    Examples
    --------
    >>> DeviceTable([Device("CPU", "A processor"), Device("GPU", reason="no driver")])
    device  here  what
    CPU     yes   A processor
    GPU     no    no driver
    """

    __slots__ = ()
    _HEADERS = ("device", "here", "what")

    def _rows(self) -> list[tuple[str, str, str]]:
        return [(d.name, "yes" if d.available else "no", d.reason or d.full_name) for d in self]

    def __repr__(self) -> str:
        return text_table(self._HEADERS, self._rows())

    def _repr_html_(self) -> str:
        return html_table(self._HEADERS, self._rows())


class ExecutionContext(Protocol):
    """One inference at a time over a graph.  Callers keep it to one thread.

    From :meth:`start` to :meth:`wait`, while the graph runs, it can neither be run again nor take
    an input: that raises BusyError.
    """

    def set_input(self, index: int, tensor: Tensor) -> None:
        """Use *tensor* as input *index*; its bytes are read in place.

        Where only the order of the sizes differs, bytes rule.  A tensor of another type or number
        of elements raises InvalidArgumentError.
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
        """The recipe of its image, as it was asked for."""

    @property
    def head(self) -> Head | None:
        """The head behind it, as it was asked for."""

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
    ) -> Graph:
        """Read and compile a model once.

        A runtime takes over as much of preprocessing and head as it can, and its graph says what:
        with ``fuses_input``, input 0 takes (1, height, width, channels) u8 pixels as
        `wasinn_nb.imaging.resized_pixels` makes them; with ``fuses_head``, the outputs are
        those of `Head.apply`, bit for bit.  The rest is NumPy's work, in the caller.

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


def precision_remark(runtime: str, device: str, wanted: str, ran: str) -> str:
    """Return what to say where a device computes in another precision than was asked for, or "".

    Parameters
    ----------
    runtime, device : str
    wanted : str
        One of `PRECISIONS`.
    ran : str
        What the graph reports.

    Examples
    --------
    >>> precision_remark("litert", "CPU", "bf16", "f32")
    'precision bf16 was asked for, but litert computes in f32 on CPU here: the device does not have
    bf16'
    >>> precision_remark("litert", "CPU", "device", "f32")
    ''
    """
    if ran in {wanted, "unknown"} or wanted == "device":
        return ""
    return (
        f"precision {wanted} was asked for, but {runtime} computes in {ran} on {device} here: "
        f"the device does not have {wanted}"
    )


def warn_of_precision(runtime: str, device: str, wanted: str, ran: str) -> None:
    """Warn of what :func:`precision_remark` says; the parameters are the same."""
    if remark := precision_remark(runtime, device, wanted, ran):
        warnings.warn(remark, WasiNnWarning, stacklevel=3)


def check_precision(precision: str) -> None:
    """Raise InvalidArgumentError unless *precision* is one of `PRECISIONS`."""
    if precision not in PRECISIONS:
        raise InvalidArgumentError(
            f"expected a precision of {', '.join(PRECISIONS)}, got {precision!r:.80}"
        )


def check_device(device: str, table: DeviceTable) -> str:
    """Return the device of *table* that runs for *device*: for ``AUTO`` the first that is here.

    Parameters
    ----------
    device : str
    table : DeviceTable

    Raises
    ------
    InvalidArgumentError
        If it is unknown or not here; the error lists those that are.

    Examples
    --------
    >>> table = DeviceTable([Device("CPU", "A processor"), Device("GPU", reason="no driver")])
    >>> check_device("AUTO", table)
    'CPU'
    >>> check_device("GPU", table)
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.InvalidArgumentError: no GPU on this machine: no driver; here are CPU
    """
    here = [row.name for row in table if row.available]
    if device == "AUTO":
        return here[0]
    if device in here:
        return device
    listed = f"here are {', '.join(here)}"
    for row in table:
        if row.name == device:
            raise InvalidArgumentError(f"no {device} on this machine: {row.reason}; {listed}")
    raise InvalidArgumentError(f"unknown execution target {device!r:.80}; {listed}")


def processors() -> int:
    """Return how many processors this process may use: the threads that an engine gets."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def device_name(target: ExecutionTarget | str | int | None) -> str:
    """Return OpenVINO's device name of an execution target.

    Raises
    ------
    InvalidArgumentError
        If it is a number that WASI-NN does not have, or no name.

    Examples
    --------
    >>> device_name("tpu"), device_name(1), device_name("AUTO:GPU,CPU")
    ('NPU', 'GPU', 'AUTO:GPU,CPU')
    """
    if target is None:
        target = settings.default("target")
    if isinstance(target, str):
        if not target.strip():
            raise InvalidArgumentError("expected an execution target such as CPU, got no name")
        name = target.strip().upper()
        return ExecutionTarget[name].device if name in ExecutionTarget.__members__ else name
    try:
        return ExecutionTarget(target).device
    except ValueError:
        raise InvalidArgumentError(
            f"unknown execution target {target}; expected 0 (CPU), 1 (GPU), 2 (TPU) or 3 (AUTO)"
        ) from None
