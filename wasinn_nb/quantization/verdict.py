"""What an INT8 model costs and gains, in words."""

from __future__ import annotations

import math
from typing import Final

from wasinn_nb.quantization.judging import Judgement
from wasinn_nb.quantization.losses import ClassLoss, Interval
from wasinn_nb.wording import percent

__all__ = ["loss_words", "speed_words", "worth_words"]

_AS_FAST: Final = 0.05
"""A speed that differs by less is within what medians of few rounds vary."""


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


def worth_words(speed: float, before: int, after: int) -> str:
    """Return what speaks against a model that is slower or larger; empty where nothing does.

    Parameters
    ----------
    speed : float
        How many times as fast it is.
    before, after : int
        Bytes of the files in f32 and in INT8.

    Examples
    --------
    >>> worth_words(0.8, 1000, 1200)
    'slower and larger, it is not worth it on this device'
    >>> worth_words(0.8, 1000, 400)
    'on this device it is worth it only for its smaller files'
    >>> worth_words(2.0, 1000, 400)
    ''
    """
    larger = after >= before
    if speed <= 1 - _AS_FAST:
        if larger:
            return "slower and larger, it is not worth it on this device"
        return "on this device it is worth it only for its smaller files"
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
        agree = f"{percent(judgement.agreement)} of the {unit} get f32's class"
        if not worst.lost:
            return agree
        allowed = "" if within else f", less than the {1 - max_drop:g} that is allowed"
        return (
            f"{agree}; {worst.name} agrees least (its {unit} in f32 and in INT8 have an IoU of "
            f"{worst.agreement:.4f}{allowed})"
        )
    if within:
        measurable = [one for one in judgement.classes if _loses(one)]
        most = max(measurable, key=lambda one: one.lost, default=None)
        which = "no class loses measurably" if most is None else f"{most.name} loses most"
        if most is not None and most is not worst:
            which = f"of the classes that lose measurably, {which}"
    else:
        loss = f"{worst.lost:.4f}" if worst.loss is None else str(worst.loss)
        which = f"{worst.name} loses {loss} of its IoU, more than the {max_drop:g} that is allowed"
    return f"it {_change(judgement.mean)}; {which}"


def _loses(one: ClassLoss) -> bool:
    """Return whether the loss of a class is above 0 in 95 % of the resamples."""
    return one.loss is not None and not math.isnan(one.loss.low) and one.loss.low > 0


def _change(loss: Interval) -> str:
    if loss.low <= 0 <= loss.high:
        return f"does not change the mean IoU measurably (loss {loss})"
    if loss.value < 0:
        return f"gains {-loss.value:.4f} mean IoU ({-loss.high:.4f} to {-loss.low:.4f})"
    return f"loses {loss.value:.4f} mean IoU ({loss.low:.4f} to {loss.high:.4f})"
