"""Rows of an image that several threads share."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

__all__ = ["in_threads"]

# Kept, for a thread that has just begun is slower; they start with their first work.
_pool = ThreadPoolExecutor(thread_name_prefix="wasinn-nb rows")


def _after_fork() -> None:
    global _pool  # noqa: PLW0603 - the parent's threads are not in the child
    _pool = ThreadPoolExecutor(thread_name_prefix="wasinn-nb rows")


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def in_threads(fill: Callable[[int, int], None], rows: int, threads: int) -> None:
    """Call *fill* with the first row of each part, and the row after its last.

    Parameters
    ----------
    fill : callable
    rows : int
    threads : int
        How many parts, at most one for each row.

    Examples
    --------
    >>> in_threads(lambda start, end: print(start, end), 5, 1)
    0 5
    """
    parts = max(1, min(threads, rows))
    bounds = [rows * part // parts for part in range(parts + 1)]
    if parts == 1:
        fill(0, rows)
        return
    try:
        others = [_pool.submit(fill, *pair) for pair in itertools.pairwise(bounds[1:])]
    except RuntimeError:  # the interpreter is on its way out
        fill(0, rows)
        return
    fill(*bounds[:2])
    for other in others:
        other.result()
