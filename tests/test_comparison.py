"""`compare`: what is the same, what differs, and which step is named first."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from wasinn_nb.cards.card import ModelCard
from wasinn_nb.comparison.agreement import compare_masks, compare_tensors, percent
from wasinn_nb.comparison.changes import Change, draw_changes, faded
from wasinn_nb.comparison.comparing import compare
from wasinn_nb.comparison.margins import score_margins
from wasinn_nb.comparison.result import Verdict
from wasinn_nb.errors import (
    InvalidArgumentError,
    MissingFileError,
    TensorError,
    TensorFileError,
    WasiNnError,
)
from wasinn_nb.imaging.preprocessing import image_to_tensor
from wasinn_nb.imaging.recipe import PreprocessRecipe
from wasinn_nb.metrics import confusion_matrix, iou
from wasinn_nb.tasks.segmentation.result import SegmentationResult
from wasinn_nb.tensor import Tensor
from wasinn_nb.wasi_nn.trace import Trace

CARD = ModelCard("toy", "segmentation", classes=("background", "road", "curb"))
F32 = np.float32
RNG = np.random.default_rng(6)
PIXELS = RNG.integers(0, 256, (8, 12, 3), np.uint8)
RECIPE = PreprocessRecipe(8, 12)


def tensor(values, dtype=F32):
    return Tensor.from_array(np.asarray(values, dtype))


def scores(height=8, width=12, classes=3, seed=0):
    """Return probabilities with a clear winner at each pixel."""
    raw = np.random.default_rng(seed).random((classes, height, width)) * 0.2
    winner = np.random.default_rng(seed + 1).integers(0, classes, (height, width))
    raw[winner, *np.indices((height, width))] += 2
    return (raw / raw.sum(axis=0)).astype(F32)


def result(values=None, **about):
    return SegmentationResult.from_scores(scores() if values is None else values, CARD, **about)


def traced(given=None, output=None, keep="last"):
    trace = Trace(keep=keep)
    for name, value in (("set_input", given), ("get_output", output)):
        if value is not None:
            with trace.call(name, "context 0") as call:
                call.tensor = value
    return trace


# -- metrics -----------------------------------------------------------------------------------


def test_confusion_matrix_and_iou_on_literals():
    truth = np.array([[0, 0, 1], [1, 1, 2]], np.uint8)
    predicted = np.array([[0, 1, 1], [1, 0, 2]], np.uint8)
    matrix = confusion_matrix(truth, predicted, 4)
    assert matrix.dtype == np.int64
    assert matrix.tolist() == [[1, 1, 0, 0], [1, 2, 0, 0], [0, 0, 1, 0], [0, 0, 0, 0]]
    assert iou(matrix)[:3].tolist() == [1 / 3, 0.5, 1.0]
    assert np.isnan(iou(matrix)[3])


@pytest.mark.parametrize(
    ("truth", "predicted", "message"),
    [([[0, 1]], [[0], [1]], r"one shape, got \(1, 2\) and \(2, 1\)"), ([[3]], [[0]], "got 3")],
)
def test_confusion_matrix_refuses(truth, predicted, message):
    with pytest.raises(TensorError, match=message):
        confusion_matrix(np.array(truth, np.uint8), np.array(predicted, np.uint8), 3)


# -- two tensors -------------------------------------------------------------------------------

IMAGE = RNG.integers(0, 256, (1, 3, 4, 5)).astype(F32)
HWC = np.ascontiguousarray(np.moveaxis(IMAGE, 1, -1))

TENSORS = [
    # what, a, b, identical, within, text
    ("the same", [1, 2], [1, 2], True, True, "the same bytes"),
    ("a zero's sign", [0.0], [-0.0], False, True, "equal values"),
    ("values", [1, 2], [1, 4], False, False, "values differ by up to 2, 1 on average, at 50.00 %"),
    ("shape", [1, 2], [1, 2, 3], False, False, "2xf32, 8 bytes against 3xf32, 12 bytes"),
    ("dimensions of 1", [[1, 2]], [1, 2], False, True, "the same bytes as 1x2 and as 2"),
    ("other dimensions", [[1, 2]] * 3, np.ravel([[1, 2]] * 3), False, False, "same bytes as 3x2"),
    ("NaN in one", [1, np.nan], [1, 1], False, False, "NaN: 1 in a, 0 in b"),
    ("NaN in both", [1, np.nan, 0], [1, np.nan, -0.0], False, True, "equal values"),
    ("NaN elsewhere", [1, np.nan], [np.nan, 1], False, False, "NaN: 1 in a, 1 in b"),
    ("infinity in both", [np.inf, 0], [np.inf, -0.0], False, True, "equal values"),
    ("infinity in one", [np.inf, 1], [1, 1], False, False, "differ by up to inf, inf on average"),
    ("opposite infinities", [np.inf], [-np.inf], False, False, "up to inf"),
]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("a", "b", "identical", "within", "text"), [t[1:] for t in TENSORS], ids=[t[0] for t in TENSORS]
)
def test_two_tensors(a, b, identical, within, text):
    found = compare_tensors(tensor(a), tensor(b))
    assert (found.identical, found.within) == (identical, within)
    assert text in str(found)
    back = compare_tensors(tensor(b), tensor(a))
    assert (back.identical, back.within) == (identical, within)


MIXED = [
    ("BGR for RGB", IMAGE[:, ::-1], "the channels are in reverse order (BGR against RGB)"),
    ("HWC bytes", HWC.reshape(IMAGE.shape), "b holds HWC bytes under CHW dimensions"),
    (
        "both",
        HWC[..., ::-1].reshape(IMAGE.shape),
        "b holds HWC bytes under CHW dimensions, and the channels are in reverse order",
    ),
    ("shape too", IMAGE.reshape(1, 4, 5, 3), "the same bytes as 1x3x4x5 and as 1x4x5x3"),
    ("NHWC and BGR", HWC[..., ::-1], "layout 1x3x4x5 against 1x4x5x3; the channels are in reverse"),
    ("another size", IMAGE.reshape(1, 3, 5, 4), "the same bytes as 1x3x4x5 and as 1x3x5x4"),
    ("0 to 1", IMAGE / 255, "values differ by up to 25"),
    ("one row further", np.roll(IMAGE, 1, 2), "values differ by up to"),
]


@pytest.mark.parametrize(("other", "text"), [m[1:] for m in MIXED], ids=[m[0] for m in MIXED])
def test_an_image_that_was_mixed_up(other, text):
    found = compare_tensors(tensor(IMAGE), tensor(other), role="input")
    assert not found.within
    assert text in str(found)


def test_mixed_up_the_other_way_round():
    wrong, right = tensor(HWC.reshape(IMAGE.shape)), tensor(IMAGE)
    found = compare_tensors(wrong, right, role="input")
    assert "a holds HWC bytes under CHW dimensions" in str(found)
    planes = np.moveaxis(IMAGE, 1, -1), IMAGE.reshape(1, 4, 5, 3)
    found = compare_tensors(tensor(planes[0]), tensor(planes[1]), role="input")
    assert "b holds CHW bytes under HWC dimensions" in str(found)


def test_another_layout_of_the_same_values_is_the_same():
    found = compare_tensors(tensor(IMAGE), tensor(HWC), role="input")
    assert found.within
    assert not found.identical
    assert str(found) == "layout 1x3x4x5 against 1x4x5x3; equal values"


@pytest.mark.parametrize(
    ("dtype", "within", "text"),
    [
        (np.uint8, True, "type f32 against u8; equal values"),
        (np.float16, True, "type f32 against f16; equal values"),
        (np.int64, True, "type f32 against i64; equal values"),
    ],
)
def test_another_type_of_the_same_values(dtype, within, text):
    found = compare_tensors(tensor(IMAGE), tensor(IMAGE, dtype), role="input")
    assert (found.within, str(found)) == (within, text)


def test_numbers_of_a_difference():
    a, b = tensor([[0.0, 4.0], [2.0, -8.0]]), tensor([[0.0, 4.0], [1.0, -5.0]])
    found = compare_tensors(a, b)
    assert (found.largest, found.mean, found.share, found.scale) == (3.0, 1.0, 0.5, 8.0)
    assert found.rms == pytest.approx(np.sqrt(10 / 4))
    assert (found.where, found.values) == ((1, 1), (-8.0, -5.0))


@pytest.mark.parametrize("dtype", [np.float16, np.float32])
@pytest.mark.parametrize("start", [1.0, -1.0, 0.0])
def test_units_in_the_last_place(dtype, start):
    a = np.array([start, 5], dtype)
    b = a.copy()
    for _ in range(3):
        b[0] = np.nextafter(b[0], dtype(9))
    assert compare_tensors(tensor(a, dtype), tensor(b, dtype)).ulps == 3
    across = tensor([-1e-45, 1]), tensor([1e-45, 1])
    assert compare_tensors(*across).ulps == 2
    assert compare_tensors(tensor([1, 1]), tensor([2, 1])).ulps is None


@pytest.mark.parametrize(("step", "within"), [(2, True), (3, False)])
def test_an_input_may_differ_as_two_jpeg_decoders_do(step, within):
    a = np.zeros((1, 3, 8, 8), F32)
    a[0, 0, 0, 0] = 255
    b = a.copy()
    b[0, 1, 1, 1] = step
    assert compare_tensors(tensor(a), tensor(b), role="input").within is within


@pytest.mark.parametrize(("peak", "within"), [(0.2, True), (0.3, False)])
def test_an_output_may_differ_a_little_or_seldom(peak, within):
    a = np.zeros((1, 2, 64, 64), F32)
    a[0, 0] = 1
    b = a.copy()
    b[0, 1, 3, 3] = peak
    assert compare_tensors(tensor(a), tensor(b)).within is within
    everywhere = a * F32(1 - peak / 15)  # 0.0133 and 0.02
    assert not compare_tensors(tensor(a), tensor(everywhere * F32(0.99))).within
    assert compare_tensors(tensor(a), tensor(a * F32(0.995))).within


def test_empty_tensors():
    assert compare(tensor(np.zeros((0, 3))), tensor(np.zeros((0, 3)))).verdict is Verdict.IDENTICAL
    assert not compare(tensor(np.zeros((0, 3))), tensor(np.zeros((1, 3)))).same


# -- two masks ---------------------------------------------------------------------------------


def test_two_masks_on_literals():
    a = np.array([[0, 0, 1, 1], [0, 0, 1, 1]], np.uint8)
    b = np.array([[0, 2, 1, 1], [0, 2, 0, 1]], np.uint8)
    found = compare(a, b, card=CARD)
    assert found.verdict is Verdict.DIFFERENT
    assert found.first_difference == "labels"
    assert (found.agreement, found.changed, found.near_ties) == (5 / 8, 3, None)
    assert found.iou == {"background": 2 / 5, "road": 3 / 4, "curb": 0.0}
    assert found.pixels == {"background": (4, 3), "road": (4, 3), "curb": (0, 2)}
    assert found.changes == (Change("background", "curb", 2), Change("road", "background", 1))
    assert (found.worst_class, found.gained, found.lost) == ("curb", ("curb",), ())
    back = compare(b, a, card=CARD)
    assert (back.agreement, dict(back.iou)) == (found.agreement, dict(found.iou))
    assert (back.gained, back.lost) == ((), ("curb",))


@pytest.mark.parametrize(
    ("changed", "same"),
    [(0, True), (25, True), (26, False)],
)
def test_how_many_pixels_may_change(changed, same):
    a = np.zeros((100, 100), np.uint8)
    a[:50] = 1
    b = a.copy()
    b[50, :changed] = 1
    found = compare(a, b)
    assert found.same is same
    assert bool(found) is same
    assert compare(a, b, tolerance=0).same is (changed == 0)


def test_a_class_that_vanishes_is_different_however_small_its_share():
    a = np.zeros((100, 100), np.uint8)
    a[0, :20] = 2
    found = compare(a, np.zeros((100, 100), np.uint8), card=CARD)
    assert found.verdict is Verdict.DIFFERENT
    assert found.lost == ("curb",)
    assert "classes lost in b: curb" in repr(found)


def test_changed_pixels_far_from_a_tie_are_no_matter_of_precision():
    a = np.zeros((100, 100), np.uint8)
    a[:50] = 1
    b = a.copy()
    b[50, :20] = 1
    near, far = (np.full(a.shape, lead, F32) for lead in (0.05, 0.5))
    assert compare_masks(a, b, 2, margins=near).within
    assert not compare_masks(a, b, 2, margins=far).within
    assert compare_masks(a, b, 2, margins=near).near_ties == 20
    assert compare_masks(a, b, 2, margins=near).cell == (50, 0, 62, 12)


def test_masks_of_two_sizes_differ_and_keep_their_places():
    found = compare(np.zeros((4, 6), np.uint8), np.zeros((6, 4), np.uint8))
    assert str(found) == (
        "different: first at the labels: 4x6 pixels against 6x4; bring both to one size to "
        "compare classes"
    )
    assert found.agreement is None
    assert [axes.get_title() for axes in found.plot().axes] == ["Mask of a", "Mask of b"]


@given(
    hnp.arrays(np.uint8, (5, 7), elements=st.integers(0, 4)),
    hnp.arrays(np.uint8, (5, 7), elements=st.integers(0, 4)),
)
def test_agreement_is_symmetric(a, b):
    one, other = compare(a, b), compare(b, a)
    assert one.verdict is other.verdict
    assert one.agreement == other.agreement == np.mean(a == b)
    assert dict(one.iou) == dict(other.iou)
    assert one.gained == other.lost


@given(
    hnp.arrays(
        st.sampled_from([np.uint8, np.float16, np.float32, np.float64, np.int32, np.int64]),
        hnp.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=5),
    )
)
@example(np.full((3, 1, 1), 6e307))  # whose channels' sum is infinite
def test_everything_is_identical_to_itself(array):
    found = compare(array, array.copy())
    assert found.verdict is Verdict.IDENTICAL, repr(found)
    assert found.first_difference is None
    assert found.same
    assert found.agreement in (None, 1.0)


ANY = st.tuples(
    st.sampled_from([np.uint8, np.float16, np.float32, np.float64, np.int32, np.int64]),
    st.sampled_from([(), (3,), (2, 3), (3, 2), (1, 3, 2, 2), (1, 2, 2, 3), (3, 2, 2), (0, 2)]),
).flatmap(lambda kind: hnp.arrays(*kind))


@given(ANY, ANY)
@example(np.zeros((3, 2), np.uint8), np.full((3, 2), 3e307))  # whose sum is infinite
@example(np.full(3, -1.7e308), np.full(3, 1.7e308))  # whose difference is
@example(np.full((1, 3, 2, 2), np.inf), np.array([np.inf, *[0] * 11]).reshape(1, 3, 2, 2))
def test_any_two_arrays_are_judged_alike_from_both_sides(a, b):
    try:
        found = compare(a, b)
    except InvalidArgumentError as error:
        assert "no step in common" in str(error)  # noqa: PT017 - either is right
        with pytest.raises(InvalidArgumentError, match="no step in common"):
            compare(b, a)
        return
    back = compare(b, a)
    assert found.verdict is back.verdict, (repr(found), repr(back))
    assert found.agreement == back.agreement
    assert found._repr_html_()
    assert repr(found)


@given(hnp.arrays(F32, (3, 4, 5), elements=st.floats(-9, 9, width=32)))
def test_margins_are_those_of_a_sort(values):
    if values.min() < 0 or values.max() > 1.02:  # logits
        exponentials = np.exp(values.astype(np.float64))
        values = exponentials / exponentials.sum(0)
    top = np.sort(values, axis=0)
    assert score_margins(values) == pytest.approx(top[-1] - top[-2], abs=1e-6)


# -- the chain ---------------------------------------------------------------------------------


def test_a_result_is_identical_to_itself():
    found = compare(result(), result())
    assert str(found) == "identical: output tensor and labels"
    assert found.agreement == 1.0
    assert found.worst_class is None
    assert found.iou == {"background": 1.0, "road": 1.0, "curb": 1.0}


def test_the_first_step_that_differs_is_named():
    wrong = image_to_tensor(PIXELS, RECIPE.replace(color="RGB"))
    right = image_to_tensor(PIXELS, RECIPE)
    output = tensor(scores()[None])
    other = tensor(scores(seed=5)[None])
    cases = [
        (traced(right, output), traced(right, output), None),
        (traced(right, output), traced(wrong, output), "input tensor"),
        (traced(right, output), traced(wrong, other), "input tensor"),
        (traced(right, output), traced(right, other), "output tensor"),
        (traced(None, output), traced(wrong, other), "output tensor"),
        (traced(right, output), result(scores(seed=5)), "output tensor"),
        (traced(right, output), result(scores(seed=5), keep_scores=False), "labels"),
        (traced(right), result(image=PIXELS, recipe=RECIPE.replace(color="RGB")), "input tensor"),
        (traced(right), result(image=PIXELS, recipe=RECIPE), None),
    ]
    for a, b, first in cases:
        assert compare(a, b).first_difference == first, repr(compare(a, b))
        assert compare(b, a).first_difference == first, repr(compare(b, a))


def test_a_guest_run_goes_by_its_trace():
    class Run:
        trace = traced(image_to_tensor(PIXELS, RECIPE), tensor(scores()[None]))
        inputs, outputs = trace.tensors("set_input"), trace.tensors("get_output")

    found = compare(Run(), result(image=PIXELS, recipe=RECIPE))
    assert str(found) == "identical: input tensor, output tensor and labels"
    assert found.a == "GuestRun guest"


def test_an_input_is_made_of_image_and_recipe():
    a, b = (result(image=PIXELS, recipe=RECIPE.replace(color=c)) for c in ("BGR", "RGB"))
    found = compare(a, b)
    assert str(found) == (
        "different: first at the input tensor: the channels are in reverse order "
        "(BGR against RGB); all pixels agree"
    )
    assert found.recipes == {"color": ("BGR", "RGB")}
    assert "recipe, color: BGR in a, RGB in b" in repr(found)
    same = compare(a, a)
    assert same.step("input tensor").difference == "the same image and recipe"
    assert compare(a, result(recipe=RECIPE), image=PIXELS).verdict is Verdict.IDENTICAL
    another = result(image=PIXELS[::-1], recipe=RECIPE)
    assert compare(a, another).first_difference == "input tensor"


@pytest.mark.parametrize(
    ("change", "verdict"),
    [
        ({}, Verdict.IDENTICAL),
        ({"resize": "triangle-0.23"}, Verdict.SAME),
        ({"color": "RGB"}, Verdict.DIFFERENT),
        ({"range": (0, 1)}, Verdict.DIFFERENT),
        ({"mean": (1, 2, 3)}, Verdict.DIFFERENT),
        ({"layout": "NHWC"}, Verdict.SAME),
    ],
)
def test_recipes_speak_where_no_inputs_are_known(change, verdict):
    found = compare(result(recipe=RECIPE), result(recipe=RECIPE.replace(**change)))
    assert found.verdict is verdict
    assert found.steps[0].name == "recipe"
    assert list(found.recipes) == list(change)


def test_precision_is_the_reason():
    values = scores()
    found = compare(result(values), result(values * F32(0.999), precision="bf16"))
    assert str(found) == "same within precision: f32 against bf16; 100.00 % of the pixels agree"
    assert found.notes == ("precision: f32 in a, bf16 in b",)


def test_scores_that_are_nan_differ_and_give_no_labels():
    broken = scores()[None].copy()
    broken[0, 1, 2, 3] = np.nan
    found = compare(tensor(scores()[None]), tensor(broken))
    assert str(found) == "different: first at the output tensor: NaN: 0 in a, 1 in b"
    assert [step.name for step in found.steps] == ["output tensor"]
    assert any("1 of 288 scores are NaN" in note for note in found.notes)
    assert compare(tensor(broken), tensor(broken)).same


def test_scores_that_are_infinite():
    logits = scores()[None].copy()
    logits[0, 1, 2, 3] = np.inf
    found = compare(tensor(logits), tensor(scores()[None]), card=CARD)
    assert found.first_difference == "output tensor"
    assert found.changed == (scores()[:, 2, 3].argmax() != 1)


@pytest.mark.parametrize(
    ("a", "b", "steps"),
    [
        (scores(), scores()[None], ["output tensor", "labels"]),
        (scores()[None], np.moveaxis(scores(), 0, -1)[None], ["output tensor", "labels"]),
        (scores(), scores().argmax(0).astype(np.uint8), ["labels"]),
        (scores(), scores().argmax(0)[None], ["labels"]),
        (scores().argmax(0), scores().argmax(0).astype(np.uint8)[None, None], ["labels"]),
        (PIXELS, PIXELS[None].astype(F32), ["input tensor"]),
        (np.arange(9.0), np.arange(9, dtype=F32), ["output tensor"]),
        (scores().argmax(0) == 1, scores().argmax(0) == 1, ["labels"]),
    ],
)
def test_what_arrays_are(a, b, steps):
    found = compare(a, b)
    assert [step.name for step in found.steps] == steps
    assert found.same, repr(found)


def test_a_classification_says_which_class_is_the_highest():
    found = compare(tensor([[0.498, 0.502, 0]]), tensor([[0.502, 0.498, 0]]))
    assert found.verdict is Verdict.SAME
    assert found.notes == ("the highest score is element 1 in a, 0 in b",)
    assert str(found) == "same within precision: output tensor: values differ by up to 0.004"


# -- files -------------------------------------------------------------------------------------


def test_files(tmp_path):
    one = result(image=PIXELS, recipe=RECIPE)
    saved = one.save(tmp_path / "a")
    assert compare(saved.facts, one).verdict is Verdict.IDENTICAL
    assert compare(str(saved.mask), one).verdict is Verdict.IDENTICAL
    described = compare(saved.tensor, one)
    assert described.verdict is Verdict.IDENTICAL
    assert described.a == "toy-1x3x8x12xf32.tensor: Tensor 1x3x8x12xf32"
    assert "background" in described.iou
    raw = tmp_path / "out-1x3x8x12xf32.tensor"
    raw.write_bytes(bytes(tensor(scores(seed=5)[None]).data))
    found = compare(saved.tensor, raw)
    assert found.first_difference == "output tensor"
    assert str(tmp_path) not in repr(found)
    plain = tensor(scores()[None]).write(tmp_path / "plain.npy")
    assert compare(plain, saved.tensor.with_name(saved.tensor.name + ".json")).same


def test_what_is_nothing_to_compare(tmp_path):
    Image.fromarray(PIXELS).save(tmp_path / "image.png")
    Image.fromarray(PIXELS[:, :, 0]).save(tmp_path / "mask.jpg")
    (tmp_path / "nameless.tensor").write_bytes(b"abc")
    mask = np.zeros((8, 12), np.uint8)
    cases = [
        (tmp_path / "image.png", InvalidArgumentError, r"b \(image.png\): expected an index mask"),
        (tmp_path / "mask.jpg", InvalidArgumentError, "JPEG changes class numbers"),
        (tmp_path / "nameless.tensor", TensorFileError, "nothing says its dimensions"),
        (tmp_path / "missing.tensor", MissingFileError, "no tensor at"),
        (tmp_path / "missing.png", MissingFileError, "missing.png"),
        (3, InvalidArgumentError, "b: expected a SegmentationResult, .*got int"),
        (Trace(), InvalidArgumentError, r"b \(Trace of 0 calls\) keeps no tensor"),
        (np.zeros(3, complex), TensorError, "complex"),
        (
            traced(image_to_tensor(PIXELS, RECIPE)),
            InvalidArgumentError,
            r"no step in common: a has labels, b has input tensor",
        ),
    ]
    for wrong, error, message in cases:
        with pytest.raises(error, match=message) as caught:
            compare(mask, wrong)
        assert isinstance(caught.value, WasiNnError)


@pytest.mark.parametrize("tolerance", [-0.1, 1.5, float("nan"), True])
def test_tolerances_that_are_none(tolerance):
    with pytest.raises(InvalidArgumentError, match="tolerance from 0 to 1"):
        compare(np.zeros(3), np.zeros(3), tolerance=tolerance)


# -- text and pages ----------------------------------------------------------------------------


def different():
    values = scores()
    other = values.copy()
    other[:, :3] = np.roll(other[:, :3], 1, axis=0)
    return compare(result(values, image=PIXELS, recipe=RECIPE), result(other))


def test_text_is_stable_and_says_it_all():
    found = different()
    assert repr(found) == repr(different())
    lines = repr(found).splitlines()
    assert lines[0].startswith("different: first at the output tensor: values differ by up to 0.")
    assert lines[1] == "a: SegmentationResult toy, f32 on CPU"
    assert "36 pixels changed, 0 of them near a tie" in repr(found)
    assert "most changed pixels: rows 0 to 0, columns 1 to 2" in repr(found)


def test_html_is_escaped():
    card = ModelCard("toy", classes=("<b>", "road"))
    a, b = np.zeros((4, 4), np.uint8), np.ones((4, 4), np.uint8)
    html = compare(a, b, card=card)._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>" not in html
    assert "#d1242f" in html


@pytest.mark.full
def test_a_page_is_self_contained(tmp_path):
    page = different().write_html(tmp_path / "new" / "page.html").read_text()
    assert "<h1>Comparison</h1>" in page
    assert "data:image/png;base64," in page
    assert 'src="http' not in page
    only = compare(np.zeros(3), np.ones(3)).write_html(tmp_path / "tensors.html").read_text()
    assert "<img" not in only


def test_json():
    values = json.loads(json.dumps(different().to_dict()))
    assert (values["verdict"], values["same"]) == ("different", False)
    assert values["first_difference"] == "output tensor"
    assert values["changed"] == 36


def test_it_cannot_be_changed():
    with pytest.raises(FrozenInstanceError):
        different().verdict = Verdict.SAME
    with pytest.raises(TypeError):
        different().iou["road"] = 1.0


def test_the_figure_shows_masks_changes_and_leads():
    figure = different().plot()
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == [
        "Mask of a",
        "Mask of b",
        "Changed pixels",
        "Lead of the highest probability over the next",
    ]
    texts = [text.get_text() for text in figure.legends[0].get_texts()]
    assert texts[:3] == ["background", "road", "curb"]
    assert sum(int(text.split()[-2]) for text in texts[3:]) == 36
    figure._repr_png_()
    with pytest.raises(InvalidArgumentError, match="neither side has labels"):
        compare(np.zeros(3), np.zeros(3)).plot()


def test_changes_are_widened_until_a_screen_shows_them():
    a = np.zeros((900, 1000), np.uint8)
    b = a.copy()
    b[500, 500] = 1
    drawn, widened = draw_changes(a, b, {(0, 1): (255, 0, 0)}, (9, 9, 9), faded(a, None))
    assert widened
    red = np.argwhere((drawn == (255, 0, 0)).all(axis=2))
    assert (red.min(), red.max(), len(red)) == (498, 502, 25)
    assert set(np.unique(drawn[400])) == {245}


@pytest.mark.parametrize(("share", "text"), [(0, "0.00 %"), (1, "100.00 %"), (1e-9, "<0.01 %")])
def test_percent(share, text):
    assert percent(share) == text


@pytest.mark.full
def test_importing_it_loads_neither_host_nor_runtime():
    code = "import sys, wasinn_nb.comparison; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert not loaded & {"wasmtime", "openvino", "matplotlib", "wasinn_nb.host"}


# -- the real model ----------------------------------------------------------------------------

REAL = "road-segmentation-adas-0001"


@pytest.fixture(scope="module")
def road(shared):
    """Segment the image with the real model in some way."""
    from wasinn_nb.shortcuts import segment

    model = shared / "models" / f"{REAL}.xml"
    image = shared / "images" / "empty_road_mapillary.jpg"

    def run(*, scores=True, **options):
        color = options.pop("color", None)
        if color:
            options["recipe"] = segment(image, model).recipe.replace(color=color)
        return segment(image, model, scores=scores, **options)

    return run


@pytest.mark.full
@pytest.mark.filterwarnings("ignore:precision bf16 was asked for")  # a processor without it says so
@pytest.mark.parametrize("scores", [True, False])
def test_bfloat16_is_the_same_within_precision(road, scores):
    a, b = road(scores=scores), road(scores=scores, precision="bf16")
    found = compare(a, b)
    assert found.same
    if b.precision == "bf16":
        assert found.verdict is Verdict.SAME
        assert str(found).startswith("same within precision: f32 against bf16; 99.9")
        assert found.near_ties is None or found.near_ties >= 0.9 * found.changed
    assert not compare(a, b, tolerance=1e-5).same or found.verdict is Verdict.IDENTICAL


@pytest.mark.full
@pytest.mark.parametrize("scores", [True, False])
def test_rgb_for_bgr_is_different(road, scores):
    a, b = road(scores=scores), road(scores=scores, color="RGB")
    found = compare(a, b)
    assert found.verdict is Verdict.DIFFERENT
    assert found.first_difference == "input tensor"
    assert "BGR against RGB" in found.why
    assert found.agreement == pytest.approx(0.9847, abs=0.0005)
    assert found.worst_class == "curb"
    assert found.iou["curb"] == pytest.approx(0.876, abs=0.005)
    # From the masks alone, too.
    alone = compare(a.labels, b.labels, card=a.card)
    assert (alone.first_difference, alone.worst_class) == ("labels", "curb")
    if scores:
        outputs = compare(a.scores, b.scores, card=a.card)
        assert (outputs.first_difference, outputs.worst_class) == ("output tensor", "curb")


@pytest.mark.full
def test_another_filter_is_the_same_within_precision(road):
    found = compare(road(), road(resize="triangle-0.23"))
    assert found.verdict is Verdict.SAME
    assert found.step("input tensor").detail.largest == 1
    assert found.recipes == {"resize": (road().recipe.resize, "triangle-0.23")}


def test_a_guest_and_the_native_run(road, shared, tmp_path):
    from wasinn_nb.catalog.shipped import guest
    from wasinn_nb.host.guest import run_guest

    run = run_guest(
        guest("roadseg"),
        [f"models/{REAL}.xml", f"models/{REAL}.bin", "images/empty_road_mapillary.jpg", "out"],
        {"models": shared / "models", "images": shared / "images", "out": tmp_path},
        writable="out",
        stream=False,
    )
    found = compare(run, road())
    assert found.same, repr(found)
    assert [step.name for step in found.steps] == ["input tensor", "output tensor", "labels"]
    assert found.step("input tensor").detail.largest <= 2  # two JPEG decoders
    (dumped,) = run.files
    assert compare(dumped, run).verdict is Verdict.IDENTICAL
    assert compare(run, road(color="RGB")).first_difference == "input tensor"
    reference = "empty_road_mapillary.jpg.image-0.24.3.bgr-512x896x3xu8.tensor"
    given = compare(shared / "reference" / reference, run)
    assert str(given) == (
        "same within precision: input tensor: type u8 against f32; "
        "layout 512x896x3 against 1x3x512x896; equal values"
    )
