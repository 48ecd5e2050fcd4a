"""The colors of classes: those of a card, checked, and distinct ones where it names none."""

from __future__ import annotations

import functools
import operator
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.errors import RecipeError, TensorError
from wasinn_nb.wording import counted, listed, percent

__all__ = [
    "RGB",
    "LegendEntry",
    "checked_labels",
    "checked_palette",
    "class_palette",
    "distinct_palette",
    "far_colors",
    "legend",
    "palette_image",
    "refuse_labels",
    "refuse_values",
]

RGB = tuple[int, int, int]
_CANDIDATES: Final = 512
_HUE_GAPS: Final = (0.1, 0.07, 0.04, 0.0, -np.inf)  # of the circle; the first one that can be
_GRAYISH: Final = 0.2

# Okabe and Ito's eight colors, distinct for color-blind readers too, in an order that starts
# with black for a background (Okabe, Ito: Color Universal Design, 2008).
_OKABE_ITO: Final[tuple[RGB, ...]] = (
    (0, 0, 0),
    (0, 114, 178),
    (213, 94, 0),
    (240, 228, 66),
    (0, 158, 115),
    (204, 121, 167),
    (86, 180, 233),
    (230, 159, 0),
)


def checked_palette(palette: Any, classes: int) -> tuple[RGB, ...]:
    """Return *palette* as tuples, one color of three bytes per class.

    Raises
    ------
    RecipeError
        If there are fewer colors than classes, or a color is not three numbers from 0 to 255.

    Examples
    --------
    >>> checked_palette([[0, 0, 0], [255, 0, 1]], 2)
    ((0, 0, 0), (255, 0, 1))
    """
    try:
        given = tuple(palette)
    except TypeError as error:
        raise RecipeError(
            f"expected a palette as a sequence of (red, green, blue), got {palette!r:.80}"
        ) from error
    checked: list[RGB] = []
    for index, color in enumerate(given):
        try:
            whole = [-1 if isinstance(v, bool) else operator.index(v) for v in color]
        except TypeError:
            whole = []
        if len(whole) != 3 or not all(0 <= v <= 255 for v in whole):
            raise RecipeError(
                f"color {index}: expected (red, green, blue) from 0 to 255, got {color!r:.80}"
            )
        checked.append((whole[0], whole[1], whole[2]))
    if len(checked) < classes:
        raise RecipeError(f"expected a color for each of {classes} classes, got {len(checked)}")
    return tuple(checked[:classes]) if classes else tuple(checked)


