"""Contexts: handles, order, and the memory that they share with the engine."""

import numpy as np
import pytest
import toys
from contexts import TWO, _fresh, _ready, values

from wasinn_nb.errors import (
    InvalidArgumentError,
    RuntimeFailure,
)
from wasinn_nb.tensor import Tensor
from wasinn_nb.wasi_nn.context import WasiNnCtx

# -- handles and order -----------------------------------------------------------------------------


def test_handles_count_from_0_in_both_tables_and_are_not_used_again(ctx, relu):
    assert [ctx.load(relu) for _ in range(3)] == [0, 1, 2]
    assert [ctx.init_execution_context(2) for _ in range(3)] == [0, 1, 2]
    ctx.unload(1)
    ctx.finalize_execution_context(2)
    with pytest.raises(RuntimeFailure):
        ctx.load([b"\x08garbage"], "onnx")  # takes no handle
    assert ctx.load(relu) == 3
    assert ctx.init_execution_context(3) == 3
    with pytest.raises(InvalidArgumentError, match="no graph 1; known graphs: 0, 2, 3"):
        ctx.describe(1)


def test_numpy_integers_are_handles_and_indices(ctx, relu):
    context = ctx.init_execution_context(np.int64(ctx.load(relu)))
    ctx.set_input(np.uint32(context), np.int64(0), TWO)
    ctx.compute(np.int32(context))
    assert values(ctx.get_output(np.int64(context), np.uint8(0))) == [[0, 2]]


def test_contexts_go_on_after_their_graph_is_unloaded(ctx, relu):
    context = _fresh(ctx, relu)
    ctx.unload(0)
    ctx.set_input(context, 0, TWO)
    ctx.compute(context)
    assert values(ctx.get_output(context, 0)) == [[0, 2]]


def test_inputs_stay_set_and_can_be_replaced(ctx, relu):
    context = _ready(ctx, relu)
    ctx.compute(context)
    assert values(ctx.get_output(context, 0)) == [[0, 2]]
    ctx.set_input(context, 0, Tensor.from_array(np.float32([[7, -7]])))
    assert values(ctx.get_output(context, 0)) == [[0, 2]]  # until it is computed again
    ctx.compute(context)
    assert values(ctx.get_output(context, 0)) == [[7, 0]]


def test_outputs_can_be_written_into_larger_buffers(ctx, relu):
    context = _ready(ctx, relu)
    buffer = bytearray(b"\xee" * 10)
    assert ctx.get_output_into(context, 0, buffer) == 8
    assert buffer.hex() == "00000000" + "00000040" + "eeee"  # 0, 2, untouched
    array = np.full((2, 2), 9, np.float32)
    assert ctx.get_output_into(context, 0, array) == 8
    assert array.tolist() == [[0, 2], [9, 9]]


def test_after_close_everything_is_refused(relu):
    with WasiNnCtx() as ctx:
        context = _ready(ctx, relu)
        output = ctx.get_output(context, 0)
    calls = [
        lambda: ctx.load(relu),
        lambda: ctx.init_execution_context(0),
        lambda: ctx.set_input(0, 0, TWO),
        lambda: ctx.compute(0),
        lambda: ctx.get_output(0, 0),
        lambda: ctx.get_output_into(0, 0, bytearray(8)),
        lambda: ctx.finalize_execution_context(0),
        lambda: ctx.unload(0),
        lambda: ctx.describe(0),
    ]
    for call in calls:
        with pytest.raises(RuntimeFailure, match="this WasiNnCtx is closed; make a new one"):
            call()
    ctx.close()  # once more does no harm
    ctx.cancel()
    assert values(output) == [[0, 2]]  # outputs outlive their context
    assert repr(ctx).startswith("WasiNnCtx(closed, precision f32, ")


# -- memory that is shared with OpenVINO -----------------------------------------------------------


def _passed_on():
    from openvino import opset13 as op

    return {
        "identity": lambda data: data,
        "relu": op.relu,
        "add": lambda data: op.add(data, np.float32(1)),
        "reshape": lambda data: op.reshape(data, np.array([4]), special_zero=False),
        "reshape, relu": lambda data: op.relu(op.reshape(data, np.array([4]), special_zero=False)),
        "transpose": lambda data: op.transpose(data, np.array([0, 1])),
        "convert": lambda data: op.convert(data, "f32"),
        "softmax": lambda data: op.softmax(data, 1),
        "update": lambda data: op.scatter_nd_update(data, np.array([[0, 0]]), np.float32([5])),
        "split": lambda data: op.split(data, np.int64(0), 2).outputs()[0].get_node(),
        "input beside relu": lambda data: [op.relu(data), data],
        "input beside add": lambda data: [data, op.add(data, np.float32(1))],
        "input twice": lambda data: [data, data],
        "input beside reshape": lambda data: [
            op.reshape(data, np.array([4]), special_zero=False),
            data,
        ],
        "constant": lambda data: [op.constant(np.float32([[5, 6], [7, 8]])), op.relu(data)],
        "same node twice": lambda data: [(same := op.relu(data)), same],
    }


