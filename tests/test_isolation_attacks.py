"""Each attack of the table that isolation was made for, in a program of its own, and measured.

A row names the attack, how it ends, and what is left after the limit: seconds until the helper is
gone, its processor time in these, and its memory above what is promised.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from deadlines import SLACK, STOPPED

import wasinn_nb as wn

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="what holds elsewhere is less"),
]

MIB = 1 << 20

MEASURED = """
import json, os, resource, sys, tempfile, threading, time
from pathlib import Path

from isolated import MODEL, helpers, loading, probe
from test_isolation import endless_loop, huge_constants, huge_function, inferring, leb
from toys import save

from wasinn_nb.errors import GuestCrash, GuestTimeout
from wasinn_nb.host import run_guest

attack, time_limit, memory_limit = sys.argv[1], float(sys.argv[2]), int(sys.argv[3])
limits = {"time_limit": time_limit, "memory_limit": memory_limit}
folder = Path(tempfile.mkdtemp())
TICK = os.sysconf("SC_CLK_TCK")
samples = []  # (time, number of the process, seconds of the processor)


def large_outputs():
    import numpy as np
    import openvino as ov
    from openvino import opset13 as op

    x = op.parameter([1], np.float32)
    big = op.broadcast(op.add(x, np.float32(1)), np.array([10 << 20]))
    return save(ov.Model([op.add(big, big)], [x], "large"), folder / "large.xml")


def tiny_functions(count):
    body = b"\\2\\0\\x0b"  # no locals, end
    types, functions = b"\\1\\x60\\0\\0", leb(count) + bytes(count)
    exports, code = b"\\1\\6_start\\0\\0", leb(count) + body * count
    parts = ((1, types), (3, functions), (7, exports), (10, code))
    return b"\\0asm\\1\\0\\0\\0" + b"".join(bytes([n]) + leb(len(p)) + p for n, p in parts)


ATTACKS = {
    "endless Loop": lambda: inferring(endless_loop(folder), 256, **limits),
    "slow load": lambda: probe("burn", **limits),
    "huge constants": lambda: inferring(huge_constants(folder), 4, **limits),
    "40 contexts": lambda: inferring(large_outputs(), 4, contexts=40, **limits),
    "a huge function": lambda: run_guest(huge_function(200_000), **limits),
    "900,000 functions": lambda: run_guest(tiny_functions(900_000), **limits),
    "allocation": lambda: probe("allocate", 4 << 30, **limits),
}


def watch():
    while True:
        for number in helpers():
            try:
                fields = Path(f"/proc/{number}/stat").read_text().rsplit(") ", 1)[1].split()
            except OSError:
                continue
            spent = (int(fields[11]) + int(fields[12])) / TICK
            samples.append((time.perf_counter(), number, spent))
        time.sleep(0.01)


def highest():
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss << 10


probe("say")
before = highest()
prepared = ATTACKS[attack]  # models are made inside of the call, before the guest begins
threading.Thread(target=watch, daemon=True).start()
limit = None
try:
    run = prepared()
    ended = run.ended
except GuestTimeout as error:
    ended, limit, run = error.run.ended, "time_limit", error.run
except GuestCrash as error:
    ended, limit, run = error.run.ended, error.limit, error.run
done = time.perf_counter()
# Its seconds count from when the helper took the job.
end_of_limit = done - run.seconds["total"] + time_limit
late = [sample for sample in samples if end_of_limit <= sample[0] <= done]
spent = {}
for _, number, seconds in late:
    first, _ = spent.get(number, (seconds, seconds))
    spent[number] = first, seconds
print(json.dumps({
    "ended": ended,
    "limit": limit,
    "seconds after": max(0.0, done - end_of_limit),
    "processor after": max((last - first for first, last in spent.values()), default=0.0),
    "MiB over": (highest() - before - memory_limit * 6 / 5) / (1 << 20) - 64,
    "alive": run_guest(loading(""), models=MODEL).exit_code,
}))
"""

ATTACKS = [
    # what, time_limit, memory_limit, what may strike
    ("endless Loop", 3.0, 1 << 30, {"time_limit"}),
    ("slow load", 2.0, 1 << 30, {"time_limit"}),
    ("huge constants", 60.0, 64 * MIB, {"memory_limit", None}),  # None: the guest was told
    ("40 contexts", 120.0, 256 * MIB, {"memory_limit"}),
    ("a huge function", 2.0, 1 << 30, {"time_limit"}),
    ("900,000 functions", 2.0, 1 << 30, {"time_limit", "memory_limit"}),
    ("900,000 functions", 120.0, 256 * MIB, {"memory_limit", None}),  # None: on a sparing compiler
    ("allocation", 60.0, 64 * MIB, {"memory_limit"}),
]


@pytest.mark.parametrize(("attack", "time_limit", "memory_limit", "limits"), ATTACKS)
def test_an_attack(attack, time_limit, memory_limit, limits):
    folder = str(Path(__file__).parent)
    path = os.pathsep.join([folder, str(Path(wn.__file__).parents[1])])
    done = subprocess.run(
        [sys.executable, "-c", MEASURED, attack, str(time_limit), str(memory_limit)],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | {"PYTHONPATH": path},
    )
    assert done.returncode == 0, done.stderr
    row = json.loads(done.stdout.splitlines()[-1])
    sys.stdout.write(f"{attack}, {time_limit} s, {memory_limit >> 20} MiB: {row}\n")
    assert row["limit"] in limits
    assert row["alive"] == 0
    assert row["MiB over"] < 5 * 16
    if row["limit"] == "time_limit":
        assert row["seconds after"] < SLACK * STOPPED + 5  # a helper is started, too
        assert row["processor after"] < SLACK * STOPPED
