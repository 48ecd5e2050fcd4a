"""`Gallery` wherever widgets are shown, and what outlives what: pages, kernels, saved notebooks."""

from __future__ import annotations

import functools
import json
import subprocess
import sys

import pytest
from gallery_help import CLASSES, make_place

from browser.conftest import VIEWPORT
from browser.galleries import GalleryPage
from browser.pages import PATIENCE, expect, notebook_seven, opened_page, wait_until
from browser.servers import start_marimo

CODE = """
import wasinn_nb as wn
folder = {place!r}
found = wn.read_predictions(folder + "/store")
gallery = wn.Gallery(found, folder + "/masks_of_all", folder + "/other", progress=False)
"""
MARIMO = """
import marimo

app = marimo.App(width="full")


@app.cell
def _():
    import marimo as mo

    again = mo.ui.button(label="again", value=0, on_click=lambda count: count + 1)
    again
    return (again,)


@app.cell
def _(again):
    import gc
    import json
    from pathlib import Path

    import anywidget
    import ipywidgets
    import wasinn_nb as wn

    class Bare(anywidget.AnyWidget):
        _esm = "export default { render() {} }"

    again.value
    bare = Bare()
    explorer = wn.Explorer()
    gallery = wn.Gallery({place!r} + "/store", {place!r} + "/masks_of_all", progress=False)

    def heard(_):
        Path("heard.json").write_text(json.dumps([gallery.query, len(gallery.selection)]))

    gallery.observe(heard, "_filters")
    gc.collect()
    kept = [sum(isinstance(one, kind) for one in gc.get_objects())
            for kind in (wn.Explorer, wn.MaskViewer, wn.ImagePicker, wn.Gallery)]
    kept.append(sum(type(one).__name__ == "Bare" for one in gc.get_objects()))
    kept.append(sum(isinstance(one, (wn.Explorer, wn.Gallery, wn.ImagePicker))
                    for one in ipywidgets.widgets.widget._instances.values()))
    with Path("kept.jsonl").open("a") as file:
        print(json.dumps(kept), file=file)
    return bare, explorer, gallery


@app.cell
def _(gallery):
    gallery
    return


@app.cell
def _(bare):
    bare
    return


if __name__ == "__main__":
    app.run()
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("gallery"))


@pytest.fixture(scope="module")
def code(place):
    return CODE.format(place=str(place))


def check_works(gallery: GalleryPage) -> None:
    """Look at the first page, brush, see one class alone, open an image, and go on by a key."""
    gallery.root.wait_for(timeout=PATIENCE)
    gallery.wait_selected(8)
    worst = gallery.names()[0]
    gallery.brush("sky", 0.6, 0.99)
    gallery.wait_selected(3)
    gallery.root.locator(".wnb-gallery-chip").first.click()
    gallery.wait_selected(8)
    assert gallery.names()[0] == worst
    only = gallery.facet("sky").get_by_role("button", name="Draw only sky")
    only.click()
    gallery.wait_drawn()
    sky = [label.startswith(("0000", "0003", "0006")) for label in gallery.names()]
    assert [gallery.mask_pixel(n)[3] > 0 for n in range(7)] == sky[:7]
    only.click()
    gallery.grid.get_by_role("option").first.click()
    expect(gallery.opened).to_contain_text("1 of 8")
    gallery.page.keyboard.press("ArrowRight")
    expect(gallery.opened).to_contain_text("2 of 8")
    gallery.page.keyboard.press("Escape")
    expect(gallery.opened).to_be_hidden()


@pytest.mark.slow
def test_notebook_7(browser, lab, code):
    cell, name = code + "gallery", "gallery-seven.ipynb"
    with notebook_seven(browser, lab, name, cell, viewport=VIEWPORT) as page:
        check_works(GalleryPage(page.locator("body")))


@pytest.mark.slow
def test_voila(browser, voila, code):
    voila.write("gallery.ipynb", code + "gallery")
    url = f"{voila.url}/voila/render/gallery.ipynb"
    with opened_page(browser, url, viewport=VIEWPORT) as page:
        check_works(GalleryPage(page.locator("body")))
        expect(page.locator("[data-wnb-still]")).to_be_hidden()


def has_lines(path, count):
    """Return whether a file has so many lines."""
    return len(path.read_text().splitlines()) == count


@pytest.mark.slow
def test_marimo_and_a_cell_that_runs_again_there(browser, place, tmp_path):
    pytest.importorskip("marimo")
    server = start_marimo(tmp_path, MARIMO.replace("{place!r}", repr(str(place))))
    try:
        with opened_page(browser, server.url, viewport=VIEWPORT) as page:
            gallery = GalleryPage(page.locator("body"))
            check_works(gallery)
            gallery.brush("sky", 0.6, 0.99)
            heard = server.root / "heard.json"
            wait_until(page, lambda: heard.exists() and heard.read_text().endswith(", 3]"), "heard")
            kept = server.root / "kept.jsonl"
            for run in range(2, 6):
                page.get_by_role("button", name="again").click()
                ran = functools.partial(has_lines, kept, run)
                wait_until(page, ran, "it ran")
                gallery.wait_selected(8)
        counts = [json.loads(line) for line in kept.read_text().splitlines()]
        *made, galleries, bare, still_open = counts[-1]
        assert made == [1, 1, 1], counts
        assert still_open == 3, counts  # of ipywidgets; the rest is what is alive at all
        # marimo's own cache keeps every anywidget that was shown, and all that it has.
        assert galleries <= bare, counts
    finally:
        server.stop()


@pytest.fixture
def notebook(open_notebook, code):
    with open_notebook("gallery-life", code + "gallery", "gallery") as made:
        made.run_all()
        yield made
        assert made.errors == []


@pytest.mark.slow
def test_two_views_of_one_gallery_show_the_same_selection(notebook):
    one, two = GalleryPage(notebook.output(0)), GalleryPage(notebook.output(1))
    one.wait_selected(8)
    two.root.scroll_into_view_if_needed()
    two.wait_selected(8)
    one.brush("sky", 0.6, 0.99)
    one.wait_selected(3)
    two.wait_selected(3)
    two.facet("sky").get_by_role("button", name="Draw only sky").click()
    hidden = [name for name in CLASSES if name != "sky"]
    notebook.until(lambda: notebook.kernel.ask("gallery.hidden") == hidden, "the kernel knows")
    switch = one.facet("sky").get_by_role("button", name="Draw sky", exact=True)
    expect(switch).to_have_attribute("aria-pressed", "true")
    two.grid.get_by_role("option").first.click()
    expect(two.opened).to_be_visible()
    expect(one.opened).to_be_hidden()  # each view has its own
    notebook.page.keyboard.press("Escape")


@pytest.mark.slow
def test_saved_loaded_again_exported_and_restarted(notebook):
    gallery = GalleryPage(notebook.output(0))
    gallery.wait_selected(8)
    gallery.brush("sky", 0.6, 0.99)
    gallery.wait_selected(3)
    notebook.until(lambda: notebook.kernel.ask("len(gallery.selection)") == 3, "the kernel knows")
    still = notebook.output(0).locator("[data-wnb-still]").first
    expect(still).to_contain_text("3 images sorted by mean IoU, the lowest first, where sky")
    saved = notebook.save()
    assert "3 images sorted by mean IoU, the lowest first, where sky" in json.dumps(saved)

    # nbconvert: the first page as images, without a kernel or scripts.
    path = notebook.server.root / notebook.name
    command = [sys.executable, "-m", "jupyter", "nbconvert", "--to", "html", str(path)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    page = notebook.page.context.browser.new_page(java_script_enabled=False)
    page.goto(path.with_suffix(".html").as_uri())
    images = page.locator("[data-wnb-still] img")
    assert images.count() >= 3
    expect(images.first).to_be_visible()
    expect(page.get_by_text("3 images sorted by mean IoU").first).to_be_visible()
    page.close()

    # Loaded again with the kernel alive: the same selection, and it works.
    notebook.reload()
    gallery.wait_selected(3)
    gallery.root.get_by_role("button", name="Clear all").or_(
        gallery.root.locator(".wnb-gallery-chip").first
    ).first.click()
    gallery.wait_selected(8)

    # The kernel starts anew: what is drawn stays, and says that nobody answers it.
    notebook.restart()
    gone = gallery.root.locator(".wnb-gone")
    expect(gone).to_be_visible(timeout=PATIENCE)
    expect(gone).to_contain_text("kernel of this widget is gone")
    notebook.keep("gallery-kernel-gone")
    notebook.wait_idle()
    notebook.run_all()
    expect(gone).to_have_count(1)
    expect(gone).to_be_hidden()
    check_works(gallery)

    # The kernel is gone: the first page stands where the widget stood.
    expect(still).to_contain_text("8 images sorted by mean IoU")
    notebook.save()
    notebook.shut_down()
    notebook.page.reload()
    notebook.wait_open()
    still = notebook.output(0).locator("[data-wnb-still] img").first
    expect(still).to_be_visible(timeout=PATIENCE)
    expect(notebook.page.locator(".wnb-gallery")).to_have_count(0)
    expect(notebook.output(0).get_by_text("Error displaying widget")).to_be_hidden()
    notebook.keep("gallery-static")
