"""What an evaluation says of each row: columns, and the cells of its confusion matrix."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from wasinn_nb import metrics
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.evaluation import ClassificationEvaluation, Evaluation

__all__ = ["Judged", "judged_by"]

Values = NDArray[Any]
Palette = Sequence[tuple[int, int, int]]


class Judged(Protocol):
    """What is known of rows by their truths.

    Attributes
    ----------
    classes : tuple of str
    palette : sequence of (red, green, blue), or None
        Of the classes, where they have colors.
    true_names : (N,) array of str, or None
        The true class of each row of a classifier; empty where none is known.
    unit : str
        What the confusion matrix counts: ``"pixel"`` or ``"image"``.
    worst : (str, bool)
        The column that tells the worst, and whether the highest value is the worst.
    matrix : (N, 3) int64 array
        True class, predicted class and count of the cells that are not empty.
    columns : dict of str to callable
        Column → its values, one for each row: numbers (NaN where there is none) or texts.
    """

    classes: tuple[str, ...]
    palette: Palette | None
    true_names: Values | None
    unit: str
    worst: tuple[str, bool]
    matrix: NDArray[np.int64]
    columns: dict[str, Callable[[], Values]]

    def cell(self, true: int, predicted: int) -> Values:
        """Return how many pixels, or images, of each row are in a cell of the matrix."""


def judged_by(found: Evaluation | ClassificationEvaluation, names: Sequence[str]) -> Judged:
    """Return what an evaluation says of rows.

    Parameters
    ----------
    found : Evaluation or ClassificationEvaluation
    names : sequence of str
        Of the rows, as the evaluation names them.

    Raises
    ------
    InvalidArgumentError
        If it has none of the rows.
    """
    made: _Masks | _Ranks = (
        _Masks(found, names) if isinstance(found, Evaluation) else _Ranks(found, names)
    )
    if not made.known:
        raise InvalidArgumentError(
            "the evaluation has none of these predictions: no name is in both; evaluate them, or "
            "pass the truths themselves"
        )
    return made


def _rows_of(judged: Sequence[str], names: Sequence[str]) -> NDArray[np.int64]:
    """Return the row of each judged image, -1 where there is none."""
    places = {name: place for place, name in enumerate(names)}
    return np.array([places.get(name, -1) for name in judged], np.int64)


class _Masks:
    unit = "pixel"
    worst = ("mean IoU", False)
    true_names: Values | None = None

    def __init__(self, found: Evaluation, names: Sequence[str]) -> None:
        self.classes = found.classes
        self.palette: Palette | None = found.class_map.palette
        counts = list(found.counts)
        rows = _rows_of([count.name for count in counts], names)
        cells = [count.cells for count in counts]
        joined = np.concatenate([np.zeros((0, 3), np.int64), *cells])
        row = np.repeat(rows, [len(one) for one in cells]) if cells else rows
        self._row = row[row >= 0]
        self._true, self._predicted, self._pixels = joined[row >= 0].T
        self._count, self.known = len(names), bool((rows >= 0).any())
        self._averaged = found.class_map.averaged
        matrix = np.zeros((len(self.classes),) * 2, np.int64)
        np.add.at(matrix, (self._true, self._predicted), self._pixels)
        true, predicted = np.nonzero(matrix)
        self.matrix = np.stack([true, predicted, matrix[true, predicted]], axis=1)
        self.columns: dict[str, Callable[[], Values]] = {
            "mean IoU": self._mean_iou,
            "accuracy": self._accuracy,
            "worst class": self._worst_class,
        }
        for index, name in enumerate(self.classes):
            if name not in found.class_map.ignored:
                self.columns[f"IoU {name}"] = partial(self._iou, index)

    def cell(self, true: int, predicted: int) -> Values:
        return self._summed((self._true == true) & (self._predicted == predicted))

    def _summed(self, chosen: NDArray[np.bool_]) -> Values:
        weights = self._pixels[chosen].astype(np.float64)
        return np.bincount(self._row[chosen], weights, self._count)

    def _iou(self, index: int) -> Values:
        true, predicted = self._true == index, self._predicted == index
        return metrics.ratio(self._summed(true & predicted), self._summed(true | predicted))

    def _mean_iou(self) -> Values:
        total, present = np.zeros(self._count), np.zeros(self._count)
        for index in self._averaged:
            values = self._iou(index)
            total += np.nan_to_num(values)
            present += ~np.isnan(values)
        return metrics.ratio(total, present)

    def _accuracy(self) -> Values:
        right = self._summed(self._true == self._predicted)
        return metrics.ratio(right, self._summed(np.ones(len(self._row), bool)))

    def _worst_class(self) -> Values:
        lowest = np.full(self._count, np.inf)
        names = np.full(self._count, "", object)
        for index in self._averaged:
            values = self._iou(index)
            lower = values < lowest  # never where it is NaN
            lowest[lower] = values[lower]
            names[lower] = self.classes[index]
        return names


class _Ranks:
    unit = "image"
    worst = ("true probability", False)
    palette: Palette | None = None

    def __init__(self, found: ClassificationEvaluation, names: Sequence[str]) -> None:
        self.classes = found.classes
        rows = _rows_of([rank.name for rank in found.ranks], names)
        ranks = [rank for rank, row in zip(found.ranks, rows, strict=True) if row >= 0]
        self._rows, self.known = rows[rows >= 0], bool(ranks)
        self._count = len(names)
        self._true = np.array([rank.true for rank in ranks], np.int64)
        self._predicted = np.array([rank.predicted for rank in ranks], np.int64)
        pairs = np.stack([self._true, self._predicted], axis=1)
        cells, counts = np.unique(pairs, axis=0, return_counts=True)
        self.matrix = np.concatenate([cells, counts[:, None]], axis=1)
        true_names = self._spread([self.classes[index] for index in self._true], "")
        self.true_names: Values | None = true_names
        self.columns: dict[str, Callable[[], Values]] = {
            "true class": lambda: true_names,
            "true rank": partial(self._spread, [rank.rank for rank in ranks], np.nan),
            "true probability": partial(self._spread, [rank.probability for rank in ranks], np.nan),
        }

    def cell(self, true: int, predicted: int) -> Values:
        hits = (self._true == true) & (self._predicted == predicted)
        return np.bincount(self._rows[hits], minlength=self._count).astype(np.float64)

    def _spread(self, values: Sequence[Any], missing: Any) -> Values:
        spread = np.full(self._count, missing, object if missing == "" else np.float64)
        spread[self._rows] = values
        return spread
