"""TensorFlow Lite files: what they and their metadata state.

Numbers of fields and of enumerations are those of TensorFlow's ``schema.fbs`` (version 3) and
``metadata_schema.fbs`` (1.5).
"""

from __future__ import annotations

import io
import json
import math
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Final

from wasinn_nb.cards.conventions import Meaning, class_names, clean_text, from_entries
from wasinn_nb.cards.flat import FlatTable, checked_flatbuffer
from wasinn_nb.cards.operations import UNBOUNDED, operation_behind
from wasinn_nb.cards.ports import Port, Signature, port_of
from wasinn_nb.errors import RuntimeFailure

__all__ = ["TfliteFile", "custom_operations", "read_tflite"]

_TYPES: Final = (
    "f32 f16 i32 u8 i64 string boolean i16 complex64 i8 f64 complex128 u64 resource variant u32 u16"
    " i4 bf16"
)  # TensorType
_CUSTOM: Final = 32
_8_BITS: Final = {3, 9}  # of TensorType: u8, i8
# BuiltinOperator: the operations that networks end with, by their standard names.
_KINDS: Final = {
    0: "Add",
    2: "Concatenation",
    3: "Conv",  # Conv2D
    4: "Conv",  # DepthwiseConv2D
    6: "DequantizeLinear",
    9: "MatMul",  # FullyConnected
    14: "Sigmoid",
    17: "MaxPool",
    18: "Mul",
    19: "Relu",
    21: "Relu6",
    22: "Reshape",
    23: "Resize",  # ResizeBilinear
    25: "Softmax",
    28: "Tanh",
    39: "Transpose",
    40: "Mean",
    41: "Sub",
    42: "Div",
    43: "Squeeze",
    45: "Slice",  # StridedSlice
    48: "TopK",
    50: "LogSoftmax",
    53: "Cast",
    56: "ArgMax",
    65: "Slice",
    67: "ConvTranspose",
    70: "Unsqueeze",  # ExpandDims
    97: "Resize",  # ResizeNearestNeighbor
    114: "QuantizeLinear",
}
# The names that TensorFlow's metadata writers give their models.
_TASKS: Final = {
    "ImageClassifier": "classification",
    "ImageSegmenter": "segmentation",
    "ObjectDetector": "detection",
}
_COLORS: Final = {1: "RGB", 2: "GRAY"}  # ColorSpaceType
_IMAGE: Final = 2  # ContentProperties
_NORMALIZATION: Final = 1  # ProcessUnitOptions
_LABELS: Final = frozenset({2, 3})  # AssociatedFileType: of an axis, of values
_MAX_CODES: Final = 10_000
_MAX_PACKED: Final = 20
_MAX_PACKED_BYTES: Final = 1 << 22


@dataclass(slots=True)
class TfliteFile:
    """What a TensorFlow Lite file states; `facts` is all that has no field of its own."""

    signature: Signature
    version: str
    producer: str
    meaning: Meaning = field(default_factory=Meaning)
    facts: dict[str, str] = field(default_factory=dict)
    quantized: bool = False


def custom_operations(content: bytes) -> tuple[str, ...]:
    """Return the names of the operations that are not TensorFlow Lite's own.

    Raises
    ------
    RuntimeFailure
        If the file is damaged.
    """
    with checked_flatbuffer("TFLite file"):
        kinds = _operation_kinds(FlatTable.root(content))
        return tuple(dict.fromkeys(kind for code, kind in kinds if code == _CUSTOM))


def read_tflite(content: bytes) -> TfliteFile:
    """Read a TensorFlow Lite file: its main graph, its metadata, the label files at its end.

    Raises
    ------
    RuntimeFailure
        If the file is damaged.  Damaged metadata is reported among the facts.
    """
    with checked_flatbuffer("TFLite file"):
        model = FlatTable.root(content)
        kinds = _operation_kinds(model)
        found = TfliteFile(
            _signature(model.entry(2, 0), kinds),
            f"schema {model.number(0, 'I')}",
            clean_text(model.text(3)),
        )
        found.quantized = _quantized(model.entry(2, 0), kinds)
        if custom := custom_operations(content):
            found.facts["custom operations"] = clean_text(", ".join(custom))
        buffers = {entry.text(0): _metadata(model, entry, content) for entry in model.tables(6)}
    packed = _packed_texts(content)
    if (runtime := buffers.get("min_runtime_version", b"").rstrip(b"\0")) != b"":
        found.facts["min_runtime_version"] = clean_text(runtime.decode(errors="replace"))
    if (metadata := buffers.get("TFLITE_METADATA")) is not None:
        try:
            with checked_flatbuffer("TFLite metadata"):
                _add_metadata(found, FlatTable.root(metadata), packed)
        except RuntimeFailure as error:
            found.facts["metadata"] = clean_text(error)
    if not found.meaning.classes:
        _add_packed(found, packed)
    return found


