"""What is odd about an output alone, without the image that it belongs to."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.cards import UNNAMED_CLASS, unnamed_class
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.runtimes import MOSTLY_SATURATED, row_saturates
from wasinn_nb.wording import percent

__all__ = ["Alarm", "alarms", "is_row"]

# Probabilities come out of a softmax in bfloat16 with sums off by up to 1 %.
_SUM_TOLERANCE: Final = 0.02
_SURE: Final = 0.98
_SATURATED: Final = 0.9999
_SINGLE: Final = 0.9999
_STRIPES: Final = 3.0
_MOST_OF_ONE: Final = 2  # names that a model of one class may have
# Of fewer classes, and with a higher probability than so many times chance, one stands out.
_MANY: Final = 10
_FLAT: Final = 2.0
_NO_IMAGE: Final = "the model received no image, or did not run"


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is odd about an output.

    Attributes
    ----------
    name : str
        ``empty``, ``not a number``, ``constant``, ``single class``, ``class never seen``,
        ``logits``, ``not probabilities``, ``sums``, ``saturated``, ``stripes``, ``not a label``,
        ``flat``.
    sentence : str
        What it is, with figures.
    serious : bool
        Whether a right output never shows it; otherwise some images do.
    """

    name: str
    sentence: str
    serious: bool = True


def alarms(
    output: NDArray[Any],
    classes: Sequence[str] = (),
    *,
    threshold: float | None = None,
    logits: bool | None = None,
    channels_last: bool | None = None,
) -> tuple[Alarm, ...]:
    """Return what is odd about an output, the most serious first.

    Parameters
    ----------
    output : array
        (C, H, W) or (1, C, H, W) scores; the same with the classes last; (H, W) labels; the scores
        of one class, with an axis of one element or, where they are not whole numbers, without; or
        the scores of a classifier, (C,), (1, C), (1, C, 1, 1) or (1, 1, 1, C).
    classes : sequence of str
        The names of the classes; of one class its name alone, or after what is not of it.
    threshold : float, optional
        Of one class: the probability above which a pixel belongs to it.  Default: 0.5.
    logits : bool, optional
        Of one class: whether its scores are logits.  Default: as the values suggest.
    channels_last : bool, optional
        Whether the classes are the last axis.  Default: as the number of classes suggests.

    Raises
    ------
    InvalidArgumentError
        If it is of another shape.

    Examples
    --------
    >>> scores = np.zeros((2, 4, 4), np.float32)
    >>> scores[0] = 1
    >>> [alarm.name for alarm in alarms(scores, ["background", "road"])]
    ['constant', 'single class', 'saturated']
    >>> print(alarms(np.full((1, 1000), 0.001, np.float32))[0].sentence)
    Every class has the same score, 0.001: the model received no image, or did not run.
    """
    with np.errstate(all="ignore"):  # outputs hold anything
        return _alarms(output, classes, threshold, logits, channels_last)


def is_row(output: NDArray[Any]) -> bool:
    """Whether an output is one row of scores, as a classifier gives it.

    Examples
    --------
    >>> is_row(np.zeros((1, 5, 1, 1))), is_row(np.zeros((5, 1))), is_row(np.zeros((1, 5, 5)))
    (True, False, False)
    """
    if output.ndim == 2 and output.shape[0] != 1:
        return False
    return output.ndim > 0 and sum(side != 1 for side in output.shape) <= 1


