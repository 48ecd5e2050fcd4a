"""What follows from a result: its origin, and the same at another size or threshold."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from wasinn_nb.cards import statements
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.origin import Origin
from wasinn_nb.tasks.segmentation.masks import (
    checked_size,
    labels_of,
    resize_labels,
    resize_scores,
)
from wasinn_nb.wording import counted

if TYPE_CHECKING:
    from wasinn_nb.tasks.segmentation.result import SegmentationResult

__all__ = ["at_size", "at_threshold", "made_by"]


def made_by(result: SegmentationResult) -> Origin:
    """Return what made a result; see :attr:`SegmentationResult.origin`."""
    files = result.files
    if not files and result.model_sha384 is not None:
        files = {result.card.name: result.model_sha384}
    return Origin(
        result.card.name,
        files,
        result.recipe,
        result.target,
        result.precision,
        result.runtime,
        result.versions,
    )


def at_size(result: SegmentationResult, height: int, width: int) -> SegmentationResult:
    """Return the result at another size; see :meth:`SegmentationResult.resize`."""
    checked_size(height, width)
    if (height, width) == result.labels.shape:
        return result
    if result.scores is None:
        return replace(result, labels=resize_labels(result.labels, height, width))
    scores = resize_scores(result.scores, height, width)
    return replace(result, labels=labels_of(scores, result.threshold), scores=scores)


def at_threshold(result: SegmentationResult, threshold: float) -> SegmentationResult:
    """Return the result at another threshold; see :meth:`SegmentationResult.with_threshold`."""
    if result.threshold is None:
        raise InvalidArgumentError(
            f"a threshold is for results of one class, this one of {result.card.name} has "
            f"{counted(len(result.card.classes), 'class')}"
        )
    if threshold == result.threshold:
        return result
    if result.scores is None:
        raise InvalidArgumentError(
            "the result keeps no scores to apply another threshold to; make it with scores=True"
        )
    labels = labels_of(result.scores, threshold)
    others = tuple(one for one in result.assumed if "threshold" not in statements([one]))
    return replace(result, labels=labels, threshold=float(threshold), assumed=others)
