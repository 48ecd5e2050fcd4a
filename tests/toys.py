"""Tiny models: what the tests run instead of real ones."""

from __future__ import annotations

import io
import math
import tempfile
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

F32 = np.float32


def ir(model) -> list[bytes]:
    """Return an `openvino.Model` as the bytes of its xml and bin."""
    import openvino as ov

    with tempfile.TemporaryDirectory() as folder:
        xml = Path(folder, "toy.xml")
        ov.save_model(model, xml, compress_to_fp16=False)
        return [xml.read_bytes(), xml.with_suffix(".bin").read_bytes()]


def graph(build, shape=(1, 2), dtype="f32", name="data"):
    """Return a model of one input; *build* makes its output, or a list of them, from it."""
    import openvino as ov
    from openvino import opset13 as op

    sizes = shape if isinstance(shape, ov.PartialShape) else ov.PartialShape(list(shape))
    data = op.parameter(sizes, getattr(ov.Type, dtype), name=name)
    data.output(0).set_names({name})
    made = build(data)
    outputs = made if isinstance(made, list) else [made]
    return ov.Model([op.result(output) for output in outputs], [data], "toy")


def relu(shape=(1, 2), dtype="f32") -> list[bytes]:
    from openvino import opset13 as op

    return ir(graph(op.relu, shape, dtype))


def plus(value: float, shape=(1, 2)) -> list[bytes]:
    from openvino import opset13 as op

    return ir(graph(lambda data: op.add(data, np.full((1,), value, F32)), shape))


def conditional() -> list[bytes]:
    """Add 1 or 2 to the data, as a switch says: constants in the bodies of a condition."""
    import openvino as ov
    from openvino import opset13 as op

    def body(value):
        inner = op.parameter([2], ov.Type.f32, name="inner")
        return ov.Model([op.add(inner, np.full(2, value, np.float32))], [inner], "body"), inner

    data = op.parameter([2], ov.Type.f32, name="data")
    switch = op.parameter([], ov.Type.boolean, name="switch")
    choice = op.if_op(switch.output(0))
    (then_body, then_input), (else_body, else_input) = body(1), body(2)
    choice.set_then_body(then_body)
    choice.set_else_body(else_body)
    choice.set_input(data.output(0), then_input, else_input)
    output = choice.set_output(then_body.get_results()[0], else_body.get_results()[0])
    return ir(ov.Model([output], [data, switch], "toy"))


def repeats(seconds: float, run: Callable[[], object]) -> int:
    """Return how many times *run* fits into so many seconds on this machine, be it slow or fast.

    A test that stops a run asks for its model to be so many times as long.
    """

    def timed() -> float:
        start = time.perf_counter()
        run()
        return time.perf_counter() - start

    # The first one also allocates, and the slowest ones shared the processor with something else.
    return math.ceil(seconds / min(timed() for _ in range(4)))


def slow(rounds: int, side: int) -> list[bytes]:
    """Return a model that computes for a while: *rounds* 3x3 convolutions over 16 planes."""
    from openvino import opset13 as op

    rng = np.random.default_rng(0)
    kernel = (rng.normal(size=(16, 16, 3, 3)) / 12).astype(F32)

    def build(data):
        for _ in range(rounds):
            data = op.relu(op.convolution(data, kernel, [1, 1], [1, 1], [1, 1], [1, 1]))
        return data

    return ir(graph(build, (1, 16, side, side)))


def onnx_relu(shape=(1, 2)) -> bytes:
    return onnx_chain(["Relu"], shape).SerializeToString()


def onnx_chain(operations, shape=(1, 2), *, domain="", **metadata):
    """Return an ONNX model of operations with one input and one output each, from x to y."""
    from onnx import TensorProto, helper

    names = ["x", *(f"between{index}" for index in range(1, len(operations))), "y"]
    nodes = [
        helper.make_node(kind, [before], [after], domain=domain)
        for kind, before, after in zip(operations, names[:-1], names[1:], strict=True)
    ]
    ends = [helper.make_tensor_value_info(n, TensorProto.FLOAT, list(shape)) for n in ("x", "y")]
    made = helper.make_graph(nodes, "toy", ends[:1], ends[1:])
    sets = [helper.make_opsetid("", 13), *([helper.make_opsetid(domain, 1)] if domain else [])]
    model = helper.make_model(made, opset_imports=sets, ir_version=8)
    helper.set_model_props(model, metadata)
    return model


def onnx_graph(nodes, inputs, outputs, *, opset=13, **options):
    """Return an ONNX model.

    *nodes* are (kind, names of inputs, names of outputs, attributes), *inputs* and *outputs* are
    name → (number of the type, sizes or None), *options* those of `onnx.helper.make_model`.
    """
    from onnx import helper

    ends = [
        [helper.make_tensor_value_info(name, *kind) for name, kind in side.items()]
        for side in (inputs, outputs)
    ]
    made = [helper.make_node(*node[:3], **(node[3:] or ({},))[0]) for node in nodes]
    sets = [helper.make_opsetid("", opset)]
    return helper.make_model(
        helper.make_graph(made, "toy", *ends), opset_imports=sets, **{"ir_version": 8, **options}
    )


