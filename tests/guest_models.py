"""What the tests of guests share."""

import struct
import threading
import time

import numpy as np
from hosting import (
    GUESTS,
    command,
    doubling,
    escaped,
    roadlike,
    run_guest,
)

MISBEHAVE = GUESTS / "misbehave.wasm"


def made_models(folder):
    """Write models that guests can have: a small road model, a slow one, one of bytes."""
    return {
        "road": roadlike(folder, "road"),
        "slow": roadlike(folder, "slow", work=60),
        "bytes": doubling(folder, "bytes", (1, 8), np.uint8),
    }


def made_misbehave(models, inside):
    """Return a function that runs the misbehaving guest in a folder."""

    def run(*args, **options):
        return run_guest(MISBEHAVE, args, {".": inside}, models=models, stream=False, **options)

    return run


def says(text, end="(call $exit (i32.const 0))", stream=1):
    """Assemble a guest that prints a text and then ends in some way."""
    raw = text.encode()
    where = struct.pack("<II", 16, len(raw))
    return command(
        f"(drop (call $fd_write (i32.const {stream}) (i32.const 0) (i32.const 1) (i32.const 8)))"
        + end,
        rest=f'(data (i32.const 16) "{escaped(raw)}") (data (i32.const 0) "{escaped(where)}")',
    )


def assert_no_guest_runs():
    give_up = time.perf_counter() + 20
    while any(thread.name == "wasinn-nb guest" for thread in threading.enumerate()):
        assert time.perf_counter() < give_up, "a guest's thread goes on"
        time.sleep(0.02)
