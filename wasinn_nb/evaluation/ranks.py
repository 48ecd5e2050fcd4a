"""What is counted of classifications: of one image, one class, one confusion."""

from __future__ import annotations

import math
from typing import NamedTuple

__all__ = ["ClassCounts", "Confusion", "Rank", "worst_first"]


class Rank(NamedTuple):
    """Where the true class of one image stands in a classification."""

    name: str
    true: int
    """The index of the true class."""
    predicted: int
    """The index of the most probable class; of equal ones the lower."""
    rank: int
    """The place of the true class: 1 where it is the most probable one."""
    probability: float
    """Of the true class."""
    highest: float = math.nan
    """The probability of the most probable class; NaN where it is not known."""


class Confusion(NamedTuple):
    """How often images of one class were taken for another one."""

    true: int
    predicted: int
    images: int


class ClassCounts(NamedTuple):
    """What was counted of one class."""

    index: int  # type: ignore[assignment]  # tuples have a method of that name
    images: int
    found: int
    """Of them, those for which the class is the most probable one."""


def worst_first(rank: Rank) -> tuple[bool, float, float]:
    """Return what images are ordered by: wrong ones first, and the surest of equal ones."""
    sure = 0.0 if math.isnan(rank.highest) else rank.highest
    return rank.rank == 1, rank.probability, -sure
