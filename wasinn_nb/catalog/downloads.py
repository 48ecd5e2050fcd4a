"""Fetching the files of a model: all of them or none, checked, resumed where the last call ended.

pooch speaks HTTP and hashes; this module decides what becomes visible.  Bytes arrive in a staging
folder, as ``NAME.part`` until their hash is right; when every file is whole, the folder is renamed
to its final place.  What a broken connection leaves there is taken up by the next call.
"""

from __future__ import annotations

import functools
import hashlib
import re
import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any, Final, Self

from wasinn_nb import settings
from wasinn_nb.cards import ModelFile
from wasinn_nb.errors import DownloadError, HashMismatchError, InvalidArgumentError
from wasinn_nb.progress import Progress, progress_bar
from wasinn_nb.wording import bytes_text

__all__ = ["TIMEOUT", "are_whole", "fetch_files", "sha384"]

TIMEOUT: Final = 30.0
"""Seconds without data after which a server counts as stalled."""

_MAX_TIMEOUT: Final = 86_400
_CHUNK: Final = 8192
_OTHERWISE: Final = "or put the files into a directory of WASINN_NB_PATH yourself"


def sha384(path: Path) -> str:
    """Return the SHA-384 of the file's bytes in hexadecimal; remembered until the file changes."""
    stat = path.stat()
    return _remembered(path, stat.st_ino, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _remembered(path: Path, *_changes: int) -> str:
    return _sha384(path)


def _sha384(path: Path) -> str:
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha384").hexdigest()


def are_whole(files: Sequence[ModelFile], folder: Path) -> bool:
    """Return whether *folder* holds every one of *files* with its size and its SHA-384."""
    try:
        return all(
            (folder / file.name).stat().st_size == file.bytes
            and sha384(folder / file.name) == file.sha384
            for file in files
        )
    except OSError:  # not there, or not readable
        return False


def fetch_files(
    files: Sequence[ModelFile],
    folder: Path,
    staging: Path,
    *,
    progress: Progress = True,
    timeout: float = TIMEOUT,
) -> tuple[Path, ...]:
    """Fetch *files* into *folder*, where they appear together; return their paths.

    Processes and threads that fetch the same files at the same time wait for one another.

    Parameters
    ----------
    files : sequence of ModelFile
        Each with its address.
    folder : Path
        Where they will lie.  Whatever lies there and is not these files is replaced.
    staging : Path
        A folder on the same file system for what is half done; kept after a failure.
    progress : bool or callable
        Show a bar in a terminal or notebook; or call ``progress(so_far, in_all)`` with bytes.
    timeout : float
        Seconds without data (8 KiB, or the next byte) after which the server counts as stalled.

    Raises
    ------
    DownloadError
        If ``WASINN_NB_OFFLINE`` forbids it, the server refuses, stalls or ends early, or the disk
        does not take the files.
    HashMismatchError
        If what arrives is not what the card describes.
    """
    if not isinstance(timeout, int | float) or not 0 < timeout <= _MAX_TIMEOUT:
        raise InvalidArgumentError(
            f"expected a timeout above 0 and up to {_MAX_TIMEOUT} seconds, got {timeout!r:.80}"
        )
    final = tuple(folder / file.name for file in files)
    if are_whole(files, folder):
        return final
    if settings.offline():
        addresses = "".join(f"\n  {file.url}" for file in files)
        raise DownloadError(
            f"{files[0].name} is not here and WASINN_NB_OFFLINE forbids to download it; unset "
            f"that, {_OTHERWISE} ({folder.parent.name}/{folder.name}/ there):{addresses}"
        )
    try:
        with _claimed(staging, timeout) as mine:
            if not are_whole(files, folder):  # another process may have been quicker
                bar = progress_bar(
                    progress=progress,
                    total=sum(file.bytes for file in files),
                    desc=Path(files[0].name).stem,
                    unit="B",
                    unit_scale=True,
                )
                with bar:
                    for file in files:
                        _fetch_one(file, mine, bar, timeout)
                _publish(files, mine, folder)
    except DownloadError:
        raise
    except OSError as error:
        raise DownloadError(
            f"{files[0].name} cannot be stored in {folder}: {error.strerror or error}; "
            f"it takes {bytes_text(sum(file.bytes for file in files))}: make room and check the "
            f"permissions there, or set WASINN_NB_CACHE to another folder"
        ) from error
    return final


# ------------------------------------------------------------------------------------ one file


def _fetch_one(file: ModelFile, folder: Path, bar: Any, timeout: float) -> None:
    done, part = folder / file.name, folder / f"{file.name}.part"
    if are_whole([file], folder):
        bar.update(file.bytes)
        return
    while True:
        try:
            resumed = _receive(file, part, bar, timeout)
        except HashMismatchError:
            part.unlink()
            raise
        got = _sha384(part)  # not a remembered one: two attempts may be of one instant
        if got == file.sha384:
            part.replace(done)
            return
        part.unlink()
        bar.update(-file.bytes)
        if not resumed:
            raise HashMismatchError(
                f"{file.url} is not the file that the catalog describes:\n"
                f"  expected SHA-384 {file.sha384}\n"
                f"  got      SHA-384 {got}\n"
                f"it was removed; call again later, {_OTHERWISE}"
            )
        # The first part may be of another version of the file: once more, from the start.


def _receive(file: ModelFile, part: Path, bar: Any, timeout: float) -> bool:
    """Complete *part*; return whether it began with bytes of an earlier call."""
    import requests
    import urllib3
    from pooch import HTTPDownloader

    with part.open("ab") as opened, _Receiver(file, opened, bar, timeout) as receiver:
        if receiver.received == file.bytes:
            return True
        start = receiver.received
        headers = {"Accept-Encoding": "identity"} | ({"Range": f"bytes={start}-"} if start else {})
        download = HTTPDownloader(
            chunk_size=_CHUNK,
            timeout=timeout,
            headers=headers,
            hooks={"response": receiver.begin},
        )
        try:
            download(file.url, receiver, None)
        except _CannotResumeError:
            receiver.restart()
        except (requests.RequestException, urllib3.exceptions.HTTPError) as error:
            raise DownloadError(_explain(error, file, receiver, timeout)) from error
        else:
            receiver.end()
            return receiver.resumed
    return _receive(file, part, bar, timeout)


class _CannotResumeError(Exception):
    """The server has no such range of the file."""


class _Receiver:
    """What pooch writes a file to: counts, limits and watches what arrives."""

    def __init__(self, file: ModelFile, opened: IO[bytes], bar: Any, timeout: float) -> None:
        self.file, self.opened, self.bar, self.timeout = file, opened, bar, timeout
        self.received = opened.tell()
        self.resumed = False
        self.stalled = False
        self.expected: int | None = None
        self.response: Any = None
        self.over = threading.Event()
        bar.update(self.received)
        if self.received > file.bytes:
            self.restart()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        if self.response is not None:
            self.response.close()

    def restart(self) -> None:
        self.bar.update(-self.received)
        self.received = 0
        self.opened.truncate(0)

    def begin(self, response: Any, **_: object) -> None:
        """Look at the headers of *response* (a hook of requests)."""
        if response.is_redirect:
            return
        self.response = response
        length = response.headers.get("content-length", "0")
        if not length.isdecimal():
            raise DownloadError(f"{self.file.url}: the server sent the length {length!r:.80}")
        if self.received and response.status_code == 416:
            raise _CannotResumeError
        if not response.ok:
            return  # pooch raises
        if self.received and response.status_code == 206:
            said = re.match(r"bytes (\d+)-", response.headers.get("content-range", ""))
            if said is None or int(said[1]) != self.received:
                raise _CannotResumeError
            self.resumed = True
        elif self.received:
            self.restart()
        if "content-length" in response.headers:
            self.expected = self.received + int(length)
        threading.Thread(target=self._watch, daemon=True).start()

    def _watch(self) -> None:
        """End a response that drips: each byte in time, and yet no end in sight."""
        seen = -1
        while not self.over.wait(self.timeout):
            if self.received == seen:
                self.stalled = True
                # An old urllib3 cannot be interrupted; the connection may just have ended.
                with suppress(AttributeError, RuntimeError, ValueError, OSError):
                    self.response.raw.shutdown()
                return
            seen = self.received

    def write(self, chunk: bytes) -> int:
        self.opened.write(chunk)
        self.received += len(chunk)
        self.bar.update(len(chunk))
        if self.received > self.file.bytes:
            self._refuse("more")
        return len(chunk)

    def flush(self) -> None:
        """Do nothing: pooch asks for it after every chunk, the file is closed soon enough."""

    def end(self) -> None:
        """Check the size after the server said that this was all."""
        if self.received == self.file.bytes:
            return
        if self.received == self.expected:
            self._refuse(str(self.received))
        raise DownloadError(_explain(None, self.file, self, self.timeout))

    def _refuse(self, got: str) -> None:
        self.restart()
        raise HashMismatchError(
            f"{self.file.url} is not the file that the catalog describes: expected "
            f"{self.file.bytes} bytes, got {got}; it was removed; call again later, {_OTHERWISE}"
        )


def _explain(error: Exception | None, file: ModelFile, receiver: _Receiver, timeout: float) -> str:
    import requests

    so_far = f"{receiver.received} of {file.bytes} bytes"
    again = "call again to go on from there"
    if isinstance(error, requests.HTTPError) and error.response is not None:
        why = f"the server answered {error.response.status_code} {error.response.reason}"
        again = "call again later"
    elif receiver.stalled or isinstance(error, requests.Timeout) or _is_timeout(error):
        why = f"the server sent nothing for {timeout:g} s, after {so_far}"
    elif receiver.response is not None:
        why = f"the connection ended after {so_far}"
    else:
        why = f"no connection: {_root(error)}"
        again = "check the network and call again"
    return f"{file.url} could not be fetched: {why}; {again}, {_OTHERWISE}"


def _is_timeout(error: Exception | None) -> bool:
    """Return whether requests reports a time-out in the middle of a body, as it does."""
    import urllib3

    timeout = urllib3.exceptions.TimeoutError
    return any(isinstance(argument, timeout) for argument in getattr(error, "args", ()))


def _root(error: BaseException | None) -> str:
    """Return the operating system's words for *error*, whatever is wrapped around them."""
    words, inner = str(error), error
    while inner is not None:
        if isinstance(inner, OSError) and inner.strerror:
            return inner.strerror
        inner = inner.__cause__ or inner.__context__
    return words


# ------------------------------------------------------------------------------------- folders


@contextmanager
def _claimed(staging: Path, patience: float) -> Iterator[Path]:
    """Make *staging* and keep others out of it; yield it, or a private folder if that fails."""
    staging.parent.mkdir(parents=True, exist_ok=True)
    with staging.with_name(f"{staging.name}.lock").open("ab") as lock:
        if _locked(lock, staging, patience):
            staging.mkdir(exist_ok=True)
            try:
                yield staging
            finally:
                with suppress(OSError):  # gone, or not empty: it is for the next call
                    staging.rmdir()
        else:
            with tempfile.TemporaryDirectory(dir=staging.parent, prefix=".private-") as private:
                mine = Path(private) / staging.name
                mine.mkdir()
                yield mine


def _locked(lock: IO[bytes], staging: Path, patience: float) -> bool:
    """Wait for *lock* as long as whoever holds it gets on with its work in *staging*."""
    seen, end = -1, 0.0
    while True:
        try:
            _lock(lock)
        except (BlockingIOError, PermissionError):
            now = _size_of(staging)
            if now != seen:
                seen, end = now, time.monotonic() + patience
            elif time.monotonic() > end:
                return False
            time.sleep(0.05)
        except OSError:  # a file system without locks
            return False
        else:
            return True


def _size_of(staging: Path) -> int:
    """Return how many bytes there are so far; another number where they are being moved."""
    try:
        return sum(entry.stat().st_size for entry in staging.iterdir())
    except OSError:  # gone between two calls, or not there yet
        return -2


def _lock(lock: IO[bytes]) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)


def _publish(files: Sequence[ModelFile], staging: Path, folder: Path) -> None:
    folder.parent.mkdir(parents=True, exist_ok=True)
    if folder.exists() and not are_whole(files, folder):
        with tempfile.TemporaryDirectory(dir=staging.parent, prefix=".old-") as old:
            folder.rename(Path(old) / folder.name)
    try:
        staging.rename(folder)
    except OSError:
        if not are_whole(files, folder):
            raise
        shutil.rmtree(staging)  # another process was quicker: its files are the same