@functools.lru_cache(maxsize=8)
def distinct_palette(classes: int) -> tuple[RGB, ...]:
    """Return one color per class: black first, then colors that color-blind readers can tell apart.

    Up to eight come from Okabe and Ito; further ones walk the hue circle in golden-angle steps
    with alternating lightness.  The first 256 all differ.

    Examples
    --------
    >>> distinct_palette(3)
    ((0, 0, 0), (0, 114, 178), (213, 94, 0))
    >>> len(set(distinct_palette(256)))
    256
    """
    index = np.arange(len(_OKABE_ITO), max(classes, len(_OKABE_ITO)))
    hue = index * 0.381966 % 1.0
    value = np.array([0.95, 0.75, 0.55])[index % 3]
    saturation = np.array([0.85, 0.55])[index // 3 % 2]
    # HSV to RGB, with the bits of the standard library's colorsys.hsv_to_rgb.
    sector = (hue * 6.0).astype(np.int64)
    part = hue * 6.0 - sector
    low = value * (1.0 - saturation)
    falling = value * (1.0 - saturation * part)
    rising = value * (1.0 - saturation * (1.0 - part))
    red = np.choose(sector, [value, falling, low, low, rising, value])
    green = np.choose(sector, [rising, value, value, falling, low, low])
    blue = np.choose(sector, [low, low, rising, value, value, falling])
    levels = np.rint(np.stack([red, green, blue], axis=1) * 255).astype(np.int64)
    return (*_OKABE_ITO[:classes], *((r, g, b) for r, g, b in levels.tolist()))


def class_palette(classes: int, background: int | None) -> tuple[RGB, ...]:
    """Return one distinct color per class, of which the background alone is black.

    Classes keep the colors of :func:`distinct_palette`; the first class, where it is not the
    background, takes the color that its place would have.  Where there is no background, it takes
    the next one of the eight that differ most, or the color that is farthest from all others.

    Parameters
    ----------
    classes : int
    background : int or None
        The index of the class that is not tinted.

    Examples
    --------
    >>> class_palette(3, 0) == distinct_palette(3)
    True
    >>> class_palette(3, None)
    ((240, 228, 66), (0, 114, 178), (213, 94, 0))
    >>> class_palette(3, 2)
    ((213, 94, 0), (0, 114, 178), (0, 0, 0))
    """
    colors = list(distinct_palette(classes))
    if colors and background != 0:
        if background is None or background >= classes:
            few = classes < len(_OKABE_ITO)
            colors[0] = _OKABE_ITO[classes] if few else far_colors(colors, 1)[0]
        else:
            colors[0], colors[background] = colors[background], colors[0]
    return tuple(colors)


def far_colors(others: Iterable[RGB], count: int) -> list[RGB]:
    """Return colors that are as far as can be from others, and from each other.

    Parameters
    ----------
    others : iterable of (red, green, blue)
        Colors that mean something else beside them.
    count : int

    Examples
    --------
    >>> far_colors([(0, 0, 0), (0, 114, 178), (213, 94, 0)], 2)
    [(242, 36, 239), (80, 242, 36)]
    """
    candidates = np.array(distinct_palette(_CANDIDATES)[1:], np.float64)
    nearest = np.full((2, len(candidates)), np.inf)  # by levels, and by hues
    for color in others:
        nearest = np.minimum(nearest, _distances(candidates, np.array(color, np.float64)))
    found: list[RGB] = []
    for _ in range(count):
        levels, hues = nearest
        apart = next(mask for gap in _HUE_GAPS if (mask := hues >= gap).any())
        farthest = int(np.where(apart, levels, -1).argmax())
        red, green, blue = candidates[farthest].astype(int).tolist()
        found.append((red, green, blue))
        nearest = np.minimum(nearest, _distances(candidates, candidates[farthest]))
        nearest[:, farthest] = -1  # not a second time
    return found


def _distances(colors: NDArray[np.float64], other: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return how far colors are from another one: by their levels, and by their hues.

    The levels count as in T. Riemersma's "redmean"; a color that is almost gray has no hue.
    """
    red = (colors[:, 0] + other[0]) / 2
    weights = np.stack([2 + red / 256, np.full_like(red, 4), 2 + (255 - red) / 256], axis=1)
    levels = np.sqrt((weights * (colors - other) ** 2).sum(axis=1))
    (hues, saturations), (hue, saturation) = _hues(colors), _hues(other[None])
    turn = np.abs(hues - hue)
    gray = np.minimum(saturations, saturation) < _GRAYISH
    return np.stack([levels, np.where(gray, np.inf, np.minimum(turn, 1 - turn))])


def _hues(colors: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return hues, 0 to 1, and saturations."""
    most, spread = colors.max(axis=1), np.ptp(colors, axis=1)
    red, green, blue = colors.T
    safe = np.where(spread == 0, 1, spread)
    hue = np.select(
        [most == red, most == green],
        [(green - blue) / safe, 2 + (blue - red) / safe],
        4 + (red - green) / safe,
    )
    return hue / 6 % 1, spread / np.where(most == 0, 1, most)


class LegendEntry(NamedTuple):
    """One line of a legend."""

    name: str
    color: RGB
    share: str
    """The class's part of the image, as text: ``"19.19 %"``."""


def palette_image(labels: NDArray[np.uint8], palette: Sequence[RGB]) -> Image.Image:
    """Return the mask as an index image (Pillow's mode ``P``) with its palette.

    Raises
    ------
    TensorError
        If a label has no color.
    """
    checked_labels(labels, len(palette))
    image = Image.fromarray(np.ascontiguousarray(labels))
    image.putpalette([channel for color in palette for channel in color])
    return image


def legend(
    classes: Sequence[str], palette: Sequence[RGB], areas: Sequence[int], most: int
) -> list[LegendEntry]:
    """Return a line for each class; beyond *most* classes, only for those that have a pixel."""
    total = max(1, sum(areas))
    return [
        LegendEntry(name, color, percent(pixels / total))
        for name, color, pixels in zip(classes, palette, areas, strict=True)
        if pixels or len(classes) <= most
    ]


def checked_labels(labels: NDArray[np.uint8], classes: int) -> None:
    """Raise `TensorError` if *labels* is not a mask of so many classes.

    Parameters
    ----------
    labels : array
    classes : int

    Examples
    --------
    >>> checked_labels(np.array([[0, 7], [9, 7]], np.uint8), 4)
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.TensorError: expected labels from 0 to 3, got 7 (2 pixels), 9 (1 pixel)
    """
    if labels.ndim != 2 or labels.dtype != np.uint8 or 0 in labels.shape:
        raise TensorError(
            f"expected labels as a (H, W) uint8 array with pixels, "
            f"got {labels.shape} {labels.dtype}"
        )
    if labels.max() >= classes:
        refuse_labels(np.bincount(labels.ravel()), classes)


def refuse_labels(counts: NDArray[Any], classes: int) -> None:
    """Raise `TensorError`, which lists the labels that are not classes, and how often they occur.

    Parameters
    ----------
    counts : array of int
        How many pixels have each label.
    classes : int
    """
    wrong = [(value, n) for value, n in enumerate(counts.tolist()) if n and value >= classes]
    refuse_values(wrong, classes)


def refuse_values(wrong: Sequence[tuple[int, int]], classes: int, what: str = "labels") -> None:
    """Raise `TensorError`, which lists labels that are not classes.

    Parameters
    ----------
    wrong : sequence of (label, pixels)
    classes : int
    what : str
        What the labels are: ``"true labels"``.
    """
    values = listed([f"{value} ({counted(n, 'pixel', grouped=True)})" for value, n in wrong], 8)
    raise TensorError(f"expected {what} from 0 to {classes - 1}, got {values}")
