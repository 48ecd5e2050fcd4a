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
# BuiltinOperator: those that give one tensor.  Engines crash where a file names more.
_ONE_OUTPUT: Final = frozenset(
    {
        *(*range(7), 8, *range(11, 15), *range(17, 24), 25, 26, 28, 34, *range(36, 44), 45, 47, 50),
        *(
            *range(53, 88),
            *range(89, 102),
            *range(104, 118),
            122,
            123,
            125,
            126,
            128,
            *range(130, 136),
        ),
        *(140, 141, *range(145, 162), 203),
    }
)
_OUTPUTS: Final = {48: 2, 103: 2, 120: 2, 121: 3} | dict.fromkeys(_ONE_OUTPUT, 1)
"""BuiltinOperator → how many tensors it gives at most; TopK, Unique and suppressions give more."""
_SPLITS: Final = frozenset({49, 88, 102})  # Split, Unpack and SplitV: as many as their options say
_FULLY_CONNECTED: Final = 9  # gives a second tensor where its weights are shuffled
_BIAS: Final = {3: 2, 4: 2, _FULLY_CONNECTED: 2, 67: 3, 132: 2, 141: 3}
"""BuiltinOperator → the input from which on it may leave some out; others need every one."""
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
        If a part names another one that is not there, a tensor has fewer weights than it takes, or
        an operation reads what no earlier one has computed, leaves out an input that it needs, or
        has more outputs than its kind.
    """
    with checked_flatbuffer("TFLite file"):
        model = FlatTable.root(content)
        entries = _Entries(len(content))
        codes = [max(one.number(0, "b"), one.number(3, "i")) for one in model.tables(1)]
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


def _check_graph(graph: FlatTable, codes: list[int], sizes: list[int], entries: _Entries) -> None:
    tensors = graph.count(0)
    sources, results = graph.numbers(1, "i"), graph.numbers(2, "i")
    _check_indices((*sources, *results), tensors)
    made: set[int] = set()
    for operation in graph.tables(3):
        if operation.number(0, "I") >= len(codes):
            raise ValueError(f"operation {operation.number(0, 'I')} of {len(codes)}")
        inputs, outputs = operation.numbers(1, "i"), operation.numbers(2, "i")
        entries.add(1 + len(inputs) + len(outputs))
        _check_indices((index for index in inputs if index != _NONE), tensors)
        _check_indices(outputs, tensors)
        for field in _OPTIONS:
            operation.table(field)
        _check_ends(operation, codes[operation.number(0, "I")])
        made.update(outputs)
    read, computed = set(results), set(sources)
    for operation in graph.tables(3):
        inputs = operation.numbers(1, "i")
        for index in made.intersection(inputs) - computed:
            if not (tensor := graph.entry(0, index)).number(5, "B"):
                raise ValueError(f"{_named(tensor)} is read before it is computed")
        read.update(inputs)
        computed.update(operation.numbers(2, "i"))
    for index, tensor in enumerate(graph.tables(0)):
        _check_tensor(tensor, sizes, entries, constant=index in read and index not in computed)


def _check_ends(operation: FlatTable, kind: int) -> None:
    """Check that an operation has the inputs that it needs, and only outputs that it gives."""
    options, inputs, outputs = operation.table(4), operation.numbers(1, "i"), operation.count(2)
    most = _OUTPUTS.get(kind)
    if kind in _SPLITS:
        most = 0 if options is None else options.number(0, "i")
    elif kind == _FULLY_CONNECTED:
        most = 1 if options is None or not options.number(1, "b") else 2
    if most is not None and outputs > most:
        raise ValueError(f"{outputs} outputs of builtin operation {kind}, which gives {most}")
    if most is not None and _NONE in inputs[: _BIAS.get(kind, len(inputs))]:
        raise ValueError(f"builtin operation {kind} without an input that it needs")


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
