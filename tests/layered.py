"""Copies of models with one weight changed, for the tests of layers."""

from __future__ import annotations

from pathlib import Path

import numpy as np


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
