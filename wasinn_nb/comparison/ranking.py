"""How far two classifications differ: their ranks, and the largest difference of one class.

The scores are the same within precision where no probability differs by more than 5 times the
tolerance: 0.05 by default.  Where probabilities are not known, such as of the integers in a tensor
file, the largest score stands for 1.  The ranking is the same within precision where the most
probable class is the same, or where precision alone decides which it is: both sides give the two
classes probabilities that differ by the tolerance at most.

The limit lies between what precision changes and what a mistake changes.  Measured with OpenVINO
2026.4 on a processor with AVX512-BF16, against its run in f32, on 11 images: the largest difference
of a probability in two quantized models (1001 classes of objects, 965 of birds) and one in f32 (2
classes, of text):

=======================  ==================  ================  ===========
Changed                  Objects, quantized  Birds, quantized  Text, f32
=======================  ==================  ================  ===========
**allowed**              0.05                0.05              0.05
LiteRT, or ONNX Runtime  0.004-0.020         0.000-0.035       0.000
bfloat16                 0.000               0.004-0.055       0.001-0.038
triangle for bilinear    0.004-0.020         0.000-0.027       0.000-0.004
RGB for BGR, or reverse  0.047-0.391         0.004-0.828       0.003-0.295
=======================  ==================  ================  ===========

bfloat16 exceeds the limit once in 33 runs, on a gray image.  The last row leaves out
images without colors.  A classification alone cannot tell a mistake that changes it less than
precision may; there only the input tensor tells.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from wasinn_nb.tasks.classification import ClassificationResult

__all__ = ["ClassRank", "ClassScores", "RankingDifference", "compare_rankings"]

TOP: Final = 5
"""How many classes of each side are looked at one by one."""

_FEW: Final = 10
_PEAK: Final = 5.0


@dataclass(frozen=True, slots=True, eq=False)
class ClassScores:
    """What a classification gives.

    Parameters
    ----------
    values : (N,) float32 array
        As the model gives them.
    probabilities : (N,) float32 array or None
        None where they are not known, such as of integers whose scale is not known.
    """

    values: NDArray[np.float32]
    probabilities: NDArray[np.float32] | None

    @classmethod
    def of(cls, result: ClassificationResult) -> ClassScores:
        """Return those of a result."""
        assert result.scores is not None  # noqa: S101 - a result sets them
        return cls(result.scores, result.probabilities)

    @property
    def are_integers(self) -> bool:
        """Whether the model gives integers that stand for probabilities or logits."""
        values, known = self.values, self.probabilities
        if known is not None and np.array_equal(values, known):
            return False
        return bool((values == np.rint(values)).all())


@dataclass(frozen=True, slots=True)
class ClassRank:
    """Where a class stands on both sides.

    Parameters
    ----------
    index : int
    name : str
    ranks : (int, int)
        In a and in b: 1 and one more for each class that is more probable.
    values : (float, float)
        Its probability in a and in b; its score where probabilities are not known.
    """

    index: int
    name: str
    ranks: tuple[int, int]
    values: tuple[float, float]

    @property
    def apart(self) -> float:
        """The absolute difference of the two values."""
        return abs(self.values[0] - self.values[1])

    @property
    def changed(self) -> bool:
        """Whether the two ranks differ."""
        return self.ranks[0] != self.ranks[1]

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {
            "index": self.index,
            "name": self.name,
            "ranks": list(self.ranks),
            "values": list(self.values),
        }


@dataclass(frozen=True, slots=True, eq=False)
class RankingDifference:
    """How two classifications of as many classes differ.

    Attributes
    ----------
    a, b : (N,) float32 array
        What was compared: probabilities, or scores where not both sides have probabilities.
    probabilities : bool
        Which of them.
    top : (ClassRank, ClassRank)
        The most probable class of a, and that of b.
    ranks : tuple of ClassRank
        The five most probable classes of a, then those of b that are not among them.  Of more than
        10 classes, those that have the least value on both sides and are the first of neither are
        left out.
    largest : ClassRank
        The class with the largest difference.
    scores_within, ranking_within : bool
        Whether the difference is within the tolerance; see the module.
    """

    a: NDArray[np.float32]
    b: NDArray[np.float32]
    probabilities: bool
    top: tuple[ClassRank, ClassRank]
    ranks: tuple[ClassRank, ...]
    largest: ClassRank
    scores_within: bool
    ranking_within: bool

    @property
    def identical(self) -> bool:
        """Whether every value is the same."""
        return bool(np.array_equal(self.a, self.b))

    @property
    def unit(self) -> str:
        """What the values are."""
        return "probability" if self.probabilities else "score"

    @property
    def difference(self) -> str:
        """How the values differ, in words."""
        if self.identical:
            return "the same values"
        return f"the {self.unit} of {self.largest.name} differs most, by {self.largest.apart:.3g}"

    @property
    def same_ranks(self) -> bool:
        """Whether no class of :attr:`ranks` changes its rank."""
        return not any(rank.changed for rank in self.ranks)

    def __str__(self) -> str:
        first, second = self.top
        if first.index != second.index:
            tie = ", a tie within precision" if self.ranking_within else ""
            return f"top class {first.name} in a, {second.name} in b{tie}"
        moved = [f"{r.name} {r.ranks[0]} → {r.ranks[1]}" for r in self.ranks if r.changed]
        same = f"top class {first.name} in both"
        return (
            f"{same}; rank {', '.join(moved)}"
            if moved
            else f"{same}, the same top {min(TOP, len(self.a))}"
        )


def compare_rankings(
    a: ClassScores, b: ClassScores, names: tuple[str, ...], tolerance: float
) -> RankingDifference:
    """Measure how two classifications differ.

    Parameters
    ----------
    a, b : ClassScores
        Of as many classes.
    names : tuple of str
        Of the classes.
    tolerance : float
        See the module.

    Examples
    --------
    >>> a, b = (np.array(values, np.float32) for values in ([0.5, 0.25, 0.25], [0.25, 0.5, 0.25]))
    >>> found = compare_rankings(ClassScores(a, a), ClassScores(b, b), ("cat", "dog", "owl"), 0.01)
    >>> print(found)
    top class cat in a, dog in b
    >>> [(rank.name, rank.ranks) for rank in found.ranks]
    [('cat', (1, 2)), ('dog', (2, 1)), ('owl', (2, 2))]
    """
    known = a.probabilities is not None and b.probabilities is not None
    first: NDArray[Any] = a.probabilities if known else a.values  # type: ignore[assignment]
    second: NDArray[Any] = b.probabilities if known else b.values  # type: ignore[assignment]
    differences = np.abs(first.astype(np.float64) - second)
    scale = 1.0 if known else float(max(np.abs(first).max(), np.abs(second).max()))

    def rank(index: int) -> ClassRank:
        ranks = tuple(1 + int(np.count_nonzero(one > one[index])) for one in (first, second))
        values = float(first[index]), float(second[index])
        return ClassRank(index, names[index], (ranks[0], ranks[1]), values)

    tops = [np.argsort(-one, kind="stable")[:TOP].tolist() for one in (first, second)]
    low = float(first.min()), float(second.min())
    ranked = tuple(map(rank, dict.fromkeys([*tops[0], *tops[1]])))
    leads = [one[tops[0][0]] - one[tops[1][0]] for one in (first, second)]
    return RankingDifference(
        first,
        second,
        known,
        (rank(tops[0][0]), rank(tops[1][0])),
        tuple(
            one
            for one in ranked
            if len(first) <= _FEW or one.values != low or one.index in {tops[0][0], tops[1][0]}
        ),
        rank(int(differences.argmax())),
        bool(differences.max() <= _PEAK * tolerance * scale),
        tops[0][0] == tops[1][0] or bool(max(map(abs, leads)) <= tolerance * scale),
    )
