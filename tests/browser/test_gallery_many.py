"""A gallery of more rows than its page gets at first: it asks for the others when it needs them."""

from __future__ import annotations

import re

import pytest
from gallery_help import make_place, write_many

from browser.galleries import GalleryPage
from browser.pages import expect

COUNT = 6000


@pytest.fixture(scope="module")
def notebook(open_notebook, tmp_path_factory):
    place = make_place(tmp_path_factory.mktemp("many"))
    many = write_many(place / "store", place / "many", COUNT)
    cell = f"gallery = wn.Gallery({str(many)!r}, tile_size=64)\ngallery"
    with open_notebook("gallery-many", "import wasinn_nb as wn", cell) as made:
        made.run_all()
        yield made
        assert made.errors == []


@pytest.fixture
def gallery(notebook):
    page = GalleryPage(notebook.output(1))
    page.wait_drawn()
    return page


def asked(notebook):
    """Return what the page asked so far."""
    frames = [one if isinstance(one, bytes) else one.encode() for one in notebook.sent]
    return [found[1].decode() for one in frames if (found := re.search(rb'"ask":"(\w+)"', one))]


def test_what_a_filter_needs_comes_when_someone_is_near_and_the_rest_when_it_is_seen(
    gallery, notebook
):
    first = {"facet", "order", "tiles"}
    notebook.until(lambda: first <= {*asked(notebook)}, "the first page")
    assert asked(notebook).count("order") == 1
    assert "bins" not in asked(notebook)
    # To the end of the order, of which the page has the first rows.
    names = notebook.kernel.ask("gallery.selection['name'].tolist()")
    gallery.grid.focus()
    notebook.page.keyboard.press("End")
    last = gallery.grid.locator(f'[aria-posinset="{COUNT}"]')
    expect(last).to_have_attribute("title", names[-1])
    gallery.wait_drawn()
    assert asked(notebook).count("order") == 2
    notebook.page.keyboard.press("Enter")
    where = gallery.opened.locator(".wnb-opened-where")
    expect(where).to_have_text(f"{COUNT:,} of {COUNT:,}")
    expect(gallery.opened.locator(".wnb-opened-name")).to_have_text(names[-1])
    notebook.page.keyboard.press("Escape")
    assert "bins" not in asked(notebook)
    # A filter: the bins of the columns in view, and the same rows as in the kernel.
    gallery.brush("mean_confidence", 0.6, 0.99)
    notebook.until(lambda: notebook.kernel.ask("gallery.query"), "the filter")
    count = notebook.kernel.ask("len(gallery.rows)")
    assert 0 < count < COUNT
    gallery.wait_selected(count)
    assert "bins" in asked(notebook)
    first = notebook.kernel.ask("gallery.selection['name'][0]")
    expect(gallery.grid.locator('[aria-posinset="1"]')).to_have_attribute("title", first)


def test_below_small_tiles_stands_the_value_alone(gallery):
    tile = gallery.grid.get_by_role("option").first
    name, value = (tile.locator(f".wnb-gallery-tile-{one}") for one in ("name", "value"))
    expect(value).to_have_text(re.compile(r"^[\d.]+$"))
    assert value.evaluate("(one) => one.scrollWidth - one.clientWidth") <= 0  # not cut
    assert name.bounding_box()["width"] <= 1
    gallery.root.get_by_role("slider", name="Size", exact=True).fill("150")
    expect(gallery.grid.locator(".wnb-gallery-small")).to_have_count(0)
    assert name.bounding_box()["width"] > 30
