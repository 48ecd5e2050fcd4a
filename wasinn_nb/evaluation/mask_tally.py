"""Counting masks against their truths, image by image."""

from __future__ import annotations

import bisect
import io
import math
from dataclasses import replace
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb import metrics
from wasinn_nb.cards import ModelCard
from wasinn_nb.errors import InvalidArgumentError, Remedy
from wasinn_nb.evaluation.class_maps import ClassMap
from wasinn_nb.evaluation.counts import Counts, ImageCounts
from wasinn_nb.evaluation.labels import IGNORED, LabelSet
from wasinn_nb.evaluation.pairs import Pair
from wasinn_nb.evaluation.remarks import Remarks
from wasinn_nb.evaluation.result import Evaluation
from wasinn_nb.evaluation.samples import Sample
from wasinn_nb.evaluation.stored import Stored
from wasinn_nb.imaging import (
    WHOLE,
    Exif,
    exif_orientation,
    ignored_orientation,
    is_sideways,
    open_image,
    stored_mask,
)
from wasinn_nb.tasks.segmentation import (
    SegmentationResult,
    labels_of,
    resize_labels,
    with_background,
)

__all__ = ["Compared", "MaskTally", "with_card"]

_UPRIGHT: Final = 1
_ORIENTATIONS: Final = frozenset(map(ignored_orientation, range(2, 9)))
_CHECK: Final = (
    "check the pair, and whether one of them is transposed; resize the labels of a stretched image "
    "by nearest"
)
_ASPECT_TOLERANCE: Final = 0.02  # a mask may be rounded to another size, not turned or cut


class Compared(NamedTuple):
    """The evaluated classes of one image on both sides."""

    true: NDArray[np.uint8]
    """(H, W), `IGNORED` where nothing counts."""
    predicted: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    """(H, W) classes of the model, or of the mask."""
    result: SegmentationResult | None
    uncovered: int
    """Pixels that would count, but that the prediction does not cover."""


