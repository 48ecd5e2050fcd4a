"""What a gallery tells of classes: of a classifier's images, and of the background."""

from __future__ import annotations

import json

import numpy as np
import pytest
from gallery_help import Asked, make_place

import wasinn_nb as wn

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("classes"))


@pytest.fixture(scope="module")
def classes(place):
    found = wn.read_predictions(place / "classes")
    some = found.query("name != '0006.png'")  # the seventh has no truth
    judged = wn.evaluate(some, {f"{n:04}": "red" for n in range(6)}, progress=False)
    return wn.Gallery(found, judged, found, progress=False)


def test_a_tile_has_its_class_and_the_true_one_where_it_is_another(classes):
    rows = list(range(7))
    tiles = Asked(classes)("tiles", rows=rows, layer="prediction", side=160)["tiles"]
    labels = classes.predictions.table(["label"])["label"].tolist()
    assert {*labels} > {"red"}
    for row, (tile, label) in enumerate(zip(tiles, labels, strict=True)):
        assert tile["detail"].endswith(f" % {label}")
        assert tile.get("wrong") == ("red" if row < 6 and label != "red" else None)
    assert classes._about["details"] == 2


def test_without_truths_there_is_one_line_and_of_masks_none(place):
    assert wn.Gallery(place / "classes")._about["details"] == 1
    found = wn.Gallery(place / "store")
    assert found._about["details"] == 0
    (tile,) = Asked(found)("tiles", rows=[0], layer="prediction", side=160)["tiles"]
    assert {"detail", "wrong"} & set(tile) == set()


def test_an_opened_image_has_its_true_class_and_the_other_run(classes):
    opened = Asked(classes)("open", row=0, against="")
    assert opened["facts"] == "true class: red"
    one, other = opened["bars"]["_results"]
    assert (one["title"], other["title"]) == ("toy", "other run")
    assert one["bars"] == other["bars"]  # the same run
    assert "facts" not in Asked(classes)("open", row=6, against="")


def test_classes_of_a_classifier_have_no_colors(classes):
    assert {one["color"] for one in classes._about["matrix"]["classes"]} == {""}


def test_the_static_image_of_a_classifier_has_the_classes(classes):
    classes.sort_by = "name"
    classes._update_still()
    html = classes.still.bundle()["text/html"]
    label, probability = classes.predictions.table(["label", "probability"]).iloc[0]
    assert f"0000.png, {100 * probability:.0f} % {label}<" in html
    assert html.count("<img") == 7


def test_the_background_is_hidden_as_it_is_evaluated_too(tmp_path):
    found = wn.predict([wn.image()], store=tmp_path, progress=False)
    size = found.row(0, ("width", "height"))
    truth = np.zeros((size["height"], size["width"]), np.uint8)
    truth[-200:] = 1
    gallery = wn.Gallery(
        found, {wn.image().stem: truth}, classes=("sky", "way"),
        mapping={"way": "road"}, progress=False,
    )  # fmt: skip
    assert gallery.evaluation.classes == ("way", "other")
    assert gallery.hidden == ["background", "other"]
    viewer = Asked(gallery)("open", row=0, against="truth")["viewer"]
    assert viewer["hidden"] == ["other"]  # it would darken all but the road
    assert wn.Gallery(found).hidden == ["background"]


def test_the_written_page_has_the_bars_of_each_image(classes, tmp_path):
    page = classes.write_html(tmp_path / "page.html").read_text()
    data = page.partition('id="data">')[2].partition("</script>")[0]
    bars = json.loads(data)["content"]["bars"]
    assert len(bars) == 7
    labels = classes.predictions.table(["label"])["label"][classes.rows].tolist()
    assert [one["bars"]["_results"][0]["bars"][0]["name"] for one in bars] == labels
    assert [len(one["bars"]["_results"]) for one in bars] == [2] * 7
    assert sum(one.get("facts") == "true class: red" for one in bars) == 6
    assert all(one["bars"]["_sent_image"] == {} for one in bars)  # that of the tile
