"""How sure a model was of a mask: numbers of its pixels' confidences."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.runtimes import MOSTLY_SATURATED, STEPS, saturated_part
from wasinn_nb.tasks.saturation import saturated_pixels

__all__ = ["NEAR_TIE", "Confidence"]

NEAR_TIE: Final = 0.1
"""A pixel is near a tie where its two most probable classes are closer than this."""

_NEAR: Final = int(NEAR_TIE * STEPS)


class Confidence(NamedTuple):
    """How sure the model was of the pixels of a mask.

    The confidence of a pixel is the probability of its most probable class, in steps of 1/255.
    """

    mean: float
    """Over all pixels."""
    lowest: float
    near_tie: float
    """The part of the pixels whose two most probable classes are within 0.1 of each other."""
    saturated: float = 0.0
    """The part of the pixels whose logits make a confidence of exactly 1, or are infinite."""

    @property
    def remarks(self) -> tuple[str, ...]:
        """Why the numbers mean nothing, where that is so."""
        if self.saturated < MOSTLY_SATURATED:
            return ()
        return (saturated_pixels(self.saturated),)

    @classmethod
    def of_maps(cls, maps: NDArray[Any], logits: int = 0) -> Confidence:
        """Return the numbers of confidence maps.

        Parameters
        ----------
        maps : (2, H, W) uint8 array
            As of `wasinn_nb.runtimes.confidence_maps`.
        logits : int
            How many planes of logits they are taken from; 0 of probabilities.

        Examples
        --------
        >>> Confidence.of_maps(np.array([[[255, 51]], [[204, 10]]], np.uint8))
        Confidence(mean=0.6, lowest=0.2, near_tie=0.5, saturated=0.0)
        """
        best, margin = maps
        return cls(
            int(best.sum(dtype=np.int64)) / (best.size * STEPS),
            int(best.min()) / STEPS,
            int(np.count_nonzero(margin <= _NEAR)) / margin.size,
            saturated_part(maps, logits) if logits else 0.0,
        )
