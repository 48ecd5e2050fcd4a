"""Limits and privileges of a helper process, as far as its system has them."""

from __future__ import annotations

import ctypes
import math
import os
import signal
import struct
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

__all__ = [
    "MEMORY_SLACK",
    "allowed_memory",
    "become_helper",
    "limit_resources",
]

MEMORY_SLACK: Final = 64 << 20
"""Bytes above 1.2 times the memory limit that a helper may take."""

_PARENT_DEATH_SIGNAL, _NO_NEW_PRIVILEGES = 1, 38  # options of prctl(2)
_DESCRIPTORS: Final = 512
_BURST: Final = 1 << 30
# Of Linux's capabilities, those with which root reaches files of others as it is used to.
_KEPT_CAPABILITIES: Final = 1 << 1 | 1 << 2 | 1 << 3
_CAPABILITIES_VERSION: Final = 0x20080522


def allowed_memory(memory_limit: int) -> int:
    """Return the resident bytes that a helper may take above those that it has when ready.

    Examples
    --------
    >>> allowed_memory(10 << 20) == (76 << 20)
    True
    """
    return memory_limit * 6 // 5 + MEMORY_SLACK


def become_helper(parent: int) -> ctypes.CDLL | None:
    """Give up privileges for good, and end when the thread that started this process ends.

    Parameters
    ----------
    parent : int
        The number of the process that started this one.

    Returns
    -------
    ctypes.CDLL or None
        The C library, for `enter`; None where the system does not have what it restricts with.
    """
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent:
        os._exit(1)
    if libc.prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) != 0:
        return None
    if os.geteuid() == 0:
        header = struct.pack("<Ii", _CAPABILITIES_VERSION, 0)
        sets = struct.pack("<6I", _KEPT_CAPABILITIES, _KEPT_CAPABILITIES, 0, 0, 0, 0)
        libc.capset(header, sets)
    return libc


def limit_resources(
    *, memory_limit: int, write_limit: int | None, time_limit: float | None
) -> tuple[str, ...]:
    """Set the process's limits, and return which ones.

    Resident memory is watched from outside.  The limit on data, four times as high, is for the
    moments in which nothing can watch.

    Parameters
    ----------
    memory_limit : int
        Bytes that its work may take.
    write_limit : int or None
        Bytes of the largest file; None: any.
    time_limit : float or None
        Seconds; the limit on processor time is that of every processor together.
    """
    try:
        import resource
    except ImportError:  # Windows
        return ()
    with suppress(OSError):
        # Where memory runs out for all, the kernel ends this process first.
        Path("/proc/self/oom_score_adj").write_text("1000", encoding="ascii")
    limits: dict[str, tuple[str, int]] = {
        "core": ("RLIMIT_CORE", 0),
        "descriptors": ("RLIMIT_NOFILE", _DESCRIPTORS),
    }
    if write_limit is not None:
        limits["file size"] = ("RLIMIT_FSIZE", write_limit)
    if (data := _data_bytes()) is not None:
        limits["data"] = ("RLIMIT_DATA", data + 4 * allowed_memory(memory_limit) + _BURST)
    if time_limit is not None:
        spent = time_limit * (os.cpu_count() or 1) + sum(os.times()[:2])
        limits["processor time"] = ("RLIMIT_CPU", min(math.ceil(spent) + 2, 1 << 31))
    return tuple(name for name, (kind, most) in limits.items() if _limit(resource, kind, most))


def _limit(resource: Any, kind: str, most: int) -> bool:
    number = getattr(resource, kind, None)
    if number is None:
        return False
    try:
        _, hard = resource.getrlimit(number)
        if hard != resource.RLIM_INFINITY:
            most = min(most, hard)
        resource.setrlimit(number, (most, most))
    except (ValueError, OSError):
        return False
    return True


def _data_bytes() -> int | None:
    """Return the bytes that count against RLIMIT_DATA; None where the system does not say."""
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    words = next((line.split() for line in status.splitlines() if line.startswith("VmData:")), None)
    return None if words is None else int(words[1]) << 10
