"""Tables of a page that are wider than its text: they take the room there is, else say that they
scroll; nothing touches them."""

from __future__ import annotations

import pytest

from browser.layout import CONTRASTS
from wasinn_nb.render import Document, Items, Report, Table


class Wide(Report):
    """Two tables and a list; the second is wider than the text of a page."""

    def document(self):
        names = [f"column {letter}" for letter in "abcdefghijk"]
        wide = Table(names, [[f"value {place:05}" for place in range(11)]] * 2)
        return Document(
            "wide", [Table(["a"], [["b"], ["c"]]), Items(["one"]), wide, Items(["two"])]
        )


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return Wide().write_html(tmp_path_factory.mktemp("wide") / "a.html")


def test_a_wide_table_takes_the_room_of_the_window(browser, path):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(path.as_uri())
    narrow, wide = page.locator(".wnb-scroll").all()
    text = page.locator("ul").first.bounding_box()
    assert narrow.bounding_box()["width"] == pytest.approx(text["width"], abs=1)
    assert wide.bounding_box()["width"] > text["width"] + 20
    assert wide.evaluate("(one) => one.scrollWidth - one.clientWidth") == 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 1280
    assert page.get_by_text("Scroll sideways").locator("visible=true").count() == 0
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_table_without_room_says_that_it_scrolls(browser, path, scheme):
    page = browser.new_page(viewport={"width": 620, "height": 900}, color_scheme=scheme)
    page.goto(path.as_uri())
    wide = page.get_by_role("region", name="Scrolls sideways")
    assert wide.get_attribute("data-more") == "right"
    assert page.get_by_text("Scroll sideways for more").locator("visible=true").count() == 1
    assert page.locator("body").evaluate(CONTRASTS) == []
    wide.focus()
    wide.evaluate("(one) => { one.scrollLeft = 30; }")
    page.wait_for_function("document.querySelector('[data-more=\"left right\"]')")
    wide.evaluate("(one) => { one.scrollLeft = one.scrollWidth; }")
    page.wait_for_function("document.querySelector('[data-more=\"left\"]')")
    page.close()


def test_nothing_touches_a_table(browser, path):
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(path.as_uri())
    tables = [one.bounding_box() for one in page.locator("table").all()]
    lists = [one.bounding_box() for one in page.locator("ul").all()]
    assert lists[0]["y"] - tables[0]["y"] - tables[0]["height"] >= 10
    assert tables[1]["y"] - lists[0]["y"] - lists[0]["height"] >= 10
    assert lists[1]["y"] - tables[1]["y"] - tables[1]["height"] >= 10
    page.close()
