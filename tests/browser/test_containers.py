"""`MaskViewer` in `HBox`, `Output` and `interact`: it shows, its image is saved, it is freed."""

from __future__ import annotations

import pytest

from browser.pages import PATIENCE, expect, opened_page
from browser.viewers import Viewer

SCENE = """
import gc
import ipywidgets as w
import numpy as np
import wasinn_nb as wn
from IPython.display import display

card = wn.ModelCard("toy", "segmentation", classes=("background", "road", "car"))
photo = np.full((40, 64, 3), 200, np.uint8)

def result(label=1):
    return wn.SegmentationResult(np.full((40, 64), label, np.uint8), card, image=photo)

def alive():
    gc.collect()
    return sum(isinstance(one, wn.MaskViewer) for one in gc.get_objects())
"""
CELLS = {
    "box": "w.HBox([wn.MaskViewer(result())])",
    "nested": "w.HBox([w.VBox([wn.MaskViewer(result())]), w.HTML('<i>beside</i>')])",
    "tab": "w.Tab([wn.MaskViewer(result())], titles=['one'])",
    "output": (
        "out = w.Output()\ndisplay(out)\nwith out:\n    display(wn.MaskViewer(result()))\n"
        "print('done')"
    ),
    "interact": "w.interact(lambda label: display(wn.MaskViewer(result(label))), label=(0, 2))\n1",
}
SIZE = 64, 40


@pytest.fixture(scope="module")
def notebook(open_notebook):
    with open_notebook("containers", SCENE, *CELLS.values()) as made:
        made.run_all()
        yield made
        assert made.errors == []


def output_of(notebook, name):
    return notebook.output(1 + list(CELLS).index(name))


def still_of(notebook, name):
    return output_of(notebook, name).locator("[data-wnb-still]")


@pytest.mark.parametrize("name", CELLS)
def test_it_has_a_width(notebook, browser, name):
    output = output_of(notebook, name)
    viewer = Viewer(output, SIZE)
    viewer.wait_painted()
    assert viewer.canvas.bounding_box()["width"] > 200
    room = output.locator(".jp-OutputArea").first.bounding_box()
    box = viewer.root.bounding_box()
    assert box["x"] + box["width"] <= room["x"] + room["width"] + 1
    expect(still_of(notebook, name)).to_be_hidden()
    expect(still_of(notebook, name)).to_have_count(1)


def test_two_in_a_box_share_its_width(notebook, browser):
    output = output_of(notebook, "nested")
    Viewer(output, SIZE).wait_painted()
    expect(output.get_by_text("beside")).to_be_visible()


def test_a_moved_control_frees_the_old_viewer_and_updates_the_saved_image(notebook, browser):
    output = output_of(notebook, "interact")
    before = notebook.kernel.ask("alive()")
    slider = output.locator(".widget-slider [role=slider]")
    slider.focus()
    for key, name in (("ArrowRight", "car"), ("ArrowLeft", "road")) * 3:
        slider.press(key)
        expect(Viewer(output, SIZE).named(name)).to_contain_text("100.00 %", timeout=PATIENCE)
        expect(output.locator(".wnb-viewer")).to_have_count(1)
    notebook.until(lambda: notebook.kernel.ask("alive()") == before, "the old ones are freed")
    slider.press("ArrowRight")
    expect(Viewer(output, SIZE).named("car")).to_contain_text("100.00 %", timeout=PATIENCE)
    expect(still_of(notebook, "interact")).to_have_count(1)
    expect(still_of(notebook, "interact")).to_contain_text("car 100.00 %")
    expect(still_of(notebook, "interact")).to_be_hidden()


AGAIN = {
    "alone": "viewer = wn.MaskViewer(result())\nviewer",
    "box": "w.HBox([wn.MaskViewer(result())])",
    "not shown": "viewer = wn.MaskViewer(result())",
    "output": "o = w.Output()\nwith o:\n    display(wn.MaskViewer(result()))\no",
    "explorer": "explorer = wn.Explorer()\n_ = explorer.wait()\nexplorer",
}


@pytest.mark.slow
@pytest.mark.parametrize("name", AGAIN)
def test_a_cell_that_runs_again_frees_what_it_showed(open_notebook, browser, name):
    with open_notebook("again", SCENE, AGAIN[name]) as again:
        again.run_all()
        counts = []
        for _ in range(4):
            again.run_cell(1)
            counts.append(again.kernel.ask("alive()"))
        assert counts[-1] <= 2, counts
        assert counts == sorted(counts, reverse=True) or counts[-1] == counts[-2], counts
        assert again.errors == []


@pytest.mark.slow
def test_what_is_shown_elsewhere_is_kept_and_what_was_freed_is_shown_again(open_notebook, browser):
    cells = "kept = wn.MaskViewer(result(2))\nkept", "kept", "print('nothing')"
    with open_notebook("kept", SCENE, *cells) as kept:
        kept.run_all()
        Viewer(kept.output(2), SIZE).wait_painted()
        kept.kernel.run("first = kept; model = kept.model_id")
        kept.run_cell(1)
        # The second cell still shows the first viewer, which works.
        viewer = Viewer(kept.output(2), SIZE)
        viewer.mode("Mask")
        kept.until(lambda: kept.kernel.ask("first.mode") == "mask", "it is told")
        assert kept.kernel.ask("first.comm is not None and first is not kept")
        kept.run_cell(2)
        kept.until(lambda: kept.kernel.ask("first.comm is None"), "nothing shows it now")
        assert kept.kernel.ask("first.layout.comm is None")
        # A name still holds it: it can be shown again.
        kept.kernel.run("kept = w.HBox([first])")
        kept.run_cell(2)
        viewer = Viewer(kept.output(2), SIZE)
        viewer.wait_painted()
        viewer.mode("Overlay")
        assert kept.kernel.ask("first.layout.comm is not None")
        kept.until(lambda: kept.kernel.ask("first.mode") == "overlay", "it works")
        assert kept.errors == []


def test_the_images_stand_where_the_widgets_stood(open_notebook, browser):
    with open_notebook("reopened", SCENE, *CELLS.values()) as saved:
        saved.run_all()
        Viewer(saved.output(1), SIZE).wait_painted()
        saved.wait_idle()
        saved.save()
        saved.shut_down()
        saved.page.reload()
        saved.wait_open()
        for number in range(1, 1 + len(CELLS)):
            output = saved.output(number)
            still = output.locator("[data-wnb-still] img")
            expect(still).to_be_visible(timeout=PATIENCE)
            assert still.evaluate("(one) => one.naturalWidth") > 0
            expect(output.get_by_text("Error displaying widget")).to_be_hidden()
            expect(output.get_by_text("Loading widget")).to_be_hidden()
        expect(saved.output(4).get_by_text("done")).to_be_visible()
        saved.keep("containers-reopened")


@pytest.mark.slow
def test_voila(voila, browser):
    voila.write("containers.ipynb", SCENE, *CELLS.values())
    with opened_page(browser, f"{voila.url}/voila/render/containers.ipynb") as page:
        expect(page.locator(".wnb-viewer")).to_have_count(len(CELLS), timeout=PATIENCE)
        for viewer in page.locator(".wnb-viewer").all():
            expect(viewer).to_have_attribute("data-painted", "1", timeout=PATIENCE)
            assert viewer.locator("canvas").bounding_box()["width"] > 200
        expect(page.locator("[data-wnb-still]:visible")).to_have_count(0)
