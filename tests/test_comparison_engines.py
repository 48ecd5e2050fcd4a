"""`compare` across engines: one model on two of them, and the five calls on each."""

from __future__ import annotations

import numpy as np
import pytest
from conformance import models
from conformance.engines import ENGINES
from tables import all_slow_but

import wasinn_nb as wn
from wasinn_nb.comparison.comparing import compare
from wasinn_nb.comparison.result import Verdict
from wasinn_nb.imaging.recipe import PreprocessRecipe

IMAGE = np.random.default_rng(5).integers(0, 256, (9, 13, 3), np.uint8)
CLASSES = ("red", "green", "blue")


def five_calls(model, image, recipe, runtime=None):
    files = model.files if isinstance(model, wn.Model) else model
    with wn.WasiNnCtx(runtime=runtime) as ctx:
        context = ctx.init_execution_context(ctx.load(files))
        ctx.set_input(context, 0, wn.image_to_tensor(image, recipe))
        ctx.compute(context)
        ctx.get_output(context, 0)
    return ctx.trace


# -- toy models, on every engine ---------------------------------------------------------------

NCHW = PreprocessRecipe(4, 6, color="RGB", range=(-1, 1), resize="bilinear")
NHWC = NCHW.replace(layout="NHWC")
GRAY = NCHW.replace(color="GRAY")
TOYS = {
    "scores": ("segment", models.doubled, ((1, 3, 4, 6),), NCHW, CLASSES),
    "channels last": ("segment", models.doubled, ((1, 4, 6, 3),), NHWC, CLASSES),
    "labels": ("segment", models.doubled, ((1, 1, 4, 6), "u8", "i32"), GRAY, ()),
    "one class": ("segment", models.plane, ((1, 1, 4, 6),), GRAY, ("bright",)),
    "classes": ("classify", models.brightest, ((1, 3, 4, 6), (2, 3)), NCHW, CLASSES),
}
REAL_ENGINES = [engine for engine in ENGINES if engine.runtime != "toy"]


@pytest.mark.full
@pytest.mark.parametrize("engine", REAL_ENGINES, ids=str)
@pytest.mark.parametrize("toy", TOYS)
def test_five_calls_are_the_result_on_every_engine(toy, engine, tmp_path):
    call, build, arguments, recipe, classes = TOYS[toy]
    if "u8" in arguments:
        recipe = recipe.replace(type="u8", range=(0, 255))
    task = {"segment": "segmentation", "classify": "classification"}[call]
    card = wn.ModelCard("toy", task, recipe, classes)
    model = engine.model(build(engine.writer(), *arguments), tmp_path, card)
    image = IMAGE // 3  # labels are at most twice 85
    options = {"scores": True} if call == "segment" else {}
    result = getattr(wn, call)(image, model, runtime=engine.runtime, **options)
    found = compare(five_calls(model, image, recipe, engine.runtime), result)
    steps = {
        "labels": "input tensor and labels",
        "classes": "input tensor, scores and ranking",
    }.get(toy, "input tensor, output tensor and labels")
    assert str(found) == f"identical: {steps}"


# -- models of others --------------------------------------------------------------------------

SINET = {
    "color": "BGR",
    "mean": (102.890434, 111.25247, 126.91212),
    "scale": (62.93292 * 255, 62.82138 * 255, 66.355705 * 255),
}
SEGMENTATION = {
    "SINet.onnx": PreprocessRecipe(320, 320, resize="bilinear", **SINET),
    "deeplab_nchw.onnx": PreprocessRecipe(513, 513, color="RGB", range=(-1, 1), resize="bilinear"),
    "mnv3_seg_quant.tflite": PreprocessRecipe(
        256, 256, "NHWC", color="RGB", range=(0, 1), resize="bilinear"
    ),
    "portrait_segmentation.tflite": PreprocessRecipe(
        512, 512, "NHWC", color="RGB", range=(0, 1), resize="bilinear"
    ),
    "bodypix_float.tflite": PreprocessRecipe(
        257, 257, "NHWC", color="RGB", range=(-1, 1), resize="bilinear"
    ),
    "prisma-net_fp16.tflite": PreprocessRecipe(
        256, 256, "NHWC", color="RGB", range=(0, 1), resize="bilinear"
    ),
    "coral_deeplab_dm05_quant.tflite": PreprocessRecipe(
        513, 513, "NHWC", color="RGB", type="u8", resize="bilinear"
    ),
}
CLASSIFICATION = {
    "coral_mobilenet_v1_quant.tflite": PreprocessRecipe(
        128, 128, "NHWC", color="RGB", type="u8", resize="bilinear"
    ),
    "ch_ppocr_mobile_v2.0_cls_infer.onnx": PreprocessRecipe(
        48, 192, range=(-1, 1), resize="bilinear"
    ),
    "light_squeezenet.onnx": PreprocessRecipe(
        224, 224, color="RGB", range=(0, 1), resize="bilinear"
    ),
}
ONE_ENGINE = {"mnv3_seg_quant.tflite"}  # LiteRT cannot prepare it
FLOAT = sorted(set(SEGMENTATION) - {"coral_deeplab_dm05_quant.tflite"} - ONE_ENGINE)


