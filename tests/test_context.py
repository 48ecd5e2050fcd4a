import re
import shutil
import threading
import time

import numpy as np
import pytest
import toys
from deadlines import STOPPED, ends_within

from wasinn_nb.abi import Errno, ExecutionTarget, GraphEncoding
from wasinn_nb.errors import (
    BusyError,
    InvalidArgumentError,
    InvalidEncodingError,
    MissingFileError,
    NotFoundError,
    RuntimeFailure,
    TooLargeError,
    UnsupportedOperationError,
    WasiNnError,
)
from wasinn_nb.tensor import Tensor, read_tensor
from wasinn_nb.wasi_nn.context import WasiNnCtx

TWO = Tensor.from_array(np.array([[-1, 2]], np.float32))


@pytest.fixture(scope="module")
def relu():
    return toys.relu()


@pytest.fixture(scope="module")
def slow():
    """A model that takes about half a second on this machine."""
    data = Tensor.from_array(np.ones((1, 16, 768, 768), np.float32))
    with WasiNnCtx() as ctx:
        context = ctx.init_execution_context(ctx.load(toys.slow(10, 768)))
        ctx.set_input(context, 0, data)
        return toys.slow(10 * toys.repeats(0.5, lambda: ctx.compute(context)), 768)


@pytest.fixture
def ctx():
    with WasiNnCtx() as made:
        yield made


def run(ctx, model, *tensors, encoding="autodetect", outputs=1):
    """Do the five calls and return the outputs."""
    graph = ctx.load(model, encoding, "CPU")
    context = ctx.init_execution_context(graph)
    for index, tensor in enumerate(tensors):
        ctx.set_input(context, index, tensor)
    ctx.compute(context)
    return [ctx.get_output(context, index) for index in range(outputs)]


def values(tensor):
    return tensor.to_array().tolist()


# -- the table of ../shared/wasi-nn-abi.md ---------------------------------------------------------


def _ready(ctx, model):
    context = ctx.init_execution_context(ctx.load(model, "openvino", "CPU"))
    ctx.set_input(context, 0, TWO)
    ctx.compute(context)
    return context


def _too_small(ctx, model):
    buffer = bytearray(b"\xee" * 7)
    try:
        ctx.get_output_into(_ready(ctx, model), 0, buffer)
    finally:
        assert buffer == b"\xee" * 7


def _fresh(ctx, model):
    return ctx.init_execution_context(ctx.load(model, "openvino", "CPU"))


def _set(ctx, model, tensor, index=0):
    ctx.set_input(_fresh(ctx, model), index, tensor)


