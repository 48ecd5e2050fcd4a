"""A gallery in a narrow window, and the figures in its panel of confusions."""

from __future__ import annotations

import pytest
from gallery_help import make_place

import wasinn_nb as wn
from browser.axe import violations
from browser.galleries import GalleryPage
from browser.layout import CONTRASTS
from browser.pages import expect


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    place = make_place(tmp_path_factory.mktemp("narrow"))
    gallery = wn.Gallery(place / "store", place / "masks_of_all", progress=False)
    return gallery.write_html(place / "gallery.html")


@pytest.fixture
def gallery(browser, path):
    page = browser.new_page(viewport={"width": 620, "height": 900})
    page.goto(path.as_uri())
    made = GalleryPage(page.locator("body"))
    made.wait_selected(8)
    yield made
    page.close()


def test_filters_open_below_the_bar_with_every_column_whole(gallery):
    opens = gallery.root.get_by_role("button", name="Filters", exact=True)
    panel = gallery.root.locator(".wnb-facets")
    expect(panel).to_be_hidden()
    images = gallery.grid.bounding_box()
    assert images["y"] < 150  # what one came for is in view
    opens.click()
    expect(opens).to_have_attribute("aria-expanded", "true")
    box = panel.bounding_box()
    assert panel.evaluate("(one) => one.scrollWidth - one.clientWidth") == 0
    facets = panel.locator(".wnb-facet").all()
    boxes = [one.bounding_box() for one in facets]
    assert len({one["x"] for one in boxes}) == 3  # side by side
    for one in boxes:
        assert one["x"] >= box["x"]
        assert one["x"] + one["width"] <= box["x"] + box["width"]
    last = facets[-1]
    last.scroll_into_view_if_needed()
    inner = last.bounding_box()
    assert inner["y"] + inner["height"] <= box["y"] + box["height"]
    expect(last.locator(".wnb-facet-track, .wnb-facet-list")).to_be_visible()
    assert gallery.grid.bounding_box()["y"] >= box["y"] + box["height"]
    gallery.brush("sky", 0.6, 0.99)
    gallery.wait_selected(3)
    gallery.root.locator(".wnb-gallery-chip").first.click()
    gallery.wait_selected(8)
    opens.click()
    expect(panel).to_be_hidden()
    assert gallery.grid.bounding_box() == images


def test_in_a_wide_window_filters_stand_beside_the_images(gallery):
    gallery.page.set_viewport_size({"width": 1000, "height": 700})
    expect(gallery.root.locator(".wnb-facets")).to_be_visible()
    expect(gallery.root.get_by_role("button", name="Filters", exact=True)).to_be_hidden()


def test_the_grid_ends_below_its_last_image(gallery):
    grid = gallery.grid.bounding_box()
    tiles = [one.bounding_box() for one in gallery.grid.get_by_role("option").all()]
    bottom = max(one["y"] + one["height"] for one in tiles)
    assert bottom < grid["y"] + grid["height"] < bottom + 20
    assert gallery.grid.evaluate("(one) => one.scrollHeight - one.clientHeight") == 0


def test_an_opened_image_has_its_controls_in_two_rows(gallery):
    gallery.grid.get_by_role("option").first.click()
    gallery.opened.locator(".wnb-viewer[data-painted]").wait_for()
    controls = gallery.opened.locator(".wnb-toolbar > *:visible").all()
    assert len(controls) >= 5
    boxes = [one.bounding_box() for one in controls]
    middles = {round((box["y"] + box["height"] / 2) / 10) for box in boxes}
    assert len(middles) == 2
    assert max(box["x"] + box["width"] for box in boxes) <= 600
    # Stores keep no scores: there is nothing that a threshold could act on.
    expect(gallery.opened.get_by_label("Confidence threshold")).to_be_hidden()
    gallery.page.keyboard.press("Escape")


def test_the_count_stands_once_beside_the_images_that_failed(gallery):
    line = gallery.root.locator(".wnb-gallery-line").first
    assert line.inner_text().count("8 images") == 1
    gallery.root.get_by_role("button", name="1 failed, sorted last").click()
    gallery.wait_selected(1)
    assert gallery.names() == ["text.png"]


def test_confusions_are_in_the_order_of_what_stands_first(gallery):
    gallery.root.get_by_role("button", name="Confusions").click()
    texts = gallery.root.locator("li .wnb-matrix-count").all_inner_texts()
    counts = [int(text.replace(",", "")) for text in texts]
    assert counts == sorted(counts, reverse=True)
    assert len(counts) > 1
    for name in gallery.root.locator(".wnb-matrix-name").all():
        assert name.evaluate("(one) => one.scrollWidth - one.clientWidth") <= 1  # not cut
    assert gallery.root.evaluate(CONTRASTS) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_what_is_open(gallery, scheme):
    gallery.page.emulate_media(color_scheme=scheme)
    gallery.root.get_by_role("button", name="Filters", exact=True).click()
    assert violations(gallery.root) == []
    gallery.grid.get_by_role("option").first.click()
    gallery.opened.locator(".wnb-viewer[data-painted]").wait_for()
    gallery.opened.locator(".wnb-class").first.click()  # a class that is off
    assert violations(gallery.opened) == []
