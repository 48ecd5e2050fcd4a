"""What a helper process does first: it gives up privileges, and takes its pipes for frames."""

from __future__ import annotations

import ctypes
import io
import os
import signal
import sys
from typing import BinaryIO, NamedTuple

from wasinn_nb.isolation.limits import become_helper

__all__ = ["Inside", "end_with", "enter_helper"]


class Inside(NamedTuple):
    """What a helper works with."""

    libc: ctypes.CDLL | None
    """As of `become_helper`."""
    incoming: BinaryIO
    outgoing: BinaryIO


def enter_helper(parent: int) -> Inside:
    """Make a helper of this process; Ctrl-C is for the one that started it.

    Standard input and output become pipes for frames; what engines print there goes to standard
    error.

    Parameters
    ----------
    parent : int
        The number of the process that started this one.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    libc = become_helper(parent)
    own = os.dup(1)
    os.dup2(2, 1)
    return Inside(libc, sys.stdin.buffer, io.BufferedWriter(io.FileIO(own, "wb")))


def end_with(incoming: BinaryIO) -> None:
    """Wait until the other side closes the pipe, and end this process."""
    incoming.read(1)
    os._exit(1)
