"""Counting how far two runs agree, image by image: in pixels, or in classes of whole images."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np
from numpy.typing import NDArray

from wasinn_nb import metrics
from wasinn_nb.tasks.segmentation import resize_labels

if TYPE_CHECKING:
    from wasinn_nb.prediction.predictions import Predictions

__all__ = ["MaskTally", "RankTally", "RunTally"]


class RunTally(Protocol):
    """What was found so far.

    Attributes
    ----------
    columns : tuple of str
        What is read of each row.
    agreements : list of float
        Of each image, the part that has one class in both runs.
    ious : list of (C,) float64 array
        Of each image.
    sure : list of float, or None
        Of each image of classifiers, the lower one of the probabilities of its two classes.
    """

    columns: ClassVar[tuple[str, ...]]
    agreements: list[float]
    ious: list[NDArray[np.float64]]
    sure: list[float] | None

    def add(self, first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
        """Count one image, given its rows in the two runs."""

    def counts(self) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """Return the classes, and how often each pair of them was found: (C, C)."""


class MaskTally:
    """Counts the pixels of two runs of segmentation.

    Parameters
    ----------
    one, other : Predictions
    """

    columns: ClassVar[tuple[str, ...]] = (
        "name",
        "sha256",
        "status",
        "mask",
        "covers",
        "width",
        "height",
    )

    def __init__(self, one: Predictions, other: Predictions) -> None:
        self._runs = one, other
        self._classes = tuple(dict.fromkeys([*one.card.classes, *other.card.classes]))
        places = {name: place for place, name in enumerate(self._classes)}
        first, second = ([places[name] for name in run.card.classes] for run in self._runs)
        # Each run's labels are counted as they are; then those of one name are put together.
        self._most = max(len(first), len(second))
        self._places = np.ix_(first, second)
        self._matrix = np.zeros((len(self._classes),) * 2, np.int64)
        self.agreements: list[float] = []
        self.ious: list[NDArray[np.float64]] = []
        self.sure: list[float] | None = None

    def add(self, first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
        """Count one image, given its rows in the two runs."""
        own = np.zeros_like(self._matrix)
        labels = metrics.confusion_matrix(*self._labels(first, second), self._most)
        np.add.at(own, self._places, labels[: self._places[0].size, : self._places[1].size])
        self._matrix += own
        self.agreements.append(metrics.pixel_accuracy(own))
        self.ious.append(metrics.iou(own))

    def counts(self) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """Return the classes of both runs, and the pixels of each pair of them."""
        return self._classes, self._matrix

    def _labels(
        self, first: Mapping[str, Any], second: Mapping[str, Any]
    ) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        """Return the labels of an image in two runs, at the size of the first."""
        one, other = (run.made(row) for run, row in zip(self._runs, (first, second), strict=True))
        if one.covers == other.covers:
            return one.labels, resize_labels(other.labels, *one.labels.shape)
        height, width = first["height"], first["width"]
        covered = one.covered_at(height, width) & other.covered_at(height, width)
        return one.labels_at(height, width)[covered], other.labels_at(height, width)[covered]


class RankTally:
    """Counts the images of two runs of classification; there may be thousands of classes.

    Parameters
    ----------
    one, other : Predictions
    """

    columns: ClassVar[tuple[str, ...]] = ("name", "sha256", "status", "label", "probability")

    def __init__(self, one: Predictions, other: Predictions) -> None:
        self._order = dict.fromkeys([*one.card.classes, *other.card.classes])
        self._pairs: Counter[tuple[str, str]] = Counter()
        self.agreements: list[float] = []
        self.ious: list[NDArray[np.float64]] = []
        self.sure: list[float] | None = []

    def add(self, first: Mapping[str, Any], second: Mapping[str, Any]) -> None:
        """Count one image, given its rows in the two runs."""
        pair = first["label"], second["label"]
        self._pairs[pair] += 1
        self.agreements.append(float(pair[0] == pair[1]))
        self.ious.append(np.empty(0))
        assert self.sure is not None  # noqa: S101 - it is a list from the beginning
        self.sure.append(min(first["probability"], second["probability"]))

    def counts(self) -> tuple[tuple[str, ...], NDArray[np.int64]]:
        """Return the classes that an image has, and the images of each pair of them."""
        there = {name for pair in self._pairs for name in pair}
        classes = tuple(name for name in self._order if name in there)
        places = {name: place for place, name in enumerate(classes)}
        matrix = np.zeros((len(classes),) * 2, np.int64)
        for (one, other), images in self._pairs.items():
            matrix[places[one], places[other]] = images
        return classes, matrix
