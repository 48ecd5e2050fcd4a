"""How engines run: outputs, waiting, cancelling, threads, and what they write."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
from contextlib import suppress

import numpy as np
import pytest
import toy_files
import toys
from conformance import models
from conformance.engines import OWN, tensor
from conformance.tflite_writer import TfliteWriter
from deadlines import STOPPED, ends_within

import wasinn_nb as wn
from wasinn_nb.abi import GraphEncoding
from wasinn_nb.errors import BusyError, RuntimeFailure
from wasinn_nb.runtimes.concurrency import processors
from wasinn_nb.runtimes.registry import runtime
from wasinn_nb.tensor import Tensor

F32 = np.float32
ONNX, TFLITE = GraphEncoding.ONNX, GraphEncoding.TENSORFLOWLITE


@pytest.fixture(params=OWN, ids=str)
def engine(request):
    return request.param


# -- runs ------------------------------------------------------------------------------------------


def test_an_output_that_is_an_input_passed_on_stays_as_it_is(ort):
    from onnx import TensorProto

    end = {"x": (TensorProto.FLOAT, [1, 2])}
    content = toys.onnx_graph(
        [("Relu", ["x"], ["y"])], end, {"y": end["x"], **end}
    ).SerializeToString()
    context = ort.load([content], ONNX, "CPU").execution_context()
    context.set_input(0, tensor(-1, 2))
    context.compute()
    first = context.output(1)
    context.set_input(0, tensor(7, 8))
    context.compute()
    del context
    gc.collect()
    assert first == tensor(-1, 2)


@pytest.fixture
def running(engine):
    """A context over a graph that computes for a while, with its input set."""
    return models.lasting(engine, 0.3)


@pytest.mark.full
def test_a_context_that_computes_is_busy(running):
    busy = "the context is computing: wait for it, or use a context for each run"
    ones = Tensor.from_array(np.ones((4096, 4096), F32))
    running.start()
    for call in (running.start, running.compute, lambda: running.set_input(0, ones)):
        with pytest.raises(BusyError) as caught:
            call()
        assert str(caught.value) == busy
    running.wait()
    started = running.output(0)
    running.compute()
    assert running.output(0) == started


@pytest.mark.full
def test_a_run_is_cancelled_as_soon_as_it_was_started(running, engine):
    if not engine.can_cancel:
        pytest.skip("its runs cannot be interrupted")
    for _ in range(3):
        running.start()
        running.cancel()
        with ends_within(STOPPED), pytest.raises(RuntimeFailure, match="failed to compute"):
            running.wait()
    running.compute()


def test_waiting_for_nothing(engine):
    builders = models.add_one(engine.writer())
    graph = runtime(engine.runtime).load(builders, engine.encoding, "CPU", "f32")
    context = graph.execution_context()
    context.wait()
    with pytest.raises(RuntimeFailure, match="there is no output 0 yet: run the graph first"):
        context.output(0)


def test_threads(ort, litert, monkeypatch):
    module = sys.modules["wasinn_nb.runtimes.litert"]
    numbers = []
    original = module.Interpreter

    def interpreter(**options):
        numbers.append(options["num_threads"])
        return original(**options)

    monkeypatch.setattr(module, "Interpreter", interpreter)
    graph = litert.load([toy_files.tflite_relu()], TFLITE, "CPU")
    for _ in range(2):
        graph.execution_context()
    assert numbers == [processors()] * 2  # the first context runs the graph's own interpreter
    options = ort.load([toys.onnx_relu()], ONNX, "CPU").session.get_session_options()
    assert options.intra_op_num_threads == processors()
    assert options.get_session_config_entry("session.intra_op.allow_spinning") == "0"


def test_variables_begin_at_zero_after_the_run_that_shows_sizes(litert):
    builders = models.doubled(TfliteWriter(), (1, None, None, 3))
    recipe = wn.PreprocessRecipe(2, 3, "NHWC", "RGB")
    graph = litert.load(builders, TFLITE, "CPU", input=lambda _: recipe)
    assert [port.dimensions for port in graph.outputs] == [(1, 2, 3, 3)]
    assert litert.describe(builders, TFLITE, input=lambda _: recipe).outputs == graph.outputs


def test_a_provider_that_does_not_work_is_not_replaced_silently(ort, monkeypatch, capfd):
    module = sys.modules["wasinn_nb.runtimes.onnxruntime"]
    providers = ["CUDAExecutionProvider", "CPUExecutionProvider"]
    monkeypatch.setattr(module.ort, "get_available_providers", lambda: providers)
    assert [row.available for row in ort.devices()] == [True, True, True]
    monkeypatch.setattr("warnings.warn", lambda *_, **__: None)  # it warns, and goes on
    with pytest.raises(RuntimeFailure) as caught:
        ort.load([toys.onnx_relu()], ONNX, "GPU")
    assert str(caught.value) == (
        "ONNX Runtime has CUDAExecutionProvider, but it does not work here: check the driver and "
        "CUDA, or use the target CPU"
    )
    assert capfd.readouterr() == ("", "")


# -- processes of their own ------------------------------------------------------------------------


RUN = """
import os, sys
import numpy as np
import wasinn_nb as wn
name, path, *close = sys.argv[1:]
for descriptor in close:
    os.close(int(descriptor))
with wn.WasiNnCtx(name) as ctx:
    context = ctx.init_execution_context(ctx.load(path))
    ctx.set_input(context, 0, wn.Tensor.from_array(np.array([[-1, 2]], np.float32)))
    ctx.compute(context)
    print(ctx.get_output(context, 0).to_array().tolist())
print(sorted({"openvino", "onnxruntime", "ai_edge_litert"} & set(sys.modules)))
"""


@pytest.mark.full
@pytest.mark.parametrize(
    ("name", "suffix", "module"),
    [
        ("openvino", ".onnx", "openvino"),
        ("onnxruntime", ".onnx", "onnxruntime"),
        ("litert", ".tflite", "ai_edge_litert"),
    ],
)
def test_only_the_engine_that_is_used_is_imported_and_nothing_is_written(
    tmp_path, name, suffix, module
):
    path = tmp_path / f"toy{suffix}"
    path.write_bytes(toys.onnx_relu() if suffix == ".onnx" else toy_files.tflite_relu())
    for close in ([], ["2"]):
        ran = subprocess.run(
            [sys.executable, "-c", RUN, name, str(path), *close],
            capture_output=True,
            text=True,
            check=True,
        )
        assert ran.stdout == f"[[0.0, 2.0]]\n['{module}']\n"
        assert ran.stderr == ""


def test_only_notes_are_kept_from_the_standard_error(capfd, litert):
    quiet = sys.modules["wasinn_nb.runtimes.litert"]._quiet
    with quiet():
        os.write(2, b"INFO: Created TensorFlow Lite XNNPACK delegate for CPU.\nWARNING: b\n")
        os.write(2, b"INFO: of another thread\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "WARNING: b\nINFO: of another thread\nafter\n"
    with suppress(RuntimeFailure), quiet():
        os.write(2, b"ERROR: d\n")
        raise RuntimeFailure
    assert capfd.readouterr().err == "ERROR: d\n"
