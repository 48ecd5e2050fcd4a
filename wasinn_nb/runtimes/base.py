"""What the toolkit asks of an inference runtime; one file per runtime lies beside this one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards import Port
from wasinn_nb.tables import html_table, text_table
from wasinn_nb.tensor import Tensor

__all__ = ["Backend", "Builder", "Device", "DeviceTable", "ExecutionContext", "Graph", "Port"]

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
    """One inference at a time over a graph.  Callers keep it to one thread."""

    def set_input(self, index: int, tensor: Tensor) -> None:
        """Use *tensor* as input *index*; its bytes are read in place."""

    def compute(self) -> None:
        """Run the graph."""

    def output(self, index: int) -> Tensor:
        """Return output *index* of the last `compute`; it stays as it is after the next one."""

    def cancel(self) -> None:
        """Make a `compute` that runs in another thread fail soon."""


class Graph(Protocol):
    """A model compiled for one device."""

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

    def execution_context(self) -> ExecutionContext:
        """Make a context with memory of its own."""


class Backend(Protocol):
    """A runtime that loads and runs graphs."""

    def load(
        self,
        builders: Sequence[Builder],
        encoding: GraphEncoding,
        device: str,
        precision: str,
    ) -> Graph:
        """Compile a model once.

        Raises
        ------
        InvalidArgumentError
            Wrong number of builders, unknown precision, or a device that is not here.
        UnsupportedOperationError
            The runtime does not read this encoding.
        RuntimeFailure
            The bytes are no model, or the device cannot run it.
        """

    def devices(self) -> DeviceTable:
        """Return the devices that the runtime knows, the missing ones with the reason."""
