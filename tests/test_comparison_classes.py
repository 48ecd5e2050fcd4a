"""`compare` of classifications: scores, ranks, and the five calls of a classifier."""

from __future__ import annotations

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wasinn_nb.abi import TensorType
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.cards.ports import Port
from wasinn_nb.comparison.comparing import compare
from wasinn_nb.comparison.ranking import ClassRank
from wasinn_nb.comparison.result import Verdict
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.imaging.recipe import PreprocessRecipe
from wasinn_nb.origin import Origin
from wasinn_nb.tasks.classification.result import ClassificationResult
from wasinn_nb.tasks.segmentation.result import SegmentationResult
from wasinn_nb.tensor import Tensor
from wasinn_nb.wasi_nn.trace import Trace

F32 = np.float32
CARD = ModelCard("pets", "classification", classes=("cat", "dog", "owl", "hen"))
RECIPE = PreprocessRecipe(2, 3)
VALUES = np.array([0.5, 0.25, 0.1875, 0.0625], F32)


def classified(values=VALUES, card=CARD, *, scores=None, softmax=False, image=None, **origin):
    return ClassificationResult(
        np.asarray(values, F32),
        card,
        Origin("pets", **{"recipe": RECIPE} | origin),
        None if scores is None else np.asarray(scores, F32),
        image,
        softmax=softmax,
    )


def trace(output, *, given=None, **port):
    made = Trace()
    tensors = [("set_input", given)] if given is not None else []
    for name, array in [*tensors, ("get_output", output)]:
        with made.call(name, "context 0, 0") as call:
            call.tensor, call.index = Tensor.from_array(array), 0
            if port and name == "get_output":
                type_ = TensorType.from_dtype(array.dtype)
                call.port = Port("scores", array.shape, type_, type_.suffix, **port)
    return made


# -- two results -------------------------------------------------------------------------------


def test_a_result_is_identical_to_itself():
    found = compare(classified(), classified())
    assert str(found) == "identical: recipe, scores and ranking"
    assert [step.name for step in found.steps] == ["recipe", "scores", "ranking"]
    assert found.step("scores").difference == "the same values"
    assert found.step("ranking").difference == "top class cat in both, the same top 4"
    assert found.largest is None
    assert found.agreement is None
    assert bool(found)


def test_within_precision_ranks_may_change_but_the_first():
    found = compare(classified(), classified([0.5, 0.21875, 0.234375, 0.046875]))
    assert found.verdict is Verdict.SAME
    assert str(found) == (
        "same within precision: ranking: top class cat in both; rank dog 2 → 3, owl 3 → 2"
    )
    assert found.ranks == (
        ClassRank(0, "cat", (1, 1), (0.5, 0.5)),
        ClassRank(1, "dog", (2, 3), (0.25, 0.21875)),
        ClassRank(2, "owl", (3, 2), (0.1875, 0.234375)),
        ClassRank(3, "hen", (4, 4), (0.0625, 0.046875)),
    )
    assert found.largest == ClassRank(2, "owl", (3, 2), (0.1875, 0.234375))
    assert found.step("scores").difference == ("the probability of owl differs most, by 0.0469")


def test_another_top_class_is_different():
    found = compare(classified(), classified([0.46875, 0.515625, 0.015625, 0.0]))
    assert found.first_difference == "scores"
    assert str(found) == (
        "different: first at the scores: the probability of dog differs most, by 0.266; "
        "top class cat in a, dog in b"
    )
    # Even where no probability differs by much.
    near = classified([0.484375, 0.453125, 0.0625, 0.0])
    found = compare(near, classified([0.453125, 0.484375, 0.0625, 0.0]))
    assert str(found) == "different: first at the ranking: top class cat in a, dog in b"
    assert found.step("scores").verdict is Verdict.SAME


