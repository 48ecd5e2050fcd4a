"""What a helper puts on before it runs anything of a guest's."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from wasinn_nb.isolation.landlock import EXECUTE, READ, USE_DEVICE, WRITE, restrict_files
from wasinn_nb.isolation.limits import limit_resources
from wasinn_nb.isolation.seccomp import filter_system_calls

__all__ = ["enter"]

_SYSTEM: Final = (
    *("/usr", "/lib", "/lib32", "/lib64", "/bin", "/opt", "/nix/store", "/gnu/store"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/localtime"),
    *("/etc/OpenCL", "/etc/ssl/openssl.cnf", "/proc", "/sys/devices", "/sys/fs/cgroup"),
    *("/sys/class/drm", "/sys/class/accel", "/sys/kernel/mm/transparent_hugepage"),
    *("/dev/urandom", "/dev/random"),
)
_ALWAYS_WRITABLE: Final = ("/dev/null", "/dev/zero", "/dev/full")
_DEVICES: Final = ("/dev/dri", "/dev/accel")


def enter(
    libc: ctypes.CDLL | None,
    readable: Iterable[str],
    writable: Iterable[str],
    *,
    devices: bool,
    memory_limit: int,
    write_limit: int,
    time_limit: float | None,
    executable: Sequence[str] = (),
) -> tuple[str, ...]:
    """Restrict this process for good, and return what holds.

    Parameters
    ----------
    libc : ctypes.CDLL or None
        None: only the limits are set.  New privileges must have been given up.
    readable, writable : iterable of str
        Files and folders, beside those of Python and of the system's libraries.
    devices : bool
        Whether processors for graphics and neural networks may be used.
    memory_limit, write_limit, time_limit
        As for `limit_resources`.
    executable : sequence of str
        Files and folders of the program that this process is going to become; its system calls are
        not filtered then.

    Returns
    -------
    tuple of str
        Such as ``"limits: core, descriptors"``, ``"no_new_privs"``, ``"landlock"``, ``"seccomp"``;
        ``"without seccomp"`` where the kernel or the processor's architecture has no filter.
    """
    limits = limit_resources(
        memory_limit=memory_limit, write_limit=write_limit, time_limit=time_limit
    )
    facts = [f"limits on {', '.join(limits)}"] if limits else []
    if libc is None:
        return (*facts, "without landlock", "without seccomp")
    facts.append("no_new_privs")
    own = EXECUTE if executable else READ
    rules = [(path, own) for path in (*_SYSTEM, *_python_folders(), *executable)]
    rules += [(path, READ) for path in readable]
    rules += [(path, USE_DEVICE) for path in _ALWAYS_WRITABLE]
    rules += [(path, WRITE) for path in writable]
    if devices:
        rules += [(path, USE_DEVICE) for path in _DEVICES]
    facts.append("landlock" if restrict_files(libc, rules) else "without landlock")
    filtered = not executable and filter_system_calls(libc)
    facts.append("seccomp" if filtered else "without seccomp")
    return tuple(facts)


def _python_folders() -> list[str]:
    folders = [entry for entry in sys.path if Path(entry).is_absolute()]
    return [sys.prefix, sys.base_prefix, *folders]
