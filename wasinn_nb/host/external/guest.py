"""One guest on another runtime, seen from the process that asked for it."""

from __future__ import annotations

import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Final

from wasinn_nb.abi import Dialect
from wasinn_nb.errors import GuestError
from wasinn_nb.host.external.endings import failure_of
from wasinn_nb.host.external.preparing import Prepared, prepare
from wasinn_nb.host.external.programs import Program
from wasinn_nb.host.job import Job
from wasinn_nb.host.output import DONE, Output, Printer, Stream
from wasinn_nb.isolation import Watch, helper_environment, with_imports
from wasinn_nb.wasi_nn import ModelFiles, Trace

__all__ = ["ExternalGuest"]

_LAUNCHER: Final = "wasinn_nb.isolation.launch"
_ENGINE: Final = 1 << 29
"""Bytes that a runtime and its engine may take beside the guest and its model."""
_ON_THE_WAY: Final = 1 << 19
"""Bytes in pipes, which are not files, and that a runtime writes to wake its own threads."""
_AT_ONCE: Final = 1 << 16
_GRACE: Final = 1.0
"""Seconds that pipes may stay open after the end of the process that was started."""
_LAST_LINES: Final = 4
_LAST_BYTES: Final = 1 << 16
"""At the end of stderr, in which a program says why it failed."""


