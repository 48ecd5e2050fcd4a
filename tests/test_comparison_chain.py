"""Comparisons step by step, of values and of files."""

from __future__ import annotations

import numpy as np
import pytest
from comparisons import CARD, F32, PIXELS, RECIPE, result, scores, tensor
from PIL import Image

from wasinn_nb.comparison.comparing import compare
from wasinn_nb.comparison.result import Verdict
from wasinn_nb.errors import (
    InvalidArgumentError,
    MissingFileError,
    TensorError,
    TensorFileError,
    WasiNnError,
)
from wasinn_nb.imaging.preprocessing import image_to_tensor
from wasinn_nb.wasi_nn.trace import Trace


def traced(given=None, output=None, keep="last"):
    trace = Trace(keep=keep)
    for name, value in (("set_input", given), ("get_output", output)):
        if value is not None:
            with trace.call(name, "context 0") as call:
                call.tensor = value
    return trace


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
        on = ""
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
