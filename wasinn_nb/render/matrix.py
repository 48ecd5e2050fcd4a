"""A confusion matrix as SVG: it follows the page's theme, and says of each cell what it is."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from html import escape
from typing import Final, NamedTuple

from wasinn_nb.render.cells import cell_width
from wasinn_nb.render.document import Matrix
from wasinn_nb.wording import inert, percent

__all__ = ["matrix_html"]

_LONGEST_NAME: Final = 24
_CHARACTER: Final = 0.6  # of the font's size
_RIGHT: Final = "#005a8f"
_WRONG: Final = "#c24e00"
_DARK: Final = 0.8
"""From this opacity on, white is read best on the color of what is right."""
_LEAST: Final = 0.0005  # a smaller part is not seen


class _Sizes(NamedTuple):
    """Lengths in pixels."""

    cell: int
    names: int
    numbers: int
    """Of the font; 0 for none."""
    turned: int
    """Degrees of the names above the columns."""


_SIZES: Final = ((10, _Sizes(48, 13, 12, 45)), (30, _Sizes(26, 12, 10, 60)))
_SMALLEST: Final = _Sizes(11, 9, 0, 90)


def matrix_html(matrix: Matrix) -> str:
    """Return a matrix as HTML with inline SVG; a wide one scrolls.

    Parameters
    ----------
    matrix : Matrix

    Examples
    --------
    >>> html = matrix_html(Matrix([[0.75, 0.25], [0.0, 1.0]], ["road", "<curb>"]))
    >>> "road predicted as &lt;curb&gt;: 25.00 %" in html, html.count("<rect")
    (True, 4)
    """
    names = [inert(name) for name in matrix.names]
    count = len(names)
    sizes = next((sizes for most, sizes in _SIZES if count <= most), _SMALLEST)
    labels = [name if len(name) <= _LONGEST_NAME else f"{name[:23]}…" for name in names]
    longest = max(map(cell_width, labels)) * _CHARACTER * sizes.names + sizes.names + 8
    turn = math.radians(sizes.turned)
    left = math.ceil(longest) + 20  # with the title of the rows
    top = math.ceil(longest * math.sin(turn)) + 26
    side = sizes.cell * count
    width = math.ceil(left + side + longest * math.cos(turn)) + 4
    frame = f'x="{left}" y="{top}" width="{side}" height="{side}"'
    parts = [
        *_titles(matrix, left, top, side),
        *_names(labels, names, matrix, sizes, left, top),
        *_cells(matrix.shares, names, sizes, left, top),
        f'<rect {frame} fill="none" stroke="currentColor" stroke-opacity="0.4"/>',
    ]
    style = f"width:100%;max-width:{width}px;min-width:{math.ceil(0.8 * width)}px;height:auto"
    return (
        f'<div class="wnb-scroll" style="overflow-x:auto">'
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {top + side + 4}" '
        f'role="img" aria-label="{escape(matrix.alt)}" style="{style}" '
        f'font-family="system-ui,sans-serif" fill="currentColor">{"".join(parts)}</svg></div>'
    )


def _titles(matrix: Matrix, left: int, top: int, side: int) -> Iterator[str]:
    middle = top + side / 2
    yield f'<text x="{left}" y="14" font-size="13" font-weight="600">{escape(matrix.across)}</text>'
    yield (
        f'<text x="12" y="{middle}" font-size="13" font-weight="600" text-anchor="middle" '
        f'transform="rotate(-90 12 {middle})">{escape(matrix.down)}</text>'
    )


def _names(
    labels: Sequence[str],
    names: Sequence[str],
    matrix: Matrix,
    sizes: _Sizes,
    left: int,
    top: int,
) -> Iterator[str]:
    swatch = min(11, sizes.cell - 3)
    for index, (label, name) in enumerate(zip(labels, names, strict=True)):
        middle = sizes.cell * (index + 0.5)
        row, column = top + middle, left + middle
        text = f"{escape(label)}<title>{escape(name)}</title></text>"
        gap = 5
        if matrix.colors:
            color = "#{:02x}{:02x}{:02x}".format(*matrix.colors[index])
            gap += swatch + 3
            for x, y in (
                (left - swatch - 4, row - swatch / 2),
                (column - swatch / 2, top - swatch - 4),
            ):
                yield (
                    f'<rect x="{x:g}" y="{y:g}" width="{swatch}" height="{swatch}" rx="1.5" '
                    f'fill="{color}" stroke="currentColor" stroke-opacity="0.5"/>'
                )
        shift = 0.35 * sizes.names
        font = f'font-size="{sizes.names}"'
        yield f'<text x="{left - gap}" y="{row + shift:g}" text-anchor="end" {font}>{text}'
        right = column + (shift if sizes.turned == 90 else 0)
        turned = f"rotate(-{sizes.turned} {right:g} {top - gap})"
        yield f'<text x="{right:g}" y="{top - gap}" transform="{turned}" {font}>{text}'


def _cells(
    shares: Sequence[Sequence[float]], names: Sequence[str], sizes: _Sizes, left: int, top: int
) -> Iterator[str]:
    cell = sizes.cell
    for row, values in enumerate(shares):
        y = top + cell * row
        if any(math.isnan(value) for value in values):
            width = cell * len(names)
            yield (
                f'<rect x="{left}" y="{y}" width="{width}" height="{cell}" fill-opacity="0.1">'
                f"<title>{escape(names[row])}: not in the truth</title></rect>"
            )
            continue
        for column, share in enumerate(values):
            if share < _LEAST:
                continue
            right = row == column
            # The square root lets small mistakes be seen.
            opacity = math.sqrt(min(1.0, share))
            color = _RIGHT if right else _WRONG
            words = f"{names[row]} predicted as {names[column]}: {percent(share)}"
            x = left + cell * column
            yield (
                f'<rect x="{x}" y="{y}" width="{cell}" height="{cell}" fill="{color}" '
                f'fill-opacity="{opacity:.2f}"><title>{escape(words)}</title></rect>'
            )
            if text := _number(share, len(names)) if sizes.numbers else "":
                fill = ' fill="#fff"' if right and opacity >= _DARK else ""
                yield (
                    f'<text x="{x + cell / 2:g}" y="{y + cell / 2 + 0.36 * sizes.numbers:g}" '
                    f'text-anchor="middle" font-size="{sizes.numbers}" '
                    f'pointer-events="none"{fill}>{text}</text>'
                )


def _number(share: float, count: int) -> str:
    """Return a part in percent, without the sign; nothing where it would be 0."""
    text = f"{100 * share:.1f}" if count <= _SIZES[0][0] else f"{100 * share:.0f}"
    return "" if float(text) == 0 else text
