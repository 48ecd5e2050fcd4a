"""Which class became which: changed pixels in color over what stayed, faded."""

from __future__ import annotations

import functools
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from wasinn_nb.imaging import ImageSource, rgb_image
from wasinn_nb.render import RGB, far_colors
from wasinn_nb.tasks.segmentation import colorize

__all__ = ["MOST_CHANGES", "OTHER_CHANGES", "Change", "change_colors", "draw_changes", "faded"]

MOST_CHANGES: Final = 6
"""How many changes are named and have a color of their own."""

OTHER_CHANGES: Final[RGB] = (120, 120, 120)
"""The color of all other changes."""

_PALE: Final[RGB] = (235, 235, 235)  # what lies beneath them
# Pixels of a mask that a panel on a screen has room for; beyond, single ones would be left out.
_PANEL_PIXELS: Final = 448
# Where more than this part changed, the changes are seen without being widened.
_SPARSE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Change:
    """Pixels that have one class in `a` and another in `b`."""

    before: str
    after: str
    pixels: int


def change_colors(palette: Collection[RGB]) -> list[RGB]:
    """Return the colors of the changes with the most pixels: far from those of the classes.

    Parameters
    ----------
    palette : collection of (red, green, blue)
        Of the classes.

    Examples
    --------
    >>> change_colors([(0, 0, 0), (0, 114, 178)])[:2]
    [(242, 36, 239), (36, 242, 38)]
    """
    return list(_far_from(tuple(palette)))


@functools.lru_cache(maxsize=64)
def _far_from(palette: tuple[RGB, ...]) -> tuple[RGB, ...]:
    """Return the colors; they take some milliseconds, and each result of a model has the same."""
    return tuple(far_colors([*palette, OTHER_CHANGES, _PALE], MOST_CHANGES))


def faded(labels: NDArray[np.unsignedinteger[Any]], image: ImageSource | None) -> NDArray[np.uint8]:
    """Return pale gray pixels of the mask's size: the image, or a shade for each class.

    Parameters
    ----------
    labels : (H, W) array of whole numbers
    image : path, bytes, binary file, PIL.Image, array or None

    Returns
    -------
    (H, W, 3) uint8 array

    Examples
    --------
    >>> faded(np.array([[0, 1]], np.uint8), None)[0].tolist()
    [[245, 245, 245], [225, 225, 225]]
    """
    if image is None:
        gray = (245 - 20 * (labels % 5)).astype(np.uint8)
    else:
        height, width = labels.shape
        small = rgb_image(image).convert("L").resize((width, height), Image.Resampling.BILINEAR)
        gray = (160 + np.asarray(small, np.uint16) * 95 // 255).astype(np.uint8)
    return np.repeat(gray[:, :, None], 3, axis=2)


def draw_changes(
    a: NDArray[np.unsignedinteger[Any]],
    b: NDArray[np.unsignedinteger[Any]],
    colors: Mapping[tuple[int, int], RGB],
    other: RGB,
    background: NDArray[np.uint8],
) -> tuple[NDArray[np.uint8], bool]:
    """Paint the changed pixels over a background.

    Parameters
    ----------
    a, b : (H, W) arrays of whole numbers
    colors : mapping
        (class in a, class in b) → color; at most 254, the most important first.
    other : (red, green, blue)
        For all other changes.
    background : (H, W, 3) uint8 array

    Returns
    -------
    (H, W, 3) uint8 array, bool
        The pixels, and whether changed pixels were widened so that they can be seen on a screen.

    Examples
    --------
    >>> a, b = np.array([[0, 0, 1]], np.uint8), np.array([[0, 1, 1]], np.uint8)
    >>> gray = np.full((1, 3, 3), 200, np.uint8)
    >>> drawn, widened = draw_changes(a, b, {(0, 1): (255, 0, 0)}, (9, 9, 9), gray)
    >>> drawn.tolist(), widened
    ([[[200, 200, 200], [255, 0, 0], [200, 200, 200]]], False)
    """
    kinds = np.where(a != b, np.uint8(1), np.uint8(0))
    ranked = list(colors.items())[::-1]
    for rank, ((before, after), _) in enumerate(ranked, start=2):
        kinds[(a == before) & (b == after)] = rank
    share = np.count_nonzero(kinds) / max(1, kinds.size)
    radius = max(kinds.shape) // _PANEL_PIXELS if share < _SPARSE else 0
    if radius:
        # The greatest wins where two meet: the change with most pixels.
        widen = ImageFilter.MaxFilter(2 * radius + 1)
        kinds = np.asarray(Image.fromarray(kinds).filter(widen))
    painted = colorize(kinds, [(0, 0, 0), other, *(color for _, color in ranked)])
    return np.where(kinds[:, :, None] > 0, painted, background), bool(radius and share)
