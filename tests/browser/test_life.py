"""What outlives what: pages, kernels, saved notebooks, two explorers in one of them."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image

from browser.explorers import ExplorerPage
from browser.pages import PATIENCE, expect

pytestmark = pytest.mark.slow

BROKEN = "Error displaying widget"
CELLS = (
    "import wasinn_nb as wn\nfirst = wn.Explorer(image='city-arrow')\nfirst",
    "second = wn.Explorer('channels', 'country-road')\nsecond",
)


@pytest.fixture
def notebook(open_notebook, browser):
    with open_notebook("life", *CELLS) as made:
        made.run_all()
        yield made
        assert made.errors == []


def stills(saved: dict) -> list[bytes]:
    """Return the static images of a notebook file, as PNG."""
    return [
        base64.b64decode(output["data"]["image/png"])
        for cell in saved["cells"]
        for output in cell.get("outputs", [])
        if "image/png" in output.get("data", {})
    ]


def test_two_explorers_do_not_disturb_one_another(notebook):
    first, second = ExplorerPage(notebook, 0, "first"), ExplorerPage(notebook, 1, "second")
    first.check_painted()
    second.check_painted()
    before = second.viewer.pixels()
    first.pick("Image", "city-island")
    first.viewer.mode("Mask")
    groups = [
        set(one.root.locator("input[type=radio]").evaluate_all("all => all.map((it) => it.name)"))
        for one in (first, second)
    ]
    assert not groups[0] & groups[1]  # radios of one name would switch one another off
    assert second.ask("(it.images.value, it.viewer.mode)") == ("country-road", "overlay")
    second.check_painted()
    assert np.array_equal(second.viewer.pixels(), before)
    second.pick("Image", "shops-bend")
    second.check_painted()
    assert first.ask("it.images.value") == "city-island"


def test_saved_and_loaded_again(notebook):
    first = ExplorerPage(notebook, 0, "first")
    first.pick("Image", "hill-crosswalk")
    first.wait_until_painted().opacity.fill("80")
    notebook.until(lambda: first.ask("it.viewer.opacity") == 0.8, "the kernel knows")
    expect(notebook.page.locator("[data-wnb-still]").first).to_be_hidden()
    saved = notebook.save()

    # The static image is that of the last choice, and small.
    images = stills(saved)
    assert len(images) == 2
    expected = notebook.kernel.ask(
        "first.result.overlay().resize((80, 45)).convert('RGB').tobytes()"
    )
    sheet = Image.open(io.BytesIO(images[0])).convert("RGB")
    distances = []  # a title stands above the overlay, a legend below it
    for top in range(10, 60):
        part = sheet.crop((0, top, sheet.width, top + sheet.width * 9 // 16)).resize((80, 45))
        seen = np.asarray(part).astype(int)
        distances.append(np.abs(seen.ravel() - list(expected)).mean())
    assert min(distances) < 8
    assert max(map(len, images)) <= 300_000
    assert (notebook.server.root / notebook.name).stat().st_size < 800_000

    # The kernel is alive: the same widget is there again, and works.
    notebook.reload()
    first.wait_until_painted()
    assert first.viewer.opacity.input_value() == "80"
    expect(notebook.page.locator("[data-wnb-still]").first).to_be_hidden()
    assert BROKEN not in notebook.page.locator(".jp-Notebook").inner_text()
    first.pick("Image", "city-cyclist")
    first.wait_until_painted()

    # The kernel is gone: the images stand where the widgets stood.
    notebook.save()
    notebook.shut_down()
    notebook.page.reload()
    notebook.wait_open()
    for number in range(2):
        still = notebook.page.locator("[data-wnb-still] img").nth(number)
        expect(still).to_be_visible(timeout=PATIENCE)
        assert still.evaluate("(img) => img.complete && img.naturalWidth") > 200
    notebook.keep("static-image")
    expect(notebook.page.locator(".wnb-viewer")).to_have_count(0)
    for number in range(2):  # nothing but the image: neither an error nor what still loads
        text = notebook.output(number).inner_text()
        title, *rest = text.strip().splitlines()
        assert title.endswith("f32 on CPU"), text
        assert rest[0].startswith(("background", "class 0")), text
        assert "widget" not in text

    # All is run again, in the new kernel.
    notebook.run_all()
    first.check_painted()
    expect(notebook.page.locator("[data-wnb-still]").first).to_be_hidden()
    expect(notebook.page.locator(".wnb-explorer")).to_have_count(2)


def test_connection_lost_and_found(notebook):
    first = ExplorerPage(notebook, 0, "first")
    first.wait_until_painted()
    notebook.menu("Kernel", "Reconnect to Kernel")
    notebook.wait_idle()
    first.pick("Image", "suburb-junction")
    first.check_painted()


def test_kernel_restart(notebook):
    first = ExplorerPage(notebook, 0, "first")
    first.wait_until_painted()
    notebook.restart()
    # The old widget is still on the page; it says that nobody answers it.
    gone = first.root.locator(".wnb-gone")
    expect(gone).to_be_visible(timeout=PATIENCE)
    expect(gone).to_contain_text("kernel")
    notebook.keep("kernel-gone")
    notebook.wait_idle()
    notebook.run_all()
    first.check_painted()
    notebook.restart_and_run_all()
    first.check_painted()
    first.pick("Image", "suburb-junction")
    first.check_painted()


def test_closed_and_shown_again(notebook):
    first, second = ExplorerPage(notebook, 0, "first"), ExplorerPage(notebook, 1, "second")
    second.wait_until_painted()
    notebook.kernel.run("first.close()")
    expect(notebook.page.locator(".wnb-explorer")).to_have_count(1)
    still = notebook.page.locator("[data-wnb-still] img").first
    expect(still).to_be_visible()  # what it showed is still there
    left = ExplorerPage(notebook, 0, "second")
    left.pick("Image", "city-arrow")
    left.check_painted()
    notebook.page.locator(".jp-CodeCell").first.click(position={"x": 20, "y": 20})
    with notebook.running():
        notebook.menu("Run", "Run Selected Cell and All Below")
    first.check_painted()
    expect(notebook.page.locator(".wnb-explorer")).to_have_count(2)


def test_bars_of_progress_leave_nothing_behind(open_notebook):
    cell = "import wasinn_nb as wn\nprint('before')\nlen(wn.bench(wn.Pipeline(), rounds=3))"
    with open_notebook("bars", cell) as notebook:
        notebook.run_all()
        (saved,) = notebook.save()["cells"]
        notebook.shut_down()
        notebook.reload()
        expect(notebook.output(0)).to_contain_text("before")
        notebook.keep("bars-loaded-again")
        assert notebook.output(0).inner_text().split() == ["before", "[1]:", "1"]
        assert [output.get("data") for output in saved["outputs"]] == [
            None,
            {},
            {"text/plain": ["1"]},
        ]
