"""WASI for one guest: its directories, arguments and streams, and nothing else of the machine."""

from __future__ import annotations

import os
import struct
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import wasmtime

from wasinn_nb.errors import InvalidArgumentError, MissingFileError, WasiNnError
from wasinn_nb.files import expanded
from wasinn_nb.host.linker import HostFunctions, Stopped
from wasinn_nb.host.memory import GuestMemory, unsigned

__all__ = ["Directory", "Exited", "Files", "define_wasi", "parsed_dirs", "parsed_texts"]

_MAX_FILES: Final = 20_000
_WASI: Final = "wasi_snapshot_preview1"

# Error numbers, clocks and events of wasi_snapshot_preview1 (typenames.witx).
_SUCCESS, _FAULT, _INVALID, _UNSUPPORTED = 0, 21, 28, 58
_REALTIME, _MONOTONIC = 0, 1
_EVENT_CLOCK, _EVENT_WRITE = 0, 2
_ABSOLUTE = 1
_SUBSCRIPTION: Final = struct.Struct("<QB7xI4xQQH6x")
_EVENT: Final = struct.Struct("<QHB5xQH6x")
_MAX_SUBSCRIPTIONS: Final = 4096
_LONGEST_WAIT: Final = 86_400.0 * 365


class Exited(BaseException):
    """Leaves ``proc_exit``.

    Attributes
    ----------
    code : int
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory that a guest is given.

    Attributes
    ----------
    guest : str
        Its path in the guest.
    host : str
        Its path here, as it was given.
    writable : bool
    """

    guest: str
    host: str
    writable: bool


def parsed_dirs(
    dirs: Mapping[str, str | os.PathLike[str]] | None, writable: bool | str | Iterable[str]
) -> tuple[Directory, ...]:
    """Return the directories of a guest.

    Raises
    ------
    InvalidArgumentError
        If *writable* names one that is not in *dirs*.
    MissingFileError
        If one is not there, or is a file.

    Examples
    --------
    >>> parsed_dirs({".": "."}, writable=True)
    (Directory(guest='.', host='.', writable=True),)
    """
    if dirs is not None and not isinstance(dirs, Mapping):
        raise InvalidArgumentError(
            f"expected dirs as {{guest path: path here}}, such as {{'.': '.'}}, got {dirs!r}"
        )
    given = {str(guest): os.fspath(host) for guest, host in (dirs or {}).items()}
    if isinstance(writable, bool):
        may_write = set(given) if writable else set()
    else:
        may_write = {writable} if isinstance(writable, str) else set(map(str, writable))
    if unknown := sorted(may_write - set(given)):
        raise InvalidArgumentError(
            f"writable names {', '.join(map(repr, unknown))}, but the guest's directories are "
            f"{', '.join(map(repr, given)) or 'none'}"
        )
    for guest, host in given.items():
        if not expanded(host).is_dir():
            raise MissingFileError(f"no directory {host} to give to the guest as {guest!r}")
    return tuple(Directory(guest, host, guest in may_write) for guest, host in given.items())


def parsed_texts(values: Iterable[object], what: str) -> tuple[str, ...]:
    """Return arguments as text.

    Raises
    ------
    InvalidArgumentError
        If one cannot be handed to a guest: it holds a NUL, or is not UTF-8.
    """
    if isinstance(values, str | bytes):
        raise InvalidArgumentError(f"expected a list of {what}, got the single text {values!r}")
    texts = []
    for value in values:
        text = os.fspath(value) if isinstance(value, os.PathLike) else str(value)
        if not isinstance(text, str) or "\0" in text or not _is_utf8(text):
            raise InvalidArgumentError(f"{what} are UTF-8 text without NUL, got {value!r}")
        texts.append(text)
    return tuple(texts)


