"""What an output alone shows to be odd, without the picture it was made for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.tables import percent

__all__ = ["Alarm", "alarms"]

# Probabilities come out of a softmax in bfloat16 with sums off by up to 1 %.
_SUM_TOLERANCE: Final = 0.02
_SURE: Final = 0.98
_SATURATED: Final = 0.9999
_SINGLE: Final = 0.9999
_STRIPES: Final = 3.0


@dataclass(frozen=True, slots=True)
class Alarm:
    """One thing that is odd about an output.

    Attributes
    ----------
    name : str
        ``empty``, ``not a number``, ``constant``, ``single class``, ``class never seen``,
        ``logits``, ``negative``, ``sums``, ``saturated``, ``stripes``, ``not a label``.
    sentence : str
        What it is, with figures.
    serious : bool
        Whether a right output never shows it; otherwise some pictures do.
    """

    name: str
    sentence: str
    serious: bool = True


def alarms(output: NDArray[Any], classes: Sequence[str] = ()) -> tuple[Alarm, ...]:
    """Return what is odd about an output, the most serious first.

    Parameters
    ----------
    output : (C, H, W), (1, C, H, W) or (1, C) scores, or (H, W) labels
    classes : sequence of str
        The names of the classes.

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
    """
    with np.errstate(all="ignore"):  # outputs hold anything
        return _alarms(output, classes)


def _alarms(output: NDArray[Any], classes: Sequence[str]) -> tuple[Alarm, ...]:
    if output.size == 0:
        return (Alarm("empty", f"The output is empty: its shape is {output.shape}."),)
    squeezed = output[0] if output.ndim in {4, 2} and output.shape[0] == 1 else output
    if squeezed.ndim == 1:
        squeezed = squeezed.reshape(-1, 1, 1)
    if squeezed.ndim == 2:
        return _of_labels(squeezed, classes)
    if squeezed.ndim != 3:
        raise InvalidArgumentError(
            f"expected scores (C, H, W) or labels (H, W), got an array of shape {output.shape}"
        )
    return _of_scores(squeezed.astype(np.float32, copy=False), classes)


def _of_scores(scores: NDArray[np.float32], classes: Sequence[str]) -> tuple[Alarm, ...]:
    finite = np.isfinite(scores)
    if not finite.all():
        bad = int(scores.size - finite.sum())
        said = f"{bad} of {scores.size} scores are NaN or infinite: the input held such values."
        return (Alarm("not a number", said),)
    found: list[Alarm] = []
    if scores.shape[1] * scores.shape[2] > 1 and (np.ptp(scores, axis=(1, 2)) == 0).all():
        said = "Every pixel has the same scores: the model saw no picture, or never ran."
        found.append(Alarm("constant", said))
    found += _of_sums(scores)
    if scores.shape[1] * scores.shape[2] == 1:
        return _sorted(found)
    labels = scores.argmax(0)
    top = scores.max(0)
    probable = not any(alarm.name in {"logits", "negative"} for alarm in found)
    found += _of_areas(labels, len(scores), classes, top.mean() if probable else None)
    if probable and top.min() >= _SATURATED:
        said = (
            f"Every pixel's highest score is at least {_SATURATED}: the scores are saturated, or "
            f"rounded to labels."
        )
        found.append(Alarm("saturated", said))
    found += _of_shape(labels)
    return _sorted(found)


def _of_sums(scores: NDArray[np.float32]) -> list[Alarm]:
    low, high = float(scores.min()), float(scores.max())
    sums = scores.sum(0)
    least, most = float(sums.min()), float(sums.max())
    if low < 0 or high > 1 + _SUM_TOLERANCE:
        soft = np.exp(scores - scores.max(0))
        sure = float((1 / soft.sum(0)).mean())
        said = (
            f"The scores run from {low:.4g} to {high:.4g}: logits, not probabilities. The argmax "
            f"is the same; a softmax gives a mean top probability of {sure:.4f}."
        )
        return [Alarm("logits", said, serious=False)]
    if max(1 - least, most - 1) > _SUM_TOLERANCE:
        said = (
            f"The scores of a pixel sum to {least:.4g} up to {most:.4g}, not to 1: no softmax over "
            f"the classes, or planes that are read in the wrong layout."
        )
        return [Alarm("sums", said)]
    return []


def _of_areas(
    labels: NDArray[Any], count: int, classes: Sequence[str], top: float | None
) -> list[Alarm]:
    areas = np.bincount(labels.ravel(), minlength=count)
    names = [classes[i] if i < len(classes) else f"class {i}" for i in range(len(areas))]
    largest = int(areas.argmax())
    part = areas[largest] / areas.sum()
    if part >= _SINGLE:
        sure = "" if top is None else f", with a mean top score of {top:.4f}"
        said = f"{percent(part)} of the pixels are {names[largest]}{sure}"
        if top is not None and top >= _SURE:
            said += ": so sure of one class are models that see no picture (wrong layout or size)"
        return [Alarm("single class", f"{said}.")]
    missing = [name for name, area in zip(names, areas, strict=True) if not area]
    if missing and len(names) <= 32:
        said = (
            f"No pixel is {' or '.join(missing)}: this picture may have none, or the range of the "
            f"input's values is wrong."
        )
        return [Alarm("class never seen", said, serious=False)]
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
        said = (
            f"Neighbouring pixels differ {changes / 2:.0%} of the time: the mask is noise, as when "
            f"planes are read as pixels."
        ).replace("%", " %", 1)
        return [Alarm("stripes", said)]
    height, width = labels.shape
    # Read with rows of another length, a mask shears into stripes that repeat.
    turned = labels.reshape(width, height)
    other_down = float((turned[1:] != turned[:-1]).mean())
    other_right = float((turned[:, 1:] != turned[:, :-1]).mean())
    others = other_down + other_right
    if height != width and others * _STRIPES < changes:
        said = (
            f"Read as {width} rows of {height} pixels the mask is {changes / others:.0f} "
            f"times smoother: its height and width look swapped."
        )
        return [Alarm("stripes", said)]
    return []


def _of_labels(labels: NDArray[Any], classes: Sequence[str]) -> tuple[Alarm, ...]:
    values = np.asarray(labels)
    if not np.isfinite(values).all():
        return (Alarm("not a number", "Some labels are NaN or infinite."),)
    if (values < 0).any() or (values != np.floor(values)).any() or values.max() > 255:
        said = f"The values run from {values.min():.4g} to {values.max():.4g}: these are no labels."
        return (Alarm("not a label", said),)
    whole = values.astype(np.uint8)
    count = max(len(classes), int(whole.max()) + 1)
    found = []
    if classes and int(whole.max()) >= len(classes):
        said = (
            f"Label {whole.max()} is none of the {len(classes)} classes, 0 to {len(classes) - 1}."
        )
        found.append(Alarm("not a label", said))
    return _sorted([*found, *_of_areas(whole, count, classes, None), *_of_shape(whole)])


def _sorted(found: list[Alarm]) -> tuple[Alarm, ...]:
    return tuple(sorted(found, key=lambda alarm: not alarm.serious))