CASES = {
    "bytes that are not a model": (
        lambda ctx, _: ctx.load([b"garbage"], "onnx"),
        RuntimeFailure,
        "the bytes are not a model of encoding onnx; they start with b'garbage'",
    ),
    "bytes that begin like a model": (
        lambda ctx, ir: ctx.load([ir[0][:200], ir[1]], "openvino"),
        RuntimeFailure,
        "the xml is not well-formed (unclosed token: line 7, column 4): it is cut off or damaged",
    ),
    "one byte of the weights is missing": (
        lambda ctx, _: ctx.load([(ir := toys.plus(1))[0], ir[1][:-1]], "openvino"),
        RuntimeFailure,
        "expected 4 bytes of weights, as the xml says, got 3: use the .bin that was written with ",
    ),
    "builders in the wrong order": (
        lambda ctx, _: ctx.load([b"\0\0\x80\x3f", b"<?xml?>"], "openvino"),
        RuntimeFailure,
        (
            "the bytes are not a model of encoding openvino (builders: xml, then bin); "
            "they start with b'\\x00\\x00\\x80?'"
        ),
    ),
    "empty bytes": (
        lambda ctx, _: ctx.load([b""], "tensorflow"),
        RuntimeFailure,
        "the bytes are not a model of encoding tensorflow; they start with b''",
    ),
    "one builder for IR": (
        lambda ctx, ir: ctx.load(ir[:1], "openvino"),
        InvalidArgumentError,
        "encoding openvino takes 2 builders, got 1",
    ),
    "one builder for IR, found out": (
        lambda ctx, ir: ctx.load(ir[:1], "autodetect"),
        InvalidArgumentError,
        "encoding openvino takes 2 builders, got 1",
    ),
    "two builders for ONNX": (
        lambda ctx, ir: ctx.load(ir, "onnx"),
        InvalidArgumentError,
        "encoding onnx takes 1 builder, got 2",
    ),
    "three builders": (
        lambda ctx, ir: ctx.load([*ir, b""]),
        InvalidArgumentError,
        "encoding autodetect takes 1 or 2 builders, got 3",
    ),
    "no builders": (
        lambda ctx, _: ctx.load([]),
        InvalidArgumentError,
        "encoding autodetect takes 1 or 2 builders, got 0",
    ),
    "no model at all": (
        lambda ctx, _: ctx.load(5),
        InvalidArgumentError,
        "expected a model as a path, or its builders as paths or bytes, got 5",
    ),
    "an encoding that does not exist": (
        lambda ctx, ir: ctx.load(ir, 6),
        InvalidEncodingError,
        (
            "unknown encoding 6; expected 0 openvino, 1 onnx, 2 tensorflow, 3 pytorch, "
            "4 tensorflowlite, 5 autodetect"
        ),
    ),
    "an encoding's name that does not exist": (
        lambda ctx, ir: ctx.load(ir, "ggml"),
        InvalidEncodingError,
        "unknown encoding 'ggml'; expected 0 openvino",
    ),
    "PyTorch": (
        lambda ctx, _: ctx.load([b"x"], "pytorch"),
        UnsupportedOperationError,
        "OpenVINO does not read serialized PyTorch models here; convert it to OpenVINO IR or ONNX",
    ),
    "declared as another encoding": (
        lambda ctx, ir: ctx.load(ir[:1], "onnx"),
        RuntimeFailure,
        "declared as onnx, but the bytes are those of encoding openvino",
    ),
    "a target number that does not exist": (
        lambda ctx, ir: ctx.load(ir, "openvino", 4),
        InvalidArgumentError,
        "unknown execution target 4; expected 0 (CPU), 1 (GPU), 2 (TPU) or 3 (AUTO)",
    ),
    "a target's name that does not exist": (
        lambda ctx, ir: ctx.load(ir, "openvino", "FOO"),
        InvalidArgumentError,
        "unknown execution target 'FOO'; here are ",
    ),
    "a target without a name": (
        lambda ctx, ir: ctx.load(ir, "openvino", " "),
        InvalidArgumentError,
        "expected an execution target such as CPU, got no name",
    ),
    "an unknown graph": (
        lambda ctx, _: ctx.init_execution_context(0),
        InvalidArgumentError,
        "no graph 0; there is no graph yet",
    ),
    "an unknown graph beside known ones": (
        lambda ctx, ir: ctx.init_execution_context(ctx.load(ir) + 1),
        InvalidArgumentError,
        "no graph 1; known graphs: 0",
    ),
    "a negative graph": (
        lambda ctx, ir: ctx.init_execution_context(ctx.load(ir) - 1),
        InvalidArgumentError,
        "no graph -1; known graphs: 0",
    ),
    "an unknown context": (
        lambda ctx, _: ctx.compute(0),
        InvalidArgumentError,
        "no context 0; there is no context yet",
    ),
    "an unknown context for an input": (
        lambda ctx, ir: ctx.set_input(_fresh(ctx, ir) + 1, 0, TWO),
        InvalidArgumentError,
        "no context 1; known contexts: 0",
    ),
    "an unknown context for an output": (
        lambda ctx, ir: ctx.get_output(_ready(ctx, ir) - 1, 0),
        InvalidArgumentError,
        "no context -1; known contexts: 0",
    ),
    "a handle that is not a number": (
        lambda ctx, ir: ctx.compute([_ready(ctx, ir)]),
        InvalidArgumentError,
        "no context [0]; known contexts: 0",
    ),
    "an input index too large": (
        lambda ctx, ir: _set(ctx, ir, TWO, 1),
        InvalidArgumentError,
        "no input 1; the model has 1, counted from 0",
    ),
    "a negative input index": (
        lambda ctx, ir: _set(ctx, ir, TWO, -1),
        InvalidArgumentError,
        "no input -1; the model has 1, counted from 0",
    ),
    "an input index that is not a number": (
        lambda ctx, ir: _set(ctx, ir, TWO, "data"),
        InvalidArgumentError,
        "no input data; the model has 1, counted from 0",
    ),
    "an output index too large": (
        lambda ctx, ir: ctx.get_output(_ready(ctx, ir), 1),
        InvalidArgumentError,
        "no output 1; the model has 1, counted from 0",
    ),
    "a negative output index": (
        lambda ctx, ir: ctx.get_output(_ready(ctx, ir), -1),
        InvalidArgumentError,
        "no output -1; the model has 1, counted from 0",
    ),
    "another tensor type": (
        lambda ctx, ir: _set(ctx, ir, Tensor((1, 2), "u8", b"ab")),
        InvalidArgumentError,
        "the model takes 1x2xf32, got 1x2xu8: convert the values to f32",
    ),
    "another tensor type of the same size": (
        lambda ctx, ir: _set(ctx, ir, Tensor((1, 2), "i32", bytes(8))),
        InvalidArgumentError,
        "the model takes 1x2xf32, got 1x2xi32: convert the values to f32",
    ),
    "an array instead of a tensor": (
        lambda ctx, ir: _set(ctx, ir, TWO.to_array()),
        InvalidArgumentError,
        "expected a Tensor, got ndarray; Tensor.from_array makes one of an array",
    ),
    "another number of elements": (
        lambda ctx, ir: _set(ctx, ir, Tensor((1, 3), "f32", bytes(12))),
        InvalidArgumentError,
        "the model takes 1x2xf32, got 1x3xf32: another number of elements",
    ),
    "no elements": (
        lambda ctx, ir: _set(ctx, ir, Tensor((0, 2), "f32", b"")),
        InvalidArgumentError,
        "the model takes 1x2xf32, got 0x2xf32: another number of elements",
    ),
    "a buffer too small": (
        _too_small,
        TooLargeError,
        "the output takes 8 bytes, the buffer has 7",
    ),
    "a buffer to read only": (
        lambda ctx, ir: ctx.get_output_into(_ready(ctx, ir), 0, bytes(8)),
        InvalidArgumentError,
        "expected a buffer to write to, got a read-only one",
    ),
    "a buffer with gaps": (
        lambda ctx, ir: ctx.get_output_into(_ready(ctx, ir), 0, np.zeros((2, 4), "f4")[:, ::2]),
        InvalidArgumentError,
        "expected a buffer such as a bytearray or a C-contiguous array, got ndarray: ",
    ),
    "no buffer": (
        lambda ctx, ir: ctx.get_output_into(_ready(ctx, ir), 0, None),
        InvalidArgumentError,
        "expected a buffer such as a bytearray or a C-contiguous array, got NoneType: ",
    ),
    "compute before the input is set": (
        lambda ctx, ir: ctx.compute(_fresh(ctx, ir)),
        RuntimeFailure,
        "compute before input 0 is set: call set_input for each of 1 input first",
    ),
    "get_output before compute": (
        lambda ctx, ir: ctx.get_output(_fresh(ctx, ir), 0),
        RuntimeFailure,
        "get_output before compute: there is no output yet",
    ),
    "a context that was finalized": (
        lambda ctx, ir: (
            next(ctx.finalize_execution_context(_ready(ctx, ir)) for _ in "ab") or ctx.compute(0)
        ),
        InvalidArgumentError,
        "no context 0; there is no context yet",
    ),
    "a context that is finalized twice": (
        lambda ctx, ir: [ctx.finalize_execution_context(c) for c in [_ready(ctx, ir)] * 2],
        InvalidArgumentError,
        "no context 0; there is no context yet",
    ),
    "a graph that was unloaded": (
        lambda ctx, ir: [ctx.unload(g) for g in [ctx.load(ir)] * 2],
        InvalidArgumentError,
        "no graph 0; there is no graph yet",
    ),
    "a path that leads nowhere": (
        lambda ctx, _: ctx.load("gone.onnx"),
        MissingFileError,
        "no model at gone.onnx (looked from ",
    ),
    "a precision that does not exist": (
        lambda _, ir: WasiNnCtx(precision="f8").load(ir),
        InvalidArgumentError,
        "expected a precision of f32, f16, bf16, device, got 'f8'",
    ),
}


