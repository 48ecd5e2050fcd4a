"""What the fields of results share: read-only arrays, pickling, how an image is turned."""

from __future__ import annotations

from dataclasses import fields
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.imaging import Exif, PreprocessRecipe

__all__ = ["exif_of", "pickled_fields", "read_only"]


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


def pickled_fields(result: Any) -> tuple[Any, ...]:
    """Return what ``__reduce__`` of a frozen dataclass returns.

    Read-only views of mappings cannot be pickled; the mappings themselves can.
    """
    values = [getattr(result, one.name) for one in fields(result)]
    return type(result), tuple(
        dict(value) if isinstance(value, MappingProxyType) else value for value in values
    )


def exif_of(recipe: PreprocessRecipe | None) -> Exif:
    """Return what a recipe does with an image's orientation; without one it is ignored."""
    return "ignore" if recipe is None else recipe.exif
