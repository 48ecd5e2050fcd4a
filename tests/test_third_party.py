"""Models of other people give the right result with one line of card at most, or a true refusal.

The counts were measured with plain OpenVINO and Pillow, without this package, on another processor;
0.1 % of the pixels may differ (see ``reference/models.md`` of the shared files).
"""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Final, NamedTuple

import numpy as np
import pytest
from tables import all_slow_but

import wasinn_nb as wn
from wasinn_nb import errors
from wasinn_nb.cards import FIVE_CALLS
from wasinn_nb.cards.card import ModelCard

TOLERANCE: Final = 0.001


class Row(NamedTuple):
    """A model, what must be known of it, and the pixels of some classes."""

    file: str
    known: dict
    pixels: dict
    size: tuple
    tolerance: float = TOLERANCE


def recipe(color, low=0, high=1, **more):
    return {"color": color, "range": (low, high), "resize": "bilinear", **more}


SINET: Final = {
    "color": "BGR",
    "mean": (102.890434, 111.25247, 126.91212),
    "scale": tuple(255 * std for std in (62.93292, 62.82138, 66.355705)),
    "resize": "bilinear",
}
ROWS: Final = (
    Row(
        "SINet.onnx",
        {"recipe": SINET, "classes": ("background", "person")},
        {"person": 59202},
        (320, 320),
    ),
    Row(
        "deeplab_nchw.onnx",
        {"recipe": recipe("RGB", -1), "classes": ("background", "person")},
        {"person": 154535},
        (513, 513),
    ),
    Row("mnv3_seg_quant.tflite", {"recipe": recipe("RGB")}, {"class 1": 37654}, (256, 256)),
    Row("portrait_segmentation.tflite", {"recipe": recipe("RGB")}, {"class 1": 150756}, (512, 512)),
    Row(
        "bodypix_float.tflite",
        {"recipe": recipe("RGB", -1, height=257, width=257), "classes": ("person",)},
        {"person": 669},
        (33, 33),
    ),
    Row(
        "prisma-net_fp16.tflite",
        {"recipe": recipe("RGB"), "classes": ("person",)},
        {"person": 38391},
        (256, 256),
    ),
    Row(
        "coral_deeplab_dm05_quant.tflite",
        {"recipe": {"color": "RGB", "resize": "bilinear"}},
        {"class 0": 87989, "class 15": 175180},
        (513, 513),
        # Its integers are computed otherwise where the processor has VNNI: 0.105 % of the pixels.
        tolerance=0.002,
    ),
)


@pytest.fixture(scope="module")
def folder(shared):
    return shared / "models/third-party"


@pytest.fixture(scope="module")
def image(shared):
    return shared / "images/grace_hopper.jpg"


@pytest.fixture(params=all_slow_but(ROWS, *ROWS[:1], *ROWS[2:5:2]), ids=[row.file for row in ROWS])
def row(request):
    return request.param


def check(result, row):
    assert result.labels.shape == row.size
    found = {name: result.areas()[name] for name in row.pixels}
    most = row.tolerance * result.labels.size
    assert found == pytest.approx(row.pixels, abs=most)


@pytest.mark.full
def test_segment(folder, image, row):
    path = folder / row.file
    card = ModelCard.from_model(path, **row.known)
    result = wn.segment(image, path, card=card)
    check(result, row)
    assert "BGR, values 0 to 255" not in " ".join(result.assumed)
    assert result.recipe == card.recipe
    with_scores = wn.segment(image, path, card=card, scores=True)
    assert np.array_equal(with_scores.labels, result.labels)
    if with_scores.scores is not None:
        planes = 1 if result.threshold is not None else len(result.card.classes)
        assert with_scores.scores.shape == (planes, *row.size)


@pytest.mark.full
def test_five_calls_with_the_head(folder, image, row):
    """The graph with everything fused, and the output of the calls with the head in NumPy."""
    path = folder / row.file
    pipeline = wn.Pipeline(path, card=ModelCard.from_model(path, **row.known), task="segmentation")
    reading, fused = pipeline.reading, pipeline(image)
    with wn.WasiNnCtx() as ctx:
        context = ctx.init_execution_context(ctx.load(path))
        ctx.set_input(context, 0, wn.image_to_tensor(image, pipeline.recipe))
        ctx.compute(context)
        output = ctx.get_output(context, reading.head.output)
    height, width = fused.photo.shape[:2]
    result = reading.result(
        reading.head.apply(output), image, pipeline.origin, {}, size=(height, width)
    )
    check(result, row)
    assert np.array_equal(result.labels, fused.labels)