def _alarms(
    output: NDArray[Any],
    classes: Sequence[str],
    threshold: float | None,
    logits: bool | None,
    channels_last: bool | None,
) -> tuple[Alarm, ...]:
    if output.size == 0:
        return (Alarm("empty", f"The output is empty: its shape is {output.shape}."),)
    if is_row(output):
        return _of_row(output.reshape(-1), classes)
    planes = output[0] if output.ndim == 4 and output.shape[0] == 1 else output
    if planes.ndim == 3 and _classes_last(planes.shape, classes, channels_last):
        planes = np.moveaxis(planes, 2, 0)
    if planes.ndim not in {2, 3}:
        raise InvalidArgumentError(
            f"expected scores (C, H, W) or labels (H, W), got an array of shape {output.shape}"
        )
    real = planes.dtype.kind == "f"
    if planes.ndim == 3 and len(planes) > 1:
        return _of_scores(planes.astype(np.float32, copy=False), classes)
    plane = planes[0] if planes.ndim == 3 else planes
    if len(classes) == 1:  # what is not of the class comes before it
        classes = (UNNAMED_CLASS[0], *classes)
    whole = planes.ndim == 2 and bool((plane == np.floor(plane)).all())
    if real and not whole and len(classes) <= _MOST_OF_ONE:
        name = (classes or UNNAMED_CLASS)[-1]
        return _of_plane(plane, name, threshold or 0.5, logits)
    return _of_labels(plane, classes)


def _classes_last(
    shape: tuple[int, ...], classes: Sequence[str], channels_last: bool | None
) -> bool:
    """Return whether the last of three axes is that of the classes."""
    if channels_last is not None:
        return channels_last
    counts = {len(classes)} if len(classes) > _MOST_OF_ONE else {len(classes), 1} - {0}
    return shape[2] in counts and shape[0] not in counts


def _of_row(scores: NDArray[Any], classes: Sequence[str]) -> tuple[Alarm, ...]:
    """Return what is odd about the scores of a classifier."""
    values = scores.astype(np.float64)
    if not np.isfinite(values).all():
        return (_not_a_number(values),)
    low, high, total = values.min(), values.max(), values.sum()
    if low == high and values.size > 1:
        sentence = f"Every class has the same score, {high:.4g}: {_NO_IMAGE}."
        return (Alarm("constant", sentence),)
    if scores.dtype.kind != "f":
        return ()  # quantized: only the model says what they stand for
    top = int(values.argmax())
    name = classes[top] if top < len(classes) else unnamed_class(top)
    found: list[Alarm] = []
    if low < 0 or high > 1 + _SUM_TOLERANCE:
        high = 1 / np.exp(values - high).sum()
        sentence = (
            f"The scores run from {low:.4g} to {values[top]:.4g}: logits, not probabilities. The "
            f"order is the same; a softmax gives {name} a probability of {high:.4f}."
        )
        found.append(Alarm("logits", sentence, serious=False))
        if row_saturates(values):
            sentence = (
                "The scores are so far apart that one class has a probability of exactly 1 and all "
                "others have 0: the input is probably scaled wrongly (range, mean, scale)."
            )
            found.append(Alarm("saturated", sentence))
    elif abs(total - 1) > _SUM_TOLERANCE:
        sentence = (
            f"The scores sum to {total:.4g}, not to 1: no softmax over the classes; a sigmoid for "
            f"each class gives such scores."
        )
        return (Alarm("sums", sentence, serious=False),)
    if values.size >= _MANY and high * values.size < _FLAT:
        sentence = (
            f"No class stands out: the highest probability is {high:.4f} ({name}), and "
            f"{1 / values.size:.4f} is that of chance; this image may show none of the classes, or "
            f"the range of the input's values is wrong."
        )
        found.append(Alarm("flat", sentence, serious=False))
    return _sorted(found)


