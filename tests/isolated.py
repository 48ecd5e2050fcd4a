"""What the tests of isolated guests share."""

from __future__ import annotations

import time
from pathlib import Path

from hosting import GUESTS, command
from probing_engine import ProbingEngine

from wasinn_nb.host import run_guest

MISBEHAVE = GUESTS / "misbehave.wasm"
PROMISE = 1.0
MIB = 1 << 20
LOADING = """(drop (call $load (i32.const 0) (i32.const 1) (i32.const 16)))"""
LOAD = '(import "wasi_ephemeral_nn" "load_by_name" (func $load (param i32 i32 i32) (result i32)))'
MODEL = {"m": [b"model"]}


def loading(body=LOADING, imports=""):
    return command(body, f"{LOAD} {imports}", '(data (i32.const 0) "m")')


def probe(act, *arguments, **options):
    """Run a guest whose engine does something, and return the run."""
    engine = ProbingEngine(act, *arguments)
    return run_guest(loading(), models=MODEL, runtime=engine, stream=False, **options)


def helpers():
    """Return the numbers of the helper processes that this process has."""
    found = []
    for entry in Path("/proc/self/task").iterdir():
        try:
            found += (entry / "children").read_text().split()
        except OSError:
            continue
    mine = []
    for number in found:
        try:
            if b"wasinn_nb.host.child" in Path(f"/proc/{number}/cmdline").read_bytes():
                mine.append(int(number))
        except OSError:
            continue
    return mine


def still_works():
    """Check that this process goes on, with at most the one helper that is started in advance."""
    assert run_guest(MISBEHAVE, ["exit3"]).exit_code == 3
    give_up = time.monotonic() + 5 * PROMISE
    while len(helpers()) > 1:
        assert time.monotonic() < give_up, helpers()
        time.sleep(0.02)
