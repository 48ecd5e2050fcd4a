"""`Gallery.write_html`, and galleries of stores that lack something."""

from __future__ import annotations

import base64
import hashlib
import json
import re

import numpy as np
import pytest
from gallery_help import HOSTILE, Asked, make_place
from PIL import Image
from toys import brightest_channel

import wasinn_nb as wn
from wasinn_nb.cards import ModelCard
from wasinn_nb.errors import UnwritableError

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("gallery"))


def content_of(path):
    text = path.read_text("utf-8")
    data = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    return text, json.loads(data[1])


def test_a_page_holds_all_that_it_can_be_asked(place, tmp_path):
    found = wn.Gallery(place / "store", place / "masks_of_all", place / "other", progress=False)
    found.query = "status == 'done'"
    path = found.write_html(tmp_path / "page.html", most=3)
    text, data = content_of(path)
    content = data["content"]
    assert content["traits"]["_about"]["rows"] == 3
    names = found.selection["name"].tolist()[:3]
    assert content["columns"]["name"]["values"] == names  # the worst first
    assert content["columns"]["mean IoU"]["values"] == found.selection["mean IoU"].tolist()[:3]
    assert set(content["layers"]) == {"prediction", "truth", "wrong", "other", "disagreement"}
    assert all(len(tiles) == 3 for tiles in content["layers"].values())
    counted = sum(count for _, _, count in content["traits"]["_about"]["matrix"]["cells"])
    assert counted == 3 * 96  # pixels
    assert {row for rows in content["cells"].values() for row in rows} == {0, 1, 2}
    assert base64.b64decode(data["buffers"][0])[:2] in {b"\xff\xd8", b"x\x9c"}
    assert "http://" not in text.replace("http://www.w3.org/2000/svg", "")


def test_nothing_but_its_own_script_runs_in_a_page(place, tmp_path):
    found = wn.Gallery(place / "hostile")
    text, data = content_of(found.write_html(tmp_path / "page.html"))
    script = re.search(r'<script type="module">(.*?)</script>', text, re.DOTALL)[1]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)[1]
    assert f"script-src &#x27;sha256-{digest}&#x27;" in policy
    assert "default-src &#x27;none&#x27;" in policy
    assert text.count("<script") == 2
    assert HOSTILE[0] not in text
    labels = [facet["label"] for facet in data["content"]["traits"]["_about"]["facets"]]
    assert HOSTILE[0] in labels
    assert HOSTILE[2] in labels
    assert not any("\u202e" in label for label in labels)


def test_a_page_is_written_whole_or_not_at_all(place, tmp_path):
    found = wn.Gallery(place / "classes")
    path = tmp_path / "page.html"
    path.write_text("before")
    path.chmod(0o644)
    assert found.write_html(path) == path
    assert path.read_text("utf-8").startswith("<!doctype html>")
    assert [one.name for one in tmp_path.iterdir()] == ["page.html"]
    with pytest.raises((UnwritableError, OSError)):
        found.write_html(tmp_path / "page.html" / "inner.html")


def test_no_rows(place, tmp_path):
    found = wn.Gallery(wn.read_predictions(place / "store").query("sky > 2"))
    assert len(found.selection) == 0
    asked = Asked(found)
    assert asked("facet", name="sky")["edges"] == [0.0, 1.0]
    found.query = "sky > 0.5"
    assert len(found.rows) == 0
    found.write_html(tmp_path / "page.html")
    found._update_still()
    assert "0 images" in found.still.bundle()["text/html"]


def test_masks_and_thumbnails_that_were_not_kept(place, tmp_path):
    images, model = place / "odd", place / "toy.xml"
    wn.predict(images, model, tmp_path / "none", masks=False, thumbnails=False, progress=False)
    bare = wn.Gallery(tmp_path / "none")
    asked = Asked(bare)
    tile = asked("tiles", rows=[0], layer="prediction", side=160)["tiles"][0]
    assert {"thumbnail", "labels"} & set(tile) == set()
    assert "no mask was kept" in asked("open", row=0, against="")["error"]
    bare.write_html(tmp_path / "bare.html")
    wn.predict(images, model, tmp_path / "masks", thumbnails=False, progress=False)
    asked = Asked(wn.Gallery(tmp_path / "masks"))
    tile = asked("tiles", rows=[0], layer="prediction", side=160)["tiles"][0]
    assert (tile["width"], tile["height"]) == (6, 4)  # of the model
    assert "_sent_image" in asked("open", row=0, against="")["viewer"]


