"""Two models on the same images: where they agree, and how each fares by the truth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wasinn_nb import metrics
from wasinn_nb.cards import ModelCard
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.evaluation import Evaluation, evaluate
from wasinn_nb.pipeline import Pipeline
from wasinn_nb.quantization.losses import ClassLoss, Interval, class_losses, mean_loss
from wasinn_nb.quantization.samples import UNREADABLE, Sample, Unreadable, reasons
from wasinn_nb.quantization.stages import Stages
from wasinn_nb.quantization.truths import Truths
from wasinn_nb.render import RGB
from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.tasks.segmentation import SegmentationResult
from wasinn_nb.wording import counted

__all__ = ["Judge", "Judgement"]

_MOST_CLASSES = 1024


@dataclass(frozen=True, eq=False)
class Judgement:
    """How an INT8 model fares beside f32.

    Attributes
    ----------
    agreement : float
        The part of all pixels, or of the images of a classifier, that get the same class.
    classes : tuple of ClassLoss
    worst : tuple of (str, float, float or None)
        Images, the worst first: name, the part of its pixels that agrees, and with the truth what
        its mean IoU loses, or of a classifier what the probability of f32's class loses.
    mean : Interval or None
        What the mean IoU loses.
    miou : (float, float) or None
        Of f32 and of INT8.
    colors : mapping
        Of the classes of masks: name → (red, green, blue).
    """

    agreement: float
    classes: tuple[ClassLoss, ...]
    worst: tuple[tuple[str, float, float | None], ...]
    mean: Interval | None = None
    miou: tuple[float, float] | None = None
    colors: Mapping[str, RGB] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many images judged."""
        return len(self.worst)

    @property
    def worst_class(self) -> ClassLoss:
        """The class that loses most."""
        return max(self.classes, key=lambda one: one.lost)


class Judge:
    """Judges INT8 models by one f32 model and the same images.

    Parameters
    ----------
    reference : Pipeline
        In f32.
    samples : sequence of Sample
    truths : Truths, optional
    stages : Stages
        Told of each image and model.

    Attributes
    ----------
    samples : tuple of Sample
        Those that judge.
    unreadable : tuple of (str, str)
        Those of *samples* that could not be decoded and were passed over.

    Raises
    ------
    InvalidArgumentError
        If none of them can be read, or the model or the masks do not fit.
    """

    def __init__(
        self,
        reference: Pipeline,
        samples: Sequence[Sample],
        truths: Truths | None,
        stages: Stages,
    ) -> None:
        self._truths, self._stages = truths, stages
        stages.begin("f32 model")
        results, read, unreadable = [], [], []
        for sample in samples:
            try:
                results.append(self._result(reference, sample))
                read.append(sample)
            except UNREADABLE as error:
                unreadable.append((sample.item.name, str(error)))
                stages.fewer(2)  # nor does the INT8 model read it
        if not read:
            problem = f"none of {counted(len(unreadable), 'image')} that would judge can be read"
            raise InvalidArgumentError("; ".join([problem, *reasons(unreadable)]))
        self.samples: tuple[Sample, ...] = tuple(read)
        self.unreadable: tuple[Unreadable, ...] = tuple(unreadable)
        self._card = self._named(results[0])
        self._labels = [_labels(result) for result in results]
        self._sure = [
            _probability(result, labels[0]) if isinstance(result, ClassificationResult) else None
            for result, labels in zip(results, self._labels, strict=True)
        ]
        self._before = self._evaluated(results)

    @property
    def count(self) -> int:
        """How many images judge."""
        return len(self.samples)

    def __call__(self, pipeline: Pipeline) -> Judgement:
        """Judge an INT8 model."""
        size = len(self._card.classes)
        matrix = np.zeros((size, size), np.int64)
        shares: list[float] = []
        lost: dict[str, float] = {}  # of a classifier
        self._stages.begin("INT8 model")
        results = [self._result(pipeline, sample) for sample in self.samples]
        known = zip(self.samples, results, self._labels, self._sure, strict=True)
        for sample, result, labels, probability in known:
            found = _labels(result)
            matrix += _confusion(labels, found, size)
            shares.append(float(np.mean(labels == found)))
            if probability is not None:
                lost[sample.name] = probability - _probability(result, labels[0])
        after = self._evaluated(results)
        classes = class_losses(self._card.classes, matrix, self._before, after)
        total = int(np.trace(matrix)) / int(matrix.sum())
        if self._before is None or after is None:
            colors = {} if lost else dict(zip(self._card.classes, self._card.palette, strict=False))
            return Judgement(total, classes, self._worst(shares, lost), colors=colors)
        drops = {
            before.name: metrics.mean_over_classes(before.iou) - metrics.mean_over_classes(one.iou)
            for before, one in zip(self._before.counts, after.counts, strict=True)
        }
        return Judgement(
            total,
            classes,
            self._worst(shares, drops),
            mean_loss(self._before, after),
            (self._before.miou, after.miou),
            dict(zip(after.classes, after.class_map.palette, strict=True)),
        )

    def _result(
        self, pipeline: Pipeline, sample: Sample
    ) -> SegmentationResult | ClassificationResult:
        """Return what a model makes of an image."""
        result = pipeline(sample.image())
        self._stages.step()
        if not isinstance(result, SegmentationResult | ClassificationResult):
            raise InvalidArgumentError(
                f"expected a model for segmentation or classification, {pipeline.model.name} "
                f"gives {type(result).__name__}"
            )
        return result

    def _named(self, result: SegmentationResult | ClassificationResult) -> ModelCard:
        card = result.card
        if not 0 < len(card.classes) <= _MOST_CLASSES:
            raise InvalidArgumentError(
                f"expected a model of at most {_MOST_CLASSES} classes, {card.name} has "
                f"{len(card.classes)}"
            )
        return card

    def _evaluated(
        self, results: Sequence[SegmentationResult | ClassificationResult]
    ) -> Evaluation | None:
        if self._truths is None:
            return None
        self._stages.begin("comparing with the masks")
        masks = self._truths.masks
        found = evaluate(
            {sample.name: one for sample, one in zip(self.samples, results, strict=True)},
            {sample.name: masks[sample.name] for sample in self.samples},
            worst=0,
            progress=False,
            **self._truths.options,
        )
        assert isinstance(found, Evaluation)  # noqa: S101 - classifiers were refused
        return found

    def _worst(
        self, shares: Sequence[float], lost: Mapping[str, float]
    ) -> tuple[tuple[str, float, float | None], ...]:
        rows = [
            (sample.name, share, lost.get(sample.name))
            for sample, share in zip(self.samples, shares, strict=True)
        ]
        if self._before is None:
            return tuple(sorted(rows, key=lambda row: (row[1], -(row[2] or 0.0))))
        return tuple(sorted(rows, key=lambda row: -(row[2] or 0.0)))


def _labels(result: SegmentationResult | ClassificationResult) -> NDArray[Any]:
    """Return the class of each pixel, or of the image."""
    if isinstance(result, SegmentationResult):
        return result.labels
    return np.array([result.top(1)[0].index])


def _probability(result: SegmentationResult | ClassificationResult, index: int) -> float:
    """Return the probability of a class of an image."""
    assert isinstance(result, ClassificationResult)  # noqa: S101 - as of f32
    return float(result.probabilities[index])


def _confusion(one: NDArray[Any], other: NDArray[Any], size: int) -> NDArray[np.int64]:
    pairs = one.astype(np.int64).ravel() * size + other.ravel()
    return np.bincount(pairs, minlength=size * size).reshape(size, size)