def second_engine(name):
    return "onnxruntime" if name.endswith(".onnx") else "litert"


@pytest.fixture(scope="module")
def image(shared):
    return shared / "images" / "grace_hopper.jpg"


@pytest.fixture(scope="module")
def run(shared, image):
    """Run a model of others, by name, on an engine; each once."""
    kept = {}

    def result(name, runtime=None):
        if (name, runtime) not in kept:
            path = shared / "models" / "third-party" / name
            options = {"recipe": (SEGMENTATION | CLASSIFICATION)[name], "runtime": runtime}
            if name in SEGMENTATION:
                kept[name, runtime] = wn.segment(image, path, scores=True, **options)
            else:
                kept[name, runtime] = wn.classify(image, path, **options)
        return kept[name, runtime]

    return result


@pytest.mark.parametrize(
    "name",
    all_slow_but([*SEGMENTATION, *CLASSIFICATION], "SINet.onnx", "coral_mobilenet_v1_quant.tflite"),
)
def test_five_calls_are_the_result(name, run, shared, image):
    recipe = (SEGMENTATION | CLASSIFICATION)[name]
    engines = [None] if name in ONE_ENGINE else [None, second_engine(name)]
    for engine in engines:
        path = shared / "models" / "third-party" / name
        found = compare(five_calls(path, image, recipe, engine), run(name, engine))
        # Compiled for one size, a model of open sizes may be computed in another order.
        assert found.same, repr(found)
        assert found.verdict is Verdict.IDENTICAL or name.startswith("ch_ppocr"), repr(found)
        last = "labels" if name in SEGMENTATION else "ranking"
        assert found.steps[0].name == "input tensor"
        assert found.steps[-1].name == last


@pytest.mark.parametrize("name", FLOAT)
def test_one_model_on_two_engines_is_the_same_within_precision(name, run):
    other = second_engine(name)
    found = compare(run(name), run(name, other))
    assert found.verdict is Verdict.SAME, repr(found)
    assert str(found).startswith(f"same within precision: openvino against {other}; ")
    assert f"runtime: openvino in a, {other} in b" in found.notes
    assert found.steps[0].verdict is Verdict.IDENTICAL
    assert found.agreement >= 0.9999
    assert "quantized" not in repr(found)


def test_a_quantized_model_on_two_engines_says_what_is_known(run):
    name = "coral_deeplab_dm05_quant.tflite"
    found = compare(run(name), run(name, "litert"))
    assert found.agreement == pytest.approx(0.9936, abs=0.003)
    assert str(found).endswith("; engines round quantized models differently")
    assert found.notes[-1].startswith(
        "quantized input: engines round quantized models differently, here: 0."
    )
    assert "of the pixels changed; to see whether it matters, evaluate both" in found.notes[-1]
    # More than precision may change: it is not called the same.
    assert found.same is (found.changed <= 0.0025 * 513 * 513)


def test_a_real_difference_on_two_engines_is_named(run, shared, image):
    name = "coral_deeplab_dm05_quant.tflite"
    path = shared / "models" / "third-party" / name
    wrong = wn.segment(
        image, path, recipe=SEGMENTATION[name].replace(color="BGR"), runtime="litert"
    )
    found = compare(run(name), wrong)
    assert found.first_difference == "input tensor"
    assert "BGR against RGB" in found.why
    assert "quantized" not in repr(found)


def test_a_quantized_classifier_on_two_engines(run):
    name = "coral_mobilenet_v1_quant.tflite"
    found = compare(run(name), run(name, "litert"))
    assert found.verdict is Verdict.SAME
    assert found.step("ranking").verdict is Verdict.IDENTICAL
    assert [rank.index for rank in found.ranks[:3]] == [401, 668, 835]
    assert found.largest.index == 401
    assert found.notes[-1].startswith(
        "quantized input and output: engines round quantized models differently, here: the "
        "probability of academic gown"
    )


def test_classifiers_on_two_engines(run):
    name = "ch_ppocr_mobile_v2.0_cls_infer.onnx"
    found = compare(run(name), run(name, "onnxruntime"))
    assert found.verdict is Verdict.SAME
    assert [rank.ranks for rank in found.ranks] == [(1, 1), (2, 2)]
    assert found.ranks[0].values == pytest.approx((0.996, 0.996), abs=0.001)


def test_a_trace_knows_the_ports_of_its_calls(tmp_path):
    engine = REAL_ENGINES[0]
    model = engine.model(models.plane(engine.writer(), (1, 1, 4, 6)), tmp_path)
    trace = five_calls(model, IMAGE, GRAY)
    about = {call.name: (call.index, call.port and call.port.name) for call in trace}
    assert about == {
        "load": (None, None),
        "init_execution_context": (None, None),
        "set_input": (0, "data"),
        "compute": (None, None),
        "get_output": (0, "person"),
    }
    assert trace[-1].port.operation == "Sigmoid"
