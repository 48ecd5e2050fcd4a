"""What the fields of results share: read-only arrays, how an image is read."""

from __future__ import annotations

from typing import Any, TypedDict

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.imaging import Exif, PreprocessRecipe

__all__ = ["how_read", "read_only"]


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


class _HowRead(TypedDict, total=False):
    exif: Exif
    bits: int | None


def how_read(recipe: PreprocessRecipe | None) -> _HowRead:
    """Return how a recipe reads an image, for `rgb_image`; nothing without one."""
    return {} if recipe is None else {"exif": recipe.exif, "bits": recipe.bits}
