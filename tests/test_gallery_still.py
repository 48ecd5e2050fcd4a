"""The static image of a gallery: what its page shows, with the layer that was chosen."""

from __future__ import annotations

import asyncio
import base64
import io
import re
import zlib

import numpy as np
import pytest
from gallery_help import CLASSES, Asked, make_place
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.cards import ModelCard
from wasinn_nb.widgets.gallery import gallery as module

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("still"))


@pytest.fixture(scope="module")
def made(place):
    return wn.Gallery(place / "store", place / "masks_of_all", place / "other", progress=False)


@pytest.fixture
def gallery(made):
    made.query = "status == 'done'"
    made.sort_by, made.descending = "name", False
    made.layer, made.hidden, made.opacity = "prediction", [], 1.0
    return made


def html_of(gallery):
    gallery._update_still()
    return gallery.still.bundle()["text/html"]


def first_image(html):
    data = re.search(r'src="data:image/jpeg;base64,([^"]+)"', html)[1]
    with Image.open(io.BytesIO(base64.b64decode(data))) as image:
        return np.asarray(image.convert("RGB")).astype(int)


def labels_of(gallery, layer):
    row = int(gallery.rows[0])
    (tile,) = Asked(gallery)("tiles", rows=[row], layer=layer, side=160)["tiles"]
    size = tile["height"], tile["width"]
    labels = np.frombuffer(zlib.decompress(tile["labels"]), np.uint8).reshape(size)
    return np.asarray(Image.fromarray(labels).resize((12, 8), Image.Resampling.NEAREST))


@pytest.mark.parametrize("layer", ["prediction", "truth", "other"])
def test_it_has_the_classes_of_the_chosen_layer(gallery, layer):
    gallery.layer = layer
    html = html_of(gallery)
    palette = np.array(gallery.predictions.card.palette)
    if layer == "truth":
        palette = np.array(gallery.evaluation.class_map.palette)
    distances = np.abs(first_image(html)[:, :, None] - palette).sum(axis=3)
    same = distances.argmin(axis=2) == labels_of(gallery, layer)
    assert same.mean() > 0.85  # a JPEG has half of the colors' pixels
    assert all(name in html for name in CLASSES)
    words = {"prediction": "", "truth": "; with the truth", "other": "; with the other run"}
    assert f"sorted by name, where status == &#x27;done&#x27;{words[layer]}<" in html


@pytest.mark.parametrize(
    ("layer", "meaning"),
    [("wrong", "predicted wrong"), ("disagreement", "another class in the other run")],
)
def test_it_has_the_marks_of_the_chosen_layer(gallery, layer, meaning):
    gallery.layer = layer
    html = html_of(gallery)
    marks = labels_of(gallery, layer).astype(bool)
    assert marks.sum() > 0
    gallery.opacity = 0.0
    far, before = (
        np.abs(first_image(one) - (255, 0, 255)).sum(axis=2)[marks].mean()
        for one in (html, html_of(gallery))
    )
    assert far < 0.5 * before
    assert meaning in html
    assert not any(f"{name}</li>" in html for name in CLASSES)


def test_a_cell_of_the_confusion_matrix_is_named(gallery):
    true, predicted = next(
        (t, p) for t, p, _ in gallery._table.judged.matrix.tolist() if t != p
    )  # fmt: skip
    gallery._cell = [true, predicted]
    gallery.layer = f"cell:{true}:{predicted}"
    names = gallery.evaluation.classes
    assert f"{names[true]} predicted as {names[predicted]}</li>" in html_of(gallery)
    gallery._cell = []


def test_classes_that_are_hidden_are_not_drawn_and_have_no_color(gallery):
    gallery.hidden = list(CLASSES)
    row = int(gallery.rows[0])
    with Image.open(io.BytesIO(gallery.predictions.thumbnail(row))) as image:
        plain = np.asarray(image.convert("RGB")).astype(int)
    html = html_of(gallery)
    assert np.abs(first_image(html) - plain).mean() < 3
    assert "</li>" not in html
    gallery.hidden = [CLASSES[0]]
    assert f"{CLASSES[0]}</li>" not in html_of(gallery)


def test_it_has_the_opacity_of_the_page(gallery):
    gallery.opacity = 0.0
    faint = first_image(html_of(gallery))
    gallery.opacity = 1.0
    strong = first_image(html_of(gallery))
    assert np.abs(faint - strong).mean() > 20


def test_it_says_which_value_orders_the_images(gallery):
    gallery.sort_by, gallery.descending = "mean_confidence", True
    html = html_of(gallery)
    assert "sorted by mean_confidence, the highest first" in html
    row = int(gallery.rows[0])
    (value,) = gallery._table.written("mean_confidence", [row])
    assert f"{gallery.predictions.table(['name'])['name'][row]}, {value}<" in html


def test_a_change_of_what_is_on_screen_makes_it_again(gallery, monkeypatch):
    monkeypatch.setattr(module, "CHANGED", 0.0)
    counts = []

    async def steps():
        gallery.still.displayed = True
        monkeypatch.setattr(gallery.still, "update", lambda *values: counts.append(values))
        for name, value in (("layer", "wrong"), ("hidden", ["sky"]), ("opacity", 0.25)):
            setattr(gallery, name, value)
            for _ in range(5):
                await asyncio.sleep(0)

    asyncio.run(steps())
    gallery.still.displayed = False
    assert len(counts) == 3


def test_classes_of_another_run_are_found_by_their_names(place, tmp_path):
    card = ModelCard("toy", "segmentation", classes=("grass land", "unknown", "sky"))
    swapped = wn.predict(
        place / "images",
        place / "toy.xml",
        tmp_path / "swapped",
        card=card,
        recipe={"color": "RGB"},
        progress=False,
    )
    gallery = wn.Gallery(place / "store", other=swapped, progress=False)
    asked = Asked(gallery)
    rows = [0, 1, 2]
    own, other = (
        asked("tiles", rows=rows, layer=layer, side=160)["tiles"]
        for layer in ("prediction", "other")
    )
    known = {0: 2, 1: 255, 2: 0}  # their labels are equal, their names are not
    for one, two in zip(own, other, strict=True):
        labels = [np.frombuffer(zlib.decompress(t["labels"]), np.uint8) for t in (one, two)]
        assert [known[label] for label in labels[0].tolist()] == labels[1].tolist()