def _of_plane(
    plane: NDArray[Any], name: str, threshold: float, logits: bool | None
) -> tuple[Alarm, ...]:
    """Return what is odd about the scores of one class."""
    scores = plane.astype(np.float32, copy=False)
    if not np.isfinite(scores).all():
        return (_not_a_number(scores),)
    low, high = float(scores.min()), float(scores.max())
    found: list[Alarm] = []
    if low == high and scores.size > 1:
        sentence = f"Every pixel has the same score, {low:.4g}: {_NO_IMAGE}."
        found.append(Alarm("constant", sentence))
    if logits is None:
        logits = low < 0 or high > 1 + _SUM_TOLERANCE
        if logits:
            sentence = (
                f"The scores run from {low:.4g} to {high:.4g}: logits of one class, not "
                f"probabilities. A sigmoid gives probabilities."
            )
            found.append(Alarm("logits", sentence, serious=False))
            part = float((1 + np.exp(-np.abs(scores)) == 1).mean())
            found += [_saturated(part)] if part > MOSTLY_SATURATED else []
    elif not logits and (low < 0 or high > 1 + _SUM_TOLERANCE):
        sentence = (
            f"The scores run from {low:.4g} to {high:.4g}, but are stated to be probabilities, "
            f"which are between 0 and 1: the statement is wrong, or the output is another one."
        )
        found.append(Alarm("not probabilities", sentence))
    limit = math.log(threshold / (1 - threshold)) if logits else threshold
    labels = (scores > limit).astype(np.uint8)
    if not labels.any():
        sentence = (
            f"No pixel is {name}: the highest score is {high:.4g}, the threshold {limit:.4g}. This "
            f"image may show none, or the range of the input's values is wrong."
        )
        found.append(Alarm("class never seen", sentence, serious=False))
    elif labels.all():
        sentence = (
            f"Every pixel is {name}: the lowest score is {low:.4g}, the threshold {limit:.4g}. "
            f"This image may show nothing else, or the range of the input's values is wrong."
        )
        found.append(Alarm("single class", sentence, serious=False))
    return _sorted([*found, *_of_shape(labels)])


def _not_a_number(scores: NDArray[Any]) -> Alarm:
    bad = int(scores.size - np.isfinite(scores).sum())
    sentence = f"{bad} of {scores.size} scores are NaN or infinite: the input held such values."
    return Alarm("not a number", sentence)


def _of_scores(scores: NDArray[np.float32], classes: Sequence[str]) -> tuple[Alarm, ...]:
    if not np.isfinite(scores).all():
        return (_not_a_number(scores),)
    found: list[Alarm] = []
    if (np.ptp(scores, axis=(1, 2)) == 0).all():
        sentence = f"Every pixel has the same scores: {_NO_IMAGE}."
        found.append(Alarm("constant", sentence))
    found += _of_sums(scores)
    labels = scores.argmax(0)
    top = scores.max(0)
    probable = not any(alarm.name == "logits" for alarm in found)
    found += _of_areas(labels, len(scores), classes, top.mean() if probable else None)
    if probable and top.min() >= _SATURATED:
        sentence = (
            f"Every pixel's highest score is at least {_SATURATED}: the scores are saturated, or "
            f"rounded to labels."
        )
        found.append(Alarm("saturated", sentence))
    found += _of_shape(labels)
    return _sorted(found)


def _of_sums(scores: NDArray[np.float32]) -> list[Alarm]:
    low, high = float(scores.min()), float(scores.max())
    sums = scores.sum(0)
    least, most = float(sums.min()), float(sums.max())
    if low < 0 or high > 1 + _SUM_TOLERANCE:
        soft = np.exp(scores - scores.max(0))
        sure = float((1 / soft.sum(0)).mean())
        sentence = (
            f"The scores run from {low:.4g} to {high:.4g}: logits, not probabilities. The argmax "
            f"is the same; a softmax gives a mean top probability of {sure:.4f}."
        )
        found = [Alarm("logits", sentence, serious=False)]
        part = float((soft.sum(0) == 1).mean())  # the term of the highest score is 1
        return [*found, _saturated(part)] if part > MOSTLY_SATURATED else found
    if max(1 - least, most - 1) > _SUM_TOLERANCE:
        sentence = (
            f"The scores of a pixel sum to {least:.4g} up to {most:.4g}, not to 1: no softmax over "
            f"the classes, or planes that are read in the wrong layout."
        )
        return [Alarm("sums", sentence)]
    return []