def test_a_mask_of_a_part_of_the_image(tmp_path):
    brightest_channel(tmp_path / "toy.xml")
    card = ModelCard("toy", "segmentation", classes=("a", "b", "c"))
    Image.new("RGB", (16, 8), "red").save(tmp_path / "wide.png")
    wn.predict(
        tmp_path / "wide.png",
        tmp_path / "toy.xml",
        tmp_path / "store",
        card=card,
        recipe={"color": "RGB", "fit": "crop"},
        progress=False,
    )
    found = wn.Gallery(tmp_path / "store")
    result = found.predictions.result(0)
    tile = Asked(found)("tiles", rows=[0], layer="prediction", side=160)["tiles"][0]
    assert tile["covers"] == pytest.approx(list(result.covers))
    top, left, bottom, right = result.covers
    assert 0 < left < right < 1
    assert tile["width"] == min(result.width, round(16 * (right - left)))
    assert tile["height"] == min(result.height, round(8 * (bottom - top)))


def test_a_part_of_the_rows_is_named_in_the_code(place):
    found = wn.Gallery(wn.read_predictions(place / "store").query("sky == 1"))
    assert "# predictions: the rows that the gallery was made of" in found.code
    names = {"predictions": found.predictions}
    exec(found.code, names)
    assert len(names["selection"]) == 3


def test_copied_code_names_what_only_the_caller_has(place, tmp_path):
    truths = {"0000": tmp_path / "mask.png"}
    Image.fromarray(np.zeros((4, 6), np.uint8)).save(truths["0000"])
    store = wn.read_predictions(place / "store")
    results = {name: store.result(f"{name}.png") for name in ("0000", "0001")}
    arrays = {name: np.zeros((4, 6), np.uint8) for name in results}
    pasted: dict[str, object] = {"results": results, "truths": arrays}
    for gallery, names in (
        (wn.Gallery(store.query("name == '0000.png'"), truths, progress=False), ["predictions"]),
        (wn.Gallery(results, arrays, progress=False), ["results", "truths"]),
        (wn.Gallery(results, progress=False), ["results"]),
    ):
        stated = [line for line in gallery.code.splitlines() if line.startswith("# ")]
        assert [line[2:].partition(":")[0] for line in stated] == names
        if "predictions" not in names:
            exec(gallery.code, scope := dict(pasted))
            assert len(scope["selection"]) == len(gallery.selection)


def test_ignored_pixels_are_no_class(place):
    found = wn.read_predictions(place / "store").query("status == 'done'")
    truths = {f"{n:04}": np.full((8, 12), 9, np.uint8) for n in range(7)}
    truths["0001"][:4] = 1
    gallery = wn.Gallery(found, truths, ignore=9, progress=False)
    first = int(gallery.rows[0])
    assert gallery.selection["mean IoU"].notna().sum() == 1
    opened = Asked(gallery)("open", row=first, against="truth")["viewer"]
    classes = [one["name"] for one in opened["_masks"][1]["classes"]]
    assert classes == ["sky", "width", "grass land", "ignored"]
    wrong = Asked(gallery)("tiles", rows=[first], layer="wrong", side=160)["tiles"][0]
    assert "labels" in wrong


@pytest.mark.full
def test_a_page_of_many_classes_gets_no_names_that_it_does_not_need():
    classes = tuple(f"a rather long name of class {n}" for n in range(150))
    card = wn.ModelCard("many", "segmentation", classes=classes)
    rng = np.random.default_rng(0)
    masks = [rng.integers(0, 150, (90, 120), np.uint8) for _ in range(4)]
    image = np.zeros((90, 120, 3), np.uint8)
    results = {
        str(n): wn.SegmentationResult(mask, card, image=image) for n, mask in enumerate(masks[:2])
    }
    truths = {str(n): mask for n, mask in enumerate(masks[2:])}
    found = wn.Gallery(results, truths, progress=False)
    assert len(found._about["matrix"]["cells"]) > 10_000
    assert len(json.dumps(found._about)) < 500_000
    assert f"{classes[0]} as {classes[1]}" in found.columns