def save(model, path):
    """Write an `openvino.Model` as IR with full weights and return the path of its xml."""
    import openvino as ov

    path.parent.mkdir(parents=True, exist_ok=True)
    ov.save_model(model, path, compress_to_fp16=False)
    return path


def brightest_channel(
    path, *, height=4, width=6, layout="NCHW", type_="f32", classes=3, convolution=False
):
    """Write a segmentation model whose class is the channel with the highest value.

    Class 0 is the first channel of the input; further classes beyond the third are never seen.
    With a *convolution*, which changes no value, it runs only in precisions that the processor has:
    OpenVINO's own kernels have all of them everywhere.
    """
    import openvino as ov
    from openvino import opset13 as op

    shape = [1, 3, height, width] if layout == "NCHW" else [1, height, width, 3]
    data = op.parameter(shape, getattr(ov.Type, type_), name="data")
    data.output(0).set_names({"data"})
    planes = op.convert(data, ov.Type.f32)
    if layout == "NHWC":
        planes = op.transpose(planes, np.array([0, 3, 1, 2]))
    if convolution:
        kernel = np.eye(3, dtype=F32).reshape(3, 3, 1, 1)
        planes = op.convolution(planes, kernel, [1, 1], [0, 0], [0, 0], [1, 1])
    if classes > 3:
        never = np.full((1, classes - 3, height, width), -1e9, np.float32)
        planes = op.concat([planes, op.constant(never)], 1)
    scores = op.softmax(planes, 1) if classes <= 3 else planes
    scores.output(0).set_names({"scores"})
    return save(ov.Model([scores.output(0)], [data], "brightest"), path)


def channel_means(path, *, height=4, width=6):
    """Write a classifier of three classes: how bright each channel is on average."""
    from openvino import opset13 as op

    def build(data):
        means = op.reduce_mean(data, np.array([2, 3]), keep_dims=False)
        return op.softmax(op.divide(means, np.float32([100])), 1)

    save(graph(build, (1, 3, height, width)), path)


def brightness(path, *, height=4, width=6):
    """Write a segmentation model of one class: its probability is the mean of the channels / 255.

    The last operation does not tell that it is a probability.
    """
    from openvino import opset13 as op

    def build(data):
        mean = op.reduce_mean(data, np.array([1]), True)  # noqa: FBT003
        plane = op.multiply(mean, np.float32(1 / 255))
        plane.output(0).set_names({"plane"})
        return plane

    return save(graph(build, (1, 3, height, width)), path)


def brightest_of_image(path, *, height=4, width=6, classes=3):
    """Write a classifier whose class is the channel with the highest mean; softmax of mean / 50.

    Class 0 is the first channel of the input; further classes beyond the third are never first.
    """
    from openvino import opset13 as op

    def build(data):
        means = op.reduce_mean(data, np.array([2, 3]), False)  # noqa: FBT003
        if classes > 3:
            never = np.full((1, classes - 3), -1e3, np.float32)
            means = op.concat([means, op.constant(never)], 1)
        scores = op.softmax(op.multiply(means, np.float32(1 / 50)), 1)
        scores.output(0).set_names({"scores"})
        return scores

    return save(graph(build, (1, 3, height, width)), path)


def textures(path, *, gives="scores", classes=4, height=64, width=96):
    """Write a model whose output depends on everything in its (1, 3, height, width) f32 input.

    Two convolutions with weights from a fixed seed, and between them a curve that is bent for
    values of 0 to 1 as for values of 0 to 255, so that no mistake leaves the output as it is.

    *gives* is ``"scores"`` (1xCxHxW logits), ``"channels last"`` (1xHxWxC), ``"probability"``
    (1x1xHxW by a sigmoid), ``"logit"`` (1xHxW), ``"labels"`` (1xHxW i64), ``"row"`` (1xC
    probabilities), ``"logits"`` (1xC), or ``"two"`` (1x1xHxW of something else, then the scores).
    """
    from openvino import opset13 as op

    rng = np.random.default_rng(7)
    planes = 1 if gives in {"probability", "logit"} else classes

    def mixed(data, channels, inputs):
        kernel = rng.normal(size=(channels, inputs, 3, 3)).astype(F32)
        return op.convolution(data, kernel, [1, 1], [1, 1], [1, 1], [1, 1])

    def build(data):
        first = mixed(data, 6, 3)
        bent = [op.tanh(op.divide(first, F32(size))) for size in (1, 40, 400)]
        scores = mixed(op.concat(bent, 1), planes, 18)
        if gives == "channels last":
            return op.transpose(scores, np.array([0, 2, 3, 1]))
        if gives == "probability":
            return op.sigmoid(scores)
        if gives == "logit":
            return op.squeeze(scores, np.array([1]))
        if gives == "labels":
            best = op.topk(scores, np.int64(1), np.int64(1), "max", "none", "i64")
            return op.squeeze(best.output(1), np.array([1]))
        if gives in {"row", "logits"}:
            row = op.reduce_mean(scores, np.array([2, 3]), keep_dims=False)
            return op.softmax(row, 1) if gives == "row" else op.multiply(row, F32(3))
        return [mixed(data, 1, 3), scores] if gives == "two" else scores

    model = graph(build, (1, 3, height, width))
    for index, output in enumerate(model.outputs):
        output.get_tensor().set_names({f"output {index}"})
    return save(model, path)


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
