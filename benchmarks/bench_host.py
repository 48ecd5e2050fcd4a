"""What running a guest costs beside the guest's own code and OpenVINO's work.

The road guest (``data/guests/roadseg.wasm``) hands over 12.8 MB of tensors.  Its run is taken apart
from inside, in a thread: the host's share is the total, less the guest's own code, less the time in
OpenVINO (load, compute, release); its peer is those two together.  The peer of the two calls with
tensors is the copies alone: the same bytes copied once each way, as any host has to, in the same
process and between the same runs.

A process of its own is measured against the thread: warm, where a helper is ready, and cold, in a
new Python, where it has to be started and imports what the thread imports, too.

    python -m benchmarks host

Uses road-segmentation-adas-0001 from the folder WASINN_NB_SHARED (or ../shared), else a model
of the same shapes that is made here.
"""

from __future__ import annotations

import contextlib
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.paired import Row, ratio
from wasinn_nb.host.guest import run_guest
from wasinn_nb.host.run import GuestRun
from wasinn_nb.runtimes.openvino.runtime import OpenVinoContext, OpenVinoGraph, OpenVinoRuntime
from wasinn_nb.wasi_nn.context import WasiNnCtx

ROOT = Path(__file__).resolve().parent.parent
GUEST = ROOT / "data" / "guests" / "roadseg.wasm"
NAME = "road-segmentation-adas-0001"
ROUNDS = 12
COLD_ROUNDS = 5
COLD_LIMIT = 0.8  # seconds that a process may take more than a thread
READY = 3.0  # seconds in which a helper gets ready, beside the rounds


def road_model(folder: Path) -> tuple[Path, str]:
    """Return the real model, or one of the same shapes, and what it is."""
    shared = Path(os.environ.get("WASINN_NB_SHARED") or ROOT.parent / "shared")
    real = shared / "models" / f"{NAME}.xml"
    if real.is_file():
        return real, NAME
    import openvino as ov
    from openvino import opset13 as op

    x = op.parameter([1, 3, 512, 896], np.float32, name="data")
    y = op.concat([x, op.reduce_mean(x, np.array([1]), keep_dims=True)], 1)
    path = folder / "road.xml"
    ov.save_model(ov.Model([op.softmax(y, 1)], [x], "road"), path, compress_to_fp16=False)
    return path, f"a model of the same shapes ({NAME} is not here: set WASINN_NB_SHARED)"


@contextlib.contextmanager
def timed(spent: dict[str, float]) -> Iterator[None]:
    """Add up the time in OpenVINO, outside of the package's own code."""
    methods = [
        (OpenVinoRuntime, "load", "load"),
        (OpenVinoGraph, "execution_context", "load"),
        (OpenVinoContext, "compute", "compute"),
        (WasiNnCtx, "close", "release"),
    ]
    saved = [(owner, name, getattr(owner, name)) for owner, name, _ in methods]

    def wrapped(function: Any, label: str) -> Any:
        def call(*args: Any, **options: Any) -> Any:
            start = time.perf_counter()
            try:
                return function(*args, **options)
            finally:
                took = time.perf_counter() - start
                # Two threads may close one context: it takes as long as the longer one.
                both = label == "release"
                spent[label] = max(spent[label], took) if both else spent[label] + took

        return call

    try:
        for owner, name, label in methods:
            setattr(owner, name, wrapped(getattr(owner, name), label))
        yield
    finally:
        for owner, name, function in saved:
            setattr(owner, name, function)


def copies(run: GuestRun) -> float:
    """Return the seconds that the run's tensors take to be copied: in to new memory, out to old."""
    (given,), (output,) = run.inputs, run.outputs
    source = np.frombuffer(given.data, np.uint8).copy()
    result = np.frombuffer(output.data, np.uint8)
    there = np.zeros(result.size, np.uint8)
    start = time.perf_counter()
    fresh = source.copy()
    np.copyto(there, result)
    took = time.perf_counter() - start
    assert fresh.size + there.size == 12_845_056
    return took


