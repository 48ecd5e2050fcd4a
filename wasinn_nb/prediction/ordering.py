"""In which order rows deserve a look."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.errors import InvalidArgumentError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["highest_first", "usual_order", "worst_order"]

_HIGHEST_FIRST: Final = frozenset({"near_tie", "seconds_read", "seconds_infer"})
_USUAL: Final = ("mean_confidence", "probability")


def usual_order(columns: Sequence[str]) -> str:
    """Return the column by which rows are ordered where none is named.

    Examples
    --------
    >>> usual_order(["name", "probability"])
    'probability'
    """
    return next((name for name in _USUAL if name in columns), "seconds_infer")


def highest_first(name: str) -> bool:
    """Return whether of a column the highest values deserve a look first."""
    return name in _HIGHEST_FIRST


def worst_order(by: str, table: Callable[[list[str]], pd.DataFrame]) -> NDArray[np.int64]:
    """Return the places of the rows that have a value, those that deserve a look first.

    Parameters
    ----------
    by : str
        A column of numbers.
    table : callable
        Gives some of the columns.

    Raises
    ------
    InvalidArgumentError
        If it does not hold numbers.

    Examples
    --------
    >>> import pandas as pd
    >>> worst_order("road", pd.DataFrame({"road": [0.3, np.nan, 0.1]}).get)
    array([2, 0])
    """
    values = table([by])[by].to_numpy()
    if values.dtype.kind not in "iuf":
        raise InvalidArgumentError(f"expected a column of numbers, got {by!r:.80}")
    numbers = np.asarray(values, np.float64)
    order = np.argsort(-numbers if highest_first(by) else numbers, kind="stable")
    return order[~np.isnan(numbers[order])]
