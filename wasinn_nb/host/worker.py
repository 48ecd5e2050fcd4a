"""One guest in a thread of its own, from its module's bytes to its exit code."""

from __future__ import annotations

import os
import tempfile
import threading
import time
from collections.abc import Callable
from typing import Final

import wasmtime

from wasinn_nb.abi import Dialect
from wasinn_nb.errors import GuestError, GuestLinkError, GuestModuleError, GuestTrap
from wasinn_nb.host.assemblyscript import define_assemblyscript
from wasinn_nb.host.entry import arguments_for, check_entry, result_lines
from wasinn_nb.host.job import REMEDIES, Job
from wasinn_nb.host.linker import HostFunctions, Stopped
from wasinn_nb.host.modules import check_imports, compiled, new_engine, reason_of
from wasinn_nb.host.output import DONE, Output, Printer
from wasinn_nb.host.sections import memories
from wasinn_nb.host.traps import as_trap, trap_behind
from wasinn_nb.host.wasi import Exited, define_wasi
from wasinn_nb.wasi_nn import ModelFiles, Trace

__all__ = ["GuestThread"]

# Eight bytes each in the host, beside the guest's memory.
_TABLE_ELEMENTS: Final = 1_000_000
_TABLES: Final = 16
# How long a stopped guest is waited for.  Inference ends soon after it is cancelled, but compiling
# a model, or opening a pipe, cannot be interrupted: such a thread ends by itself later.
_GRACE: Final = 0.7
_POLL: Final = 0.05


