"""Figures: the only file that imports matplotlib.

Figures are made without pyplot, so that none is kept alive, none is drawn twice, and no backend is
chosen for the caller.
"""

from __future__ import annotations

import io
import math
import re
import unicodedata
import warnings
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.errors import InvalidArgumentError, WasiNnWarning
from wasinn_nb.render.cells import cell_width, wrapped
from wasinn_nb.render.fonts import fonts_in_cache
from wasinn_nb.render.palette import LegendEntry
from wasinn_nb.render.panels import Histogram, Panel
from wasinn_nb.wording import inert

with fonts_in_cache():
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.font_manager import FontProperties, findfont, fontManager
    from matplotlib.ft2font import FT2Font
    from matplotlib.patches import Patch
    from matplotlib.text import Text

__all__ = ["PanelFigure", "draw_evaluation", "draw_panels", "plain_text"]

# Inches, at 100 pixels each: three panels make 1200 pixels, about what a notebook's cell is wide.
_PANEL_WIDTH: Final = 4.0
_ONLY_PANEL_WIDTH: Final = 7.0
_PAIR_WIDTH: Final = 6.0
_PANEL_HEIGHTS: Final = (1.0, 6.0)
_TITLE_HEIGHT: Final = 0.35
_TITLE_LINE: Final = 0.2
_MOST_TITLE_LINES: Final = 3
_LEGEND_ROW: Final = 0.24
_GAP: Final = 0.12
_FONT_POINTS: Final = 11
_SWATCH_CHARACTERS: Final = 6  # what a swatch and the gap after it take, in characters of text
_CHARACTERS_PER_INCH: Final = 11.5
_SMALL_PANEL_WIDTH: Final = 3.2  # where rows of images are drawn
# Of a matrix with up to so many classes: the side of a cell, and the points of names and numbers.
_MATRIX_SIZES: Final = ((10, (0.55, 10, 9)), (30, (0.3, 9, 7)))
_SMALL_MATRIX: Final = (0.115, 6, 0)
_LEAST_MATRIX: Final = 2.2
_MATRIX_TITLES: Final = 1.0
_MOST_OF_A_NAME: Final = 20  # characters beside the matrix
_MOST_IN_LEGEND: Final = 40
_BINS: Final = 50
_MANY: Final = re.compile("CJK|Han|Hei|Gothic|Hiragino|PingFang|Unicode|Fallback|Noto")
_HISTOGRAM_COLORS: Final = ("#b8bec4", "#404040")


class PanelFigure(Figure):
    """A matplotlib figure that shows itself in a notebook, whatever ``%matplotlib`` says.

    IPython learns to show figures when pyplot is imported with the inline backend; this one carries
    its own PNG, so that it shows before that too, and once in either case.
    """

    def _repr_png_(self) -> bytes:
        file = io.BytesIO()
        self.savefig(file, format="png")
        return file.getvalue()


