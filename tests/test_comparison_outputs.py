"""`compare`: how the outputs of a program are read, and laid over a result."""

from __future__ import annotations

import json
import subprocess
import sys

import numpy as np
import pytest
import toys
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.abi import TensorType
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.cards.ports import Port
from wasinn_nb.comparison.changes import Change
from wasinn_nb.comparison.comparing import compare
from wasinn_nb.comparison.margins import score_margins
from wasinn_nb.comparison.result import Verdict
from wasinn_nb.errors import InvalidArgumentError, WasiNnError
from wasinn_nb.imaging.coverage import Coverage
from wasinn_nb.imaging.recipe import PreprocessRecipe
from wasinn_nb.tasks.segmentation.result import SegmentationResult
from wasinn_nb.tensor import Tensor
from wasinn_nb.wasi_nn.trace import Trace

F32 = np.float32
PERSON = ModelCard("toy", "segmentation", classes=("background", "person"))
THREE = ModelCard("toy", "segmentation", classes=("background", "road", "curb"))
RECIPE = PreprocessRecipe(2, 3)
PLANE = np.array([[0.25, 0.75, 0.5], [0.875, 0.0, 1.0]], F32)
SHA = {name: name * 96 for name in "abc"}


def trace(*outputs, given=None, indices=None, ports=None):
    """Return the trace of a program that set *given* and got *outputs*."""
    made = Trace()
    calls = [] if given is None else [("set_input", 0, given, None)]
    for index, output in enumerate(outputs):
        place = index if indices is None else indices[index]
        calls.append(("get_output", place, output, None if ports is None else ports[index]))
    for name, index, array, port in calls:
        with made.call(name, f"context 0, {index}") as call:
            call.tensor, call.index, call.port = Tensor.from_array(array), index, port
    return made


def one_class(plane=PLANE, **about):
    return SegmentationResult.from_scores(
        np.asarray(plane, F32)[None], PERSON, **{"threshold": 0.5, "recipe": RECIPE} | about
    )


def masked(labels, card=THREE, **about):
    return SegmentationResult(np.asarray(labels, np.uint8), card, **about)


# -- one class ---------------------------------------------------------------------------------


def test_results_of_one_class_have_labels_iou_and_near_ties():
    a = one_class([[0.25, 0.625, 0.53125, 0.875]])
    b = one_class([[0.25, 0.625, 0.46875, 0.125]])
    found = compare(a, b)
    assert found.first_difference == "output tensor"
    assert found.step("output tensor").a == "1x1x1x4xf32"
    assert found.iou == {"background": 1 / 3, "person": 1 / 3}
    assert found.pixels == {"background": (1, 3), "person": (3, 1)}
    assert found.changes == (Change("person", "background", 2),)
    # 0.03125 of 0.5 is near; 0.375 of 0.5 is far.
    assert (found.changed, found.near_ties) == (2, 1)
    assert compare(a, a).verdict is Verdict.IDENTICAL


def test_the_distance_from_the_threshold_is_part_of_the_longer_side():
    plane = np.array([[[0.0, 0.25, 0.625, 1.0]]], F32)
    assert score_margins(plane, 0.25).tolist() == [[F32(1 / 3), 0.0, 0.5, 1.0]]
    assert score_margins(plane, 0.75).tolist() == [[1.0, F32(2 / 3), F32(1 / 6), F32(1 / 3)]]


@given(
    hnp.arrays(F32, (1, 2, 3), elements=st.floats(0, 1, width=32)),
    st.floats(0.01, 0.99),
)
@example(np.ones((1, 2, 3), F32), 0.4871912443673957)  # 1.0000001 where it is not cut
def test_distances_are_within_0_and_1_and_alike_for_the_complement(plane, threshold):
    margins = score_margins(plane, threshold)
    assert margins.dtype == F32
    assert ((margins >= 0) & (margins <= 1)).all()
    assert score_margins(1 - plane, 1 - threshold) == pytest.approx(margins, abs=1e-6)


