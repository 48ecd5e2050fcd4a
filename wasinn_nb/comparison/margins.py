"""How near the pixels of a mask are to another class: the lead of the most probable one."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["NEAR_TIE", "are_logits", "score_margins"]

NEAR_TIE: Final = 0.1
"""A pixel is near a tie where :func:`score_margins` are below."""

# Probabilities in bfloat16 may exceed 1 by so much.
_ROUNDING: Final = 0.02


def score_margins(scores: NDArray[Any], threshold: float | None = None) -> NDArray[np.float32]:
    """Return how far each pixel is from another class.

    Of several classes: by how much the highest probability leads.  Scores that are not within 0 to
    1 are logits; a softmax makes probabilities of them.  Integers, whose scale is not known, lead
    by a part of the largest.  Of one class: how far its probability is from the threshold, as a
    part of the larger of ``threshold`` and ``1 - threshold``, so that both sides are measured
    alike.

    Parameters
    ----------
    scores : (C, H, W) array
        At least two classes, all finite; with a threshold one plane of probabilities.
    threshold : float, optional
        Of one class, between 0 and 1.

    Returns
    -------
    (H, W) float32 array

    Examples
    --------
    >>> score_margins(np.array([[[0.5, 0.25]], [[0.25, 0.5]], [[0.25, 0.25]]]))
    array([[0.25, 0.25]], dtype=float32)
    >>> score_margins(np.array([[[20.0, -0.5]], [[19.0, 0.5]]])).round(3)
    array([[0.462, 0.462]], dtype=float32)
    >>> score_margins(np.array([[[0.0, 0.25, 0.625, 1.0]]]), 0.25)
    array([[0.33333334, 0.        , 0.5       , 1.        ]], dtype=float32)
    """
    if threshold is not None:
        distance = np.abs(scores[0] - threshold) / max(threshold, 1 - threshold)
        # Rounding puts some a bit above 1.
        farthest: NDArray[np.float32] = np.minimum(distance, 1).astype(np.float32, copy=False)
        return farthest
    real = np.result_type(scores, np.float32)
    best = np.maximum(scores[0], scores[1]).astype(real)
    second = np.minimum(scores[0], scores[1]).astype(real)
    for plane in scores[2:]:
        second = np.maximum(second, np.minimum(best, plane))
        best = np.maximum(best, plane)
    lead = best - second
    if are_logits(scores):
        # exp(score - best) / sum of all: the term of the best is exp(0).
        total = np.zeros(best.shape, real)
        for plane in scores:
            total += np.exp(plane - best)
        lead = -np.expm1(-lead) / total
    elif scores.dtype.kind != "f":
        lead = lead / (max(abs(float(scores.min())), abs(float(scores.max()))) or 1.0)
    of_classes: NDArray[np.float32] = lead.astype(np.float32, copy=False)
    return of_classes


def are_logits(scores: NDArray[Any]) -> bool:
    """Return whether scores of several classes are not probabilities, by their values."""
    return scores.dtype.kind == "f" and bool(scores.min() < 0 or scores.max() > 1 + _ROUNDING)
