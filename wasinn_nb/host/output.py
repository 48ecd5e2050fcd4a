"""What a guest prints: shown while it runs, and kept, both up to a limit."""

from __future__ import annotations

import atexit
import codecs
import gc
import queue
import sys
import threading
import time
import weakref
from collections.abc import Callable
from contextlib import suppress
from typing import Final, Literal

__all__ = ["DONE", "KEPT", "Chunk", "Output", "Printer", "Stream"]

Stream = Literal["stdout", "stderr"]
Chunk = tuple[Stream, bytes]

KEPT: Final = 1 << 20
"""Bytes of each stream that are kept and shown by default."""
_PENDING: Final = 1 << 20  # bytes on their way to the screen before the guest has to wait
_POLL: Final = 0.05  # seconds between two looks at what else there is to do
_AT_ONCE: Final = 256  # chunks between two looks at the clock
DONE: Final = None


# Writers that wasmtime still holds.  It lets go of them in threads of its own, some time after the
# guest has ended, and a thread that enters the interpreter while that shuts down aborts the
# process: so the exit waits for them.
_writers: set[int] = set()
_LAST_WAIT: Final = 2.0
_SETTLE: Final = 0.05  # from letting go of a writer to leaving the interpreter


@atexit.register
def _wait_for_writers() -> None:
    if not _writers:
        return
    gc.collect()  # a guest that trapped lives on in its traceback
    give_up = time.monotonic() + _LAST_WAIT
    while _writers and time.monotonic() < give_up:
        time.sleep(0.01)
    time.sleep(_SETTLE)


class Output:
    """Takes what a guest writes, in its thread, and hands it to the thread that prints.

    Parameters
    ----------
    limit : int or None
        Bytes of each stream to keep and to hand on.  None: hand on everything, keep `KEPT`.
    stream : bool
        Whether to hand anything on.
    stopping : threading.Event
        Once set, nothing waits for the printer any more.
    """

    def __init__(self, limit: int | None, *, stream: bool, stopping: threading.Event) -> None:
        self._limit = limit
        self._stream = stream
        self._stopping = stopping
        self._kept: dict[Stream, bytearray] = {"stdout": bytearray(), "stderr": bytearray()}
        self._seen: dict[Stream, int] = {"stdout": 0, "stderr": 0}
        self._room = threading.Condition()
        self._pending = 0
        self.chunks: queue.SimpleQueue[Chunk | None] = queue.SimpleQueue()

    def writer(self, stream: Stream) -> Callable[[bytes], None]:
        """Return the function that takes *stream*'s bytes; it never raises."""

        def write(chunk: bytes) -> None:
            self.take(stream, chunk)

        weakref.finalize(write, _writers.discard, id(write)).atexit = False
        _writers.add(id(write))
        return write

    def take(self, stream: Stream, chunk: bytes) -> None:
        """Take bytes of *stream*; it never raises."""
        kept, seen = self._kept[stream], self._seen[stream]
        self._seen[stream] = seen + len(chunk)
        room = (KEPT if self._limit is None else self._limit) - seen
        kept += chunk[: max(room, 0)]
        if not self._stream:
            return
        if self._limit is None or len(chunk) <= room:
            self._hand_on(stream, chunk)
        elif room >= 0 and seen <= self._limit:
            self._hand_on(stream, chunk[:room])
            self._hand_on("stderr", f"\n[{self._cut(stream)}]\n".encode())

    def _hand_on(self, stream: Stream, chunk: bytes) -> None:
        with self._room:
            while self._pending > _PENDING and not self._stopping.is_set():
                self._room.wait(0.1)
            self._pending += len(chunk)
        self.chunks.put((stream, chunk))

    def printed(self, chunk: bytes) -> None:
        """Note that *chunk* is on the screen, which makes room for more."""
        with self._room:
            self._pending -= len(chunk)
            self._room.notify()

    def text(self, stream: Stream) -> str:
        """Return what is kept of *stream*; bytes that are not UTF-8 become U+FFFD."""
        return bytes(self._kept[stream]).decode(errors="replace")

    def notes(self) -> list[str]:
        """Return a sentence for each stream of which not everything was kept."""
        both: tuple[Stream, Stream] = ("stdout", "stderr")
        return [self._cut(stream) for stream in both if self._seen[stream] > self._bound]

    @property
    def _bound(self) -> int:
        return KEPT if self._limit is None else self._limit

    def _cut(self, stream: Stream) -> str:
        return f"{stream} goes on after {self._bound} bytes; output_limit= shows and keeps more"


class Printer:
    """Prints a guest's output from the thread that waits for it.

    In a notebook only that thread's prints go to the right cell.  Where standard output takes
    bytes, it gets the guest's own bytes; elsewhere text.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        decoder = codecs.getincrementaldecoder("utf-8")
        self._decoders = {"stdout": decoder("replace"), "stderr": decoder("replace")}
        self._dirty: set[Stream] = set()

    def show(self, chunk: Chunk) -> None:
        """Print a chunk, and further ones that are there already."""
        more: Chunk | None = chunk
        for _ in range(_AT_ONCE):
            if more is DONE:
                self._output.chunks.put(DONE)  # for the caller
                break
            self._write(*more)
            self._output.printed(more[1])
            try:
                more = self._output.chunks.get_nowait()
            except queue.Empty:
                break
        self._flush()

    def print_until(self, deadline: float | None) -> bool:
        """Print until the guest has ended; return whether that was before *deadline*.

        Parameters
        ----------
        deadline : float or None
            By `time.perf_counter`.
        """
        chunks = self._output.chunks
        try:
            while deadline is None or time.perf_counter() < deadline:
                left = _POLL if deadline is None else deadline - time.perf_counter()
                with suppress(queue.Empty):
                    chunk = chunks.get(timeout=max(0.0, min(_POLL, left)))
                    if chunk is DONE:
                        return True
                    self.show(chunk)
            return False
        finally:
            self.finish()

    def finish(self) -> None:
        """Print half a character that nothing completes."""
        for stream in ("stdout", "stderr"):
            self._write(stream, b"", final=True)
        self._flush()

    def _write(self, stream: Stream, chunk: bytes, *, final: bool = False) -> None:
        file = sys.stdout if stream == "stdout" else sys.stderr
        if file is None or not (chunk or final):
            return
        raw = getattr(file, "buffer", None)
        if raw is not None:
            file.flush()
            raw.write(chunk)
        elif text := self._decoders[stream].decode(chunk, final):
            file.write(text)
        self._dirty.add(stream)

    def _flush(self) -> None:
        for stream in sorted(self._dirty):
            file = sys.stdout if stream == "stdout" else sys.stderr
            if file is not None:
                file.flush()
        self._dirty.clear()
