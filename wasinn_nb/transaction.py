"""Files that are whole or not there, and sets of files that change together.

`atomic` writes one file.  `write_files` writes a set, which after a crash is all old, or all new.

A set of files has a *head*: a JSON file that names each other file, the members, with its SHA-256:
as ``"sha256": {"NAME": "..."}``, or, for the one member ``NAME`` of ``NAME.json``, as
``"sha256": "..."``.  The names of the members of ``STEM.json`` begin with ``STEM-`` or ``STEM.``.
A save goes in three steps:

1. each member is written as ``.NAME.<first 8 digits of its SHA-256>.new`` beside its place;
2. the head is replaced by renaming: from here on the new set counts;
3. the members get their own names.

Who reads takes, for each member, the file whose SHA-256 the head names: the one with the member's
name, or, where a save ended between the second and the third step, the one beside it.

Nothing follows a link: a link with the name of a member or a head is replaced, its target is not
touched.  While a file is written its name is hidden, begins with a dot, and ends in ``.new``; what
killed processes left of such files is removed by the next one that writes in the folder.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import re
import secrets
import stat
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, TypeAlias

from wasinn_nb.errors import MissingFileError, UnwritableError, WasiNnError
from wasinn_nb.files import expanded, refuse_other_kind

__all__ = ["Contents", "atomic", "folder_lock", "read_member", "settle", "write_files"]

Contents: TypeAlias = bytes | memoryview
"""What a file will hold."""

_UNFINISHED: Final = re.compile(
    r"\.(?:(?P<member>.+)\.[0-9a-f]{8}|(?P<single>[0-9a-f]{16}))\.new\Z", re.DOTALL
)
"""Files that are being written: members and heads of sets, and single ones."""

_STALE: Final = 3600.0
"""Seconds after which nobody writes to a single file any more."""

_swept: Final[set[Path]] = set()
"""Folders in which this process removed what others had left."""

_ATTEMPTS: Final = 5
"""How often a reader looks again while another process moves a file to its name."""


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path that becomes *path* when the block ends without an error.

    The temporary file lies in the same folder, so that the final rename is atomic; after an error
    it is removed and *path* is as it was.  Missing parent folders are made, and a leading ``~`` is
    expanded.  A symbolic link is replaced; the file that it leads to is not touched.

    Raises
    ------
    UnwritableError
        If the folder or the file cannot be written: there is no room, or no permission.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic(folder / "a.txt") as temporary:
    ...     _ = temporary.write_text("whole")
    >>> [entry.name for entry in folder.iterdir()]
    ['a.txt']
    """
    final = expanded(path)
    # Unlike mkstemp's private files, this one gets the permissions of any other new file.
    temporary = final.with_name(f".{secrets.token_hex(8)}.new")
    try:
        final.parent.mkdir(parents=True, exist_ok=True)
        if final.parent not in _swept:
            if _unfinished(final.parent):
                with folder_lock(final.parent):
                    _sweep(final.parent)
            _swept.add(final.parent)
        temporary.touch(exist_ok=False)
        try:
            yield temporary
            temporary.replace(final)
        finally:
            temporary.unlink(missing_ok=True)
    except WasiNnError:
        raise
    except OSError as error:
        refuse_other_kind(final.parent, final)
        raise UnwritableError(
            f"{final} cannot be written: {error.strerror or error}; what was there before is "
            f"unchanged. Make room, check the permissions of the folder, or write to another one"
        ) from error


@contextmanager
def folder_lock(folder: Path) -> Iterator[None]:
    """Keep other processes that save from this folder until the block ends.

    Parameters
    ----------
    folder : Path
        It exists.
    """
    try:
        import fcntl

        descriptor = os.open(folder, os.O_RDONLY)
    except ImportError:  # Windows
        with _lock_file(folder):
            yield
        return
    try:
        try:
            # The folder itself is locked, so that no file remains in it.
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        except OSError:  # NFS: only what is open for writing
            with _lock_file(folder):
                yield
        else:
            yield
    finally:
        os.close(descriptor)


@contextmanager
def _lock_file(folder: Path) -> Iterator[None]:
    from filelock import FileLock

    with FileLock(folder / ".wasinn_nb.lock"):
        yield


