"""What `quantize` shows while it works: each stage by name, on stderr, in terminals only."""

from __future__ import annotations

import fcntl
import io
import os
import re
import struct
import sys
import termios

import numpy as np
import pytest
import toys
from PIL import Image
from prediction_help import write_images

import wasinn_nb as wn
from wasinn_nb.progress import progress_bar
from wasinn_nb.quantization.stages import Stages

pytestmark = pytest.mark.full

STAGES = ["reading images", "f32 model", "calibrating", "rounding the weights", "INT8 model"]


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A folder with a model that has a layer to quantize, and images."""
    from openvino import opset13 as op

    def build(data):
        kernel = np.random.default_rng(0).normal(size=(3, 3, 3, 3)).astype(np.float32)
        return op.convolution(data, kernel, [1, 1], [1, 1], [1, 1], [1, 1])

    monkeypatch.chdir(tmp_path)
    toys.save(toys.graph(build, (1, 3, 8, 12)), tmp_path / "toy.xml")
    write_images(tmp_path / "images", 8)
    pytest.importorskip("nncf")
    return tmp_path


def names_of(text):
    """Return the stages that a text names, each once, in their order."""
    return list(dict.fromkeys(re.findall(r"quantize, ([^:]+):", text)))


class Terminal(io.StringIO):
    """A stream that says that it is a terminal."""

    def isatty(self):
        return True


def test_each_stage_is_named_in_a_terminal(place, monkeypatch, capfd):
    monkeypatch.setattr(sys, "stderr", Terminal())
    wn.quantize("toy.xml", "images", max_drop=1)
    text = sys.stderr.getvalue()
    assert names_of(text) == [*STAGES, "timing"]
    # 2 images judge both models, 6 calibrate, 20 rounds are timed.
    assert "| 0/30 [" in text
    assert text.endswith("\r")
    assert capfd.readouterr().out == ""


def test_a_second_attempt_is_named_and_counted(place, monkeypatch):
    model = toys.textures(place / "textures" / "toy.xml")
    colors = np.random.default_rng(11)
    for number in range(8):
        small = Image.fromarray(colors.integers(0, 256, (4, 6, 3), np.uint8))
        small.resize((96, 64), Image.Resampling.BICUBIC).save(place / f"images/{number:04}.png")
    monkeypatch.setattr(sys, "stderr", Terminal())
    wn.quantize(model, "images", max_drop=0)
    text = sys.stderr.getvalue()
    found = names_of(text)
    assert found[5:9] == [
        "which layers INT8 changes",
        "calibrating with 1 layer kept",
        "rounding the weights with 1 layer kept",
        "INT8 model with 1 layer kept",
    ]
    assert found[-1] == "timing"
    done = re.findall(r"\| (\d+)/(\d+) \[", text)
    assert int(done[-1][1]) > int(done[0][1])


def test_pipes_and_false_get_nothing(place, monkeypatch, capfd):
    wn.quantize("toy.xml", "images", max_drop=1)
    assert capfd.readouterr() == ("", "")
    monkeypatch.setattr(sys, "stderr", Terminal())
    wn.quantize("toy.xml", "images", folder="again", max_drop=1, progress=False)
    assert sys.stderr.getvalue() == ""


def test_numbers_only_grow_and_end_whole(place):
    calls = []
    wn.quantize("toy.xml", "images", max_drop=1, progress=lambda *done: calls.append(done))
    assert calls == sorted(calls)
    assert (calls[0], calls[-1]) == ((0, 30), (30, 30))


def test_in_a_notebook_the_bar_grows_with_its_total(monkeypatch):
    """The widget of tqdm keeps the total that it was made with."""
    pytest.importorskip("ipywidgets")
    import tqdm.auto
    import tqdm.notebook

    monkeypatch.setattr(tqdm.auto, "tqdm", tqdm.notebook.tqdm)
    with progress_bar(progress=True, total=4, desc="quantize") as bar:
        stages = Stages(bar)
        stages.retry(2, 6)
        stages.begin("calibrating")
        text, widget, _ = bar.container.children
        label = text.value.replace("\u2007", " ")  # of the width of a digit
        assert label.startswith("quantize, calibrating with 2 layers kept:")
        stages.step()
        assert widget.max == 10
    with progress_bar(progress=False, total=4) as bar:
        Stages(bar).begin("calibrating")


@pytest.mark.parametrize("columns", [0, 60])
def test_bars_of_terminals_without_a_size_are_shown(monkeypatch, columns):
    leader, follower = os.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    with os.fdopen(leader, "rb", buffering=0) as reader, os.fdopen(follower, "w") as stream:
        monkeypatch.setattr(sys, "stderr", stream)
        list(progress_bar([1, 2], progress=True, desc="predict"))
        stream.flush()
        os.set_blocking(leader, False)
        text = b"".join(iter(lambda: reader.read(4096), None)).decode()
    assert "predict: 100%|" in text
    width = max(len(line) for line in text.splitlines())
    assert width <= (columns or 80)
