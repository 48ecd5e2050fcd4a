"""A guest's calls answered from a recording, in the place of a model and an engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from wasinn_nb.abi import Errno, ExecutionTarget, GraphEncoding
from wasinn_nb.errors import NotFoundError, ReplayError, TooLargeError, WasiNnError
from wasinn_nb.tensor import Tensor
from wasinn_nb.wasi_nn import Call, ModelFiles, Trace
from wasinn_nb.wording import counted

__all__ = ["Answering", "Replay", "ReplayCtx"]

_COMPARED: Final = ("builders", "encoding", "target", "code", "size")
"""Facts that the host states before a call is answered: the guest's own arguments."""


class Answering(Protocol):
    """What answers a guest's calls: a `WasiNnCtx`, or a recording."""

    trace: Trace

    def load(
        self,
        builders: ModelFiles,
        encoding: GraphEncoding | str | int = ...,
        target: ExecutionTarget | str | int | None = ...,
    ) -> int:
        """Return a graph's handle."""

    def load_by_name(self, name: str, target: ExecutionTarget | str | int | None = ...) -> int:
        """Return a graph's handle."""

    def init_execution_context(self, graph: int) -> int:
        """Return an execution context's handle."""

    def set_input(self, context: int, index: int, tensor: Tensor) -> None:
        """Set an input."""

    def compute(self, context: int) -> None:
        """Compute."""

    def get_output_into(self, context: int, index: int, buffer: Any) -> int:
        """Return the bytes written."""

    def finalize_execution_context(self, context: int) -> None:
        """Forget an execution context."""

    def unload(self, graph: int) -> None:
        """Forget a graph."""

    def model_files(self, name: str) -> ModelFiles:
        """Return a model by its name."""

    def cancel(self) -> None:
        """Make computations fail soon."""

    def close(self) -> None:
        """Drop everything."""


class Replay:
    """Where a guest is in its recording.

    Parameters
    ----------
    calls : sequence of Call
        As they were recorded, with their tensors.
    """

    def __init__(self, calls: Sequence[Call]) -> None:
        self._calls = calls
        self._next = 0

    @property
    def current(self) -> Call:
        """The recorded call that is being answered."""
        return self._calls[self._next]

    def begin(self, name: str) -> None:
        """Go to the call that the guest makes now.

        Raises
        ------
        ReplayError
            If the recording has another one, or none.
        """
        if self._next >= len(self._calls):
            raise ReplayError(
                f"call #{self._next} {name}: the recording ends after "
                f"{counted(len(self._calls), 'call')}"
            )
        if self.current.name != name:
            raise ReplayError(f"call #{self._next} is {name}, recorded is {self.current.name}")

    def end(self, row: Call, errno: Errno) -> None:
        """Hold a call that has ended against the recorded one, and leave it.

        Raises
        ------
        ReplayError
            If its arguments or its errno are others.
        """
        recorded = self.current.facts
        for fact in _COMPARED:
            if fact in recorded and fact in row.facts:
                self.same(fact, row.facts[fact], recorded[fact])
        if errno is not self.current.errno:
            why = f" ({row.note})" if row.note else ""
            self.differs(f"ends with {errno.name.lower()}{why}", self.current.errno.name.lower())
        self._next += 1

    def same(self, what: str, given: object, recorded: object) -> None:
        """Raise ReplayError unless both are equal."""
        if given != recorded:
            self.differs(f"gives {what} {given}", str(recorded))

    def differs(self, now: str, recorded: str) -> None:
        """Raise ReplayError for the current call."""
        raise ReplayError(f"call #{self._next} {self.current.name} {now}, recorded is {recorded}")


class ReplayCtx:
    """Answers the calls of a guest as a `WasiNnCtx` did when they were recorded.

    Parameters
    ----------
    replay : Replay

    Attributes
    ----------
    trace : Trace
    """

    def __init__(self, replay: Replay) -> None:
        self.trace = Trace(keep=None)
        self._replay = replay

    def load(
        self,
        builders: ModelFiles,  # noqa: ARG002 - a machine without the model gives other bytes
        encoding: GraphEncoding | str | int = GraphEncoding.AUTODETECT,  # noqa: ARG002 - see end()
        target: ExecutionTarget | str | int | None = None,  # noqa: ARG002
    ) -> int:
        """Return the recorded graph's handle."""
        return self._answered("load", {})["graph"]

    def load_by_name(
        self,
        name: str,
        target: ExecutionTarget | str | int | None = None,  # noqa: ARG002
    ) -> int:
        """Return the recorded graph's handle."""
        self._replay.same("the name", name, self._replay.current.model)
        return self._answered("load_by_name", {})["graph"]

    def init_execution_context(self, graph: int) -> int:
        """Return the recorded context's handle."""
        return self._answered("init_execution_context", {"graph": graph})["context"]

    def set_input(self, context: int, index: int, tensor: Tensor) -> None:
        """Compare an input with the recorded one."""
        recorded = self._replay.current.tensor
        if recorded is not None:
            self._replay.same("a tensor", tensor.signature, recorded.signature)
            if tensor.sha256() != recorded.sha256():
                self._replay.differs(f"gives other values ({tensor.signature})", "not these")
        self._answered("set_input", {"context": context, "index": index}, tensor)

    def compute(self, context: int) -> None:
        """Do nothing."""
        self._answered("compute", {"context": context})

    def get_output_into(self, context: int, index: int, buffer: Any) -> int:
        """Write the recorded output, and return its bytes."""
        tensor = self._replay.current.tensor
        self._answered("get_output", {"context": context, "index": index}, tensor)
        room = memoryview(buffer).cast("B")
        if tensor is None or tensor.nbytes > room.nbytes:
            self._replay.differs(
                f"has room for {counted(room.nbytes, 'byte')}",
                "an output of no bytes" if tensor is None else counted(tensor.nbytes, "byte"),
            )
            return 0
        room[: tensor.nbytes] = tensor.data
        return tensor.nbytes

    def finalize_execution_context(self, context: int) -> None:
        """Do nothing."""
        self._answered("finalize_execution_context", {"context": context})

    def unload(self, graph: int) -> None:
        """Do nothing."""
        self._answered("unload", {"graph": graph})

    def model_files(self, name: str) -> ModelFiles:
        """Raise NotFoundError: there is no model."""
        raise NotFoundError(f"a recording has no model {name!r}")

    def cancel(self) -> None:
        """Do nothing: nothing computes."""

    def close(self) -> None:
        """Do nothing: nothing is open."""

    def _answered(
        self, name: str, given: Mapping[str, int], tensor: Tensor | None = None
    ) -> Mapping[str, int]:
        """Return the facts of the recorded call, once it is the same; raise its error, if any."""
        recorded = self._replay.current
        for fact, value in given.items():
            if fact in recorded.facts:
                self._replay.same(fact, value, recorded.facts[fact])
        with self.trace.call(name) as row:
            row.arguments, row.expected, row.got = (
                recorded.arguments,
                recorded.expected,
                recorded.got,
            )
            row.index, row.port, row.model = recorded.index, recorded.port, recorded.model
            row.state(**recorded.facts)
            if recorded.errno is not Errno.SUCCESS:
                raise _error_of(recorded)
            row.note, row.tensor = recorded.note, tensor
        return recorded.facts


def _error_of(call: Call) -> WasiNnError:
    if call.errno is Errno.TOO_LARGE:
        return TooLargeError(call.note, needed=call.facts.get("needed", 0))
    error = WasiNnError(call.note)
    error.errno = call.errno
    return error