@pytest.mark.full
def test_card_beside_the_model(folder, image, row, tmp_path):
    """The one line, written: from then on no line is needed."""
    path = tmp_path / row.file
    path.write_bytes((folder / row.file).read_bytes())
    ModelCard.from_model(path, **row.known).write(path)
    check(wn.segment(image, path), row)


INTEGERS = """
import sys
import wasinn_nb as wn
card = wn.ModelCard.from_model(sys.argv[1], recipe={"color": "RGB", "resize": "bilinear"})
areas = wn.segment(sys.argv[2], sys.argv[1], card=card).areas()
print(areas["class 0"], areas["class 15"])
"""


@pytest.mark.full
@pytest.mark.slow
def test_integers_on_a_processor_as_that_of_the_reference(folder, image):
    """Where oneDNN is told that there is no VNNI, the counts are those that were measured."""
    done = subprocess.run(
        [sys.executable, "-c", INTEGERS, folder / "coral_deeplab_dm05_quant.tflite", image],
        capture_output=True,
        text=True,
        env=os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"},
        check=True,
    )
    found = list(map(int, done.stdout.split()))
    assert found == pytest.approx([87989, 175180], abs=TOLERANCE * 513 * 513)


@pytest.mark.full
@pytest.mark.slow
def test_integers_as_plain_openvino_computes_them(folder, image):
    import openvino as ov
    from PIL import Image

    path = folder / "coral_deeplab_dm05_quant.tflite"
    with Image.open(image) as opened:
        pixels = np.asarray(opened.convert("RGB").resize((513, 513), Image.Resampling.BILINEAR))
    config = {"INFERENCE_PRECISION_HINT": ov.Type.f32}
    compiled = ov.Core().compile_model(str(path), "CPU", config)
    expected = compiled(pixels[None])[0][0]
    card = ModelCard.from_model(path, recipe={"color": "RGB", "resize": "bilinear"})
    assert np.array_equal(wn.segment(image, path, card=card).labels, expected)


@pytest.mark.parametrize(
    ("file", "right"), [("SINet.onnx", 59202 / 320**2), ("deeplab_nchw.onnx", 154535 / 513**2)]
)
def test_without_a_card_what_is_assumed_is_said(folder, image, file, right):
    result = wn.segment(image, folder / file)
    assert "BGR, values 0 to 255, bilinear" in result.assumed
    assert "assumed: BGR, values 0 to 255, bilinear" in repr(result)
    assert abs(result.fractions()["class 1"] - right) > 0.1  # it is wrong, and said to be a guess


# ---------------------------------------------------------------------------------- classifiers


def test_classifier_with_integers(folder, image):
    path = folder / "coral_mobilenet_v1_quant.tflite"
    result = wn.classify(image, path, resize="bilinear")
    assert [one.index for one in result.top(3)] == [401, 668, 835]
    assert {one.index for one in result.top(5)[3:]} == {434, 653}
    assert len(result.card.classes) == 1001


def test_classifier_of_two_classes(folder, image):
    path = folder / "ch_ppocr_mobile_v2.0_cls_infer.onnx"
    known = recipe("BGR", -1, height=48, width=192)
    card = ModelCard.from_model(path, recipe=known, classes=("0", "180"))
    result = wn.classify(image, path, card=card)
    assert result.top(1)[0].name == "0"
    assert result.probabilities[0] == pytest.approx(0.996, abs=0.001)


def test_classifier_whose_output_has_four_dimensions(folder, image):
    path = folder / "light_squeezenet.onnx"
    result = wn.classify(image, path, recipe=recipe("RGB"))
    assert result.probabilities == pytest.approx(np.full(1000, 0.001), abs=1e-4)
    with pytest.raises(errors.InvalidArgumentError, match=r"use wasinn_nb\.classify$"):
        wn.segment(image, path)
    with pytest.raises(errors.InvalidArgumentError, match=r"wasinn_nb\.classify"):
        wn.segment(image, folder / "coral_mobilenet_v1_quant.tflite")


