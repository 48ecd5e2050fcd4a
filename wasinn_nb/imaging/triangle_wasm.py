"""The triangle filter as WebAssembly, where wasmtime is installed: the same values, sooner.

WebAssembly rounds each product and each sum by itself, on every processor, as the Rust crate's
loops do.  No module of anybody else runs here: the instructions are in ``triangle.wat``.
"""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.imaging.taps import Age, Taps

if TYPE_CHECKING:
    import wasmtime

__all__ = ["MOST_CHANNELS", "Kernel", "kernel"]

MOST_CHANNELS: Final = 4
"""Values of a pixel that one vector holds."""
_MOST_BYTES: Final = 1 << 30
_PAGE: Final = 1 << 16
_BLOCK_BYTES: Final = 1 << 20  # of the rows that are read: they stay in a core's own cache
_PAD: Final = 64  # what is read and written beyond the end of a row


@functools.lru_cache(maxsize=1)
def kernel() -> Kernel | None:
    """Return the kernel of this process, or None where wasmtime is not installed."""
    try:
        return Kernel()
    except ImportError:
        return None


class Kernel:
    """Resizes 8-bit pixels.

    Raises
    ------
    ImportError
        If wasmtime is not installed.

    Examples
    --------
    >>> from wasinn_nb.imaging.taps import taps
    >>> row = np.array([[[0], [10], [20], [30]]], np.uint8)
    >>> out = np.empty((1, 2, 1), np.uint8)
    >>> Kernel().resize(row, taps(1, 1), taps(4, 2), "0.24", out)
    >>> out[0, :, 0].tolist()
    [7, 23]
    """

    def __init__(self) -> None:
        import wasmtime  # an extra: most installations have it, and this module does without

        config = wasmtime.Config()
        config.parallel_compilation = False  # no threads, which a forked process would not have
        config.signals_based_traps = False  # no handlers in the process of somebody else
        config.memory_reservation = 0
        self._wasmtime = wasmtime
        self._engine = wasmtime.Engine(config)
        text = Path(__file__).with_name("triangle.wat").read_text(encoding="utf-8")
        self._module = wasmtime.Module(self._engine, text)

    def resize(
        self,
        pixels: NDArray[np.uint8],
        vertical: Taps,
        horizontal: Taps,
        age: Age,
        out: NDArray[np.uint8],
    ) -> None:
        """Fill *out* with the rows that *vertical* describes.

        Parameters
        ----------
        pixels : (H, W, C) uint8 array
            Of 1 to 4 channels; the whole image.
        vertical, horizontal : Taps
            Of the rows of *out*, and of its columns.
        age : {"0.24", "0.23"}
        out : (len(vertical.sums), len(horizontal.sums), C) uint8 array

        Raises
        ------
        MemoryError
            If there is not enough for a copy of the rows that are read.
        """
        _, columns, channels = pixels.shape
        values, width = columns * channels, len(horizontal.sums)
        reach = horizontal.weights.shape[1]
        block = max(1, _BLOCK_BYTES * len(out) // max(1, _read(pixels, vertical).size))
        instance = _Instance(self._wasmtime, self._engine, self._module)
        across = instance.put(horizontal.sources[:, 0] * (4 * channels), *_factors(horizontal, age))
        # Taps of weight 0 read beyond the end of a row: zeros, for memory begins as that.
        row = instance.place(4 * channels * (columns + reach))
        result = instance.place(block * width * channels)
        kept = instance.end
        for top in range(0, len(out), block):
            part, target = vertical.part(slice(top, top + block)), out[top : top + block]
            read = _read(pixels, part)
            instance.end = kept
            source = instance.place(read.size)
            down = instance.put(
                source + (part.sources - part.sources.min()) * values, *_factors(part, age)
            )
            instance.view(source, read.size).reshape(read.shape)[:] = read
            instance.run(
                *down,
                4 * part.weights.shape[1],
                *across,
                4 * reach,
                int(age == "0.23"),
                row,
                values,
                result,
                *target.shape,
            )
            target[:] = instance.view(result, target.size).reshape(target.shape)


def _read(pixels: NDArray[np.uint8], vertical: Taps) -> NDArray[np.uint8]:
    """Return the rows that some outputs read."""
    return pixels[int(vertical.sources.min()) : int(vertical.sources.max()) + 1]


def _factors(taps: Taps, age: Age) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    return taps.factors(age), taps.sums


class _Instance:
    """An instance of the kernel, and where what lies in its memory ends.

    One for each call: its memory ends with it, and threads do not wait for one another.
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
        self.end = 0

    def place(self, size: int) -> int:
        """Return where *size* bytes are free now."""
        place = self.end
        self.end = (place + size + 2 * _PAD - 1) // _PAD * _PAD
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

    def put(self, *arrays: NDArray[Any]) -> list[int]:
        """Return where arrays lie now: whole numbers as i32, others as f32."""
        places = []
        for array in arrays:
            kind = np.uint32 if array.dtype.kind == "i" else np.float32
            places.append(self.place(4 * array.size))
            self.view(places[-1], 4 * array.size).view(kind)[:] = array.ravel()
        return places

    def view(self, place: int, size: int) -> NDArray[np.uint8]:
        """Return bytes of the memory; another `place` can end the view."""
        return self._bytes[place : place + size]

    def run(self, *arguments: int) -> None:
        """Run the loops."""
        self._resize(self._store, *arguments)

    def _whole(self) -> NDArray[np.uint8]:
        length = self._memory.data_len(self._store)
        start = ctypes.cast(self._memory.data_ptr(self._store), ctypes.POINTER(ctypes.c_uint8))
        return np.ctypeslib.as_array(start, (length,))
