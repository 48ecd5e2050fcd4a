"""The bytes of a tensor, read in the ways that they may have been written."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.abi import TensorType
from wasinn_nb.diagnosis.candidates import Order
from wasinn_nb.imaging import CHANNELS, PreprocessRecipe
from wasinn_nb.tensor import Tensor

__all__ = ["Decoded", "decodings", "image_shapes", "written"]

_LARGEST: Final = 1e7
_SMALLEST: Final = 1e-20


@dataclass(frozen=True, slots=True)
class Decoded:
    """One reading of a tensor's bytes.

    Attributes
    ----------
    values : flat array
        As many as an image of the size has.
    type : TensorType
    big_endian : bool
    declared : TensorType or None
        The declared type, where it is another.
    dimensions : tuple of int or None
        The declared dimensions, where they are not the recipe's.
    valid : int or None
        How many values there are, where it is not all of them.
    wrapped : bool
        Whether levels of 128 and more had become negative.
    order : str or None
        How the values lie, where something between them was left out.
    pitch, step : int or None
        From the first value of a row, or of a pixel, to that of the next one, where there was.
    """

    values: NDArray[Any]
    type: TensorType
    big_endian: bool = False
    declared: TensorType | None = None
    dimensions: tuple[int, ...] | None = None
    valid: int | None = None
    wrapped: bool = False
    order: Order | None = None
    pitch: int | None = None
    step: int | None = None


def decodings(tensor: Tensor, recipe: PreprocessRecipe) -> Iterator[Decoded]:
    """Yield the ways to read *tensor*, as declared first.

    Bytes are swapped only where the values as they are cannot be those of an image: 1.0 with its
    bytes swapped is 4.6e-41.
    """
    raw = np.frombuffer(tensor.data, np.uint8)
    own = tuple(d for d in tensor.dimensions if d != 1)
    theirs = tuple(d for d in recipe.dimensions if d != 1)
    dimensions = None if own == theirs else tensor.dimensions
    elements = math.prod(recipe.dimensions)
    values = raw.view(tensor.type.dtype)
    shapes = _shapes_in(tensor.dimensions, values.size, recipe)
    usual = any(channels == recipe.channels for _, _, channels in shapes)
    if values.size == elements or usual:
        yield from _both_ends(values, tensor.type, None, dimensions, None)
        if TensorType.I8 in {tensor.type, recipe.type} and tensor.type.itemsize == 1:
            other = TensorType.U8 if tensor.type is TensorType.I8 else TensorType.I8
            yield Decoded(raw.view(other.dtype), other, declared=tensor.type, dimensions=dimensions)
    else:
        for type_ in (t for t in TensorType if t.in_wasi_nn or t is recipe.type):
            if raw.size == elements * type_.itemsize and type_ is not tensor.type:
                typed = raw.view(type_.dtype)
                yield from _both_ends(typed, type_, tensor.type, dimensions, None)
        if 0 < values.size < elements:
            padded = np.zeros(elements, tensor.type.dtype)
            padded[: values.size] = values
            yield from _both_ends(padded, tensor.type, None, dimensions, values.size)
        if shapes:
            yield from _both_ends(values, tensor.type, None, dimensions, None)


def _both_ends(
    values: NDArray[Any],
    type_: TensorType,
    declared: TensorType | None,
    dimensions: tuple[int, ...] | None,
    valid: int | None,
) -> Iterator[Decoded]:
    turned = values.byteswap()
    if type_.itemsize > 1 and not _plausible(values) and _plausible(turned):
        yield Decoded(turned, type_, True, declared, dimensions, valid)  # noqa: FBT003
    else:
        yield Decoded(values, type_, False, declared, dimensions, valid)  # noqa: FBT003


def _plausible(values: NDArray[Any]) -> bool:
    """Whether values may be those of an image: finite, neither huge nor almost all tiny."""
    some = values[:: max(1, values.size // 20_000)]
    with np.errstate(invalid="ignore", over="ignore"):
        size = np.abs(some.astype(np.float64))
    if not np.isfinite(size).all() or size.max(initial=0) > _LARGEST:
        return False
    if values.dtype == np.float16:
        # Whole numbers and small fractions; turned around they are wild.
        return bool(np.median(size) > 1e-4 or not size.any()) and size.max(initial=0) <= 1e3
    return bool(((size == 0) | (size > _SMALLEST)).mean() > 0.9)


def image_shapes(decoded: Decoded, recipe: PreprocessRecipe) -> list[tuple[int, int, int]]:
    """Return the shapes (height, width, channels) of images that have so many values."""
    if decoded.values.size == math.prod(recipe.dimensions):
        return _either_way([(recipe.height, recipe.width, recipe.channels)])
    return _shapes_in(decoded.dimensions or (), decoded.values.size, recipe)


def _shapes_in(
    dimensions: tuple[int, ...], elements: int, recipe: PreprocessRecipe
) -> list[tuple[int, int, int]]:
    """Return the shapes that dimensions with an axis of channels say.

    Where they say none, the recipe's size with another number of channels.
    """
    sizes = [d for i, d in enumerate(dimensions) if not (d == 1 and i == 0 and len(dimensions) > 3)]
    found: list[tuple[int, int, int]] = []
    counts = sorted(set(CHANNELS.values()), key=lambda count: count != recipe.channels)
    if len(sizes) == 3 and 0 not in sizes:
        for channels in counts:
            if sizes[0] == channels:
                found.append((sizes[1], sizes[2], channels))
            if sizes[2] == channels:
                found.append((sizes[0], sizes[1], channels))
    if not found:
        found = [
            (recipe.height, recipe.width, channels)
            for channels in counts
            if channels * recipe.height * recipe.width == elements
        ]
    return _either_way(found)


def _either_way(shapes: list[tuple[int, int, int]]) -> list[tuple[int, int, int]]:
    """Return shapes, then the same with height and width swapped."""
    return shapes + [(w, h, channels) for h, w, channels in shapes if h != w]


def written(values: NDArray[Any], known: int | None) -> Iterator[tuple[int, bool]]:
    """Yield (count, repeated): how many values at the front may be the only ones of the image.

    The rest is one value without end, or the same values once more.
    """
    if known is not None or values.size < 256:
        return
    last = values[-1]
    differing = np.flatnonzero(~np.isnan(values) if np.isnan(last) else values != last)
    if differing.size and values.size - differing[-1] - 1 >= 64:
        yield int(differing[-1]) + 1, False
    head = values[:64].tobytes()
    data, start = values.tobytes(), values.itemsize
    for _ in range(64):
        at = data.find(head, start)
        if at < 0:
            return
        period, rest = divmod(at, values.itemsize)
        if not rest and period >= 64 and np.array_equal(values[period:], values[:-period]):
            yield period, True
            return
        start = at + 1
