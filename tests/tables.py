"""Long tables of tests: `make test` runs some rows, `make test-slow` the others."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest


def all_slow_but(rows: Iterable[Any], *kept: Any) -> list[Any]:
    """Return the rows of a table, each with the mark ``slow`` but those that are *kept*."""
    rows = list(rows)
    if surplus := [row for row in kept if row not in rows]:
        raise ValueError(f"these are not in the table: {surplus}")
    return [row if row in kept else pytest.param(row, marks=pytest.mark.slow) for row in rows]
