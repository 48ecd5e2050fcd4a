"""Progress bars for people who look on: in a terminal and a notebook, nowhere else."""

from __future__ import annotations

import sys
from typing import Any

__all__ = ["progress_bar"]


def progress_bar(*items: Any, progress: bool, **options: Any) -> Any:
    """Return a `tqdm` bar that stays silent in pipes and logs, or where *progress* is False.

    Parameters
    ----------
    *items
        What to go through, if anything.
    progress : bool
        Whether a bar is wanted at all.
    **options
        Those of `tqdm`: ``desc``, ``unit``, ``total``, ``leave``.

    Examples
    --------
    >>> list(progress_bar([1, 2], progress=False))
    [1, 2]
    """
    from tqdm.auto import tqdm

    in_notebook = any(base.__module__ == "tqdm.notebook" for base in tqdm.__mro__)
    quiet = not progress or not (in_notebook or sys.stderr.isatty())
    return tqdm(*items, disable=quiet, **options)
