"""Whether the confidences of predictions mean something."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wasinn_nb.prediction.columns import SATURATED
from wasinn_nb.runtimes import MOSTLY_SATURATED
from wasinn_nb.tasks import saturated_images

if TYPE_CHECKING:
    from wasinn_nb.prediction.predictions import Predictions

__all__ = ["saturation_remarks"]


def saturation_remarks(predictions: Predictions) -> tuple[str, ...]:
    """Return the remark on rows whose scores are saturated; empty where there are none."""
    if SATURATED not in predictions.columns:  # of another package's task
        return ()
    parts = predictions.arrays([SATURATED])[SATURATED]
    number = int(np.count_nonzero(parts >= MOSTLY_SATURATED))
    total = int(np.count_nonzero(np.isfinite(parts)))
    return (saturated_images(number, total),) if number else ()
