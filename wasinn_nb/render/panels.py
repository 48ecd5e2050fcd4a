"""What a figure is drawn of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["Histogram", "Panel"]


class Panel(NamedTuple):
    """One image of a figure."""

    title: str
    pixels: NDArray[np.uint8]
    """(H, W, 3) in RGB order."""
    smooth: bool = True
    """Whether neighboring pixels may mix on the screen: never in a mask, where a color between
    those of two classes would stand for neither."""


class Histogram(NamedTuple):
    """How often values occur, beside the images of a figure."""

    title: str
    values: Mapping[str, NDArray[Any]]
    """Name → values; the last is drawn on top."""
    marked: tuple[str, float] | None = None
    """Where to draw a line, and what it is called."""
