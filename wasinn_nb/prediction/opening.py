"""`read_predictions`: a store that is on disk already."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.prediction.predictions import Predictions
from wasinn_nb.prediction.store import Run, runs_in
from wasinn_nb.prediction.table import StoredRows
from wasinn_nb.wording import listed

__all__ = ["read_predictions"]

_MOST_RUNS: Final = 8


def read_predictions(store: str | os.PathLike[str], run: str | None = None) -> Predictions:
    """Open what `predict` has written.

    Parameters
    ----------
    store : path-like
        The folder, or that of one run in it.
    run : str, optional
        The beginning of the name of a run's folder.  Default: of the runs that have rows, the one
        that was made last.

    Returns
    -------
    Predictions
        Its `remarks` say where it was chosen from several runs, or is not finished.

    Raises
    ------
    MissingFileError
        If there is no store, or nothing in it.
    InvalidArgumentError
        If no run, or several, begin like *run*; or it was written by a newer version.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> wn.read_predictions("no-such-folder")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.MissingFileError: no store at no-such-folder (looked from ...); check ...
    """
    found = runs_in(store)
    if run is None:
        return _last(found)
    fitting = [one for one in found if one.key.startswith(run)]
    if len(fitting) != 1:
        what = "no run begins" if not fitting else f"{len(fitting)} runs begin"
        raise InvalidArgumentError(
            f"{what} with {run!r:.80}; there are {listed([one.key for one in found], _MOST_RUNS)}"
        )
    return Predictions(StoredRows(fitting[0]), remarks=_unfinished(fitting[0]))


def _last(found: Sequence[Run]) -> Predictions:
    """Return the run that was made last of those with rows, and what there is besides."""
    chosen = next((one for one in reversed(found) if one.parts()), found[-1])
    others = [one for one in found if one is not chosen]
    remarks = [_choice(chosen, found)] if others else []
    remarks += [
        f"run {later.key} was made later and has no rows: `predict` was ended before its first "
        f"ones, or is still running; run it again to go on"
        for later in found[found.index(chosen) + 1 :]
    ]
    names = [one.key for one in others]
    return Predictions(StoredRows(chosen), None, names, [*remarks, *_unfinished(chosen)])


def _choice(chosen: Run, found: Sequence[Run]) -> str:
    """Say which of several runs is used, and how the others open."""
    others = [_about(one, chosen) for one in reversed(found) if one is not chosen]
    last = "last" if chosen is found[-1] else "last with rows"
    return (
        f"run {chosen.key} is used, the {last} of {len(found)} in the store; any other opens by "
        f"its folder: {listed(others, _MOST_RUNS)}"
    )


def _about(run: Run, chosen: Run) -> str:
    """Return the folder of a run, and what it is a run of."""
    words = [run.origin.model, run.origin.precision]
    words += ["another recipe"] if run.origin.recipe != chosen.origin.recipe else []
    return f"{run.folder} ({', '.join(words)})"


def _unfinished(run: Run) -> list[str]:
    """Say that a run lacks rows, where it does."""
    sentence = (
        f"run {run.key} is not finished: `predict` was ended before its last image, or is still "
        f"running; run it again to go on"
    )
    return [sentence] if run.unfinished else []
