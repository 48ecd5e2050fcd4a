"""Tiny models: what the tests run instead of real ones."""

from __future__ import annotations

import math
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

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


def third_blue(path):
    """Write an image whose left third is blue, the rest green: classes 0 and 1 of the toy."""
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:, :2, 2] = pixels[:, 2:, 1] = 200
    Image.fromarray(pixels).save(path)
    return path


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