class ExternalGuest:
    """Runs a guest with a program of another runtime, which is restricted and watched.

    Parameters
    ----------
    job : Job
    output : Output
    stopping : threading.Event
        The output's: once set, nothing waits for the printer.
    program : Program

    Attributes
    ----------
    trace : Trace
        Empty: a program does not say which calls there were.
    exit_code : int or None
    error : BaseException or None
        Why there is no exit code.
    dialects : set of Dialect
        Empty.
    models : dict
        The models that were given to the program.
    facts : tuple of str
        What holds the guest.
    """

    def __init__(
        self, job: Job, output: Output, stopping: threading.Event, program: Program
    ) -> None:
        self.trace = Trace(keep=None)
        self.exit_code: int | None = None
        self.error: BaseException | None = None
        self.dialects: set[Dialect] = set()
        self.models: dict[str, ModelFiles] = dict(job.models)
        self.facts: tuple[str, ...] = ("process",)
        self._job = job
        self._output = output
        self._stopping = stopping
        self._program = program
        self._received = 0
        self._last_words = b""
        self._halted = False
        self._answers: IO[bytes] = io.BytesIO()
        self._folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: Watch | None = None
        self._begun = 0.0
        self._took = 0.0

    def start(self) -> None:
        """Start the program.

        Raises
        ------
        GuestError
            If it cannot be started.
        InvalidArgumentError
            If it cannot be told a path or a name.
        """
        self._folder = folder = Path(tempfile.mkdtemp(prefix="wasinn-nb-external-"))
        prepared = prepare(self._job, self._program, folder)
        self._begun = time.perf_counter()
        try:
            with prepared.stdin.open("rb") as stdin:
                self._process = process = self._started(prepared, stdin, folder)
        except OSError as error:
            raise self._not_started(error.strerror or str(error)) from error
        self._watch = Watch(
            process.pid,
            self._kill,
            memory_limit=self._job.memory_limit + _ENGINE,
            write_limit=self._job.write_limit + _ON_THE_WAY,
            time_limit=self._job.time_limit,
            sent=lambda: self._received,
        )
        threading.Thread(target=self._await, name="wasinn-nb guest", daemon=True).start()

    def _started(
        self, prepared: Prepared, stdin: IO[bytes], folder: Path
    ) -> subprocess.Popen[bytes]:
        command, environment = prepared.command, prepared.environment
        passed: tuple[int, ...] = ()
        if sys.platform != "win32":  # there, no process becomes another program
            values = {
                "command": command,
                "environment": environment,
                "parent": os.getpid(),
                "readable": prepared.readable,
                "writable": prepared.writable,
                "executable": prepared.executable,
                "devices": False,
                "memory_limit": self._job.memory_limit + _ENGINE,
                "write_limit": self._job.write_limit,
                "time_limit": self._job.time_limit,
            }
            start = folder / "start.json"
            start.write_text(json.dumps(values), encoding="utf-8")
            reading, writing = os.pipe()
            self._answers = os.fdopen(reading, "rb")
            passed = (writing,)
            command = [sys.executable, "-P", "-m", _LAUNCHER, str(start), str(writing)]
            environment = with_imports(helper_environment(os.environ), os.environ)
        try:
            return subprocess.Popen(  # noqa: S603 - our own module, and the program asked for
                command,
                stdin=stdin,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=os.path.abspath(os.sep),  # noqa: PTH100 - no folder that a guest writes to
                start_new_session=True,
                pass_fds=passed,
            )
        finally:
            for descriptor in passed:
                os.close(descriptor)

    def wait(self) -> bool:
        """Print what the guest prints; return whether it ended before its time limit."""
        limit = self._job.time_limit
        return Printer(self._output).print_until(None if limit is None else self._begun + limit)

    def halt(self) -> None:
        """End the program if it still runs."""
        if self._process is not None and self._process.poll() is None:
            self._halted = True
        self._stopping.set()
        self._kill()

    def join(self) -> bool:
        """Wait for the end of the program, and say how the guest ended."""
        if self._process is not None:
            code = self._process.wait()
            self._took = time.perf_counter() - self._begun
            if self._watch is not None:
                self._watch.end()
            self._conclude(code)
            for pipe in (self._process.stdout, self._process.stderr):
                if pipe is not None:
                    with suppress(OSError):
                        pipe.close()
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
        return True

    def durations(self) -> dict[str, float]:
        """Return how long the program ran, in seconds."""
        return {self._program.name: self._took}

    def _conclude(self, code: int) -> None:
        stderr = self._last_words.decode(errors="replace")
        lines = [line for line in stderr.splitlines() if line.strip()][-_LAST_LINES:]
        struck = None if self._watch is None else self._watch.struck
        answer = self._answer()
        self.facts += tuple(answer.get("facts", ()))
        if struck == "time_limit":
            self.error = self._job.timeout()
        elif struck is not None:
            self.error = self._job.passed(struck)
        elif "error" in answer:
            self.error = self._not_started(str(answer["error"]))
        elif self._halted:
            return
        elif code < 0:
            self.error = self._job.crash(code, lines)
        elif "facts" not in answer and sys.platform != "win32":
            self.error = self._not_started("; ".join([f"exit code {code}", *lines]))
        else:
            self.error = failure_of(self._program, self._job.invocation.name, code, stderr)
            self.exit_code = code if self.error is None else None

    def _not_started(self, why: str) -> GuestError:
        return GuestError(f"{self._program.path} cannot be started: {why}")

    def _answer(self) -> dict[str, Any]:
        """Return what the launcher says; nothing where it did not get so far."""
        answer: dict[str, Any] = {}
        with self._answers, suppress(OSError, ValueError):
            for line in self._answers:
                answer |= json.loads(line)
        return answer

    def _kill(self) -> None:
        process = self._process
        if process is None:
            return
        with suppress(OSError):
            if sys.platform == "win32":
                process.kill()
            else:  # what it has started, too
                os.killpg(process.pid, signal.SIGKILL)

    # -- threads of its own ----------------------------------------------------------------------

    def _await(self) -> None:
        """Take what is printed until the program has ended."""
        process = self._process
        assert process is not None  # noqa: S101 - it has been started
        readers = [
            threading.Thread(target=self._read, args=(pipe, stream), daemon=True)
            for pipe, stream in ((process.stdout, "stdout"), (process.stderr, "stderr"))
        ]
        for reader in readers:
            reader.start()
        process.wait()
        give_up = time.perf_counter() + _GRACE
        for reader in readers:
            reader.join(max(0.0, give_up - time.perf_counter()))
        self._output.chunks.put(DONE)

    def _read(self, pipe: IO[bytes], stream: Stream) -> None:
        with suppress(OSError, ValueError):  # closed
            while chunk := os.read(pipe.fileno(), _AT_ONCE):
                self._received += len(chunk)
                if stream == "stderr":
                    self._last_words = (self._last_words + chunk)[-_LAST_BYTES:]
                self._output.take(stream, chunk)
