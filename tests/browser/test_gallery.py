"""`Gallery` in JupyterLab, and the page that it writes, by mouse and by keys alone."""

from __future__ import annotations

import re
import time

import pytest
from gallery_help import CLASSES, HOSTILE, make_place
from tables import all_slow_but

from browser.axe import violations
from browser.galleries import GalleryPage
from browser.layout import CONTRASTS, STICKS_OUT
from browser.pages import expect


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return make_place(tmp_path_factory.mktemp("gallery"))


@pytest.fixture(scope="module")
def notebook(open_notebook, place):
    cell = (
        f"folder = {str(place)!r}\n"
        "found = wn.read_predictions(folder + '/store')\n"
        "gallery = wn.Gallery(found, folder + '/masks_of_all', folder + '/other', progress=False)\n"
        "gallery"
    )
    with open_notebook(
        "gallery",
        "import wasinn_nb as wn",
        cell,
        "odd = wn.Gallery(folder + '/hostile')\nodd",
    ) as made:
        made.run_all()
        yield made
        assert made.errors == []


@pytest.fixture
def gallery(notebook):
    page = GalleryPage(notebook.output(1))
    notebook.kernel.run(
        "gallery.query = ''\n"
        "gallery.sort_by, gallery.descending = 'mean IoU', False\n"
        "gallery.layer, gallery.hidden, gallery.opacity = 'prediction', [], 0.5\n"
    )
    page.wait_selected(8)
    return page


def test_the_worst_is_the_first_tile_without_any_action(gallery, notebook):
    worst = notebook.kernel.ask("gallery.selection['name'].tolist()")
    assert [label.partition(",")[0] for label in gallery.names()] == worst
    lowest = notebook.kernel.ask("float(gallery.selection['mean IoU'][0])")
    assert gallery.names()[0].endswith(f", {lowest:.4g}")
    assert len(worst) == 8
    expect(gallery.count).to_have_text("8 images")


def test_only_one_class_in_one_action(gallery, notebook):
    gallery.facet("sky").get_by_role("button", name="Draw only sky").click()
    switch = gallery.facet("sky").get_by_role("button", name="Draw sky", exact=True)
    expect(switch).to_have_attribute("aria-pressed", "true")
    notebook.until(
        lambda: notebook.kernel.ask("gallery.hidden") == [n for n in CLASSES if n != "sky"],
        "the other classes are off",
    )
    gallery.wait_drawn()
    sky = [label.startswith(("0000", "0003", "0006")) for label in gallery.names()]
    drawn = [gallery.mask_pixel(n)[3] > 0 for n in range(7)]
    assert drawn == sky[:7]


def test_a_brush_filters_and_combines_with_a_click(gallery, notebook):
    gallery.brush("sky", 0.6, 0.99)
    gallery.wait_selected(3)
    notebook.until(lambda: "sky >= " in notebook.kernel.ask("gallery.query"), "the filter")
    assert sorted(notebook.kernel.ask("gallery.selection['name'].tolist()")) == [
        "0000.png", "0003.png", "0006.png",
    ]  # fmt: skip
    gallery.facet("worst class").get_by_role("button").filter(has_text="sky").last.click()
    expect(gallery.root.locator(".wnb-gallery-chip")).to_have_count(3)  # and: clear all
    count = notebook.kernel.ask("len(gallery.selection)")
    gallery.wait_selected(count)
    gallery.root.get_by_role("button", name="Clear all").click()
    gallery.wait_selected(8)
    notebook.until(lambda: notebook.kernel.ask("gallery.query") == "", "no filter")


def test_an_error_is_a_facet_with_its_message(gallery):
    gallery.facet("status").get_by_role("button").filter(has_text="error").click()
    gallery.wait_selected(1)
    tile = gallery.grid.get_by_role("option").first
    expect(tile).to_contain_text("ImageError: text.png: not an image")
    tile.click()
    expect(gallery.opened).to_contain_text("ImageError: text.png: not an image")
    gallery.page.keyboard.press("Escape")
    expect(gallery.opened).to_be_hidden()


def test_an_expression_and_what_is_wrong_with_one(gallery, notebook):
    gallery.query.fill("sky == 1 or `grass land` == 1")
    gallery.query.press("Enter")
    gallery.wait_selected(5)
    asked = "sky == 1 or `grass land` == 1"
    notebook.until(lambda: notebook.kernel.ask("gallery.query") == asked, "the kernel has it")
    gallery.query.fill("skye == 1")
    gallery.query.press("Enter")
    expect(gallery.root.get_by_role("alert").first).to_contain_text("no column 'skye'")
    gallery.wait_selected(5)
    gallery.query.fill("")
    gallery.query.press("Enter")
    gallery.wait_selected(8)
    expect(gallery.root.get_by_role("alert").first).to_be_hidden()


