"""The task ``segmentation``: reads a model's mask and makes `SegmentationResult` of it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.cards import (
    BOUNDED,
    DEFAULT_THRESHOLD,
    UNBOUNDED,
    UNNAMED_CLASS,
    Assumption,
    ModelCard,
    Signature,
    assumed_classes,
    assumed_scores,
    assumed_threshold,
    unnamed_classes,
)
from wasinn_nb.errors import InvalidArgumentError, Remedy, TensorError
from wasinn_nb.imaging import WHOLE, Coverage, ImageSource, Placement, PreprocessRecipe
from wasinn_nb.origin import Origin
from wasinn_nb.render import distinct_palette
from wasinn_nb.runtimes import NOT_A_NUMBER, Head, confidence_maps, nan_error
from wasinn_nb.tasks.segmentation.confidence import Confidence
from wasinn_nb.tasks.segmentation.masks import labels_of
from wasinn_nb.tasks.segmentation.outputs import MaskOutput, mask_output
from wasinn_nb.tasks.segmentation.result import SegmentationResult
from wasinn_nb.tensor import Tensor
from wasinn_nb.wording import counted

__all__ = ["MaskReading", "Segmentation", "with_background"]

_UNKNOWN_LABELS: Final = 256
# exp(-16) is more than half a step of float32 below 1.
_FAR: Final = 16.0
# Sums of rounded probabilities: bfloat16 and 8-bit outputs are off by up to 2 %.
_SUM_TOLERANCE: Final = 0.02


class Segmentation:
    """The task of models that give a class for every pixel; see `wasinn_nb.tasks.Task`."""

    name: Final = "segmentation"
    call: Final = "wasinn_nb.segment"

    def read(
        self, signature: Signature, card: ModelCard, recipe: PreprocessRecipe, *, scores: bool
    ) -> MaskReading:
        """Return how a segmentation model is read; see :meth:`wasinn_nb.tasks.Task.read`."""
        found = mask_output(signature, card, (recipe.height, recipe.width))
        if card.threshold is not None and found.scale != "one class":
            raise InvalidArgumentError(
                f"a threshold is for models of one class; {card.name} gives "
                f"{'labels' if found.scale == 'labels' else counted(found.planes[0], 'class')}: "
                f"leave it out"
            )
        logits = _logits(found, card)
        threshold = DEFAULT_THRESHOLD if card.threshold is None else card.threshold
        # Where only the values tell whether they are logits, the result has to see them.
        reduce = {"scores": "argmax", "labels": "labels", "one class": "threshold"}[found.scale]
        head = Head(
            found.index,
            found.planes,
            found.channels_last,
            "none" if found.scale == "one class" and logits is None else reduce,  # type: ignore[arg-type]
            _as_output(threshold, logits=bool(logits)),
            (scores and found.scale != "labels") or (found.scale == "one class" and logits is None),
            found.port.quantization,
        )
        return MaskReading(
            found,
            head,
            _completed(card, found),
            logits,
            threshold,
            scores,
            counted=found.scale != "labels" or bool(card.classes),
        )


@dataclass(frozen=True, slots=True)
class MaskReading:
    """How a segmentation model is read; see `wasinn_nb.tasks.Reading`.

    Parameters
    ----------
    output : MaskOutput
    head : Head
    card : ModelCard
        With a name for every class.
    logits : bool or None
        Of one class: whether its scores are logits; None where only the values tell.
    threshold : float
        Of one class: the probability above which a pixel belongs to it.
    scores : bool
        Whether results keep the scores.
    counted : bool
        Whether the output or a card tells how many classes there are.
    measured : bool
        Whether results say how sure the model was of them.
    """

    output: MaskOutput
    head: Head
    card: ModelCard
    logits: bool | None
    threshold: float
    scores: bool
    counted: bool = True
    measured: bool = False
    task: ClassVar[str] = Segmentation.name

    @property
    def facts(self) -> Mapping[str, str]:
        """How the output is read, in words."""
        output = self.output
        facts = {"output": output.name}
        if output.scale == "scores":
            facts["class axis"] = f"{output.axis}, {counted(output.planes[0], 'class')}"
        elif output.scale == "labels":
            facts["values"] = "labels: the highest class is chosen inside the model"
        else:
            kinds = {
                True: "logits",
                False: "probabilities",
                None: "probabilities or logits as the values tell",
            }
            facts["values"] = f"one class, {kinds[self.logits]}"
            facts["threshold"] = f"{self.threshold:g}"
        return facts

    @property
    def assumed_facts(self) -> Mapping[str, Assumption]:
        """Which of the facts are assumed."""
        found: dict[str, Assumption] = {}
        if not self.counted:
            found["classes"] = assumed_classes(len(self.card.classes))
        if self.output.scale == "one class":
            if self.logits is None:
                found["values"] = assumed_scores(logits=None)
            if self.card.threshold is None:
                found["threshold"] = assumed_threshold()
        return found

    def measuring(self) -> MaskReading:
        """Return the same reading, whose results say how sure the model was, if that can be told.

        What are labels already has no confidences.
        """
        if self.output.scale == "labels":
            return self
        head, logits = self.head, self._as_logits
        if head.reduce == "none" or logits is None:
            # Only the values tell, so that they are looked at.
            head = replace(head, keep=True)
        else:
            head = replace(head, confidence="logits" if logits else "probabilities")
        return replace(self, head=head, measured=True)

    @property
    def _as_logits(self) -> bool | None:
        """Whether the scores are logits, of any number of classes; None where the values tell."""
        if self.output.scale == "one class":
            return self.logits
        if self.card.logits is not None:
            return self.card.logits
        operation = self.output.port.operation
        if operation in BOUNDED:
            return False
        return True if operation in UNBOUNDED else None

    def result(
        self,
        outputs: Sequence[Tensor],
        image: ImageSource | None,
        origin: Origin,
        timings: Mapping[str, float],
        *,
        size: tuple[int, int],
        assumed: Sequence[str] = (),
    ) -> SegmentationResult:
        """Make a result; see :meth:`wasinn_nb.tasks.Reading.result`."""
        arrays = [output.to_array()[0] for output in outputs]
        labels = None if self.head.reduce == "none" else arrays.pop(0)
        maps = arrays.pop() if self.head.confidence != "none" else None
        scores: NDArray[np.float32] | None = arrays.pop(0) if arrays else None
        own = dict(self.assumed_facts)
        one_class = self.output.scale == "one class"
        logits = self._as_logits
        if one_class and scores is not None:
            if logits is None:
                logits = bool(scores.min() < 0 or scores.max() > 1)
                own["values"] = assumed_scores(logits=logits)
            scores = _sigmoid(scores) if logits else scores
        elif scores is not None and logits is None:
            logits = not _are_shares(scores)
        if labels is None:
            assert scores is not None  # noqa: S101 - nothing is reduced, so it is kept
            labels = labels_of(scores, self.threshold)
        self._check(labels)
        softmax = bool(logits) and not one_class
        if scores is not None and maps is None:
            near = float(scores.max()) - float(scores.min()) < _FAR  # not so where any is infinite
            far_apart = logits and (one_class or not near)
            if self.measured or far_apart:
                maps = confidence_maps(scores, "logits" if softmax else "probabilities")
        covers = WHOLE
        if (recipe := origin.recipe) is not None:
            model = recipe.height, recipe.width
            placement = Placement.of(recipe, *size)
            covers, *kept = Coverage.of(labels.shape, model, placement, size)
            labels = labels[*kept]
            scores = None if scores is None else scores[:, *kept]
            maps = None if maps is None else maps[:, *kept]
        planes = self.output.planes[0] if logits else 0
        sure = None if maps is None else Confidence.of_maps(maps, planes)
        return SegmentationResult(
            labels,
            self.card,
            scores if self.scores else None,
            image,
            origin.recipe,
            origin.target,
            origin.precision,
            timings,
            origin.sha384,
            origin.versions,
            origin.files,
            origin.runtime,
            self.threshold if one_class else None,
            (*assumed, *own.values()),
            covers,
            sure if self.measured else None,
            () if sure is None else sure.remarks,
        )

    def _check(self, labels: NDArray[np.uint8]) -> None:
        highest, classes = int(labels.max()), len(self.card.classes)
        if highest < classes:
            return
        if highest == NOT_A_NUMBER and self.head.reduce in {"argmax", "threshold"}:
            wrong = int((labels == highest).sum())
            raise nan_error(f"{wrong} of {labels.size} pixels have scores that are NaN")
        raise TensorError(
            f"the model gives label {highest}, the card of {self.card.name} names "
            f"{counted(classes, 'class')}: 0 to {classes - 1}; nothing states how many labels it "
            f"has, and this image needs at least {highest + 1}",
            remedy=_more_classes(self.card, highest + 1),
        )


def _more_classes(card: ModelCard, least: int) -> Remedy:
    """Return what to do about a card that names fewer labels than a model gives.

    Without names, as many as a mask can hold are enough for each image; names are kept.
    """
    given = len(card.classes)
    more = unnamed_classes(least)[given:]
    if card.classes == unnamed_classes(given) or any("," in name for name in card.classes):
        return Remedy(
            f"pass a card that names all of them; {_UNKNOWN_LABELS} are enough for any image",
            [{"classes": _UNKNOWN_LABELS}],
        )
    return Remedy("pass a card that names all of them", [{"classes": [*card.classes, *more]}])


def _are_shares(scores: NDArray[np.float32]) -> bool:
    """Return whether the scores of each pixel are parts of 1."""
    if scores.min() < 0 or scores.max() > 1:
        return False
    return bool(np.abs(scores.sum(axis=0) - 1).max() <= _SUM_TOLERANCE)


def _logits(found: MaskOutput, card: ModelCard) -> bool | None:
    """Return whether one-class scores are logits; None where only the values tell."""
    if found.scale != "one class":
        return False
    if card.logits is not None:
        return card.logits
    if found.port.operation in BOUNDED:
        return False
    return True if found.port.operation in UNBOUNDED else None


def _as_output(threshold: float, *, logits: bool) -> float:
    """Return a threshold of probabilities in the output's own units."""
    return math.log(threshold / (1 - threshold)) if logits else threshold


