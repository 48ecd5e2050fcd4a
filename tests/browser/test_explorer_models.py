"""`Explorer` in JupyterLab: classifiers, models of one class, and several runtimes."""

from __future__ import annotations

import re

import pytest
from tables import all_slow_but

from browser.explorers import ExplorerPage, flat_image
from browser.layout import CONTRASTS, STICKS_OUT
from browser.pages import PATIENCE, expect


@pytest.fixture(scope="module")
def notebook(open_notebook):
    cell = "import wasinn_nb as wn\nexplorer = wn.Explorer('channels')\nexplorer"
    with open_notebook("explorer-models", cell) as made:
        made.run_all()
        yield made
        assert made.errors == []


@pytest.fixture
def explorer(notebook, browser):
    """The explorer with one run, and the three stripes as its image."""
    page = ExplorerPage(notebook)
    notebook.kernel.run(
        "explorer.panel.compare, explorer.viewer.mode = False, 'overlay'\n"
        "explorer.models.value = 'channels'\n"
        f"explorer.images.add({flat_image()!r}, 'stripes.png')\n"
    )
    notebook.kernel.run("_ = explorer.wait()")
    yield page
    notebook.page.set_viewport_size({"width": 1280, "height": 1000})


def wait_bars(explorer):
    """Wait until the present classes are on screen; return their element."""
    expect(explorer.error).to_be_hidden(timeout=PATIENCE)
    serial = explorer.ask("it.wait() and it.bars.serial")
    bars = explorer.root.locator(".wnb-bars")
    expect(bars).to_have_attribute("data-painted", str(serial), timeout=PATIENCE)
    expect(bars).to_be_visible()
    return bars


def test_bars_stand_in_place_of_the_mask(explorer):
    explorer.pick("Model", "kinds")
    bars = wait_bars(explorer)
    expect(explorer.root.locator(".wnb-viewer")).to_be_hidden()
    rows = bars.locator(".wnb-bar-row")
    expect(rows).to_have_count(3)
    top = explorer.ask("[(one.index, one.name, one.probability) for one in it.result.top()]")
    widths = []
    for row, (index, name, probability) in zip(rows.all(), top, strict=True):
        expect(row).to_contain_text(f"{name} [{index}]")
        expect(row).to_contain_text(f"{100 * probability:.2f} %")
        track, filled = row.locator(".wnb-bar-track"), row.locator(".wnb-bar-track i")
        part = filled.bounding_box()["width"] / track.bounding_box()["width"]
        assert part == pytest.approx(probability, abs=0.01)
        widths.append(part)
    assert widths == sorted(widths, reverse=True)
    image = bars.locator("img")
    assert image.evaluate("(one) => [one.naturalWidth, one.naturalHeight]") == [160, 120]
    expect(image).to_have_attribute("alt", f"The image: {top[0][1]} {100 * top[0][2]:.2f} %")
    expect(explorer.status).to_contain_text("from file to result")
    assert 'wn.classify("' in explorer.ask("it.code")
    explorer.pick("Model", "channels")
    explorer.check_painted(least=3)
    expect(bars).to_be_hidden()


def test_another_image_of_a_classifier(explorer):
    explorer.pick("Model", "kinds")
    wait_bars(explorer)
    explorer.pick("Image", "country-road")
    bars = wait_bars(explorer)
    image = bars.locator("img")
    explorer.notebook.until(
        lambda: image.evaluate("(one) => one.naturalWidth") == 1280, "the image is another"
    )
    best = explorer.ask("it.result.top(1)[0].name")
    expect(bars.locator(".wnb-bar-row").first).to_contain_text(best)


def test_two_classifiers_are_both_shown(explorer):
    explorer.pick("Model", "kinds")
    explorer.root.get_by_role("checkbox", name="Compare two runs").check()
    explorer.notebook.kernel.run(
        "explorer.runs[1].models.value = 'kinds'; explorer.runs[1].color.value = 'RGB'"
    )
    bars = wait_bars(explorer)
    runs = bars.locator(".wnb-bars-run")
    expect(runs).to_have_count(2)
    expect(runs.nth(0)).to_contain_text("A: color BGR")
    expect(runs.nth(1)).to_contain_text("B: color RGB")
    best = [explorer.ask(f"it.{one}.top(1)[0].name") for one in ("result", "other")]
    for run, name in zip(runs.all(), best, strict=True):
        expect(run.locator(".wnb-bar-row").first).to_contain_text(name)
    expect(explorer.root.locator(".wnb-verdict")).to_be_visible()


def test_a_mask_and_classes_are_both_shown(explorer):
    explorer.root.get_by_role("checkbox", name="Compare two runs").check()
    explorer.notebook.kernel.run("explorer.runs[1].models.value = 'kinds'")
    bars = wait_bars(explorer)
    expect(bars.locator(".wnb-bars-run")).to_have_count(1)
    expect(explorer.root.locator("canvas.wnb-canvas")).to_be_visible()
    expect(explorer.root.locator(".wnb-verdict")).to_contain_text(
        "not compared: one gives a mask, the other classes of the whole image"
    )