def test_a_threshold_that_differs_is_noted():
    found = compare(one_class(), one_class(threshold=0.75))
    assert found.first_difference == "labels"
    assert found.notes == ("threshold: 0.5 in a, 0.75 in b",)
    assert found.changes == (Change("person", "background", 1),)


def test_the_figure_of_one_class_says_what_its_distances_are():
    titles = [axes.get_title() for axes in compare(one_class(), one_class()).plot().axes]
    assert titles[-1] == "Distance of the probability from the threshold"


def colors_of(legend):
    return [
        tuple(round(255 * channel) for channel in patch.get_facecolor()[:3])
        for patch in legend.get_patches()
    ]


def test_a_card_of_one_class_names_the_other_label_background(tmp_path):
    mask = np.array([[0, 1], [1, 1]], np.uint8)
    Image.fromarray(mask).save(tmp_path / "mask.png")
    card = ModelCard("toy", classes=("person",), palette=((1, 2, 3),))
    found = compare(tmp_path / "mask.png", mask, card=card)
    assert found.pixels == {"background": (1, 1), "person": (3, 3)}
    assert colors_of(found.plot().legends[0])[:2] == [(0, 0, 0), (1, 2, 3)]


# -- five calls against a result ---------------------------------------------------------------

PLANES = [
    ("1x1xHxW", PLANE[None, None]),
    ("1xHxW", PLANE[None]),
    ("1xHxWx1", PLANE[None, ..., None]),
    ("flat", PLANE.reshape(1, -1)),
    ("HxW", PLANE),
]


@pytest.mark.parametrize("output", [p[1] for p in PLANES], ids=[p[0] for p in PLANES])
def test_a_plane_of_one_class_in_any_shape_is_the_result(output):
    found = compare(trace(output), one_class())
    assert str(found) == "identical: output tensor and labels"
    assert found.step("output tensor").a == "1x1x2x3xf32"
    assert found.pixels == {"background": (3, 3), "person": (3, 3)}
    back = compare(one_class(), trace(output))
    assert back.verdict is Verdict.IDENTICAL
    # As a tensor from a file, too, with a card in place of the other side's.
    card = PERSON.replace(recipe=RECIPE)
    alone = compare(output, output * F32(0.5), card=card)
    assert alone.changes == (Change("person", "background", 3),)


def test_logits_are_known_from_the_graph_else_by_the_values():
    logits = np.array([[-2.0, 2.0, 0.5], [1.0, -1.0, 0.25]], F32)
    right = one_class(1 / (1 + np.exp(-logits)))
    by_values = compare(trace(logits[None, None]), right)
    assert str(by_values) == "identical: output tensor and labels"
    assert by_values.notes == ("assumed in a: scores are logits, by their values",)
    inside = np.abs(logits) / 4  # nothing tells that these are logits, but the graph
    port = Port("person", (1, 1, 2, 3), TensorType.F32, "f32", operation="Conv")
    found = compare(trace(inside[None, None], ports=[port]), one_class(1 / (1 + np.exp(-inside))))
    assert str(found) == "identical: output tensor and labels"
    assert found.notes == ()


def test_the_quantization_of_a_plane_is_the_graphs():
    steps = np.array([[0, 100, 200], [151, 150, 255]], np.uint8)
    port = Port("person", (1, 2, 3, 1), TensorType.U8, "u8", quantization=(1 / 300, 0))
    found = compare(
        trace(steps[None, ..., None], ports=[port]), one_class(steps.astype(F32) * F32(1 / 300))
    )
    assert str(found) == "identical: output tensor and labels"
    assert found.pixels["person"] == (3, 3)


def test_the_threshold_is_the_results_unless_the_card_says_another():
    result = one_class(threshold=0.75)
    assert compare(trace(PLANE[None, None]), result).pixels["person"] == (2, 2)
    card = PERSON.replace(threshold=0.5)
    assert compare(trace(PLANE[None, None]), result, card=card).pixels["person"] == (3, 2)


LABELS = np.array([[0, 2, 1], [1, 1, 0]])