@pytest.mark.full
@pytest.mark.parametrize("case", CASES)
def test_errors(ctx, relu, case):
    call, error, message = CASES[case]
    with pytest.raises(error) as caught:
        call(ctx, relu)
    assert type(caught.value) is error
    assert str(caught.value).startswith(message)
    if case != "a precision that does not exist":
        assert ctx.trace[-1].errno is error.errno
        assert ctx.trace[-1].note == str(caught.value)


def test_too_large_says_how_many_bytes_are_needed(ctx, relu):
    with pytest.raises(TooLargeError) as caught:
        ctx.get_output_into(_ready(ctx, relu), 0, bytearray())
    assert caught.value.needed == 8


@pytest.mark.parametrize("target", ["GPU", 1, "TPU", "NPU", "AUTO:GPU", "CPU.7"])
def test_a_device_that_is_not_here(ctx, relu, target):
    name = {1: "GPU", "TPU": "NPU", "AUTO:GPU": "GPU"}.get(target, target)
    if any(d.name.split(".")[0] == name and d.available for d in ctx.backend.devices()):
        pytest.skip(f"there is a {name} here")
    with pytest.raises(InvalidArgumentError) as caught:
        ctx.load(relu, "openvino", target)
    assert re.fullmatch(rf"no {name} on this machine: .+; here are CPU.*, AUTO", str(caught.value))
    assert ctx.trace[0].errno is Errno.INVALID_ARGUMENT