class MaskTally:
    """What was counted so far.

    Parameters
    ----------
    data : LabelSet
        The values of the truths.
    card : ModelCard or None
        Of the predictions; without one they have the truths' classes.
    known : ClassMap
    ratio : float
        Of the boundary IoU; see `metrics.boundary_iou`.
    worst : int
        How many of the worst images are kept.
    """

    def __init__(
        self, data: LabelSet, card: ModelCard | None, known: ClassMap, ratio: float, worst: int
    ) -> None:
        self._data, self._card, self._map = data, card, known
        self._ratio, self._worst = ratio, worst
        size = len(known.names)
        self._matrix = np.zeros((size, size), np.int64)
        self._boundary = np.zeros((2, size), np.int64)
        self._counts = Counts()
        self._samples: list[Sample] = []
        self._resized = 0
        self._gray: list[str] = []
        self._loaded: list[str] = []
        self._turned: dict[bool, list[str]] = {False: [], True: []}  # by whether EXIF is applied
        self._assumed: dict[str, None] = {}  # in the order in which they come, each once

    @property
    def classes(self) -> tuple[str, ...]:
        """The classes of the truths."""
        return self._data.names

    def add(self, pair: Pair, found: Any, card: ModelCard | None) -> Compared:
        """Count one image, and return what was compared.

        Parameters
        ----------
        pair : Pair
            Its name and truth.
        found : SegmentationResult, or a mask as `LabelSet.indices` takes it
        card : ModelCard or None
            Of this prediction.

        Raises
        ------
        InvalidArgumentError
            If its classes are not those of the images before it, or a mask or a result's image
            has another aspect ratio than its truth.
        TensorError, ImageError, MissingFileError
            As `LabelSet.indices`.
        """
        compared = self.compared(pair, found, card)
        true, predicted, _, result, uncovered = compared
        if result is not None:
            # What is said of orientations here names the images.
            self._assumed |= dict.fromkeys(x for x in result.assumed if x not in _ORIENTATIONS)
            if _is_turned(pair.prediction) or _is_turned(result.image):
                self._turned[_applies_exif(result)].append(pair.name)
        size = len(self._map.names)
        matrix = metrics.confusion_matrix(true, predicted, size, ignore=IGNORED)
        self._matrix += matrix
        boundary = metrics.boundary_counts(
            true, predicted, size, ignore=IGNORED, dilation_ratio=self._ratio
        )
        self._boundary += boundary
        ignored = true.size - int(matrix.sum()) - uncovered
        count = ImageCounts.of(pair.name, matrix, ignored, uncovered, np.asarray(boundary))
        self._counts.append(count)
        miou = metrics.mean_over_classes(count.iou[[*self._map.averaged]])
        # Of equal ones the first stays, as in the table of images.
        sample = Sample(pair.name, true, predicted, result, miou)
        bisect.insort(self._samples, sample, key=_ranked_by)
        del self._samples[self._worst :]
        return compared

    def compared(self, pair: Pair, found: Any, card: ModelCard | None) -> Compared:
        """Return the evaluated classes of one image on both sides; parameters as of :meth:`add`."""
        if (card and card.classes) != (self._card and self._card.classes):
            raise InvalidArgumentError(
                f"{pair.name}: its prediction has other classes than those before; "
                f"evaluate each model by itself"
            )
        truth = self._read(self._data, pair.truth, f"truth {pair.name}")
        result = found if isinstance(found, SegmentationResult) else None
        labels = self._labels(pair, found, truth.shape)
        true, predicted = self._map.from_truth[truth], self._map.from_predicted[labels]
        uncovered = 0 if result is None else _leave_out_uncovered(true, result)
        return Compared(true, predicted, labels, result, uncovered)

    def _read(
        self, known: LabelSet, source: Any, name: str, *, predicted: bool = False
    ) -> NDArray[np.uint8]:
        mask = stored_mask(source, name)
        if mask.gray and not known.colored:
            self._gray.append(name)
        if mask.loaded and not known.colored:
            self._loaded.append(name)
        return known.indices(mask, name, predicted=predicted)

    def _labels(self, pair: Pair, found: Any, size: tuple[int, ...]) -> NDArray[np.uint8]:
        """Return the predicted classes at the truth's size."""
        height, width = size
        if isinstance(found, SegmentationResult):
            _refuse_other_aspect(pair, found, (height, width))
            self._resized += found.labels.shape != size or found.covers != WHOLE
            return found.labels_at(height, width)
        labels = self.predicted(pair, found)
        if labels.shape == size:
            return labels
        if _other_aspect(labels.shape, (height, width)):
            raise InvalidArgumentError(
                f"{pair.name}: the predicted mask has {labels.shape[1]}x{labels.shape[0]} pixels, "
                f"the true one {width}x{height}: another aspect ratio",
                remedy=Remedy(
                    f"{_CHECK}; masks that Predictions.export wrote have the model's size: pass "
                    f"the predictions themselves",
                    command=f"{_CHECK}; masks that `predictions --export` wrote have the model's "
                    f"size: judge the store itself, by wasinn-nb evaluate STORE TRUTHS",
                ),
            )
        self._resized += 1
        return resize_labels(labels, height, width)

    def predicted(self, pair: Pair, mask: Any) -> NDArray[np.uint8]:
        """Return the classes of a predicted mask at its own size; errors as of :meth:`add`."""
        own = LabelSet(self._data.names, self._data.values)
        if self._card is not None:
            own = LabelSet(self._card.classes, tuple(range(len(self._card.classes))))
        return self._read(own, mask, f"prediction {pair.name}", predicted=True)

    def evaluation(self) -> Evaluation:
        """Return what was counted."""
        names = dict(zip(self._data.values, self._data.names, strict=True))
        return Evaluation(
            "" if self._card is None else self._card.name,
            self._map,
            self._matrix,
            self._boundary,
            self._counts,
            ", ".join(str(names.get(value, value)) for value in self._data.ignored),
            self._resized,
            self._ratio,
            tuple(self._samples),
            tuple(self._assumed),
            Remarks(
                gray=tuple(self._gray),
                loaded=tuple(self._loaded),
                exif_ignored=tuple(self._turned[False]),
                exif_applied=tuple(self._turned[True]),
            ),
        )