@pytest.mark.parametrize("dtype", [np.uint8, np.int32, np.int64])
@pytest.mark.parametrize("shape", [(1, 2, 3), (1, 1, 2, 3), (1, 2, 3, 1), (2, 3)])
def test_labels_inside_the_model_are_labels(shape, dtype):
    output = LABELS.astype(dtype).reshape(shape)
    found = compare(trace(output), masked(LABELS, recipe=RECIPE))
    assert str(found) == "identical: labels"
    assert found.pixels == {"background": (2, 2), "road": (3, 3), "curb": (1, 1)}
    # Two of them are judged by their labels: what lies between class numbers means nothing.
    other = output.copy().reshape(2, 3)
    other[0, 0] = 2
    both = compare(trace(output), trace(other.reshape(shape)), card=THREE)
    assert [step.name for step in both.steps] == ["labels"]
    assert both.changes == (Change("background", "curb", 1),)


def test_channels_last_follows_from_the_size_of_the_input():
    given = np.zeros((1, 2, 6, 3), F32)
    output = np.zeros((1, 2, 6, 8), F32)
    output[..., 7] = 1
    bare = ModelCard("toy")
    found = compare(trace(output, given=given), trace(output, given=given), card=bare)
    assert found.step("labels").a == "2x6"
    assert [name for name, pixels in found.pixels.items() if any(pixels)] == ["class 7"]
    # Without a card, the shape alone tells: two classes of 6x8 pixels.
    assert compare(trace(output), trace(output)).step("labels").a == "6x8"


def test_channels_last_against_a_result():
    planes = np.moveaxis(np.eye(3, dtype=F32)[LABELS], -1, 0)
    result = SegmentationResult.from_scores(planes, THREE, recipe=RECIPE)
    output = np.moveaxis(planes, 0, -1)[None]
    assert str(compare(trace(output), result)) == "identical: output tensor and labels"
    # Of a square, only the card tells.
    square = np.zeros((1, 3, 3, 3), F32)
    square[0, 1:, 0, 2] = 1
    last = THREE.replace(recipe=PreprocessRecipe(3, 3), channels_last=True)
    assert compare(square, square, card=last).pixels["curb"] == (2, 2)
    first = compare(square, square, card=last.replace(channels_last=False))
    assert (first.pixels["road"], first.pixels["curb"]) == ((1, 1), (0, 0))
    unsure = compare(square, square, card=last.replace(channels_last=None))
    assert "labels" not in [step.name for step in unsure.steps]
    assert "pass a card with channels_last=True or channels_last=False" in unsure.notes[0]


def test_scores_of_a_smaller_size_are_read_by_the_size_of_the_input():
    given = np.zeros((1, 3, 4, 6), F32)
    coarse = np.moveaxis(np.eye(3, dtype=F32)[LABELS], -1, 0)
    result = SegmentationResult.from_scores(coarse, THREE, recipe=PreprocessRecipe(4, 6))
    found = compare(trace(coarse[None], given=given), result)
    assert str(found) == "identical: output tensor and labels"


def test_what_the_card_does_not_fit_is_noted():
    planes = np.zeros((1, 4, 2, 3), F32)
    found = compare(trace(planes), planes, card=THREE.replace(recipe=RECIPE))
    assert [step.name for step in found.steps] == ["output tensor"]
    why = "no labels: the card of toy names 3 classes, the model's output has 4"
    assert found.notes == (f"Trace of 1 call: {why}", f"array 1x4x2x3xf32: {why}")
    with pytest.raises(InvalidArgumentError, match=r"no step in common: .*; Trace .*: no labels:"):
        compare(trace(planes), masked(LABELS, recipe=RECIPE))


def test_nan_in_an_output_gives_no_labels():
    broken = PLANE.copy()
    broken[0, 1] = np.nan
    found = compare(trace(broken[None, None]), one_class())
    assert found.first_difference == "output tensor"
    assert [step.name for step in found.steps] == ["output tensor"]
    assert "1 of 6 scores are NaN" in found.notes[-1]


