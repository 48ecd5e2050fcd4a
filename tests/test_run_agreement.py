"""Two runs compared where there are more classes than a byte counts."""

from __future__ import annotations

import json

import numpy as np
import pytest
from prediction_help import write_images
from toys import brightest_channel, brightest_of_image

import wasinn_nb as wn
from wasinn_nb.cards import ModelCard


def run(folder, store, model, card, color="RGB"):
    return wn.predict(
        folder / "images", model, folder / store, card=card, recipe={"color": color}, progress=False
    )


def names(start, count):
    return tuple(f"class {n}" for n in range(start, start + count))


@pytest.mark.full
def test_classifiers_of_a_thousand_classes(tmp_path):
    write_images(tmp_path / "images", 5)  # red, green, blue, red, green
    model = brightest_of_image(tmp_path / "toy.xml", classes=1000)
    card = ModelCard("toy", "classification", classes=names(0, 1000))
    one, other = (run(tmp_path, color, model, card, color) for color in ("RGB", "BGR"))
    found = one.compare(other, progress=False)
    assert found.classes == ("class 0", "class 1", "class 2")
    assert found.matrix.tolist() == [[0, 0, 2], [0, 2, 0], [1, 0, 0]]
    assert found.agreement == 2 / 5
    assert found.disagreements() == [("class 0", "class 2", 2), ("class 2", "class 0", 1)]
    assert (found.ious.shape, found.iou["class 1"]) == ((5, 0), 1)
    assert {*found.images().index[:3]} == {"0000.png", "0002.png", "0003.png"}
    assert json.loads(json.dumps(found.to_dict()))["disagreements"][0]["count"] == 2
    assert "Where they disagree" in found._repr_html_()
    gallery = wn.Gallery(one, other=other, progress=False)
    gallery.query = "disagreement > 0"
    assert len(gallery.selection) == 3


@pytest.mark.full
def test_classifiers_of_other_classes(tmp_path):
    write_images(tmp_path / "images", 4)
    model = brightest_of_image(tmp_path / "toy.xml", classes=700)
    runs = [
        run(tmp_path, f"of {start}", model, ModelCard("toy", "classification", classes=known))
        for start, known in ((0, names(0, 700)), (1, names(1, 700)))
    ]
    found = runs[0].compare(runs[1], progress=False)
    assert found.classes == ("class 0", "class 1", "class 2", "class 3")
    assert found.agreement == 0
    assert found.disagreements() == [
        ("class 0", "class 1", 2),
        ("class 1", "class 2", 1),
        ("class 2", "class 3", 1),
    ]


@pytest.mark.full
def test_masks_of_more_classes_than_a_byte_counts(tmp_path):
    write_images(tmp_path / "images", 3)
    model = brightest_channel(tmp_path / "toy.xml", classes=200)
    runs = [
        run(tmp_path, f"of {start}", model, ModelCard("toy", classes=names(start, 200)))
        for start in (0, 1, 200)
    ]
    shifted = runs[0].compare(runs[1], progress=False)
    assert (len(shifted.classes), shifted.agreement) == (201, 0)
    assert shifted.matrix[0, 1] == shifted.matrix[1, 2] == shifted.matrix[2, 3] == 24
    apart = runs[0].compare(runs[2], progress=False)
    assert len(apart.classes) == 400
    assert apart.disagreements()[0] == ("class 0", "class 200", 24)
    assert apart.to_dict()["matrix"] is None
    text = repr(apart)
    assert "in the second" in text
    assert text.count("class ") < 20  # those that disagree, not all
    same = runs[2].compare(runs[2], progress=False)
    assert (same.agreement, same.disagreements()) == (1, [])
    assert np.nanmin(same.ious) == 1


@pytest.mark.parametrize("swap", [False, True])
def test_classes_in_another_order(tmp_path, swap):
    write_images(tmp_path / "images", 3)
    model = brightest_channel(tmp_path / "toy.xml")
    known = ("a", "b", "c"), ("c", "b", "a")
    one, other = (
        run(tmp_path, "".join(of), model, ModelCard("toy", classes=of))
        for of in (known[::-1] if swap else known)
    )
    found = one.compare(other, progress=False)
    place = found.classes.index
    assert found.matrix[place("a"), place("c")] == 24
    assert found.matrix[place("c"), place("a")] == 24
    assert found.matrix[place("b"), place("b")] == 24
