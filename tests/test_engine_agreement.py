"""The same file on two engines: third-party models give the same masks and classes."""

from __future__ import annotations

import numpy as np
import pytest

import wasinn_nb as wn

RECIPES = {
    "SINet.onnx": {
        "color": "BGR",
        "mean": (102.890434, 111.25247, 126.91212),
        "scale": tuple(255 * std for std in (62.93292, 62.82138, 66.355705)),
    },
    "deeplab_nchw.onnx": {"color": "RGB", "range": (-1, 1)},
    "portrait_segmentation.tflite": {"color": "RGB", "range": (0, 1)},
    "bodypix_float.tflite": {"color": "RGB", "range": (-1, 1), "height": 257, "width": 257},
    "prisma-net_fp16.tflite": {"color": "RGB", "range": (0, 1)},
}


@pytest.mark.parametrize("name", RECIPES)
def test_float_models_agree_on_the_second_engine_that_reads_them(shared, name):
    second = "onnxruntime" if name.endswith(".onnx") else "litert"
    first, other = (
        wn.segment(
            shared / "images/grace_hopper.jpg",
            shared / "models/third-party" / name,
            recipe={"resize": "bilinear", **RECIPES[name]},
            scores=True,
            runtime=engine,
        )
        for engine in ("openvino", second)
    )
    assert (first.runtime, other.runtime) == ("openvino", second)
    assert 0.1 < (first.labels > 0).mean() < 0.9
    assert (first.labels == other.labels).mean() >= 0.999
    expected = () if first.threshold is None else ("threshold 0.5",)
    assert first.assumed == other.assumed == expected
    assert np.abs(first.scores - other.scores).max() < 0.01


def test_a_quantized_model_differs_between_engines_by_little(shared):
    results = [
        wn.segment(
            shared / "images/grace_hopper.jpg",
            shared / "models/third-party/coral_deeplab_dm05_quant.tflite",
            recipe={"resize": "bilinear", "color": "RGB"},
            runtime=engine,
        )
        for engine in ("openvino", "litert")
    ]
    assert (results[0].labels == results[1].labels).mean() > 0.98


def test_quantized_classes_agree(shared):
    model = shared / "models/third-party/coral_mobilenet_v1_quant.tflite"
    image = shared / "images/grace_hopper.jpg"
    first, other = (wn.classify(image, model, runtime=e) for e in ("openvino", "litert"))
    assert [row[0] for row in first.top(3)] == [row[0] for row in other.top(3)] == [401, 668, 835]