def test_a_tie_is_decided_by_precision():
    a, b = classified([0.5, 0.498, 0.002, 0]), classified([0.498, 0.5, 0.002, 0])
    found = compare(a, b)
    assert found.verdict is Verdict.SAME
    assert (
        found.step("ranking").difference == "top class cat in a, dog in b, a tie within precision"
    )
    assert not compare(a, b, tolerance=0.001)
    exact = compare(classified([0.5, 0.5, 0, 0]), classified([0.25, 0.25, 0.5, 0]), tolerance=1)
    assert [rank.ranks for rank in exact.ranks] == [(1, 2), (1, 2), (3, 1), (3, 4)]


@pytest.mark.parametrize(
    ("apart", "verdict"), [(0.046875, Verdict.SAME), (0.0625, Verdict.DIFFERENT)]
)
def test_a_probability_may_differ_by_five_times_the_tolerance(apart, verdict):
    found = compare(classified([0.75, 0.25, 0, 0]), classified([0.75 - apart, 0.25, 0, 0]))
    assert found.verdict is verdict
    assert compare(classified(), classified(), tolerance=0).same


def test_of_many_classes_the_first_five_of_either_side_are_listed():
    card = ModelCard("many", "classification", classes=tuple(f"class {i}" for i in range(100)))
    a, b = np.zeros(100, F32), np.zeros(100, F32)
    a[:6], b[:6] = (0.5, 0.25, 0.125, 0.0625, 0.03125, 0), (0.5, 0.25, 0.125, 0.0625, 0, 0.03125)
    found = compare(classified(a, card), classified(b, card))
    assert [(rank.index, rank.ranks) for rank in found.ranks] == [
        (0, (1, 1)),
        (1, (2, 2)),
        (2, (3, 3)),
        (3, (4, 4)),
        (4, (5, 6)),  # as many as are more probable, and one
        (5, (6, 5)),
    ]
    assert str(found) == (
        "same within precision: ranking: top class class 0 in both; rank class 4 5 → 6, "
        "class 5 6 → 5"
    )


def test_classes_without_any_probability_have_no_rank():
    card = ModelCard("many", "classification", classes=tuple(f"class {i}" for i in range(100)))
    a, b = np.zeros(100, F32), np.zeros(100, F32)
    a[[96, 30]], b[96] = (0.875, 0.00390625), 0.875
    found = compare(classified(a, card), classified(b, card))
    assert [(rank.index, rank.ranks) for rank in found.ranks] == [(96, (1, 1)), (30, (2, 2))]
    assert found.step("ranking").verdict is Verdict.IDENTICAL


def test_a_top_class_among_equal_ones_counts():
    card = ModelCard("many", "classification", classes=tuple(f"class {i}" for i in range(1000)))
    even, few = np.full(1000, 0.001, F32), np.zeros(1000, F32)
    few[992:] = 0.125
    found = compare(classified(few, card), classified(even, card))
    assert found.step("ranking").verdict is Verdict.DIFFERENT
    assert found.step("ranking").difference == "top class class 992 in a, class 0 in b"
    assert [(rank.index, rank.ranks) for rank in found.ranks][-1] == (0, (9, 1))
    same = compare(classified(even, card), classified(even, card))
    assert [(rank.index, rank.ranks) for rank in same.ranks] == [(0, (1, 1))]


def test_as_many_classes_are_needed():
    card = CARD.replace(classes=("cat", "dog", "owl"))
    found = compare(classified(), classified([0.5, 0.25, 0.25], card))
    assert str(found) == "different: first at the scores: 4 classes against 3 classes"
    assert found.notes == ("the cards name different classes; those of a are used",)


def test_a_classification_and_a_mask_have_nothing_in_common():
    mask = SegmentationResult(np.zeros((2, 3), np.uint8), CARD.replace(task="segmentation"))
    with pytest.raises(InvalidArgumentError, match="a has scores, b has labels"):
        compare(classified(), mask)


def test_the_input_tensors_are_compared_first():
    image = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3)
    a = classified(image=image)
    b = classified([0.25, 0.5, 0.1875, 0.0625], image=image, recipe=RECIPE.replace(color="RGB"))
    found = compare(a, b)
    assert [step.name for step in found.steps] == ["input tensor", "scores", "ranking"]
    assert found.first_difference == "input tensor"
    assert str(found).endswith("(BGR against RGB); top class cat in a, dog in b")
    assert found.recipes == {"color": ("BGR", "RGB")}


