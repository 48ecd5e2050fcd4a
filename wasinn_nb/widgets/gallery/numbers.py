"""Numbers of a column as a gallery writes them below its images."""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["written_numbers"]

_DECIMALS: Final = ((1.5, 4), (10.0, 3), (100.0, 2), (1000.0, 1))
"""Decimals of columns whose largest value is at most so much."""


def written_numbers(values: NDArray[np.float64], column: NDArray[np.float64]) -> list[str]:
    """Return numbers as text, with as many decimals as all of their column have.

    Parameters
    ----------
    values : (N,) float64 array
    column : (M,) float64 array
        All values of the column.

    Returns
    -------
    list of str
        Empty where there is no value.

    Examples
    --------
    >>> column = np.array([0.486, 0.4862, 0.75, np.nan, 0.00001, 0])
    >>> written_numbers(column, column)
    ['0.4860', '0.4862', '0.7500', '', '1.0e-05', '0.0000']
    >>> sizes = np.array([1250000.0, 800.0])
    >>> written_numbers(sizes, sizes)
    ['1,250,000', '800']
    """
    known = column[np.isfinite(column)]
    highest = float(np.abs(known).max(initial=0.0))
    whole = bool((known == np.rint(known)).all())
    decimals = 0 if whole else next((n for most, n in _DECIMALS if highest <= most), 0)
    least = 0.5 * 10.0**-decimals

    def written(value: float) -> str:
        if np.isnan(value):
            return ""
        return f"{value:.1e}" if 0 < abs(value) < least else f"{value:,.{decimals}f}"

    return [written(value) for value in values.tolist()]
