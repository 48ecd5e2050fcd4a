"""The pixels that were counted in one image."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from wasinn_nb import metrics

__all__ = ["ImageCounts"]


class ImageCounts(NamedTuple):
    """What was counted in one image, class by class: (C,) arrays of pixels."""

    name: str
    both: NDArray[np.int64]
    """True and predicted."""
    true: NDArray[np.int64]
    predicted: NDArray[np.int64]
    ignored: int
    """Pixels that the truth leaves out."""
    uncovered: int = 0
    """Other pixels that the prediction does not cover, such as those that a crop cut off."""

    @property
    def iou(self) -> NDArray[np.float64]:
        """IoU per class, NaN where it is in neither."""
        return metrics.ratio(self.both, self.true + self.predicted - self.both)
