"""What engines share whose runs block and which leave preprocessing and head to NumPy."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.errors import BusyError
from wasinn_nb.pickling import NotPickled
from wasinn_nb.runtimes.base import GraphSpec
from wasinn_nb.runtimes.forking import LOAD_AGAIN, ProcessGuard
from wasinn_nb.runtimes.reading import BUSY, check_output, input_array
from wasinn_nb.tensor import Tensor

__all__ = ["ThreadedContext", "UnfusedGraph"]


class UnfusedGraph(NotPickled):
    """A graph that takes the model's own input and gives its outputs as they are.

    Parameters
    ----------
    spec : GraphSpec
    device : str
    """

    _instead = LOAD_AGAIN
    fuses_input: Final = False
    fuses_head: Final = False
    precision: Final = "f32"

    def __init__(self, spec: GraphSpec, device: str) -> None:
        signature, self.input, self.head, _ = spec
        self.inputs, self.outputs = signature.inputs, signature.outputs
        self.device = device
        self.guard = ProcessGuard("this graph")


class ThreadedContext(NotPickled, ABC):
    """Start and wait over one call that blocks: a thread for each run that is started.

    Parameters
    ----------
    graph : UnfusedGraph
    """

    _instead = LOAD_AGAIN

    def __init__(self, graph: UnfusedGraph) -> None:
        self._ports = graph.inputs, graph.outputs
        self._guard = graph.guard
        self._inputs: dict[int, NDArray[Any]] = {}
        self._outputs: Mapping[int, NDArray[Any]] = {}
        self._computed = False
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    @abstractmethod
    def _infer(self, inputs: Mapping[int, NDArray[Any]]) -> Mapping[int, NDArray[Any]]:
        """Run the graph to its end; return new arrays, of the outputs that tensors can hold."""

    def set_input(self, index: int, tensor: Tensor) -> None:
        """Use *tensor*, in the model's dimensions."""
        self._check_idle()
        self._inputs[index] = input_array(index, self._ports[0][index], tensor)

    def compute(self) -> None:
        """Run the graph."""
        self._prepare()
        self._run()

    def start(self) -> None:
        """Begin to run the graph in a thread of its own."""
        self._prepare()
        self._error = None
        self._thread = threading.Thread(target=self._work, name="wasinn-nb run", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait for the run that :meth:`start` began."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if (error := self._error) is not None:
            self._error = None
            raise error

    def output(self, index: int) -> Tensor:
        """Return output *index* of the last run."""
        self._check_idle()
        check_output(index, self._ports[1][index], computed=self._computed)
        array = np.asarray(self._outputs[index], order="C")
        return Tensor.adopt(array.shape, array.dtype, array)

    def _check_idle(self) -> None:
        self._guard.check()
        if self._thread is not None:
            raise BusyError(BUSY)

    def _prepare(self) -> None:
        """Get ready for a run, before :meth:`cancel` can mean it."""
        self._check_idle()
        self._computed, self._outputs = False, {}

    def _run(self) -> None:
        self._outputs = self._infer(self._inputs)
        self._computed = True

    def _work(self) -> None:
        try:
            self._run()
        except BaseException as error:  # noqa: BLE001 - `wait` raises it
            self._error = error
