"""What a model loses in INT8, class by class, with intervals by resampling the images."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wasinn_nb import metrics
from wasinn_nb.evaluation import Evaluation

__all__ = ["FEWEST_IMAGES", "ClassLoss", "Interval", "class_losses", "loss_text", "mean_loss"]

FEWEST_IMAGES: Final = 8
"""Of fewer images there are no bounds: where nothing is lost, resamples of 2 say so in 25 cases of
100, of 4 in 10, of 8 in 6."""

_DIGITS: Final = 4
_ROUNDING: Final = 1e-9
"""What is nearer to 0 comes from the order in which numbers are added."""
_RESAMPLES: Final = 1000
_SEED: Final = 0
_QUANTILES: Final = (0.025, 0.975)


class Interval(NamedTuple):
    """A figure with the bounds between which it lies in 95 % of 1000 resamples of the images.

    The bounds are NaN where fewer than 8 images have the class: they are too few to tell.
    """

    value: float
    low: float
    high: float

    @property
    def bounded(self) -> bool:
        """Whether there are enough images to give bounds."""
        return not math.isnan(self.low)

    def __str__(self) -> str:
        if not self.bounded:
            return loss_text(self.value)
        return f"{loss_text(self.value)} ({loss_text(self.low)} to {loss_text(self.high)})"


@dataclass(frozen=True, slots=True)
class ClassLoss:
    """How one class fares in INT8.

    Attributes
    ----------
    name : str
    agreement : float
        IoU of the two models' own pixels of the class; NaN where it is in neither.
    iou : (float, float) or None
        With the truth: of f32, and of INT8.
    loss : Interval or None
        Of the IoU: f32's less INT8's; negative where INT8 is better.
    boundary : (float, float) or None
        As *iou*, along the contours.
    boundary_loss : Interval or None
    """

    name: str
    agreement: float
    iou: tuple[float, float] | None = None
    loss: Interval | None = None
    boundary: tuple[float, float] | None = None
    boundary_loss: Interval | None = None

    @property
    def lost(self) -> float:
        """What the class loses: of the IoU with the truth where it is known, else to agreement."""
        known = 1 - self.agreement if self.loss is None else self.loss.value
        return 0.0 if math.isnan(known) else known

    def to_dict(self) -> dict[str, Any]:
        """Return it as plain JSON values."""
        return {name: _plain(value) for name, value in asdict(self).items()}


def loss_text(value: float) -> str:
    """Return a loss with four digits, and with more where its sign could not be seen.

    Parameters
    ----------
    value : float

    Examples
    --------
    >>> [loss_text(value) for value in (0.0123, 0.00003, -0.0000042, 0.0, 1e-17)]
    ['0.0123', '0.00003', '-0.000004', '0.0000', '0.0000']
    """
    if abs(value) < _ROUNDING:
        value = 0.0
    digits = _DIGITS
    while value and not float(f"{value:.{digits}f}"):
        digits += 1
    return f"{value:.{digits}f}"


def class_losses(
    names: Sequence[str],
    agreement: NDArray[np.int64],
    before: Evaluation | None,
    after: Evaluation | None,
) -> tuple[ClassLoss, ...]:
    """Return what each class loses.

    Parameters
    ----------
    names : sequence of str
        The model's classes.
    agreement : (C, C) int64 array
        Pixels: a row for each class of f32, a column for each of INT8.
    before, after : Evaluation, optional
        Of f32 and of INT8, on the same images.
    """
    if before is None or after is None:
        own = metrics.iou(agreement).tolist()
        return tuple(ClassLoss(name, value) for name, value in zip(names, own, strict=True))
    own = metrics.iou(_mapped(agreement, before)).tolist()
    sums = [_sums(one) for one in (before, after)]
    weights = _weights(len(before.counts))
    found = []
    for place in before.class_map.averaged:
        both = [one[:, :, place] for one in sums]
        iou = tuple(_ratio(one[:2].sum(axis=1)) for one in both)
        edges = tuple(_ratio(one[2:].sum(axis=1)) for one in both)
        losses = [
            _interval(value[0] - value[1], weights, [one[rows] for one in both])
            for value, rows in ((iou, slice(0, 2)), (edges, slice(2, 4)))
        ]
        found.append(
            ClassLoss(
                before.classes[place],
                own[place],
                (iou[0], iou[1]),
                losses[0],
                (edges[0], edges[1]),
                losses[1],
            )
        )
    return tuple(found)


def _mapped(agreement: NDArray[np.int64], evaluation: Evaluation) -> NDArray[np.int64]:
    """Return the pixels of the model's classes as those of the evaluated ones."""
    places = evaluation.class_map.from_predicted[: len(agreement)].astype(np.intp)
    size = len(evaluation.classes)
    mapped = np.zeros((size, size), np.int64)
    np.add.at(mapped, (places[:, None], places[None, :]), agreement)
    return mapped


def mean_loss(before: Evaluation, after: Evaluation) -> Interval:
    """Return what the mean IoU loses.

    Parameters
    ----------
    before, after : Evaluation
    """
    loss = before.miou - after.miou
    if len(before.counts) < FEWEST_IMAGES:
        return Interval(loss, math.nan, math.nan)
    classes = [*before.class_map.averaged]
    weights = _weights(len(before.counts))
    means = []
    for one in (before, after):
        sums = _sums(one)[:2][:, :, classes]
        both, union = np.einsum("bn,xnc->xbc", weights, sums)
        with np.errstate(invalid="ignore", divide="ignore"):
            means.append(np.nanmean(np.where(union > 0, both / union, np.nan), axis=1))
    low, high = np.nanquantile(means[0] - means[1], _QUANTILES)
    return Interval(loss, float(low), float(high))


def _sums(evaluation: Evaluation) -> NDArray[np.float64]:
    """Return (4, images, classes): intersection and union, of the pixels and of the boundaries."""
    rows = []
    for count in evaluation.counts:
        both = count.both
        assert count.boundary is not None  # noqa: S101 - of masks there always is one
        rows.append([both, count.true + count.predicted - both, *count.boundary])
    return np.array(rows, np.float64).transpose(1, 0, 2)


def _weights(images: int) -> NDArray[np.float64]:
    """Return how often each image is in each resample."""
    rng = np.random.default_rng(_SEED)
    return rng.multinomial(images, np.full(images, 1 / images), _RESAMPLES).astype(np.float64)


def _interval(
    value: float, weights: NDArray[np.float64], both: Sequence[NDArray[np.float64]]
) -> Interval:
    """Return a difference of two ratios with its bounds; *both* are (2, images) each."""
    seen = np.logical_or(*(numbers[1] > 0 for numbers in both))
    if np.count_nonzero(seen) < FEWEST_IMAGES:
        return Interval(value, math.nan, math.nan)
    ratios = []
    for numbers in both:
        top, bottom = numbers @ weights.T
        with np.errstate(invalid="ignore", divide="ignore"):
            ratios.append(np.where(bottom > 0, top / bottom, np.nan))
    low, high = np.nanquantile(ratios[0] - ratios[1], _QUANTILES)
    return Interval(value, float(low), float(high))


def _ratio(sums: NDArray[np.float64]) -> float:
    return float(sums[0] / sums[1]) if sums[1] else math.nan


def _plain(value: Any) -> Any:
    if isinstance(value, Interval):
        return {name: _plain(one) for name, one in value._asdict().items()}
    if isinstance(value, tuple | list):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and math.isnan(value) else value
