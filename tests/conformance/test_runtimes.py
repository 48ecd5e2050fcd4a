"""What every runtime does with a model: describe it, load it, run it, stop it."""

from __future__ import annotations

import time
import warnings
from threading import Timer

import numpy as np
import pytest
from deadlines import STOPPED, ends_within

import wasinn_nb as wn
from conformance import models
from conformance.engines import ENGINES
from wasinn_nb import errors
from wasinn_nb.abi import TensorType
from wasinn_nb.runtimes import PRECISIONS
from wasinn_nb.runtimes.registry import devices, runtime, runtimes
from wasinn_nb.tensor import Tensor

F32 = np.float32


def tensor(*values):
    return Tensor.from_array(np.array([values], F32))


def ports(found):
    return [(port.name, port.dimensions, port.type, port.type_name) for port in found]


@pytest.fixture
def load(engine, runner):
    """Load the toy model that a function of `models` writes."""

    def load(build, *arguments, precision="f32", **options):
        builders = build(engine.writer(), *arguments)
        return runner.load(builders, engine.encoding, "CPU", precision, **options)

    return load


# --------------------------------------------------------------------------------- what it is


def test_every_registered_runtime_is_in_the_suite():
    assert {engine.runtime for engine in ENGINES} == set(runtimes())


def test_a_runtime_of_another_package_is_found_by_its_entry_point(engine, runner):
    assert runner.name == engine.runtime
    assert runtime(runner) is runner
    assert engine.encoding in runner.encodings
    assert engine.unread not in runner.encodings


def test_versions(runner):
    assert runner.versions
    for package, version in runner.versions.items():
        assert package
        assert version[0].isdigit()


def test_devices(runner):
    table = runner.devices()
    assert [row for row in table if row.available]
    assert all(row.available != bool(row.reason) for row in table)
    names = [row.name for row in table]
    assert len(set(names)) == len(names)
    assert devices(runner.name) == table


# ------------------------------------------------------------------------------------- describe


def test_describe_names_dimensions_and_types(engine, runner):
    found = runner.describe(models.crossed(engine.writer()), engine.encoding)
    f32 = TensorType.F32
    assert ports(found.inputs) == [("left", (1, 2), f32, "f32"), ("right", (1, 2), f32, "f32")]
    assert ports(found.outputs) == [
        ("sum", (1, 2), f32, "f32"),
        ("difference", (1, 2), f32, "f32"),
    ]


@pytest.mark.parametrize("type_", ["f16", "u8", "i8", "i32", "i64"])
def test_describe_types_and_open_sizes(engine, runner, type_):
    builders = models.doubled(engine.writer(), (1, None, None, 3), type_, type_)
    found = runner.describe(builders, engine.encoding)
    known = (1, None, None, 3), TensorType.parse(type_), type_
    assert ports(found.inputs) == [("data", *known)]
    assert ports(found.outputs) == [("scores", *known)]
    assert found.outputs[0].signature == f"1x?x?x3x{type_}"


# A runtime of another package need not know it.
@pytest.mark.parametrize("engine", [one for one in ENGINES if one.runtime != "toy"], ids=str)
def test_describe_says_what_computes_an_output(engine, runner):
    for sigmoid, bounded in [(True, True), (False, False)]:
        builders = models.plane(engine.writer(), (1, 1, 2, 2), sigmoid=sigmoid)
        operation = runner.describe(builders, engine.encoding).outputs[0].operation
        assert (operation == "Sigmoid") == bounded


# ---------------------------------------------------------------------------------------- run


def test_load_and_run(load):
    graph = load(models.add_one)
    assert ports(graph.inputs) == [("data", (1, 2), TensorType.F32, "f32")]
    assert ports(graph.outputs) == [("sum", (1, 2), TensorType.F32, "f32")]
    assert (graph.input, graph.head) == (None, None)
    assert (graph.fuses_input, graph.fuses_head) == (False, False)
    assert (graph.device, graph.precision) == ("CPU", "f32")
    context = graph.execution_context()
    context.set_input(0, tensor(1, 2))
    context.compute()
    assert context.output(0) == tensor(2, 3)


def test_model_in_files(engine, runner, tmp_path):
    model = engine.model(models.add_one(engine.writer()), tmp_path)
    context = runner.load(model.files, model.encoding, "CPU", "f32").execution_context()
    context.set_input(0, tensor(0.5, -4))
    context.compute()
    assert context.output(0) == tensor(1.5, -3)


def test_several_inputs_and_outputs(load):
    context = load(models.crossed).execution_context()
    context.set_input(1, tensor(10, 20))
    context.set_input(0, tensor(3, 5))
    context.compute()
    assert context.output(1) == tensor(-7, -15)
    assert context.output(0) == tensor(13, 25)
    context.set_input(0, tensor(0, 0))  # the other one stays
    context.compute()
    assert context.output(0) == tensor(10, 20)


@pytest.mark.full
@pytest.mark.parametrize("type_", ["f32", "f16", "u8", "i8", "i32", "i64"])
@pytest.mark.parametrize("dimensions", [(1, 3, 2, 2), (1, 2, 2, 3)], ids=["NCHW", "NHWC"])
def test_types(load, type_, dimensions):
    context = load(models.doubled, dimensions, type_, type_).execution_context()
    values = np.arange(12).reshape(dimensions).astype(TensorType.parse(type_).dtype)
    context.set_input(0, Tensor.from_array(values))
    context.compute()
    assert context.output(0) == Tensor.from_array(values * values.dtype.type(2))


