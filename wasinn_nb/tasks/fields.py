"""What the fields of results share: read-only arrays, how an image is turned."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.imaging import Exif, PreprocessRecipe

__all__ = ["exif_of", "read_only"]


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return *array* in C order, copied where it could still change.

    Examples
    --------
    >>> read_only(np.zeros(2)).flags.writeable
    False
    """
    if array.flags.writeable or not array.flags.c_contiguous:
        array = np.array(array, order="C")
        array.flags.writeable = False
    return array


def exif_of(recipe: PreprocessRecipe | None) -> Exif:
    """Return what a recipe does with an image's orientation; without one it is ignored."""
    return "ignore" if recipe is None else recipe.exif
