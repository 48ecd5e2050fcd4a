"""The worst images of a report: none that is entirely right, in an order that is stated."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from prediction_help import write_images
from quantized import quantization
from ranked import PETS, result
from toys import brightest_channel, brightest_of_image
from typer.testing import CliRunner

import wasinn_nb as wn
from wasinn_nb.cards import ModelCard
from wasinn_nb.cli import app
from wasinn_nb.evaluation import Rank
from wasinn_nb.evaluation.judging import evaluate

U8 = np.uint8
TRUTH = np.array([[0, 0, 1, 1], [0, 0, 1, 1]], U8)


def text_of(found):
    return repr(found).splitlines()


# -------------------------------------------------------------------------------------------- masks


def test_right_masks_are_not_among_the_worst(tmp_path):
    found = TRUTH.copy()
    found[0, 0] = 1
    judged = evaluate(
        {"right": TRUTH, "wrong": found}, {"right": TRUTH, "wrong": TRUTH}, classes=("a", "b")
    )
    assert [sample.is_wrong for sample in judged.samples] == [True, False]
    page = judged.write_html(tmp_path / "page.html").read_text()
    assert "<h2>Worst images, the lowest mean IoU first</h2>" in page
    assert "<h2>Images, the lowest mean IoU first</h2>" in page
    assert "wrong: mean IoU" in page
    assert "right: mean IoU" not in page
    assert page.count("<img ") == 3  # truth, prediction, errors of one
    assert len(judged.plot().axes) == 1 + 3


def test_where_all_masks_are_right_there_are_no_worst(tmp_path):
    judged = evaluate({"right": TRUTH}, {"right": TRUTH}, classes=("a", "b"))
    page = judged.write_html(tmp_path / "page.html").read_text()
    assert "Worst" not in page
    assert "Worst" not in judged._repr_html_()


def test_what_does_not_count_is_not_wrong():
    ignored = np.where(TRUTH == 1, U8(2), U8(0))
    found = np.zeros_like(TRUTH)
    judged = evaluate({"x": found}, {"x": ignored}, classes=("a", "b", "none"), ignore=2)
    assert not judged.samples[0].is_wrong


@pytest.mark.full
def test_the_command_lists_wrong_masks_alone(tmp_path, monkeypatch):
    from PIL import Image

    monkeypatch.chdir(tmp_path)
    wrong = TRUTH.copy()
    wrong[0, 0] = 1
    for folder, masks in (("found", (TRUTH, wrong)), ("true", (TRUTH, TRUTH))):
        (tmp_path / folder).mkdir()
        for name, mask in zip("ab", masks, strict=True):
            Image.fromarray(mask).save(tmp_path / folder / f"{name}.png")
    words = ["evaluate", "found", "true", "--masks-only", "--classes", "x,y"]
    printed = CliRunner().invoke(app, words).output
    lines = printed.splitlines()
    (place,) = [n for n, line in enumerate(lines) if line.startswith("worst images")]
    assert lines[place - 1] == "the lowest mean IoU first"
    assert lines[place + 1].startswith("b")
    assert not any(line.startswith("a ") for line in lines[place:])
    printed = CliRunner().invoke(app, [*words[:1], "true", *words[2:]]).output
    assert "mean IoU 1.0000" in printed
    assert "worst images" not in printed


# ------------------------------------------------------------------------------------------ classes


def test_wrong_images_come_before_right_ones_that_are_less_sure():
    results = {"right": result(0.4, 0.35, 0.25), "wrong": result(0.55, 0.45, 0.0)}
    judged = evaluate(results, {"right": "cat", "wrong": "dog"}, worst=1)
    assert [rank.name for rank, _ in judged.samples] == ["wrong"]  # though dog has 0.45
    assert judged.images().index.tolist() == ["wrong", "right"]
    lines = text_of(judged)
    place = lines.index("the lowest probability of the true class first")
    assert lines[place + 2].split() == ["wrong", "dog", "cat", "0.4500"]
    assert not any(line.startswith("right") for line in lines)


def test_of_equal_ones_the_surest_mistake_comes_first():
    results = {"b": result(0.6, 0.0, 0.4), "a": result(0.9, 0.0, 0.1), "c": result(0.2, 0.0, 0.8)}
    judged = evaluate(results, dict.fromkeys("abc", "dog"))
    assert judged.images().index.tolist() == ["a", "c", "b"]
    assert judged.ranks[0].highest == pytest.approx(0.6)
    assert [one["name"] for one in judged.to_dict()["images"]] == ["a", "c", "b"]


def test_ranks_that_do_not_say_how_sure_they_are_keep_their_order():
    ranks = (Rank("a", 0, 1, 2, 0.0), Rank("b", 0, 1, 2, 0.0), Rank("c", 0, 0, 1, 0.9))
    judged = wn.ClassificationEvaluation("toy", ("cat", "dog"), ranks)
    assert math.isnan(ranks[0].highest)
    assert judged.images().index.tolist() == ["a", "b", "c"]


def test_where_all_classes_are_right_there_are_no_worst(tmp_path):
    judged = evaluate({"a": result(0.7, 0.2, 0.1)}, {"a": "cat"})
    assert not any("wrong" in line for line in text_of(judged))
    page = judged.write_html(tmp_path / "page.html").read_text()
    assert "Worst" not in page


def test_more_wrong_images_than_are_listed_are_counted():
    results = [result(0.6, 0.1, 0.3, card=PETS)] * 7
    lines = text_of(evaluate(results, ["dog"] * 7))
    assert "the first 5 of 7 images, the lowest probability of the true class first" in lines


# --------------------------------------------------------------------------------- two runs, INT8


@pytest.fixture
def runs(tmp_path):
    """Two runs of a classifier that see red and blue the other way round."""
    write_images(tmp_path / "images", 6)
    card = ModelCard("toy", "classification", classes=("red", "green", "blue"))
    model = brightest_of_image(tmp_path / "classes.xml")
    for name, color in (("one", "RGB"), ("other", "BGR")):
        recipe = {"color": color}
        wn.predict(
            tmp_path / "images", model, tmp_path / name, card=card, recipe=recipe, progress=False
        )
    return [wn.read_predictions(tmp_path / name) for name in ("one", "other")]


@pytest.mark.full
def test_of_a_classifier_the_surest_difference_comes_first(runs):
    one, other = runs
    compared = one.compare(other, progress=False)
    frames = [run.table(["name", "label", "probability"]) for run in runs]
    both = frames[0].merge(frames[1], on="name")
    both["sure"] = both[["probability_x", "probability_y"]].min(axis=1)
    differs = both[both["label_x"] != both["label_y"]]
    same = both[both["label_x"] == both["label_y"]]
    assert 0 < len(differs) < len(both)
    expected = differs.sort_values("sure", ascending=False, kind="stable")["sure"].tolist()
    rows = compared.images()
    assert rows["agreement"].tolist() == [0.0] * len(differs) + [1.0] * len(same)
    by_name = dict(zip(both["name"], both["sure"], strict=True))
    assert [by_name[name] for name in rows.index[: len(differs)]] == expected
    text = repr(compared)
    assert all(name in text for name in differs["name"])
    assert not any(name in text for name in same["name"])
    assert f"the {len(differs)} of 6 images with the least agreement, the surest first" in text


@pytest.mark.full
def test_a_gallery_of_two_classifiers_orders_by_how_sure_both_were(runs):
    one, other = runs
    gallery = wn.Gallery(one, other=other, progress=False)
    compared = one.compare(other, progress=False)
    expected = dict(zip(compared.names, (1 - compared.agreements) * compared.sure, strict=True))
    frame = gallery.selection
    assert gallery.sort_by == "disagreement"
    assert frame["disagreement"].tolist() == sorted(expected.values(), reverse=True)
    assert frame["disagreement"].tolist() == [expected[name] for name in frame["name"]]


@pytest.mark.full
def test_two_runs_that_agree_list_no_image(tmp_path):
    write_images(tmp_path / "images", 3)
    model = brightest_channel(tmp_path / "toy.xml")
    card = ModelCard("toy", "segmentation", classes=("a", "b", "c"))
    store = wn.predict(
        tmp_path / "images",
        model,
        tmp_path / "store",
        card=card,
        recipe={"color": "RGB"},
        progress=False,
    )
    text = repr(store.compare(store, progress=False))
    assert "the agreement of every image is 1" in text
    assert "0000.png" not in text


@pytest.fixture
def report(tmp_path):
    brightest_channel(tmp_path / "toy.xml")
    return quantization(tmp_path / "toy.xml", np.zeros((4, 6, 3), U8))


@pytest.mark.full
def test_images_that_lose_nothing_in_int8_are_not_among_the_worst(report):
    worst = (("a", 0.98, 0.01), ("b", 0.99, -0.02), ("c", 1.0, 0.0))
    text = repr(replace(report, judgement=replace(report.judgement, worst=worst)))
    (place,) = [n for n, line in enumerate(text.splitlines()) if line.startswith("worst images")]
    assert text.splitlines()[place + 1].split() == ["a", "98.00", "%", "0.0100"]
    assert text.splitlines()[place + 2] == ""
    none = replace(report, judgement=replace(report.judgement, worst=worst[1:]))
    assert "worst images" not in repr(none)
    assert len(json.loads(json.dumps(none.to_dict()))["worst"]) == 2


@pytest.mark.full
def test_images_of_another_class_in_int8_have_what_its_probability_loses(report):
    worst = (("a", 0.0, 0.41), ("b", 0.0, 0.05), ("c", 1.0, 0.3))
    judgement = replace(report.judgement, worst=worst, mean=None, miou=None)
    images = {**report.images, "classified": True}
    lines = text_of(replace(report, judgement=judgement, images=images))
    (place,) = [n for n, line in enumerate(lines) if line.startswith("images of another class")]
    assert [line.split() for line in lines[place + 1 : place + 4]] == [
        ["a", "0.4100"],
        ["b", "0.0500"],
        [],
    ]


@pytest.mark.full
def test_the_worst_images_of_a_store_of_classes_are_seen(runs, tmp_path):
    one, _ = runs
    judged = wn.evaluate(one, {f"{n:04}": "green" for n in range(6)}, progress=False)
    wrong = [rank for rank in judged.ranks if rank.rank > 1]
    assert 0 < len(wrong) < 6
    assert all(result.photo is not None for _, result in judged.samples)
    page = judged.write_html(tmp_path / "page.html").read_text()
    assert page.count("<img ") == len(wrong)