@pytest.mark.parametrize("shape", [(1, 0), (0,), (1, 2, 0, 3)])
def test_an_empty_output_gives_no_labels(shape):
    found = compare(trace(np.zeros(shape, F32)), one_class())
    assert [step.name for step in found.steps] == ["output tensor"]
    assert found.verdict is Verdict.DIFFERENT


ANY = st.tuples(
    st.sampled_from([np.uint8, np.int8, np.float16, np.float32, np.int64]),
    st.sampled_from([(), (3,), (1, 6), (1, 0), (2, 3), (1, 2, 3, 1), (1, 3, 2, 3), (1, 2, 3, 3)]),
).flatmap(lambda kind: hnp.arrays(*kind))


@pytest.mark.full
@given(ANY, st.booleans(), st.sampled_from([None, PERSON, THREE, PERSON.replace(logits=True)]))
def test_any_output_is_compared_with_any_result_or_refused(output, traced, card):
    one = trace(output) if traced else output
    for result in (one_class(), masked(LABELS, recipe=RECIPE)):
        try:
            found = compare(one, result, card=card)
        except WasiNnError:
            continue
        assert compare(result, one, card=card).verdict is found.verdict
        assert json.dumps(found.to_dict())


# -- several outputs ---------------------------------------------------------------------------

MAIN = np.moveaxis(np.eye(3, dtype=F32)[LABELS], -1, 0)[None]
AUXILIARY = np.roll(MAIN, 1, axis=1)
PORTS = [Port(name, (1, 3, 2, 3), TensorType.F32, "f32") for name in ("auxiliary", "main")]


@pytest.mark.parametrize("output", [1, "main"])
def test_the_card_says_which_of_several_outputs_is_compared(output):
    card = THREE.replace(output=output)
    result = SegmentationResult.from_scores(MAIN, card, recipe=RECIPE)
    found = compare(trace(AUXILIARY, MAIN, ports=PORTS), result)
    assert str(found) == "identical: output tensor and labels"
    assert found.notes == ("Trace of 2 calls: output 1 of outputs 0 and 1 is compared",)
    # In whatever order they were asked for.
    turned = trace(MAIN, AUXILIARY, indices=[1, 0], ports=PORTS[::-1])
    assert compare(turned, result).verdict is Verdict.IDENTICAL


def test_the_output_that_fits_is_compared():
    boxes = np.zeros((1, 7, 4), F32)
    result = SegmentationResult.from_scores(MAIN, THREE, recipe=RECIPE)
    found = compare(trace(MAIN, boxes), result)
    assert found.verdict is Verdict.IDENTICAL
    assert found.notes == ("Trace of 2 calls: output 0 of outputs 0 and 1 is compared",)


def test_several_outputs_that_fit_are_not_chosen_among():
    result = SegmentationResult.from_scores(MAIN, THREE, recipe=RECIPE, keep_scores=True)
    found = compare(trace(AUXILIARY, MAIN, ports=PORTS), result)
    assert [step.name for step in found.steps] == ["output tensor"]
    assert found.notes[0] == "Trace of 2 calls: the last of outputs 0 and 1 is compared"
    assert "several outputs can be the mask: auxiliary" in found.notes[1]


def test_an_output_that_was_not_asked_for_is_not_replaced_by_another():
    card = THREE.replace(output=1)
    result = SegmentationResult.from_scores(MAIN, card, recipe=RECIPE)
    found = compare(trace(AUXILIARY, ports=PORTS[:1]), result)
    assert "no labels: the card of toy names output 1, kept is outputs 0" in found.notes[0]
    named = compare(trace(AUXILIARY, ports=PORTS[:1]), result, card=THREE.replace(output="main"))
    assert "names the output 'main'; the model has auxiliary" in named.notes[0]


def test_of_several_runs_the_last_is_compared():
    kept = Trace(keep="all")
    for plane in (PLANE * F32(0.5), PLANE):
        with kept.call("get_output", "context 0, output 0") as call:
            call.tensor, call.index = Tensor.from_array(plane[None, None]), 0
    found = compare(kept, one_class())
    assert found.verdict is Verdict.IDENTICAL
    assert found.notes[-1] == "a keeps 2 output tensors; the last is compared"


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