def test_sorting_by_a_click(gallery, notebook):
    name = gallery.facet("accuracy").locator(".wnb-facet-sort")
    name.click()
    notebook.until(lambda: notebook.kernel.ask("gallery.sort_by") == "accuracy", "sorted")

    def values():
        return [float(one.partition(", ")[2]) for one in gallery.names() if ", " in one]

    # Values come a moment after their tiles; one row is an error.
    expected = sorted(notebook.kernel.ask("gallery.selection['accuracy'].dropna().tolist()"))
    notebook.until(lambda: values() == expected, "the lowest first")
    name.click()
    notebook.until(lambda: notebook.kernel.ask("gallery.descending"), "the other way round")
    notebook.until(lambda: values() == expected[::-1], "the highest first")


def test_a_cell_of_the_confusion_matrix(gallery, notebook):
    gallery.root.get_by_role("button", name="Confusions").click()
    cell = gallery.root.locator(".wnb-matrix-item").first
    label = cell.get_attribute("aria-label")
    cell.click()
    true, predicted = re.match(r"(.+) as (.+?): ", label).groups()
    notebook.until(lambda: notebook.kernel.ask("gallery.query") != "", "the cell is chosen")
    assert f"{true} as {predicted}" in notebook.kernel.ask("gallery.query")
    gallery.wait_selected(notebook.kernel.ask("len(gallery.selection)"))
    assert notebook.kernel.ask("gallery.layer").startswith("cell:")
    expect(gallery.root.get_by_label("What lies over the images")).to_have_value(
        notebook.kernel.ask("gallery.layer")
    )
    cell.click()
    gallery.wait_selected(8)
    gallery.root.get_by_role("button", name="Confusions").click()


def test_open_and_go_on_by_keys_alone(gallery, notebook):
    rows = notebook.kernel.ask("gallery.rows.tolist()")
    gallery.grid.focus()
    page = gallery.page
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    gallery.wait_opened(rows[1])
    expect(gallery.opened).to_contain_text("2 of 8")
    expect(gallery.opened.locator(".wnb-mode").filter(has_text="Difference")).to_be_visible()
    page.keyboard.press("ArrowRight")
    gallery.wait_opened(rows[2])
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    gallery.wait_opened(rows[0])
    gallery.opened.get_by_label("Compare with").select_option("other")
    gallery.opened.locator(".wnb-mode").filter(has_text="Side by side").click()
    expect(gallery.opened).to_contain_text("B: other run")
    page.keyboard.press("Escape")
    expect(gallery.opened).to_be_hidden()
    expect(gallery.grid).to_be_focused()
    # Letters are no shortcuts of the notebook there.
    cells = page.locator(".jp-Cell").count()
    page.keyboard.press("b")
    expect(page.locator(".jp-Cell")).to_have_count(cells)


def test_filter_by_keys_alone(gallery):
    handle = gallery.facet("mean IoU").get_by_role("slider").first
    handle.focus()
    handle.press("ArrowRight")
    expect(gallery.root).not_to_have_attribute("data-selected", "8")
    handle.press("Escape")
    gallery.wait_selected(8)


def test_the_code_goes_to_the_clipboard(gallery, notebook):
    notebook.kernel.run("gallery.query = 'sky == 1'")
    gallery.wait_selected(3)
    gallery.root.get_by_role("button", name="Copy code").click()
    expect(gallery.root.get_by_role("button", name="Copied")).to_be_visible()
    code = gallery.page.evaluate("navigator.clipboard.readText()")
    assert code == notebook.kernel.ask("gallery.code")
    gallery.root.get_by_role("button", name="Close the code").click()


def test_hostile_names_are_text(notebook):
    odd = GalleryPage(notebook.output(2))
    odd.wait_selected(3)
    names = sorted(label.partition(", ")[0] for label in odd.names())
    assert names[0] == "<script>alert(1)<'\"&.png"
    assert names[1].startswith("\\u202egnp.right to left")
    assert names[2] == "a\\nnew line.png"
    odd.grid.get_by_role("option").first.click()
    expect(odd.opened.locator(".wnb-viewer")).to_be_visible()
    assert odd.opened.evaluate("(one) => one.scrollWidth <= one.clientWidth + 1")
    odd.page.keyboard.press("Escape")
    assert odd.root.evaluate(STICKS_OUT) == []
    name = odd.facet(HOSTILE[0]).locator(".wnb-facet-name")
    expect(name).to_have_text(HOSTILE[0])
    assert odd.root.locator("img[onerror], script").count() == 0
    assert "\u202e" not in odd.root.inner_text()


