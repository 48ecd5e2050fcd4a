"""How sure a model is of each pixel: its highest score, and how far the next one is below it."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = [
    "MOSTLY_SATURATED",
    "STEPS",
    "ConfidenceKind",
    "confidence_maps",
    "row_saturates",
    "saturated_part",
]

ConfidenceKind = Literal["none", "probabilities", "logits"]
"""Whether a head gives confidences, and what they are taken from."""

STEPS: Final = 255
"""Confidences are whole numbers of this part of 1, rounded down."""

MOSTLY_SATURATED: Final = 0.8
"""Scores are saturated where more than this part of the pixels is.

Measured on five models: 0.4 % at most of rightly scaled images, 88 % to 100 % of wrongly scaled
ones whose scores grow with the input.
"""

# exp(-104) is 0 in float32: scores of a row that are further apart are not those of a network that
# was given what it was trained on.
_UNDERFLOW: Final = 104.0
# Of so few classes, the highest probability is at least one step.
_FEW: Final = STEPS // 2


def confidence_maps(planes: NDArray[Any], kind: ConfidenceKind) -> NDArray[np.uint8]:
    """Return the highest probability of each pixel, and its margin to the second highest.

    Parameters
    ----------
    planes : (C, H, W) array
        A plane of scores for each class; or, of one class, one plane.
    kind : {"probabilities", "logits"}
        Softmax makes probabilities of logits; the sigmoid, where there is one plane.

    Returns
    -------
    (2, H, W) uint8 array
        In steps of 1/255, rounded down.

    Examples
    --------
    >>> planes = np.array([[[0.5, 0.25]], [[0.5, 0.75]]], np.float32)
    >>> confidence_maps(planes, "probabilities").tolist()
    [[[127, 191]], [[0, 127]]]
    """
    shares = planes.astype(np.float32, copy=False)
    if kind == "logits":
        shares = _sigmoid(shares) if len(shares) == 1 else _softmax(shares)
    if len(shares) == 1:
        shares = np.concatenate([shares, 1 - shares])
    best, second = np.maximum(shares[0], shares[1]), np.minimum(shares[0], shares[1])
    for plane in shares[2:]:
        second = np.maximum(second, np.minimum(best, plane))
        best = np.maximum(best, plane)
    return np.stack([_steps(best), _steps(best - second)])


def saturated_part(maps: NDArray[np.uint8], classes: int) -> float:
    """Return the part of the pixels whose logits make a confidence of exactly 1, or are infinite.

    Parameters
    ----------
    maps : (2, H, W) uint8 array
        As of :func:`confidence_maps` of logits: rounded down, so that only 1 itself is the last
        step, and 0 what cannot be computed.
    classes : int
        How many planes there were.

    Examples
    --------
    >>> scores = np.array([[[50, 5, 4, np.inf]], [[0, 0, 0, 0]]], np.float32)
    >>> saturated_part(confidence_maps(scores, "logits"), 2)
    0.5
    """
    best = maps[0]
    count = int(np.count_nonzero(best == STEPS))
    if classes <= _FEW:
        count += int(np.count_nonzero(best == 0))
    return count / int(best.size)


def row_saturates(scores: NDArray[Any]) -> bool:
    """Return whether a softmax of a row of logits gives 1 to one class and 0 to all others.

    Classes that are ruled out by ``-inf`` do not count.

    Parameters
    ----------
    scores : (N,) array
        Without NaN.

    Examples
    --------
    >>> row_saturates(np.array([3e18, 2e18, -1e18])), row_saturates(np.array([20.0, 0, -np.inf]))
    (True, False)
    """
    if np.isposinf(scores).any():
        return True
    ranked = np.sort(scores[np.isfinite(scores)].astype(np.float64))
    return len(ranked) > 1 and bool(ranked[-1] - ranked[-2] > _UNDERFLOW)


def _steps(values: NDArray[np.float32]) -> NDArray[np.uint8]:
    with np.errstate(invalid="ignore"):  # of NaN, which the labels refuse
        steps: NDArray[np.uint8] = np.floor(np.clip(values, 0, 1) * np.float32(STEPS)).astype(
            np.uint8
        )
    return steps


def _softmax(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    with np.errstate(invalid="ignore"):
        powers = np.exp(planes - planes.max(axis=0))
    shares: NDArray[np.float32] = powers / powers.sum(axis=0)
    return shares


def _sigmoid(planes: NDArray[np.float32]) -> NDArray[np.float32]:
    with np.errstate(over="ignore"):
        return np.asarray(1 / (1 + np.exp(-planes)), np.float32)
