"""`compare`: how the outputs of a program are read, and laid over a result."""

from __future__ import annotations

import json

import numpy as np
import pytest
from compared_outputs import (
    F32,
    LABELS,
    MAIN,
    PERSON,
    PLANE,
    RECIPE,
    THREE,
    masked,
    one_class,
    trace,
)
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from wasinn_nb.abi import TensorType
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.cards.ports import Port
from wasinn_nb.comparison.changes import Change
from wasinn_nb.comparison.comparing import compare
from wasinn_nb.comparison.margins import score_margins
from wasinn_nb.comparison.result import Verdict
from wasinn_nb.errors import InvalidArgumentError, WasiNnError
from wasinn_nb.imaging.recipe import PreprocessRecipe
from wasinn_nb.tasks.segmentation.result import SegmentationResult
from wasinn_nb.tensor import Tensor
from wasinn_nb.wasi_nn.trace import Trace

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
    assert "pass a card with channels_last=True or channels_last=False" in unsure.remedies[0].python


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
