"""Narrow cells, dark pages, many pixels per point: nothing sticks out, and all can be read."""

from __future__ import annotations

import re

import pytest

from browser.explorers import ExplorerPage
from browser.layout import CONTRASTS, STICKS_OUT
from browser.pages import expect

pytestmark = pytest.mark.slow  # test_explorer_models.py has the same of the narrowest page


@pytest.fixture(scope="module")
def notebook(open_notebook):
    with open_notebook(
        "layout", "import wasinn_nb as wn\nexplorer = wn.Explorer(compare=True)\nexplorer"
    ) as made:
        made.run_all()
        made.page.get_by_role("button", name="More", exact=True).click()
        for summary in made.page.locator(".wnb-drawer summary, .wnb-verdict summary").all():
            summary.click()  # what is folded away has to fit, too
        yield made
        assert made.errors == []


@pytest.fixture
def explorer(notebook, browser):
    page = ExplorerPage(notebook)
    page.wait_until_painted()
    yield page
    notebook.page.set_viewport_size({"width": 1280, "height": 1000})


@pytest.mark.parametrize("width", [600, 900, 1600])
@pytest.mark.parametrize("mode", ["Overlay", "Side by side", "Difference"])
def test_nothing_sticks_out(notebook, explorer, width, mode):
    notebook.page.set_viewport_size({"width": width, "height": 1500})
    viewer = explorer.wait_until_painted()
    viewer.mode(mode)
    viewer.pixels()
    explorer.root.scroll_into_view_if_needed()
    assert explorer.root.evaluate(STICKS_OUT) == []
    sizes = explorer.root.evaluate("(root) => [root.scrollWidth, root.clientWidth]")
    assert sizes[0] <= sizes[1]
    assert viewer.canvas.bounding_box()["width"] > 150


def test_the_image_follows_the_cell(notebook, explorer):
    notebook.page.set_viewport_size({"width": 1280, "height": 2500})  # all is open: it is high
    viewer = explorer.wait_until_painted()
    viewer.mode("Overlay")
    viewer.pixels()
    wide = viewer.canvas.bounding_box()["width"]
    notebook.page.set_viewport_size({"width": 700, "height": 2500})
    viewer.pixels()
    narrow = viewer.canvas.bounding_box()["width"]
    assert narrow < 0.7 * wide
    explorer.check_painted()


def test_light_page_can_be_read(explorer):
    assert explorer.root.evaluate(CONTRASTS) == []


def test_dark_page_can_be_read(notebook, explorer):
    notebook.menu("Settings", "Theme", "JupyterLab Dark")
    expect(notebook.page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    try:
        background = notebook.page.locator(".jp-Notebook").evaluate(
            "(one) => getComputedStyle(one).backgroundColor"
        )
        assert max(int(part) for part in re.findall(r"\d+", background)) < 60
        assert explorer.root.evaluate(CONTRASTS) == []
        explorer.check_painted()
    finally:
        notebook.keep("dark")
        notebook.menu("Settings", "Theme", "JupyterLab Light")
        expect(notebook.page.locator("body")).to_have_attribute("data-jp-theme-light", "true")
