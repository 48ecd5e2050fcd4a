"""Running the newest of many jobs in the background: the last one wins."""

from __future__ import annotations

import atexit
import math
import threading
import time
import weakref
from collections.abc import Callable
from typing import Final, TypeAlias

__all__ = ["Job", "Latest"]

Job: TypeAlias = Callable[[Callable[[], bool]], None]
"""What is run; it is given a function that says whether it is still the newest."""

# Seconds.  One choice runs at once; of several that follow one another (arrow keys in a list),
# those after the first wait for the last.
# What runs is waited for when the process ends: engines abort where they are cut off.
_LIVE: Final[weakref.WeakSet[Latest]] = weakref.WeakSet()
_CALM: Final = 0.3
_DELAY: Final = 0.12


class Latest:
    """Runs jobs one at a time in a thread of its own, and of those that wait only the newest.

    Parameters
    ----------
    delay : float
        Seconds that a job waits for a newer one, where another came shortly before it.

    Examples
    --------
    >>> import time
    >>> done = []
    >>> latest = Latest()
    >>> for number in range(4):
    ...     latest.submit(lambda is_newest, number=number: (time.sleep(0.1), done.append(number)))
    ...     time.sleep(0.02)
    >>> latest.wait(10)
    True
    >>> done
    [0, 3]
    """

    def __init__(self, delay: float = _DELAY) -> None:
        self._delay = delay
        self._submitted = -math.inf
        self._changed = threading.Condition()
        self._waiting: Job | None = None
        self._due = 0.0
        self._newest = 0
        self._thread: threading.Thread | None = None

    def submit(self, job: Job) -> None:
        """Run *job* unless another comes before it has begun."""
        with self._changed:
            now = time.monotonic()
            self._due = now + (self._delay if now - self._submitted < _CALM else 0.0)
            self._submitted = now
            self._waiting = job
            self._newest += 1
            if self._thread is None:
                # It ends when nothing is left to do, so that nothing has to be closed.
                self._thread = threading.Thread(target=self._work, name="wasinn_nb", daemon=True)
                self._thread.start()
                _LIVE.add(self)
            self._changed.notify_all()

    def cancel(self) -> None:
        """Forget the job that waits, and tell the one that runs that it is not the newest."""
        with self._changed:
            self._waiting = None
            self._newest += 1
            self._changed.notify_all()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until nothing runs or waits; return whether that came about in time."""
        with self._changed:
            return self._changed.wait_for(lambda: self._thread is None, timeout)

    def _work(self) -> None:
        while True:
            with self._changed:
                while self._waiting is not None and (left := self._due - time.monotonic()) > 0:
                    self._changed.wait(left)
                job, self._waiting, number = self._waiting, None, self._newest
                if job is None:
                    self._thread = None
                    self._changed.notify_all()
                    return
            try:
                job(lambda number=number: number == self._newest)  # type: ignore[misc]
            except BaseException:
                with self._changed:
                    self._thread = None
                    self._waiting = None
                    self._changed.notify_all()
                raise  # threading prints it: a job is expected to show its own errors


@atexit.register
def _finish() -> None:
    """Forget what waits, and wait for what runs."""
    for latest in list(_LIVE):
        latest.cancel()
        latest.wait()
