"""Watches a helper from outside: its memory, what it writes, and its time."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

from wasinn_nb.isolation.limits import allowed_memory

__all__ = ["Limit", "Watch", "resident_bytes", "written_bytes"]

Limit = Literal["memory_limit", "write_limit", "time_limit"]

_PERIOD: Final = 0.005
_WRITES_EVERY: Final = 4  # periods
_IN_TRANSIT: Final = 1 << 16  # bytes that a pipe holds: written, and not yet read here


class Watch:
    """Calls for the end of a helper that takes more than it may.

    Parameters
    ----------
    process : int
        Its number.
    kill : callable
        Ends it.
    memory_limit : int
        Bytes; the resident memory is counted from now on.
    write_limit : int or None
        Bytes that it may write to files; None: any.
    time_limit : float or None
        Seconds from now on.
    sent : callable
        Returns the bytes that it wrote to this process, which are not files.
    files : bool
        Whether the resident pages of files that it has mapped count as memory.

    Attributes
    ----------
    struck : Limit or None
        The limit that it passed.
    peak : int
        The highest number of resident bytes seen, above those at the start.
    """

    def __init__(
        self,
        process: int,
        kill: Callable[[], None],
        *,
        memory_limit: int,
        write_limit: int | None,
        time_limit: float | None,
        sent: Callable[[], int],
        files: bool = True,
    ) -> None:
        self.struck: Limit | None = None
        self.peak = 0
        self._process = process
        self._kill = kill
        self._memory = allowed_memory(memory_limit)
        self._writes = write_limit
        self._sent = sent
        self._files = files
        self._deadline = None if time_limit is None else time.perf_counter() + time_limit
        self._memory_before = resident_bytes(process, files=files) or 0
        self._writes_before = written_bytes(process) or 0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, name="wasinn-nb watch", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Stop watching."""
        self._ended.set()
        self._thread.join()

    def _work(self) -> None:
        turn = 0
        while not self._ended.wait(_PERIOD):
            turn += 1
            self.struck = self._passed(look_at_writes=turn % _WRITES_EVERY == 0)
            if self.struck is not None:
                self._kill()
                return

    def _passed(self, *, look_at_writes: bool) -> Limit | None:
        if self._deadline is not None and time.perf_counter() > self._deadline:
            return "time_limit"
        if (resident := resident_bytes(self._process, files=self._files)) is not None:
            self.peak = max(self.peak, resident - self._memory_before)
            if self.peak > self._memory:
                return "memory_limit"
        if self._writes is None or not look_at_writes:
            return None
        if (written := written_bytes(self._process)) is not None:
            sent = self._sent()  # later than the count, so that it is never too small
            if written - self._writes_before - sent > self._writes + _IN_TRANSIT:
                return "write_limit"
        return None


def resident_bytes(process: int, *, files: bool) -> int | None:
    """Return a process's resident bytes, those of mapped files or not; None where nothing says it.

    Examples
    --------
    >>> resident_bytes(2**22 + 1, files=True) is None
    True
    """
    with suppress(OSError, ValueError, IndexError):
        fields = Path(f"/proc/{process}/statm").read_text(encoding="ascii").split()
        pages = int(fields[1]) - (0 if files else int(fields[2]))
        return pages * os.sysconf("SC_PAGE_SIZE")
    return None


def written_bytes(process: int) -> int | None:
    """Return the bytes that a process has given to the system to write, to pipes as well."""
    with suppress(OSError, ValueError):
        text = Path(f"/proc/{process}/io").read_text(encoding="ascii")
        for line in text.splitlines():
            if line.startswith("wchar:"):
                return int(line.split()[1])
    return None
