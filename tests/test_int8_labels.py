"""A model in INT8 is told from the same one in floating point wherever both are named."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
import quantized
import toy_files
import toys

import wasinn_nb as wn
from wasinn_nb.cards import precision_with, stated

NAME = "road-segmentation-synth-0001"
IMAGE = np.zeros((4, 6, 3), np.uint8)
CONV = 3  # BuiltinOperator CONV_2D


# -- which files are quantized ---------------------------------------------------------------------


def test_an_ir_with_quantized_values():
    assert not stated([wn.model(NAME, "FP16").path]).quantized
    assert stated([wn.model(NAME, "INT8").path]).quantized


def onnx_convolution(*before):
    from onnx import TensorProto

    ends = {"x": (TensorProto.FLOAT, [1, 3, 4, 6])}, {"y": (TensorProto.FLOAT, [1, 3, 4, 6])}
    names = {"x": "x", "w": "w"} | {name: f"{name} back" for name in before}
    nodes = [("DequantizeLinear", [f"{name} stored", "s"], [names[name]]) for name in before]
    kernel = ("Conv", [names["x"], names["w"]], ["y"])
    return toys.onnx_graph([*nodes, kernel], *ends).SerializeToString()


@pytest.mark.parametrize(
    ("before", "found"), [((), False), (("w",), False), (("x",), False), (("x", "w"), True)]
)
def test_onnx_needs_weights_and_values_of_8_bits(before, found):
    assert stated([onnx_convolution(*before)]).quantized is found


def test_onnx_with_integer_operations():
    from onnx import TensorProto

    ends = {"x": (TensorProto.UINT8, [1, 3, 4, 6])}, {"y": (TensorProto.INT32, [1, 3, 4, 6])}
    model = toys.onnx_graph([("ConvInteger", ["x", "w"], ["y"])], *ends)
    assert stated([model.SerializeToString()]).quantized


@pytest.mark.parametrize(("kind", "found"), [(0, False), (3, True), (9, True)])
def test_tflite_with_values_of_8_bits(kind, found):
    tensors = [
        toy_files.tflite_tensor("x", (1, 4, 6, 3), kind),
        toy_files.tflite_tensor("y", (1, 4, 6, 3), kind),
    ]
    assert stated([toy_files.tflite(tensors, [CONV])]).quantized is found


@pytest.mark.full
@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("portrait_segmentation.tflite", False),
        ("coral_mobilenet_v1_quant.tflite", True),
        ("mnv3_seg_quant.tflite", True),
        ("deeplab_nchw.onnx", False),
    ],
)
def test_models_of_others(shared, name, found):
    assert stated([shared / "models/third-party" / name]).quantized is found


# -- what they are called --------------------------------------------------------------------------


def test_no_files_have_no_precision():
    assert precision_with(wn.model(NAME).card.precisions, []) is None
    assert precision_with({"FP16": ()}, []) is None


@pytest.mark.full
def test_times_name_the_weights_of_int8():
    pipelines = [wn.Pipeline(wn.model(NAME, kind), precision="f32") for kind in ("FP16", "INT8")]
    timings = wn.bench(pipelines, rounds=3, progress=False)
    assert [one.weights for one in timings] == ["", "INT8"]
    assert [one.precision for one in timings] == ["f32", "f32"]
    assert [row["weights"] for row in timings.records()] == ["", "INT8"]
    table = timings.document().blocks[0]
    assert [column.name for column in table.headers][:3] == ["model", "ran on", "weights"]
    assert [row[1:3] for row in table.cells] == [("CPU, f32", ""), ("CPU, f32", "INT8")]


@pytest.mark.full
def test_compared_files_of_one_model_are_told_apart(tmp_path):
    results = [wn.segment(model=wn.model(NAME, kind), precision="f32") for kind in ("FP16", "INT8")]
    found = wn.compare(*results)
    what = f"SegmentationResult {NAME}, f32 on CPU"
    assert (found.a, found.b) == (f"{what}, FP16 weights", f"{what}, INT8 weights")
    titles = [axes.get_title().replace("\n", " ") for axes in found.plot().axes[1:3]]
    assert titles == [
        f"Mask of a: {NAME}, f32 on CPU, FP16 weights",
        f"Mask of b: {NAME}, f32 on CPU, INT8 weights",
    ]
    same = wn.compare(results[0], results[0])
    assert (same.a, same.b) == (what, what)


# -- whether it is worth it ------------------------------------------------------------------------


@pytest.fixture
def made(tmp_path):
    path = toys.brightest_channel(tmp_path / "toy.xml")

    def make(*seconds, sizes=(1000, 400), same=(1.0, 1.0), **options):
        found = quantized.quantization(path, IMAGE, **options)
        times = quantized.timings(*seconds, same=same)
        return dataclasses.replace(found, timings=times, sizes=sizes)

    return make


def test_int8_that_loses_to_what_the_device_prefers(made):
    found = made(0.06, 0.05, 0.0375, same=(0.894, 0.941))
    assert found.verdict.endswith(
        "; bf16 is faster on this device and nearer to f32 (94.10 % of the pixels of one image, "
        "INT8 89.40 %): INT8 is worth it only for its smaller files"
    )
    assert found.document().blocks[0].tone == "bad"
    larger = made(0.06, 0.05, 0.0375, sizes=(400, 500))
    assert larger.verdict.endswith("; bf16 is faster on this device: INT8 is not worth it")
    # Within what medians vary, and faster.
    for int8 in (0.038, 0.02):
        assert "worth" not in made(0.06, int8, 0.0375).verdict
    assert re.search(r"^toy +CPU, .* INT8 ", repr(found), re.MULTILINE)


def test_a_model_that_is_in_int8_already(made):
    found = made(0.06, 0.03, instead="quantize its FP16 files")
    assert found.verdict.endswith("; the original is in INT8 already: quantize its FP16 files")
    assert found.document().blocks[0].tone == "bad"
    assert found.to_dict()["instead"] == "quantize its FP16 files"


@pytest.mark.full
def test_an_int8_model_is_not_quantized_again_without_a_word(tmp_path):
    pytest.importorskip("nncf")
    images = [wn.image(name) for name in wn.images()[:4]]
    found = wn.quantize(
        wn.model(NAME, "INT8"), images, folder=tmp_path / "a", max_drop=1, progress=False
    )
    assert found.instead == "quantize its FP16 files"
    model = toys.textures(tmp_path / "toy.xml")
    made = wn.quantize(model, images, folder=tmp_path / "b", max_drop=1, progress=False)
    assert made.instead == ""
    bare = tmp_path / "bare.xml"
    for path in made.model.files:
        (tmp_path / f"bare{path.suffix}").write_bytes(path.read_bytes())
    again = wn.quantize(bare, images, folder=tmp_path / "c", max_drop=1, progress=False)
    assert again.instead == "quantize the model in floating point that it was made from"


@pytest.mark.full
@pytest.mark.parametrize("kind", ["xml", "onnx", "tflite", "pb", "pdmodel"])
def test_every_format_that_openvino_reads_is_quantized(tmp_path, kind):
    """The model gives its image back, so that a pixel's class is its largest channel."""
    pytest.importorskip("nncf")
    path, planes, rows = tmp_path / f"toy.{kind}", (1, 3, 32, 48), (1, 32, 48, 3)
    if kind == "xml":
        from openvino import opset13 as op

        toys.save(toys.graph(op.relu, planes), path)
    else:
        contents = {
            "onnx": lambda: toys.onnx_relu(planes),
            "tflite": lambda: toy_files.tflite_relu(rows),
            "pb": lambda: toy_files.tensorflow_relu(rows),
            "pdmodel": lambda: toy_files.paddle_relu(planes),
        }
        path.write_bytes(contents[kind]())
        (tmp_path / "toy.pdiparams").write_bytes(b"")
    rng = np.random.default_rng(2)
    images = [rng.integers(0, 256, (32, 48, 3), np.uint8) for _ in range(4)]
    found = wn.quantize(path, images, folder=tmp_path / "a", max_drop=1, progress=False)
    assert found.model.card.encoding.name == "OPENVINO"
    assert found.judgement.agreement > 0.9
    assert wn.segment(images[0], found.model).labels.shape == (32, 48)
