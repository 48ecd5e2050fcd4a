"""Loops in WebAssembly, where wasmtime is installed: compiled once, run in instances of their own.

WebAssembly computes the same on every processor.  No module of anybody else runs here: the
instructions are read as text, from the ``.wat`` files beside this one.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import wasmtime

__all__ = ["PAD", "Instance", "Loops", "loops"]

PAD: Final = 64
"""Bytes that may be read and written beyond the end of what has a place."""
_MOST_BYTES: Final = 1 << 30
_MOST_KEPT_BYTES: Final = 1 << 24
_MOST_KEPT: Final = 4
_PAGE: Final = 1 << 16


@functools.lru_cache
def loops(name: str) -> Loops | None:
    """Return the loops of a file, compiled; None where wasmtime is not installed.

    Parameters
    ----------
    name : str
        Of a file beside this one, without its suffix.

    Examples
    --------
    >>> loops("triangle") is loops("triangle")
    True
    """
    try:
        return Loops(name)
    except ImportError:
        return None


class Loops:
    """A module in WebAssembly.

    Parameters
    ----------
    name : str
        As of `loops`.

    Raises
    ------
    ImportError
        If wasmtime is not installed.
    """

    def __init__(self, name: str) -> None:
        import wasmtime  # an extra: most installations have it, and this package does without

        config = wasmtime.Config()
        config.parallel_compilation = False  # no threads, which a forked process would not have
        config.signals_based_traps = False  # no handlers in the process of somebody else
        config.memory_reservation = 0
        self._runtime = wasmtime
        self._engine = wasmtime.Engine(config)
        text = Path(__file__).with_name(f"{name}.wat").read_text(encoding="utf-8")
        self._module = wasmtime.Module(self._engine, text)
        self._free: list[Instance] = []

    @contextmanager
    def instance(self) -> Iterator[Instance]:
        """Give an instance that nobody else uses, with nothing in its memory that has a place.

        A few small ones are kept: memory that is asked for anew is slow at first.
        """
        try:
            instance = self._free.pop()
        except IndexError:
            instance = Instance(self._runtime, self._engine, self._module)
        instance.end = 0
        yield instance
        if instance.size <= _MOST_KEPT_BYTES and len(self._free) < _MOST_KEPT:
            self._free.append(instance)


class Instance:
    """An instance of some loops, and where what lies in its memory ends."""

    def __init__(self, runtime: Any, engine: wasmtime.Engine, module: wasmtime.Module) -> None:
        self._error = runtime.WasmtimeError
        self._store = runtime.Store(engine)
        try:
            self._exports = runtime.Instance(self._store, module, []).exports(self._store)
        except self._error as error:
            raise MemoryError(str(error)) from error
        self._memory = self._exports["memory"]
        self._bytes = self._whole()
        self.end = 0

    @property
    def size(self) -> int:
        """The bytes of its memory."""
        return len(self._bytes)

    def place(self, size: int) -> int:
        """Return where *size* bytes are free now; what they hold is not said.

        Raises
        ------
        MemoryError
            If there are not so many.
        """
        place = self.end
        self.end = (place + size + 2 * PAD - 1) // PAD * PAD
        missing = self.end - len(self._bytes)
        if missing > 0:
            if self.end > _MOST_BYTES:
                raise MemoryError(f"{self.end} bytes")
            try:
                self._memory.grow(self._store, -(-missing // _PAGE))
            except self._error as error:
                raise MemoryError(str(error)) from error
            self._bytes = self._whole()
        return place

    def put(self, array: NDArray[Any]) -> int:
        """Return where the values of an array lie now, in their order.

        Raises
        ------
        MemoryError
            As `place`.
        """
        place = self.place(array.nbytes)
        self.view(place, array.nbytes).view(array.dtype).reshape(array.shape)[...] = array
        return place

    def view(self, place: int, size: int) -> NDArray[np.uint8]:
        """Return bytes of the memory; another `place` can end the view."""
        return self._bytes[place : place + size]

    def run(self, name: str, *arguments: int) -> None:
        """Run one of the loops."""
        self._exports[name](self._store, *arguments)

    def _whole(self) -> NDArray[np.uint8]:
        length = self._memory.data_len(self._store)
        start = ctypes.cast(self._memory.data_ptr(self._store), ctypes.POINTER(ctypes.c_uint8))
        return np.ctypeslib.as_array(start, (length,))