def test_what_made_them_is_noted():
    found = compare(classified(), classified(VALUES + F32(0.01), runtime="litert", target="GPU"))
    assert str(found).startswith(
        "same within precision: openvino against litert, CPU against GPU; "
    )
    assert found.notes == ("runtime: openvino in a, litert in b", "target: CPU in a, GPU in b")


def test_quantized_scores_on_two_engines():
    steps = np.array([100, 60, 30, 0], F32)
    a = classified(steps / 256, scores=steps)
    near, far = (np.array([most, 60, 30, 0], F32) for most in (102, 140))
    b = classified(near / 256, scores=near, runtime="litert")
    found = compare(a, b)
    assert str(found) == (
        "same within precision: openvino against litert; scores: the probability of cat differs "
        "most, by 0.00781; engines round quantized models differently"
    )
    assert found.notes[-1].startswith(
        "quantized output: engines round quantized models differently, here: the probability of cat"
    )
    other = classified(far / 256, scores=far, runtime="litert")
    assert compare(a, other).verdict is Verdict.DIFFERENT


PROBABILITIES = hnp.arrays(F32, 4, elements=st.floats(0, 1, width=32))


@pytest.mark.full
@given(PROBABILITIES, PROBABILITIES)
def test_both_sides_are_judged_alike(a, b):
    found, back = compare(classified(a), classified(b)), compare(classified(b), classified(a))
    assert found.verdict is back.verdict
    assert sorted((r.index, r.ranks) for r in found.ranks) == sorted(
        (r.index, r.ranks[::-1]) for r in back.ranks
    )
    assert compare(classified(a), classified(a)).verdict is Verdict.IDENTICAL


# -- five calls --------------------------------------------------------------------------------


@pytest.mark.parametrize("shape", [(1, 4), (4,), (1, 4, 1, 1), (1, 1, 1, 4)])
def test_the_output_of_a_classifier_is_its_result(shape):
    found = compare(trace(VALUES.reshape(shape)), classified())
    assert str(found) == "identical: scores and ranking"
    assert found.notes == ("assumed in a: scores are probabilities, by their values",)
    assert compare(classified(), VALUES.reshape(shape)).verdict is Verdict.IDENTICAL
    found = compare(trace(VALUES.reshape(shape), operation="Softmax"), classified())
    assert found.notes == ()


def test_logits_become_probabilities_as_in_the_result():
    logits = np.log(VALUES) + F32(3)
    powers = np.exp(logits.astype(np.float64) - logits.max())
    result = classified(powers / powers.sum(), scores=logits, softmax=True)
    found = compare(trace(logits[None], operation="MatMul"), result)
    assert str(found) == "identical: scores and ranking"
    assert found.notes == ()


def test_quantized_scores_mean_what_the_graph_says():
    steps = np.array([[128, 64, 48, 16]], np.uint8)
    result = classified(VALUES, scores=steps[0].astype(F32))
    found = compare(trace(steps, quantization=(1 / 256, 0)), result)
    assert str(found) == "identical: scores and ranking"
    assert found.unit == "probability"
    # A file does not say it: the integers themselves are compared.
    loose = compare(steps, result)
    assert str(loose) == "identical: scores and ranking"
    assert loose.unit == "score"
    other = compare(np.array([[128, 64, 48, 20]], np.uint8), result)
    assert other.largest == ClassRank(3, "hen", (4, 4), (20.0, 16.0))
    assert other.verdict is Verdict.SAME  # 4 of 128
    assert other.step("scores").difference == "the score of hen differs most, by 4"


def test_two_programs_by_a_card():
    other = VALUES[[1, 0, 2, 3]]
    found = compare(trace(VALUES[None]), trace(other[None]), card=CARD)
    assert str(found).endswith("top class cat in a, dog in b")
    # Without a card, the shape alone tells.
    bare = compare(trace(VALUES[None]), trace(other[None]))
    assert [step.name for step in bare.steps] == ["output tensor"]
    assert bare.notes == ("the highest score is element 0 in a, 1 in b",)


