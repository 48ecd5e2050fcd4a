"""Model files written by hand: TensorFlow Lite, TensorFlow, Paddle."""

from __future__ import annotations

import io
import zipfile

import numpy as np

F32 = np.float32


# -- flatbuffers by hand: TensorFlow is not needed to write TFLite files -------------------


def flat(value, identifier: str) -> bytes:
    """Return a flatbuffer whose root is *value*; see `_flat` for what values stand for."""
    import flatbuffers

    builder = flatbuffers.Builder()
    builder.Finish(_flat(builder, value), identifier.encode())
    return bytes(builder.Output())


def _flat(builder, value):
    """Write a table (dict of field number → value), vector of tables (list), of numbers (array),
    string or bytes, and return its place; NumPy scalars are fields inside their table."""
    if isinstance(value, str):
        return builder.CreateString(value)
    if isinstance(value, bytes):
        return builder.CreateByteVector(value)
    if isinstance(value, np.ndarray):
        return builder.CreateNumpyVector(value)
    if isinstance(value, list):
        places = [_flat(builder, part) for part in value]
        builder.StartVector(4, len(places), 4)
        for place in reversed(places):
            builder.PrependUOffsetTRelative(place)
        return builder.EndVector()
    places = {n: _flat(builder, v) for n, v in value.items() if not isinstance(v, np.generic)}
    builder.StartObject(max(value, default=-1) + 1)
    for number, part in value.items():
        if isinstance(part, np.generic):
            getattr(builder, f"Prepend{part.dtype.name.capitalize()}")(part.item())
        else:
            builder.PrependUOffsetTRelative(places[number])
        builder.Slot(number)
    return builder.EndObject()


def tflite_tensor(name, shape, type_=0, quantization=None):
    """Return a tensor of a TFLite file; *quantization* is scale and zero point."""
    tensor = {0: np.array(shape, np.int32), 1: np.int8(type_), 2: np.uint32(0), 3: name}
    if -1 in shape:
        tensor |= {0: np.array(np.abs(shape), np.int32), 7: np.array(shape, np.int32)}
    if quantization is not None:
        scale, zero_point = quantization
        tensor[4] = {2: np.array([scale], np.float32), 3: np.array([zero_point], np.int64)}
    return tensor


def tflite(tensors, operations, metadata=None, files=None) -> bytes:
    """Return a TFLite file: a chain of tensors, each computed from the one before it.

    *operations* are numbers of builtin operators, or names of custom ones; *metadata* is the root
    table of TFLITE_METADATA; *files* go to the zip archive at the end.
    """
    codes = [
        {0: np.int8(32), 1: code, 2: np.int32(1), 3: np.int32(32)}
        if isinstance(code, str)
        else {0: np.int8(min(code, 127)), 2: np.int32(1), 3: np.int32(code)}
        for code in operations
    ]
    chain = [
        {
            0: np.uint32(index),
            1: np.array([index], np.int32),
            2: np.array([index + 1], np.int32),
        }
        for index in range(len(operations))
    ]
    graph = {
        0: tensors,
        1: np.array([0], np.int32),
        2: np.array([len(operations)], np.int32),
        3: chain,
        4: "main",
    }
    model = {0: np.uint32(3), 1: codes, 2: [graph], 3: "toys", 4: [{}]}
    if metadata is not None:
        model[4].append({0: flat(metadata, "M001") if isinstance(metadata, dict) else metadata})
        model[6] = [{0: "TFLITE_METADATA", 1: np.uint32(1)}]
    content = flat(model, "TFL3")
    if files is not None:
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, text in files.items():
                archive.writestr(name, text)
        content += buffer.getvalue()
    return content


def tflite_relu(shape=(1, 2)) -> bytes:
    return tflite([tflite_tensor("x", shape), tflite_tensor("y", shape)], [19])


# -- protobuf by hand: neither TensorFlow nor Paddle is needed to write their files ---------------


def varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out, value = out + bytes([value & 0x7F | 0x80]), value >> 7
    return out + bytes([value])


def field(number: int, value: int | bytes | str) -> bytes:
    """Return one protobuf field: a number as varint, the rest with its length."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    raw = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(raw)) + raw


def tensorflow_relu(shape=(1, 2)) -> bytes:
    """Return a frozen TensorFlow graph (``GraphDef``): Placeholder, then Relu."""

    def attribute(key: str, value: bytes) -> bytes:  # map<string, AttrValue> attr = 5
        return field(5, field(1, key) + field(2, value))

    float_type = field(6, 1)  # AttrValue.type = DT_FLOAT
    sizes = b"".join(field(2, field(1, size)) for size in shape)  # TensorShapeProto.dim.size
    placeholder = (
        field(1, "x")
        + field(2, "Placeholder")
        + attribute("dtype", float_type)
        + attribute("shape", field(7, sizes))
    )
    relu_node = field(1, "y") + field(2, "Relu") + field(3, "x") + attribute("T", float_type)
    return field(1, placeholder) + field(1, relu_node) + field(4, field(1, 1395))


def paddle_relu(shape=(1, 2)) -> bytes:
    """Return a Paddle program (``ProgramDesc``): feed, relu, fetch."""
    fp32, feed_list, fetch_list, lod_tensor = 5, 9, 10, 7

    def variable(name: str, kind: int, sizes=None) -> bytes:  # BlockDesc.vars = 3
        values = field(1, kind)
        if sizes is not None:  # VarType.lod_tensor = 3: {tensor = 1: {data_type, dims}}
            dims = b"".join(field(2, size) for size in sizes)
            values += field(3, field(1, field(1, fp32) + dims))
        return field(3, field(1, name) + field(2, values))

    def var(parameter: str, argument: str) -> bytes:
        return field(1, parameter) + field(2, argument)

    def operation(kind: str, inputs: bytes, outputs: bytes, attributes: bytes = b"") -> bytes:
        return field(4, field(1, inputs) + field(2, outputs) + field(3, kind) + attributes)

    column = field(4, field(1, "col") + field(2, 0) + field(3, 0))  # OpDesc.attrs: INT, 0
    block = (
        field(1, 0)
        + field(2, 0)
        + variable("feed", feed_list)
        + variable("x", lod_tensor, shape)
        + variable("y", lod_tensor, shape)
        + variable("fetch", fetch_list)
        + operation("feed", var("X", "feed"), var("Out", "x"), column)
        + operation("relu", var("X", "x"), var("Out", "y"))
        + operation("fetch", var("X", "y"), var("Out", "fetch"), column)
    )
    return field(1, block) + field(4, field(1, 0))
