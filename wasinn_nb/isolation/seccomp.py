"""A seccomp filter for Linux: no sockets, no programs, no other processes.

Numbers are those of Linux 6.1's ``asm/unistd_64.h`` (x86-64), ``asm-generic/unistd.h`` (AArch64)
and ``linux/audit.h``, the program that of ``seccomp(2)``: classic BPF over ``struct seccomp_data``.
"""

from __future__ import annotations

import ctypes
import errno
import os
import platform
import struct
import sys
from dataclasses import dataclass
from typing import Final

__all__ = ["filter_system_calls", "program"]

_LOAD, _IS, _HAS, _RETURN = 0x20, 0x15, 0x45, 0x06  # BPF_LD|W|ABS, JEQ|K, JSET|K, RET|K
_ALLOW, _ERRNO, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE, _FIRST, _SECOND = 0, 4, 16, 24  # offsets in struct seccomp_data
_X32: Final = 0x40000000
_CLONE_THREAD: Final = 0x10000
# Commands of fcntl(2) with which a descriptor sends any signal to any process of the same user.
_SET_OWNER, _SET_SIGNAL, _SET_OWNER_BY_KIND = 8, 10, 15
_SET_MODE_FILTER, _ALL_THREADS = 1, 1
_INSTRUCTION: Final = struct.Struct("<HBBI")


@dataclass(frozen=True)
class _Architecture:
    audit: int
    seccomp: int
    clone: int
    clone3: int
    fcntl: int
    to_itself: tuple[int, ...]  # kill, tgkill, rt_sigqueueinfo, rt_tgsigqueueinfo, prlimit64
    refused: tuple[int, ...]


_NEW_CALLS: Final = (
    *(424, 434, 438),  # pidfd_send_signal, pidfd_open, pidfd_getfd
    *(425, 426, 427),  # io_uring, which can open sockets
    *(428, 429, 430, 431, 432, 433, 442),  # the newer calls for mounting
    *(440, 443, 448),  # process_madvise, quotactl_fd, process_mrelease
)
_ARCHITECTURES: Final = {
    "x86_64": _Architecture(
        audit=0xC000003E,
        seccomp=317,
        clone=56,
        clone3=435,
        fcntl=72,
        to_itself=(62, 234, 129, 297, 302),
        refused=(
            *(41, 42, 43, 49, 50, 53, 288),  # socket, connect, accept, bind, listen, socketpair
            *(57, 58, 59, 322),  # fork, vfork, execve, execveat
            *(101, 200, 310, 311),  # ptrace, tkill, process_vm_readv and _writev
            *(29, 30, 31, 64, 65, 66, 220),  # System V's shared memory and semaphores
            *(68, 69, 70, 71, 240, 241),  # and its message queues; mq_open, mq_unlink
            *(155, 161, 165, 166, 272, 308),  # pivot_root, chroot, mount, umount2, unshare, setns
            *(175, 176, 313, 246, 320, 169),  # kernel modules, kexec, reboot
            *(163, 164, 167, 168, 170, 171, 172, 173, 179, 227),  # acct, clocks, swap, names, ports
            *(248, 249, 250, 298, 303, 304, 321, 323),  # keys, perf, file handles, bpf, userfaultfd
            *_NEW_CALLS,
        ),
    ),
    "aarch64": _Architecture(
        audit=0xC00000B7,
        seccomp=277,
        clone=220,
        clone3=435,
        fcntl=25,
        to_itself=(129, 131, 138, 240, 261),
        refused=(
            *(198, 199, 200, 201, 202, 203, 242),
            *(221, 281),
            *(117, 130, 270, 271),
            *(194, 196, 195, 190, 193, 191, 192),
            *(186, 189, 188, 187, 180, 181),
            *(41, 51, 40, 39, 97, 268),
            *(105, 106, 273, 104, 294, 142),
            *(89, 170, 224, 225, 161, 162, 60, 112),
            *(217, 218, 219, 241, 264, 265, 280, 282),
            *_NEW_CALLS,
        ),
    ),
}


class _Program(ctypes.Structure):
    _fields_ = (("length", ctypes.c_ushort), ("filter", ctypes.c_void_p))


def program(machine: str, process: int) -> bytes | None:
    """Return the filter for a processor architecture; None where its numbers are not known.

    Parameters
    ----------
    machine : str
        As of `platform.machine`.
    process : int
        The process that may send signals to itself.

    Examples
    --------
    >>> program("riscv64", 1) is None, len(program("x86_64", 1)) % 8
    (True, 0)
    """
    known = _ARCHITECTURES.get(machine)
    if known is None:
        return None
    refuse = (_RETURN, 0, 0, _ERRNO | errno.EPERM)
    lines: list[tuple[int, int, int, int]] = [
        (_LOAD, 0, 0, _ARCHITECTURE),
        (_IS, 1, 0, known.audit),
        (_RETURN, 0, 0, _KILL),
        (_LOAD, 0, 0, _NUMBER),
    ]
    if machine == "x86_64":
        lines += [(_HAS, 0, 1, _X32), refuse]
    for number in known.refused:
        lines += [(_IS, 0, 1, number), refuse]
    # The C library falls back to clone, whose flags a filter can read.
    lines += [(_IS, 0, 1, known.clone3), (_RETURN, 0, 0, _ERRNO | errno.ENOSYS)]
    lines += [
        (_IS, 0, 4, known.clone),
        (_LOAD, 0, 0, _FIRST),
        (_HAS, 1, 0, _CLONE_THREAD),
        refuse,
        (_LOAD, 0, 0, _NUMBER),
    ]
    lines += [
        (_IS, 0, 6, known.fcntl),
        (_LOAD, 0, 0, _SECOND),
        (_IS, 2, 0, _SET_OWNER),
        (_IS, 1, 0, _SET_OWNER_BY_KIND),
        (_IS, 0, 1, _SET_SIGNAL),
        refuse,
        (_LOAD, 0, 0, _NUMBER),
    ]
    for number in known.to_itself:
        lines += [
            (_IS, 0, 5, number),
            (_LOAD, 0, 0, _FIRST),
            (_IS, 2, 0, process),
            (_IS, 1, 0, 0),
            refuse,
            (_LOAD, 0, 0, _NUMBER),
        ]
    lines.append((_RETURN, 0, 0, _ALLOW))
    return b"".join(_INSTRUCTION.pack(*line) for line in lines)


def filter_system_calls(libc: ctypes.CDLL) -> bool:
    """Filter the system calls of every thread of this process; return whether that worked.

    The process must have given up new privileges before.
    """
    machine = platform.machine()
    if sys.platform != "linux" or sys.maxsize < 2**32:
        return False
    code = program(machine, os.getpid())
    if code is None:
        return False
    buffer = ctypes.create_string_buffer(code, len(code))
    argument = _Program(len(code) // _INSTRUCTION.size, ctypes.addressof(buffer))
    number = _ARCHITECTURES[machine].seccomp
    result = libc.syscall(number, _SET_MODE_FILTER, _ALL_THREADS, ctypes.byref(argument))
    return int(result) == 0