def _operation_kinds(model: FlatTable) -> list[tuple[int, str]]:
    """Return builtin number and kind of each operator code."""
    if model.count(1) > _MAX_CODES:
        raise ValueError(f"{model.count(1)} operator codes")
    kinds = []
    for code in model.tables(1):
        # Numbers above 127 are in the newer of two fields.
        builtin = max(code.number(0, "b"), code.number(3, "i"))
        name = code.text(1) if builtin == _CUSTOM else ""
        kinds.append((builtin, clean_text(name) or _KINDS.get(builtin, f"builtin {builtin}")))
    return kinds


def _signature(graph: FlatTable, kinds: list[tuple[int, str]]) -> Signature:
    producers: dict[int, FlatTable] = {}
    seen = 0
    for operation in graph.tables(3):
        outputs = operation.numbers(2, "i")
        seen += len(outputs)
        if seen > graph.count(0):
            raise ValueError("more results of operations than tensors")
        producers |= dict.fromkeys(outputs, operation)
    return Signature(
        tuple(_port(graph.entry(0, index), "") for index in graph.numbers(1, "i")),
        tuple(
            _port(
                graph.entry(0, index),
                operation_behind(index, partial(_producer, producers, kinds)),
            )
            for index in graph.numbers(2, "i")
        ),
    )


def _quantized(graph: FlatTable, kinds: list[tuple[int, str]]) -> bool:
    """Return whether a layer with weights takes values of 8 bits."""
    data = (
        operation.numbers(1, "i")[0]
        for operation in graph.tables(3)
        if operation.count(1) and kinds[operation.number(0, "I")][1] in UNBOUNDED
    )
    return any(graph.entry(0, index).number(1, "b") in _8_BITS for index in data if index >= 0)


def _producer(
    producers: dict[int, FlatTable], kinds: list[tuple[int, str]], tensor: int
) -> tuple[str, tuple[int, ...]] | None:
    """Return what computes a tensor, and the tensors that it takes; None of an input."""
    operation = producers.get(tensor)
    if operation is None:
        return None
    code: int = operation.number(0, "I")
    return kinds[code][1], operation.numbers(1, "i")


def _port(tensor: FlatTable, operation: str) -> Port:
    sizes = tensor.numbers(7, "i") or tensor.numbers(0, "i")
    code = tensor.number(1, "b")
    names = _TYPES.split()
    type_name = names[code] if 0 <= code < len(names) else f"type {code}"
    quantization = None
    stored = tensor.table(4)
    # A scale for each channel is that of weights; of floating-point tensors it is a remnant.
    if stored is not None and stored.count(2) == 1 and type_name in {"u8", "i8", "i16", "u16"}:
        (scale,) = stored.numbers(2, "f")
        zero_points = stored.numbers(3, "q") if stored.count(3, 8) == 1 else (0,)
        if math.isfinite(scale) and scale > 0:
            quantization = (scale, zero_points[0])
    return port_of(
        tensor.text(3),
        (size if size >= 0 else None for size in sizes),
        type_name,
        operation=operation,
        quantization=quantization,
    )


def _metadata(model: FlatTable, entry: FlatTable, content: bytes) -> bytes:
    """Return the bytes of one metadata entry, which lie in a buffer or behind the flatbuffer."""
    buffer = model.entry(4, entry.number(1, "I"))
    offset, size = buffer.number(1, "Q"), buffer.number(2, "Q")
    return content[offset : offset + size] if offset > 1 else buffer.data(0)


# -- metadata --------------------------------------------------------------------------------------


