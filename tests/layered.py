"""Copies of models with one weight changed, and graphs of numbers, for the tests of layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from wasinn_nb.runtimes import INPUT, Layer


def planted(model, path, number, *, change=8.0, half=False):
    """Write a copy of an IR with one weight of its convolution *number* changed.

    The weight becomes the largest of its layer, times *change*.  Return the path and the name of
    the layer.
    """
    import openvino as ov

    copied = ov.Core().read_model(str(model))
    convolutions = [
        node for node in copied.get_ordered_ops() if node.get_type_name() == "Convolution"
    ]
    node = convolutions[number]
    constant = node.input_value(1).get_node()
    if constant.get_type_name() == "Convert":
        constant = constant.input_value(0).get_node()
    values = np.array(constant.data)
    values.reshape(-1)[values.size // 2] = change * np.abs(values).max()
    changed = ov.opset13.constant(values)
    for reader in constant.output(0).get_target_inputs():
        reader.replace_source_output(changed.output(0))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    ov.save_model(copied, str(path), compress_to_fp16=half)
    return path, node.get_friendly_name()


def in_8_bits(model, path, changed=None, *, ends=(0.0, 255.0)):
    """Write an IR in INT8 of one with convolutions, in the form that quantizing tools write.

    *changed* is the convolution of which one weight is at the other end.  *ends* are those of the
    values that the first convolution takes; of the others -1 and 1.
    """
    import openvino as ov
    from openvino import opset13 as op

    made = ov.Core().read_model(str(model))
    nodes = [node for node in made.get_ordered_ops() if node.get_type_name() == "Convolution"]
    for number, node in enumerate(nodes):
        low, high = ends if number == 0 else (-1.0, 1.0)
        limits = [op.constant(np.float32(end)) for end in (low, high, low, high)]
        source = node.input_value(0)
        node.input(0).replace_source_output(op.fake_quantize(source, *limits, 256).output(0))
        constant = node.input_value(1).get_node()
        if constant.get_type_name() == "Convert":
            constant = constant.input_value(0).get_node()
        weights = np.array(constant.data, np.float32)
        step = np.abs(weights).max(axis=(1, 2, 3), keepdims=True) / 127
        steps = np.rint(weights / step)
        if number == changed:
            one = steps.reshape(-1)
            one[one.size // 2] = -127 if one[one.size // 2] > 0 else 127
        levels = op.convert(op.constant(steps.astype(np.int8)), "f32")
        scaled = op.multiply(levels, op.constant(step.astype(np.float32)))
        node.input(1).replace_source_output(scaled.output(0))
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    ov.save_model(made, str(path), compress_to_fp16=False)
    return path, [node.get_friendly_name() for node in nodes]


def onnx_textures(path, changed=None):
    """Write an ONNX model of three convolutions; *changed* is the one with another weight."""
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(5)
    nodes, weights, channels = [], [], [3, 6, 5, 4]
    name = "data"
    for index in range(3):
        kernel = rng.normal(size=(channels[index + 1], channels[index], 3, 3)).astype(np.float32)
        if changed == index:
            kernel[0, 0, 1, 1] += 9
        weights.append(numpy_helper.from_array(kernel, f"kernel{index}"))
        nodes.append(
            helper.make_node("Conv", [name, f"kernel{index}"], [f"conv{index}"], pads=[1] * 4)
        )
        nodes.append(helper.make_node("Relu", [f"conv{index}"], [f"relu{index}"]))
        name = f"relu{index}"
    ends = [
        helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, 32, 48]),
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4, 32, 48]),
    ]
    graph = helper.make_graph(nodes, "textures", ends[:1], ends[1:], weights)
    sets = [helper.make_opsetid("", 13)]
    model = helper.make_model(graph, opset_imports=sets, ir_version=8)
    Path(path).write_bytes(model.SerializeToString())
    return path


def onnx_normalized(path, changed=None, *, dead=False):
    """Write an ONNX model of three convolutions with normalizations; the second is depthwise.

    *changed* is the one with other weights; where *dead*, of the one channel that the activation
    after it sets to 0.
    """
    from onnx import TensorProto, helper, numpy_helper

    rng = np.random.default_rng(7)
    nodes, weights, name = [], [], "data"
    for index, (inner, outer, group) in enumerate([(3, 6, 1), (6, 6, 6), (6, 4, 1)]):
        kernel = rng.normal(size=(outer, inner // group, 3, 3)).astype(np.float32)
        factors = rng.uniform(0.2, 3, (4, outer)).astype(np.float32)
        if dead and index == 0:
            factors[1, 0] = -1e6
        if changed == index:
            kernel[: 1 if dead else outer, :, 1, 1] += 9
        names = [f"{kind}{index}" for kind in ("kernel", "scale", "shift", "mean", "variance")]
        weights += map(numpy_helper.from_array, (kernel, *factors), names)
        for kind, inputs, options in (
            ("Conv", [name, names[0]], {"pads": [1] * 4, "group": group}),
            ("BatchNormalization", [f"conv{index}", *names[1:]], {}),
            ("Relu", [f"norm{index}"], {}),
        ):
            output = {"Conv": "conv", "BatchNormalization": "norm", "Relu": "relu"}[kind]
            nodes.append(helper.make_node(kind, inputs, [f"{output}{index}"], **options))
        name = f"relu{index}"
    ends = [
        helper.make_tensor_value_info("data", TensorProto.FLOAT, [1, 3, 32, 48]),
        helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 4, 32, 48]),
    ]
    graph = helper.make_graph(nodes, "normalized", ends[:1], ends[1:], weights)
    sets = [helper.make_opsetid("", 13)]
    model = helper.make_model(graph, opset_imports=sets, ir_version=8)
    Path(path).write_bytes(model.SerializeToString())
    return path


def converted(model, path):
    """Write a model as IR, as OpenVINO's converter does, which fuses normalizations."""
    import openvino as ov

    ov.save_model(ov.convert_model(str(model)), str(path), compress_to_fp16=False)
    return path


class Graph:
    """Layers by name, each with the names of those that it reads, ``image`` for the image."""

    def __init__(self, read_by, operations=None, outputs=None, sizes=None):
        operations, sizes = operations or {}, sizes or {}
        self.names = list(read_by)
        self._read = [[self._number(name) for name in names] for names in read_by.values()]
        self.layers = tuple(
            Layer(name, operations.get(name, "Add"), (sizes.get(name, 4),)) for name in self.names
        )
        self.outputs = tuple(self._number(name) for name in outputs or self.names[-1:])

    def _number(self, name):
        return INPUT if name == "image" else self.names.index(name)

    def reads(self, layer, known):
        found, left = set(), list(self._read[layer])
        while left:
            number = left.pop()
            if number == INPUT or number in known:
                found.add(number)
            else:
                left += self._read[number]
        return frozenset(found)
