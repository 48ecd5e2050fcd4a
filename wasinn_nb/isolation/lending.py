"""Tensors in shared memory: the helper fills it, this process maps it and never copies."""

from __future__ import annotations

import mmap
import os
import socket
from contextlib import suppress
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.isolation.frames import FrameError

__all__ = ["SMALL", "Lender", "borrowed", "lending_pair"]

SMALL: Final = 1 << 16
"""Bytes below which a tensor travels in its frame: a mapping costs more than the copy."""
_TIMEOUT: Final = 5.0


def lending_pair() -> tuple[socket.socket, socket.socket] | None:
    """Return two connected sockets for descriptors; None where there is no sealed memory."""
    if not hasattr(os, "memfd_create"):
        return None
    return socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)


class Lender:
    """Makes shared memory in the helper, and hands it to the other side.

    Parameters
    ----------
    channel : socket or None
        None: arrays are ordinary ones, and nothing can be handed over.
    """

    def __init__(self, channel: socket.socket | None) -> None:
        self._channel = channel
        self._last: tuple[int, int] | None = None  # address and descriptor

    def empty(self, size: int) -> NDArray[np.uint8]:
        """Return a new (size,) uint8 array, in shared memory where that pays.

        One array is outstanding at a time: the next one makes the last one ordinary memory.
        """
        self._forget()
        made = None if self._channel is None or size < SMALL else _shared(size)
        if made is None:
            return np.empty(size, np.uint8)
        array, descriptor = made
        self._last = (array.ctypes.data, descriptor)
        return array

    def lend(self, data: Any) -> bool:
        """Hand *data* over as shared memory, copied only where it does not lie in it already.

        Returns
        -------
        bool
            False where it has to travel in a frame.
        """
        if self._channel is None or memoryview(data).nbytes < SMALL:
            return False
        flat = np.frombuffer(data, np.uint8)
        if self._last is None or self._last[0] != flat.ctypes.data:
            self._forget()
            made = _shared(flat.size)
            if made is None:
                return False
            np.copyto(made[0], flat)
            self._last = (made[0].ctypes.data, made[1])
        import fcntl  # not on Windows

        descriptor = self._last[1]
        fcntl.fcntl(
            descriptor,
            fcntl.F_ADD_SEALS,
            fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL,
        )
        socket.send_fds(self._channel, [b"\0"], [descriptor])
        self._forget()
        return True

    def _forget(self) -> None:
        if self._last is not None:
            os.close(self._last[1])
            self._last = None


def _shared(size: int) -> tuple[NDArray[np.uint8], int] | None:
    """Return an array in new shared memory and its descriptor; None where there is no room."""
    try:
        descriptor = os.memfd_create("wasinn-nb", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    except OSError:  # no descriptor is left
        return None
    try:
        os.ftruncate(descriptor, size)
        mapping = mmap.mmap(descriptor, size)
    except OSError:
        os.close(descriptor)
        return None
    return np.frombuffer(mapping, np.uint8), descriptor


def borrowed(channel: socket.socket, size: int) -> NDArray[np.uint8]:
    """Return the shared memory that the helper lends, read-only, without a copy.

    Raises
    ------
    FrameError
        If it is not sealed memory of *size* bytes: memory that could shrink would crash a reader.
    """
    import fcntl  # not on Windows

    channel.settimeout(_TIMEOUT)
    descriptors: list[int] = []
    try:
        _, descriptors, _, _ = socket.recv_fds(channel, 1, 1)
        if len(descriptors) != 1:
            raise FrameError("a tensor without its memory")
        (descriptor,) = descriptors
        seals = fcntl.fcntl(descriptor, fcntl.F_GET_SEALS)
        state = os.fstat(descriptor)
        # Huge pages, which tell by their block size, may be missing when they are read.
        if not seals & fcntl.F_SEAL_SHRINK or state.st_blksize != mmap.PAGESIZE:
            raise FrameError("a tensor's memory is not sealed")
        if state.st_size != size:
            raise FrameError(f"a tensor's memory has {state.st_size} bytes, not {size}")
        mapping = mmap.mmap(descriptor, size, prot=mmap.PROT_READ)
    except OSError as error:
        raise FrameError(f"a tensor's memory cannot be read: {error}") from error
    finally:
        for descriptor in descriptors:
            with suppress(OSError):
                os.close(descriptor)
    return np.frombuffer(mapping, np.uint8)
