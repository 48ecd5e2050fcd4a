"""The Explorer as one widget: two views, boxes and outputs, run again, many images."""

from __future__ import annotations

import re

import pytest

from browser.explorers import ExplorerPage, flat_image
from browser.pages import PATIENCE, expect
from browser.viewers import Viewer

pytestmark = pytest.mark.slow  # test_containers.py has the same of a viewer
SIZE = 1280, 720
SCENE = """
import gc
import ipywidgets as w
import wasinn_nb as wn
from IPython.display import display

def alive(kind):
    gc.collect()
    return sum(isinstance(one, kind) for one in gc.get_objects())
"""
CELLS = {
    "box": "w.HBox([wn.Explorer()])",
    "output": "out = w.Output()\ndisplay(out)\nwith out:\n    display(wn.Explorer())",
    "interact": "w.interact(lambda image: display(wn.Explorer(image=image)), "
    "image=['city-arrow', 'country-road'])\n1",
}


@pytest.fixture(scope="module")
def notebook(open_notebook):
    with open_notebook("explorer-places", SCENE, *CELLS.values()) as made:
        made.run_all()
        yield made
        assert made.errors == []


@pytest.mark.parametrize("name", CELLS)
def test_it_is_shown_with_its_width(notebook, browser, name):
    output = notebook.output(1 + list(CELLS).index(name))
    viewer = Viewer(output, SIZE)
    viewer.wait_painted()
    root = output.locator(".wnb-explorer")
    expect(root).to_have_count(1)
    room = output.locator(".jp-OutputArea").first.bounding_box()
    box = root.bounding_box()
    assert 0.9 * room["width"] - 120 < box["width"] <= room["width"] + 1
    assert viewer.canvas.bounding_box()["width"] > 300
    expect(output.locator("[data-wnb-still]")).to_be_hidden()


def test_a_moved_control_frees_the_old_explorer(notebook, browser):
    output = notebook.output(3)
    Viewer(output, SIZE).wait_painted()
    before = notebook.kernel.ask("alive(wn.Explorer)")
    menu = output.locator("select").first
    for image in ("country-road", "city-arrow") * 2:
        menu.select_option(image)
        button = output.get_by_role("button", name=re.compile(f"^Image {image}"))
        expect(button).to_be_visible(timeout=PATIENCE)
        Viewer(output, SIZE).wait_painted()
        expect(output.locator(".wnb-explorer")).to_have_count(1)
    notebook.until(lambda: notebook.kernel.ask("alive(wn.Explorer)") <= before, "they are freed")


def test_two_views_show_the_same(open_notebook, browser):
    cells = "explorer = wn.Explorer()\nexplorer", "explorer"
    with open_notebook("explorer-views", SCENE, *cells) as both:
        both.run_all()
        one, two = ExplorerPage(both, 0), ExplorerPage(both, 1)
        one.check_painted()
        two.check_painted()
        one.pick("Image", "country-road")
        two.wait_until_painted()
        tile = two.strip.get_by_role("radio", name="country-road", exact=True)
        expect(tile).to_be_checked()
        expect(tile.locator("xpath=..").locator("img")).to_have_attribute("src", re.compile("blob"))
        two.check_painted()
        two.root.get_by_role("checkbox", name="Compare two runs").check()
        expect(one.row("B")).to_be_visible()
        one.more()
        expect(two.root.locator(".wnb-drawer")).to_be_hidden()  # each view has its own
        assert both.errors == []


def test_a_folder_of_ten_thousand_images(open_notebook, browser, tmp_path):
    content = flat_image()
    for index in range(10_000):
        (tmp_path / f"{index:05}.png").write_bytes(content)
    cell = f"explorer = wn.Explorer(folder={str(tmp_path)!r})\nexplorer"
    with open_notebook("explorer-folder", SCENE, cell) as many:
        many.run_all()
        explorer = ExplorerPage(many)
        explorer.wait_until_painted()
        assert explorer.root.get_by_text("are shown").count() == 0
        tiles = explorer.strip.locator(".wnb-tile")
        assert tiles.count() < 40
        strip = explorer.strip.element_handle()
        strip.evaluate("(one) => { one.scrollLeft = 104 * 7000; }")
        tile = explorer.strip.get_by_role("radio", name="07003.png", exact=True)
        image = tile.locator("xpath=..").locator("img")
        expect(image).to_have_attribute("src", re.compile("^blob:"))
        assert (
            image.evaluate("async (one) => { await one.decode(); return one.naturalWidth; }") > 90
        )
        assert tile.get_attribute("aria-posinset") == "7004"
        assert tile.get_attribute("aria-setsize") == str(
            10_000 + many.kernel.ask("len(wn.images())")
        )
        tile.locator("xpath=..").click()
        explorer.wait_image(str(tmp_path / "07003.png"))
        explorer.check_painted(least=1)
        panel = explorer.open("Image")
        panel.get_by_role("searchbox").fill("09999")
        found = panel.get_by_role("radio", name="09999.png", exact=True)
        expect(found).to_be_visible()
        expect(panel.locator(".wnb-tile:not(:has(input:checked))")).to_have_count(1)
        found.locator("xpath=..").click()
        explorer.wait_image(str(tmp_path / "09999.png"))
        assert many.errors == []