def test_bytes_rule_where_only_the_order_of_sizes_differs(load):
    context = load(models.doubled, (1, 3, 2, 2)).execution_context()
    values = np.arange(12, dtype=F32)
    context.set_input(0, Tensor.from_array(values.reshape(1, 2, 2, 3)))
    context.compute()
    assert context.output(0) == Tensor.from_array(2 * values.reshape(1, 3, 2, 2))


def test_open_sizes_may_change_from_run_to_run(load):
    context = load(models.doubled, (1, None, None, 3)).execution_context()
    for height, width in [(2, 2), (4, 3), (1, 5), (2, 2)]:
        values = np.arange(height * width * 3, dtype=F32).reshape(1, height, width, 3)
        context.set_input(0, Tensor.from_array(values))
        context.compute()
        assert context.output(0) == Tensor.from_array(2 * values)


def test_start_then_wait(load):
    context = load(models.add_one).execution_context()
    context.set_input(0, tensor(1, 2))
    context.start()
    context.wait()
    assert context.output(0) == tensor(2, 3)
    context.set_input(0, tensor(5, 6))
    context.start()
    context.wait()
    assert context.output(0) == tensor(6, 7)


def test_contexts_of_one_graph_run_side_by_side(load):
    graph = load(models.doubled, (1, 3, 64, 64))
    contexts = [graph.execution_context() for _ in range(3)]
    images = [np.full((1, 3, 64, 64), index, F32) for index in range(3)]
    for context, image in zip(contexts, images, strict=True):
        context.set_input(0, Tensor.from_array(image))
    for context in contexts:
        context.start()
    for context in reversed(contexts):
        context.wait()
    for context, image in zip(contexts, images, strict=True):
        assert context.output(0) == Tensor.from_array(2 * image)


def test_outputs_stay_as_they_are(load):
    context = load(models.add_one).execution_context()
    context.set_input(0, tensor(1, 2))
    context.compute()
    first = context.output(0)
    context.set_input(0, tensor(7, 8))
    assert context.output(0) == tensor(2, 3)
    context.compute()
    assert first == tensor(2, 3)
    assert context.output(0) == tensor(8, 9)


def test_inputs_stay_as_they_are(load):
    given = tensor(1, 2)
    context = load(models.add_one).execution_context()
    context.set_input(0, given)
    context.compute()
    assert given == tensor(1, 2)


def test_fresh_context_has_no_output(load):
    graph = load(models.add_one)
    other = graph.execution_context()
    other.set_input(0, tensor(1, 2))
    other.compute()
    with pytest.raises(errors.RuntimeFailure, match="run the graph first"):
        graph.execution_context().output(0)


# ------------------------------------------------------------------------------------ precision


@pytest.mark.parametrize("precision", PRECISIONS)
def test_precision_is_what_ran(load, precision):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        graph = load(models.add_one, precision=precision)
    assert graph.precision in {"f32", "f16", "bf16"}
    expected = [] if precision in {graph.precision, "device"} else [errors.WasiNnWarning]
    assert [one.category for one in warned] == expected
    for one in warned:
        assert f"precision {precision} was asked for" in str(one.message)
        assert f"computes in {graph.precision} on CPU" in str(one.message)


# --------------------------------------------------------------------------------------- cancel


@pytest.mark.full
def test_cancel_ends_a_run_soon(engine):
    context = models.lasting(engine, 0.8)
    context.start()
    timer = Timer(0.1, context.cancel)  # in another thread
    timer.start()
    if engine.can_cancel:
        with ends_within(STOPPED, after=0.1), pytest.raises(errors.RuntimeFailure):
            context.wait()
    else:  # the run ends by itself, and its result is right
        context.wait()
        assert context.output(0).to_array().min() > 0
    timer.join()


def test_context_is_usable_after_a_cancelled_run(load):
    context = load(models.add_one).execution_context()
    context.cancel()
    context.set_input(0, tensor(1, 2))
    context.compute()
    assert context.output(0) == tensor(2, 3)


@pytest.mark.full
@pytest.mark.parametrize("engine", [one for one in ENGINES if one.can_cancel], ids=str)
def test_cancelled_context_has_no_output(engine):
    context = models.lasting(engine, 0.5)
    context.start()
    time.sleep(0.05)
    context.cancel()
    with pytest.raises(errors.RuntimeFailure):
        context.wait()
    with pytest.raises(errors.RuntimeFailure, match="run the graph first"):
        context.output(0)


# ----------------------------------------------------------------------------------- five calls


def test_five_calls(engine):
    with wn.WasiNnCtx(runtime=engine.runtime) as ctx:
        graph = ctx.load(models.add_one(engine.writer()), engine.encoding, "CPU")
        context = ctx.init_execution_context(graph)
        with pytest.raises(errors.RuntimeFailure, match="input 0 is set"):
            ctx.compute(context)
        ctx.set_input(context, 0, tensor(1, 2))
        ctx.compute(context)
        assert ctx.get_output(context, 0) == tensor(2, 3)
        buffer = bytearray(8)
        assert ctx.get_output_into(context, 0, buffer) == 8
        assert np.frombuffer(buffer, F32).tolist() == [2, 3]