def draw_panels(
    panels: Sequence[Panel],
    legend: Sequence[LegendEntry],
    *,
    histogram: Histogram | None = None,
    columns: int | None = None,
) -> PanelFigure:
    """Draw images side by side, with a legend beneath.

    Parameters
    ----------
    panels : sequence of Panel
    legend : sequence of LegendEntry
    histogram : Histogram, optional
        Drawn after the images.
    columns : int, optional
        How many stand in a row.  Default: all.

    Returns
    -------
    PanelFigure
        A `matplotlib.figure.Figure` with one axes for each image.

    Raises
    ------
    InvalidArgumentError
        If there is no image, or one is not a (H, W, 3) uint8 array.

    Examples
    --------
    >>> figure = draw_panels(
    ...     [Panel("Mask", np.zeros((2, 3, 3), np.uint8))],
    ...     [LegendEntry("background", (0, 0, 0), "100.00 %")],
    ... )
    >>> [axes.get_title() for axes in figure.axes]
    ['Mask']
    """
    if not panels:
        raise InvalidArgumentError("expected at least one image to draw, got none")
    for title, pixels, _ in panels:
        if pixels.ndim != 3 or pixels.shape[2] != 3 or pixels.dtype != np.uint8:
            raise InvalidArgumentError(
                f"{title}: expected a (H, W, 3) uint8 array, got {pixels.shape} {pixels.dtype}"
            )
    tallest = max(pixels.shape[0] / pixels.shape[1] for _, pixels, _ in panels)
    low, high = _PANEL_HEIGHTS
    places = len(panels) + (histogram is not None)
    across = min(columns or places, places)
    down = math.ceil(places / across)
    each = {1: _ONLY_PANEL_WIDTH, 2: _PAIR_WIDTH if columns else _PANEL_WIDTH}.get(
        across, _PANEL_WIDTH
    )
    height = min(high, max(low, each * tallest))
    width = each * across
    entries = _legend_columns(legend, width)
    rows = math.ceil(len(legend) / entries)
    titles = [_title(title, each) for title, _, _ in panels]
    lines = max(title.count("\n") for title in titles)
    above = _TITLE_HEIGHT + _TITLE_LINE * lines
    figure = PanelFigure(
        figsize=(width, (height + above) * down + _LEGEND_ROW * rows + _GAP),
        dpi=100,
        layout="constrained",
        facecolor="white",
    )
    for index, (title, (_, pixels, smooth)) in enumerate(zip(titles, panels, strict=True)):
        axes = figure.add_subplot(down, across, index + 1)
        axes.imshow(pixels, interpolation="auto" if smooth else "nearest")
        axes.set_title(title, fontsize=_FONT_POINTS, color="black")
        axes.set_anchor("S")  # the room above is for the lines of the title
        axes.set_axis_off()
    if histogram is not None:
        _draw_histogram(figure.add_subplot(down, across, places), histogram)
    _draw_legend(figure, legend, entries)
    _add_fonts(figure)
    return figure


def draw_evaluation(
    shares: NDArray[np.float64],
    names: Sequence[str],
    rows: Sequence[Sequence[Panel]],
    legend: Sequence[LegendEntry],
) -> PanelFigure:
    """Draw a confusion matrix, and beneath it rows of images with a legend.

    Parameters
    ----------
    shares : (C, C) array
        The part of each true class (row) that was predicted as each class (column), from 0 to 1;
        NaN where there is none of the true class.
    names : sequence of str
        Of the C classes.
    rows : sequence of sequences of Panel
        Any number of rows, each with as many images; none draws the matrix alone.
    legend : sequence of LegendEntry

    Returns
    -------
    PanelFigure
        Its first axes is the matrix.

    Raises
    ------
    InvalidArgumentError
        If *shares* is not a square of as many classes as there are names.

    Examples
    --------
    >>> figure = draw_evaluation(np.eye(2), ["background", "road"], [], [])
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['100.0', '0.0', '0.0', '100.0']
    """
    classes = len(names)
    if shares.shape != (classes, classes) or not classes:
        raise InvalidArgumentError(
            f"expected a matrix of {classes} classes, got {shares.shape}; name each class"
        )
    cell, points, _ = _matrix_sizes(classes)
    labels = [plain_text(inert(name, _MOST_OF_A_NAME)) for name in names]
    # The names stand beside the matrix, and turned below it.
    beside = max(map(cell_width, labels)) * points / 72 * 0.65 + _MATRIX_TITLES
    side = max(_LEAST_MATRIX, cell * classes)
    width, heights = side + beside, [side + beside + _TITLE_HEIGHT]
    if rows:
        width = max(width, _SMALL_PANEL_WIDTH * len(rows[0]))
        low, high = _PANEL_HEIGHTS
        heights += [
            min(high, max(low, _SMALL_PANEL_WIDTH * max(p.shape[0] / p.shape[1] for _, p, _ in r)))
            + _TITLE_HEIGHT
            for r in rows
        ]
    columns = _legend_columns(legend, width)
    lines = math.ceil(len(legend) / columns)
    figure = PanelFigure(
        figsize=(width, sum(heights) + _TITLE_HEIGHT + _LEGEND_ROW * lines + _GAP),
        dpi=100,
        layout="constrained",
        facecolor="white",
    )
    across = max(1, len(rows[0])) if rows else 1
    grid = figure.add_gridspec(len(heights), across, height_ratios=heights)
    _draw_matrix(figure.add_subplot(grid[0, :]), shares, labels)
    for down, row in enumerate(rows, start=1):
        for right, (title, pixels, smooth) in enumerate(row):
            axes = figure.add_subplot(grid[down, right])
            axes.imshow(pixels, interpolation="auto" if smooth else "nearest")
            axes.set_title(_title(title, width / across), fontsize=_FONT_POINTS, color="black")
            axes.set_axis_off()
    _draw_legend(figure, legend, columns)
    _add_fonts(figure)
    return figure


