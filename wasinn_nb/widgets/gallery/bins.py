"""Bins of a column: what a histogram counts, and what a filter keeps or leaves out as a whole."""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.wording import inert

__all__ = ["MISSING", "MOST_TEXTS", "bin_edges", "number_bins", "text_bins"]

MISSING: Final = 255
"""The bin of rows without a value."""

MOST_TEXTS: Final = 200
"""Different texts of a column that the page can filter by."""

_ABOUT: Final = 30
_STEPS: Final = (1.0, 2.0, 2.5, 5.0, 10.0)


def bin_edges(low: float, high: float) -> list[float]:
    """Return the lower edges of bins, and the upper one of the last: round numbers.

    Parameters
    ----------
    low, high : float
        The lowest and the highest value.

    Examples
    --------
    >>> bin_edges(0.013, 0.187)[:3], len(bin_edges(0.0, 1.0))
    ([0.01, 0.02, 0.03], 21)
    >>> bin_edges(3, 3)
    [3.0, 4.0]
    """
    if high <= low:
        return [float(low), float(low) + 1.0]
    rough = (high - low) / _ABOUT
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(power * one for one in _STEPS if power * one >= rough * 0.999)
    digits = max(0, 1 - math.floor(math.log10(step)))
    first, last = math.floor(low / step), math.ceil(high / step)
    return [round(number * step, digits) for number in range(first, max(last, first + 1) + 1)]


def number_bins(values: NDArray[np.float64]) -> dict[str, Any]:
    """Return a column of numbers for the page.

    Returns
    -------
    dict
        ``edges``; ``bins``: (N,) uint8, each from its edge to below the next, the last one to its
        upper edge; ``counts`` of the rows in each bin; ``whole``: whether each bin is a whole
        number.

    Examples
    --------
    >>> found = number_bins(np.array([0.0, 1.0, np.nan, 1.0, 2.0]))
    >>> found["edges"], found["counts"], found["whole"]
    ([0.0, 1.0, 2.0, 3.0], [1, 2, 1], True)
    >>> found["bins"]
    array([  0,   1, 255,   1,   2], dtype=uint8)
    """
    known = np.isfinite(values)
    if not known.any():
        missing = np.full(len(values), MISSING, np.uint8)
        return {"edges": [0.0, 1.0], "whole": False, "counts": [0], "bins": missing}
    low, high = float(values[known].min()), float(values[known].max())
    edges = bin_edges(low, high)
    # Parts of an image may all be 0 or 1 by chance.
    whole = 1 < high - low <= _ABOUT and bool((values[known] == np.rint(values[known])).all())
    if whole:
        edges = [float(number) for number in range(int(low), int(high) + 2)]
    bins = np.full(len(values), MISSING, np.uint8)
    places = np.clip(np.searchsorted(edges, values[known], side="right") - 1, 0, len(edges) - 2)
    bins[known] = places
    counts = np.bincount(places, minlength=len(edges) - 1).tolist()
    return {"edges": edges, "whole": whole, "counts": counts, "bins": bins}


def text_bins(values: NDArray[Any]) -> dict[str, Any]:
    """Return a column of texts for the page: the most frequent first.

    Returns
    -------
    dict
        ``texts``; ``labels``, the same without what steers a display; ``counts`` of the rows that
        have them; ``bins``: (N,) uint8.  Empty texts are missing, and so are those beyond the most
        frequent 200.

    Examples
    --------
    >>> text_bins(np.array(["a", "b", "", "b"], object))["bins"]
    array([  1,   0, 255,   0], dtype=uint8)
    """
    texts, codes, counts = np.unique(values.astype(str), return_inverse=True, return_counts=True)
    order = [index for index in np.argsort(-counts, kind="stable") if texts[index]][:MOST_TEXTS]
    numbers = np.full(len(texts), MISSING, np.uint8)
    numbers[order] = np.arange(len(order))
    listed = [str(texts[index]) for index in order]
    return {
        "texts": listed,
        "labels": [inert(text, 200, middle=True) for text in listed],
        "counts": counts[order].tolist(),
        "bins": numbers[codes],
    }