def _add_metadata(found: TfliteFile, metadata: FlatTable, packed: Mapping[str, str]) -> None:
    for number, name in enumerate(("name", "description", "version", "", "author", "license")):
        if name and (text := clean_text(metadata.text(number))):
            found.facts[name] = text
    found.meaning.task = _TASKS.get(metadata.text(0))
    if not metadata.count(3):
        return
    graph = metadata.entry(3, 0)
    for kind, number, ports in (
        ("input", 2, found.signature.inputs),
        ("output", 3, found.signature.outputs),
    ):
        for index, tensor in zip(range(len(ports)), graph.tables(number), strict=False):
            if text := clean_text(tensor.text(1)):
                found.facts[f"{kind} {index}"] = text
    _add_preprocessing(found, graph)
    names = [name for tensor in graph.tables(3) for name in _label_files(tensor)]
    found.meaning.classes = next(
        (classes for name in names if (classes := _labels(packed.get(name, "")))), ()
    )


def _add_preprocessing(found: TfliteFile, graph: FlatTable) -> None:
    """Read color order and normalization of the one input that is an image."""
    tensors = zip(found.signature.inputs, graph.tables(2), strict=False)
    images = [
        (port, tensor, content)
        for port, tensor in tensors
        if (content := tensor.table(3)) is not None and content.number(0, "B") == _IMAGE
    ]
    if len(images) != 1:
        return
    port, tensor, content = images[0]
    properties = content.table(1)
    color = properties.number(0, "b") if properties is not None else 0
    if color in _COLORS:
        found.meaning.recipe["color"] = _COLORS[color]
    for unit in tensor.tables(4):
        options = unit.table(1)
        if unit.number(0, "B") != _NORMALIZATION or options is None:
            continue
        mean, scale = (_channels(options.numbers(number, "f")) for number in (0, 1))
        if not mean or not scale or 0.0 in scale:
            continue
        if port.type_name in {"f16", "f32"}:
            found.meaning.recipe |= {"range": (0.0, 255.0), "mean": mean, "scale": scale}
            continue
        # TensorFlow's task library feeds bytes as they are: its normalization is for floats.
        if port.type_name == "u8":
            found.meaning.recipe["range"] = (0.0, 255.0)
        found.facts["normalization"] = (
            f"mean {mean}, std {scale}, of the values before quantization"
        )


def _channels(numbers: tuple[float, ...]) -> tuple[float, ...]:
    """Return three finite numbers of one or three; none otherwise."""
    three = numbers * 3 if len(numbers) == 1 else numbers
    return three if len(three) == 3 and all(map(math.isfinite, three)) else ()


def _label_files(tensor: FlatTable) -> list[str]:
    """Return the names of an output's label files, those in English first."""
    files = [file for file in tensor.tables(6) if file.number(2, "b") in _LABELS]
    return [file.text(0) for file in sorted(files, key=lambda file: file.text(3) != "en")]


def _packed_texts(content: bytes) -> dict[str, str]:
    """Return the text files in the zip archive at the end of a file, by name; those of a size."""
    texts = {}
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist()[:_MAX_PACKED]:
                if entry.filename.endswith((".txt", ".json")):
                    with archive.open(entry) as file:
                        text = file.read(_MAX_PACKED_BYTES + 1)
                    if len(text) <= _MAX_PACKED_BYTES:
                        texts[entry.filename] = text.decode(errors="replace")
    except (zipfile.BadZipFile, zlib.error, OSError, EOFError, RuntimeError, ValueError):
        pass  # no archive, or one that is damaged, encrypted or compressed in a way of its own
    return texts


def _labels(text: str) -> tuple[str, ...]:
    return class_names(line.strip() for line in text.rstrip().splitlines())


def _add_packed(found: TfliteFile, packed: Mapping[str, str]) -> None:
    """Read the label file that the metadata does not name, and Ultralytics' metadata."""
    try:
        entries: Any = json.loads(packed.get("metadata.json", "null"))
    except (ValueError, RecursionError):
        entries = None
    if isinstance(entries, dict):
        texts = {str(key): str(value) for key, value in entries.items()}
        found.meaning = from_entries(texts)
        rest = {key: text for key, text in texts.items() if key not in found.meaning.used}
        found.facts |= {clean_text(key): clean_text(text) for key, text in rest.items()}
    labels = (text for name, text in packed.items() if "label" in name)
    found.meaning.classes = found.meaning.classes or next(filter(None, map(_labels, labels)), ())
