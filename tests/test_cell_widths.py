"""Tables of wide letters, marks and emoji; narrow terminals; letters that a figure's font lacks."""

from __future__ import annotations

import io
import re

import numpy as np
import pytest
from PIL import Image
from rich.cells import cell_len

from wasinn_nb.errors import WasiNnWarning
from wasinn_nb.render import (
    Column,
    Document,
    Facts,
    LegendEntry,
    Panel,
    Table,
    document_text,
    draw_evaluation,
    draw_panels,
    plotting,
    table_text,
)

NAMES = ["road", "道路", "cafe\u0301", "👍🏽 up", "한글", "日本語の長い名前", "ﾊﾝｶｸ", "🇩🇪"]
TABLE = Table(["class", Column("IoU", ".4f"), "note"], [(name, 0.5, "x") for name in NAMES])


def test_columns_are_aligned_by_the_cells_of_a_terminal():
    lines = table_text(TABLE).splitlines()
    assert {cell_len(line.partition("0.5")[0]) for line in lines[1:]} == {18}
    assert {cell_len(line) for line in lines[1:]} == {27}
    assert lines[2] == "道路              0.5000  x"
    assert lines[3] == "cafe\u0301              0.5000  x"


def test_labels_of_facts_are_aligned_by_cells():
    text = document_text(Document("", [Facts([("道路", "a"), ("road", "b")])], show_title=False))
    assert text == "  道路  a\n  road  b"


@pytest.mark.parametrize("width", range(2, 60))
def test_wide_letters_never_pass_the_width(width):
    table = Table(["名前", "註"], [("日本語の長い名前" * 4, "a 道路 b" * 6)])
    lines = table_text(table, width).splitlines()
    assert max(map(cell_len, lines)) <= max(width, 8)
    assert re.sub(r"[\s名前註]", "", table_text(table, width)).count("道路") or width < 20


@pytest.mark.parametrize("width", [40, 80, 200])
def test_tables_fit_a_terminal_of_any_width(width):
    columns = ["model", *(Column(name, ".1f") for name in ("load", "infer and argmax", "file"))]
    more = ["ratio", "quartiles", "same pixels", "pixels"]
    rows = [("road-segmentation-synth-0001", *([1234.5] * 3), *([">99.99 %"] * 4))] * 2
    text = table_text(Table([*columns, *more], rows), width)
    assert max(map(len, text.splitlines())) <= width
    assert text.count("1234.5") == 6  # no number is cut
    for part in ("road-", "segmentation-", "synth-0001"):  # broken at its hyphens at most
        assert text.count(part) == 2
    if width == 200:
        assert len(text.splitlines()) == 3
    if width == 40:
        assert text.count("\n\n") == 1  # between two lists
        assert "infer and argmax  1234.5\n" in text


def test_a_mark_without_a_header_stands_before_the_list_of_its_row():
    table = Table(["", "class", Column("pixels", "d")], [("#", "a class", 1234567), ("#", "b", 1)])
    assert table_text(table, 18).splitlines() == [
        "#  class   a class",
        "   pixels  1234567",
        "",
        "#  class   b",
        "   pixels  1",
    ]


def test_texts_that_are_not_there_are_left_out_of_lists():
    table = Table(["name", "reason"], [("a-long-name-of-a-model", None)])
    lines = ["name    a-", *(f"        {part}" for part in ("long-", "name-", "of-a-", "model"))]
    assert table_text(table, 14).splitlines() == lines


# -- figures ---------------------------------------------------------------------------------------


@pytest.fixture
def _forget():
    caches = (plotting._font_of, plotting._characters)
    for cache in caches:
        cache.cache_clear()
    yield
    for cache in caches:
        cache.cache_clear()


@pytest.fixture
def only_figures_font(monkeypatch, _forget):
    """A machine without any other font."""
    kept = [one for one in plotting.fontManager.ttflist if "DejaVu" in one.name]
    monkeypatch.setattr(plotting.fontManager, "ttflist", kept)
    return kept


@pytest.fixture
def chinese_font(tmp_path, only_figures_font):
    """A font that has one letter, drawn as a full square."""
    from fontTools.fontBuilder import FontBuilder
    from fontTools.pens.ttGlyphPen import TTGlyphPen
    from matplotlib.font_manager import ttfFontProperty
    from matplotlib.ft2font import FT2Font

    def square(side):
        pen = TTGlyphPen(None)
        if side:
            pen.moveTo((0, 0))
            for corner in ((0, side), (side, side), (side, 0)):
                pen.lineTo(corner)
            pen.closePath()
        return pen.glyph()

    glyphs = [".notdef", "road"]
    made = FontBuilder(1000, isTTF=True)
    made.setupGlyphOrder(glyphs)
    made.setupCharacterMap({ord("道"): "road"})
    made.setupGlyf({".notdef": square(0), "road": square(900)})
    made.setupHorizontalMetrics(dict.fromkeys(glyphs, (1000, 0)))
    made.setupHorizontalHeader(ascent=900, descent=-100)
    made.setupNameTable({"familyName": "Toy Han", "styleName": "Regular"})
    made.setupOS2()
    made.setupPost()
    made.save(tmp_path / "toy.ttf")
    only_figures_font.append(ttfFontProperty(FT2Font(str(tmp_path / "toy.ttf"))))


def drawn(name):
    pixels = np.zeros((2, 2, 3), np.uint8)
    return draw_panels([Panel("", pixels)], [LegendEntry(name, (0, 0, 0), "")])


def png(figure):
    return np.asarray(Image.open(io.BytesIO(figure._repr_png_())).convert("L"))


def legend_of(figure):
    return [text.get_text() for text in figure.legends[0].get_texts()]


@pytest.mark.full
def test_letters_that_no_font_has_are_code_points_and_said(only_figures_font):
    with pytest.warns(WasiNnWarning, match="no font here draws 道路: .* fonts-noto-cjk"):
        figure = drawn("a 道路")
    assert legend_of(figure) == [r"a \u9053\u8def"]
    png(figure)  # no warning of a missing glyph, which would be an error


@pytest.mark.full
def test_letters_of_other_fonts_are_drawn(chinese_font):
    figure = drawn("道 é")
    assert legend_of(figure) == ["道 é"]
    # The square of the toy font: a run of black as wide as a letter.
    dark = png(figure)[-30:] < 60
    longest = max(len(run) for row in dark for run in bytes(row).split(b"\0"))
    assert longest >= 11
    with pytest.warns(WasiNnWarning, match="no font here draws 路"):
        assert legend_of(drawn("道路")) == [r"道\u8def"]


@pytest.mark.full
def test_names_beside_a_matrix_have_the_letters_of_other_fonts(chinese_font):
    figure = draw_evaluation(np.eye(2), ["道", "road"], [], [])
    png(figure)
    labels = figure.axes[0].get_xticklabels()
    assert [label.get_text() for label in labels] == ["道", "road"]
    assert "Toy Han" in labels[0].get_fontfamily()


@pytest.mark.full
def test_marks_that_are_not_seen_are_left_out(only_figures_font):
    with pytest.warns(WasiNnWarning, match="no font here draws 👩"):
        figure = drawn("👩\u200d👩")
    assert legend_of(figure)[0].replace("\u200d", "") == r"\U0001f469\U0001f469"
    png(figure)
