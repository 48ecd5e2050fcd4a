"""Contexts that several threads use; names; what a context records."""

import shutil
import threading
import time

import numpy as np
import pytest
import toys
from contexts import TWO, _fresh, run, values
from deadlines import STOPPED, ends_within

from wasinn_nb.abi import Errno, ExecutionTarget, GraphEncoding
from wasinn_nb.errors import (
    BusyError,
    InvalidArgumentError,
    MissingFileError,
    NotFoundError,
    RuntimeFailure,
    WasiNnError,
)
from wasinn_nb.tensor import Tensor, read_tensor
from wasinn_nb.wasi_nn.context import WasiNnCtx


@pytest.fixture(scope="module")
def slow():
    """A model that takes about half a second on this machine."""
    data = Tensor.from_array(np.ones((1, 16, 768, 768), np.float32))
    with WasiNnCtx() as ctx:
        context = ctx.init_execution_context(ctx.load(toys.slow(10, 768)))
        ctx.set_input(context, 0, data)
        return toys.slow(10 * toys.repeats(0.5, lambda: ctx.compute(context)), 768)


# -- threads ---------------------------------------------------------------------------------------


def _computing(ctx, context, box):
    def work():
        try:
            ctx.compute(context)
        except WasiNnError as error:
            box.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    lock = ctx._handles.executions[context].lock
    deadline = time.monotonic() + 20
    while not lock.locked() and thread.is_alive() and time.monotonic() < deadline:
        time.sleep(0.001)
    return thread


@pytest.fixture
def running(slow):
    """A context that computes in another thread."""
    ctx = WasiNnCtx()
    context = ctx.init_execution_context(ctx.load(slow))
    ctx.set_input(context, 0, Tensor.from_array(np.ones((1, 16, 768, 768), np.float32)))
    box = []
    thread = _computing(ctx, context, box)
    yield ctx, context, thread, box
    thread.join()
    ctx.close()


@pytest.mark.full
def test_a_context_is_busy_while_it_computes(running):
    ctx, context, thread, box = running
    calls = [
        lambda: ctx.compute(context),
        lambda: ctx.set_input(context, 0, TWO),
        lambda: ctx.get_output(context, 0),
        lambda: ctx.get_output_into(context, 0, bytearray(8)),
        lambda: ctx.finalize_execution_context(context),
    ]
    for call in calls:
        with pytest.raises(BusyError) as caught:
            call()
        assert str(caught.value) == (
            "context 0 is computing in another thread; wait for it, or use a context per thread"
        )
        assert ctx.trace[-1].errno is Errno.BUSY
    assert thread.is_alive()  # or the calls were too late
    assert ctx.init_execution_context(0) == 1  # the rest goes on
    thread.join()
    assert box == []
    assert ctx.get_output(context, 0).dimensions == (1, 16, 768, 768)


@pytest.mark.full
def test_close_waits_for_what_computes(running):
    ctx, context, thread, box = running
    ctx.close()
    assert not ctx._handles.executions
    assert box == []
    thread.join(5)
    assert not thread.is_alive()
    assert ctx.trace[-1].name == "compute"
    assert ctx.trace[-1].errno is Errno.SUCCESS
    with pytest.raises(RuntimeFailure, match="closed"):
        ctx.get_output(context, 0)


@pytest.mark.full
def test_cancel_ends_a_computation_and_the_next_one_is_right(running):
    ctx, context, thread, box = running
    with ends_within(STOPPED):
        while thread.is_alive():  # again: it has the lock before it computes
            ctx.cancel()
            thread.join(0.02)
    assert [str(error) for error in box] == [
        "OpenVINO failed to compute: Infer Request was canceled"
    ]
    with pytest.raises(RuntimeFailure, match="get_output before compute"):
        ctx.get_output(context, 0)
    ctx.compute(context)
    first = ctx.get_output(context, 0)
    ctx.cancel()  # nothing computes: nothing happens
    ctx.compute(context)
    assert ctx.get_output(context, 0) == first


def test_contexts_in_several_threads_give_right_results():
    with WasiNnCtx(keep="all") as ctx:
        graphs = [ctx.load(toys.plus(value, (64, 64))) for value in (1, 10)]
        failures = []

        def work(number):
            try:
                for turn in range(25):
                    graph = graphs[(number + turn) % 2]
                    context = ctx.init_execution_context(graph)
                    sent = np.full((64, 64), number * 100 + turn, np.float32)
                    ctx.set_input(context, 0, Tensor.from_array(sent))
                    ctx.compute(context)
                    actual = ctx.get_output(context, 0).to_array()
                    assert np.array_equal(actual, sent + (1, 10)[graph])
                    ctx.finalize_execution_context(context)
            except BaseException as error:  # noqa: BLE001 - raised below
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []
        assert len(ctx.trace) == 2 + 4 * 25 * 5
        assert {call.errno for call in ctx.trace} == {Errno.SUCCESS}
        assert ctx.init_execution_context(0) == 100  # each handle was given once


@pytest.mark.full
def test_of_many_threads_that_finalize_one_succeeds(ctx, relu):
    for _ in range(20):
        context = _fresh(ctx, relu)
        barrier = threading.Barrier(4)
        errors = []

        def work(context=context, barrier=barrier, errors=errors):
            barrier.wait()
            try:
                ctx.finalize_execution_context(context)
            except BaseException as error:  # noqa: BLE001 - looked at below
                errors.append(type(error))

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(errors) == 3
        assert set(errors) <= {InvalidArgumentError, BusyError}


# -- names -----------------------------------------------------------------------------------------


