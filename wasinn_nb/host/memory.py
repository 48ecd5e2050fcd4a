"""A guest's linear memory, every access checked."""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from typing import Any, Final, TypeAlias

import numpy as np
import wasmtime
from numpy.typing import NDArray

from wasinn_nb.errors import InvalidArgumentError, MissingMemoryError, RuntimeFailure

__all__ = ["Empty", "GuestMemory", "OutsideError", "empty_bytes", "unsigned"]

Empty: TypeAlias = Callable[[int], NDArray[np.uint8]]
"""Returns a new (size,) uint8 array."""

_MASK: Final = 0xFFFF_FFFF
_U32: Final = np.dtype("<u4")


class OutsideError(InvalidArgumentError):
    """Bytes that a guest names lie outside of its memory."""


def unsigned(value: int) -> int:
    """Return an i32 as wasmtime hands it over, which is signed, as the unsigned number it means.

    Examples
    --------
    >>> unsigned(-8) == 2**32 - 8, unsigned(8)
    (True, 8)
    """
    return value & _MASK if value < 0 else value


def empty_bytes(size: int) -> NDArray[np.uint8]:
    """Return a new (size,) uint8 array; what it holds is not defined.

    Examples
    --------
    >>> empty_bytes(3).shape
    (3,)
    """
    return np.empty(size, np.uint8)


class GuestMemory:
    """The memory that a guest exports as ``memory``.

    Pointers and lengths are unsigned 32-bit numbers; negative ones are read as such.  Every access
    is checked against the memory's size of that moment, and nothing is reduced modulo 2³²: a length
    is whatever the caller computed.

    Parameters
    ----------
    memory : wasmtime.Memory
    store : wasmtime.Store or wasmtime.Caller
        Where it lives.

    Examples
    --------
    >>> import wasmtime
    >>> from wasinn_nb.host import GuestMemory
    >>> store = wasmtime.Store()
    >>> page = wasmtime.MemoryType(wasmtime.Limits(1, None))
    >>> memory = GuestMemory(wasmtime.Memory(store, page), store)
    >>> memory.write(65533, b"end", "the text")
    >>> memory.read_bytes(65533, 3, "the text")
    b'end'
    >>> memory.read_bytes(-3, 3, "the text")
    Traceback (most recent call last):
    ...
    wasinn_nb.host.memory.OutsideError: the text: 3 bytes at 0xfffffffd lie outside of the
    guest's memory of 65536 bytes
    """

    __slots__ = ("_memory", "_store")

    def __init__(self, memory: wasmtime.Memory, store: Any) -> None:
        self._memory = memory
        self._store = store

    @classmethod
    def of(cls, caller: wasmtime.Caller) -> GuestMemory:
        """Return the memory of the guest that calls a host function.

        Parameters
        ----------
        caller : wasmtime.Caller

        Raises
        ------
        MissingMemoryError
            If it exports no memory of the name ``memory``.
        """
        memory = caller.get("memory")
        if not isinstance(memory, wasmtime.Memory):
            raise MissingMemoryError("the guest exports no memory of the name 'memory'")
        return cls(memory, caller)

    @property
    def size(self) -> int:
        """The present size in bytes; a guest may let its memory grow between two calls."""
        return int(self._memory.data_len(self._store))

    def check(self, pointer: int, length: int, what: str) -> int:
        """Return *pointer* as an unsigned number if *length* bytes from there lie in the memory.

        Raises
        ------
        InvalidArgumentError
            If they do not; *what* is their name in the message.
        """
        start, count = unsigned(pointer), unsigned(length)
        size = self.size
        if start + count > size:
            raise OutsideError(
                f"{what}: {count} bytes at 0x{start:08x} lie outside of the guest's memory of "
                f"{size} bytes"
            )
        return start

    def _address(self, pointer: int, length: int, what: str) -> int:
        """Return where *length* checked bytes lie; valid until the guest runs again."""
        start = self.check(pointer, length, what)
        # Asked for at every access: the memory moves when it grows.
        return ctypes.addressof(self._memory.data_ptr(self._store).contents) + start

    def read(
        self, pointer: int, length: int, what: str, *, empty: Empty = empty_bytes
    ) -> NDArray[np.uint8]:
        """Return a copy of *length* bytes, made at one go, as a read-only (length,) uint8 array.

        Parameters
        ----------
        pointer, length : int
        what : str
            What they are, for the error.
        empty : callable
            Returns the array to copy to.

        Raises
        ------
        InvalidArgumentError
            If they lie outside of the memory.
        RuntimeFailure
            If the host has no room for the copy.
        """
        count = unsigned(length)
        self.check(pointer, count, what)
        try:
            copy = empty(count)
        except MemoryError as error:
            raise RuntimeFailure(f"{what}: the host has no room for {count} bytes") from error
        if count:
            ctypes.memmove(copy.ctypes.data, self._address(pointer, count, what), count)
        copy.flags.writeable = False
        return copy

    def read_bytes(self, pointer: int, length: int, what: str) -> bytes:
        """Return a copy of *length* bytes.

        Parameters
        ----------
        pointer, length, what
            As for :meth:`read`; so are the errors.
        """
        count = unsigned(length)
        self.check(pointer, count, what)
        if not count:
            return b""
        try:
            return ctypes.string_at(self._address(pointer, count, what), count)
        except MemoryError as error:
            raise RuntimeFailure(f"{what}: the host has no room for {count} bytes") from error

    def read_u32(self, pointer: int, count: int, what: str) -> tuple[int, ...]:
        """Return *count* little-endian u32 values.

        Parameters
        ----------
        pointer, count : int
        what : str
            As for :meth:`read`; so are the errors.
        """
        raw = self.read(pointer, 4 * unsigned(count), what)
        return tuple(raw.view(_U32).tolist())

    def view(self, pointer: int, length: int, what: str) -> NDArray[np.uint8]:
        """Return *length* bytes of the memory itself, as a (length,) uint8 array to write to.

        It is valid until the guest runs again: drop it before the host function returns.

        Parameters
        ----------
        pointer, length, what
            As for :meth:`read`.

        Raises
        ------
        InvalidArgumentError
            If they lie outside of the memory.
        """
        count = unsigned(length)
        self.check(pointer, count, what)
        if not count:
            return np.empty(0, np.uint8)
        address = self._address(pointer, count, what)
        there = (ctypes.c_ubyte * count).from_address(address)
        return np.frombuffer(memoryview(there), np.uint8)

    def write(self, pointer: int, data: Any, what: str) -> None:
        """Write bytes, or an array's bytes, at one go.

        Parameters
        ----------
        pointer : int
        data : bytes or array
        what : str
            What they are, for the error.

        Raises
        ------
        InvalidArgumentError
            If they do not fit into the memory; then nothing is written.
        """
        source = np.frombuffer(data, np.uint8)
        self.view(pointer, source.size, what)[:] = source

    def write_u32(self, pointer: int, value: int, what: str) -> None:
        """Write a little-endian u32.

        Parameters
        ----------
        pointer, value : int
        what : str
            As for :meth:`write`; so are the errors.
        """
        self.write(pointer, value.to_bytes(4, "little"), what)


if sys.byteorder != "little":  # pragma: no cover - wasmtime runs on s390x too
    raise ImportError("wasinn_nb.host hands tensors over as they lie in little-endian memory")
