"""Loops in WebAssembly, where wasmtime is installed: compiled once, run in instances of their own.

WebAssembly computes the same on every processor.  No module of anybody else runs here: the
instructions are read as text, from the ``.wat`` files beside this one.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Hashable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import wasmtime

__all__ = ["PAD", "Block", "Instance", "Loops", "loops", "parts"]

Work = TypeVar("Work", bound=Hashable)

PAD: Final = 64
"""Bytes that may be read and written beyond the end of what has a place."""
_BLOCK_BYTES: Final = 1 << 20
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
    """A module in WebAssembly with a memory and a function ``resize`` of where its numbers are.

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

    def resize(
        self,
        work: Work,
        lay_out: Callable[[Instance, Work], list[Block]],
        pixels: NDArray[np.uint8],
        out: NDArray[np.uint8],
    ) -> None:
        """Fill *out* with rows of a result.

        Several threads may call it at the same time.

        Parameters
        ----------
        work : hashable
            What is to be done: all that *lay_out* depends on, but for the instance.
        lay_out : callable
            Gives things their places in an instance's empty memory, and returns the blocks.  It is
            called when the last work of the instance was another.
        pixels : (H, W, C) uint8 array
            The whole image.
        out : (rows, width, C) uint8 array

        Raises
        ------
        MemoryError
            If there is not enough for a copy of the rows that are read.
        """
        instance = self._instance(work)
        for block in instance.blocks(work, lay_out):
            instance.run(block, pixels, out)
        # A few small ones are kept: memory that is asked for anew is slow at first.
        if instance.size <= _MOST_KEPT_BYTES and len(self._free) < _MOST_KEPT:
            self._free.append(instance)

    def _instance(self, work: Hashable) -> Instance:
        """Return an instance that nobody else uses; one whose last work was the same, if any."""
        for instance in sorted(self._free, key=lambda free: free.work != work):
            with suppress(ValueError):  # another thread has it already
                self._free.remove(instance)
                return instance
        return Instance(self._runtime, self._engine, self._module)


class Block(NamedTuple):
    """Rows of a result that are made at once: those of an image that they read fit a cache.

    Attributes
    ----------
    read : slice
        The rows of the image, ...
    source : int
        ... and where they are copied to.
    made : slice
        The rows of what is filled, ...
    result : int
        ... where they are made, ...
    stride : int
        ... and how many bytes there are from one to the next.
    numbers : int
        Where the numbers are that the loops take.  Python calls them with this one alone, for each
        number of a call takes as long as some rows.
    """

    read: slice
    source: int
    made: slice
    result: int
    stride: int
    numbers: int


def parts(start: int, stop: int, read: float) -> list[slice]:
    """Return the rows of a result that are made at once, one slice after the other.

    Parameters
    ----------
    start, stop : int
        All the rows.
    read : float
        How many bytes are read for each; what is read at once stays in a core's own cache.

    Examples
    --------
    >>> parts(2, 7, 300_000.0)
    [slice(2, 5, None), slice(5, 7, None)]
    """
    most = max(1, int(_BLOCK_BYTES / read))
    return [slice(top, min(top + most, stop)) for top in range(start, stop, most)]


class Instance:
    """An instance of some loops, and what lies in its memory.

    Attributes
    ----------
    work : hashable
        What it was laid out for last.
    """

    def __init__(self, runtime: Any, engine: wasmtime.Engine, module: wasmtime.Module) -> None:
        self._error = runtime.WasmtimeError
        self._store = runtime.Store(engine)
        try:
            exports = runtime.Instance(self._store, module, []).exports(self._store)
        except self._error as error:
            raise MemoryError(str(error)) from error
        self._memory, self._resize = exports["memory"], exports["resize"]
        self._bytes = self._whole()
        self._end = 0
        self.work: Hashable = None
        self._blocks: list[Block] = []

    @property
    def size(self) -> int:
        """The bytes of its memory."""
        return len(self._bytes)

    def blocks(self, work: Work, lay_out: Callable[[Instance, Work], list[Block]]) -> list[Block]:
        """Return the blocks of some work, laid out unless it was the last."""
        if self.work != work:
            self.work, self._end = None, 0
            self._blocks = lay_out(self, work)
            self.work = work
        return self._blocks

    def run(self, block: Block, pixels: NDArray[np.uint8], out: NDArray[np.uint8]) -> None:
        """Fill the rows of *out* that a block of the last work makes."""
        read, target = pixels[block.read], out[block.made]
        self._view(block.source, read.size).reshape(read.shape)[...] = read
        self._resize(self._store, block.numbers)
        made = self._view(block.result, len(target) * block.stride)
        made = made.reshape(len(target), block.stride)[:, : target[0].size]
        target[...] = made.reshape(target.shape)

    def place(self, size: int) -> int:
        """Return where *size* bytes are free now; what they hold is not said.

        Raises
        ------
        MemoryError
            If there are not so many.
        """
        place = self._end
        self._end = (place + size + 2 * PAD - 1) // PAD * PAD
        missing = self._end - len(self._bytes)
        if missing > 0:
            if self._end > _MOST_BYTES:
                raise MemoryError(f"{self._end} bytes")
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
        self._view(place, array.nbytes).view(array.dtype).reshape(array.shape)[...] = array
        return place

    def _view(self, place: int, size: int) -> NDArray[np.uint8]:
        """Return bytes of the memory; another `place` can end the view."""
        return self._bytes[place : place + size]

    def _whole(self) -> NDArray[np.uint8]:
        length = self._memory.data_len(self._store)
        start = ctypes.cast(self._memory.data_ptr(self._store), ctypes.POINTER(ctypes.c_uint8))
        return np.ctypeslib.as_array(start, (length,))
