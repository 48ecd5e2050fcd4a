"""Every value of a tensor, held against one way to make it."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.abi import TensorType
from wasinn_nb.diagnosis.candidates import Candidate, Making
from wasinn_nb.diagnosis.differences import mistakes_of
from wasinn_nb.diagnosis.resampling import Original
from wasinn_nb.diagnosis.sampling import overlap
from wasinn_nb.imaging import DECODERS_MEAN, DECODERS_MOST, PreprocessRecipe, ordered

__all__ = ["judged", "part_of"]

_NEAR_PART: Final = 0.1
_FEWEST: Final = 192
# So few values are always near to something; they are not evidence of a cause.
_TOO_FEW: Final = 48


def part_of(
    making: Making, flat: NDArray[Any], original: Original
) -> tuple[NDArray[Any], NDArray[np.bool_] | None]:
    """Return a flat tensor as an image without borders, and which values are valid."""
    box = original.box(making.view)
    part = (slice(box.top, box.top + box.height), slice(box.left, box.left + box.width))
    image = making.as_image(flat)[part]
    if making.valid is None:
        return image, None
    mask = np.arange(flat.size) < making.valid
    return image, making.as_image(mask)[part].astype(bool)


def judged(
    making: Making, flat: NDArray[Any], original: Original, recipe: PreprocessRecipe
) -> Candidate | None:
    """Return how far a tensor is from what *making* makes; None where that makes no such tensor.

    Parameters
    ----------
    making : Making
    flat : array
        The values of the tensor in the order of its memory.
    original : Original
    recipe : PreprocessRecipe
        What the model takes.
    """
    pixels = original.pixels(making.view) if making.elements == flat.size else None
    if pixels is None:
        return None
    image, valid = part_of(making, flat, original)
    down, right = making.shift
    if down or right:
        image, pixels = overlap(image, down, right), overlap(pixels, -down, -right)
        valid = None if valid is None else overlap(valid, down, right)
    off = making.scaling.distances(image, ordered(pixels, making.color))
    if valid is not None:
        off = off[valid]
    distance = float(off.mean(dtype=np.float64)) if off.size else math.inf
    furthest = float(off.max(initial=0))
    if not math.isfinite(distance):
        distance = furthest = math.inf
    # How far one step of the element type is, in levels.
    step = 0.0
    if making.type in {TensorType.F16, TensorType.F32}:
        most = float(np.abs(image).max(initial=0))
        eps = np.finfo(image.dtype).eps
        step = 2 * float(eps) * most / min(map(abs, making.scaling.slope))
    border = _border(making, flat, original)
    constant = not border.size or bool((np.ptp(border, axis=0) <= 0.5).all())
    exact = furthest <= min(0.45, 0.01 + step) and constant
    pad = np.rint(border[0]).astype(int).tolist() if border.size and constant else None
    way = replace(making, pad=pad if pad is None else tuple(pad))
    mistakes = mistakes_of(way, recipe)
    if mistakes and off.size < _TOO_FEW:
        exact = False
    if exact and making.repeated and making.valid is not None:
        exact = bool(np.array_equal(flat[making.valid :], flat[: -making.valid]))
    # A scaling that was fitted takes up what other causes leave, and an image without contrast
    # is like any other.
    near = (
        distance <= min(DECODERS_MEAN, _NEAR_PART * float(pixels.std()))
        and furthest <= DECODERS_MOST
        and off.size >= _FEWEST
        and not making.scaling.fitted
        and constant
    )
    note = ""
    if way.pad is not None and recipe.fit != "letterbox":
        note = "border filled with " + ", ".join(map(str, way.pad))
    return Candidate(way, mistakes, distance, furthest, exact, note, near=near or exact)


def _border(making: Making, flat: NDArray[Any], original: Original) -> NDArray[np.float32]:
    """Return the levels around a letterboxed image: (n, channels); none for other fits."""
    if not making.fit.startswith("letterbox"):
        return np.empty((0, making.channels), np.float32)
    box = original.box(making.view)
    levels = making.scaling.undo(making.as_image(flat))
    outside = np.ones(levels.shape[:2], bool)
    outside[box.top : box.top + box.height, box.left : box.left + box.width] = False
    return levels[outside]
