"""Flatbuffers of unknown origin: tables read by field number, every position checked."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from wasinn_nb.errors import RuntimeFailure

__all__ = ["FlatTable", "checked_flatbuffer"]

_MAX_ENTRIES: Final = 1 << 16
_MAX_FIELDS: Final = 1 << 10  # in bytes, two for each; the longest table has some 40


@contextmanager
def checked_flatbuffer(what: str) -> Iterator[None]:
    """Turn every failure to read a flatbuffer inside the block into RuntimeFailure."""
    try:
        yield
    except (struct.error, ValueError, TypeError, IndexError, OverflowError) as error:
        raise RuntimeFailure(
            f"the {what} is corrupted or malformed ({error}): fetch or convert the model again"
        ) from error


class FlatTable:
    """A table of a flatbuffer, read without the code that is made from its schema.

    Fields are numbered as the schema lists them.  A position outside the buffer raises an error
    that :func:`checked_flatbuffer` translates.

    Parameters
    ----------
    content : bytes
        The whole buffer.
    position : int
        Where the table begins: with the distance back to the list of its fields' places.
    """

    __slots__ = ("_content", "_places", "_position")

    def __init__(self, content: bytes, position: int) -> None:
        fields = position - struct.unpack_from("<i", content, position)[0]
        if fields < 0:
            raise ValueError(f"a table at byte {position} with fields at byte {fields}")
        length, size = struct.unpack_from("<HH", content, fields)
        if not 4 <= length <= _MAX_FIELDS or length % 2 or position + size > len(content):
            raise ValueError(f"a table of {size} bytes at byte {position}")
        places = struct.unpack_from(f"<{length // 2 - 2}H", content, fields + 4)
        if max(places, default=0) >= size:
            raise ValueError(f"a field outside the table at byte {position}")
        self._content = content
        self._position = position
        self._places: tuple[int, ...] = places

    @classmethod
    def root(cls, content: bytes) -> FlatTable:
        """Return the root table of a buffer."""
        return cls(content, struct.unpack_from("<I", content)[0])

    def number(self, field: int, kind: str, default: int = 0) -> Any:
        """Return a number; *kind* is its letter in `struct`."""
        at = self._at(field)
        return struct.unpack_from(f"<{kind}", self._content, at)[0] if at else default

    def text(self, field: int) -> str:
        """Return a string; "" where there is none."""
        at = self._at(field)
        if not at:
            return ""
        start, length = self._vector(at, 1)
        if length > _MAX_ENTRIES:
            raise ValueError(f"a string of {length} bytes")
        return self._content[start : start + length].decode(errors="replace")

    def table(self, field: int) -> FlatTable | None:
        """Return a table; None where there is none."""
        at = self._at(field)
        return FlatTable(self._content, self._target(at)) if at else None

    def tables(self, field: int) -> Iterator[FlatTable]:
        """Yield the tables of a vector."""
        at = self._at(field)
        start, length = self._vector(at, 4) if at else (0, 0)
        for index in range(length):
            yield FlatTable(self._content, self._target(start + 4 * index))

    def entry(self, field: int, index: int) -> FlatTable:
        """Return one table of a vector."""
        at = self._at(field)
        start, length = self._vector(at, 4) if at else (0, 0)
        if not 0 <= index < length:
            raise IndexError(f"entry {index} of {length}")
        return FlatTable(self._content, self._target(start + 4 * index))

    def count(self, field: int, itemsize: int = 4) -> int:
        """Return the length of a vector of tables, or of numbers of *itemsize* bytes."""
        at = self._at(field)
        return self._vector(at, itemsize)[1] if at else 0

    def numbers(self, field: int, kind: str) -> tuple[Any, ...]:
        """Return a vector of at most 65536 numbers; *kind* is their letter in `struct`."""
        at = self._at(field)
        start, length = self._vector(at, struct.calcsize(f"<{kind}")) if at else (0, 0)
        if length > _MAX_ENTRIES:
            raise ValueError(f"a list of {length} numbers")
        return struct.unpack_from(f"<{length}{kind}", self._content, start)

    def data(self, field: int) -> bytes:
        """Return a vector of bytes."""
        at = self._at(field)
        start, length = self._vector(at, 1) if at else (0, 0)
        return self._content[start : start + length]

    def _at(self, field: int) -> int:
        """Return the position of a field; 0 where the table lacks it."""
        place = self._places[field] if field < len(self._places) else 0
        return self._position + place if place else 0

    def _target(self, at: int) -> int:
        """Return the position that the offset at *at* leads to."""
        return at + int(struct.unpack_from("<I", self._content, at)[0])

    def _vector(self, at: int, itemsize: int) -> tuple[int, int]:
        """Return start and length of the vector that the field at *at* points to."""
        start = self._target(at)
        (length,) = struct.unpack_from("<I", self._content, start)
        if start + 4 + length * itemsize > len(self._content):
            raise ValueError(f"a vector of {length} entries at byte {start}")
        return start + 4, length
