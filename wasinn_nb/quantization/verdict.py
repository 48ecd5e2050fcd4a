"""What an INT8 model costs and gains, in words."""

from __future__ import annotations

import math
import statistics
from collections.abc import Sequence
from typing import Final

from wasinn_nb.quantization.judging import Judgement
from wasinn_nb.quantization.losses import ClassLoss, Interval, loss_text
from wasinn_nb.wording import counted, listed, percent

__all__ = ["better_words", "loss_words", "speed_words", "worth_words"]

_LISTED: Final = 3
_AS_FAST: Final = 0.05
"""A speed that differs by less is within what medians of few rounds vary."""
_FASTER: Final = 0.1
"""What speaks against INT8 must differ by more: other work on the machine changes medians, too."""


def speed_words(speed: float, other: str) -> str:
    """Return how fast one is beside another.

    Parameters
    ----------
    speed : float
        The other's time divided by its own.
    other : str
        Its name.

    Examples
    --------
    >>> speed_words(2.13, "f32"), speed_words(1.02, "f32")
    ('2.1 times as fast as f32', 'about as fast as f32')
    >>> speed_words(0.9, "f32")
    'slower than f32: it takes 1.1 times as long'
    """
    if abs(speed - 1) < _AS_FAST:
        return f"about as fast as {other}"
    if speed < 1:
        return f"slower than {other}: it takes {max(1 / speed, 1.1):.1f} times as long"
    return f"{speed:.1f} times as fast as {other}"


def better_words(
    name: str, faster: Sequence[float], same: tuple[float | None, float | None]
) -> str:
    """Return what the precision that the device prefers has over INT8; empty where it is no faster.

    Parameters
    ----------
    name : str
        Of the precision.
    faster : sequence of float
        How many times as fast as INT8 it is, round by round.
    same : (float or None, float or None)
        The part of the pixels of one image to which INT8, and the precision, give f32's class.

    Examples
    --------
    >>> print(better_words("bf16", [1.3, 1.3, 0.9], (0.894, 0.941)))
    bf16 is faster on this device and nearer to f32 (94.10 % of the pixels of one image, INT8 89.40 %)
    >>> better_words("bf16", [1.3, 1.0, 1.0], (0.894, 0.941))
    ''
    """  # noqa: E501 - an output
    if statistics.median(faster) < 1 + _FASTER:
        return ""
    words, (int8, own) = f"{name} is faster on this device", same
    if int8 is None or own is None or own <= int8:
        return words
    pixels = f"{percent(own)} of the pixels of one image, INT8 {percent(int8)}"
    return f"{words} and nearer to f32 ({pixels})"


def worth_words(speed: float, before: int, after: int, better: str = "") -> str:
    """Return what speaks against a model that is slower or larger; empty where nothing does.

    Parameters
    ----------
    speed : float
        How many times as fast it is.
    before, after : int
        Bytes of the files in f32 and in INT8.
    better : str
        What the device runs faster than INT8: ``"bf16 is faster on this device"``; empty where it
        runs nothing faster.

    Examples
    --------
    >>> worth_words(0.8, 1000, 1200)
    'slower and larger, it is not worth it on this device'
    >>> worth_words(0.8, 1000, 400)
    'on this device it is worth it only for its smaller files'
    >>> worth_words(2.0, 1000, 400)
    ''
    >>> worth_words(1.2, 1000, 400, "bf16 is faster on this device")
    'bf16 is faster on this device: INT8 is worth it only for its smaller files'
    """
    larger = after >= before
    if speed <= 1 - _AS_FAST:
        if larger:
            return "slower and larger, it is not worth it on this device"
        return "on this device it is worth it only for its smaller files"
    if better:
        worth = "not worth it" if larger else "worth it only for its smaller files"
        return f"{better}: INT8 is {worth}"
    if not larger:
        return ""
    if speed < 1 + _AS_FAST:
        return "its files are not smaller: it is not worth it on this device"
    return "its files are not smaller: it is worth it only for its speed"


def loss_words(judgement: Judgement, max_drop: float, unit: str) -> str:
    """Return what INT8 loses over all classes, and which class loses most.

    Parameters
    ----------
    judgement : Judgement
    max_drop : float
        What a class may lose.
    unit : str
        What is compared: ``"pixels"`` or ``"images"``.
    """
    worst = judgement.worst_class
    within = worst.lost <= max_drop
    if judgement.mean is None:
        agree = f"{_agreeing(judgement, unit)} get f32's class"
        if not worst.lost:
            return agree
        allowed = "" if within else f", less than the {1 - max_drop:g} that is allowed"
        return (
            f"{agree}; {worst.name} agrees least (its {unit} in f32 and in INT8 have an IoU of "
            f"{worst.agreement:.4f}{allowed})"
        )
    which = ""
    if not within:
        loss = loss_text(worst.lost) if worst.loss is None else str(worst.loss)
        which = f"{worst.name} loses {loss} of its IoU, more than the {max_drop:g} that is allowed"
    elif judgement.mean.bounded:
        which = _which(judgement, worst)
    return "; ".join(filter(None, (f"it {_change(judgement)}", which)))


def _agreeing(judgement: Judgement, unit: str) -> str:
    """Return how much agrees, and of how many images: what few of them say is seen as little."""
    images = counted(judgement.count, "image", grouped=True)
    if unit == "images":
        return f"{round(judgement.agreement * judgement.count):,} of {images}"
    return f"{percent(judgement.agreement)} of the {unit} of {images}"


def _which(judgement: Judgement, worst: ClassLoss) -> str:
    """Return which class loses most, of those of which the images can tell."""
    losses = [(one, one.loss) for one in judgement.classes if one.loss is not None]
    measurable = [one for one, loss in losses if loss.bounded and loss.low > 0]
    most = max(measurable, key=lambda one: one.lost, default=None)
    which = "no class loses measurably" if most is None else f"{most.name} loses most"
    if most is not None and most is not worst:
        which = f"of the classes that lose measurably, {which}"
    rare = [one.name for one, loss in losses if not loss.bounded and not math.isnan(loss.value)]
    return f"{which} (in too few images to tell: {listed(rare, _LISTED)})" if rare else which


def _change(judgement: Judgement) -> str:
    loss = judgement.mean
    assert loss is not None  # noqa: S101 - there are masks
    if not loss.bounded:
        f32, int8 = judgement.miou or (math.nan, math.nan)
        few = counted(judgement.count, "image") + (" is" if judgement.count == 1 else " are")
        return (
            f"has a mean IoU of {int8:.4f}, f32 one of {f32:.4f}: {few} too few to tell a loss "
            f"from chance"
        )
    if loss.low <= 0 <= loss.high:
        return f"does not change the mean IoU measurably (loss {loss})"
    if loss.value < 0:
        return f"gains {_mean_iou(Interval(-loss.value, -loss.high, -loss.low))}"
    return f"loses {_mean_iou(loss)}"


def _mean_iou(loss: Interval) -> str:
    value, low, high = map(loss_text, loss)
    return f"{value} mean IoU ({low} to {high})"
