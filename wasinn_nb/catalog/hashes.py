"""Whether files are, byte for byte, those that a card describes."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Sequence
from pathlib import Path

from wasinn_nb.cards import ModelFile

__all__ = ["are_whole", "sha384", "sha384_now"]


def sha384(path: Path) -> str:
    """Return the SHA-384 of the file's bytes in hexadecimal; remembered until the file changes."""
    stat = path.stat()
    return _remembered(path, stat.st_ino, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=256)
def _remembered(path: Path, *_changes: int) -> str:
    return sha384_now(path)


def sha384_now(path: Path) -> str:
    """Return the SHA-384 of the file's bytes in hexadecimal; computed on every call."""
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
