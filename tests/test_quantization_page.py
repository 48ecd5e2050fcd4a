"""The page of quantize: both models' IoU by name, sorted by value, classes with their colors."""

from __future__ import annotations

import dataclasses
import re

import numpy as np
import pytest
import quantized
import toys

import wasinn_nb as wn
from wasinn_nb.quantization import ClassLoss, Interval
from wasinn_nb.render import NumberText, Section, Table
from wasinn_nb.render.html import table_html

IMAGE = np.zeros((4, 6, 3), np.uint8)
COLORS = {"class 0": (1, 2, 3), "class 1": (4, 5, 6), "class 2": (7, 8, 9)}


@pytest.fixture
def made(tmp_path):
    found = quantized.quantization(toys.brightest_channel(tmp_path / "toy.xml"), IMAGE)
    classes = [
        ClassLoss(name, 0.99, (0.9, 0.8), Interval(loss, loss - 1, loss + 1), (0.7, 0.6), None)
        for name, loss in zip(COLORS, (0.0008, -0.0005, -0.0010), strict=True)
    ]
    judgement = dataclasses.replace(found.judgement, classes=tuple(classes), colors=COLORS)
    return dataclasses.replace(found, judgement=judgement)


def class_table(found):
    return next(block for block in found.document().blocks_in("text") if isinstance(block, Table))


def test_losses_are_sorted_by_value(made):
    table = class_table(made)
    place = [column.name for column in table.headers].index("IoU lost")
    assert [row[place] for row in table.sort_values] == [0.0008, -0.0005, -0.0010]
    assert table.cells[0][place] == "0.0008 (-0.9992 to 1.0008)"
    html = table_html(table, sortable=True)
    assert 'data-value="-0.0005"' in html
    # What nothing is known of comes last, and is a number's place, too.
    assert [row[-1] for row in table.sort_values] == [None] * 3
    assert table.records()[0]["IoU_lost"] == 0.0008


def test_a_number_with_a_text_is_sorted_beside_none():
    rows = [("a", NumberText(-1.0, "-1.0 (few)")), ("b", None), ("c", NumberText(2.0, "2\x1b"))]
    table = Table(["name", "loss"], rows)
    assert table.sort_values == ((None, -1.0), (None, ""), (None, 2.0))
    assert [row[1] for row in table.cells] == ["-1.0 (few)", "", "2\\x1b"]
    assert [row["loss"] for row in table.records()] == [-1.0, None, 2.0]


def test_both_sides_are_named(made):
    table = class_table(made)
    assert [column.name for column in table.headers] == [
        "class",
        "agreement",
        "IoU f32",
        "IoU INT8",
        "IoU lost",
        "boundary f32",
        "boundary INT8",
        "boundary lost",
    ]
    assert table.cells[0][2:4] == ("0.9000", "0.8000")
    assert table.cells[0][5:7] == ("0.7000", "0.6000")


def test_classes_have_their_colors(made):
    assert class_table(made).headers[0].colors == COLORS
    assert "background:#070809" in made._repr_html_()
    without_masks = dataclasses.replace(
        made, judgement=dataclasses.replace(made.judgement, mean=None)
    )
    assert "background:#070809" in without_masks._repr_html_()


@pytest.mark.full
@pytest.mark.parametrize("masked", [False, True])
def test_the_colors_are_those_of_the_card(tmp_path, masked):
    pytest.importorskip("nncf")
    names = wn.images()[:4]
    masks = {name: wn.mask(name) for name in names} if masked else None
    found = wn.quantize(
        None,
        [wn.image(name) for name in names],
        masks,
        tmp_path / "out",
        max_drop=1,
        progress=False,
    )
    card = wn.model().card
    assert found.judgement.colors == dict(zip(card.classes, card.palette, strict=True))
    html = (tmp_path / "out" / "report.html").read_text()
    assert re.search(r"background:#0072b2[^>]*></span>road<", html)


@pytest.mark.full
def test_two_runs_of_one_model_are_told_apart_and_their_classes_have_colors(tmp_path):
    images = [wn.image(name) for name in wn.images()[:2]]
    runs = [
        wn.predict(
            images,
            wn.model("road-segmentation-synth-0001", kind),
            tmp_path / "store",
            precision="f32",
            progress=False,
        )
        for kind in ("FP16", "INT8")
    ]
    found = runs[0].compare(runs[1], progress=False)
    model = "road-segmentation-synth-0001"
    assert found.titles == (f"{model} (FP16)", f"{model} (INT8)")
    assert found.colors["road"] == (0, 114, 178)
    html = found._repr_html_()
    assert len(re.findall(r"background:#0072b2[^>]*></span>road<", html)) > 2
    same = runs[0].compare(runs[0], progress=False)
    assert same.titles == (model, model)


def test_what_the_columns_are_does_not_scroll_with_a_wide_table(made):
    sections = [one for one in made.document().blocks_in("page") if isinstance(one, Section)]
    words, table = sections[0].blocks
    assert sections[0].heading == "Classes"
    assert words.text.startswith("agreement: IoU of the class in f32 and in INT8; ")
    assert words.text.endswith(
        "; lost: f32's less INT8's, with the bounds of 95 % of 1000 resamples of the images"
    )
    assert table.caption == ""
