"""Guests on other engines: the encodings that each one reads, and what a guest gets of the rest."""

from __future__ import annotations

import numpy as np
import pytest
import toy_files
import toys
from hosting import GUESTS, command, inferring, mostly_in_thread, run_guest

import wasinn_nb as wn
from wasinn_nb.abi import Errno, GraphEncoding
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.runtimes.registry import runtime

pytestmark = pytest.mark.usefixtures("isolation")

GIVEN = np.array([[-1, 2]], np.float32)
MODELS = {
    GraphEncoding.ONNX: toys.onnx_relu(),
    GraphEncoding.TENSORFLOWLITE: toy_files.tflite_relu(),
}


def run(encoding, engine, **options):
    guest = inferring(MODELS[encoding], encoding, (1, 2), GIVEN, 8)
    return run_guest(guest, runtime=engine, stream=False, **options)


@pytest.mark.parametrize(
    ("encoding", "engine"),
    [
        (GraphEncoding.ONNX, "openvino"),
        (GraphEncoding.ONNX, "onnxruntime"),
        (GraphEncoding.TENSORFLOWLITE, "openvino"),
        (GraphEncoding.TENSORFLOWLITE, "litert"),
    ],
)
@mostly_in_thread
def test_guest_runs_on_every_engine_that_reads_its_model(encoding, engine):
    done = run(encoding, engine)
    assert done.exit_code == 0, done.trace
    assert done.outputs[0].to_array().tolist() == [[0, 2]]
    assert [call.errno for call in done.trace] == [Errno.SUCCESS] * 5
    assert done.runtime == engine


@pytest.mark.parametrize(
    ("encoding", "engine", "reads", "other"),
    [
        (GraphEncoding.TENSORFLOWLITE, "onnxruntime", "onnx", "tensorflowlite"),
        (GraphEncoding.ONNX, "litert", "tensorflowlite", "onnx"),
    ],
)
@mostly_in_thread
def test_guest_gets_an_errno_for_an_encoding_that_is_not_read(encoding, engine, reads, other):
    done = run(encoding, engine)
    assert done.exit_code == Errno.UNSUPPORTED_OPERATION == 6
    (call,) = done.trace
    assert (call.name, call.errno) == ("load", Errno.UNSUPPORTED_OPERATION)
    assert call.note == (
        f"{engine} reads models of encoding {reads}, this one is {other}; use runtime='openvino'"
    )


def test_guest_run_says_the_engine_where_it_is_not_the_usual_one(monkeypatch):
    assert run(GraphEncoding.ONNX, None).runtime == "openvino"
    assert run(GraphEncoding.ONNX, None).notes == ()
    monkeypatch.setenv("WASINN_NB_RUNTIME", "onnxruntime")
    by_setting = run(GraphEncoding.ONNX, None)
    by_object = run(GraphEncoding.ONNX, runtime("onnxruntime"))
    for done in (by_setting, by_object):
        assert done.runtime == "onnxruntime"
        assert done.notes == ("the engine behind WASI-NN was onnxruntime",)
        assert "note: the engine behind WASI-NN was onnxruntime" in repr(done)
        assert "the engine behind WASI-NN was onnxruntime" in done._repr_html_()


def test_engine_does_not_change_the_commands_for_other_runtimes(tmp_path):
    (tmp_path / "toy.onnx").write_bytes(toys.onnx_relu())
    loading = command(
        "(drop (call $load (i32.const 0) (i32.const 3) (i32.const 16)))",
        '(import "wasi_ephemeral_nn" "load_by_name" (func $load (param i32 i32 i32) (result i32)))',
        '(data (i32.const 0) "toy")',
    )
    runs = [
        run_guest(loading, models={"toy": tmp_path / "toy.onnx"}, runtime=engine, stream=False)
        for engine in ("openvino", "onnxruntime")
    ]
    assert [one.trace[0].errno for one in runs] == [Errno.SUCCESS, Errno.SUCCESS]
    assert len({one.wasmedge_command() for one in runs}) == 1
    assert len({one.wasmtime_command() for one in runs}) == 1
    assert f"--nn-preload toy:ONNX:CPU:{tmp_path / 'toy.onnx'}" in runs[0].wasmedge_command()


def test_unknown_engine_is_refused_before_the_guest_starts():
    with pytest.raises(InvalidArgumentError, match="unknown runtime 'tensorrt'; known are litert"):
        run(GraphEncoding.ONNX, "tensorrt")


def test_target_that_the_engine_does_not_have():
    done = run(GraphEncoding.TENSORFLOWLITE, "litert", target="GPU")
    assert done.exit_code == Errno.INVALID_ARGUMENT
    assert done.trace[0].note == (
        "no GPU on this machine: LiteRT's Python package runs models on CPU only; "
        "here are CPU, AUTO"
    )


@pytest.mark.parametrize(
    ("engine", "expected", "within"), [("openvino", 202, 4), ("litert", 199, 2)]
)
def test_legacy_guest_classifies_the_same_bird_on_two_engines(
    shared, tmp_path, engine, expected, within
):
    """The scores of quantized models differ between engines, and a little between processors."""
    recipe = wn.PreprocessRecipe(224, 224, "NHWC", "RGB", type="u8", resize="triangle-0.23")
    (tmp_path / "in.bin").write_bytes(wn.image_to_tensor(shared / "images/bird.jpg", recipe).data)
    done = run_guest(
        GUESTS / "classify-legacy.wasm",
        ["birds", "1x224x224x3", "in.bin", "out.bin"],
        {".": tmp_path},
        writable=True,
        models={"birds": shared / "models/lite-model_aiy_vision_classifier_birds_V1_3.tflite"},
        runtime=engine,
        stream=False,
    )
    assert done.exit_code == 0, done.stderr
    scores = np.fromfile(tmp_path / "out.bin", np.uint8)
    assert scores.argmax() == 166
    assert abs(int(scores[166]) - expected) <= within
    assert done.runtime == engine
    assert done.dialect.value == "legacy"
