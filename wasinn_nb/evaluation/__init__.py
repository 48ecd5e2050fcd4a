"""Judging predictions by ground truth: confusion matrix, IoU, Dice, accuracy, worst images."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Callable, Mapping
from typing import Any, Final, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb import metrics
from wasinn_nb.cards import ModelCard
from wasinn_nb.catalog import Model
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.evaluation.labels import (
    IGNORED,
    Classes,
    ClassMap,
    LabelSet,
    Side,
    class_map,
    label_set,
)
from wasinn_nb.evaluation.pairs import Pair, paired
from wasinn_nb.evaluation.scores import Evaluation, ImageCounts, Sample
from wasinn_nb.masks import resize_labels
from wasinn_nb.pipeline import Pipeline
from wasinn_nb.progress import Progress, progress_bar
from wasinn_nb.segmentation import SegmentationResult

__all__ = ["ClassMap", "Evaluation", "LabelSet", "evaluate"]

_KEPT: Final = 6
_ASPECT_TOLERANCE: Final = 0.02  # a mask may be rounded to another size, not turned or cut
_ORIENTATION: Final = 0x0112
_FIRST_SIDEWAYS: Final = 5


def evaluate(
    predictions: Any,
    truths: Any,
    *,
    model: Pipeline | ModelCard | Model | str | os.PathLike[str] | None = None,
    mapping: Mapping[Side, Side] | None = None,
    ignore: Any = None,
    classes: Classes | None = None,
    dilation_ratio: float = metrics.DILATION_RATIO,
    worst: int = _KEPT,
    progress: Progress = True,
) -> Evaluation:
    """Judge predictions by ground truth.

    Labels are compared at the truth's size.  A prediction of another size is resized: its scores
    before their argmax where it has them, else its labels by nearest.

    Parameters
    ----------
    predictions : folder, mapping of name → item, one item, or iterable of items
        Items are `SegmentationResult`, integer arrays (H, W), or masks as files.  With a *model*
        to run they are its photographs.
    truths : folder, mapping, one item, or iterable of items
        Index masks, palette masks (their indices count), RGB masks (see *classes*) or integer
        arrays.  Files, and the keys of mappings, are paired with the predictions by name (a file's
        name without its suffix); what has no name, by order.
    model : Pipeline, name, path, Model or ModelCard, optional
        What segments the photographs.  A `ModelCard` runs nothing: it names the classes of masks.
    mapping : mapping, optional
        Classes of the data → classes of the model that are the same; one name or several on either
        side, or indices: ``{"road": ("road", "mark")}``.  All the others, on either side, become
        one class ``other``, which no mean includes.  Labels are mapped after the argmax.  Default:
        classes of one name are the same.
    ignore : label, class name, colour, or a sequence of them, optional
        Pixels with these values in the truth do not count, whatever was predicted there.
    classes : int, sequence of str, or mapping, optional
        The data's classes: how many, their names in the order of their labels, name → label, or
        for RGB masks name → (red, green, blue).  Default: the model's.
    dilation_ratio : float
        How far the boundary of a mask reaches for the boundary IoU, as a part of the diagonal; see
        `metrics.boundary_iou`.
    worst : int
        How many of the worst images are kept to be shown.
    progress : bool or callable
        Show a bar in a terminal or notebook; or call ``progress(so_far, in_all)`` with images.

    Returns
    -------
    Evaluation

    Raises
    ------
    InvalidArgumentError
        If a pair is incomplete, classes do not fit each other, or a photograph has another aspect
        ratio than its mask.
    TensorError
        If a mask holds values that are no class; it names them.
    ImageError, MissingFileError
        If a mask or photograph cannot be read, or a mask comes from a lossy format such as JPEG.

    Examples
    --------
    >>> truth = np.array([[0, 0, 1, 1], [0, 0, 1, 9]], np.uint8)
    >>> predicted = np.array([[0, 0, 1, 1], [0, 1, 1, 1]], np.uint8)
    >>> evaluate(predicted, truth, classes=("background", "road"), ignore=9)
    Evaluation(1 image, 7 pixels counted)
    class       IoU     Dice    accuracy  boundary IoU  pixels
    background  0.7500  0.8571  0.7500    0.7500        4
    road        0.7500  0.8571  1.0000    0.7500        3
    mean IoU 0.7500, pixel accuracy 0.8571
    - mean over background, road
    - pixels of all images count together; the mean of each image's own is 0.7500
    - ignored in the truth: 9, 1 pixel (12.50 %)
    - accuracy is the part of the true pixels that was found; a boundary reaches 2 % of the diagonal
      inwards

    The shipped model on a shipped scene:

    >>> import wasinn_nb as wn
    >>> found = evaluate("city-crosswalk", wn.mask("city-crosswalk"), model=wn.Pipeline())
    >>> found.classes, found.iou["road"] > 0.5
    (('background', 'road', 'curb', 'mark'), True)
    """
    if worst < 0:
        raise InvalidArgumentError(f"expected how many images to keep, got {worst}")
    pairs = paired(predictions, truths)
    predict = _predictor(model, classes)
    tally: _Tally | None = None
    for pair in progress_bar(pairs, progress=progress, desc="evaluate", unit="image", leave=False):
        found = predict(pair)
        card = found.card if isinstance(found, SegmentationResult) else _card(model)
        if tally is None:
            data = label_set(_said(classes, card), ignore)
            tally = _Tally(data, card, class_map(data, card, mapping), dilation_ratio, worst)
        tally.add(pair, found, card)
    if tally is None:  # pairs are never empty
        raise InvalidArgumentError("expected at least one image, got none")
    return tally.evaluation()


class _Tally:
    """What was counted so far."""

    def __init__(
        self, data: LabelSet, card: ModelCard | None, known: ClassMap, ratio: float, worst: int
    ) -> None:
        self._data, self._card, self._map = data, card, known
        self._ratio, self._worst = ratio, worst
        size = len(known.names)
        self._matrix = np.zeros((size, size), np.int64)
        self._boundary = np.zeros((2, size), np.int64)
        self._counts: list[ImageCounts] = []
        self._samples: list[tuple[float, Sample]] = []
        self._resized = 0

    def add(self, pair: Pair, found: Any, card: ModelCard | None) -> None:
        """Count one image."""
        if (card and card.classes) != (self._card and self._card.classes):
            raise InvalidArgumentError(
                f"{pair.name}: its prediction has other classes than those before; "
                f"evaluate each model by itself"
            )
        truth = self._data.indices(pair.truth, f"truth {pair.name}")
        result = found if isinstance(found, SegmentationResult) else None
        labels = self._labels(pair, found, truth.shape)
        true, predicted = self._map.from_truth[truth], self._map.from_predicted[labels]
        size = len(self._map.names)
        matrix = metrics.confusion_matrix(true, predicted, size, ignore=IGNORED)
        self._matrix += matrix
        self._boundary += metrics.boundary_counts(
            true, predicted, size, ignore=IGNORED, dilation_ratio=self._ratio
        )
        count = ImageCounts(
            pair.name,
            np.diag(matrix).copy(),
            matrix.sum(axis=1),
            matrix.sum(axis=0),
            true.size - int(matrix.sum()),
        )
        self._counts.append(count)
        own = count.iou[: size - self._map.has_other]
        miou = metrics.mean_over_classes(own)
        # Of equal ones the first stays, as in the table of images.
        ranked = (
            math.inf if math.isnan(miou) else miou,
            Sample(pair.name, true, predicted, result, miou),
        )
        self._samples = sorted([*self._samples, ranked], key=lambda s: s[0])[: self._worst]

    def _labels(self, pair: Pair, found: Any, size: tuple[int, ...]) -> NDArray[np.uint8]:
        """Return the predicted classes at the truth's size."""
        height, width = size
        if not isinstance(found, SegmentationResult):
            own = LabelSet(self._data.names, self._data.values)
            if self._card is not None:
                own = LabelSet(self._card.classes, tuple(range(len(self._card.classes))))
            labels = own.indices(found, f"prediction {pair.name}")
        else:
            _refuse_other_aspect(pair.name, found, (height, width))
            labels = found.labels
        if labels.shape == size:
            return labels
        self._resized += 1
        if isinstance(found, SegmentationResult):
            return found.labels_at(height, width)
        return resize_labels(labels, height, width)

    def evaluation(self) -> Evaluation:
        """Return what was counted."""
        names = dict(zip(self._data.values, self._data.names, strict=True))
        return Evaluation(
            "" if self._card is None else self._card.name,
            self._map,
            self._matrix,
            self._boundary,
            tuple(self._counts),
            ", ".join(str(names.get(value, value)) for value in self._data.ignored),
            self._resized,
            self._ratio,
            tuple(sample for _, sample in self._samples),
        )


