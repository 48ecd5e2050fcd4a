"""Refusing TensorFlow Lite files whose parts do not fit each other: engines crash on them.

Numbers of fields are those of TensorFlow's ``schema.fbs`` (version 3).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Final

from wasinn_nb.cards.flat import FlatTable, checked_flatbuffer

__all__ = ["check_tflite"]

# TensorType → bits of an element.  Strings (5), resources (13) and variants (14) have none.
_BITS: Final = {
    0: 32,  # f32
    1: 16,  # f16
    2: 32,  # i32
    3: 8,  # u8
    4: 64,  # i64
    6: 8,  # boolean
    7: 16,  # i16
    8: 64,  # complex64
    9: 8,  # i8
    10: 64,  # f64
    11: 128,  # complex128
    12: 64,  # u64
    15: 32,  # u32
    16: 16,  # u16
    17: 4,  # i4
    18: 16,  # bf16
}
_OPTIONS: Final = (4, 12)  # of an operation
_NONE: Final = -1
"""An optional input that is left out."""


def check_tflite(content: bytes) -> None:
    """Raise RuntimeFailure unless a file's tensors, operations and weights fit each other.

    Parameters
    ----------
    content : bytes
        The whole file.

    Raises
    ------
    RuntimeFailure
        If a part names another one that is not there, or a tensor has fewer weights than it takes.
    """
    with checked_flatbuffer("TFLite file"):
        model = FlatTable.root(content)
        entries = _Entries(len(content))
        codes = model.count(1)
        sizes = [_stored(buffer, len(content)) for buffer in model.tables(4)]
        for graph in model.tables(2):
            _check_graph(graph, codes, sizes, entries)


class _Entries:
    """Counts what is read: a small file can name the same long part again and again."""

    def __init__(self, most: int) -> None:
        self._most = self._left = most

    def add(self, count: int) -> None:
        """Count more entries, and raise ValueError once a file of this size cannot hold them."""
        self._left -= count
        if self._left < 0:
            raise ValueError(f"more than {self._most} entries")


def _stored(buffer: FlatTable, end: int) -> int:
    """Return how many bytes a buffer holds, in itself or behind the flatbuffer."""
    offset, size = buffer.number(1, "Q"), buffer.number(2, "Q")
    if offset > 1:
        if offset + size > end:
            raise ValueError(f"{size} bytes of weights at byte {offset} of {end}")
        return int(size)
    return buffer.count(0, 1)


def _check_graph(graph: FlatTable, codes: int, sizes: list[int], entries: _Entries) -> None:
    tensors = graph.count(0)
    sources, results = graph.numbers(1, "i"), graph.numbers(2, "i")
    _check_indices((*sources, *results), tensors)
    read, computed = set(results), set(sources)
    for operation in graph.tables(3):
        if operation.number(0, "I") >= codes:
            raise ValueError(f"operation {operation.number(0, 'I')} of {codes}")
        inputs, outputs = operation.numbers(1, "i"), operation.numbers(2, "i")
        entries.add(1 + len(inputs) + len(outputs))
        _check_indices((index for index in inputs if index != _NONE), tensors)
        _check_indices(outputs, tensors)
        for number in _OPTIONS:
            operation.table(number)
        read.update(inputs)
        computed.update(outputs)
    for index, tensor in enumerate(graph.tables(0)):
        _check_tensor(tensor, sizes, entries, constant=index in read and index not in computed)


def _check_indices(indices: Iterable[int], count: int) -> None:
    for index in indices:
        if not 0 <= index < count:
            raise ValueError(f"tensor {index} of {count}")


def _check_tensor(
    tensor: FlatTable, sizes: list[int], entries: _Entries, *, constant: bool
) -> None:
    """Check the sizes of a tensor; *constant* says that nothing computes what is read of it."""
    buffer = tensor.number(2, "I")
    if buffer >= len(sizes):
        raise ValueError(f"weights {buffer} of {len(sizes)} for {_named(tensor)}")
    shape, signature = tensor.numbers(0, "i"), tensor.numbers(7, "i")
    entries.add(1 + len(shape) + len(signature))
    if (quantization := tensor.table(4)) is not None:
        scales, zeros = len(quantization.numbers(2, "f")), len(quantization.numbers(3, "q"))
        entries.add(scales + zeros)
        if scales and zeros and scales != zeros:
            raise ValueError(f"{scales} scales and {zeros} zero points for {_named(tensor)}")
    bits = _BITS.get(tensor.number(1, "b"))
    is_variable, is_sparse = tensor.number(5, "B"), tensor.table(6) is not None
    if bits is None or is_sparse or not (sizes[buffer] or (constant and not is_variable)):
        return
    if min(shape, default=1) < 0:
        raise ValueError(f"weights of sizes {shape} for {_named(tensor)}")
    needed = (math.prod(shape) * bits + 7) // 8
    if sizes[buffer] < needed:  # some writers pad
        raise ValueError(
            f"{sizes[buffer]} bytes of weights for {_named(tensor)}, which takes {needed}"
        )


def _named(tensor: FlatTable) -> str:
    return f"tensor {tensor.text(3)!r:.80}"
