"""What is near a tie is judged on probabilities, whatever the scores are."""

import numpy as np
import pytest

from wasinn_nb.cards import ModelCard
from wasinn_nb.comparison import compare
from wasinn_nb.comparison.margins import score_margins
from wasinn_nb.tasks.segmentation import SegmentationResult

F32 = np.float32
CARD = ModelCard("toy", "segmentation", classes=("sky", "road", "car"))
RNG = np.random.default_rng(6)


def softmax(logits):
    exponentials = np.exp(logits - logits.max(0))
    return (exponentials / exponentials.sum(0)).astype(F32)


def logits_with_an_outlier():
    """Leads of about 3: sure, by the probabilities; but a 50th of the largest score."""
    logits = RNG.normal(0, 0.1, (3, 40, 50)).astype(F32)
    logits[RNG.integers(0, 3, (40, 50)), np.arange(40)[:, None], np.arange(50)] += 3
    logits[0, 0, 0] = 150
    return logits


def changed(logits):
    """Exchange two classes at some pixels, none of which is near a tie."""
    other = logits.copy()
    other[:, 10:13, 10:15] = other[[1, 2, 0], 10:13, 10:15]
    return other


@pytest.mark.parametrize("type_", [F32, np.float16, np.float64])
def test_a_tie_of_logits_is_one_of_their_probabilities(type_):
    a = logits_with_an_outlier()
    of_logits = compare(a.astype(type_), changed(a).astype(type_), card=CARD)
    of_probabilities = compare(softmax(a), softmax(changed(a)), card=CARD)
    assert of_logits.changed == of_probabilities.changed == 15
    assert of_logits.near_ties == of_probabilities.near_ties == 0
    assert "none of the others near a tie" in of_logits.step("labels").difference
    assert any("judged on the softmax" in note for note in of_logits.notes)
    assert not any("softmax" in note for note in of_probabilities.notes)


def test_it_counts_in_the_verdict():
    a = logits_with_an_outlier()
    b = a.copy()
    b[:, 20, 20] = b[[1, 2, 0], 20, 20]  # one pixel, far from a tie
    found = compare(a, b, card=CARD)
    assert (found.changed, found.near_ties) == (1, 0)
    assert str(found.step("labels").verdict) == "different"


def test_logits_and_probabilities_of_one_model_have_the_same_margins():
    logits = logits_with_an_outlier()
    assert score_margins(logits) == pytest.approx(score_margins(softmax(logits)), abs=1e-6)


def test_results_are_judged_alike():
    a = logits_with_an_outlier()
    results = [SegmentationResult.from_scores(one, CARD) for one in (a, changed(a))]
    assert compare(*results).near_ties == 0
    with_probabilities = SegmentationResult.from_scores(softmax(a), CARD)
    found = compare(with_probabilities, results[1])
    assert found.near_ties == 0
    assert [note for note in found.notes if "softmax" in note] == [
        "near a tie: the scores of b are logits, by their values; judged on the softmax of them"
    ]


def test_probabilities_of_each_class_alone_stay_what_they_are():
    planes = np.array([[[0.9]], [[0.85]], [[0.1]]], F32)  # of sigmoids: they do not sum to 1
    assert score_margins(planes) == pytest.approx(0.05, abs=1e-6)


def test_integers_lead_by_a_part_of_the_largest():
    planes = np.array([[[250, 0]], [[0, 10]]], np.uint8)
    assert score_margins(planes)[0].tolist() == pytest.approx([1.0, 0.04])


def test_infinite_scores_are_not_judged():
    a = logits_with_an_outlier()
    a[1, 3, 3] = np.inf
    assert compare(a, changed(a), card=CARD).near_ties is None
