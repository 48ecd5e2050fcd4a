"""Timing two or more things in turn, so that a ratio holds when the machine's speed drifts."""

from __future__ import annotations

import random
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Row:
    """One measured ratio: ours divided by the peer's."""

    what: str
    peer: str
    ratio: float
    lowest: float
    highest: float
    goal: str

    @property
    def met(self) -> bool:
        """Whether the median reaches the goal, such as ``<= 1.25``."""
        relation, limit = self.goal.split()
        return self.ratio <= float(limit) if relation == "<=" else self.ratio < float(limit)


def measure(subjects: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, list[float]]:
    """Return seconds per subject and round; every round runs each subject once.

    The order is another one in each round, and the same in each run: what runs always behind the
    same other subject finds its caches as that one left them.
    """
    for run in subjects.values():
        run()
        run()
    seconds: dict[str, list[float]] = {name: [] for name in subjects}
    shuffled, order = random.Random(0), [*subjects]
    for _ in range(rounds):
        shuffled.shuffle(order)
        for name in order:
            run = subjects[name]
            start = time.perf_counter()
            run()
            seconds[name].append(time.perf_counter() - start)
    return seconds


def ratio(what: str, peer: str, ours: list[float], theirs: list[float], goal: str) -> Row:
    """Return the median ratio with its quartiles, round by round."""
    ratios = [a / b for a, b in zip(ours, theirs, strict=True)]
    low, middle, high = statistics.quantiles(ratios, n=4)
    return Row(what, peer, middle, low, high, goal)
