"""The functions of ``wasi_ephemeral_nn``, from a guest's memory to a `WasiNnCtx` and back."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import numpy as np
import wasmtime

from wasinn_nb.abi import (
    MODULE,
    PARAMETERS,
    Dialect,
    Errno,
    ExecutionTarget,
    GraphEncoding,
)
from wasinn_nb.errors import (
    BusyError,
    InvalidArgumentError,
    ReplayError,
    RuntimeFailure,
    TooLargeError,
    UnsupportedOperationError,
    WasiNnError,
)
from wasinn_nb.host.memory import Empty, GuestMemory, OutsideError, empty_bytes, unsigned
from wasinn_nb.host.records import GivenTensor, member_of, tensor_of, text_of
from wasinn_nb.host.replaying import Answering, Replay
from wasinn_nb.tensor import Tensor
from wasinn_nb.wasi_nn import Call, ModelFiles, WasiNnCtx
from wasinn_nb.wording import counted

__all__ = ["HostFunctions", "Stopped", "add_to_linker"]

# What a guest may claim, so that its numbers cannot make the host run out of memory.
_MAX_BUILDERS: Final = 2  # no encoding takes more
_MAX_CONFIG: Final = 1 << 16
_MAX_GRAPHS: Final = 64
_MAX_CONTEXTS: Final = 256


class Stopped(BaseException):
    """Leaves a host function when the guest is to be stopped; not an error."""


def add_to_linker(
    linker: wasmtime.Linker,
    ctx: WasiNnCtx,
    *,
    target: ExecutionTarget | str | int | None = None,
) -> None:
    """Define ``wasi_ephemeral_nn`` in a linker of your own.

    The six functions of the core-module ABI, and WasmEdge's ``load_by_name_with_config``,
    ``unload`` and ``finalize_execution_context``.  Those for generative models
    (``compute_single``, ``get_output_single``, ``fini_single``) return unsupported_operation.
    What a guest does wrong is returned to it as an errno, and ``ctx.trace`` has the reason; any
    other exception leaves the wasm call as itself.

    Parameters
    ----------
    linker : wasmtime.Linker
    ctx : WasiNnCtx
        Keep it open while a guest runs; several guests may share it.
    target : ExecutionTarget, str or int, optional
        Run every graph there, whatever target the guest passes.

    Examples
    --------
    >>> import wasmtime
    >>> from wasinn_nb.host import add_to_linker
    >>> engine = wasmtime.Engine()
    >>> linker, store = wasmtime.Linker(engine), wasmtime.Store(engine)
    >>> ctx = wn.WasiNnCtx()
    >>> add_to_linker(linker, ctx)
    >>> linker.get(store, "wasi_ephemeral_nn", "compute")(store, 7)  # 1 is invalid_argument
    1
    >>> ctx.trace
    #  call     arguments  expected  got  errno
    0  compute  context 7                 invalid_argument
    #0 compute: no context 7; there is no context yet
    """
    HostFunctions(ctx, target=target).define(linker)


class HostFunctions:
    """The host's functions for one guest, and what is known of it from its calls.

    Parameters
    ----------
    ctx : WasiNnCtx or ReplayCtx
    target : ExecutionTarget, str or int, optional
        Overrides the guest's.
    empty : callable
        Returns new memory of so many bytes, for the tensors that the guest hands over.
    cpu_only : bool
        Whether the guest gets other devices than the CPU only where *target* names them.
    replay : Replay, optional
        The recording that *ctx* answers from.
    stopping : threading.Event, optional

    Attributes
    ----------
    stopping : threading.Event
        Once set, no call returns to the guest.
    failure : BaseException or None
        The exception that left a host function.  wasmtime-py passes exceptions on through one
        place for the whole process, where two guests in two threads can swap them.
    seconds : dict
        Time spent in each function, decoding and copies included.
    dialects : set of Dialect
        The numberings of tensor types that the guest has shown.
    models : dict
        The models that it has loaded by name.
    """

    def __init__(
        self,
        ctx: Answering,
        *,
        target: ExecutionTarget | str | int | None = None,
        empty: Empty = empty_bytes,
        cpu_only: bool = False,
        replay: Replay | None = None,
        stopping: threading.Event | None = None,
    ) -> None:
        self.ctx = ctx
        self.target = target
        self._empty = empty
        self._cpu_only = cpu_only
        self._replay = replay
        self.stopping = stopping or threading.Event()
        self.failure: BaseException | None = None
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.dialects: set[Dialect] = set()
        self.models: dict[str, ModelFiles] = {}
        self._graphs = self._contexts = 0
        self._given: dict[tuple[int, int], tuple[int, Tensor]] = {}

    def define(self, linker: wasmtime.Linker) -> None:
        """Define every function in *linker*."""
        bodies: dict[str, Callable[..., None]] = {
            "load": self._load,
            "load_by_name": self._load_by_name,
            "init_execution_context": self._init_execution_context,
            "set_input": self._set_input,
            "compute": self._compute,
            "get_output": self._get_output,
            "load_by_name_with_config": self._load_by_name_with_config,
            "unload": self._unload,
            "finalize_execution_context": self._finalize_execution_context,
        }
        i32 = wasmtime.ValType.i32()
        for name, count in PARAMETERS.items():
            kind = wasmtime.FuncType([i32] * count, [i32])
            function = self._function(name, bodies.get(name, _unsupported))
            linker.define_func(MODULE, name, kind, function, access_caller=True)

    def guarded(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """Return *function* for a guest to call: it keeps to :attr:`stopping` and `failure`."""

        def call(*arguments: Any) -> Any:
            try:
                if self.stopping.is_set():
                    raise Stopped
                return function(*arguments)
            except BaseException as error:
                self.failure = error
                raise

        return call

    def _function(self, name: str, body: Callable[..., None]) -> Callable[..., int]:
        def call(caller: wasmtime.Caller, *raw: int) -> int:
            start, errno = time.perf_counter(), Errno.SUCCESS
            if self._replay is not None:
                self._replay.begin(name)
            try:
                with self.ctx.trace.call(name) as row, _ours(row):
                    body(row, caller, *map(unsigned, raw))
            except ReplayError:
                raise
            except WasiNnError as error:
                errno = error.errno or Errno.RUNTIME_ERROR
            finally:
                self.seconds[name] += time.perf_counter() - start
            if self._replay is not None:
                self._replay.end(row, errno)
            if self.stopping.is_set():
                raise Stopped
            return int(errno)

        return self.guarded(call)

    # -- the functions ---------------------------------------------------------------------------
    # Every pointer is checked before anything is done, and results are written last.

    def _load(
        self,
        row: Call,
        caller: wasmtime.Caller,
        builders: int,
        count: int,
        encoding: int,
        target: int,
        result: int,
    ) -> None:
        row.arguments = f"{counted(count, 'builder')}, encoding {encoding}, target {target}"
        row.state(builders=count, encoding=encoding, target=target)
        memory = GuestMemory.of(caller)
        memory.check(result, 4, "the place for the graph")
        memory.check(builders, 8 * count, f"the array of {counted(count, 'builder')}")
        if count > _MAX_BUILDERS:
            raise InvalidArgumentError(f"a model takes 1 or 2 builders, got {count}")
        self._room_for_graph()
        words = memory.read_u32(builders, 2 * count, "the builders")
        parts = [
            memory.read_bytes(words[2 * i], words[2 * i + 1], f"builder {i}") for i in range(count)
        ]
        graph = self.ctx.load(
            parts,
            member_of(GraphEncoding, encoding),
            self._target(target),
        )
        self._graphs += 1
        memory.write_u32(result, graph, "the place for the graph")

    def _load_by_name(
        self, row: Call, caller: wasmtime.Caller, name: int, length: int, result: int
    ) -> None:
        row.arguments = f"a name of {length} bytes"
        memory = GuestMemory.of(caller)
        memory.check(result, 4, "the place for the graph")
        graph = self._named(text_of(memory, name, length, "the name"))
        memory.write_u32(result, graph, "the place for the graph")

    def _load_by_name_with_config(
        self,
        row: Call,
        caller: wasmtime.Caller,
        name: int,
        length: int,
        config: int,
        config_length: int,
        result: int,
    ) -> None:
        row.arguments = f"a name of {length} bytes"
        memory = GuestMemory.of(caller)
        memory.check(result, 4, "the place for the graph")
        memory.check(config, config_length, "the configuration")
        if config_length > _MAX_CONFIG:
            raise InvalidArgumentError(f"a configuration of {config_length} bytes is too long")
        graph = self._named(text_of(memory, name, length, "the name"))
        if config_length:
            row.note = f"the configuration ({config_length} bytes) is not used"
        memory.write_u32(result, graph, "the place for the graph")

    def _init_execution_context(
        self, row: Call, caller: wasmtime.Caller, graph: int, result: int
    ) -> None:
        row.arguments = f"graph {graph}"
        memory = GuestMemory.of(caller)
        memory.check(result, 4, "the place for the context")
        if self._contexts >= _MAX_CONTEXTS:
            raise BusyError(
                f"the guest holds {self._contexts} execution contexts; make one and use it again"
            )
        context = self.ctx.init_execution_context(graph)
        self._contexts += 1
        memory.write_u32(result, context, "the place for the context")

    def _set_input(
        self, row: Call, caller: wasmtime.Caller, context: int, index: int, record: int
    ) -> None:
        row.arguments = f"context {context}, input {index}"
        memory = GuestMemory.of(caller)
        given = tensor_of(memory, record, row, self._empty)
        remark = self._remark_on(given)
        self.ctx.set_input(context, index, given.tensor)
        self._given[context, index] = given.at, given.tensor
        row.note = "; ".join(filter(None, [row.note, remark]))

    def _compute(self, row: Call, caller: wasmtime.Caller, context: int) -> None:
        given = [value for (of, _), value in self._given.items() if of == context]
        if given:  # runtimes that do not copy would compute on what lies there now
            memory = GuestMemory.of(caller)
            row.state(changed=sum(_differs(memory, at, tensor) for at, tensor in given))
        self.ctx.compute(context)

    def _get_output(
        self,
        row: Call,
        caller: wasmtime.Caller,
        context: int,
        index: int,
        buffer: int,
        size: int,
        written: int,
    ) -> None:
        row.arguments = f"context {context}, output {index}"
        memory = GuestMemory.of(caller)
        row.state(size=size)
        memory.check(written, 4, "the place for the number of bytes")
        room = memory.view(buffer, size, "the output buffer")
        try:
            count = self.ctx.get_output_into(context, index, room)
        except TooLargeError as error:
            row.state(small=1, needed=error.needed)
            needed = min(error.needed, 0xFFFF_FFFF)
            memory.write_u32(written, needed, "the place for the number of bytes")
            raise
        memory.write_u32(written, count, "the place for the number of bytes")

    def _unload(self, row: Call, caller: wasmtime.Caller, graph: int) -> None:
        del row, caller
        self.ctx.unload(graph)
        self._graphs -= 1

    def _finalize_execution_context(self, row: Call, caller: wasmtime.Caller, context: int) -> None:
        del row, caller
        self.ctx.finalize_execution_context(context)
        self._contexts -= 1
        self._given = {key: value for key, value in self._given.items() if key[0] != context}

    # -- what they share -------------------------------------------------------------------------

    def _named(self, name: str) -> int:
        self._room_for_graph()
        graph = self.ctx.load_by_name(name, self.target)
        self._graphs += 1
        if self._replay is None:
            self.models[name] = self.ctx.model_files(name)
        return graph

    def _target(self, code: int) -> ExecutionTarget | str | int:
        """Return where a graph runs that the guest wants to run on device *code*."""
        if self.target is not None:
            return self.target
        if self._cpu_only and code in {ExecutionTarget.GPU, ExecutionTarget.TPU}:
            name = ExecutionTarget(code).device
            raise InvalidArgumentError(
                f"the guest was not given the device {name}; a run with {name} as its target gives "
                f"it, and runs every graph there"
            )
        return member_of(ExecutionTarget, code)

    def _room_for_graph(self) -> None:
        if self._graphs >= _MAX_GRAPHS:
            raise BusyError(f"the guest holds {self._graphs} graphs; load a model once")

    def _remark_on(self, given: GivenTensor) -> str:
        if given.dialect is None:
            return ""
        self.dialects.add(given.dialect)
        kind, dialect = given.tensor.type.suffix, given.dialect.value
        remark = f"type {given.code} is {kind}: the guest uses the {dialect} dialect"
        if len(self.dialects) > 1:
            remark += ", and has used the other one before"
        return remark


def _differs(memory: GuestMemory, at: int, tensor: Tensor) -> bool:
    values = np.frombuffer(tensor.data, np.uint8)
    return not np.array_equal(memory.view(at, values.size, "the data"), values)


@contextmanager
def _ours(row: Call) -> Iterator[None]:
    """Turn the errors of a computer without memory, descriptors or room into one for the guest."""
    try:
        yield
    except OutsideError:
        row.state(outside=1)
        raise
    except WasiNnError:
        raise
    except (OSError, MemoryError) as error:
        reason = getattr(error, "strerror", None) or str(error) or "not enough memory"
        raise RuntimeFailure(f"the host failed: {reason}") from error


def _unsupported(row: Call, caller: wasmtime.Caller, *arguments: int) -> None:
    del caller, arguments
    raise UnsupportedOperationError(f"{row.name} is for generative models, which do not run here")
