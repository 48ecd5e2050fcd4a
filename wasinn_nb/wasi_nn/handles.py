"""Handles: the numbers by which callers name graphs and execution contexts."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from wasinn_nb.errors import BusyError, InvalidArgumentError, RuntimeFailure
from wasinn_nb.runtimes import ExecutionContext, Graph, ProcessGuard

__all__ = ["Execution", "Handles", "is_known"]


@dataclass(slots=True)
class Execution:
    """An execution context: which graph it runs, and what has been done with it."""

    graph: Graph
    runner: ExecutionContext
    inputs_set: set[int] = field(default_factory=set)
    computed: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


class Handles:
    """The graphs and execution contexts of one `WasiNnCtx`, by handle.

    Handles count from 0 and are not used again.  Every method may be called from several threads,
    and raises RuntimeFailure once the handles are closed, and InvalidArgumentError for a handle
    that does not exist.

    Attributes
    ----------
    executions : dict
        Handle → `Execution`.
    graphs : dict
        Handle → graph.
    closed : bool
    """

    def __init__(self) -> None:
        self.graphs: dict[int, Graph] = {}
        self.executions: dict[int, Execution] = {}
        self.closed = False
        self._next_graph = self._next_context = 0
        self._lock = threading.RLock()
        self._guard = ProcessGuard("this WasiNnCtx")

    def check_open(self) -> None:
        """Raise RuntimeFailure if they are closed, or in a forked process."""
        self._guard.check()
        if self.closed:
            raise RuntimeFailure("this WasiNnCtx is closed; make a new one")

    def add_graph(self, graph: Graph) -> int:
        """Return the handle of a new graph."""
        with self._lock:
            self.check_open()
            handle, self._next_graph = self._next_graph, self._next_graph + 1
            self.graphs[handle] = graph
            return handle

    def graph(self, handle: int) -> Graph:
        """Return the graph of a handle."""
        with self._lock:
            self.check_open()
            if not is_known(handle, self.graphs):
                raise InvalidArgumentError(f"no graph {handle}; {_known(self.graphs, 'graph')}")
            return self.graphs[handle]

    def remove_graph(self, handle: int) -> None:
        """Forget a graph; execution contexts over it stay."""
        with self._lock:
            self.graph(handle)
            del self.graphs[handle]

    def add_execution(self, graph: int) -> int:
        """Make an execution context over a graph, and return its handle."""
        with self._lock:
            loaded = self.graph(graph)
            execution = Execution(loaded, loaded.execution_context())
            handle, self._next_context = self._next_context, self._next_context + 1
            self.executions[handle] = execution
            return handle

    @contextmanager
    def execution(self, handle: int) -> Iterator[Execution]:
        """Yield an execution context for this thread alone.

        Raises
        ------
        BusyError
            If another thread has it.
        """
        with self._lock:
            self.check_open()
            if not is_known(handle, self.executions):
                raise InvalidArgumentError(
                    f"no context {handle}; {_known(self.executions, 'context')}"
                )
            execution = self.executions[handle]
            if not execution.lock.acquire(blocking=False):
                raise BusyError(
                    f"context {handle} is computing in another thread; "
                    f"wait for it, or use a context per thread"
                )
        try:
            yield execution
        finally:
            execution.lock.release()

    def remove_execution(self, handle: int) -> None:
        """Forget an execution context."""
        with self.execution(handle), self._lock:
            self.executions.pop(handle, None)  # close() may have removed it

    def close(self) -> None:
        """Refuse further calls, wait for running computations, then drop everything."""
        with self._lock:
            self.closed = True
            executions = list(self.executions.values())
            self.executions.clear()
            self.graphs.clear()
        for execution in executions:
            with execution.lock:
                pass


def is_known(handle: object, handles: Mapping[int, object]) -> bool:
    """Return whether *handle* is one of *handles*, whatever its type."""
    return isinstance(handle, int | np.integer) and handle in handles


def _known(handles: Mapping[int, object], kind: str) -> str:
    if not handles:
        return f"there is no {kind} yet"
    return f"known {kind}s: {', '.join(map(str, sorted(handles)))}"
