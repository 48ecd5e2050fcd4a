"""The measured table of call sequences, here and on the runtimes that are on this machine."""

from __future__ import annotations

import re

import pytest
from sequences import PANIC, ROWS, TRAP, guest_of
from tables import all_slow_but

from wasinn_nb import host
from wasinn_nb.errors import GuestCrash, GuestTrap

each_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.number}-{row.name}")


def outcome(guest, **options):
    """Run a guest, and return what it prints and how it ends."""
    try:
        return host.run_guest(guest, stream=False, **options).stdout
    except GuestTrap as error:
        return error.run.stdout + TRAP
    except GuestCrash as error:
        return error.run.stdout + (PANIC if error.signal == 6 else "another signal")


def check(found, expected):
    pattern = re.escape(expected).replace(re.escape("[?]"), r"\[[0-9a-f]*\]")
    assert re.fullmatch(pattern, found), (found, expected)


@pytest.mark.parametrize("isolation", all_slow_but(["process", "thread"], "thread"))
@each_row
def test_here(row, isolation, tmp_path):
    check(outcome(guest_of(row.number, tmp_path), isolation=isolation), row.here)


@each_row
def test_on_wasmtime(row, wasmtime_program, tmp_path):
    check(outcome(guest_of(row.number, tmp_path), on="wasmtime"), row.wasmtime)


@each_row
def test_on_wasmedge(row, wasmedge_program, tmp_path):
    check(outcome(guest_of(row.number, tmp_path), on="wasmedge"), row.wasmedge)
