"""What lies in place of a model: the error has the file, what was found, and what to do."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
import toy_files
import toys
from commands import run
from pasting import pasted, refused

import wasinn_nb as wn
from wasinn_nb.errors import MissingFileError, WasiNnError

pytestmark = pytest.mark.full

AGAIN = "fetch the file again and look at the server's answer"
FOUND = {
    "empty": (b"", "an empty file: fetch or copy it again"),
    "text": (b"Not Found\n", f"plain text, such as the error of a server: {AGAIN}"),
    "page": (b"<!DOCTYPE html><html>404</html>", f"an HTML page: {AGAIN}"),
    "pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        "a Git LFS pointer, not the file itself: run 'git lfs pull'",
    ),
}
KINDS = {
    ".xml": "an OpenVINO IR",
    ".onnx": "an ONNX model",
    ".tflite": "a TensorFlow Lite model",
    ".pb": "a TensorFlow model",
}
CUT = {
    ".xml": (lambda: toys.ir(toys.graph(lambda x: x, (1, 3, 4, 6)))[0], "the xml is not well-form"),
    ".onnx": (toys.onnx_relu, "the ONNX file is cut off or damaged ("),
    ".tflite": (toy_files.tflite_relu, "the TFLite file is corrupted or malformed ("),
}
CALLS = {
    "Pipeline": wn.Pipeline,
    "describe": wn.describe,
    "from_model": wn.ModelCard.from_model,
    "quantize": lambda path: wn.quantize(path, ["city-arrow"] * 5, progress=False),
    "bundle": lambda path: wn.bundle(path, "folder", image="city-arrow"),
}


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def message(call, path):
    with pytest.raises(WasiNnError) as caught:
        call(path)
    return str(caught.value)


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
@pytest.mark.parametrize("suffix", KINDS)
@pytest.mark.parametrize("case", FOUND)
def test_the_main_file_is_something_else(tmp_path, case, suffix, call):
    content, what = FOUND[case]
    path = tmp_path / f"toy{suffix}"
    path.write_bytes(content)
    (tmp_path / "toy.bin").write_bytes(b"1234")
    assert message(call, path) == f"{path}: expected {KINDS[suffix]}, got {what}"


@pytest.mark.parametrize("case", FOUND)
def test_the_weights_are_something_else(tmp_path, case):
    content, what = FOUND[case]
    path = toys.save(
        toys.graph(lambda x: x + np.ones((1, 50), np.float32), (1, 50)), tmp_path / "toy.xml"
    )
    Path("toy.bin").write_bytes(content)
    for call in (wn.Pipeline, wn.describe):
        assert message(call, path) == (
            f"{tmp_path / 'toy.bin'}: expected 200 bytes of weights, as the xml says, got "
            f"{len(content)}, {what}"
        )


@pytest.mark.parametrize("suffix", CUT)
def test_files_that_are_cut_off(tmp_path, suffix):
    make, what = CUT[suffix]
    path = tmp_path / f"toy{suffix}"
    whole = make()
    path.write_bytes(whole[: len(whole) * 2 // 3])
    (tmp_path / "toy.bin").write_bytes(b"")
    for call in (wn.Pipeline, wn.describe, wn.ModelCard.from_model):
        assert message(call, path).startswith(f"{path}: {what}")


def test_weights_that_are_cut_off(tmp_path):
    path = toys.save(
        toys.graph(lambda x: x + np.ones((1, 50), np.float32), (1, 50)), tmp_path / "toy.xml"
    )
    Path("toy.bin").write_bytes(Path("toy.bin").read_bytes()[:99])
    assert message(wn.Pipeline, path) == (
        f"{tmp_path / 'toy.bin'}: expected 200 bytes of weights, as the xml says, got 99: use the "
        f".bin that was written with this xml"
    )


def test_bytes_of_no_known_format(tmp_path):
    path = tmp_path / "toy.onnx"
    path.write_bytes(bytes(99))
    assert message(wn.Pipeline, path) == (
        f"{path}: expected an ONNX model, got bytes that start with {bytes(16)!r}: fetch the file "
        f"again, or convert the model to OpenVINO IR or ONNX"
    )


@pytest.mark.parametrize(("suffix", "right"), [(".tflite", "toy.onnx"), (".xml", "toy.onnx")])
def test_a_wrong_suffix_is_remedied_by_the_right_one(tmp_path, suffix, right):
    path = tmp_path / f"toy{suffix}"
    path.write_bytes(toys.onnx_relu())
    Path("toy.bin").write_bytes(b"")
    assert message(wn.Pipeline, path) == (
        f"{path}: expected {KINDS[suffix]}, as the suffix says, got an ONNX model: rename it to "
        f"{right}"
    )
    shutil.move(path, right)
    assert wn.describe(right).encoding.name == "ONNX"


@pytest.mark.parametrize("suffix", [*KINDS, ".bin"])
def test_a_folder_that_is_called_like_a_file(suffix):
    folder = Path(f"toy{suffix}")
    folder.mkdir()
    assert message(wn.Pipeline, folder) == (
        f"expected the file of a model, got the folder {folder}, which is empty; name the model's "
        f"file itself if it is called otherwise"
    )
    (folder / "mine.onnx").write_bytes(toys.onnx_relu())
    assert message(wn.Pipeline, folder).endswith(f"; did you mean {folder / 'mine.onnx'}?")
    assert wn.describe(folder / "mine.onnx").encoding.name == "ONNX"


def test_a_folder_with_a_model_of_another_name():
    Path("models").mkdir()
    with pytest.raises(MissingFileError, match=r"expected models\.xml and models\.bin in .*; name"):
        wn.Pipeline("./models")
    toys.brightest_channel(Path("models/toy.xml"))
    toys.brightest_channel(Path("models/toy-2.xml"))  # of one alone, the folder is that model
    found = refused("segment", "city-arrow", "-m", "./models")
    assert "; did you mean models/toy" in found
    assert "class 0" in pasted("wasinn-nb segment city-arrow -m models/toy.xml")


@pytest.mark.parametrize("verb", ["segment", "classify", "bench", "inspect", "card"])
def test_commands_name_the_file(tmp_path, verb):
    Path("toy.onnx").write_bytes(b"")
    words = [verb, "toy.onnx"] if verb in {"inspect", "card"} else [verb, "-m", "toy.onnx"]
    assert refused(*words) == (
        f"{tmp_path / 'toy.onnx'}: expected an ONNX model, got an empty file: fetch or copy it "
        f"again"
    )


def test_models_that_are_listed_name_the_file(tmp_path, monkeypatch):
    monkeypatch.setenv("WASINN_NB_PATH", str(tmp_path))
    Path("toy.onnx").write_bytes(b"")
    assert "toy" in run("models")