def _is_utf8(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def define_wasi(linker: wasmtime.Linker, functions: HostFunctions) -> None:
    """Define WASI in *linker*, with two functions of our own.

    ``poll_oneoff`` would sleep where no interruption reaches it, and ``proc_exit`` would refuse
    the codes from 126 on.
    """
    linker.define_wasi()
    i32 = wasmtime.ValType.i32()

    def poll_oneoff(
        caller: wasmtime.Caller, subscriptions: int, events: int, count: int, result: int
    ) -> int:
        try:
            return _poll(GuestMemory.of(caller), functions, subscriptions, events, count, result)
        except WasiNnError:
            return _FAULT

    def proc_exit(code: int) -> None:
        raise Exited(unsigned(code))

    linker.allow_shadowing = True
    linker.define_func(
        _WASI,
        "poll_oneoff",
        wasmtime.FuncType([i32] * 4, [i32]),
        functions.guarded(poll_oneoff),
        access_caller=True,
    )
    linker.define_func(
        _WASI, "proc_exit", wasmtime.FuncType([i32], []), functions.guarded(proc_exit)
    )
    linker.allow_shadowing = False


def _poll(
    memory: GuestMemory,
    functions: HostFunctions,
    subscriptions: int,
    events: int,
    count: int,
    result: int,
) -> int:
    """Wait for the first of a guest's events.  Files and streams are always ready."""
    count = unsigned(count)
    raw = memory.read_bytes(subscriptions, _SUBSCRIPTION.size * count, "the subscriptions")
    memory.check(events, _EVENT.size * count, "the events")
    memory.check(result, 4, "the number of events")
    if not 0 < count <= _MAX_SUBSCRIPTIONS:
        return _INVALID
    now = time.monotonic()
    due: list[tuple[float, int, int, int]] = []  # when, user data, error number, kind
    for user, kind, clock, timeout, _, flags in _SUBSCRIPTION.iter_unpack(raw):
        errno, wait = _SUCCESS, 0.0
        if kind > _EVENT_WRITE:
            return _INVALID
        if kind == _EVENT_CLOCK:
            wait = timeout / 1e9
            if flags & _ABSOLUTE and clock == _REALTIME:
                wait -= time.time()
            elif flags & _ABSOLUTE or clock not in {_REALTIME, _MONOTONIC}:
                errno, wait = _UNSUPPORTED, 0.0
        due.append((now + max(wait, 0.0), user, errno, kind))
    first = min(when for when, *_ in due)
    if first > now and functions.stopping.wait(min(first - now, _LONGEST_WAIT)):
        raise Stopped
    happened = b"".join(
        _EVENT.pack(user, errno, kind, 0, 0) for when, user, errno, kind in due if when <= first
    )
    memory.write(events, happened, "the events")
    memory.write_u32(result, len(happened) // _EVENT.size, "the number of events")
    return _SUCCESS


class Files:
    """Tells which files of a guest's writable directories are new or changed.

    Attributes
    ----------
    complete : bool
        Whether there were few enough files to look at all of them.

    Parameters
    ----------
    dirs : sequence of Directory
    """

    def __init__(self, dirs: Iterable[Directory]) -> None:
        self._dirs = [directory for directory in dirs if directory.writable]
        self.complete = True
        self._before = self._states()

    def written(self) -> tuple[Path, ...]:
        """Return the files that are not as they were, sorted."""
        states = self._states()
        return tuple(sorted(p for p, state in states.items() if self._before.get(p) != state))

    def links_out(self, written: Iterable[Path]) -> tuple[Path, ...]:
        """Return those of the *written* files that are links out of the guest's directories."""
        roots = [Path(os.path.realpath(expanded(directory.host))) for directory in self._dirs]
        return tuple(
            path
            for path in written
            if path.is_symlink()
            and not any(Path(os.path.realpath(path)).is_relative_to(root) for root in roots)
        )

    def _states(self) -> dict[Path, tuple[int, ...]]:
        states: dict[Path, tuple[int, ...]] = {}
        for directory in self._dirs:
            for entry in _files(expanded(directory.host)):
                if len(states) >= _MAX_FILES:
                    self.complete = False
                    return states
                try:
                    found = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                states[Path(entry.path)] = (
                    found.st_ino,
                    found.st_size,
                    found.st_mtime_ns,
                    found.st_ctime_ns,
                )
        return states


def _files(folder: Path) -> Iterator[os.DirEntry[str]]:
    """Yield the files below *folder*; links are not followed."""
    folders: list[str | Path] = [folder]
    while folders:
        try:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        yield entry
        except OSError:  # not readable, or gone meanwhile
            continue
