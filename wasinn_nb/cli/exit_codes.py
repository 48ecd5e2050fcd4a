"""How the command ends."""

from __future__ import annotations

from enum import IntEnum

__all__ = ["ExitCode"]


class ExitCode(IntEnum):
    """How the command ended; each number has one meaning, whatever the verb.

    ``run`` ends with its guest's number, and ``lab`` with JupyterLab's.
    """

    DONE = 0
    """It was done; of ``compare``, the same; of ``diagnose``, right; of ``bundle``, it runs."""
    NO = 1
    """Of ``compare``, different; of ``diagnose``, a mistake, or nothing fits; of ``bundle``, no
    runtime runs what was written.  Of no other verb."""
    ERROR = 2
    """Nothing was done: a wrong option, a missing file, a model that cannot be read."""
    GUEST = 125
    """``run`` failed, or its guest did not end by itself."""
    INTERRUPTED = 130
    """It was interrupted with Ctrl-C: 128 + SIGINT, as of programs that the signal ends."""
    CLOSED_PIPE = 141
    """The program that reads the output ended before: 128 + SIGPIPE; nothing is printed."""