def _matrix_sizes(classes: int) -> tuple[float, int, int]:
    return next((sizes for most, sizes in _MATRIX_SIZES if classes <= most), _SMALL_MATRIX)


def _draw_matrix(axes: Axes, shares: NDArray[np.float64], labels: Sequence[str]) -> None:
    _, points, numbers = _matrix_sizes(len(labels))
    axes.imshow(shares, cmap="Blues", vmin=0, vmax=1, interpolation="nearest")
    marks = range(len(labels))
    axes.set_xticks(marks, labels, rotation=90, fontsize=points)
    axes.set_yticks(marks, labels, fontsize=points)
    axes.set_xlabel("predicted")
    axes.set_ylabel("true")
    axes.set_title("Percent of each true class", fontsize=_FONT_POINTS, color="black")
    if not numbers:
        return
    few = len(labels) <= _MATRIX_SIZES[0][0]
    for row, column in zip(*np.nonzero(shares > (-1 if few else 0.005)), strict=True):
        share = shares[row, column]
        axes.text(
            column,
            row,
            f"{100 * share:.1f}" if few else f"{100 * share:.0f}",
            ha="center",
            va="center",
            fontsize=numbers,
            color="white" if share > 0.5 else "black",
        )


def _draw_legend(figure: Figure, legend: Sequence[LegendEntry], columns: int) -> None:
    if not legend:
        return
    figure.legend(
        handles=[
            Patch(
                facecolor="#{:02x}{:02x}{:02x}".format(*entry.color),
                edgecolor="black",
                linewidth=0.6,
                label=_label(entry),
            )
            for entry in legend
        ],
        loc="outside lower center",
        ncols=columns,
        frameon=False,
        fontsize=_FONT_POINTS,
        labelcolor="black",
        handlelength=1.2,
        handleheight=1.0,
        columnspacing=1.6,
    )


def _draw_histogram(axes: Axes, histogram: Histogram) -> None:
    values = [np.asarray(v, np.float64) for v in histogram.values.values() if v.size]
    highest = max((float(v.max()) for v in values), default=1.0) or 1.0
    edges = np.linspace(0.0, highest, _BINS + 1)
    for (name, numbers), color in zip(histogram.values.items(), _HISTOGRAM_COLORS, strict=False):
        counts, _ = np.histogram(numbers, edges)
        axes.stairs(
            counts, edges, fill=True, color=color, label=_in_legend(f"{name}, {numbers.size:,}")
        )
    if histogram.marked is not None:
        name, at = histogram.marked
        axes.axvline(at, color="black", linestyle="--", linewidth=1, label=_in_legend(name))
    axes.set_yscale("symlog")  # counts of 0 and 1 beside those of millions
    axes.set_ylim(bottom=0)
    axes.set_title(plain_text(histogram.title), fontsize=_FONT_POINTS, color="black")
    axes.set_ylabel("pixels", color="black")
    axes.tick_params(colors="black")
    axes.legend(frameon=False, labelcolor="black", loc="upper center")