def with_card(result: SegmentationResult, card: ModelCard) -> SegmentationResult:
    """Return a result with the names, colors and threshold of another card.

    Parameters
    ----------
    result : SegmentationResult
    card : ModelCard
        Without classes, the result's own stay.

    Raises
    ------
    InvalidArgumentError
        If the card's threshold is not the one that the labels were made with, and the scores that
        it takes were not kept.
    TensorError
        If the labels are not classes of the card.
    """
    if not card.classes:
        card = card.replace(classes=result.card.classes, palette=result.card.palette)
    changes: dict[str, Any] = {"card": with_background(card)}
    if result.threshold is not None and card.threshold not in {None, result.threshold}:
        if result.scores is None:
            raise InvalidArgumentError(
                f"the labels were made with the threshold {result.threshold:g}, the card of "
                f"{card.name} states {card.threshold:g}; run the model with scores=True, so that "
                f"the result can be judged at another threshold"
            )
        labels = labels_of(result.scores, card.threshold)
        changes |= {"labels": labels, "threshold": card.threshold}
    return replace(result, **changes)


def _ranked_by(sample: Sample) -> float:
    """Return what samples are ordered by: the mean IoU, last where there is none."""
    return math.inf if math.isnan(sample.miou) else sample.miou


def _leave_out_uncovered(true: NDArray[np.uint8], result: SegmentationResult) -> int:
    """Mark the true pixels that a result does not cover as ignored; return how many there are."""
    if result.covers == WHOLE:
        return 0
    outside = ~result.covered_at(*true.shape) & (true != IGNORED)
    true[outside] = IGNORED
    return int(outside.sum())


def _refuse_other_aspect(pair: Pair, result: SegmentationResult, size: tuple[int, int]) -> None:
    """Refuse a mask that cannot be that of the image: turned, cut, or of another image."""
    name = pair.name
    if isinstance(pair.prediction, Stored):
        height, width = pair.prediction.size
    elif result.image is None:
        _refuse_transposed(name, result.labels.shape, size)
        return
    elif isinstance(result.image, np.ndarray):
        height, width = result.image.shape[:2]
    else:
        with Image.open(io.BytesIO(result.image)) as image:  # type: ignore[arg-type]  # bytes
            width, height = image.size
            sideways, applied = is_sideways(image), _applies_exif(result)
            if sideways and image.format == "TIFF":
                # Which way its header is depends on Pillow's version.
                exif: Exif = "apply" if applied else "ignore"
                width, height = open_image(result.image, exif).size
            elif sideways and applied:
                width, height = height, width
    if _other_aspect((height, width), size):
        raise InvalidArgumentError(
            f"{name}: the image has {width}x{height} pixels, its mask {size[1]}x{size[0]}: "
            f"another aspect ratio; check the pair, and whether EXIF turns the image"
        )


def _applies_exif(result: SegmentationResult) -> bool:
    return result.recipe is not None and result.recipe.exif == "apply"


def _is_turned(image: Any) -> bool:
    """Return whether an image, as encoded bytes or opened, has an EXIF orientation to apply."""
    if isinstance(image, bytes):
        with Image.open(io.BytesIO(image)) as opened:
            return exif_orientation(opened) != _UPRIGHT
    return isinstance(image, Image.Image) and exif_orientation(image) != _UPRIGHT


def _refuse_transposed(name: str, labels: tuple[int, ...], size: tuple[int, int]) -> None:
    """Refuse the labels of a result without image that only fit the truth once they are turned.

    Those of another aspect ratio may be a model's, to which the image was stretched.
    """
    if labels == size[::-1] and _other_aspect(labels, size):
        raise InvalidArgumentError(
            f"{name}: the result has {labels[1]}x{labels[0]} pixels, its truth "
            f"{size[1]}x{size[0]}: one of them is transposed; check the pair"
        )


def _other_aspect(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Return whether two sizes (height, width) are not those of one image at two scales."""
    # Sides are whole numbers of pixels: those of a small mask may be rounded by one.
    tolerance = max(_ASPECT_TOLERANCE, 1 / min(*one, *other))
    return abs(math.log(one[1] * other[0] / (one[0] * other[1]))) > tolerance