@pytest.mark.parametrize(
    "target",
    ["CPU", "cpu", " cpu ", 0, ExecutionTarget.CPU, None, "AUTO", 3, "AUTO:CPU", "HETERO:CPU"],
)
def test_targets_that_end_on_the_cpu(ctx, relu, target):
    graph = ctx.load(relu, "openvino", target)
    assert ctx.describe(graph).device == "CPU"


def test_the_target_can_come_from_the_environment(ctx, relu, monkeypatch):
    monkeypatch.setenv("WASINN_NB_TARGET", "nowhere")
    with pytest.raises(InvalidArgumentError, match="unknown execution target 'NOWHERE'"):
        ctx.load(relu)
    assert ctx.load(relu, target="CPU") == 0


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


# -- encodings -------------------------------------------------------------------------------------


ONE_FILE = {
    "onnx": toys.onnx_relu,
    "tensorflow": toys.tensorflow_relu,
    "autodetect": toys.paddle_relu,
}


@pytest.mark.full
@pytest.mark.parametrize("encoding", ["openvino", "autodetect", GraphEncoding.OPENVINO, 0])
def test_ir_from_paths_bytes_both_and_one_path(ctx, relu, tmp_path, encoding):
    folder = tmp_path / "ü ñ %20#"
    folder.mkdir()
    xml, weights = folder / "toy.xml", folder / "toy.bin"
    for path, part in zip((xml, weights), relu, strict=True):
        path.write_bytes(part)
    ways = [relu, [xml, weights], [str(xml), str(weights)], xml, str(xml)]
    ways += [[relu[0], weights], [xml, bytearray(relu[1])], [memoryview(relu[0]), relu[1]]]
    for way in ways:
        assert values(run(ctx, way, TWO, encoding=encoding)[0]) == [[0, 2]]


def test_ir_with_a_byte_order_mark_and_without_a_declaration(ctx):
    xml, weights = toys.plus(3)
    body = xml.split(b"?>", 1)[1]
    for text in (b"\xef\xbb\xbf" + xml, b"\n  " + body):
        assert values(run(ctx, [text, weights], TWO)[0]) == [[2, 5]]


