"""Tiny models, made where they are used."""

from __future__ import annotations

import numpy as np
import openvino as ov
from openvino import opset13 as op


def save(model: ov.Model, path):
    """Write OpenVINO IR with full weights and return the path of its xml."""
    path.parent.mkdir(parents=True, exist_ok=True)
    ov.save_model(model, path, compress_to_fp16=False)
    return path


def brightest_channel(path, *, height=4, width=6, layout="NCHW", type_=ov.Type.f32, classes=3):
    """Write a segmentation model whose class is the channel with the highest value.

    Class 0 is the first channel of the input; further classes beyond the third are never seen.
    """
    shape = [1, 3, height, width] if layout == "NCHW" else [1, height, width, 3]
    data = op.parameter(shape, type_, name="data")
    data.output(0).set_names({"data"})
    planes = op.convert(data, ov.Type.f32)
    if layout == "NHWC":
        planes = op.transpose(planes, np.array([0, 3, 1, 2]))
    if classes > 3:
        never = np.full((1, classes - 3, height, width), -1e9, np.float32)
        planes = op.concat([planes, op.constant(never)], 1)
    scores = op.softmax(planes, 1) if classes <= 3 else planes
    scores.output(0).set_names({"scores"})
    return save(ov.Model([scores.output(0)], [data], "brightest"), path)
