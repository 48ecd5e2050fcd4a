"""What the pickers do in the background ends with the process: it is told, and waited for."""

from __future__ import annotations

import atexit
import threading
import time
import weakref
from typing import Final, Protocol

__all__ = ["ending", "join_at_exit"]

_ENDING: Final = threading.Event()
_SECONDS: Final = 10.0  # that the end of the process waits at most


class _Waits(Protocol):
    def wait(self, timeout: float | None = None) -> bool: ...


_LIVE: Final[weakref.WeakSet[_Waits]] = weakref.WeakSet()


def ending() -> bool:
    """Return whether the process ends: what runs in the background stops then."""
    return _ENDING.is_set()


def join_at_exit(worker: _Waits) -> None:
    """Wait for what *worker* runs in the background when the process ends."""
    _LIVE.add(worker)


@atexit.register
def _finish() -> None:
    _ENDING.set()
    end = time.monotonic() + _SECONDS
    for worker in list(_LIVE):
        worker.wait(max(end - time.monotonic(), 0))
