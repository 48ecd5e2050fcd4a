"""The public API: what a person's notebooks rely on changes on purpose only."""

from __future__ import annotations

import sys
from pathlib import Path

import public_api
import pytest

LISTED = Path(__file__).with_name("public_api.txt")
ACCEPT = (
    f"cd {LISTED.parents[1]} && "
    f"PYTHONPATH=. {sys.executable} tests/public_api.py > tests/public_api.txt"
)


def test_the_public_api_is_the_one_listed():
    listed = LISTED.read_text(encoding="utf-8").splitlines()
    found = public_api.lines()
    changes = [f"- {line}" for line in listed if line not in found]
    changes += [f"+ {line}" for line in found if line not in listed]
    if changes:
        listing = "\n".join(changes)
        pytest.fail(
            f"the public API changed:\n{listing}\n"
            f"If that is meant, write it into CHANGELOG.md and accept it:\n{ACCEPT}",
            pytrace=False,
        )
