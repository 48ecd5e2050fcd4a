"""Bundles that no runtime runs: they say so first, and how the model is converted."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys

import pytest
import toys
from commands import after, both, pasted, shell

import wasinn_nb as wn

pytestmark = pytest.mark.full


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    pytest.importorskip("onnx")
    monkeypatch.chdir(tmp_path)
    toys.third_blue(tmp_path / "an image.png")
    model = toys.onnx_chain(["Softmax"], (1, 3, 4, 6)).SerializeToString()
    (tmp_path / "it's.onnx").write_bytes(model)


def converted(printed):
    """Run the command that converts the model, as it is printed."""
    program, *arguments = shlex.split(after(printed, "convert the model with: "))
    assert program == "python"
    subprocess.run([sys.executable, *arguments], check=True)
    return after(printed, "and make the bundle with: ")


def test_the_commands_make_a_bundle_that_runs(tmp_path):
    words = ["bundle", "it's.onnx", "out", "-i", "an image.png", "--recipe", "color=RGB"]
    printed, _ = both(*words, ends=1)
    assert printed.splitlines()[1] == (
        "this bundle has no script: it runs on neither WasmEdge nor Wasmtime"
    )
    assert "**No script is here**" in (tmp_path / "out/README.md").read_text()
    again = converted(printed)
    printed, _ = pasted(again)
    assert "this bundle has no script" not in printed
    assert (tmp_path / "out-ir/run-wasmtime.sh").is_file()
    assert (tmp_path / "out-ir/run-wasmedge.sh").is_file()


def test_another_model_of_that_name_stays_and_the_card_goes_with_the_command(tmp_path):
    (tmp_path / "it's.xml").write_text("another")
    wn.ModelCard("toy", "segmentation", classes=("a", "b", "c")).write("it's.onnx")
    words = ["bundle", "it's.onnx", "out", "-i", "an image.png", "--on", "wasmedge"]
    printed, _ = both(*words, ends=1)
    assert printed.splitlines()[1] == "this bundle has no script: it does not run on WasmEdge"
    pasted(converted(printed))
    assert (tmp_path / "it's.xml").read_text() == "another"
    assert (tmp_path / "out-ir/run-wasmedge.sh").is_file()
    assert not (tmp_path / "out-ir/run-wasmtime.sh").exists()


def test_the_exit_code_tells_scripts_and_json_is_whole(tmp_path):
    words = ["it's.onnx", "out", "-i", "an image.png", "--json"]
    stated = json.loads(both("bundle", *words, ends=1)[0])
    assert None not in stated["runtimes"].values()
    assert (tmp_path / "out/bundle.json").is_file()
    done = shell("bundle", *words[:1], "again", *words[2:4], "--on", "wasmtime", cwd=tmp_path)
    assert done.returncode == 1
    assert "this bundle has no script: it does not run on Wasmtime" in done.stdout
    model = toys.brightest_channel(tmp_path / "floats.xml")
    stated = json.loads(both("bundle", model, "runs", *words[2:])[0])
    assert None in stated["runtimes"].values()


def test_a_bundle_that_one_runtime_runs_has_no_such_line(tmp_path):
    model = toys.brightest_channel(tmp_path / "bytes.xml", type_="u8")
    made = wn.bundle(model, tmp_path / "b", "an image.png", {"color": "RGB"})
    assert not made.runs_nowhere
    assert "no script" not in str(made)
