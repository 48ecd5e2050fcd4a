"""Doing what can wait once the kernel has answered all that its page asks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

__all__ = ["CHANGED", "NEW", "AtRest"]

NEW: Final = 0.5
"""Seconds without a question of a page that is new, whose first one may take a while."""

CHANGED: Final = 0.2
"""Seconds without a question of a page that has only to draw."""


class AtRest:
    """Calls a function once nothing was asked for a moment; without an event loop, at once.

    Parameters
    ----------
    act : callable

    Examples
    --------
    >>> done = []
    >>> AtRest(lambda: done.append("now")).wait(0.5)
    >>> done
    ['now']
    """

    def __init__(self, act: Callable[[], None]) -> None:
        self._act, self._seconds = act, 0.0
        self._due: asyncio.TimerHandle | None = None

    def wait(self, seconds: float) -> None:
        """Call the function so many seconds after the last question, counted from now."""
        self._seconds = max(seconds, 0.0 if self._due is None else self._seconds)
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
            self.wait(self._seconds)

    def cancel(self) -> None:
        """Do not call it any more."""
        if self._due is not None:
            self._due.cancel()
            self._due = None

    def _call(self) -> None:
        self._due = None
        self._act()
