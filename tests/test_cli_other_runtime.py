"""A model that only another runtime reads: each command says how, and which file it is."""

from __future__ import annotations

import traceback

import pytest
import toy_files
from commands import shell

import wasinn_nb as wn
from wasinn_nb.errors import RuntimeFailure

WHY = "OpenVINO does not have the operation MyOperation, which is not one of TensorFlow Lite's own"


@pytest.fixture
def custom(tmp_path, monkeypatch):
    """Write a model with an operation of its own into the current folder."""
    monkeypatch.chdir(tmp_path)
    tensors = [toy_files.tflite_tensor(name, (1, 2)) for name in "xyz"]
    (tmp_path / "custom.tflite").write_bytes(toy_files.tflite(tensors, [19, "MyOperation"]))
    return "custom.tflite"


@pytest.mark.full
@pytest.mark.parametrize("words", [["inspect"], ["inspect", "--json"], ["segment", "-m"]])
def test_the_same_command_with_the_runtime(custom, words):
    done = shell(*words, custom)
    command = " ".join(["wasinn-nb", *words, custom, "--runtime litert"])
    assert done.stderr == f"error: custom.tflite: {WHY}; use: {command}\n"


@pytest.mark.full
def test_each_of_several_files(custom):
    done = shell("inspect", custom, "nowhere.onnx")
    first, second = done.stderr.splitlines()
    assert first.endswith("; use: wasinn-nb inspect custom.tflite --runtime litert")
    assert second.startswith("error: no model at nowhere.onnx")


@pytest.mark.full
def test_a_card_cannot_state_it(custom):
    done = shell("card", custom, "--print")
    assert done.returncode == 0
    assert done.stderr == (
        f"warning: the card could not be tried: custom.tflite: {WHY}; run it with the runtime that "
        f"defines it: wasinn-nb segment IMAGE --model custom.tflite --runtime litert\n"
    )


def test_python_shows_one_error(custom):
    with pytest.raises(RuntimeFailure, match=f"^custom.tflite: {WHY}; convert") as caught:
        wn.Pipeline(custom)
    assert "".join(traceback.format_exception(caught.value)).count("Traceback") == 1