def run_road(folder: Path, model: Path, isolation: Any) -> GuestRun:
    """Run the road guest once on ``road.png`` in *folder*."""
    return run_guest(
        GUEST,
        [f"model/{model.name}", f"model/{model.with_suffix('.bin').name}", "road.png"],
        {".": folder, "model": model.parent},
        writable=".",
        stream=False,
        check=True,
        isolation=isolation,
    )


def warm(folder: Path, model: Path) -> dict[str, list[float]]:
    """Return seconds of runs in turn, each process with a helper that is ready.

    Both wait before a run: a machine that was idle is slower at first.
    """
    seconds: dict[str, list[float]] = {"process": [], "thread": []}
    for number in range(ROUNDS + 1):
        for isolation, samples in seconds.items():
            time.sleep(READY)
            start = time.perf_counter()
            run_road(folder, model, isolation)
            if number:
                samples.append(time.perf_counter() - start)
    return seconds


COLD = """
import sys, time
from pathlib import Path
from benchmarks.bench_host import run_road
start = time.perf_counter()
run_road(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
print(time.perf_counter() - start)
"""


def cold(folder: Path, model: Path) -> dict[str, list[float]]:
    """Return seconds of first runs, each in a new Python."""
    seconds: dict[str, list[float]] = {"process": [], "thread": []}
    for _ in range(COLD_ROUNDS):
        for isolation, samples in seconds.items():
            line = [sys.executable, "-c", COLD, str(folder), str(model), isolation]
            done = subprocess.run(line, capture_output=True, text=True, check=True, cwd=ROOT)
            samples.append(float(done.stdout))
    return seconds


def measure(runs: int, folder: Path) -> tuple[list[dict[str, float]], str]:
    """Run the guest *runs* times, after one that compiles it."""
    model, what = road_model(folder)
    pixels = np.random.default_rng(0).integers(0, 256, (405, 513, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(folder / "road.png")
    samples = []
    for number in range(runs + 1):
        spent: defaultdict[str, float] = defaultdict(float)
        with timed(spent):
            start = time.perf_counter()
            run = run_road(folder, model, "thread")
            total = time.perf_counter() - start
        if number == 0:
            continue
        seconds = run.seconds
        inference = sum(spent.values())
        samples.append(
            {
                "total": total,
                "guest code": seconds["guest code"],
                "OpenVINO": inference,
                "host": total - seconds["guest code"] - inference,
                "set_input + get_output": seconds["set_input"] + seconds["get_output"],
                "compile (cached)": seconds["compile"],
                "copies alone": copies(run),
            }
        )
    return samples, what


def rows() -> list[Row]:
    """Measure and return the ratios."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        samples, what = measure(ROUNDS, folder)
        model, _ = road_model(folder)
        ready, first = warm(folder, model), cold(folder, model)
    steps = [(name, statistics.median(s[name] for s in samples) * 1e3) for name in samples[0]]
    print(f"road guest, {what}:", ", ".join(f"{n} {v:.1f} ms" for n, v in steps), file=sys.stderr)

    def of(name: str) -> list[float]:
        return [sample[name] for sample in samples]

    return [
        ratio(
            "guest run, host's share",
            "the guest's own code and OpenVINO",
            of("host"),
            [own + engine for own, engine in zip(of("guest code"), of("OpenVINO"), strict=True)],
            "<= 0.1",
        ),
        ratio(
            "run_guest in a process, warm",
            "in a thread",
            ready["process"],
            ready["thread"],
            "<= 1.15",
        ),
        ratio(
            "run_guest in a process, cold: seconds more than a thread",
            f"{COLD_LIMIT} s",
            [p - t for p, t in zip(first["process"], first["thread"], strict=True)],
            [COLD_LIMIT] * COLD_ROUNDS,
            "<= 1.0",
        ),
        ratio(
            "set_input + get_output, 12.8 MB",
            "memcpy of the same bytes",
            of("set_input + get_output"),
            of("copies alone"),
            "<= 1.5",
        ),
    ]


if __name__ == "__main__":
    for row in rows():
        met = "met" if row.met else "MISSED"
        print(f"{row.what} / {row.peer}: {row.ratio:.2f} (goal {row.goal}, {met})")
