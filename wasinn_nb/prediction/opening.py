"""`read_predictions`: a store that is on disk already."""

from __future__ import annotations

import os
from typing import Final

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.prediction.predictions import Predictions
from wasinn_nb.prediction.store import runs_in
from wasinn_nb.prediction.table import StoredRows
from wasinn_nb.wording import listed

__all__ = ["read_predictions"]

_SHOWN_RUNS: Final = 8


def read_predictions(store: str | os.PathLike[str], run: str | None = None) -> Predictions:
    """Open what `predict` has written.

    Parameters
    ----------
    store : path-like
        The folder, or that of one run in it.
    run : str, optional
        The beginning of the name of a run's folder.  Default: the one that was made last.

    Returns
    -------
    Predictions

    Raises
    ------
    MissingFileError
        If there is no store, or nothing in it.
    InvalidArgumentError
        If no run, or several, begin like *run*; or it was written by a newer version.

    Examples
    --------
    >>> read_predictions("no-such-folder")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.MissingFileError: no store at no-such-folder; check the path
    """
    found = runs_in(store)
    if run is None:
        return Predictions(StoredRows(found[-1]), others=[one.key for one in found[:-1]])
    fitting = [one for one in found if one.key.startswith(run)]
    if len(fitting) != 1:
        what = "no run begins" if not fitting else f"{len(fitting)} runs begin"
        raise InvalidArgumentError(
            f"{what} with {run!r:.80}; there are {listed([one.key for one in found], _SHOWN_RUNS)}"
        )
    return Predictions(StoredRows(fitting[0]))
