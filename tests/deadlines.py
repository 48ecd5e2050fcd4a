"""What is promised to end soon, and how long a test waits for it on a machine that is busy."""

from __future__ import annotations

import time
from contextlib import contextmanager

SLACK = 5
STOPPED = 1.0  # seconds: a guest after its limit or Ctrl-C, a run after cancel()


@contextmanager
def ends_within(promised: float, *, after: float = 0.0):
    """Fail where the block takes more than *after*, which was asked for, and 5 x the promise."""
    start = time.perf_counter()
    yield
    took = time.perf_counter() - start
    assert took < after + SLACK * promised, f"{took:.1f} s, where {promised} s are promised"
