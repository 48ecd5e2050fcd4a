"""Engines in forked processes: a clear error in place of a process that never ends."""

from __future__ import annotations

import multiprocessing
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.full,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork"),
]

BEGIN = """
import os, sys, time, warnings
import toy_files
import toys
import numpy as np
import wasinn_nb as wn
# First, for toys.py would import OpenVINO with its telemetry, whose thread holds locks at a fork.
import wasinn_nb.runtimes.openvino
from pathlib import Path

folder = Path(sys.argv[1])

def in_child(work):
    "Fork, and print what the work returns or raises there; 'hangs' after 20 seconds."
    sys.stdout.flush()
    child = os.fork()
    if child == 0:
        try:
            print(work())
        except BaseException as error:
            print(f"{type(error).__name__}: {error}")
        sys.stdout.flush()
        os._exit(0)
    end = time.monotonic() + 20
    while time.monotonic() < end:
        if os.waitpid(child, os.WNOHANG)[0]:
            return
        time.sleep(0.05)
    os.kill(child, 9)
    os.waitpid(child, 0)
    print("hangs")

def classes():
    return wn.segment(image, model).labels.max()

model = toys.brightest_channel(folder / "toy.xml")
image = np.zeros((4, 6, 3), np.uint8)
image[..., 1] = 200
"""

SPAWN = "multiprocessing.get_context('spawn')"


@pytest.fixture
def forked(tmp_path):
    tests = Path(__file__).parent
    path = os.pathsep.join([str(tests), str(tests.parent)])

    def run(code):
        done = subprocess.run(
            [sys.executable, "-c", BEGIN + code, str(tmp_path)],
            env=os.environ | {"PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
            timeout=200,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout.splitlines()

    return run


def test_what_the_parent_made_is_refused_in_the_child(forked):
    lines = forked("""
pipeline = wn.Pipeline(model)
pipeline(image)
context = wn.WasiNnCtx()
graph = context.load(wn.model(model).files)
in_child(lambda: pipeline(image))
in_child(classes)
in_child(lambda: context.init_execution_context(graph))
in_child(lambda: wn.devices())
print(pipeline(image).labels.max())
""")
    assert [line.partition(" cannot be used in a forked process")[0] for line in lines] == [
        "RuntimeFailure: this pipeline",
        "RuntimeFailure: OpenVINO, which the parent process has used,",
        "RuntimeFailure: this WasiNnCtx",
        "RuntimeFailure: OpenVINO, which the parent process has used,",
        "1",
    ]
    assert all(SPAWN in line for line in lines[:4])


def test_a_pool_raises_in_place_of_hanging(forked):
    lines = forked("""
import multiprocessing

wn.segment(image, model)
with multiprocessing.get_context("fork").Pool(2) as pool:
    for _ in range(3):
        try:
            print(pool.apply_async(wn.segment, (image, model)).get(20))
        except wn.errors.RuntimeFailure as error:
            print(error)
""")
    assert len(lines) == 3
    assert all(SPAWN in line for line in lines)


def test_graphs_and_contexts_of_every_engine_are_refused(forked):
    lines = forked(
        """
from wasinn_nb.runtimes import runtime
from wasinn_nb.abi import GraphEncoding

parts = {
    "openvino": ([toys.onnx_relu()], GraphEncoding.ONNX),
    "onnxruntime": ([toys.onnx_relu()], GraphEncoding.ONNX),
    "litert": ([toy_files.tflite_relu()], GraphEncoding.TENSORFLOWLITE),
}
ones = wn.Tensor.from_array(np.ones((1, 2), np.float32))

def used(name):
    graph = runtime(name).load(*parts[name], "CPU")
    context = graph.execution_context()
    context.set_input(0, ones)
    context.compute()
    return graph, context, float(context.output(0).to_array().sum())

for name in parts:
    graph, context, _ = used(name)
    in_child(graph.execution_context)
    in_child(lambda: context.set_input(0, ones))
    in_child(context.compute)
for name in ("onnxruntime", "litert"):
    in_child(lambda: used(name)[2])
"""
    )
    assert [line.partition(" cannot")[0] for line in lines[:9]] == [
        "RuntimeFailure: this graph"
    ] * 9
    assert lines[9:] == ["2.0", "2.0"]


def test_a_child_of_a_process_that_used_no_engine_works(forked):
    assert forked("in_child(classes); in_child(classes)") == ["1", "1"]


GUESTS = """
def run():
    return wn.run_guest(
        wn.guest("misbehave"), ["nn-result"], stream=False, isolation=ISOLATION
    ).exit_code

in_child(lambda: isinstance(run(), int))
run()
in_child(lambda: isinstance(run(), int))
run()
"""


def test_guests_in_threads_of_forked_processes(forked):
    pytest.importorskip("wasmtime")
    lines = forked(GUESTS.replace("ISOLATION", "'thread'"))
    assert lines[0] == "True"
    assert lines[1].startswith("RuntimeFailure: wasmtime, which the parent process has used, can")


@pytest.mark.slow
def test_guests_in_processes_of_forked_processes(forked):
    pytest.importorskip("wasmtime")
    # The parent's spare helper is the parent's alone.
    assert forked(GUESTS.replace("ISOLATION", "'process'")) == ["True", "True"]


@pytest.mark.slow
def test_spawned_processes_work_as_the_error_says():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply_async(_height).get(60) == 512


def _height():
    import wasinn_nb as wn

    return wn.segment().labels.shape[0]
