"""The static image of a gallery: made once its page has what it asked first."""

import asyncio

import pytest
from gallery_help import Asked, make_place, write_many

import wasinn_nb as wn
from wasinn_nb.widgets.gallery import gallery as module
from wasinn_nb.widgets.gallery.at_rest import AtRest

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("at-rest"))


def run(steps):
    """Run an async function that is given a list and what adds to it at rest."""
    done = []

    async def whole():
        await steps(done, AtRest(lambda: done.append(len(done))))

    asyncio.run(whole())
    return done


def test_it_is_called_once_after_all_that_is_due():
    async def steps(done, at_rest):
        at_rest.wait(0.0)
        at_rest.wait(0.0)
        at_rest.postpone()
        assert done == []
        for _ in range(5):
            await asyncio.sleep(0)
        assert done == [0]
        at_rest.postpone()  # nothing waits
        for _ in range(5):
            await asyncio.sleep(0)

    assert run(steps) == [0]


def test_what_is_canceled_is_not_called():
    async def steps(done, at_rest):
        at_rest.wait(0.0)
        at_rest.cancel()
        for _ in range(5):
            await asyncio.sleep(0)

    assert run(steps) == []


def test_in_a_page_the_image_is_of_what_the_page_asked_first(place, monkeypatch, tmp_path):
    many = write_many(place / "store", tmp_path / "many", 40)
    monkeypatch.setattr(module, "in_page", lambda: True)
    monkeypatch.setattr(module, "NEW", 0.0)

    async def steps():
        gallery = wn.Gallery(many, progress=False)
        gallery.still.prepare()
        assert gallery.still._values == ()
        asked = Asked(gallery)
        asked("order", name="mean_confidence", descending=False, most=40)
        asked("tiles", rows=gallery.rows[:12].tolist(), layer="prediction", side=160)
        asked("tiles", rows=gallery.rows[12:30].tolist(), layer="prediction", side=160)
        for _ in range(5):
            await asyncio.sleep(0)
        html = gallery.still.bundle()["text/html"]
        assert html.count("<img") == 12
        assert "40 images sorted by mean_confidence, the lowest first; 12 of them are here" in html

    asyncio.run(steps())


def test_a_closed_gallery_makes_no_image(place, monkeypatch):
    monkeypatch.setattr(module, "in_page", lambda: True)
    monkeypatch.setattr(module, "NEW", 0.0)

    async def steps():
        gallery = wn.Gallery(place / "store", progress=False)
        gallery.still.prepare()
        gallery.close()
        for _ in range(5):
            await asyncio.sleep(0)
        assert gallery.still._values == ()

    asyncio.run(steps())


def test_where_no_page_asks_the_image_is_there_at_once(place):
    gallery = wn.Gallery(place / "store", progress=False)
    gallery.still.prepare()
    assert gallery.still.bundle()["text/html"].count("<img") == 7
