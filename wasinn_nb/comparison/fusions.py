"""Layers of one name that hold other numbers, because one of the models was fused.

A converter multiplies the factors of a normalization into the convolution before it: the
convolution gives other numbers then, and what reads it compensates them.  Alone, computed from a's
values, both differ; computed from the values before both, the second does not.  A fault is not
compensated: what reads it gives, alone, what it should.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from wasinn_nb.comparison.matching import Pair
from wasinn_nb.runtimes import INPUT, LayeredModel

__all__ = ["Alone", "without_fused"]

Alone: TypeAlias = Callable[[Sequence[int], Sequence[Pair]], Sequence[float]]
"""Measures numbers of pairs alone, where the values of some pairs are known."""


def without_fused(
    b: LayeredModel,
    pairs: Sequence[Pair],
    own: Sequence[float],
    allowed: Sequence[float],
    outputs: frozenset[int],
    alone: Alone,
) -> tuple[list[float], frozenset[int], list[float]]:
    """Return the signal to noise of each layer alone, which are compensated, and what is allowed.

    Where a layer and one that reads it differ alone, the second is measured again, from the values
    before the first.  If it does not differ then, its signal to noise is that of both.  What is
    measured again carries the noise of both, and is allowed the least that any layer is.

    Parameters
    ----------
    b : LayeredModel
    pairs : sequence of Pair
    own : sequence of float
        Of each layer alone, computed from a's values of all others.
    allowed : sequence of float
        Down to which each of them does not differ.
    outputs : frozenset of int
        Numbers of the pairs that are outputs, which nothing compensates.
    alone : callable
    """
    found, limits = list(own), list(allowed)
    passed: set[int] = set()
    while True:
        sources = _sources(b, pairs, passed)
        bad = {n for n, value in enumerate(found) if value < limits[n]} - passed
        read = {source for number in bad for source in sources[number]}
        first = {n for n in (bad & read) - outputs if not bad & sources[n]}
        if not first:
            break
        passed |= first
        again = [n for n in range(len(pairs)) if n not in passed and first & sources[n]]
        known = [pair for number, pair in enumerate(pairs) if number not in passed]
        for number, value in zip(again, alone(again, known), strict=True):
            found[number], limits[number] = value, min(allowed)
    readers = _readers(b, pairs, passed)
    compensated = frozenset(number for number in passed if not readers[number] & bad)
    for number in compensated:
        found[number] = min(found[reader] for reader in readers[number])
        limits[number] = min(allowed)
    return found, compensated, limits


def _sources(b: LayeredModel, pairs: Sequence[Pair], passed: set[int]) -> list[frozenset[int]]:
    """Return from which pairs each is computed, through those that are *passed* over."""
    numbers = {pair.b: number for number, pair in enumerate(pairs) if number not in passed}
    known = frozenset(numbers)
    return [
        frozenset(numbers[source] for source in b.reads(pair.b, known) if source != INPUT)
        for pair in pairs
    ]


def _readers(b: LayeredModel, pairs: Sequence[Pair], passed: set[int]) -> dict[int, set[int]]:
    """Return which others are computed from each of the *passed* layers."""
    sources = _sources(b, pairs, set())
    found: dict[int, set[int]] = {number: set() for number in passed}
    for reader in set(range(len(pairs))) - passed:
        left = [reader]
        while left:
            for source in sources[left.pop()] & passed:
                if reader not in found[source]:
                    found[source].add(reader)
                    left.append(source)
    return found