def _sigmoid(values: NDArray[np.float32]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):  # exp of a large number is infinite, and 1 / inf is 0
        return (1 / (1 + np.exp(-values))).astype(np.float32)


def with_background(card: ModelCard) -> ModelCard:
    """Return a card whose one class comes after what is not of it; other cards as they are.

    Examples
    --------
    >>> with_background(ModelCard("toy", "segmentation", classes=("person",))).classes
    ('background', 'person')
    """
    if len(card.classes) != 1:
        return card
    if card.classes == UNNAMED_CLASS[:1]:
        raise InvalidArgumentError(
            f"the card of {card.name} names one class, {card.classes[0]!r}, which is what is not "
            f"of the class",
            remedy=Remedy(
                "name the class itself, such as classes=('person',)", [{"classes": ["person"]}]
            ),
        )
    own = card.palette if card.palette != distinct_palette(1) else ()
    classes = "background", *card.classes
    return card.replace(classes=classes, palette=((0, 0, 0), *own) if own else ())


def _completed(card: ModelCard, found: MaskOutput) -> ModelCard:
    """Return a card that names every class of the output."""
    given = len(card.classes)
    if found.scale == "one class":
        if given == 0:
            return card.replace(classes=UNNAMED_CLASS)
        if given == 1:
            return with_background(card)
        count = 2
    elif found.scale == "labels":
        if given == 0:
            return card.replace(classes=unnamed_classes(_UNKNOWN_LABELS))
        return card
    else:
        count = found.planes[0]
        if given == 0:
            return card.replace(classes=unnamed_classes(count))
    if given != count:
        raise InvalidArgumentError(
            f"the card of {card.name} names {counted(given, 'class')}, the model's "
            f"output has {count}"
        )
    return card