def _title(text: str, inches: float) -> str:
    """Return a title in lines that fit above an image."""
    lines = wrapped(inert(text), int(inches * _CHARACTERS_PER_INCH))
    if len(lines) > _MOST_TITLE_LINES:
        lines = [*lines[: _MOST_TITLE_LINES - 1], f"{lines[_MOST_TITLE_LINES - 1]} …"]
    return "\n".join(map(plain_text, lines))


def _label(entry: LegendEntry) -> str:
    return f"{_in_legend(inert(entry.name, _MOST_IN_LEGEND))}  {entry.share}".rstrip()


def _in_legend(text: str) -> str:
    # Matplotlib leaves out labels that begin with "_".
    return f"{' ' if text.startswith('_') else ''}{plain_text(text)}"


def plain_text(text: str) -> str:
    """Return a text as figures show it: nothing in it is mathematics or steers anything."""
    # "$" would start mathematics.
    return _drawable(inert(text)).replace("$", r"\$")


# -- characters that the figures' font does not have -----------------------------------------------


def _drawable(text: str) -> str:
    r"""Return a text whose characters some font here draws: the others are escapes, ``\u9053``.

    Matplotlib would draw boxes in their place.
    """
    if text.isascii():
        return text
    missing = [one for one in dict.fromkeys(text) if not one.isspace() and _font_of(one) is None]
    for one in missing:
        joins = unicodedata.category(one) in {"Cf", "Mn", "Me"}  # nothing is seen of it alone
        text = text.replace(one, "" if joins else one.encode("unicode_escape").decode())
    if visible := "".join(one for one in missing if unicodedata.category(one) != "Cf"):
        warnings.warn(
            f"no font here draws {visible:.40}: figures show the code points; install one that "
            f"does, such as Debian's fonts-noto-cjk or fonts-noto-core",
            WasiNnWarning,
            stacklevel=2,
        )
    return text


def _add_fonts(figure: Figure) -> None:
    """Let every text of a figure take the characters that its font lacks from others."""
    for axes in figure.axes:  # their texts are made when they are asked for
        axes.get_xticklabels()
        axes.get_yticklabels()
    texts: list[Text] = figure.findobj(Text)
    characters = {one for text in texts for one in text.get_text() if not one.isascii()}
    more = {font for font in map(_font_of, sorted(characters)) if font}
    for text in texts if more else ():
        text.set_fontfamily([*FontProperties().get_family(), *sorted(more)])


@lru_cache(maxsize=4096)
def _font_of(character: str) -> str | None:
    """Return the family that draws a character; empty for that of figures, None where none does."""
    if ord(character) in _characters(findfont(FontProperties())):
        return ""
    for path, family in _families():
        if ord(character) in _characters(path):
            return family
    return None


@lru_cache(maxsize=1024)
def _characters(path: str) -> frozenset[int]:
    with suppress(Exception):  # a font of bitmaps, or a broken one
        return frozenset(FT2Font(path).get_charmap())
    return frozenset()


def _families() -> Iterator[tuple[str, str]]:
    """Yield the installed upright fonts: those of large languages first, as they have the most."""
    fonts = [
        font
        for font in fontManager.ttflist
        if font.style == "normal" and "resort" not in font.name.lower()  # it draws boxes itself
    ]
    for font in sorted(fonts, key=lambda font: (not _MANY.search(font.name), str(font.name))):
        yield font.fname, font.name


def _legend_columns(legend: Sequence[LegendEntry], inches: float) -> int:
    """Return how many entries of the longest's width fit side by side, evenly filled."""
    if not legend:
        return 1
    longest = max(cell_width(_label(entry)) for entry in legend) + _SWATCH_CHARACTERS
    fitting = max(1, min(len(legend), int(inches * _CHARACTERS_PER_INCH / longest)))
    return math.ceil(len(legend) / math.ceil(len(legend) / fitting))