@pytest.mark.full
@pytest.mark.parametrize("encoding", ONE_FILE)
@pytest.mark.parametrize("declared", [True, False])
def test_one_file_encodings_from_paths_and_bytes(ctx, tmp_path, encoding, declared):
    content = ONE_FILE[encoding]()
    suffix = {"onnx": ".onnx", "tensorflow": ".pb", "autodetect": ".pdmodel"}[encoding]
    path = tmp_path / f"toy{suffix}"
    path.write_bytes(content)
    stated = encoding if declared else "autodetect"
    for model in (content, [content], path, [str(path)]):
        assert values(run(ctx, model, TWO, encoding=stated)[0]) == [[0, 2]]


def test_paddle_takes_a_program_and_its_weights(ctx):
    assert values(run(ctx, [toys.paddle_relu(), b""], TWO)[0]) == [[0, 2]]


def test_a_saved_onnx_with_other_names_is_read_by_its_content(ctx, tmp_path):
    (tmp_path / "model").write_bytes(toys.onnx_relu())
    assert values(run(ctx, tmp_path / "model", TWO, encoding="onnx")[0]) == [[0, 2]]


def test_tflite(ctx, shared, tmp_path):
    path = shared / "models" / "lite-model_aiy_vision_classifier_birds_V1_3.tflite"
    tensor = Tensor((1, 224, 224, 3), "u8", bytes(224 * 224 * 3))
    outputs = {
        run(ctx, model, tensor, encoding=encoding)[0]
        for model in (path, path.read_bytes())
        for encoding in ("tensorflowlite", "autodetect")
    }
    assert len(outputs) == 1
    assert outputs.pop().signature == "1x965xu8"
    assert ctx.describe(0).inputs[0].signature == "1x224x224x3xu8"
    broken = bytearray(path.read_bytes()[:100_000])
    with pytest.raises(RuntimeFailure, match="corrupted or malformed"):
        ctx.load(bytes(broken), "tensorflowlite")


@pytest.mark.parametrize("declared", ["onnx", "tensorflow", "tensorflowlite"])
def test_bytes_of_another_encoding(ctx, relu, shared, declared):
    tflite = shared / "models" / "lite-model_aiy_vision_classifier_birds_V1_3.tflite"
    for found, start in (("openvino", relu[0]), ("tensorflowlite", tflite)):
        if found != declared:
            with pytest.raises(RuntimeFailure) as caught:
                ctx.load([start], declared)
            assert str(caught.value) == (
                f"declared as {declared}, but the bytes are those of encoding {found}"
            )


@pytest.mark.parametrize(
    "garbage", [b"garbage", b"\0" * 99, b"\xff" * 99, b"PK\3\4", b"# text\n", bytes(range(1, 200))]
)
@pytest.mark.parametrize("encoding", ["onnx", "tensorflow", "tensorflowlite", "autodetect"])
def test_garbage_is_refused_without_a_word_on_standard_error(ctx, capfd, garbage, encoding):
    with pytest.raises(
        RuntimeFailure, match=f"the bytes are not a model of encoding {encoding}; they"
    ):
        ctx.load(garbage, encoding)
    assert capfd.readouterr() == ("", "")


