"""The same widgets under Voila and in Notebook 7, on a screen of many pixels per point."""

from __future__ import annotations

import pytest

import wasinn_nb as wn
from browser.explorers import check_result
from browser.pages import expect, notebook_seven, opened_page
from browser.viewers import Viewer

SIZE = 1280, 720
CELL = "import wasinn_nb as wn\nexplorer = wn.Explorer()\nexplorer"


@pytest.fixture(scope="module")
def sharp(browser):
    """A screen with two pixels per point."""
    made = browser.new_context(
        viewport={"width": 1100, "height": 1100}, device_scale_factor=2, color_scheme="light"
    )
    yield made
    made.close()


@pytest.fixture(scope="module")
def page(sharp, voila):
    voila.write("app.ipynb", "# Road segmentation", CELL)
    with opened_page(sharp, f"{voila.url}/voila/render/app.ipynb") as made:
        yield made


def test_the_mask_is_painted(page, browser):
    viewer = Viewer(page, SIZE)
    viewer.wait_painted()
    # Start values are those of the environment, as everywhere.
    expect(page.get_by_role("radio", name="city-island", exact=True)).to_be_checked()
    expect(page.get_by_role("button", name="Target AUTO", exact=True)).to_be_visible()
    expect(page.get_by_role("heading", name="Road segmentation")).to_be_visible()
    assert len(check_result(viewer, wn.segment("city-island", scores=True))) >= 2
    expect(page.locator("[data-wnb-still]")).to_be_hidden()


def test_every_pixel_of_the_screen_is_used(page, browser):
    canvas = Viewer(page, SIZE).canvas
    width, css_width = canvas.evaluate("(one) => [one.width, one.clientWidth]")
    assert abs(width - 2 * css_width) <= 2


@pytest.mark.slow
def test_another_image(page, browser):
    viewer = Viewer(page, SIZE)
    before = viewer.wait_painted()
    page.get_by_role("radio", name="country-road", exact=True).locator("xpath=..").click()
    viewer.wait_painted(before + 1)
    assert len(check_result(viewer, wn.segment("country-road", scores=True))) >= 2
    viewer.named("road").click()
    expect(viewer.named("road")).to_have_attribute("aria-pressed", "false")


@pytest.mark.slow
def test_an_upload_that_is_no_image(page, browser):
    page.locator("input[type=file]").set_input_files(
        {"name": "broken.png", "mimeType": "image/png", "buffer": b"not an image"}
    )
    page.locator(".wnb-pick.wnb-bad").click()
    expect(page.get_by_role("alert").get_by_text("broken.png")).to_be_visible()
    page.keyboard.press("Escape")
    viewer = Viewer(page, SIZE)
    before = viewer.wait_painted()
    page.get_by_role("radio", name="shops-bend", exact=True).locator("xpath=..").click()
    viewer.wait_painted(before + 1)


@pytest.mark.slow
def test_notebook_7(sharp, lab, browser):
    with notebook_seven(sharp, lab, "seven.ipynb", CELL) as page:
        viewer = Viewer(page, SIZE)
        before = viewer.wait_painted()
        assert len(check_result(viewer, wn.segment("city-crosswalk", scores=True))) >= 2
        page.get_by_role("radio", name="city-arrow", exact=True).locator("xpath=..").click()
        viewer.wait_painted(before + 1)
        assert len(check_result(viewer, wn.segment("city-arrow", scores=True))) >= 2
