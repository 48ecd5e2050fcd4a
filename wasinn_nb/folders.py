"""Folders that are written whole or not at all."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wasinn_nb.errors import InvalidArgumentError, UnwritableError
from wasinn_nb.files import is_folder, refuse_other_kind
from wasinn_nb.wording import listed

__all__ = ["check_new", "staged"]


def check_new(folder: Path) -> None:
    """Refuse a folder that is there and not empty.

    Raises
    ------
    InvalidArgumentError
        If something lies there.
    UnwritableError
        If it cannot be looked into.
    """
    if not os.path.lexists(folder):
        return
    if not is_folder(folder):
        raise InvalidArgumentError(f"expected a new folder to write to, {folder} is a file")
    try:
        there = sorted(entry.name for entry in folder.iterdir())
    except OSError as error:
        raise _unwritable(folder, error) from error
    if there:
        raise InvalidArgumentError(
            f"expected a new or an empty folder, {folder} holds "
            f"{listed(there, 3)}; name another one, or remove it first"
        )


@contextmanager
def staged(folder: Path, last: str) -> Iterator[Path]:
    """Yield a folder whose content *folder* gets at the end, the file *last* after all others.

    After an error, *folder* is as it was.
    """
    new = not folder.exists()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        # In the folder itself: it may be a device that is mounted there.
        stage = Path(tempfile.mkdtemp(prefix=".unfinished-", dir=folder))
    except OSError as error:
        raise _unwritable(folder, error) from error
    try:
        try:
            yield stage
            for path in sorted(stage.iterdir(), key=lambda path: path.name == last):
                path.rename(folder / path.name)
        except OSError as error:
            raise _unwritable(folder, error) from error
    except BaseException:
        for path in (folder if new else stage,):
            shutil.rmtree(path, ignore_errors=True)
        raise
    stage.rmdir()


def _unwritable(folder: Path, error: OSError) -> UnwritableError:
    refuse_other_kind(folder)
    return UnwritableError(
        f"{folder} cannot be written: {error.strerror or error}. Make room, check the permissions "
        f"of the folder, or name another one"
    )
