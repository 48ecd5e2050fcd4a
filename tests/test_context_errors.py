"""What each of the five calls refuses, with its error number and message."""

import re

import numpy as np
import pytest
import toys
from contexts import TWO, _fresh, _ready, _set

from wasinn_nb.abi import Errno, ExecutionTarget
from wasinn_nb.errors import (
    InvalidArgumentError,
    InvalidEncodingError,
    MissingFileError,
    RuntimeFailure,
    TooLargeError,
    UnsupportedOperationError,
)
from wasinn_nb.tensor import Tensor
from wasinn_nb.wasi_nn.context import WasiNnCtx


def _too_small(ctx, model):
    buffer = bytearray(b"\xee" * 7)
    try:
        ctx.get_output_into(_ready(ctx, model), 0, buffer)
    finally:
        assert buffer == b"\xee" * 7


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
        lambda ctx, ir: ctx.load(ir, 15),
        InvalidEncodingError,
        (
            "unknown encoding 15; expected 0 openvino, 1 onnx, 2 tensorflow, 3 pytorch, "
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
