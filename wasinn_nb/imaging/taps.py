"""What each output of the ``Triangle`` filter of the Rust `image` crate reads, along one axis.

For each axis, in float32: ``ratio = in / out``; ``s = max(1, ratio)``.  Output `o` has its center
at ``c = (o + 0.5) * ratio`` and reads the inputs from ``clamp(floor(c - s), 0, in - 1)`` up to, not
including, ``clamp(ceil(c + s), left + 1, in)``, input `i` with weight
``max(0, 1 - |(i - (c - 0.5)) / s|)``, summed in index order.
The crate's two ages differ in where they divide by the sum of the weights and where they round
(:class:`Age`).  Source: ``imageops/sample.rs`` of `image` 0.23.14 and 0.24.3, checked against the
tensors that guests built with these versions handed over.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Final, Literal, TypeVar

import numpy as np
from numpy.typing import NDArray

__all__ = ["Age", "Taps", "taps", "without_leading"]

Age = Literal["0.23", "0.24"]
"""``"0.24"`` and later: weights divided by their sum first, float32 between the passes.
``"0.23"`` and before: sums of products divided afterwards, rounded to integers after each pass."""

_F32: Final = np.float32

Scalar = TypeVar("Scalar", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Taps:
    """What each output of one axis reads: (out, k) indices and weights; (out,) sums."""

    sources: NDArray[np.intp]
    weights: NDArray[np.float32]
    sums: NDArray[np.float32]

    def part(self, outputs: slice) -> Taps:
        """Return the taps of some of the outputs."""
        return Taps(self.sources[outputs], self.weights[outputs], self.sums[outputs])

    def factors(self, age: Age) -> NDArray[np.float32]:
        """Return by what inputs are multiplied: (out, k)."""
        return self.weights / self.sums[:, None] if age == "0.24" else self.weights


@functools.lru_cache(maxsize=32)
def taps(inputs: int, outputs: int) -> Taps:
    """Return the taps from a length to another.

    Parameters
    ----------
    inputs, outputs : int
        Rows, or columns.

    Examples
    --------
    >>> taps(4, 2).sources.tolist()
    [[0, 1, 2], [1, 2, 3]]
    """
    ratio = _F32(inputs) / _F32(outputs)
    support = max(_F32(1), ratio)
    center = (np.arange(outputs, dtype=_F32) + _F32(0.5)) * ratio
    left = np.clip(np.floor(center - support).astype(np.int64), 0, inputs - 1)
    right = np.clip(np.ceil(center + support).astype(np.int64), left + 1, inputs)
    index = left[:, None] + np.arange(int((right - left).max()))
    distance = (index.astype(_F32) - (center - _F32(0.5))[:, None]) / support
    weights = np.maximum(_F32(0), _F32(1) - np.abs(distance))
    # Outputs that read fewer inputs than others end in weight 0, which changes no sum.
    weights[index >= right[:, None]] = 0
    # cumsum adds in index order, as the crate does; sum adds in pairs.
    sums = np.cumsum(weights, axis=1, dtype=_F32)[:, -1]
    # A weight of 0 changes no sum: each output begins at its first other one.
    skipped, moved = without_leading(weights)
    sources = (left + skipped)[:, None] + np.arange(moved.shape[1])
    return Taps(np.minimum(sources, right[:, None] - 1), moved, sums)


def without_leading(weights: NDArray[Scalar]) -> tuple[NDArray[np.intp], NDArray[Scalar]]:
    """Return how many weights of 0 each row begins with, and the rows without these.

    Parameters
    ----------
    weights : (out, k) array
        Each row has one that is not 0, and none of 0 between two others.

    Examples
    --------
    >>> skipped, moved = without_leading(np.array([[0, 3, 1], [2, 0, 0]]))
    >>> skipped.tolist(), moved.tolist()
    ([1, 0], [[3, 1], [2, 0]])
    """
    skipped = (weights != 0).argmax(axis=1)
    place = skipped[:, None] + np.arange(weights.shape[1])
    padded = np.pad(weights, ((0, 0), (0, int(skipped.max()))))
    moved = np.take_along_axis(padded, place, axis=1)
    return skipped, moved[:, : int((moved != 0).sum(axis=1).max())]
