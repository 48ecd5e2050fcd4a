"""Which part of an image a mask covers: masks of letterboxed and cropped inputs, and of strides."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.imaging.placement import Placement

__all__ = ["WHOLE", "Coverage", "Window"]

_ROUNDING: Final = 1e-6
_FAR: Final = 1e6  # no mask reaches so many images beyond its image


class Window(NamedTuple):
    """Where a mask lies on an image of some size, and the part of the mask that lies there."""

    rows: slice
    """Rows of the image."""
    columns: slice
    """Columns of the image."""
    box: tuple[float, float, float, float]
    """Left, top, right and bottom in the mask, in its pixels: Pillow's order."""


class Coverage(NamedTuple):
    """What a mask covers, as parts of an image's height and width.

    A mask of a cropped image covers less than the image; one of a letterboxed image, whose borders
    are cut off at whole pixels of the mask, may reach a little beyond it, and so does one of a
    stride, whose first and last rows are centered on those of the image.

    Examples
    --------
    >>> Coverage(0.25, 0, 0.75, 1).window((2, 4), 8, 8)
    Window(rows=slice(2, 6, None), columns=slice(0, 8, None), box=(0.0, 0.0, 4.0, 2.0))
    """

    top: float = 0.0
    left: float = 0.0
    bottom: float = 1.0
    right: float = 1.0

    @classmethod
    def of_values(cls, values: Any) -> Coverage:
        """Return the coverage that four numbers mean.

        Parameters
        ----------
        values : sequence of float
            Top, left, bottom, right.

        Raises
        ------
        InvalidArgumentError
            If they are not four finite numbers, or cover nothing.
        """
        numbers = tuple(values) if isinstance(values, Sequence) else ()
        near = [type(one) in {int, float} and abs(one) <= _FAR for one in numbers]
        if len(near) != 4 or not all(near):
            raise InvalidArgumentError(f"expected covers as four numbers, got {values!r:.80}")
        top, left, bottom, right = map(float, numbers)
        if not (top < bottom and left < right):
            raise InvalidArgumentError(
                f"expected covers as top, left, bottom and right of some area, got {values!r:.80}"
            )
        return cls(top, left, bottom, right)

    @classmethod
    def of(
        cls,
        mask: tuple[int, int],
        model: tuple[int, int],
        placement: Placement,
        image: tuple[int, int],
    ) -> tuple[Coverage, slice, slice]:
        """Return what a mask covers once the borders are cut off, and the rows and columns to keep.

        Parameters
        ----------
        mask, model, image : (height, width)
            Sizes of the mask that the model gives, of the model's input, and of the image.
        placement : Placement
            Of the image in the input.
        """
        sides = []
        inside, visible = placement.inside, placement.visible
        for axis, (first, length, start, extent) in enumerate(
            (
                (inside.top, inside.height, visible.top, visible.height),
                (inside.left, inside.width, visible.left, visible.width),
            )
        ):
            offset, step = _grid(mask[axis], model[axis])
            low = max(0, math.floor((first - offset) / step + _ROUNDING))
            high = min(mask[axis], math.ceil((first + length - offset) / step - _ROUNDING))
            ends = [
                (start + (offset + step * edge - first) / length * extent) / image[axis]
                for edge in (low, high)
            ]
            sides.append((low, high, *ends))
        (top_row, bottom_row, top, bottom), (left_column, right_column, left, right) = sides
        return (
            cls(top, left, bottom, right),
            slice(top_row, bottom_row),
            slice(left_column, right_column),
        )

    def window(self, mask: tuple[int, int], height: int, width: int) -> Window:
        """Return where the mask lies on an image of *height* x *width* pixels.

        Parameters
        ----------
        mask : (height, width)
            The mask's own size.
        height, width : int
        """
        rows, top, bottom = _along(self.top, self.bottom, mask[0], height)
        columns, left, right = _along(self.left, self.right, mask[1], width)
        return Window(rows, columns, (left, top, right, bottom))


WHOLE: Final = Coverage()
"""The whole image."""


def _grid(mask: int, model: int) -> tuple[float, float]:
    """Return where the first pixel of a mask begins in the input, and how far its pixels reach."""
    if model % mask == 0:
        return 0.0, model / mask
    step = (model - 1) / (mask - 1)
    return 0.5 - step / 2, step


def _along(start: float, end: float, mask: int, size: int) -> tuple[slice, float, float]:
    """Return the pixels of the image whose centers are covered, and their edges in the mask."""
    low = min(size, max(0, math.ceil(start * size - 0.5 - _ROUNDING)))
    high = min(size, max(low, math.ceil(end * size - 0.5 - _ROUNDING)))
    edges = [
        min(float(mask), max(0.0, (edge / size - start) / (end - start) * mask))
        for edge in (low, high)
    ]
    return slice(low, high), edges[0], edges[1]
