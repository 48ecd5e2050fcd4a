"""Engines in forked processes: an error in place of a process that never ends."""

from __future__ import annotations

import os
from typing import Final

from wasinn_nb.errors import Remedy, RuntimeFailure

__all__ = ["LOAD_AGAIN", "ProcessGuard"]

LOAD_AGAIN: Final = "load the model where it is used"
"""What to do instead of sending a graph to another process."""


class ProcessGuard:
    """Keeps what an engine has made to the process that made it.

    Engines compute in threads of their own.  A fork copies their memory but not their threads, so
    that a child process would wait for them for ever.

    Parameters
    ----------
    what : str
        What may not be used elsewhere, for the error: ``"this pipeline"``.
    remedy : str
        What a child process can do instead, besides being started in another way.

    Examples
    --------
    >>> ProcessGuard("this pipeline").check()  # in the process that made it
    """

    __slots__ = ("_process", "_remedy", "_what")

    def __init__(self, what: str, remedy: str = "make it in the child process") -> None:
        self._what = what
        self._remedy = remedy
        self._process = os.getpid()

    def check(self) -> None:
        """Raise RuntimeFailure in any other process than the one that made this object."""
        if os.getpid() != self._process:
            remedy = f"start processes with multiprocessing.get_context('spawn'), or {self._remedy}"
            raise RuntimeFailure(
                f"{self._what} cannot be used in a forked process, which lacks its threads",
                remedy=Remedy(remedy),
            )
