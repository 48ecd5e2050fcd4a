"""Values with bytes in them, as one JSON value and a list of buffers."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["bit_bytes", "order_bytes", "packed"]


def packed(value: Any) -> tuple[Any, list[bytes]]:
    """Return a value whose bytes are replaced by ``{"buffer": INDEX}``, and the bytes.

    Arrays of bytes are deflated.

    Examples
    --------
    >>> packed({"a": [b"xy", 1], "b": b"z"})
    ({'a': [{'buffer': 0}, 1], 'b': {'buffer': 1}}, [b'xy', b'z'])
    """
    buffers: list[bytes] = []

    def replaced(one: Any) -> Any:
        if isinstance(one, np.ndarray):
            one = zlib.compress(one.tobytes(), 6)
        if isinstance(one, bytes):
            buffers.append(one)
            return {"buffer": len(buffers) - 1}
        if isinstance(one, dict):
            return {key: replaced(inner) for key, inner in one.items()}
        if isinstance(one, list | tuple):
            return [replaced(inner) for inner in one]
        return one

    return replaced(value), buffers


def order_bytes(order: NDArray[np.int64]) -> bytes:
    r"""Return row numbers for the page: the planes of the bytes of little-endian uint32, deflated.

    Higher bytes are mostly zero, and take no room when they stand together.

    Examples
    --------
    >>> zlib.decompress(order_bytes(np.array([1, 258])))
    b'\x01\x02\x00\x01\x00\x00\x00\x00'
    """
    planes = order.astype("<u4").view(np.uint8).reshape(-1, 4).T
    return zlib.compress(np.ascontiguousarray(planes).tobytes(), 6)


def bit_bytes(holds: NDArray[np.bool_]) -> bytes:
    """Return for which rows something holds: a bit for each, the first one the lowest, deflated."""
    return zlib.compress(np.packbits(holds, bitorder="little").tobytes(), 6)
