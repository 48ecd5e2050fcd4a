"""Models by name on the command line of ``run``: by path, and as WasmEdge takes them."""

from __future__ import annotations

import pytest
import toys
import typer
from commands import shell
from hosting import doubling
from sequences import GIVEN, Script, f32

from wasinn_nb.cli.guest_options import parsed_preloads


@pytest.mark.parametrize(
    ("text", "models"),
    [
        ("m:a.onnx", {"m": "a.onnx"}),
        ("m:/x/a.xml", {"m": "/x/a.xml"}),
        ("m:C:\\models\\a.xml", {"m": "C:\\models\\a.xml"}),
        ("m:OpenVINO:CPU:a.xml:a.bin", {"m": ["a.xml", "a.bin"]}),
        ("m:openvino:cpu:a.xml", {"m": "a.xml"}),
        ("m:TensorflowLite:AUTO:a.tflite", {"m": "a.tflite"}),
        ("m:ONNX:CPU:a.onnx", {"m": "a.onnx"}),
    ],
)
def test_both_forms(text, models):
    assert parsed_preloads([text]) == models


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("m", "expected NAME:"),
        ("m:GGML:AUTO:a.gguf", "GGML is for GGUF language models"),
        ("m:OpenVINO:GPU:a.xml:a.bin", "--target GPU runs every graph there"),
        ("m:OpenVINO:CPU:a:b:c", "expected one path, or xml and bin, got 3"),
    ],
)
def test_what_cannot_be_run_is_refused(text, message):
    with pytest.raises(typer.BadParameter, match=message):
        parsed_preloads([text])


def test_an_encoding_that_is_not_the_files(tmp_path):
    (tmp_path / "m.onnx").write_bytes(toys.onnx_relu())
    with pytest.raises(typer.BadParameter, match=r"m\.onnx is of encoding onnx, not openvino"):
        parsed_preloads([f"m:OpenVINO:CPU:{tmp_path / 'm.onnx'}"])


@pytest.mark.full
def test_a_guest_gets_a_model_as_wasmedge_names_it(tmp_path):
    script = Script()
    context = script.init(script.load_by_name("m"))
    script.set_input(context, GIVEN)
    script.compute(context)
    script.get_output(context)
    (tmp_path / "guest.wasm").write_bytes(script.wasm())
    path = doubling(tmp_path)
    preload = f"m:OpenVINO:CPU:{path}:{path.with_suffix('.bin')}"
    done = shell("run", tmp_path / "guest.wasm", "--nn-preload", preload)
    assert done.stdout == f"00000{f32(2, 4, 6, 8)}"
    done = shell("run", tmp_path / "guest.wasm", "--nn-preload", "m:OpenVINO:CPU:none.xml")
    assert (done.returncode, done.stdout) == (125, "")
    assert "no model 'm' at none.xml" in done.stderr


@pytest.mark.full
def test_a_function_on_the_command_line(tmp_path):
    text = '(module (func (export "f") (param i32) (result i32) (local.get 0)))'
    from hosting import wasm

    (tmp_path / "guest.wasm").write_bytes(wasm(text))
    done = shell("run", tmp_path / "guest.wasm", "--invoke", "f", "--", "-5")
    assert (done.returncode, done.stdout) == (0, "-5\n")
    done = shell("run", tmp_path / "guest.wasm")
    assert done.stderr.rstrip().endswith("; --invoke NAME runs one of its functions")
