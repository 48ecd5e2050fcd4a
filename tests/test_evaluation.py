"""Evaluation: what is counted, what is refused, and how it is presented."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from evaluations import CAMVID, CARD, COLORS, FOUND, TRUTH, U8, painted

from wasinn_nb.cards.card import ModelCard
from wasinn_nb.evaluation.judging import evaluate
from wasinn_nb.tasks.segmentation.result import SegmentationResult

# ---------------------------------------------------------------------------------------- counting


def test_figures():
    found = evaluate(SegmentationResult(FOUND, CARD), TRUTH)
    assert found.classes == CARD.classes
    assert found.matrix.tolist() == [[3, 1, 0, 0], [0, 4, 0, 0], [1, 0, 1, 0], [0, 1, 0, 1]]
    assert found.iou == {"background": 3 / 5, "road": 4 / 6, "curb": 1 / 2, "mark": 1 / 2}
    assert found.miou == pytest.approx((3 / 5 + 4 / 6 + 1 / 2 + 1 / 2) / 4)
    assert found.dice["road"] == 8 / 10
    assert found.accuracy == {"background": 3 / 4, "road": 1, "curb": 1 / 2, "mark": 1 / 2}
    assert found.pixel_accuracy == 9 / 12
    assert found.image_miou == pytest.approx(found.miou)
    assert found.model == "toy"


def test_one_class_against_the_rest():
    data = np.array([[3, 3, 0, 11], [3, 5, 0, 0]], U8)
    found = SegmentationResult(np.array([[1, 3, 0, 1], [0, 1, 2, 0]], U8), CARD)
    got = evaluate(found, data, classes=CAMVID, mapping={"road": ("road", "mark")}, ignore=11)
    assert got.classes == ("road", "other")
    assert got.matrix.tolist() == [[2, 1], [1, 3]]
    assert got.miou == got.iou["road"] == 1 / 2
    assert "- road of the data is road + mark of the model" in repr(got)
    assert "left out: other (what the mapping does not name)" in repr(got)
    assert "ignored in the truth: 11, 1 pixel (12.50 %)" in repr(got)
    by_index = evaluate(found, data, classes=11, mapping={3: [1, 3]}, ignore=[11])
    assert by_index.classes == ("class 3", "other")
    assert by_index.matrix.tolist() == got.matrix.tolist()


def test_classes_merged_on_both_sides():
    found = evaluate(
        SegmentationResult(FOUND, CARD),
        TRUTH,
        mapping={"background": "background", ("road", "mark"): ("road", "mark"), "curb": "curb"},
    )
    assert found.classes == ("background", "road + mark", "curb")
    assert found.matrix.tolist() == [[3, 1, 0], [0, 6, 0], [1, 0, 1]]
    assert "other" not in repr(found)


def test_classes_of_one_name_are_the_same_in_any_order():
    card = ModelCard("toy", "segmentation", classes=("b", "a"))
    result = SegmentationResult(np.array([[0, 1, 1]], U8), card)
    found = evaluate(result, np.array([[1, 0, 1]], U8), classes=("a", "b"))
    assert found.classes == ("a", "b")
    assert found.matrix.tolist() == [[1, 0], [1, 1]]
    # Numbers instead of names: the label is the index.
    assert evaluate(result, np.array([[0, 1, 1]], U8), classes=2).iou == {"b": 1, "a": 1}


def test_the_mean_leaves_out_what_is_in_neither_and_says_so():
    labels = np.array([[0, 1]], U8)
    found = evaluate(labels, labels, classes=("a", "b", "c"))
    assert math.isnan(found.iou["c"])
    assert found.miou == 1
    assert "- mean over a, b; left out: c (in neither)" in repr(found)
    nothing = evaluate(labels, np.full((1, 2), 255, U8), classes=("a", "b"), ignore=255)
    assert math.isnan(nothing.miou)
    assert "mean over no class" in repr(nothing)
    json.dumps(nothing.to_dict(), allow_nan=False)


def test_a_class_that_is_predicted_but_nowhere_true_says_why_its_iou_is_zero():
    predicted = np.array([[0, 1, 2, 2]], U8)
    truth = np.array([[0, 1, 1, 1]], U8)
    found = evaluate([predicted], [truth], classes=("a", "b", "c", "d"))
    assert found.iou["c"] == 0
    assert found.miou == pytest.approx((1 + 1 / 3 + 0) / 3)
    assert (
        "nowhere in the truth, but predicted, so that its IoU is 0: c (2 pixels)" in found.policy()
    )
    right = evaluate([truth], [truth], classes=("a", "b", "c", "d"))
    assert not any("nowhere" in line for line in right.policy())


@pytest.mark.parametrize("kind", ["name", "label", "color", "group"])
def test_an_ignored_class_is_in_no_mean_and_never_the_worst(kind):
    # Of road 4 of 6 pixels, of curb 1 of 2, of mark 1 of 2; background was found where road is.
    found = np.where(TRUTH == 1, TRUTH * (np.arange(4) > 2), FOUND).astype(U8)
    options = {"classes": CARD.classes, "ignore": 0 if kind == "label" else "background"}
    truth = TRUTH
    if kind == "color":
        found, truth, options["classes"] = painted(found), painted(TRUTH), COLORS
    if kind == "group":
        options["mapping"] = {name: name for name in CARD.classes}
    got = evaluate(found, truth, **options)
    counted = ["road", "curb", "mark"]
    assert got.matrix[0].sum() == 0
    assert got.matrix[1, 0] > 0  # road taken for background still counts against road
    assert got.miou == got.image_miou == got.samples[0].miou
    assert got.miou == pytest.approx(np.mean([got.iou[name] for name in counted]))
    assert all(math.isnan(figure["background"]) for figure in (got.iou, got.dice, got.boundary_iou))
    assert got.image_rows()[0][-1] == min(counted, key=got.iou.get)
    assert got.images()["worst class"].tolist() == [min(counted, key=got.iou.get)]
    assert "mean over road, curb, mark; left out: background (ignored in the truth)" in repr(got)
    assert got.table().loc["background", "IoU"] != got.table().loc["background", "IoU"]
    json.dumps(got.to_dict(), allow_nan=False)


def test_a_group_of_classes_is_in_the_mean_unless_all_of_it_is_ignored():
    groups = {("background", "road"): ("background", "road"), "curb": "curb", "mark": "mark"}
    options = {"classes": CARD.classes, "mapping": groups}
    part = evaluate(FOUND, TRUTH, ignore="background", **options)
    assert part.miou == pytest.approx(np.mean(list(part.iou.values())))
    both = evaluate(FOUND, TRUTH, ignore=("background", "road"), **options)
    assert both.miou == pytest.approx((both.iou["curb"] + both.iou["mark"]) / 2)
    every = evaluate(FOUND, TRUTH, ignore=range(4), classes=CARD.classes)
    assert math.isnan(every.miou)
    assert "mean over no class" in repr(every)


def test_global_and_per_image_means_differ():
    small, large = np.zeros((1, 2), U8), np.zeros((10, 10), U8)
    found = evaluate([np.ones((1, 2), U8), large], [small, large], classes=("a", "b"))
    assert found.iou["a"] == 100 / 102
    assert found.miou == 50 / 102
    assert found.image_miou == (0 + 1) / 2
    assert "the mean of each image's own is 0.5000" in repr(found)


def test_predictions_are_compared_at_the_truths_size():
    truth = np.repeat(np.array([[0, 0, 0, 1]], U8), 2, axis=0)
    labels = evaluate(np.array([[0, 1]], U8), truth, classes=("a", "b"))
    assert labels.matrix.tolist() == [[4, 2], [0, 2]]
    assert labels.resized == 1
    # Scores are resized before their argmax: the edge lies where they cross.
    scores = np.array([[[1.0, 0.45]], [[0.0, 0.55]]], np.float32)
    card = ModelCard("toy", "segmentation", classes=("a", "b"))
    result = SegmentationResult.from_scores(scores, card)
    assert evaluate(result, truth).matrix.tolist() == [[6, 0], [0, 2]]
    assert "1 of 1 prediction was brought to its truth's size" in repr(labels)


def test_nothing_is_written_into_what_came_in():
    truth, found = TRUTH.copy(), FOUND.copy()
    evaluate(found, truth, classes=CARD.classes, ignore=3)
    assert (truth == TRUTH).all()
    assert (found == FOUND).all()
