"""The Explorer in marimo, which shows anywidgets alone: ``marimo run`` of a small app."""

from __future__ import annotations

import re

import pytest

import wasinn_nb as wn
from browser.explorers import check_result, flat_image
from browser.pages import expect, opened_page, wait_until
from browser.servers import start_marimo
from browser.viewers import Viewer

pytestmark = pytest.mark.slow
SIZE = 1280, 720
APP = """
import marimo

app = marimo.App(width="full")


@app.cell
def _():
    import json
    from pathlib import Path

    import wasinn_nb as wn

    explorer = wn.Explorer()

    def heard(_):
        state = {"image": explorer.images.value, "hidden": explorer.viewer.hidden}
        Path("heard.json").write_text(json.dumps(state))

    explorer.images.observe(heard, "value")
    explorer.viewer.observe(heard, "hidden")
    explorer
    return (wn,)


@app.cell
def _(wn):
    picker = wn.ModelPicker()
    picker
    return


if __name__ == "__main__":
    app.run()
"""
BLOB = re.compile("^blob:")


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    pytest.importorskip("marimo")
    made = start_marimo(tmp_path_factory.mktemp("marimo"), APP)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def page(browser, server):
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    with opened_page(context, server.url) as made:
        yield made
    context.close()


def heard(page, server, name, value):
    """Wait until the kernel knows of a choice."""
    path = server.root / "heard.json"
    wait_until(page, lambda: path.exists() and f'"{name}": {value}' in path.read_text(), value)


def test_the_mask_is_painted(page, browser):
    viewer = Viewer(page, SIZE)
    viewer.wait_painted()
    assert len(check_result(viewer, wn.segment("city-crosswalk", scores=True))) >= 2


def test_another_image(page, server, browser):
    viewer = Viewer(page, SIZE)
    before = viewer.wait_painted()
    strip = page.get_by_role("radiogroup", name="Images", exact=True)
    tile = strip.get_by_role("radio", name="country-road", exact=True).locator("xpath=..")
    expect(tile.locator("img")).to_have_attribute("src", BLOB)
    tile.click()
    heard(page, server, "image", '"country-road"')
    viewer.wait_painted(before + 1)
    assert len(check_result(viewer, wn.segment("country-road", scores=True))) >= 2


def test_a_class_alone(page, server, browser):
    viewer = Viewer(page, SIZE)
    viewer.wait_painted()
    viewer.named("curb").hover()
    viewer.button("Only curb").click()
    expect(viewer.named("road")).to_have_attribute("aria-pressed", "false")
    heard(page, server, "hidden", '["background", "road", "mark"]')
    viewer.button("Only curb").click()
    heard(page, server, "hidden", "[]")


def test_panels_open_and_their_choices_run(page, browser):
    viewer = Viewer(page, SIZE)
    before = viewer.wait_painted()
    page.get_by_role("button", name="Target CPU").click()
    panel = page.get_by_role("dialog", name="Target")
    expect(panel.get_by_role("radio", name="GPU")).to_be_disabled()
    panel.get_by_role("radio", name="AUTO", exact=True).locator("xpath=..").click()
    expect(panel).to_be_hidden()
    viewer.wait_painted(before + 1)
    expect(page.get_by_role("button", name="Target AUTO")).to_be_visible()


def test_an_upload(page, browser):
    viewer = Viewer(page, SIZE)
    before = viewer.wait_painted()
    upload = {"name": "stripes.png", "mimeType": "image/png", "buffer": flat_image()}
    page.locator("input[type=file]").set_input_files(upload)
    viewer.wait_painted(before + 1)
    expect(page.get_by_role("button", name="Image stripes.png")).to_be_visible()


def test_a_picker_alone(page, browser):
    alone = page.get_by_role("group", name="Model", exact=True)
    expect(alone.get_by_role("radio", name="road-segmentation-synth-0001")).to_be_checked()


def test_a_reloaded_page_shows_it_again(page, browser):
    page.reload()
    viewer = Viewer(page, SIZE)
    viewer.wait_painted()
    page.get_by_role("radio", name="city-arrow", exact=True).locator("xpath=..").click()
    wait_until(
        page,
        lambda: page.get_by_role("button", name="Image city-arrow").is_visible(),
        "the choice is shown",
    )
