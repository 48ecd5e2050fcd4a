"""What a reader of rows should know of them, by their columns."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from wasinn_nb.prediction.columns import IGNORED_EXIF, SATURATED
from wasinn_nb.runtimes import MOSTLY_SATURATED
from wasinn_nb.tasks import saturated_images

if TYPE_CHECKING:
    from wasinn_nb.prediction.predictions import Predictions

__all__ = ["row_remarks"]


def row_remarks(predictions: Predictions) -> tuple[str, ...]:
    """Return the remarks on rows: saturated scores, and images that were not turned upright."""
    # Neither is in the stores of older versions, nor the first in those of other tasks.
    names = [name for name in (SATURATED, IGNORED_EXIF) if name in predictions.columns]
    found = predictions.arrays(names) if names else {}
    remarks = []
    if SATURATED in found:
        number, total = _counts(found[SATURATED], MOSTLY_SATURATED)
        remarks += [saturated_images(number, total)] if number else []
    if IGNORED_EXIF in found:
        number, total = _counts(found[IGNORED_EXIF], 2)
        remarks += [_turned(number, total)] if number else []
    return tuple(remarks)


def _counts(values: np.typing.NDArray[np.float64], least: float) -> tuple[int, int]:
    """Return how many values are at least *least*, and how many there are."""
    return int(np.count_nonzero(values >= least)), int(np.count_nonzero(np.isfinite(values)))


def _turned(number: int, total: int) -> str:
    """Return the remark on images whose EXIF orientation was not applied.

    Examples
    --------
    >>> _turned(2, 1000).partition(";")[0]
    '2 of 1,000 images were read as they are stored, not turned by their EXIF orientation'
    """
    return (
        f"{number:,} of {total:,} images were read as they are stored, not turned by their EXIF "
        f"orientation; recipe exif=apply turns them; they are those of {IGNORED_EXIF} > 1"
    )
