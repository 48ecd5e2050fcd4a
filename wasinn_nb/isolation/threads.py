"""Landlock in threads that began before: an engine starts some when it is imported.

The kernel restricts one thread at a time, the one that makes the system call.  As the C library
does for ``setuid``, a signal makes each of the others make it.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import platform
import signal
import struct
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

__all__ = ["other_threads", "restrict_threads"]

_TGKILL: Final = 234  # of x86-64
_LONGEST: Final = 2.0
_HANDLER: Final = (
    b"\xb8\xbe\x01\x00\x00"  # mov eax, 446: landlock_restrict_self
    b"\xbf%b"  # mov edi, ruleset
    b"\x31\xf6"  # xor esi, esi
    b"\x0f\x05"  # syscall
    b"\x85\xc0"  # test eax, eax
    b"\x75\x0d"  # jnz to the end
    b"\x48\xb8%b"  # mov rax, counter
    b"\xf0\xff\x00"  # lock inc dword [rax]
    b"\xc3"  # ret
)


def other_threads() -> set[int]:
    """Return the numbers of this process's threads but this one."""
    every = {int(entry.name) for entry in Path("/proc/self/task").iterdir()}
    return every - {threading.get_native_id()}


def restrict_threads(libc: ctypes.CDLL, ruleset: int, threads: Iterable[int]) -> bool:
    """Restrict other threads of this process as *ruleset* says; return whether all are.

    Parameters
    ----------
    libc : ctypes.CDLL
    ruleset : int
        Landlock's descriptor.
    threads : iterable of int
        Their numbers.
    """
    numbers = list(threads)
    if not numbers:
        return True
    if platform.machine() != "x86_64":
        return False
    counter = ctypes.c_int(0)
    code = _HANDLER % (struct.pack("<I", ruleset), struct.pack("<Q", ctypes.addressof(counter)))
    try:
        page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    except OSError:
        return False
    page.write(code)
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    number = int(signal.SIGRTMAX)
    libc.signal.argtypes = (ctypes.c_int, ctypes.c_void_p)
    libc.signal(number, address)
    try:
        for thread in numbers:
            libc.syscall(_TGKILL, os.getpid(), thread, number)
        give_up = time.monotonic() + _LONGEST
        while counter.value < len(numbers) and time.monotonic() < give_up:
            time.sleep(0.0005)
    finally:
        libc.signal(number, int(signal.SIG_IGN))
    return counter.value == len(numbers)
