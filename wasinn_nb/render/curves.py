"""Curves over things in an order, such as the layers of a model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from wasinn_nb.render.plotting import PanelFigure, plain_text

__all__ = ["draw_curves"]

_WIDTH: Final = 9.0
_HEIGHT: Final = 4.2
_STYLES: Final = (("#8a94a0", ".-"), ("#1f5fa8", "o"))
_MARKED: Final = "#c62828"
_POINTS: Final = 10


def draw_curves(
    title: str,
    names: tuple[str, str],
    curves: Mapping[str, Sequence[float]],
    *,
    limit: tuple[str, float | Sequence[float]] | None = None,
    marked: tuple[str, int, float] | None = None,
) -> PanelFigure:
    """Draw curves over the numbers of things in an order.

    Parameters
    ----------
    title : str
    names : (str, str)
        Of the horizontal and of the vertical axis.
    curves : mapping
        Name → one value for each thing; values that are not finite are left out.  The first is a
        line, the second are points.
    limit : (str, float or sequence of float), optional
        Where to draw a line of steps, for all things or for each, and what it is called.
    marked : (str, int, float), optional
        A point to mark: what it is called, the thing's number, and its value.

    Returns
    -------
    PanelFigure

    Examples
    --------
    >>> figure = draw_curves("Layers", ("layer", "dB"), {"alone": [80.0, 70.0]}, limit=("f32", 75))
    >>> [text.get_text() for text in figure.axes[0].get_legend().get_texts()]
    ['alone', 'f32']
    """
    figure = PanelFigure(
        figsize=(_WIDTH, _HEIGHT), dpi=100, layout="constrained", facecolor="white"
    )
    axes = figure.add_subplot()
    for (name, values), (color, line) in zip(curves.items(), _STYLES, strict=False):
        numbers = np.array(values, np.float64)
        numbers[~np.isfinite(numbers)] = np.nan
        places = np.arange(numbers.size)
        axes.plot(places, numbers, line, color=color, label=plain_text(name))
    if limit is not None:
        name, at = limit
        count = max(map(len, curves.values()), default=1)
        axes.step(
            np.arange(count),
            np.broadcast_to(at, (count,)),
            "--",
            where="mid",
            color="black",
            linewidth=1,
            label=plain_text(name),
        )
    if marked is not None:
        name, place, value = marked
        axes.plot(
            [place], [value], "o", color=_MARKED, markersize=8, label=plain_text(name), zorder=3
        )
    axes.set_xlim(-1, max(map(len, curves.values()), default=1))
    axes.set_title(plain_text(title), fontsize=_POINTS + 1, color="black")
    axes.set_xlabel(names[0], color="black")
    axes.set_ylabel(names[1], color="black")
    axes.tick_params(colors="black")
    axes.grid(axis="y", color="#dddddd", linewidth=0.6)
    axes.legend(frameon=False, labelcolor="black", loc="best", fontsize=_POINTS)
    return figure
