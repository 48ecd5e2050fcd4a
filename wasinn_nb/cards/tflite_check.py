"""Refusing TensorFlow Lite files whose parts do not fit each other: engines trust them, and crash.

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
        If a part names another one that is not there, or weights are of another size than their
        tensor.
    """
    with checked_flatbuffer("TFLite file"):
        model = FlatTable.root(content)
        codes = model.count(1)
        sizes = [_stored(buffer, len(content)) for buffer in model.tables(4)]
        entries = 0
        for graph in model.tables(2):
            entries += _check_graph(graph, codes, sizes)
            if entries > len(content):  # the same operation, again and again
                raise ValueError(f"more than {len(content)} entries of operations")


def _stored(buffer: FlatTable, end: int) -> int:
    """Return how many bytes a buffer holds, in itself or behind the flatbuffer."""
    offset, size = buffer.number(1, "Q"), buffer.number(2, "Q")
    if offset > 1:
        if offset + size > end:
            raise ValueError(f"{size} bytes of weights at byte {offset} of {end}")
        return int(size)
    return buffer.count(0, 1)


def _check_graph(graph: FlatTable, codes: int, sizes: list[int]) -> int:
    """Check a subgraph, and return how many entries its operations have."""
    tensors = list(graph.tables(0))
    inputs, outputs = graph.numbers(1, "i"), graph.numbers(2, "i")
    _check_indices((*inputs, *outputs), len(tensors))
    read, computed = set(outputs), set(inputs)
    entries = 0
    for operation in graph.tables(3):
        if operation.number(0, "I") >= codes:
            raise ValueError(f"operation {operation.number(0, 'I')} of {codes}")
        taken, given = operation.numbers(1, "i"), operation.numbers(2, "i")
        _check_indices((index for index in taken if index != _NONE), len(tensors))
        _check_indices(given, len(tensors))
        for number in (4, 12):  # options
            operation.table(number)
        read.update(taken)
        computed.update(given)
        entries += 1 + len(taken) + len(given)
    for index, tensor in enumerate(tensors):
        _check_tensor(tensor, sizes, constant=index in read and index not in computed)
    return entries


def _check_indices(indices: Iterable[int], count: int) -> None:
    for index in indices:
        if not 0 <= index < count:
            raise ValueError(f"tensor {index} of {count}")


def _check_tensor(tensor: FlatTable, sizes: list[int], *, constant: bool) -> None:
    """Check the sizes of a tensor; *constant* says that nothing computes what is read of it."""
    name = tensor.text(3)[:80]
    buffer, kind = tensor.number(2, "I"), tensor.number(1, "b")
    if buffer >= len(sizes):
        raise ValueError(f"weights {buffer} of {len(sizes)} for tensor {name!r}")
    shape = tensor.numbers(0, "i")
    tensor.numbers(7, "i")
    quantization = tensor.table(4)
    if quantization is not None:
        scales, zeros = len(quantization.numbers(2, "f")), len(quantization.numbers(3, "q"))
        if scales and zeros and scales != zeros:
            raise ValueError(f"{scales} scales and {zeros} zero points for tensor {name!r}")
    bits = _BITS.get(kind)
    is_variable = tensor.number(5, "B")
    is_sparse = tensor.table(6) is not None
    if bits is None or is_sparse or not (sizes[buffer] or (constant and not is_variable)):
        return
    if min(shape, default=1) < 0:
        raise ValueError(f"weights of sizes {shape} for tensor {name!r}")
    needed = (math.prod(shape) * bits + 7) // 8
    if sizes[buffer] != needed:
        raise ValueError(
            f"{sizes[buffer]} bytes of weights for tensor {name!r}, which takes {needed}"
        )
