"""One document as text, as a notebook's HTML, as a page and as JSON."""

from __future__ import annotations

import json
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from wasinn_nb.render import (
    Bar,
    Bars,
    Code,
    Column,
    Document,
    Facts,
    ImageBlock,
    ImageRow,
    Items,
    Legend,
    LegendEntry,
    Only,
    Paragraph,
    Report,
    Section,
    Showing,
    Table,
    document_html,
    document_page,
    document_text,
    encoded_image,
    table_text,
)

SCRIPT = "<script>alert(1)</script>"


def image_block(**options):
    return ImageBlock(lambda: encoded_image(Image.new("P", (4, 2))), "a mask", **options)


FULL = Document(
    SCRIPT,
    [
        Paragraph(f"{SCRIPT} one\ntwo", "bad"),
        Items(["a < b"]),
        Facts([("label", SCRIPT), ("", "alone")]),
        Code("f(<1>)", "runs it"),
        Table(["name", Column("IoU", ".2f")], [(SCRIPT, 0.5), ("b", float("nan"))], "cap", [1]),
        image_block(caption="shown"),
        ImageRow([image_block(), image_block(pixelated=True)]),
        Legend([LegendEntry("road", (0, 114, 178), "19.19 %")]),
        Bars([Bar("cat", 0.25, "281")], image_block()),
        Section("folded here", [Paragraph("inside")], folded=True),
        Section("folded there", [Paragraph("inside")], folded_on_page=True),
        Section("nothing", []),
        Only(("text",), [Paragraph("text alone")]),
        Only(("page",), [Section("of the page", [Paragraph("page alone")])]),
    ],
)


class Balanced(HTMLParser):
    """Counts tags that are opened and closed, and keeps the text."""

    VOID = ("img", "meta", "br")

    def __init__(self, html):
        super().__init__()
        self.open, self.text, self.tags = [], [], []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


@pytest.mark.parametrize("as_html", [document_html, document_page])
def test_html_is_balanced_escaped_and_needs_nothing(as_html):
    html = as_html(FULL)
    parsed = Balanced(html)
    assert parsed.open == []
    scripts = [attrs for tag, attrs in parsed.tags if tag == "script"]
    assert scripts == ([{}] if as_html is document_page else [])  # the page's own, inline
    assert "".join(parsed.text).count(SCRIPT) >= 4
    assert all(attrs["src"].startswith("data:") for tag, attrs in parsed.tags if tag == "img")
    assert [attrs["alt"] for tag, attrs in parsed.tags if tag == "img"] == ["a mask"] * 4
    assert "nothing" not in html


def test_each_medium_shows_what_is_meant_for_it():
    text, notebook, page = document_text(FULL), document_html(FULL), document_page(FULL)
    assert [one in text for one in ("text alone", "page alone", "inside")] == [True, False, True]
    assert [one in notebook for one in ("text alone", "page alone")] == [False, False]
    assert [one in page for one in ("text alone", "page alone")] == [False, True]
    assert "<details><summary>folded here</summary>" in notebook
    assert "<details><summary>folded there</summary>" in page
    assert "<h2>folded here</h2>" in page


def test_text():
    blocks = [
        Table(["class", Column("pixels"), "note"], [("road", 120, None), ("curb", 3, "thin")]),
        Items(["one"]),
        Section("facts", [Facts([("a", "b c"), ("a longer label than others", "d")])]),
        Section("", [Code("f(1)", "runs it")]),
    ]
    assert document_text(Document("title", blocks)) == (
        "title\n"
        "class  pixels  note\n"
        "road      120\n"
        "curb        3  thin\n"
        "- one\n"
        "\n"
        "facts\n"
        "  a               b c\n"
        "  a longer label than others\n"
        "                  d\n"
        "\n"
        "# runs it\n"
        "f(1)"
    )


def test_numbers_are_aligned_to_the_right_and_never_cut():
    table = Table(
        ["model", Column("time in ms", ".1f"), Column("share", lambda value: f"{value:.0%}")],
        [("a model with a very long name", 1234.5, 0.5), ("b", None, np.float32(1))],
    )
    assert table.numeric == (False, True, True)
    lines = table_text(table, 34).splitlines()
    assert max(map(len, lines)) <= 34
    assert "1234.5" in "".join(lines)
    assert lines[1].endswith("50%")
    assert lines[-1].endswith("100%")


@pytest.mark.full
@given(
    st.lists(
        st.tuples(st.text("ab c", max_size=30), st.integers(0, 10**6), st.text("xy ", max_size=30)),
        min_size=1,
        max_size=5,
    ),
    st.integers(30, 80),
)
def test_a_table_fits_its_width_and_loses_nothing(rows, width):
    text = table_text(Table(["name", "number", "note"], rows), width)
    assert max(map(len, text.splitlines())) <= width
    whole = "".join(f"{name}{number}{note}" for name, number, note in rows) + "namenumbernote"
    assert sorted(text.replace("\n", "").replace(" ", "")) == sorted(whole.replace(" ", ""))
    assert all(str(number) in text for _, number, _ in rows)  # numbers are never cut


def test_records_are_json_values():
    table = Table(
        ["class name", Column("IoU", ".2f", key="iou"), "more"],
        [("a", float("nan"), (1, 2)), ("b", np.float32(0.5), None), ("c", float("inf"), True)],
    )
    records = Document("t", [Paragraph("p"), table]).records()
    assert json.loads(json.dumps(records, allow_nan=False)) == [
        {"class_name": "a", "iou": None, "more": [1, 2]},
        {"class_name": "b", "iou": 0.5, "more": None},
        {"class_name": "c", "iou": None, "more": True},
    ]
    assert Document("t").records() == []


def test_a_value_shows_itself(tmp_path):
    class Value(Report):
        def document(self):
            return Document("a value", [Paragraph("so")])

    assert repr(Value()) == "a value\nso"
    assert "so</p>" in Value()._repr_html_()
    assert "<h1>a value</h1>" in Value().write_html(tmp_path / "new" / "a.html").read_text()
    with pytest.raises(NotImplementedError):
        repr(Showing())


def test_html_aligns_numbers_and_wraps_long_names():
    rows = [("n" * 40, 5), ("short", 6)]
    parsed = Balanced(document_html(Document("", [Table(["name", "number"], rows)])))
    styles = [attrs["style"] for tag, attrs in parsed.tags if tag == "td"]
    assert ["overflow-wrap:anywhere" in style for style in styles] == [True, False, False, False]
    assert ["text-align:right" in style for style in styles] == [False, True, False, True]