def write_files(
    folder: Path, head: str, contents: Contents, members: Mapping[str, Contents]
) -> None:
    """Write a head and its members, so that they change together.

    Parameters
    ----------
    folder : Path
        Made when it is missing.
    head : str
        The name of the file that names the members with their SHA-256.
    contents : bytes
        Of the head.
    members : mapping
        File name → bytes.  A name begins with the head's stem.

    Raises
    ------
    UnwritableError
        If the folder or a file cannot be written; what was there is unchanged.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> write_files(folder, "a.json", b"{}", {"a-1.txt": b"text"})
    >>> sorted(path.name for path in folder.iterdir())
    ['a-1.txt', 'a.json']
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with folder_lock(folder):
            _refuse_folders(folder, [head, *members])
            _finish(folder, head)
            if folder not in _swept:  # listing a folder of 100,000 files takes its time
                _sweep(folder)
                _swept.add(folder)
            pending = {name: _new_path(folder, name, data) for name, data in members.items()}
            new_head = _new_path(folder, head, contents)
            try:
                for name, data in members.items():
                    _write_new(pending[name], data)
                _write_new(new_head, contents)
                _sync_folder(folder)
                new_head.replace(folder / head)  # here the new set begins to count
            except BaseException:
                for path in (*pending.values(), new_head):
                    path.unlink(missing_ok=True)
                raise
            _sync_folder(folder)
            for name, path in pending.items():
                path.replace(folder / name)
    except OSError as error:
        refuse_other_kind(folder, folder / head)
        raise UnwritableError(
            f"{folder / head}: {error.strerror or error}; what was saved before is unchanged. "
            f"Make room, check the permissions of the folder, or save to another one"
        ) from error


def settle(folder: Path, head: str) -> None:
    """Finish what an interrupted save of this set left, if there is anything.

    Parameters
    ----------
    folder : Path
    head : str
        The name of the file that names the members.  It need not exist, nor the folder be
        writable.
    """
    if _waiting(folder, head):
        with suppress(OSError), folder_lock(folder):
            _finish(folder, head)


def read_member(folder: Path, name: str, sha256: str) -> bytes | None:
    """Return the bytes of a member that have this SHA-256, or None where no file has it.

    Where a save was interrupted before the member got its name, the name is given now, if the
    folder can be written.

    Parameters
    ----------
    folder : Path
    name : str
        A plain file name.
    sha256 : str
        In hexadecimal, as the head states it.

    Raises
    ------
    MissingFileError
        If neither the file nor one that waits for its name is there.
    """
    named, waiting = folder / name, _waiting_path(folder, name, sha256)
    found = False
    for _ in range(_ATTEMPTS):
        for path in (named, waiting):
            data = _regular_bytes(path)
            found = found or data is not None
            if data is None or hashlib.sha256(data).hexdigest() != sha256:
                continue
            if path is waiting:
                with suppress(OSError), folder_lock(folder):
                    waiting.replace(named)
            return data
    if not found:
        raise MissingFileError(
            f"no {name} in {folder} (it belongs to the result); copy all files of a result, or "
            f"save it again"
        )
    return None


def _regular_bytes(path: Path) -> bytes | None:
    """Return what a regular file holds, or None where there is none."""
    try:
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    except (OSError, ValueError):  # ValueError: a NUL in the name
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        return None
    with os.fdopen(descriptor, "rb") as file:
        return file.read()


def _refuse_folders(folder: Path, names: Iterable[str]) -> None:
    """Raise IsADirectoryError where a folder has one of the names, which no file can replace."""
    for name in names:
        if (path := folder / name).is_dir() and not path.is_symlink():
            raise IsADirectoryError(errno.EISDIR, f"{name} is a folder")


def _waiting(folder: Path, head: str) -> dict[Path, str]:
    """Return the files that wait for their names, with the SHA-256 that they should have."""
    stated = _stated_hashes(folder / head)
    waiting = {_waiting_path(folder, name, one): one for name, one in stated.items()}
    return {path: one for path, one in waiting.items() if path.is_file()}


def _finish(folder: Path, head: str) -> None:
    """Give the waiting members of a set their names; the folder is locked."""
    for path, sha256 in _waiting(folder, head).items():
        data, match = _regular_bytes(path), _UNFINISHED.fullmatch(path.name)
        if data is not None and match and hashlib.sha256(data).hexdigest() == sha256:
            path.replace(folder / match["member"])


def _waiting_path(folder: Path, name: str, sha256: str) -> Path:
    return folder / f".{name}.{sha256[:8]}.new"


def _new_path(folder: Path, name: str, data: Contents) -> Path:
    return _waiting_path(folder, name, hashlib.sha256(data).hexdigest())


def _write_new(path: Path, data: Contents) -> None:
    path.unlink(missing_ok=True)  # of a save that was interrupted, or a link
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_NOFOLLOW", 0)
    descriptor = os.open(path, flags | getattr(os, "O_BINARY", 0), 0o666)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def _sync_folder(folder: Path) -> None:
    """Make the names of a folder last, where the system can."""
    if os.name != "nt":
        descriptor = os.open(folder, os.O_RDONLY)
        with suppress(OSError):
            os.fsync(descriptor)
        os.close(descriptor)


def _unfinished(folder: Path) -> list[tuple[Path, str | None]]:
    """Return the files that are being written, or were, each with the member that it shall be."""
    matches = ((path, _UNFINISHED.fullmatch(path.name)) for path in folder.iterdir())
    return [(path, match["member"]) for path, match in matches if match is not None]


def _sweep(folder: Path) -> None:
    """Finish what interrupted saves left, or remove it; the folder is locked."""
    for path, name in _unfinished(folder):
        if name is None:
            with suppress(OSError):  # gone, or another user's
                if time.time() - path.stat().st_mtime > _STALE:  # its writers take no lock
                    path.unlink()
            continue
        data = _regular_bytes(path)
        sha256 = None if data is None else hashlib.sha256(data).hexdigest()
        # The stem of a head is the beginning of its members' names.
        ends = [*(dot.start() for dot in re.finditer(r"[-.]", name)), len(name)]
        heads = (folder / f"{name[:end]}.json" for end in ends)
        if sha256 is not None and any(_stated_hashes(head).get(name) == sha256 for head in heads):
            path.replace(folder / name)  # the set that counts waited for it
        else:
            path.unlink(missing_ok=True)


def _stated_hashes(head: Path) -> dict[str, str]:
    """Return member → SHA-256 as a head states them; empty where there is none."""
    try:
        stated = json.loads(_regular_bytes(head) or b"{}").get("sha256")
    except (ValueError, AttributeError, RecursionError):
        return {}
    if isinstance(stated, str):  # the sidecar of one tensor
        stated = {head.name.removesuffix(".json"): stated}
    if not isinstance(stated, dict):
        return {}
    plain = {name: one for name, one in stated.items() if isinstance(one, str)}
    return {name: one for name, one in plain.items() if Path(name).name == name}
