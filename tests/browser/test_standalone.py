"""A viewer's own page, opened from a file: alive without a kernel, an image without scripts."""

from __future__ import annotations

import pytest

import wasinn_nb as wn
from browser.pages import expect
from browser.viewers import Viewer


@pytest.fixture(scope="module")
def page_file(tmp_path_factory):
    road = wn.segment("hill-crosswalk", scores=True)
    swapped = wn.segment("hill-crosswalk", recipe={"color": "RGB"}, scores=True)
    return wn.MaskViewer(road, swapped).write_html(tmp_path_factory.mktemp("page") / "a.html")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_controls_work_without_a_kernel(browser, page_file, scheme):
    page = browser.new_page(color_scheme=scheme, viewport={"width": 1100, "height": 900})
    problems, requests = [], []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("request", lambda request: requests.append(request.url))
    page.goto(page_file.as_uri())
    viewer = Viewer(page, (1280, 720))
    viewer.wait_painted()
    expect(page.locator("[data-wnb-viewer] img")).to_have_count(0)
    road = viewer.root.locator(".wnb-class", has_text="road")
    expect(road).to_have_attribute("aria-pressed", "true")
    road.click()
    expect(road).to_have_attribute("aria-pressed", "false")
    viewer.mode("Difference")
    viewer.hover(640, 650)
    expect(viewer.probe).to_contain_text("road")
    assert problems == []
    assert [url for url in requests if not url.startswith(("file:", "data:", "blob:"))] == []
    page.close()


def test_without_scripts_there_is_an_image(browser, page_file):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_file.as_uri())
    assert page.locator("[data-wnb-viewer] img").count() == 2
    assert page.locator("[data-wnb-viewer] img").first.is_visible()
    context.close()
