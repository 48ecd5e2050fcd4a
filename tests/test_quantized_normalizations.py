"""INT8 models of ONNX files, whose normalizations are fused first."""

from __future__ import annotations

import collections
import dataclasses

import numpy as np
import openvino as ov
import pytest
import quantized
import toys
from layered import converted, onnx_normalized
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.runtimes.openvino.normalizations import with_fused_normalizations

IMAGE = np.random.default_rng(1).integers(0, 256, (4, 6, 3), np.uint8)


def operations(model):
    return collections.Counter(node.get_type_name() for node in model.get_ordered_ops())


def convolutions(model):
    return [
        node.get_friendly_name()
        for node in model.get_ordered_ops()
        if node.get_type_name().endswith("Convolution")
    ]


@pytest.mark.full
def test_convolutions_keep_their_names_and_normalizations_are_part_of_them(tmp_path):
    core, path = ov.Core(), onnx_normalized(tmp_path / "a.onnx")
    model = core.read_model(str(path))
    assert operations(model)["BatchNormInference"] == 3
    fused = with_fused_normalizations(model)
    found = operations(fused)
    assert (found["BatchNormInference"], found["Multiply"], found["Add"]) == (0, 0, 3)
    assert convolutions(fused) == ["conv0", "conv1", "conv2"]
    ov.save_model(fused, tmp_path / "fused.xml", compress_to_fp16=False)
    assert "wasinn" not in (tmp_path / "fused.xml").read_text()
    image = np.random.default_rng(2).normal(size=(1, 3, 32, 48)).astype(np.float32)
    results = [
        core.compile_model(one, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})(image)[0]
        for one in (core.read_model(str(path)), fused)
    ]
    assert results[0].max() > 1
    assert np.allclose(*results, rtol=1e-4, atol=1e-4)


def test_a_model_without_normalizations_is_as_it_was(tmp_path):
    path = toys.textures(tmp_path / "a.xml")
    model = ov.Core().read_model(str(path))
    before = [node.get_friendly_name() for node in model.get_ordered_ops()]
    fused = with_fused_normalizations(model)
    assert [node.get_friendly_name() for node in fused.get_ordered_ops()] == before


@pytest.mark.full
def test_an_onnx_file_gives_the_int8_model_that_its_conversion_gives(tmp_path):
    pytest.importorskip("nncf")
    rng = np.random.default_rng(5)
    images = [
        np.asarray(Image.fromarray(rng.integers(0, 256, (4, 6, 3), np.uint8)).resize((48, 32)))
        for _ in range(8)
    ]
    original = onnx_normalized(tmp_path / "a.onnx")
    pair = [
        wn.quantize(path, images, folder=tmp_path / folder, max_drop=1, progress=False)
        for path, folder in ((original, "onnx"), (converted(original, tmp_path / "a.xml"), "ir"))
    ]
    assert pair[0].quantized == ("conv0", "conv1", "conv2")
    assert [found.weighted for found in pair] == [3, 3]
    assert pair[0].judgement.agreement == pytest.approx(pair[1].judgement.agreement, abs=1e-3)
    model = ov.Core().read_model(pair[0].model.path)
    assert operations(model)["BatchNormInference"] == 0
    # The layers that are looked for have the names by which they are kept.
    layers = wn.compare(
        original, pair[0].model, layers=True, image=images[0], progress=False
    ).layers
    assert layers.explained_by == "i8"
    assert {"conv0", "conv1", "conv2"} <= {layer.name for layer in layers.worst_first}
    assert layers.first is None
    kept = wn.quantize(original, images, folder=tmp_path / "kept", max_drop=0, progress=False)
    assert [count for count, *_ in kept.tried][:2] == [0, 1]


def test_the_report_counts_every_layer_with_weights(tmp_path):
    path = toys.brightest_channel(tmp_path / "toy.xml")
    found = quantized.quantization(path, IMAGE, kept=("conv",))
    found = dataclasses.replace(found, quantized=("a", "b"), weighted=5)
    assert "2 of 5 with weights in INT8" in repr(found)
    assert found.to_dict()["weighted"] == 5