def test_nothing_sticks_out_and_all_can_be_read(gallery):
    assert gallery.root.evaluate(STICKS_OUT) == []
    assert gallery.root.evaluate(CONTRASTS) == []
    assert violations(gallery.root) == []


def test_a_gallery_is_as_high_as_all_its_images_whatever_is_selected(gallery, notebook):
    body = gallery.root.locator(".wnb-gallery-body")

    def height():
        return body.bounding_box()["height"]

    fitting = height()
    assert fitting == gallery.grid.bounding_box()["height"]
    assert 360 < fitting < 600  # three lines of tiles
    notebook.kernel.run("gallery.query = 'sky == 1'")
    gallery.wait_selected(3)
    assert height() == fitting
    assert gallery.grid.bounding_box()["height"] < fitting
    notebook.kernel.run("gallery.query, gallery.tile_size = '', 400")
    gallery.wait_selected(8)
    notebook.until(lambda: height() == 600, "the gallery is as high as it gets")
    notebook.kernel.run("gallery.tile_size = 150")
    notebook.until(lambda: height() == fitting, "it is lower again")


def test_the_first_page_is_saved_as_a_picture(gallery, notebook):
    still = notebook.output(1).locator("[data-wnb-still]")
    expect(still).to_be_hidden()
    expect(still).to_contain_text("8 images sorted by mean IoU")  # once its page is at rest
    saved = notebook.save()
    html = "".join(
        "".join(output["data"]["text/html"])
        for output in saved["cells"][1]["outputs"]
        if "text/html" in output.get("data", {})
    )
    assert html.count("<img") == 7
    assert "8 images sorted by mean IoU" in html


def test_a_cell_that_runs_again_frees_the_gallery_before(notebook):
    count = (
        "import ipywidgets, gc; gc.collect()\n"
        "print(sum(isinstance(one, wn.Gallery) for one in"
        " list(ipywidgets.widgets.widget._instances.values())))"
    )
    before = int(notebook.kernel.run(count))
    for _ in range(3):
        notebook.run_cell(1)
    GalleryPage(notebook.output(1)).wait_selected(8)
    assert int(notebook.kernel.run(count)) == before


@pytest.mark.parametrize("scheme", all_slow_but(["light", "dark"], "dark"))
def test_the_written_page_works_without_jupyter(notebook, browser, place, scheme):
    path = place / f"{scheme}.html"
    odd = place / f"odd-{scheme}.html"
    notebook.kernel.run(
        f"gallery.query = ''; gallery.write_html({str(path)!r})\nodd.write_html({str(odd)!r})"
    )
    context = browser.new_context(viewport={"width": 1280, "height": 860}, color_scheme=scheme)
    context.set_offline(True)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda one: problems.append(one.text) if one.type == "error" else None)
    page.goto(f"file://{path}")
    gallery = GalleryPage(page.locator("body"))
    gallery.wait_selected(8)
    gallery.brush("sky", 0.6, 0.99)
    gallery.wait_selected(3)
    gallery.root.locator(".wnb-gallery-chip").first.click()
    gallery.query.fill("`mean IoU` < 0.5 and sky.notna()")
    gallery.query.press("Enter")
    count = notebook.kernel.ask("int((gallery.selection['mean IoU'] < 0.5).sum())")
    gallery.wait_selected(count)
    gallery.query.fill("")
    gallery.query.press("Enter")
    gallery.wait_selected(8)
    gallery.grid.get_by_role("option").first.click()
    gallery.wait_opened(0)
    page.keyboard.press("ArrowRight")
    gallery.wait_opened(1)
    page.keyboard.press("Escape")
    assert violations(gallery.root) == []
    assert gallery.root.evaluate(CONTRASTS) == []
    page.goto(f"file://{odd}")
    GalleryPage(page.locator("body")).wait_selected(3)
    time.sleep(0.2)  # for what an alert would do
    assert problems == []
    context.close()


@pytest.mark.slow
def test_a_page_that_is_loaded_again_in_the_dark(notebook):
    """The kernel lives on; what was filtered is filtered again."""
    notebook.kernel.run("gallery.query = ''\ngallery._filters = [{'column': 'sky', 'low': 0.5}]")
    notebook.save()
    notebook.reload()
    gallery = GalleryPage(notebook.output(1))
    gallery.wait_selected(3)
    with notebook.theme("Dark"):
        assert violations(gallery.root) == []
        assert gallery.root.evaluate(CONTRASTS) == []
        notebook.keep("gallery-dark")
