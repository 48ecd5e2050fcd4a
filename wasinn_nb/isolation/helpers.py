"""Helper processes: started, one of them in advance, and ended."""

from __future__ import annotations

import atexit
import os
import select
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import SimpleQueue
from typing import IO, Any, Final

from wasinn_nb.errors import GuestError
from wasinn_nb.isolation.environment import helper_environment, with_imports
from wasinn_nb.isolation.frames import Frame, read_frame, write_frame
from wasinn_nb.isolation.lending import lending_pair

__all__ = ["IDLE_SECONDS", "Helper", "prepare_spare", "take_helper"]

IDLE_SECONDS: Final = 60.0
"""How long a helper waits for its guest before it ends."""
_START_LIMIT: Final = 120.0
_LAST_BYTES: Final = 4096


class Helper:
    """One process that is ready for its work, or getting ready.

    Parameters
    ----------
    module : str
        What it runs, as of ``python -m``: it calls `enter_helper` and sends a frame when it is
        ready.  Its arguments are this process's number, a descriptor or -1, and *engine*.
    engine : str
        The runtime that it imports in advance; empty for none.
    environment : mapping
        Its variables.
    lends : bool
        Whether it sends shared memory.

    Attributes
    ----------
    lent : socket or None
        Where descriptors of shared memory arrive.
    received : int
        The bytes of its frames so far.
    """

    def __init__(
        self,
        module: str,
        engine: str,
        environment: Mapping[str, str],
        *,
        lends: bool = True,
    ) -> None:
        pair = lending_pair() if lends else None
        self.lent: socket.socket | None = None if pair is None else pair[0]
        self.received = 0
        self._last_words: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed by end()
        descriptor = -1 if pair is None else pair[1].fileno()
        command = [sys.executable, "-P", "-m", module]
        try:
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [*command, str(os.getpid()), str(descriptor), engine],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._last_words,
                env=dict(environment),
                cwd=os.path.abspath(os.sep),  # noqa: PTH100 - no folder that a guest writes to
                start_new_session=True,
                pass_fds=() if pair is None else (descriptor,),
            )
        except (OSError, ValueError) as error:
            raise GuestError(f"the helper process cannot be started: {error}") from error
        finally:
            if pair is not None:
                pair[1].close()
        self._ready = False
        self._spoken = 0

    @property
    def number(self) -> int:
        """The process's number."""
        return self._process.pid

    @property
    def alive(self) -> bool:
        """Whether it has not ended."""
        return self._process.poll() is None

    def send(self, values: Mapping[str, Any], content: Any = b"") -> None:
        """Send a frame; raise OSError where the process has ended.

        What it has printed up to now is none of its last words.
        """
        self._spoken = os.fstat(self._last_words.fileno()).st_size
        assert self._process.stdin is not None  # noqa: S101 - a pipe
        write_frame(self._process.stdin, values, content)  # type: ignore[arg-type]

    def receive(self, max_content: int = 0) -> Frame | None:
        """Return the next frame; None once the process has ended."""
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        frame = read_frame(self._process.stdout, max_content)  # type: ignore[arg-type]
        if frame is not None:
            self.received += frame[1].nbytes
        return frame

    def wait_until_ready(self) -> None:
        """Wait until it is ready; raise GuestError where it ends before."""
        if self._ready:
            return
        frame = self.receive() if self._readable(_START_LIMIT) else None
        if frame is None or frame[0].get("kind") != "ready":
            code = self.end()
            words = "; ".join([f"it ended with code {code}", *self.last_words()])
            self.forget()
            raise GuestError(f"the helper process did not start: {words}")
        self._ready = True

    def _readable(self, seconds: float) -> bool:
        assert self._process.stdout is not None  # noqa: S101 - a pipe
        if sys.platform == "win32":  # there, pipes cannot be waited for
            return True
        return bool(select.select([self._process.stdout], [], [], seconds)[0])

    def kill(self) -> None:
        """End the process, and what it has started, at once."""
        if self._process.returncode is None:
            with suppress(OSError):
                if sys.platform == "win32":
                    self._process.kill()
                else:
                    os.killpg(self._process.pid, 9)

    def end(self) -> int:
        """Kill the process if it runs, wait for its end, and return how it ended."""
        if self._process.poll() is None:
            self.kill()
        code = self._process.wait()
        for file in (self._process.stdin, self._process.stdout, self.lent):
            if file is not None:
                with suppress(OSError):
                    file.close()
        return code

    def wait(self, seconds: float) -> int | None:
        """Return how the process ended, negative for a signal; None if it still runs."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def last_words(self, lines: int = 4) -> Sequence[str]:
        """Return the last lines that it, or an engine in it, printed on stderr."""
        try:
            size = self._last_words.seek(0, os.SEEK_END)
            self._last_words.seek(max(self._spoken, size - _LAST_BYTES))
            text = self._last_words.read().decode(errors="replace")
        except (OSError, ValueError):
            return ()
        return [line for line in text.splitlines() if line.strip()][-lines:]

    def forget(self) -> None:
        """End the process, and close everything."""
        self.end()
        self._last_words.close()


class _Starter:
    """Starts every helper in one thread, which lives as long as this process.

    The kernel ends a helper when the thread that started it ends.  Python waits for the threads of
    a pool before its own end, and guests in daemon threads would crash while Python still runs.
    """

    def __init__(self) -> None:
        self._jobs: SimpleQueue[tuple[Future[Helper], tuple[Any, ...]]] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def submit(self, *arguments: Any) -> Future[Helper]:
        """Return the `Helper` of *arguments*, once it is started."""
        with self._lock:
            if self._thread is None:
                thread = threading.Thread(target=self._work, name="wasinn-nb helpers", daemon=True)
                thread.start()
                self._thread = thread
        future: Future[Helper] = Future()
        self._jobs.put((future, arguments))
        return future

    def _work(self) -> None:
        while True:
            future, arguments = self._jobs.get()
            try:
                future.set_result(Helper(*arguments))
            except BaseException as error:  # noqa: BLE001 - for the one who asked
                future.set_exception(error)
            del future


class _Spare:
    """At most one helper that is started in advance."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._helper: tuple[object, Future[Helper]] | None = None
        self._starter = _Starter()

    def take(self, module: str, engine: str) -> Helper:
        """Return the helper that is there, if it fits, or a new one; it may not be ready yet."""
        key = (module, engine, _environment())
        with self._lock:
            spare, self._helper = self._helper, None
        if spare is not None:
            made, future = spare
            helper = future.result()
            if made == key and helper.alive:
                return helper
            helper.forget()
        return self._starter.submit(*key).result()

    def prepare(self, module: str, engine: str) -> None:
        """Start a helper for the next guest, unless there is one."""
        key = (module, engine, _environment())
        with self._lock:
            if self._helper is None:
                with suppress(RuntimeError):  # the interpreter is on its way out
                    self._helper = key, self._starter.submit(*key)

    def drop(self) -> None:
        """End the helper that is there."""
        with self._lock:
            spare, self._helper = self._helper, None
        if spare is not None:
            with suppress(GuestError):
                spare[1].result().forget()


def _environment() -> dict[str, str]:
    return with_imports(helper_environment(os.environ), os.environ)


_spare = _Spare()


def _after_fork() -> None:
    global _spare  # noqa: PLW0603 - the parent's helper is not the child's
    _spare = _Spare()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


@atexit.register
def _drop() -> None:
    _spare.drop()


def take_helper(module: str, engine: str) -> Helper:
    """Return a helper for one guest.

    Parameters
    ----------
    module : str
        What it runs.
    engine : str
        The runtime that it has imported already; empty for none.

    Raises
    ------
    GuestError
        If a process cannot be started.
    """
    return _spare.take(module, engine)


def prepare_spare(module: str, engine: str) -> None:
    """Start a helper for the guest after this one, in the background; it ends when idle."""
    _spare.prepare(module, engine)
