"""The Explorer for everybody: axe-core's rules, the keyboard alone, few actions, its size."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tables import all_slow_but

import wasinn_nb as wn
from browser import axe
from browser.conftest import absent
from browser.explorers import ExplorerPage, check_overlay
from browser.pages import PATIENCE, expect


@pytest.fixture(scope="module")
def notebook(open_notebook):
    cell = "import wasinn_nb as wn\nexplorer = wn.Explorer()\nexplorer"
    with open_notebook("explorer-access", cell) as made:
        made.run_all()
        yield made
        assert made.errors == []


@pytest.fixture
def explorer(notebook, browser):
    page = ExplorerPage(notebook)
    notebook.kernel.run(
        "explorer.panel.compare, explorer.viewer.mode = False, 'overlay'\n"
        "explorer.models.value = 'road-segmentation-synth-0001'\n"
        "explorer.runs[1].models.value = explorer.models.value\n"
        "explorer.images.value = 'city-crosswalk'\n"
        "explorer.viewer.hidden = ['background']\n"
        "_ = explorer.wait()\n"
    )
    page.wait_until_painted()
    yield page
    notebook.page.set_viewport_size({"width": 1280, "height": 1000})


# ------------------------------------------------------------------------------------- axe-core


@pytest.mark.parametrize("theme", all_slow_but(["Light", "Dark"], "Light"))
def test_axe_finds_nothing_serious(notebook, explorer, theme):
    if not axe.SCRIPT.exists():
        absent("axe-core is not installed (tests/javascript/run.sh install)")
    with notebook.theme(theme):
        explorer.root.get_by_role("checkbox", name="Compare two runs").check()
        explorer.more()
        explorer.wait_until_painted()
        assert axe.violations(explorer.root) == []
        for choice in ("Image", "Model", "Target", "Precision"):
            explorer.open(choice)
            assert axe.violations(explorer.root) == [], choice
            explorer.close()
    explorer.root.get_by_role("button", name="More", exact=True).click()


# ----------------------------------------------------------------------------------- the keyboard


def focused(page) -> str:
    return page.evaluate(
        "(one => one.ariaLabel || one.textContent || one.value)(document.activeElement)"
    )


def test_everything_is_reached_by_the_keyboard(notebook, explorer):
    """From the first button on, with Tab, arrows, Enter and Escape alone."""
    page = notebook.page
    explorer.button("Image").focus()
    page.keyboard.press("Enter")
    panel = explorer.row().get_by_role("dialog", name="Image", exact=True)
    expect(panel).to_be_visible()
    page.keyboard.press("Escape")
    expect(panel).to_be_hidden()
    assert focused(page).startswith("Image")
    seen = []
    for _ in range(60):
        page.keyboard.press("Tab")
        seen.append(focused(page))
        if seen[-1] == "city-crosswalk":
            break
    names = ["Model", "Target", "Precision", "More", "Opacity", "Only road"]
    assert [one for one in names if not any(text.startswith(one) for text in seen)] == []
    assert seen[-1] == "city-crosswalk"
    # In the strip: arrows pick.
    page.keyboard.press("ArrowRight")
    explorer.wait_image("city-cyclist")
    # A model by its panel: arrows and Enter.
    explorer.button("Model").focus()
    page.keyboard.press("Enter")
    models = explorer.row().get_by_role("dialog", name="Model", exact=True)
    expect(models).to_be_visible()
    before = explorer.ask("it.models.value")
    expect(models.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("ArrowDown")  # from the search to the list
    expect(models.locator("input:checked")).to_be_focused()
    page.keyboard.press("ArrowDown")
    notebook.until(lambda: explorer.ask("it.models.value") != before, "another model is picked")
    page.keyboard.press("Enter")
    expect(models).to_be_hidden()
    explorer.button("Model").press("Enter")
    expect(models.get_by_role("searchbox")).to_be_focused()
    page.keyboard.type("channels")
    page.keyboard.press("Enter")  # the first that is found
    notebook.until(lambda: explorer.ask("it.models.value") == "channels", "it is picked")
    expect(models).to_be_hidden()


# ---------------------------------------------------------------------------------------- the jobs


class Actions:
    """Clicks, and counts them."""

    def __init__(self) -> None:
        self.count = 0

    def click(self, locator) -> None:
        self.count += 1
        assert self.count <= 3, "more than three actions"
        locator.click()


def test_choose_my_image(explorer):
    actions = Actions()
    tile = explorer.strip.get_by_role("radio", name="shops-bend", exact=True)
    actions.click(tile.locator("xpath=.."))
    explorer.wait_image("shops-bend")
    assert actions.count == 1


def test_see_only_one_class(explorer):
    actions = Actions()
    explorer.viewer.named("road").hover()
    actions.click(explorer.viewer.button("Only road"))
    explorer.notebook.until(
        lambda: explorer.ask("it.viewer.hidden") == ["background", "curb", "mark"], "it is alone"
    )
    viewer = explorer.viewer
    expect(viewer.named("mark")).to_have_attribute("aria-pressed", "false")
    expect(viewer.named("road")).to_have_attribute("aria-pressed", "true")
    result = wn.segment("city-crosswalk", scores=True)
    height, width = result.photo.shape[:2]
    labels = result.labels_at(height, width)
    alone = np.where((labels == 1)[..., None], np.asarray(result.overlay()), result.photo)
    nearest = replace(result, scores=None).labels_at(height, width)
    assert check_overlay(viewer, alone, labels, nearest) >= {0, 1, 3}


def test_compare_two_models(explorer):
    actions = Actions()
    actions.click(explorer.root.get_by_role("checkbox", name="Compare two runs"))
    actions.click(explorer.button("Model", "B"))
    panel = explorer.row("B").get_by_role("dialog", name="Model", exact=True)
    radio = panel.get_by_role("radio", name="channels", exact=True)
    actions.click(radio.locator("xpath=.."))
    explorer.notebook.until(
        lambda: explorer.ask("it.wait() and it.other and it.other.card.name") == "channels", "B"
    )
    explorer.wait_until_painted()
    expect(explorer.root.locator(".wnb-verdict")).to_be_visible(timeout=PATIENCE)


def test_send_it_to_a_colleague(explorer):
    """The files of the result lie in a folder, its Python on the clipboard."""
    actions = Actions()
    actions.click(explorer.root.get_by_role("button", name="More", exact=True))
    actions.click(explorer.root.get_by_role("button", name="Save", exact=True))
    saved = explorer.root.locator(".wnb-saved")
    expect(saved).to_contain_text("city-crosswalk-overlay.jpg", timeout=PATIENCE)
    actions.click(explorer.root.get_by_role("button", name="Copy code"))
    code = explorer.notebook.page.evaluate("navigator.clipboard.readText()")
    assert code == explorer.ask("it.code")
    folder = explorer.notebook.server.root / "out/explorer"
    assert (folder / "city-crosswalk-overlay.jpg").stat().st_size > 10_000
    explorer.root.get_by_role("button", name="More", exact=True).click()


# ------------------------------------------------------------------------------------------ size


@pytest.mark.parametrize("compare", [False, True])
def test_all_is_seen_at_once(notebook, explorer, compare):
    notebook.page.set_viewport_size({"width": 1280, "height": 720})
    if compare:
        explorer.root.get_by_role("checkbox", name="Compare two runs").check()
        explorer.notebook.until(lambda: explorer.ask("bool(it.wait() and it.other)"), "two")
    viewer = explorer.wait_until_painted()
    viewer.pixels()
    notebook.page.wait_for_timeout(300)
    assert explorer.root.bounding_box()["height"] <= 720
    canvas = viewer.canvas.bounding_box()
    assert canvas["height"] >= 240
    assert canvas["width"] / canvas["height"] == pytest.approx(16 / 9, abs=0.02)
