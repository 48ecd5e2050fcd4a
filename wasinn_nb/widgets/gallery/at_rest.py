"""Doing what can wait once the kernel has answered all that its page asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

__all__ = ["AtRest"]

_REST: Final = 0.5  # seconds without a question


class AtRest:
    """Calls a function once nothing was asked for a moment; without an event loop, at once.

    Parameters
    ----------
    act : callable
    seconds : float

    Examples
    --------
    >>> done = []
    >>> AtRest(lambda: done.append("now")).wait()
    >>> done
    ['now']
    """

    def __init__(self, act: Callable[[], None], seconds: float = _REST) -> None:
        self._act, self._seconds = act, seconds
        self._due: asyncio.TimerHandle | None = None

    def wait(self) -> None:
        """Call the function later, counted from now."""
        self.cancel()
        try:
            loop = asyncio.get_running_loop()
        except RuntimeError:
            self._act()
            return
        self._due = loop.call_later(self._seconds, self._call)

    def postpone(self) -> None:
        """Count from now, where the function is still to be called."""
        if self._due is not None:
            self.wait()

    def cancel(self) -> None:
        """Do not call it any more."""
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _call(self) -> None:
        self._due = None
        self._act()