# ------------------------------------------------------------------------------------- refusals


def test_face_detector(folder, image):
    path = folder / "ultraface_rfb320.onnx"
    gives = "it gives scores 1x4420x2xf32, boxes 1x4420x4xf32"
    with pytest.raises(errors.InvalidArgumentError) as caught:
        wn.Pipeline(path)
    message = str(caught.value)
    assert f"is not a segmentation model of 240x320 images: {gives}" in message
    assert f"is not a classifier: {gives}" in message
    assert message.endswith(FIVE_CALLS.python)
    for call, words in [(wn.segment, "a segmentation model"), (wn.classify, "a classifier")]:
        with pytest.raises(errors.InvalidArgumentError, match=f"is not {words}.* {gives}.*WasiNn"):
            call(image, path)
    with wn.WasiNnCtx() as ctx:
        context = ctx.init_execution_context(ctx.load(path))
        recipe = wn.PreprocessRecipe(240, 320, color="RGB", mean=127, scale=128)
        ctx.set_input(context, 0, wn.image_to_tensor(image, recipe))
        ctx.compute(context)
        scores, boxes = (ctx.get_output(context, index).to_array() for index in range(2))
    best = scores[0, :, 1].argmax()
    assert scores[0, best, 1] > 0.9  # one face, in the upper half of the image
    left, top, right, bottom = boxes[0, best]
    assert 0 < left < right < 1
    assert 0 < top < bottom < 0.6


def test_three_inputs(folder, image):
    path = folder / "mp3in.tflite"
    for call in (lambda: wn.segment(image, path), lambda: wn.Pipeline(path)):
        with pytest.raises(errors.InvalidArgumentError) as caught:
            call()
        message = str(caught.value)
        assert message.startswith("expected a model of one image, this one has 3 inputs (model_")
        assert message.endswith(FIVE_CALLS.python)
    with wn.WasiNnCtx() as ctx:
        graph = ctx.load(path)
        context = ctx.init_execution_context(graph)
        ports = ctx.describe(graph).inputs
        for index, port in enumerate(ports):
            value = {"third": 3, "first": 1, "second": 2}[port.name.split("_")[1]]
            ctx.set_input(context, index, wn.Tensor.from_array(np.full((1, 1), value, np.float32)))
        ctx.compute(context)
        outputs = [ctx.get_output(context, index).to_array().item() for index in range(3)]
    assert sorted(outputs) == [1, 2, 3]


def test_model_that_is_a_folder(folder, image):
    path = folder / "tf_saved_model"
    assert wn.model(path).files == (path,)
    with pytest.raises(errors.InvalidArgumentError, match="of one image, this one has 0 inputs"):
        wn.Pipeline(path)
    with wn.WasiNnCtx() as ctx:
        context = ctx.init_execution_context(ctx.load(path))
        ctx.compute(context)
        dimensions = [ctx.get_output(context, index).dimensions for index in range(2)]
    assert sorted(dimensions) == [(1, 3), (1, 40, 40, 100)]


def refusals(folder, image, file, error):
    """Yield the error of every call that takes a model's path."""
    path = folder / file
    with wn.WasiNnCtx() as ctx:
        calls = [
            lambda: wn.segment(image, path),
            lambda: wn.Pipeline(path),
            lambda: ctx.load(path),
            lambda: wn.describe(path),
        ]
        for call in calls:
            with pytest.raises(error) as caught:
                call()
            yield str(caught.value)


def test_custom_operation(folder, image):
    for message in refusals(folder, image, "segm_lite_v681.tflite", errors.RuntimeFailure):
        assert message == (
            "segm_lite_v681.tflite: OpenVINO does not have the operation "
            "Convolution2DTransposeBias, which is not one of TensorFlow Lite's own; convert the "
            "original model without it, or run the file with the runtime that defines it "
            "(runtime='litert' has those of MediaPipe)"
        )


def test_old_version(folder, image):
    expected = "IR version 4; OpenVINO reads 10 and 11: convert the original model again"
    for message in refusals(folder, image, "pinto_deeplab_fp16.xml", errors.RuntimeFailure):
        assert message == f"{folder / 'pinto_deeplab_fp16.xml'}: {expected}"
    with pytest.raises(errors.RuntimeFailure, match=expected):
        wn.model(folder / "pinto_deeplab_fp16.xml")
