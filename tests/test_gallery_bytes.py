"""What a gallery sends: thumbnails as large as they are drawn, and what the first page needs."""

from __future__ import annotations

import io
import zlib

import numpy as np
import pytest
from gallery_help import Asked, write_many
from PIL import Image, features

import wasinn_nb as wn
from wasinn_nb.widgets.gallery import thumbnails
from wasinn_nb.widgets.gallery.thumbnails import thumbnail_within

MOST_BYTES = 1_000_000  # that a page of tiles may take


def scene():
    """Return the stored thumbnail of a shipped image."""
    with Image.open(wn.image()) as image:
        image.thumbnail((160, 160))
        file = io.BytesIO()
        image.save(file, "JPEG", quality=75)
    return file.getvalue()


def decoded(data):
    with Image.open(io.BytesIO(data)) as image:
        return image.format, image.size, np.asarray(image.convert("RGB"), np.float64)


@pytest.mark.parametrize("side", [64, 96, 144])
def test_a_smaller_thumbnail_takes_less_and_looks_the_same(side):
    stored = scene()
    kind, size, pixels = decoded(thumbnail_within(stored, side))
    assert (kind, size) == ("WEBP", (side, round(side * 90 / 160)))
    with Image.open(io.BytesIO(stored)) as image:
        plain = image.resize(size, Image.Resampling.BICUBIC)
        file = io.BytesIO()
        plain.save(file, "JPEG", quality=75)
    expected = np.asarray(plain, np.float64)

    def error(found):
        return float(np.sqrt(np.mean((found - expected) ** 2)))

    assert error(pixels) <= 1.05 * error(decoded(file.getvalue())[2])
    assert len(thumbnail_within(stored, side)) < 0.7 * len(file.getvalue())


def test_a_thumbnail_that_is_small_enough_stays_as_it_is():
    stored = scene()
    assert thumbnail_within(stored, 160) is stored
    assert thumbnail_within(stored, 4000) is stored
    assert decoded(thumbnail_within(stored, 1))[1] == (1, 1)


def test_without_webp_it_is_a_jpeg(monkeypatch):
    monkeypatch.setattr(thumbnails.features, "check", lambda name: name != "webp")
    assert decoded(thumbnail_within(scene(), 80))[:2] == ("JPEG", (80, 45))


def test_gray_thumbnails():
    file = io.BytesIO()
    Image.new("L", (160, 120), 128).save(file, "JPEG")
    _, size, pixels = decoded(thumbnail_within(file.getvalue(), 80))
    assert size == (80, 60)
    assert np.abs(pixels - 128).max() <= 2


@pytest.mark.full
@pytest.mark.skipif(not features.check("webp"), reason="Pillow without WebP")
def test_a_page_of_many_rows_is_no_larger_than_that_of_a_few(tmp_path):
    wn.predict(list(wn.images()), store=tmp_path / "small", progress=False)
    gallery = wn.Gallery(write_many(tmp_path / "small", tmp_path / "many", 20_000))
    asked = Asked(gallery)

    def sent(ask, **more):
        asked(ask, **more)
        content, buffers = asked.sent[0]
        return len(str(content)) + sum(map(len, buffers))

    name = gallery.sort_by
    state = sum(len(value) for value in gallery.get_state().values() if hasattr(value, "__len__"))
    columns = sum(sent("facet", name=facet["name"]) for facet in gallery._about["facets"])
    order = sent("order", name=name, descending=False, most=2000)
    rows = gallery.rows[:400].tolist()  # more than a large screen has
    tiles, answered = 0, 0
    while answered < len(rows):
        tiles += sent("tiles", rows=rows[answered:], layer="prediction", side=80)
        answered += len(asked.sent[0][0]["answer"]["tiles"])
    assert state < 120_000
    assert columns < 30_000
    assert order < 6000
    assert state + columns + order + tiles < 0.8 * MOST_BYTES
    assert sent("order", name=name, descending=False, most=20_000) > 30_000


@pytest.mark.full
def test_masks_are_as_large_as_the_thumbnails(tmp_path):
    found = wn.predict([wn.image()], store=tmp_path, progress=False)
    asked = Asked(wn.Gallery(found))
    for side, size in ((80, (80, 45)), (160, (160, 90))):
        (tile,) = asked("tiles", rows=[0], layer="prediction", side=side)["tiles"]
        assert decoded(tile["thumbnail"])[1] == (tile["width"], tile["height"]) == size
        assert len(zlib.decompress(tile["labels"])) == size[0] * size[1]
        assert "covers" not in tile


@pytest.mark.full
def test_another_layer_comes_without_thumbnails_that_the_page_has(tmp_path):
    names = list(wn.images())[:2]
    found = wn.predict(names, store=tmp_path, progress=False)
    asked = Asked(wn.Gallery(found, {name: wn.mask(name) for name in names}, progress=False))
    about = {"rows": [0, 1], "layer": "truth", "side": 160}
    whole, lacking = (asked("tiles", **about, bare=bare)["tiles"] for bare in ([], [1]))
    assert lacking[0] == whole[0]
    assert lacking[1] == {key: one for key, one in whole[1].items() if key != "thumbnail"}
    labels, size = len(whole[1]["labels"]), len(whole[1]["thumbnail"])
    assert labels < size  # what is left is the smaller part
    assert "expected rows" in asked("tiles", **about, bare=["x"])["failed"]