@pytest.mark.full
@pytest.mark.parametrize("build", _passed_on())
def test_inputs_are_read_in_place_and_never_written_to(ctx, build, tmp_path):
    """Also from a file that is mapped read-only, where a write would end the process."""
    model = toys.ir(toys.graph(_passed_on()[build], (2, 2)))
    expected = {
        "identity": [[[-1, 2], [3, -4]]],
        "input beside relu": [[[0, 2], [3, 0]], [[-1, 2], [3, -4]]],
        "input beside add": [[[-1, 2], [3, -4]], [[0, 3], [4, -3]]],
        "input twice": [[[-1, 2], [3, -4]]] * 2,
        "input beside reshape": [[-1, 2, 3, -4], [[-1, 2], [3, -4]]],
        "constant": [[[5, 6], [7, 8]], [[0, 2], [3, 0]]],
        "same node twice": [[[0, 2], [3, 0]]] * 2,
        "relu": [[[0, 2], [3, 0]]],
        "add": [[[0, 3], [4, -3]]],
        "reshape": [[-1, 2, 3, -4]],
        "reshape, relu": [[0, 2, 3, 0]],
        "transpose": [[[-1, 2], [3, -4]]],
        "convert": [[[-1, 2], [3, -4]]],
        "update": [[[5, 2], [3, -4]]],
    }.get(build)
    array = np.float32([[-1, 2], [3, -4]])
    mapped = np.lib.format.open_memmap(tmp_path / "in.npy", "w+", np.float32, (2, 2))
    mapped[:] = array
    mapped.flush()
    read_only = Tensor.adopt((2, 2), "f32", np.load(tmp_path / "in.npy", mmap_mode="r"))
    in_memory = Tensor.from_array(array)
    graph = ctx.load(model)
    count = len(ctx.describe(graph).outputs)
    kept = []
    for tensor in (in_memory, read_only):
        context = ctx.init_execution_context(graph)
        ctx.set_input(context, 0, tensor)
        for _ in range(3):
            ctx.compute(context)
            kept.append([ctx.get_output(context, index) for index in range(count)])
            assert tensor.to_array().tolist() == array.tolist()
    for outputs in kept:
        actual = [values(output) for output in outputs]
        assert actual == [values(output) for output in kept[0]]
        if expected is not None:
            assert actual == expected


def test_inputs_are_not_copied(ctx, relu, monkeypatch):
    import openvino as ov

    addresses = []
    original = ov.InferRequest.set_input_tensor

    def spied(request, index, tensor):
        addresses.append(tensor.data.ctypes.data)
        original(request, index, tensor)

    monkeypatch.setattr(ov.InferRequest, "set_input_tensor", spied)
    context = _fresh(ctx, relu)
    ctx.set_input(context, 0, TWO)
    assert addresses == [TWO.to_array().ctypes.data]


def test_outputs_of_an_earlier_compute_stay_as_they_were(ctx):
    context = ctx.init_execution_context(ctx.load(toys.plus(1)))
    kept = []
    for number in range(5):
        ctx.set_input(context, 0, Tensor.from_array(np.float32([[number, -number]])))
        ctx.compute(context)
        kept.append(ctx.get_output(context, 0))
        assert ctx.get_output(context, 0) is kept[-1]  # not copied
    assert [values(t) for t in kept] == [[[n + 1, 1 - n]] for n in range(5)]
    for tensor in kept:
        with pytest.raises(ValueError, match="WRITEABLE"):
            tensor.to_array().flags.writeable = True


def test_an_input_lives_as_long_as_its_context_needs_it(ctx):
    side = 256
    context = ctx.init_execution_context(ctx.load(toys.plus(1, (side, side))))
    ctx.trace.keep = None
    ctx.set_input(context, 0, Tensor.from_array(np.ones((side, side), np.float32)))
    trash = [np.full((side, side), np.nan, np.float32) for _ in range(50)]
    ctx.compute(context)
    assert set(ctx.get_output(context, 0).to_array().reshape(-1).tolist()) == {2.0}
    assert len(trash) == 50
