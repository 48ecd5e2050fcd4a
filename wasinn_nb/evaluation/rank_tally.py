"""Counting classifications against their true classes, image by image."""

from __future__ import annotations

import bisect

from wasinn_nb.evaluation.ranking import ClassificationEvaluation
from wasinn_nb.evaluation.ranks import Rank, worst_first
from wasinn_nb.evaluation.remarks import Remarks
from wasinn_nb.tasks.classification import ClassificationResult

__all__ = ["RankTally"]


class RankTally:
    """What was found so far.

    Parameters
    ----------
    worst : int
        How many of the worst results are kept.
    """

    def __init__(self, worst: int) -> None:
        self._worst = worst
        self._ranks: list[Rank] = []
        self._samples: list[tuple[Rank, ClassificationResult]] = []
        self._assumed: dict[str, None] = {}
        self._saturated = 0

    def add(self, name: str, result: ClassificationResult, true: int) -> None:
        """Count one image.

        Parameters
        ----------
        name : str
        result : ClassificationResult
        true : int
            The index of the true class.
        """
        probabilities = result.probabilities
        own = probabilities[true]
        before = int((probabilities > own).sum()) + int((probabilities[:true] == own).sum())
        predicted = int(probabilities.argmax())
        highest = float(probabilities[predicted])
        rank = Rank(name, true, predicted, before + 1, float(own), highest)
        self._ranks.append(rank)
        self._saturated += bool(result.remarks)
        self._assumed |= dict.fromkeys(result.assumed)
        bisect.insort(self._samples, (rank, result), key=lambda sample: worst_first(sample[0]))
        del self._samples[self._worst :]

    def evaluation(self, model: str, classes: tuple[str, ...]) -> ClassificationEvaluation:
        """Return what was found."""
        remarks = Remarks(saturated=(self._saturated, len(self._ranks)))
        ranks, samples = tuple(self._ranks), tuple(self._samples)
        return ClassificationEvaluation(
            model, classes, ranks, samples, tuple(self._assumed), remarks=remarks
        )
