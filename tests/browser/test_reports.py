"""The page of an evaluation: it sorts, its matrix has room, and nothing runs over the side."""

from __future__ import annotations

import numpy as np
import pytest
from PIL import Image
from toys import brightest_channel

import wasinn_nb as wn

LONG = "a class name with many words, such as those of a list of labels that was made by hand"


def evaluated(classes):
    """Two images in which every class occurs, and a part of each is taken for the next one."""
    rng = np.random.default_rng(3)
    truths, predictions = {}, {}
    for name in ("one", "x" * 90):
        truth = np.kron(rng.permutation(classes), np.ones((12, 4))).astype(np.uint8)
        wrong = rng.random(truth.shape) < 0.15
        truths[name], predictions[name] = truth, np.where(wrong, (truth + 1) % classes, truth)
        predictions[name] = predictions[name].astype(np.uint8)
    names = tuple(f"kind {index}" for index in range(classes - 1))
    return wn.evaluate(predictions, truths, classes=(*names, LONG))


@pytest.fixture(scope="module", params=[4, 21, 150])
def report(request, tmp_path_factory):
    path = tmp_path_factory.mktemp("report") / "a.html"
    return request.param, evaluated(request.param).write_html(path)


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (620, "dark")])
def test_a_page_of_any_number_of_classes(browser, report, width, scheme):
    classes, path = report
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page.goto(path.as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_role("link", name="Confusion matrix").click()
    names = page.locator("svg text[text-anchor=end]")
    assert names.count() == classes
    boxes = [names.nth(index).bounding_box() for index in range(2)]
    assert boxes[0]["y"] + boxes[0]["height"] <= boxes[1]["y"] + 2  # no name lies over another
    cell = page.locator("svg title", has_text="kind 0 predicted as kind 0").locator("..")
    assert cell.bounding_box()["width"] >= 8
    numbers = page.locator("svg text[text-anchor=middle]").count() - 1
    assert (numbers > 0) == (classes <= 30)
    page.close()


def test_a_click_sorts(browser, report):
    page = browser.new_page()
    page.goto(report[1].as_uri())
    heading = page.locator("#part-1 th", has_text="IoU").first
    heading.get_by_role("button").click()
    cells = page.locator("#part-1 tbody tr td:nth-child(2)").all_inner_texts()
    assert cells == sorted(cells)
    assert len(set(cells)) > 1
    page.close()


def test_names_of_narrow_images_stand_in_words(browser, tmp_path):
    model = brightest_channel(tmp_path / "toy.xml")
    for name, size in (("a-long-name-of-a-column.png", (6, 1200)), ("a-wide-one.png", (90, 60))):
        Image.new("RGB", size, (200, 0, 0)).save(tmp_path / name)
    found = wn.predict(str(tmp_path / "*.png"), model, tmp_path / "store", progress=False)
    page = browser.new_page(viewport={"width": 480, "height": 900})
    page.goto(found.write_html(tmp_path / "page.html").as_uri())
    captions = page.locator("figcaption")
    assert captions.all_inner_texts() == ["a-long-name-of-a-column.png", "a-wide-one.png"]
    heights = [captions.nth(index).bounding_box()["height"] for index in range(2)]
    assert max(heights) <= 3 * 24  # lines
    assert page.locator("figure img").first.bounding_box()["width"] == 1  # as wide as it is
    page.close()