def _predictor(model: Any, classes: Classes | None) -> Callable[[Pair], Any]:
    """Return what makes a prediction of a pair: runs the model, or hands on what there is."""
    if model is None or isinstance(model, ModelCard):

        def as_given(pair: Pair) -> Any:
            if not isinstance(pair.prediction, SegmentationResult):
                _said(classes, _card(model))
            return pair.prediction

        return as_given
    pipeline = model if isinstance(model, Pipeline) else Pipeline(model)

    def run(pair: Pair) -> SegmentationResult:
        if isinstance(pair.prediction, SegmentationResult):
            raise InvalidArgumentError(
                f"{pair.name}: expected a photograph for the model, got a result; "
                f"leave model out to evaluate results"
            )
        return cast("SegmentationResult", pipeline(pair.prediction))

    return run


def _card(model: Any) -> ModelCard | None:
    return model if isinstance(model, ModelCard) else None


def _said(classes: Classes | None, card: ModelCard | None) -> Classes:
    if classes is not None:
        return classes
    if card is None or not card.classes:
        raise InvalidArgumentError(
            "nothing says what the masks' values are; pass classes=(NAME, …), "
            "or model= where the predictions are photographs"
        )
    return card.classes


def _refuse_other_aspect(name: str, result: SegmentationResult, size: tuple[int, int]) -> None:
    """Refuse a mask that cannot be that of the photograph: turned, cut, or of another image."""
    if result.image is None:
        return
    if isinstance(result.image, np.ndarray):
        height, width = result.image.shape[:2]
    else:
        with Image.open(io.BytesIO(result.image)) as image:  # type: ignore[arg-type]  # bytes
            width, height = image.size
            applied = result.recipe is not None and result.recipe.exif == "apply"
            if applied and image.getexif().get(_ORIENTATION, 1) >= _FIRST_SIDEWAYS:
                width, height = height, width
    if abs(math.log(width * size[0] / (height * size[1]))) > _ASPECT_TOLERANCE:
        raise InvalidArgumentError(
            f"{name}: the photograph has {width}x{height} pixels, its mask {size[1]}x{size[0]}: "
            f"another aspect ratio; check the pair, and whether EXIF turns the photograph"
        )
