"""What is said where probabilities are made of scores that are too far apart to mean any."""

from __future__ import annotations

from typing import Final

from wasinn_nb.wording import percent

__all__ = ["saturated_images", "saturated_pixels", "saturated_row"]

_CAUSE: Final = (
    "the scores are too far apart, or infinite, to make probabilities of them; the input is "
    "probably scaled wrongly: state range, mean and scale of the recipe that the model was trained "
    "with, on its card"
)


def saturated_pixels(part: float) -> str:
    """Return the remark on a mask.

    Parameters
    ----------
    part : float
        Of its pixels that are saturated.

    Examples
    --------
    >>> saturated_pixels(1.0).partition(":")[0]
    'confidence is saturated at 100.00 % of the pixels, and means nothing'
    """
    where = f"at {percent(part)} of the pixels"
    return f"confidence is saturated {where}, and means nothing: {_CAUSE}"


def saturated_row() -> str:
    """Return the remark on the scores of a classifier."""
    return f"the probability is saturated (exactly 1 and 0), and means nothing: {_CAUSE}"


def saturated_images(number: int, total: int) -> str:
    """Return the remark on predictions.

    Parameters
    ----------
    number, total : int
        Of images whose scores are saturated, and of all that have a result.

    Examples
    --------
    >>> saturated_images(1000, 2000).partition(":")[0]
    'confidence is saturated for 1,000 of 2,000 images, and means nothing'
    """
    where = f"for {number:,} of {total:,} images"
    return f"confidence is saturated {where}, and means nothing: {_CAUSE}"
