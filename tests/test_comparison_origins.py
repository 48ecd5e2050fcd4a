"""What made the two sides of a comparison, and what sidecars say of it."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import toys
from compared_outputs import (
    F32,
    LABELS,
    MAIN,
    PLANE,
    RECIPE,
    THREE,
    masked,
    one_class,
    trace,
)

import wasinn_nb as wn
from wasinn_nb.comparison.comparing import compare
from wasinn_nb.comparison.result import Verdict
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.imaging.coverage import Coverage
from wasinn_nb.imaging.recipe import PreprocessRecipe
from wasinn_nb.tasks.segmentation.result import SegmentationResult
from wasinn_nb.tensor import Tensor

SHA = {name: name * 96 for name in "abc"}


# -- masks that do not cover the whole image ---------------------------------------------------


@pytest.fixture(scope="module")
def brightest(tmp_path_factory):
    return toys.brightest_channel(tmp_path_factory.mktemp("toy") / "toy.xml", height=8, width=8)


IMAGE = np.random.default_rng(3).integers(0, 256, (10, 30, 3), np.uint8)


def five_calls(model, image, recipe, **options):
    with wn.WasiNnCtx(**options) as ctx:
        context = ctx.init_execution_context(ctx.load(model))
        ctx.set_input(context, 0, wn.image_to_tensor(image, recipe))
        ctx.compute(context)
        ctx.get_output(context, 0)
    return ctx.trace


@pytest.mark.parametrize("fit", ["stretch", "letterbox", "crop"])
def test_five_calls_are_the_result_of_any_fit(brightest, fit, tmp_path):
    recipe = PreprocessRecipe(8, 8, resize="bilinear", fit=fit)
    result = wn.segment(IMAGE, brightest, recipe=recipe, scores=True)
    calls = five_calls(brightest, IMAGE, recipe)
    found = compare(calls, result)
    assert str(found) == "identical: input tensor, output tensor and labels"
    rows = 3 if fit == "letterbox" else 8
    assert found.step("labels").b == f"{rows}x8"
    # A saved result does not keep the image.
    saved = result.save(tmp_path)
    assert compare(calls, saved.facts, image=IMAGE).verdict is Verdict.IDENTICAL
    assert compare(saved.tensor, result).verdict is Verdict.IDENTICAL
    alone = compare(calls, saved.facts)
    if fit == "letterbox":
        assert "to cut them off here too, pass the image as image=" in repr(alone)
        assert "labels" not in [step.name for step in alone.steps]
    else:
        assert alone.verdict is Verdict.IDENTICAL
    # Two programs are laid over each other as they are, borders and all.
    both = compare(calls, calls, card=THREE.replace(recipe=recipe))
    assert both.step("labels").a == "8x8"


def test_results_of_one_grid_compare_and_others_are_refused(brightest):
    def segment(fit, color="BGR"):
        recipe = PreprocessRecipe(8, 8, color=color, resize="bilinear", fit=fit)
        return wn.segment(IMAGE, brightest, recipe=recipe)

    found = compare(segment("crop"), segment("crop", "RGB"))
    assert found.first_difference == "input tensor"
    assert found.agreement is not None
    with pytest.raises(InvalidArgumentError) as caught:
        compare(segment("stretch"), segment("crop"))
    assert str(caught.value) == (
        "the masks cover different parts of the image: a all of it, b 0 to 100 % of its height and "
        "33.33 to 66.67 % of its width (fit stretch in a, crop in b); make both with one fit, or "
        "bring both to the size of the image first: compare(a.labels_at(height, width), "
        "b.labels_at(height, width))"
    )
    laid = compare(*(segment(fit).labels_at(10, 30) for fit in ("stretch", "crop")))
    assert laid.step("labels").a == "10x30"


def test_a_recipe_of_another_fit_is_a_difference_where_no_input_is_known():
    a, b = (
        masked(LABELS, recipe=RECIPE.replace(fit=fit), covers=Coverage(0, 0, 1, 0.5))
        for fit in ("stretch", "crop")
    )
    found = compare(a, b)
    assert found.first_difference == "recipe"
    assert found.recipes == {"fit": ("stretch", "crop")}


# -- what made the two sides -------------------------------------------------------------------


def test_what_differs_in_what_made_them_is_noted():
    a = masked(LABELS, files={"toy.xml": SHA["a"], "toy.bin": SHA["b"]})
    b = masked(
        LABELS,
        files={"toy.xml": SHA["a"], "toy.bin": SHA["c"]},
        runtime="onnxruntime",
        target="GPU",
        precision="f16",
    )
    found = compare(a, b)
    assert found.verdict is Verdict.IDENTICAL
    assert found.notes == (
        "model file toy.bin: other SHA-384 in b",
        "precision: f32 in a, f16 in b",
        "runtime: openvino in a, onnxruntime in b",
        "target: CPU in a, GPU in b",
    )


@pytest.mark.parametrize(
    ("a", "b", "notes"),
    [
        ({"toy.onnx": SHA["a"]}, {"renamed.onnx": SHA["a"]}, ()),
        ({}, {"toy.onnx": SHA["a"]}, ()),
        # Version 0.1.0 knows the weights alone.
        ({"toy": SHA["b"]}, {"toy.xml": SHA["a"], "toy.bin": SHA["b"]}, ()),
        (
            {"toy.xml": SHA["a"], "toy.bin": SHA["b"]},
            {"toy.onnx": SHA["c"]},
            ("model files: toy.xml, toy.bin in a, toy.onnx in b",),
        ),
    ],
)
def test_files_are_distinguished_by_their_digests(a, b, notes):
    assert compare(masked(LABELS, files=a), masked(LABELS, files=b)).notes == notes
    assert compare(masked(LABELS, files=a), masked(LABELS, files=a)).notes == ()


def test_what_made_them_is_the_reason():
    planes = MAIN[0]
    a = SegmentationResult.from_scores(planes, THREE)
    b = SegmentationResult.from_scores(planes * F32(0.999), THREE, runtime="litert")
    assert str(compare(a, b)) == (
        "same within precision: openvino against litert; 100.00 % of the pixels agree"
    )
    c = SegmentationResult.from_scores(planes * F32(0.999), THREE, precision="bf16", target="GPU")
    assert "CPU against GPU, f32 against bf16; 100.00 %" in str(compare(a, c))


def test_what_is_assumed_is_said_once():
    a, b = (masked(LABELS, assumed=("BGR, values 0 to 255", *more)) for more in ((), ("labels",)))
    assert compare(a, a).notes == ("assumed in both: BGR, values 0 to 255",)
    assert compare(a, b).notes == (
        "assumed in both: BGR, values 0 to 255",
        "assumed in b: labels",
    )


def test_a_quantized_model_on_two_engines_may_round_differently():
    a = masked(np.zeros((10, 10)), recipe=PreprocessRecipe(10, 10, type="u8"))
    changed = np.zeros((10, 10))
    changed[0, :3] = 1
    b = masked(changed, recipe=a.recipe, runtime="litert")
    found = compare(a, b)
    assert found.verdict is Verdict.DIFFERENT
    assert str(found).endswith("IoU 0.000 (road); engines round quantized models differently")
    assert found.notes[-1] == (
        "quantized input: engines round quantized models differently, here: 3.00 % of the pixels "
        "changed; to see whether it matters, evaluate both on images with true labels"
    )
    for other in (
        masked(changed, recipe=a.recipe),  # one engine
        masked(changed, recipe=a.recipe, runtime="litert", card=THREE.replace(name="other")),
        masked(np.zeros((10, 10)), recipe=a.recipe, runtime="litert"),  # nothing differs
    ):
        assert "quantized" not in repr(compare(a, other))
    floats = [
        masked(x, recipe=PreprocessRecipe(10, 10), runtime=r)
        for x, r in ((np.zeros((10, 10)), "openvino"), (changed, "litert"))
    ]
    assert "quantized" not in repr(compare(*floats))


def test_another_input_is_not_a_matter_of_rounding():
    recipe = PreprocessRecipe(2, 3, type="u8")
    a, b = (
        masked(labels, recipe=recipe.replace(color=color), image=IMAGE, runtime=runtime)
        for labels, color, runtime in (
            (LABELS, "BGR", "openvino"),
            (LABELS[::-1], "RGB", "litert"),
        )
    )
    found = compare(a, b)
    assert found.first_difference == "input tensor"
    assert "quantized" not in repr(found)


# -- sidecars ----------------------------------------------------------------------------------


def with_sidecar(path, array, **metadata):
    return Tensor.from_array(np.asarray(array)).write(path, metadata=metadata)


def test_the_tensor_of_a_result_is_the_result(tmp_path):
    result = one_class(precision="bf16", files={"toy.onnx": SHA["a"]})
    saved = result.save(tmp_path)
    found = compare(saved.tensor, one_class(files={"toy.onnx": SHA["b"]}, runtime="litert"))
    assert str(found) == "identical: recipe, output tensor and labels"
    assert found.notes == (
        "model file toy.onnx: other SHA-384 in b",
        "precision: bf16 in a, f32 in b",
        "runtime: openvino in a, litert in b",
    )


def test_a_sidecar_that_leaves_things_out_states_no_origin(tmp_path):
    path = with_sidecar(tmp_path / "a.tensor", PLANE[None, None], recipe=RECIPE.to_dict())
    found = compare(path, one_class(precision="bf16"))
    assert str(found) == "identical: recipe, output tensor and labels"
    by_values = ("assumed in a: scores are probabilities, by their values",)
    assert found.notes == by_values
    named = with_sidecar(tmp_path / "b.tensor", PLANE[None, None], model="toy")
    assert compare(named, one_class(precision="bf16")).notes == by_values


@pytest.mark.parametrize(
    "metadata",
    [
        {"model": {}},
        {"model": {"name": 3}},
        {"model": {"name": "toy", "classes": 7}},
        {"model": {"name": "toy"}, "target": 1, "precision": "f32"},
        {"model": {"name": "toy", "files": [1]}, "target": "CPU", "precision": "f32"},
        {"model": {"name": "toy", "sha384": "abc"}, "target": "CPU", "precision": "f32"},
        {"recipe": {"height": -1}},
        {"recipe": "stretch"},
        {"threshold": 2.0},
        {"threshold": "half"},
        {"covers": [0, 0, 1]},
        {"covers": [0, 0, 1, "all"]},
        {"covers": [0, 0, 1, 10**400]},
        {"covers": {"top": 0}},
    ],
    ids=str,
)
def test_a_sidecar_that_is_not_understood_is_noted(metadata, tmp_path):
    path = with_sidecar(tmp_path / "a.tensor", PLANE[None, None], **metadata)
    found = compare(path, one_class())
    assert found.notes[-1].startswith("a.tensor: Tensor 1x1x2x3xf32: its sidecar is not understood")
    assert str(found).startswith("identical:")


def test_a_json_that_is_no_result_is_refused(tmp_path):
    path = tmp_path / "a.json"
    path.write_text("[]")
    with pytest.raises(InvalidArgumentError, match="expected a result as a JSON object, got an "):
        compare(path, path)
    for content in ('{"format": 3}', '{"format": "wasinn_nb.other/1"}'):
        path.write_text(content)
        with pytest.raises(InvalidArgumentError, match=r'"format": "wasinn_nb\.result/1"'):
            compare(path, PLANE)
    path.write_text("{")
    with pytest.raises(InvalidArgumentError, match="not valid JSON"):
        compare(path, PLANE)


def test_all_of_it_is_json():
    found = compare(trace(PLANE[None, None]), one_class(threshold=0.75))
    values = json.loads(json.dumps(found.to_dict()))
    assert values["steps"][-1] == {
        "name": "labels",
        "verdict": "identical",
        "a": "2x3",
        "b": "2x3",
        "difference": "all pixels agree",
    }
    assert (values["ranks"], values["largest"]) == ([], None)


@pytest.mark.full
def test_reading_an_output_imports_no_engine():
    code = (
        "import sys, numpy as np, wasinn_nb as wn\n"
        "card = wn.ModelCard('toy', classes=('a', 'b'))\n"
        "zeros = np.zeros((1, 2, 3, 4), np.float32)\n"
        "assert wn.compare(zeros, zeros, card=card).step('labels') is not None\n"
        "wn.bench, wn.Timings\n"
        "print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"openvino", "onnxruntime", "ai_edge_litert", "wasmtime", "matplotlib"}