def test_an_output_that_is_no_row_is_noted():
    found = compare(trace(np.zeros((1, 2, 3, 4), F32)), trace(VALUES[None]), card=CARD)
    assert "no scores: pets is not a classifier: it gives 0 1x2x3x4xf32" in found.notes[-1]
    with pytest.raises(InvalidArgumentError, match=r"no step in common: .*: no scores: the card"):
        compare(trace(np.zeros((1, 3), F32)), classified())


def test_scores_that_are_nan_are_noted():
    broken = VALUES.copy()
    broken[2] = np.nan
    with pytest.raises(InvalidArgumentError, match="1 of 4 scores are NaN"):
        compare(trace(broken[None]), classified())


def test_a_card_for_another_task_is_refused_with_the_remedy():
    card = CARD.replace(task="segmentation")
    with pytest.raises(InvalidArgumentError, match="its task is segmentation, not classification"):
        compare(trace(VALUES[None]), classified(), card=card)


# -- files -------------------------------------------------------------------------------------


def test_saved_results(tmp_path):
    saved = classified().save(tmp_path)
    found = compare(saved.facts, classified(VALUES[[1, 0, 2, 3]]))
    assert found.a == "pets.json: ClassificationResult pets, f32 on CPU"
    assert str(found).endswith("top class cat in a, dog in b")
    assert compare(saved.facts, saved.facts).verdict is Verdict.IDENTICAL
    # The tensor has the probabilities, and its sidecar says what made them.
    tensor = compare(saved.tensor, classified(precision="bf16"))
    assert str(tensor) == "identical: recipe, scores and ranking"
    assert "precision: f32 in a, bf16 in b" in tensor.notes
    logits = np.log(VALUES)
    powers = np.exp(logits.astype(np.float64) - logits.max())
    soft = classified(powers / powers.sum(), scores=logits, softmax=True)
    assert compare(soft.save(tmp_path / "soft").tensor, soft).verdict is Verdict.IDENTICAL


# -- text and pages ----------------------------------------------------------------------------


def different():
    return compare(classified(), classified([0.125, 0.5, 0.3125, 0.0625]))


def test_text():
    assert (
        repr(different())
        == """\
different: first at the scores: the probability of cat differs most, by 0.375; top class cat in a, \
dog in b
a: ClassificationResult pets, f32 on CPU
b: ClassificationResult pets, f32 on CPU
step     verdict    difference
recipe   identical  the same recipe
scores   different  the probability of cat differs most, by 0.375
ranking  different  top class cat in a, dog in b
class  rank in a  rank in b  probability in a  probability in b
cat            1          3               0.5             0.125
dog            2          1              0.25               0.5
owl            3          2            0.1875            0.3125
hen            4          4            0.0625            0.0625
- largest difference of a probability: cat, 0.5 in a, 0.125 in b"""
    )


def test_html_marks_the_ranks_that_change_and_is_escaped(tmp_path):
    html = different()._repr_html_()
    assert html.count("#d1242f") == 1 + 2 + 3  # the verdict, two steps, three ranks
    assert "probability in a" in html
    assert "<summary>Classes" not in html
    assert "<summary>Classes" in compare(classified(), classified())._repr_html_()
    card = CARD.replace(classes=("<b>", "dog", "owl", "hen"))
    page = compare(classified(card=card), classified(VALUES[::-1], card))._repr_html_()
    assert "&lt;b&gt;" in page
    assert "<b>" not in page
    written = different().write_html(tmp_path / "page.html").read_text()
    assert "<h2>Classes</h2>" in written
    assert "<img" not in written


def test_json():
    values = json.loads(json.dumps(different().to_dict()))
    assert (values["verdict"], values["first_difference"]) == ("different", "scores")
    assert values["unit"] == "probability"
    assert values["ranks"][0] == {
        "index": 0,
        "name": "cat",
        "ranks": [1, 3],
        "values": [0.5, 0.125],
    }
    assert values["largest"] == values["ranks"][0]
    assert values["agreement"] is None


def test_there_is_no_mask_to_draw():
    with pytest.raises(InvalidArgumentError, match="neither side has labels to draw"):
        different().plot()
