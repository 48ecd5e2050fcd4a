"""What the tests of statements in model files share."""

from __future__ import annotations

import numpy as np
import toys

F32 = np.float32


def ports(signature):
    """Return (name, dimensions, type) of inputs and outputs."""
    return [
        [(port.name, port.dimensions, port.type_name) for port in side]
        for side in (signature.inputs, signature.outputs)
    ]


def operations(found):
    return [port.operation for port in found.signature.outputs]


def ir_with(info=None, build=None, shape=(1, 3, 4, 6)):
    """Return the xml of a model with entries below ``rt_info/model_info``."""
    from openvino import opset13 as op

    model = toys.graph(build or op.relu, shape)
    for name, value in (info or {}).items():
        model.set_rt_info(value, ["model_info", name])
    return toys.ir(model)[0]


ULTRALYTICS = {
    "author": "Ultralytics",
    "names": "{0: 'person', 1: \"traffic light\"}",
    "task": "detect",
    "stride": "32",
    "imgsz": "[640, 640]",
}
