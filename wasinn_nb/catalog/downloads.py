"""Fetching the files of a model: all of them or none, checked, resumed where the last call ended.

Bytes arrive in a staging folder, as ``NAME.part`` until their hash is right; when every file is
whole, the folder is renamed to its final place.  What a broken connection leaves there is completed
by the next call.
"""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from wasinn_nb import settings
from wasinn_nb.cards import ModelFile
from wasinn_nb.catalog.hashes import are_whole, sha384_now
from wasinn_nb.catalog.transfer import OTHERWISE, receive
from wasinn_nb.errors import DownloadError, HashMismatchError, InvalidArgumentError
from wasinn_nb.progress import Progress, progress_bar
from wasinn_nb.wording import bytes_text

if TYPE_CHECKING:
    from filelock import BaseFileLock

__all__ = ["TIMEOUT", "fetch_files"]

TIMEOUT: Final = 30.0
"""Seconds without data after which a server counts as stalled."""

_MAX_TIMEOUT: Final = 86_400


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
            f"that, {OTHERWISE} ({folder.parent.name}/{folder.name}/ there):{addresses}"
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
            resumed = receive(file, part, bar, timeout)
        except HashMismatchError:
            part.unlink()
            raise
        got = sha384_now(part)  # not a remembered one: two attempts may be of one instant
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
                f"it was removed; call again later, {OTHERWISE}"
            )
        # The first part may be of another version of the file: once more, from the start.


# ------------------------------------------------------------------------------------- folders


@contextmanager
def _claimed(staging: Path, patience: float) -> Iterator[Path]:
    """Make *staging* and keep others out of it; yield it, or a private folder if that fails."""
    from filelock import FileLock

    staging.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(staging.with_name(f"{staging.name}.lock"))
    if _locked(lock, staging, patience):
        try:
            staging.mkdir(exist_ok=True)
            yield staging
        finally:
            with suppress(OSError):  # gone, or not empty: it is for the next call
                staging.rmdir()
            lock.release()
    else:
        with tempfile.TemporaryDirectory(dir=staging.parent, prefix=".private-") as private:
            mine = Path(private) / staging.name
            mine.mkdir()
            yield mine


def _locked(lock: BaseFileLock, staging: Path, patience: float) -> bool:
    """Wait for *lock* as long as the process that holds it makes progress in *staging*."""
    from filelock import Timeout

    before, end = -1, 0.0
    while True:
        try:
            lock.acquire(blocking=False)
        except Timeout:
            now = _size_of(staging)
            if now != before:
                before, end = now, time.monotonic() + patience
            elif time.monotonic() > end:
                return False
            time.sleep(0.05)
        except (OSError, NotImplementedError):  # a file system without locks
            return False
        else:
            return True


def _size_of(staging: Path) -> int:
    """Return how many bytes there are so far; another number where they are being moved."""
    try:
        return sum(entry.stat().st_size for entry in staging.iterdir())
    except OSError:  # gone between two calls, or not there yet
        return -2


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
