"""Landlock for Linux: which files and folders this process may reach.

Constants are those of ``linux/landlock.h``; what the kernel does not know is left out.
"""

from __future__ import annotations

import ctypes
import os
import struct
import sys
from collections.abc import Iterable
from typing import Final

from wasinn_nb.isolation.threads import other_threads, restrict_threads

__all__ = ["EXECUTE", "READ", "USE_DEVICE", "WRITE", "restrict_files"]

_CREATE, _ADD_RULE, _RESTRICT = 444, 445, 446
_VERSION_FLAG: Final = 1
_PATH_BENEATH: Final = 1

_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER = 1 << 0, 1 << 1, 1 << 2, 1 << 3
_REMOVE: Final = 1 << 4 | 1 << 5
_MAKE_FOLDER, _MAKE_FILE, _MAKE_LINK = 1 << 7, 1 << 8, 1 << 12
_ALL_OF_VERSION_1: Final = (1 << 13) - 1
_MOVE, _TRUNCATE, _IOCTL = 1 << 13, 1 << 14, 1 << 15  # of versions 2, 3 and 5
_OF_FILES: Final = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _IOCTL
_TCP: Final = 0b11  # bind and connect, of version 4
_OUTSIDE: Final = 0b11  # abstract sockets and signals, of version 6

READ: Final = _READ_FILE | _READ_FOLDER
EXECUTE: Final = READ | _EXECUTE
WRITE: Final = (
    READ | _WRITE_FILE | _TRUNCATE | _REMOVE | _MAKE_FOLDER | _MAKE_FILE | _MAKE_LINK | _MOVE
)
USE_DEVICE: Final = READ | _WRITE_FILE | _IOCTL


def restrict_files(libc: ctypes.CDLL, rules: Iterable[tuple[str, int]]) -> bool:
    """Restrict every thread of this process to some paths; return whether that worked.

    Parameters
    ----------
    libc : ctypes.CDLL
    rules : iterable of (str, int)
        Path, with what lies below it, and `READ`, `EXECUTE`, `WRITE` or `USE_DEVICE`.  A path that
        is not there is passed over.

    The process must have given up new privileges before.
    """
    if sys.platform != "linux":
        return False
    version = libc.syscall(_CREATE, None, ctypes.c_size_t(0), _VERSION_FLAG)
    if version < 1:
        return False
    handled = _ALL_OF_VERSION_1
    for since, right in ((2, _MOVE), (3, _TRUNCATE), (5, _IOCTL)):
        handled |= right if version >= since else 0
    fields = [handled]
    if version >= 4:
        fields.append(_TCP)
    if version >= 6:
        fields.append(_OUTSIDE)
    attributes = struct.pack(f"<{len(fields)}Q", *fields)
    ruleset = libc.syscall(_CREATE, attributes, ctypes.c_size_t(len(attributes)), 0)
    if ruleset < 0:
        return False
    try:
        for path, rights in rules:
            _allow(libc, ruleset, path, rights & handled)
        others = other_threads()
        return libc.syscall(_RESTRICT, ruleset, 0) == 0 and restrict_threads(libc, ruleset, others)
    finally:
        os.close(ruleset)


def _allow(libc: ctypes.CDLL, ruleset: int, path: str, rights: int) -> None:
    try:
        place = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except OSError:
        return
    try:
        if not os.path.isdir(path):  # noqa: PTH112 - a descriptor is open beside it
            rights &= _OF_FILES
        rule = struct.pack("<Qi", rights, place)  # packed in the kernel, too
        libc.syscall(_ADD_RULE, ruleset, _PATH_BENEATH, rule, 0)
    finally:
        os.close(place)
