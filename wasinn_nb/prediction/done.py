"""Which images a run has already: a few bytes for each, however long its path is."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.errors import InvalidArgumentError, WasiNnWarning
from wasinn_nb.prediction.items import Stamp
from wasinn_nb.prediction.parts import read_part, write_part
from wasinn_nb.prediction.store import Run

__all__ = ["Done", "Known", "identities"]

_COLUMNS: Final = ("source", "source_bytes", "size", "mtime_ns", "inode", "etag", "sha256")
_ENTRY: Final = np.dtype([("key", "S16"), ("stamp", "<u8"), ("content", "<u8"), ("part", "<i4")])
_NEW: Final = -1
"""In the place of a part: of this session."""

_MOST_RECENT: Final = 1 << 15


class Known(NamedTuple):
    """What is known of an image from its row."""

    stamp: int
    content: int
    """The beginning of its SHA-256; 0 where it could not be read."""
    part: int

    def has_stamp(self, stamp: Stamp) -> bool:
        """Return whether the row was made of a file with this stamp."""
        return self.content != 0 and self.stamp == _stamp_number(stamp)

    def has_content(self, sha256: str) -> bool:
        """Return whether the row was made of this content."""
        return self.content == _content_number(sha256)

    @property
    def is_new(self) -> bool:
        """Whether the row is of this session."""
        return self.part == _NEW


class Done:
    """The images of a run, in about 40 bytes for each.

    Parameters
    ----------
    run : Run
        Its broken parts are put aside, and their images are missing then.
    """

    def __init__(self, run: Run) -> None:
        self._parts: list[Path] = []
        self._sorted = np.empty(0, _ENTRY)
        self._recent: dict[bytes, Known] = {}
        self._replaced: dict[int, set[bytes]] = {}
        waiting: list[NDArray[Any]] = []
        for path in run.parts():
            try:
                table = read_part(path, _COLUMNS)
            except InvalidArgumentError as error:
                aside = path.rename(path.with_name(f"{path.name}.broken"))
                warnings.warn(
                    f"{error}; it is {aside.name} now, and its images are run again",
                    WasiNnWarning,
                    stacklevel=4,
                )
                continue
            waiting.append(_entries(table, len(self._parts)))
            self._parts.append(path)
            if sum(map(len, waiting)) > len(self._sorted):  # sorted a few times, not for each part
                self._merge(*waiting)
                waiting.clear()
        self._merge(*waiting)

    def __len__(self) -> int:
        """Return how many images have a row, or are being run."""
        return len(self._sorted) + len(self._recent)

    def get(self, identity: bytes) -> Known | None:
        """Return what is known of an image; None where it has no row."""
        key = _key(identity)
        if (recent := self._recent.get(key)) is not None:
            return recent
        index = int(np.searchsorted(self._sorted["key"], np.bytes_(key)))
        if index == len(self._sorted) or self._sorted["key"][index] != key:
            return None
        _, stamp, content, part = self._sorted[index].item()
        return Known(stamp, content, part)

    def __contains__(self, identity: object) -> bool:
        """Return whether an image has a row."""
        return isinstance(identity, bytes) and self.get(identity) is not None

    def add(self, identity: bytes) -> None:
        """Note that an image gets a row in this session, in the place of an earlier one."""
        key, known = _key(identity), self.get(identity)
        if known is not None and not known.is_new:
            self._replaced.setdefault(known.part, set()).add(key)
        self._recent[key] = Known(0, 0, _NEW)
        if len(self._recent) >= _MOST_RECENT:
            recent = [(key, *known) for key, known in self._recent.items()]
            self._recent.clear()
            self._merge(np.array(recent, _ENTRY))

    def restore(self, identity: bytes, known: Known) -> None:
        """Take :meth:`add` back: the image has the row still that it had."""
        key = _key(identity)
        self._recent[key] = known
        if key in (keys := self._replaced.get(known.part, set())):
            keys.remove(key)

    def remove_replaced(self) -> None:
        """Write the parts anew that have rows in whose place others are now."""
        for part, keys in self._replaced.items():
            if not keys:
                continue
            path = self._parts[part]
            table = read_part(path)
            kept = [row for row, one in enumerate(identities(table)) if _key(one) not in keys]
            if kept:
                write_part(path.parent, table.take(kept), path.name)
            else:
                path.unlink()
        self._replaced.clear()

    def _merge(self, *chunks: NDArray[Any]) -> None:
        """Take entries; those of images that are here already take the place of the earlier."""
        entries = np.concatenate([self._sorted, *chunks])
        entries = entries[np.argsort(entries["key"], kind="stable")]
        last = np.ones(len(entries), bool)
        last[:-1] = entries["key"][1:] != entries["key"][:-1]
        for key, _, _, part in entries[~last].tolist():
            if part != _NEW:
                self._replaced.setdefault(part, set()).add(key)
        self._sorted = entries[last]


def identities(table: Any) -> Iterator[bytes]:
    """Yield what tells the images of rows apart: `Item.identity`."""
    columns = (table.column(name).to_pylist() for name in ("source", "source_bytes"))
    for source, raw in zip(*columns, strict=True):
        yield source.encode() if raw is None else raw


def _entries(table: Any, part: int) -> NDArray[Any]:
    names = ("size", "mtime_ns", "inode", "etag", "sha256")
    columns = (table.column(name).to_pylist() for name in names)
    rows = zip(identities(table), *columns, strict=True)
    return np.array(
        [
            (
                _key(identity),
                _stamp_number(Stamp(size, mtime_ns, inode, etag)) if sha256 else 0,
                _content_number(sha256) if sha256 else 0,
                part,
            )
            for identity, size, mtime_ns, inode, etag, sha256 in rows
        ],
        _ENTRY,
    )


def _key(identity: bytes) -> bytes:
    # NumPy's byte strings end before zeros: none of these bytes is one.
    return hashlib.blake2b(identity, digest_size=16).digest().replace(b"\0", b"\1")


def _stamp_number(stamp: Stamp) -> int:
    text = repr(tuple(stamp)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def _content_number(sha256: str) -> int:
    return int(sha256[:16], 16) or 1
