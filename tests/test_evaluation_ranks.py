"""What is shown of an evaluated classifier."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
from ranked import CARD, PETS, RESULTS, TRUTHS, made_folders, made_model, plain, result

import wasinn_nb as wn
from wasinn_nb.evaluation.judging import evaluate


@pytest.fixture
def found():
    return evaluate(RESULTS, TRUTHS)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A classifier whose class is the brightest channel of BGR, by logits."""
    return made_model(tmp_path_factory)


@pytest.fixture
def folders(tmp_path):
    """Images in folders that are called as their classes; one of blue lies in that of red."""
    return made_folders(tmp_path)


# --------------------------------------------------------------------------- text, tables and pages


def test_text(found):
    assert repr(found).splitlines() == [
        "Evaluation: pets, 4 images, 3 classes",
        "top-1 accuracy 0.5000, top-5 accuracy 1.0000",
        "class  images   found  mostly taken for",
        "cat         1  1.0000",
        "dog         3  0.3333  cat 2",
        "the lowest probability of the true class first",
        "wrong images  true class  predicted  probability of the true class",
        "b             dog         cat                               0.3000",
        "d             dog         cat                               0.4000",
        "- an image is found where its true class is the most probable one",
    ]


def test_text_of_many_classes_names_the_most_confused_ones():
    classes = tuple(f"thing {index}" for index in range(40))
    card = wn.ModelCard("things", "classification", classes=classes)
    results = [result(*np.eye(40)[0], card=card)] * 41
    lines = repr(evaluate(results, [*range(40), 1])).splitlines()
    assert lines[:4] == [
        "Evaluation: things, 41 images, 40 classes",
        "top-1 accuracy 0.0244, top-5 accuracy 0.1463",
        "true class  taken for  images",
        "thing 1     thing 0         2",
    ]
    assert lines[8] == "the first 5 of 40 images, the lowest probability of the true class first"
    assert len(lines) == 2 + 6 + 7 + 1


def test_tables(found):
    table = found.table()
    assert table.index.tolist() == [0, 1]
    assert table["class"].tolist() == ["cat", "dog"]
    assert table["images"].tolist() == [1, 3]
    assert table["found"].tolist() == [1, 1 / 3]
    images = found.images()
    assert images.columns.tolist() == ["true", "predicted", "rank", "probability"]
    assert images.loc["b"].tolist()[:3] == ["dog", "cat", 2]


def test_json(found):
    values = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (values["top1"], values["top5"], values["matrix"]) == (0.5, 1, found.matrix.tolist())
    assert values["classes"][1] == {"index": 1, "name": "dog", "images": 3, "found": 1}
    assert values["images"][0] == {
        "name": "b",
        "true": {"index": 1, "name": "dog"},
        "predicted": {"index": 0, "name": "cat"},
        "rank": 2,
        "probability": pytest.approx(0.3),
    }


def test_page_and_html(found, model, folders, tmp_path):
    named = evaluate(
        {"<b>": plain("blue")},
        {"<b>": 1},
        model=model,
        card=CARD.replace(classes=("<i>", "b", "c")),
    )
    page = named.write_html(tmp_path / "a.html").read_text()
    order = "the lowest probability of the true class first"
    for heading in (
        *("Classes", "Most confused classes", "Confusion matrix"),
        *(f"Worst images, {order}", f"Images, wrong ones before right ones, {order}"),
    ):
        assert f"<h2>{heading}</h2>" in page
    assert page.count("<img ") == 1
    assert page.count("<svg ") == 1
    assert "true class b: place 2 of 3" in page
    assert not re.search("<b>|<i>", page)
    assert not re.findall(r'(?:src|href)="(?!data:|#part-)', page)
    page = _page_of_many(tmp_path)
    assert "<title>4 predicted as 3: 100.00 %</title>" in page
    assert "<title>0</title>" not in page  # neither true nor predicted
    html = found._repr_html_()
    assert "<table" in html
    assert "top-1 accuracy 0.5000" in html
    assert "Details" not in html


def test_long_names_of_classes_fit_beside_the_matrix(tmp_path):
    names = tuple(f"{letter}{' of a very long kind' * 9}" for letter in "abc")
    card = PETS.replace(classes=names)
    found = evaluate(result(0.7, 0.2, 0.1, card=card), names[0])
    assert "<h2>Confusion matrix</h2>" in found.write_html(tmp_path / "a.html").read_text()


def _page_of_many(folder):
    card = wn.ModelCard("many", "classification", classes=tuple(map(str, range(21))))
    found = evaluate(result(*np.eye(21)[3], card=card), 4)
    return found.write_html(folder / "many.html").read_text()
