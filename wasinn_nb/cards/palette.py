"""The colors of classes: those of a card, checked, and distinct ones where it names none."""

from __future__ import annotations

import functools
import operator
from typing import Any, Final

import numpy as np

from wasinn_nb.errors import RecipeError

__all__ = ["RGB", "checked_palette", "distinct_palette"]

RGB = tuple[int, int, int]

# Okabe and Ito's eight colours, distinct for colour-blind readers too, in an order that starts
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
    """Return *palette* as tuples, one colour of three bytes per class.

    Raises
    ------
    RecipeError
        If there are fewer colours than classes, or a colour is not three numbers from 0 to 255.

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
    for index, colour in enumerate(given):
        try:
            whole = [-1 if isinstance(v, bool) else operator.index(v) for v in colour]
        except TypeError:
            whole = []
        if len(whole) != 3 or not all(0 <= v <= 255 for v in whole):
            raise RecipeError(
                f"colour {index}: expected (red, green, blue) from 0 to 255, got {colour!r:.80}"
            )
        checked.append((whole[0], whole[1], whole[2]))
    if len(checked) < classes:
        raise RecipeError(f"expected a colour for each of {classes} classes, got {len(checked)}")
    return tuple(checked[:classes]) if classes else tuple(checked)


@functools.lru_cache(maxsize=8)
def distinct_palette(classes: int) -> tuple[RGB, ...]:
    """Return one colour per class: black first, then colours that colour-blind readers tell apart.

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