def _saturated(part: float) -> Alarm:
    return Alarm(
        "saturated",
        f"The scores are so far apart that a probability is exactly 1 at {percent(part)} of the "
        f"pixels: the input is probably scaled wrongly (range, mean, scale).",
    )


def _of_areas(
    labels: NDArray[Any], count: int, classes: Sequence[str], top: float | None
) -> list[Alarm]:
    areas = np.bincount(labels.ravel(), minlength=count)
    names = [classes[i] if i < len(classes) else unnamed_class(i) for i in range(len(areas))]
    largest = int(areas.argmax())
    part = areas[largest] / areas.sum()
    if part >= _SINGLE:
        sure = "" if top is None else f", with a mean top score of {top:.4f}"
        sentence = f"{percent(part)} of the pixels are {names[largest]}{sure}"
        if top is not None and top >= _SURE:
            sentence += (
                ": models are so sure of one class where the input is not an image (wrong layout "
                "or size)"
            )
        # Of one class there is nothing in many images; only scores show that a model is too sure.
        serious = top is not None or not 1 <= len(classes) <= _MOST_OF_ONE
        return [Alarm("single class", f"{sentence}.", serious=serious)]
    missing = [name for name, area in zip(names, areas, strict=True) if not area]
    if missing and len(names) <= 32:
        sentence = (
            f"No pixel is {' or '.join(missing)}: this image may have none, or the range of the "
            f"input's values is wrong."
        )
        return [Alarm("class never seen", sentence, serious=False)]
    return []


def _of_shape(labels: NDArray[Any]) -> list[Alarm]:
    """Look for labels that change along one axis much more often than along the other."""
    if min(labels.shape) < 32:
        return []
    down = float((labels[1:] != labels[:-1]).mean())
    right = float((labels[:, 1:] != labels[:, :-1]).mean())
    changes = down + right
    if changes < 1e-3:
        return []
    if changes > 0.5:
        sentence = (
            f"Neighboring pixels differ {50 * changes:.0f} % of the time: the mask is noise, as "
            f"when planes are read as pixels."
        )
        return [Alarm("stripes", sentence)]
    height, width = labels.shape
    # Read with rows of another length, a mask shears into stripes that repeat.
    turned = labels.reshape(width, height)
    other_down = float((turned[1:] != turned[:-1]).mean())
    other_right = float((turned[:, 1:] != turned[:, :-1]).mean())
    others = other_down + other_right
    if height != width and others * _STRIPES < changes:
        sentence = (
            f"Read as {width} rows of {height} pixels the mask is {changes / others:.0f} "
            f"times smoother: its height and width look swapped."
        )
        return [Alarm("stripes", sentence)]
    return []


def _of_labels(labels: NDArray[Any], classes: Sequence[str]) -> tuple[Alarm, ...]:
    values = np.asarray(labels)
    if not np.isfinite(values).all():
        return (Alarm("not a number", "Some labels are NaN or infinite."),)
    if (values < 0).any() or (values != np.floor(values)).any() or values.max() > 255:
        sentence = (
            f"The values run from {values.min():.4g} to {values.max():.4g}: these are not labels."
        )
        return (Alarm("not a label", sentence),)
    whole = values.astype(np.uint8)
    count = max(len(classes), int(whole.max()) + 1)
    found = []
    if classes and int(whole.max()) >= len(classes):
        sentence = (
            f"Label {whole.max()} is not one of the {len(classes)} classes, 0 to "
            f"{len(classes) - 1}."
        )
        found.append(Alarm("not a label", sentence))
    return _sorted([*found, *_of_areas(whole, count, classes, None), *_of_shape(whole)])


def _sorted(found: list[Alarm]) -> tuple[Alarm, ...]:
    return tuple(sorted(found, key=lambda alarm: not alarm.serious))
