"""How sure a model is of each pixel: its highest score, and how far the next one is below it."""

from __future__ import annotations

from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

__all__ = ["STEPS", "ConfidenceKind", "confidence_maps"]

ConfidenceKind = Literal["none", "probabilities", "logits"]
"""Whether a head gives confidences, and what they are taken from."""

STEPS: Final = 255
"""Confidences are whole numbers of this part of 1, rounded down."""


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
