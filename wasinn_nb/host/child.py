"""The helper process: ``python -m wasinn_nb.host.child``, started by `run_guest`, not by people.

It imports what a guest needs, says that it is ready, waits for one job, restricts itself, runs the
guest, and ends.
"""

from __future__ import annotations

import ctypes
import os
import pickle
import select
import socket
import sys
import tempfile
import threading
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import Any, BinaryIO, Final

import wasmtime

from wasinn_nb import catalog, settings
from wasinn_nb.files import expanded
from wasinn_nb.host.callvalues import call_values
from wasinn_nb.host.job import Job
from wasinn_nb.host.linker import HostFunctions
from wasinn_nb.host.messages import error_values
from wasinn_nb.host.modules import compile_module
from wasinn_nb.host.output import Output, Stream
from wasinn_nb.host.reachable import reachable_files
from wasinn_nb.host.replaying import Answering, Replay, ReplayCtx
from wasinn_nb.host.warming import warm_up
from wasinn_nb.host.worker import GuestThread
from wasinn_nb.isolation import (
    IDLE_SECONDS,
    Lender,
    end_with,
    enter,
    enter_helper,
    read_frame,
    write_frame,
)
from wasinn_nb.runtimes import device_name
from wasinn_nb.wasi_nn import Call, Trace, WasiNnCtx

__all__ = ["main"]

_MAX_JOB: Final = 1 << 40  # from the process that started this one
_CHUNK: Final = 1 << 20
_CPU: Final = "CPU"


class _SentTrace(Trace):
    """Sends every call to the other process, and holds on to none."""

    def __init__(self, file: BinaryIO, lender: Lender, job: Job) -> None:
        super().__init__(keep=job.keep)
        self._file = file
        self._lender = lender
        self.functions: HostFunctions | None = None

    @contextmanager
    def call(self, name: str, arguments: str = "") -> Iterator[Call]:
        if getattr(self._open, "call", None) is None:
            write_frame(self._file, {"kind": "begin", "name": name})
        with super().call(name, arguments) as call:
            yield call

    def add(self, call: Call) -> None:
        if self.keep is None:
            call.tensor = None
        values = call_values(call) | {"kind": "call"}
        if self.functions is not None:
            values |= _facts(self.functions)
        content: Any = b""
        if call.tensor is not None:
            values["lent"] = self._lender.lend(call.tensor.data)
            content = b"" if values["lent"] else call.tensor.data
        write_frame(self._file, values, content)
        call.tensor = None


class _SentOutput(Output):
    """Sends what the guest prints, up to the first byte that is not to be shown."""

    def __init__(self, file: BinaryIO, limit: int | None) -> None:
        super().__init__(limit, stream=False, stopping=threading.Event())
        self._file = file
        self._everything = limit is None

    def take(self, stream: Stream, chunk: bytes) -> None:
        sent = self._everything or self._seen[stream] <= self._bound
        super().take(stream, chunk)
        if sent:
            for start in range(0, len(chunk), _CHUNK):
                part = chunk[start : start + _CHUNK]
                write_frame(self._file, {"kind": "output", "stream": stream}, part)


def _facts(functions: HostFunctions) -> dict[str, Any]:
    """Return what is known of a guest from its calls."""
    return {
        "dialects": [dialect.value for dialect in functions.dialects],
        "models": list(functions.models),
    }


def main() -> None:
    """Run one guest for the process that started this one."""
    parent, descriptor, engine = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    libc, incoming, outgoing = enter_helper(parent)
    channel = None if descriptor < 0 else socket.socket(fileno=descriptor)
    if channel is not None:
        channel.set_inheritable(False)
    warm_up(engine)
    write_frame(outgoing, {"kind": "ready"})
    if sys.platform != "win32" and not select.select([incoming], [], [], IDLE_SECONDS)[0]:
        return
    frame = read_frame(incoming, _MAX_JOB)
    if frame is None:
        return
    values, content = frame
    _settle(values)
    job: Job = pickle.loads(content[: values["job"]].tobytes())  # noqa: S301 - from our parent
    native = content[values["job"] :].tobytes()
    facts = _restricted(libc, job, values)
    write_frame(outgoing, {"kind": "accepted", "facts": facts})
    threading.Thread(target=end_with, args=(incoming,), daemon=True).start()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = _run(job, native, values, outgoing, Lender(channel))
    result["warnings"] = [str(w.message) for w in caught if w.category.__name__ == "WasiNnWarning"]
    write_frame(outgoing, result)
    os._exit(0)  # no engine has to clean up


def _settle(values: Mapping[str, Any]) -> None:
    """Take over the other process's settings, folder, and place for temporary files."""
    os.environ.update(values["settings"])
    with suppress(OSError):
        os.chdir(values["folder"])
    tempfile.tempdir = values["temporary"]
    sys.path.extend(values["import_from"])


def _restricted(libc: ctypes.CDLL | None, job: Job, values: Mapping[str, Any]) -> tuple[str, ...]:
    dirs = job.invocation.dirs
    catalogs = [catalog.data_dir(), settings.cache_dir(), *settings.search_path()]
    readable = [
        *(str(expanded(directory.host)) for directory in dirs if not directory.writable),
        *(str(folder) for folder in catalogs),
        *reachable_files(job.models.values()),
        *values["import_from"],
    ]
    writable = [str(expanded(directory.host)) for directory in dirs if directory.writable]
    return enter(
        libc,
        readable,
        [*writable, values["temporary"]],
        devices=job.target is not None and device_name(job.target) != _CPU,
        memory_limit=job.memory_limit,
        write_limit=job.write_limit,
        time_limit=job.time_limit,
    )


def _run(
    job: Job, native: bytes, values: Mapping[str, Any], outgoing: BinaryIO, lender: Lender
) -> dict[str, Any]:
    """Run the guest, and return what there is to say of its end."""
    try:
        engine = job.engine
        if values["engine"] is not None:
            engine = pickle.loads(bytes.fromhex(values["engine"]))  # noqa: S301 - as above
    except Exception as error:  # noqa: BLE001 - of a module that is not ours
        nothing: dict[str, Any] = {"seconds": {}, "dialects": [], "models": []}
        return {"kind": "end", "error": error_values(error), **nothing}
    ctx: Answering = WasiNnCtx(engine, precision=job.precision, models=job.models, keep=None)
    replay = None
    if job.recorded is not None:
        replay = Replay(job.recorded)
        ctx = ReplayCtx(replay)
    ctx.trace = trace = _SentTrace(outgoing, lender, job)
    functions = HostFunctions(
        ctx, target=job.target, empty=lender.empty, cpu_only=replay is None, replay=replay
    )
    trace.functions = functions

    def compiled(machine: wasmtime.Engine, wasm: bytes) -> wasmtime.Module:
        if native:
            return wasmtime.Module.deserialize(machine, native)
        write_frame(outgoing, {"kind": "begin", "name": "compile"})
        module = compile_module(machine, wasm)
        code = module.serialize()
        write_frame(outgoing, {"kind": "compiled"}, code if len(code) <= 64 * _CHUNK else b"")
        return module

    output = _SentOutput(outgoing, job.output_limit)
    guest = GuestThread(job, functions, output, compiled=compiled)
    guest.work()
    failure = guest.error
    return {
        "kind": "end",
        "exit_code": guest.exit_code,
        "error": None if failure is None else error_values(failure),
        "seconds": guest.durations(),
        **_facts(functions),
    }


if __name__ == "__main__":
    main()