def test_models_are_found_by_registered_names(relu, tmp_path):
    xml = tmp_path / "toy.xml"
    for suffix, part in zip((".xml", ".bin"), relu, strict=True):
        xml.with_suffix(suffix).write_bytes(part)
    models = {"bytes": relu, "path": xml, "onnx": toys.onnx_relu(), "gone": tmp_path / "x.onnx"}
    with WasiNnCtx(models=models) as ctx:
        models.clear()  # the mapping was copied
        for number, name in enumerate(["bytes", "path", "onnx"]):
            assert ctx.load_by_name(name) == number
            assert values(_by(ctx, number)) == [[0, 2]]
        with pytest.raises(MissingFileError):
            ctx.load_by_name("gone")
        assert (ctx.trace[-1].name, ctx.trace[-1].arguments) == ("load_by_name", "'gone'")
        assert ctx.trace[-1].errno is Errno.NOT_FOUND


def _by(ctx, graph):
    context = ctx.init_execution_context(graph)
    ctx.set_input(context, 0, TWO)
    ctx.compute(context)
    return ctx.get_output(context, 0)


def test_a_name_that_nobody_knows(relu):
    pytest.importorskip("wasinn_nb.catalog")
    with WasiNnCtx(models={"mine": relu}) as ctx:
        with pytest.raises(NotFoundError, match=r"names registered here: mine\)"):
            ctx.load_by_name("nobody-knows-this")
        assert ctx.trace[-1].errno is Errno.NOT_FOUND


# -- the trace and the description -----------------------------------------------------------------


def test_the_trace_has_the_five_calls(ctx, relu):
    run(ctx, relu, TWO, encoding="openvino")
    sizes = f"{len(relu[0])} bytes + {len(relu[1])} bytes"
    assert [
        (c.name, c.arguments, c.expected, c.got, c.errno, c.note, c.tensor) for c in ctx.trace
    ] == [
        ("load", f"{sizes}, openvino, CPU", "", "graph 0", 0, "", None),
        ("init_execution_context", "graph 0", "", "context 0", 0, "", None),
        ("set_input", "context 0, input 0", "1x2xf32", "1x2xf32", 0, "", TWO),
        ("compute", "context 0", "", "", 0, "", None),
        (
            "get_output",
            "context 0, output 0",
            "1x2xf32",
            "1x2xf32",
            0,
            "",
            Tensor((1, 2), "f32", np.float32([0, 2])),
        ),
    ]
    assert all(call.seconds > 0 for call in ctx.trace)


@pytest.mark.parametrize(
    ("encoding", "target", "words"),
    [
        (GraphEncoding.OPENVINO, ExecutionTarget.CPU, "openvino, cpu"),
        (0, 0, "0, 0"),
        ("OPENVINO", "CPU", "OPENVINO, CPU"),
        ("autodetect", None, "autodetect, default"),
    ],
)
def test_arguments_are_recorded_as_they_were_given(ctx, relu, encoding, target, words):
    ctx.load(relu, encoding, target)
    assert ctx.trace[0].arguments.endswith(f" bytes, {words}")


@pytest.mark.parametrize(
    ("keep", "inputs", "outputs"),
    [("all", [1, 2, 3], [2, 3, 4]), ("last", [3], [4]), (None, [], [])],
)
def test_the_trace_keeps_the_tensors_that_it_shall(keep, inputs, outputs):
    with WasiNnCtx(keep=keep) as ctx:
        context = ctx.init_execution_context(ctx.load(toys.plus(1, (1,))))
        for number in (1, 2, 3):
            ctx.set_input(context, 0, Tensor.from_array(np.float32([number])))
            ctx.compute(context)
            ctx.get_output(context, 0)
        assert [values(t)[0] for t in ctx.trace.tensors("set_input")] == inputs
        assert [values(t)[0] for t in ctx.trace.tensors("get_output")] == outputs
        assert len(ctx.trace) == 11


def test_describe_gives_the_rust_lines(ctx):
    from openvino import opset13 as op

    model = toys.ir(toys.graph(lambda x: op.convert(x, "f16"), (1, 3, 4, 5), name="<data>"))
    graph = ctx.load(model)
    described = ctx.describe(graph)
    name = described.outputs[0].name
    wide = max(len("<data>"), len(name))
    assert repr(described).splitlines() == [
        f"port      {'name':{wide}}  dimensions and type  bytes",
        f"input 0   {'<data>':{wide}}  1x3x4x5xf32            240",
        f"output 0  {name:{wide}}  1x3x4x5xf16            120",
        "# in Rust",
        "let mut input = vec![0f32; 1 * 3 * 4 * 5];  // input 0",
        "let mut output = vec![0u16; 1 * 3 * 4 * 5];  // output 0",
    ]
    html = described._repr_html_()
    assert "&lt;data&gt;" in html
    assert "<data>" not in html
    assert "on CPU, computed in f32" in html


def test_the_real_model(ctx, shared, tmp_path):
    """The reference row of ../shared/reference/README.md, from the guest's own bytes."""
    folder = shared / "models"
    name = "empty_road_mapillary.jpg.image-0.24.3.bgr-512x896x3xu8.tensor"
    pixels = read_tensor(shared / "reference" / name).to_array()
    tensor = Tensor.from_array(pixels.transpose(2, 0, 1)[None].astype(np.float32))
    expected = [356456, 88026, 9992, 4278]
    for part in ("xml", "bin"):
        shutil.copy(folder / f"road-segmentation-adas-0001.{part}", tmp_path / f"road.{part}")
    output = run(ctx, tmp_path / "road.xml", tensor)[0].to_array()
    assert output.shape == (1, 4, 512, 896)
    counts = np.bincount(output[0].argmax(0).reshape(-1), minlength=4)
    assert np.abs(counts - expected).max() <= 20
    assert abs(output[0].max(0).mean() - 0.9645) < 0.0005
