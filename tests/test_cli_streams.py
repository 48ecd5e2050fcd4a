"""The command line's streams: images from the standard input, pipes that close, full disks."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import toys
from commands import run, shell
from PIL import Image
from typer.testing import CliRunner

import wasinn_nb as wn
from wasinn_nb import cli
from wasinn_nb.cli import ExitCode

PROGRAM = [sys.executable, "-m", "wasinn_nb"]


@pytest.fixture
def here(tmp_path, monkeypatch):
    """A folder with a model, an image and its mask."""
    toys.brightest_channel(tmp_path / "toy.xml")
    pixels = np.zeros((4, 6, 3), np.uint8)
    pixels[:, :2, 2] = pixels[:, 2:, 1] = 200
    Image.fromarray(pixels).save(tmp_path / "image.png")
    Image.fromarray(np.uint8([[0, 0, 1, 1, 1, 1]] * 4)).save(tmp_path / "mask.png")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def piped(path, *arguments):
    """Return how a command ended that gets a file on its standard input, and what it printed."""
    content = Path(path).read_bytes() if path else b""
    words = [*map(str, arguments)]
    done = CliRunner().invoke(cli.app, words, input=content, catch_exceptions=False)
    return done.exit_code, done.output


# -- images from the standard input ----------------------------------------------------------------


@pytest.mark.full
@pytest.mark.parametrize("verb", ["segment", "classify"])
def test_a_dash_is_the_image_on_the_standard_input(here, verb):
    if verb == "classify":
        from openvino import opset13 as op

        def build(data):
            return op.softmax(op.reduce_mean(data, np.array([2, 3]), keep_dims=False), 1)

        toys.save(toys.graph(build, (1, 3, 4, 6)), here / "toy.xml")
    named = json.loads(run(verb, "image.png", "-m", "toy.xml", "--json"))
    code, printed = piped("image.png", verb, "-", "-m", "toy.xml", "--json")
    assert code == 0, printed
    key = "areas" if verb == "segment" else "top"
    assert json.loads(printed)[key] == named[key]


@pytest.mark.full
def test_a_dash_elsewhere(here):
    code, printed = piped("image.png", "inspect", "-", "--json")
    assert code == 0
    assert json.loads(printed)["format"] == "PNG"
    assert json.loads(printed)["image"] == "standard-input.png"
    for pair in (("-", "mask.png"), ("mask.png", "-")):
        code, printed = piped("mask.png", "compare", *pair)
        assert (code, printed.partition(":")[0]) == (0, "identical")
    recipe = wn.PreprocessRecipe(4, 6, color="RGB")
    wn.image_to_tensor("image.png", recipe).write("fed.tensor")
    words = ["diagnose", "fed.tensor", "-m", "toy.xml", "--recipe", "color=RGB,range=0:255"]
    assert piped("image.png", *words, "--image", "-")[0] == ExitCode.DONE
    code, printed = piped("image.png", "bench", "-", "-m", "toy.xml", "-n", "3", "--json")
    assert code == 0, printed


def test_a_raw_tensor_from_the_standard_input(here):
    Path("raw").write_bytes(np.float32([1, 2, 3]).tobytes())
    code, printed = piped("raw", "inspect", "-", "--shape", "1x3", "--type", "f32", "--json")
    assert code == 0
    assert json.loads(printed)["dimensions"] == [1, 3]


def test_a_file_that_is_called_a_dash_is_named_with_its_folder(here):
    Path("image.png").rename("-")
    assert json.loads(run("inspect", "./-", "--json"))["image"] == "-"


@pytest.mark.parametrize("verb", ["segment", "classify", "inspect"])
def test_an_empty_standard_input_is_a_usage_error(here, verb):
    code, printed = piped(None, verb, "-")
    assert code == ExitCode.ERROR
    assert "empty; pipe an image to it" in " ".join(printed.replace("\u2502", "").split())


# -- how the program ends --------------------------------------------------------------------------

VERBS = [
    ["models"],
    ["--help"],
    ["segment", "image.png", "-m", "toy.xml", "--json"],
    ["run", "misbehave", "--", "panic"],
]
MORE_VERBS = [
    ["models", "--json"],
    ["devices"],
    ["segment", "image.png", "-m", "toy.xml"],
    ["inspect", "image.png"],
    ["inspect", "toy.xml", "--json"],
    ["card", "toy.xml", "--print"],
    ["compare", "mask.png", "mask.png"],
    ["evaluate", "mask.png", "mask.png", "--masks-only", "--classes", "2"],
]


@pytest.mark.parametrize(
    "words",
    [
        *(pytest.param(words, marks=pytest.mark.full) for words in VERBS),
        *(pytest.param(words, marks=pytest.mark.slow) for words in MORE_VERBS),
    ],
    ids=" ".join,
)
def test_an_output_that_nobody_reads_is_quiet_and_no_verdict(here, words):
    reading, writing = os.pipe()
    os.close(reading)
    try:
        done = subprocess.run(
            [*PROGRAM, *words], stdout=writing, stderr=subprocess.PIPE, text=True, check=False
        )
    finally:
        os.close(writing)
    if words[0] == "run":  # it prints on stderr: the closed pipe does not matter
        assert done.returncode == ExitCode.GUEST
        return
    assert (done.returncode, done.stderr) == (ExitCode.CLOSED_PIPE, "")
    assert ExitCode.CLOSED_PIPE == 128 + signal.SIGPIPE


@pytest.mark.full
@pytest.mark.parametrize("verb", ["segment", "inspect"])  # inspect: in a process of its own
def test_an_interrupted_command_is_quiet_and_no_verdict(here, verb):
    process = subprocess.Popen(
        [*PROGRAM, verb, "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    process.stdin.write(bytes(1 << 20))  # more than a pipe holds: it reads now
    process.stdin.flush()
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == ExitCode.INTERRUPTED == 128 + signal.SIGINT
    assert (out.strip(), err.strip()) == (b"", b"")


@pytest.mark.full
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("words", [["models"], ["models", "--json"]])
def test_a_full_disk_is_an_error(here, words):
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*PROGRAM, *words], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == ExitCode.ERROR
    assert done.stderr == "error: the output cannot be written: No space left on device\n"


@pytest.mark.full
@pytest.mark.parametrize("words", [["models"], ["models", "--json"]])
def test_without_an_output_nothing_is_printed(here, words):
    program = f"import os, sys; os.close(1); os.execv({sys.executable!r}, {[*PROGRAM, *words]!r})"
    done = subprocess.run(
        [sys.executable, "-c", program], stderr=subprocess.PIPE, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (ExitCode.DONE, "")


ERRORS = {
    "segment": ["missing.png"],
    "classify": ["missing.png"],
    "compare": ["missing.tensor", "mask.png"],
    "diagnose": ["missing.tensor"],
    "evaluate": ["missing.png", "mask.png"],
    "inspect": ["missing.png"],
    "bundle": ["missing.onnx", "folder"],
    "card": ["missing.onnx"],
    "bench": ["missing.png"],
    "devices": ["--runtime", "nothing"],
    "models": ["surplus"],
    "lab": [],
    "run": ["missing.wasm"],
    "predict": ["missing", "--store", "store"],
    "predictions": ["missing"],
    "gallery": ["missing", "--html", "page.html"],
    "quantize": ["missing.onnx", "images"],
}


def test_the_list_has_every_verb():
    assert set(ERRORS) == set(cli.app.group.commands)


@pytest.mark.full
@pytest.mark.parametrize("verb", ERRORS)
def test_every_verb_ends_an_error_with_the_number_of_an_error(here, verb):
    expected = ExitCode.GUEST if verb == "run" else ExitCode.ERROR
    ends = [[verb, *ERRORS[verb]]] if ERRORS[verb] else []
    if verb != "lab":  # it hands options on
        ends.append([verb, "--no-such-option"])
    for words in ends:
        done = shell(*words)
        assert done.returncode == expected, done.stderr
        assert "Traceback" not in done.stderr


def test_the_reference_names_every_exit_code():
    reference = Path(wn.__file__).parents[1] / "docs" / "reference" / "verdicts.md"
    table = reference.read_text(encoding="utf-8").partition("| Exit code |")[2].partition("\n\n")[0]
    assert [int(row.split("|")[1]) for row in table.splitlines()[2:]] == list(ExitCode)
    epilog = cli.app.info.epilog
    assert all(f"{int(code)}" in epilog for code in ExitCode)