class GuestThread:
    """Runs a guest off the caller's thread, which waits, prints, and can be interrupted.

    Parameters
    ----------
    job : Job
        Its memory limit is that of all of the guest's memories together.
    functions : HostFunctions
        Its context is closed when the guest has ended.
    output : Output
    compiled : callable
        Returns a module for an engine.

    Attributes
    ----------
    facts : tuple of str
        What holds the guest.
    exit_code : int or None
    error : BaseException or None
        Why there is no exit code.
    seconds : dict
        How long compiling and the guest's own code took.
    """

    facts = ("thread",)

    def __init__(
        self,
        job: Job,
        functions: HostFunctions,
        output: Output,
        *,
        compiled: Callable[[wasmtime.Engine, bytes], wasmtime.Module] = compiled,
    ) -> None:
        self.exit_code: int | None = None
        self.error: BaseException | None = None
        self.seconds: dict[str, float] = {}
        self._job = job
        self._invocation = job.invocation
        self._functions = functions
        self._output = output
        self._compiled = compiled
        self._begun = time.perf_counter()
        self._engine = new_engine()
        self._resources: tuple[wasmtime.Linker | wasmtime.Store | wasmtime.Module, ...] = ()
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self.work, name="wasinn-nb guest", daemon=True)

    @property
    def trace(self) -> Trace:
        """The guest's calls."""
        return self._functions.ctx.trace

    @property
    def dialects(self) -> set[Dialect]:
        """The numberings of tensor types that the guest has shown."""
        return self._functions.dialects

    @property
    def models(self) -> dict[str, ModelFiles]:
        """The models that it has asked for by name."""
        return self._functions.models

    def durations(self) -> dict[str, float]:
        """Return how long compiling, the guest's own code and each function took, in seconds."""
        return {**self.seconds, **self._functions.seconds}

    # -- the caller's thread ---------------------------------------------------------------------

    def start(self) -> None:
        """Start the guest."""
        self._thread.start()

    def wait(self) -> bool:
        """Print what the guest prints; return whether it ended before its time limit."""
        limit = self._job.time_limit
        deadline = None if limit is None else self._begun + limit
        return Printer(self._output).print_until(deadline)

    def halt(self) -> None:
        """Stop the guest if it still runs; :meth:`join` makes sure of it."""
        if not self._ended.is_set():
            self._functions.stopping.set()
            self._engine.increment_epoch()
            self._functions.ctx.cancel()

    def join(self) -> bool:
        """Wait a moment for the thread, and return whether it has ended."""
        give_up = time.perf_counter() + _GRACE
        if self._ended.is_set():
            self._functions.ctx.close()  # while the other thread frees the guest's memory
        while self._thread.is_alive() and time.perf_counter() < give_up:
            self._thread.join(_POLL)
            # Again: a computation may have begun just after it was to be cancelled.
            self.halt()
        return not self._thread.is_alive()

    # -- the guest's thread ----------------------------------------------------------------------

    def work(self) -> None:
        """Run the guest in this thread, and free what it took."""
        try:
            self._run()
        except BaseException as error:  # noqa: BLE001 - for the caller's thread to raise
            self.error = error
        finally:
            self._ended.set()
            self._output.chunks.put(DONE)
            for resource in self._resources:
                resource.close()
            self._functions.ctx.close()

    def _run(self) -> None:
        start = time.perf_counter()
        module = self._compiled(self._engine, self._job.wasm)
        self.seconds["compile"] = time.perf_counter() - start
        entry = check_entry(module, self._job.wasm, self._invocation.invoke)
        store = wasmtime.Store(self._engine)
        linker = wasmtime.Linker(self._engine)
        # Closed by us: a notebook keeps tracebacks, which refer to them and so to the memory.
        self._resources = (linker, store, module)
        self._limit(store)
        define_wasi(linker, self._functions)
        self._functions.define(linker)
        define_assemblyscript(linker, self._job.wasm, self._functions, self._output)
        check_imports(module, lambda space, name: _provides(linker, store, space, name))
        store.set_wasi(self._wasi())
        store.set_epoch_deadline(1)
        if self._functions.stopping.is_set():  # only later interruptions change the epoch
            raise Stopped
        start = time.perf_counter()
        try:
            self._enter(lambda: self._started(linker, store, module, entry))
        finally:
            took = time.perf_counter() - start
            self.seconds["guest code"] = took - sum(self._functions.seconds.values())

    def _started(
        self, linker: wasmtime.Linker, store: wasmtime.Store, module: wasmtime.Module, entry: str
    ) -> None:
        try:
            instance = linker.instantiate(store, module)
        except wasmtime.WasmtimeError as error:
            if self._functions.failure is not None or isinstance(error, wasmtime.ExitTrap):
                raise
            raise GuestLinkError(f"the guest cannot be instantiated: {reason_of(error)}") from error
        if not entry:  # the start section has run
            return
        exports = instance.exports(store)
        prepare, main = exports.get("_initialize"), exports[entry]
        assert isinstance(main, wasmtime.Func)  # noqa: S101 - check_entry has seen it
        invoked = bool(self._invocation.invoke)
        arguments = arguments_for(entry, self._job.wasm, self._invocation.args) if invoked else []
        if invoked and isinstance(prepare, wasmtime.Func) and entry != "_initialize":
            prepare(store)
        result = main(store, *arguments)
        if invoked and (lines := result_lines(result)):
            self._output.take("stdout", lines.encode())

    def _enter(self, call: Callable[[], None]) -> None:
        """Run guest code, and make an exit code or a fitting exception of how it ends."""
        functions, name = self._functions, self._invocation.name
        try:
            call()
        except BaseException as error:
            failure = functions.failure
            if isinstance(failure, Exited):
                self.exit_code = failure.code
            elif isinstance(failure, Stopped):
                raise failure from None
            elif failure is not None:  # a bug of ours
                self._resources = ()  # its traceback may hold views of the guest's memory
                raise failure from None
            elif isinstance(error, wasmtime.ExitTrap):
                self.exit_code = error.code
            elif isinstance(error, wasmtime.Trap) and functions.stopping.is_set():
                raise Stopped from error
            elif isinstance(error, wasmtime.Trap | wasmtime.WasmtimeError):
                raise as_trap(name, error, self._output.text("stderr")) from error
            elif isinstance(error, GuestError):
                raise
            else:
                # wasmtime-py took the exception of a guest in another thread for this one's.
                trap = trap_behind(error)
                if trap is None:
                    raise GuestTrap(f"{name} trapped; the reason was lost") from error
                raise as_trap(name, trap, self._output.text("stderr")) from error
        else:
            self.exit_code = 0

    def _limit(self, store: wasmtime.Store) -> None:
        # wasmtime limits every memory by itself.
        sizes = memories(self._job.wasm)
        if sum(sizes) > self._job.memory_limit:
            raise GuestModuleError(
                f"{self._invocation.name} begins with {sum(sizes)} bytes of memory, and may have "
                f"{self._job.memory_limit}",
                remedy=REMEDIES["memory_limit"],
            )
        store.set_limits(
            memory_size=self._job.memory_limit // max(len(sizes), 1),
            table_elements=_TABLE_ELEMENTS,
            instances=1,
            tables=_TABLES,
            memories=max(len(sizes), 1),
        )

    def _wasi(self) -> wasmtime.WasiConfig:
        wasi = wasmtime.WasiConfig()
        wasi.argv = [self._invocation.name, *self._invocation.args]
        wasi.env = list(self._invocation.env.items())
        for directory in self._invocation.dirs:
            host = os.path.expanduser(directory.host)  # noqa: PTH111 - as the person wrote it
            wasi.preopen_dir(host, directory.guest, directory.writable)
        wasi.stdout_custom = self._output.writer("stdout")
        wasi.stderr_custom = self._output.writer("stderr")
        if self._job.stdin:
            # wasmtime opens it at once, so that it can be removed at once.
            with tempfile.NamedTemporaryFile(prefix="wasinn-nb-stdin-") as file:
                file.write(self._job.stdin)
                file.flush()
                wasi.stdin_file = file.name
        return wasi


def _provides(linker: wasmtime.Linker, store: wasmtime.Store, space: str, name: str) -> bool:
    try:
        linker.get(store, space, name)
    except wasmtime.WasmtimeError:
        return False
    return True
