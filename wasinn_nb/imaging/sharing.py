"""Rows of an image that several threads share."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

__all__ = ["in_threads"]


def in_threads(fill: Callable[[int, int], None], rows: int, threads: int) -> None:
    """Call *fill* with the first row of each part, and the row after its last.

    The threads end with the call, so that processes can be forked before and after it.

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
    with ThreadPoolExecutor(parts - 1) as pool:
        others = [pool.submit(fill, *pair) for pair in itertools.pairwise(bounds[1:])]
        fill(*bounds[:2])
        for other in others:
            other.result()