def test_nothing_is_left_in_the_temporary_folder(ctx, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    run(ctx, toys.tensorflow_relu(), TWO)
    with pytest.raises(RuntimeFailure):
        ctx.load(b"\x0a\x03abc", "tensorflow")
    assert list(tmp_path.iterdir()) == []


# -- what models can be ----------------------------------------------------------------------------


def test_several_inputs_and_outputs(ctx):
    import openvino as ov
    from openvino import opset13 as op

    a = op.parameter([2], ov.Type.f32, name="a")
    b = op.parameter([2], ov.Type.i32, name="b")
    c = op.parameter([1], ov.Type.u8, name="c")
    total = op.add(a, op.convert(b, ov.Type.f32))
    doubled = op.multiply(b, op.constant(np.int32(2)))
    model = toys.ir(
        ov.Model([op.result(total), op.result(doubled), op.result(c)], [a, b, c], "three")
    )
    tensors = [
        Tensor.from_array(np.float32([1, 2])),
        Tensor.from_array(np.int32([10, 20])),
        Tensor.from_array(np.uint8([7])),
    ]
    context = ctx.init_execution_context(ctx.load(model))
    ctx.set_input(context, 1, tensors[1])
    with pytest.raises(RuntimeFailure) as caught:
        ctx.compute(context)
    assert str(caught.value) == (
        "compute before input 0, 2 is set: call set_input for each of 3 inputs first"
    )
    ctx.set_input(context, 0, tensors[0])
    ctx.set_input(context, 2, tensors[2])
    for _ in range(2):
        ctx.compute(context)
        outputs = [ctx.get_output(context, index) for index in (2, 0, 1)]
        assert [values(tensor) for tensor in outputs] == [[7], [11, 22], [20, 40]]
        assert [tensor.type.suffix for tensor in outputs] == ["u8", "f32", "i32"]


@pytest.mark.parametrize("type_", ["f16", "f32", "f64", "u8", "i32", "i64"])
def test_every_tensor_type_goes_in_and_out(ctx, type_):
    model = toys.relu((1, 3), type_) if type_ != "u8" else _maximum(type_)
    array = np.array([[1, 2, 3]], Tensor((0,), type_, b"").type.dtype)
    output = run(ctx, model, Tensor.from_array(array))[0]
    assert output.type.suffix == type_
    assert values(output) == [[1, 2, 3]]


def _maximum(type_):
    from openvino import opset13 as op

    return toys.ir(toys.graph(lambda x: op.maximum(x, np.uint8([1])), (1, 3), type_))


@pytest.mark.parametrize(("type_", "name"), [("boolean", "boolean"), ("bf16", "bf16")])
def test_outputs_of_types_that_wasi_nn_lacks(ctx, type_, name):
    import openvino as ov
    from openvino import opset13 as op

    model = toys.ir(toys.graph(lambda x: [op.convert(x, getattr(ov.Type, type_)), op.relu(x)]))
    context = ctx.init_execution_context(ctx.load(model))
    ctx.set_input(context, 0, TWO)
    ctx.compute(context)
    with pytest.raises(UnsupportedOperationError) as caught:
        ctx.get_output(context, 0)
    assert str(caught.value) == f"output 0 is of type {name}, which WASI-NN does not have"
    assert values(ctx.get_output(context, 1)) == [[0, 2]]  # the other one is there
    assert "no such type" in repr(ctx.describe(0))


@pytest.mark.parametrize("type_", ["boolean", "bf16"])
def test_inputs_of_types_that_wasi_nn_lacks(ctx, type_):
    from openvino import opset13 as op

    model = toys.ir(toys.graph(lambda x: op.convert(x, "f32"), (1, 2), type_))
    with pytest.raises(InvalidArgumentError) as caught:
        _set(ctx, model, TWO)
    assert str(caught.value) == (
        f"the model takes 1x2x{type_}, a type that WASI-NN does not have; got 1x2xf32"
    )


def test_i8_goes_in_and_out_in_python_but_not_to_guests(ctx):
    context = _fresh(ctx, toys.relu((1, 3), "i8"))
    ctx.set_input(context, 0, Tensor((1, 3), "i8", b"\xff\x00\x7f"))
    ctx.compute(context)
    output = ctx.get_output(context, 0)
    assert output.signature == "1x3xi8"
    assert values(output) == [[0, 0, 127]]
    with pytest.raises(UnsupportedOperationError) as refused:
        ctx.get_output_into(context, 0, bytearray(3))  # what a guest's get_output does
    assert str(refused.value) == (
        "output 0 is of type i8, which WASI-NN does not have; "
        "in Python, WasiNnCtx.get_output returns it"
    )
    with pytest.raises(InvalidArgumentError) as caught:
        ctx.set_input(context, 0, Tensor((1, 3), "u8", b"abc"))
    assert str(caught.value) == (
        "the model takes 1x3xi8, got 1x3xu8: convert the values to i8 in Python "
        "(WASI-NN does not have this type)"
    )


def test_open_sizes_take_what_fits(ctx):
    from openvino import opset13 as op

    model = toys.ir(toys.graph(op.relu, (-1, 2)))
    context = ctx.init_execution_context(ctx.load(model))
    assert ctx.describe(0).inputs[0].signature == "?x2xf32"
    kept = []
    for rows in (1, 3, 0, 2):
        tensor = Tensor.from_array(np.full((rows, 2), rows, np.float32))
        ctx.set_input(context, 0, tensor)
        ctx.compute(context)
        kept.append(ctx.get_output(context, 0))
        assert kept[-1] == tensor
    assert [tensor.dimensions for tensor in kept] == [(1, 2), (3, 2), (0, 2), (2, 2)]
    assert values(kept[1]) == [[3, 3]] * 3
    for dims in ((2, 3), (2,), (1, 1, 2)):
        wrong = Tensor.from_array(np.zeros(dims, np.float32))
        with pytest.raises(InvalidArgumentError) as caught:
            ctx.set_input(context, 0, wrong)
        assert str(caught.value) == f"the model takes ?x2xf32, got {wrong.signature}"


def test_an_open_number_of_dimensions_is_refused(ctx):
    import openvino as ov
    from openvino import opset13 as op

    data = op.parameter(ov.PartialShape.dynamic(), ov.Type.f32, name="data")
    model = toys.ir(ov.Model([op.result(op.relu(data))], [data], "open"))
    with pytest.raises(RuntimeFailure, match=r"number of dimensions open|dynamic rank"):
        ctx.load(model)


def test_scalars_and_nothing(ctx):
    assert values(run(ctx, toys.relu(()), Tensor.from_array(np.float32(3)))[0]) == 3
    nothing = Tensor((0, 2), "f32", b"")
    assert run(ctx, toys.relu((0, 2)), nothing)[0] == nothing


def test_a_permutation_of_the_sizes_is_passed_as_it_is_and_flagged(ctx):
    context = ctx.init_execution_context(ctx.load(toys.relu((1, 3, 2))))
    ctx.set_input(context, 0, Tensor((1, 2, 3), "f32", np.arange(6, dtype=np.float32)))
    assert ctx.trace[-1].note == (
        "same bytes, other dimensions: read as the model's; check the layout (NCHW or NHWC)"
    )
    assert ctx.trace[-1].errno is Errno.SUCCESS
    ctx.compute(context)
    assert values(ctx.get_output(context, 0)) == [[[0, 1], [2, 3], [4, 5]]]
    ctx.set_input(context, 0, Tensor((1, 3, 2), "f32", bytes(24)))
    assert ctx.trace[-1].note == ""


# -- precision -------------------------------------------------------------------------------------


@pytest.mark.filterwarnings("ignore:precision bf16 was asked for")  # a processor without it says so
def test_f32_is_pinned_and_what_runs_is_reported(ctx, monkeypatch):
    def precise(precision):
        with WasiNnCtx(precision=precision) as made:
            output = run(made, toys.slow(2, 8), tensor)[0]
            return made.describe(0).precision, output.to_array()

    noise = np.random.default_rng(0).normal(size=(1, 16, 8, 8)).astype(np.float32)
    tensor = Tensor.from_array(noise)
    assert WasiNnCtx().precision == "f32"
    name, expected = precise("f32")
    assert name == "f32"
    ran, own = precise("device")
    assert ran in {"f32", "f16", "bf16"}
    if ran == "f32":
        assert np.array_equal(own, expected)
    else:  # this processor prefers fewer bits: the same, but not quite
        assert not np.array_equal(own, expected)
    assert np.abs(own - expected).max() < 0.1
    asked, _ = precise("bf16")
    assert asked in {"f32", "bf16"}  # the latter where the processor has it
    monkeypatch.setenv("WASINN_NB_PRECISION", "device")
    assert WasiNnCtx().precision == "device"


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