def test_what_is_assumed_is_a_badge_with_its_line(explorer):
    explorer.wait_until_painted()
    badge = explorer.root.locator(".wnb-badge")
    expect(badge).to_have_text("recipe assumed")
    badge.click()
    note = explorer.root.locator(".wnb-note")
    expect(note).to_be_visible()
    expect(note).to_contain_text("assumed: BGR, values 0 to 255, bilinear")
    line = note.locator("code").inner_text()
    assert line == explorer.ask("it.viewer._notes[0]['code']")
    assert line.startswith("wn.ModelCard.from_model(")
    explorer.root.get_by_role("button", name="Copy this line").click()
    assert explorer.notebook.page.evaluate("navigator.clipboard.readText()") == line
    explorer.close()
    explorer.pick("Model", "road-segmentation-synth-0001")
    explorer.wait_until_painted()
    expect(badge).to_have_count(0)


def test_a_precision_that_did_not_run_is_a_badge(explorer):
    explorer.pick("Model", "engines")
    explorer.notebook.kernel.run(
        "explorer.targets.runtime, explorer.targets.precision = 'onnxruntime', 'bf16'\n"
        "import warnings; warnings.simplefilter('ignore'); _ = explorer.wait()"
    )
    badge = explorer.root.locator(".wnb-badge", has_text="ran in f32, not bf16")
    expect(badge).to_have_attribute("title", re.compile("onnxruntime computes in f32 on CPU"))
    panel = explorer.open("Precision")
    bf16 = panel.get_by_role("radio", name="bf16")
    expect(bf16).to_be_disabled()
    expect(bf16).to_be_checked()
    expect(panel).to_contain_text("onnxruntime does not compute in bf16 on CPU here")
    expect(panel.get_by_role("radio", name="device")).to_be_enabled()
    explorer.notebook.keep("precisions")
    explorer.close()
    explorer.notebook.kernel.run("explorer.targets.precision = 'f32'")
    expect(badge).to_have_count(0)
    explorer.notebook.kernel.run("explorer.targets.runtime = 'openvino'")


def test_the_threshold_of_one_class_changes_the_result_and_the_code(explorer):
    explorer.pick("Model", "bright")
    viewer = explorer.wait_until_painted()
    expect(viewer.class_threshold).to_be_enabled()
    # Means of the stripes: 90, 86.7 and 100 of 255; all are background at first.
    expect(viewer.named("foreground")).to_contain_text("0.00 %")
    viewer.class_threshold.fill("35")
    expect(viewer.named("foreground")).to_contain_text("66.88 %")  # 53 and 54 of 160 columns
    explorer.notebook.until(
        lambda: explorer.ask("it.result.threshold") == 0.35, "the kernel has it"
    )
    assert "threshold=0.35" in explorer.ask("it.code")
    explorer.check_painted()
    expect(explorer.root.locator(".wnb-code pre")).to_contain_text("threshold=0.35")


def test_runtimes_are_offered_where_several_read_the_model(explorer):
    runtime = explorer.open("Target").get_by_label("Runtime")
    expect(runtime).to_be_hidden()
    explorer.close()
    explorer.pick("Model", "engines")
    explorer.check_painted(least=3)
    target = explorer.open("Target")
    expect(runtime).to_be_visible()
    expect(runtime.locator("option")).to_have_text(["onnxruntime", "openvino"])
    runtime.select_option("onnxruntime")
    explorer.notebook.until(
        lambda: explorer.ask("it.targets.runtime") == "onnxruntime", "the kernel has it"
    )
    assert explorer.ask("it.wait().runtime") == "onnxruntime"
    expect(target).to_contain_text("Ran on CPU, f32, onnxruntime")
    expect(target).to_contain_text("ONNX Runtime's own kernels")
    explorer.close()
    explorer.check_painted(least=3)
    explorer.pick("Model", "channels")
    explorer.check_painted(least=3)
    assert explorer.ask("it.result.runtime") == "openvino"
    explorer.open("Target")
    expect(runtime).to_be_hidden()
    explorer.close()


@pytest.mark.parametrize("width", all_slow_but([620, 1280], 620))
def test_nothing_sticks_out_and_all_can_be_read(notebook, explorer, width):
    explorer.root.get_by_role("checkbox", name="Compare two runs").check()
    notebook.kernel.run(
        "explorer.models.value = 'kinds'; explorer.runs[1].models.value = 'channels'"
    )
    notebook.page.set_viewport_size({"width": width, "height": 3000})
    wait_bars(explorer)
    notebook.page.wait_for_timeout(300)
    assert explorer.root.evaluate(STICKS_OUT) == []
    assert explorer.root.evaluate(CONTRASTS) == []
    notebook.menu("Settings", "Theme", "JupyterLab Dark")
    expect(notebook.page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    try:
        assert explorer.root.evaluate(CONTRASTS) == []
    finally:
        notebook.keep(f"bars-dark-{width}")
        notebook.menu("Settings", "Theme", "JupyterLab Light")
        expect(notebook.page.locator("body")).to_have_attribute("data-jp-theme-light", "true")


@pytest.mark.slow
def test_bars_are_kept_in_the_saved_notebook(open_notebook, browser):
    cell = "import wasinn_nb as wn\nexplorer = wn.Explorer('kinds', 'country-road')\nexplorer"
    with open_notebook("bars-saved", cell) as saved:
        saved.run_all()
        page = ExplorerPage(saved)
        wait_bars(page)
        best = page.ask("it.result.top(1)[0].name")
        expect(saved.page.locator("[data-wnb-still]")).to_be_hidden()
        saved.page.wait_for_timeout(500)
        saved.save()
        saved.shut_down()
        saved.page.reload()
        saved.wait_open()
        still = saved.page.locator("[data-wnb-still]")
        expect(still).to_be_visible(timeout=PATIENCE)
        expect(still).to_contain_text(best)
