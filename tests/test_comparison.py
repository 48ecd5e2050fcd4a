"""`compare`: what is the same, what differs, and which step is named first."""

from __future__ import annotations

import numpy as np
import pytest
from comparisons import CARD, F32, RNG, tensor
from hypothesis import example, given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wasinn_nb.comparison.agreement import compare_masks, compare_tensors
from wasinn_nb.comparison.changes import Change
from wasinn_nb.comparison.comparing import compare
from wasinn_nb.comparison.margins import score_margins
from wasinn_nb.comparison.result import Verdict
from wasinn_nb.errors import (
    InvalidArgumentError,
    TensorError,
)
from wasinn_nb.metrics import confusion_matrix, iou

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


@pytest.mark.parametrize(("step", "within"), [(3, True), (5, True), (6, False)])
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


@pytest.mark.full
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


@pytest.mark.full
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
