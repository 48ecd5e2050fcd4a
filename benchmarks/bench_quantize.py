"""How long `quantize` takes for the shipped model, with the shipped images and masks."""

from __future__ import annotations

import sys
import tempfile
import time

import wasinn_nb as wn
from benchmarks.paired import Row, ratio

MOST_SECONDS = 120.0  # on two processors


def rows() -> list[Row]:
    """Measure and return the ratio."""
    names = wn.images()
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        wn.quantize(wn.model(), names, [wn.mask(name) for name in names], folder=folder)
        seconds = time.perf_counter() - start
    print(f"quantize: {seconds:.0f} s", file=sys.stderr)
    share = [seconds / MOST_SECONDS] * 2
    return [ratio("quantize the shipped model", "2 minutes", share, [1.0, 1.0], "<= 1.0")]
