"""Narrow cells, dark pages, many pixels per point: nothing sticks out, and all can be read."""

from __future__ import annotations

import re

import pytest

from browser.explorers import ExplorerPage
from browser.pages import expect

STICKS_OUT = """(root) => {
    const edge = root.getBoundingClientRect().right + 1;
    const inScroller = (one) => {
        for (let up = one.parentElement; up !== root; up = up.parentElement)
            if (["auto", "scroll", "hidden"].includes(getComputedStyle(up).overflowX)) return true;
        return false;
    };
    return [...root.querySelectorAll("*")].filter((one) => {
        const box = one.getBoundingClientRect();
        return one.checkVisibility() && box.width && box.right > edge && !inScroller(one);
    }).map((one) => `${one.tagName}.${one.className} ends at ` +
        `${one.getBoundingClientRect().right}, not ${edge}`);
}"""
# The contrast of every text that is switched on against what is behind it, after WCAG 2.
CONTRASTS = """(root) => {
    const parsed = (css) => css.match(/[\\d.]+/g).map(Number);
    const light = (rgb) => {
        const [r, g, b] = rgb.slice(0, 3).map((c) => (c / 255 <= 0.04045 ? c / 255 / 12.92
            : ((c / 255 + 0.055) / 1.055) ** 2.4));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const behind = (one) => {
        for (let up = one; up; up = up.parentElement) {
            const color = parsed(getComputedStyle(up).backgroundColor);
            if (color.length < 4 || color[3] === 1) return color;
        }
        return [255, 255, 255];
    };
    const found = [];
    for (const one of root.querySelectorAll("*")) {
        const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
        if (!own || !one.checkVisibility() || one.closest(".wnb-stage, .wnb-off, :disabled"))
            continue;
        if (one.closest("[aria-pressed=false], label:has(:disabled)")) continue;
        const [a, b] = [parsed(getComputedStyle(one).color), behind(one)].map(light);
        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
        const said = `${one.className || one.tagName} "${one.textContent}"`;
        if (ratio < 3.5) found.push(`${said}: ${ratio.toFixed(1)}`);
    }
    return found;
}"""


@pytest.fixture(scope="module")
def notebook(open_notebook):
    with open_notebook(
        "layout", "import wasinn_nb as wn\nexplorer = wn.Explorer(compare=True)\nexplorer"
    ) as made:
        made.run_all()
        for summary in made.page.locator(".wnb-panel summary").all():
            summary.click()  # what is folded away has to fit, too
        yield made
        assert made.errors == []


@pytest.fixture
def explorer(notebook, browser):
    page = ExplorerPage(notebook)
    page.wait_shown()
    yield page
    notebook.page.set_viewport_size({"width": 1280, "height": 1000})


@pytest.mark.parametrize("width", [600, 900, 1600])
@pytest.mark.parametrize("mode", ["Overlay", "Side by side", "Difference"])
def test_nothing_sticks_out(notebook, explorer, width, mode):
    notebook.page.set_viewport_size({"width": width, "height": 1500})
    viewer = explorer.wait_shown()
    viewer.mode(mode)
    viewer.pixels()
    explorer.root.scroll_into_view_if_needed()
    assert explorer.root.evaluate(STICKS_OUT) == []
    sizes = explorer.root.evaluate("(root) => [root.scrollWidth, root.clientWidth]")
    assert sizes[0] <= sizes[1]
    assert viewer.canvas.bounding_box()["width"] > 150


def test_the_picture_follows_the_cell(notebook, explorer):
    viewer = explorer.wait_shown()
    viewer.mode("Overlay")
    wide = viewer.canvas.bounding_box()["width"]
    notebook.page.set_viewport_size({"width": 700, "height": 1000})
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
