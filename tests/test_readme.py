"""The README's blocks of Python run alone, and its commands are commands."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import numpy as np
import pytest
import toys
from commands import run
from PIL import Image

import wasinn_nb as wn
from wasinn_nb import cli

TEXT = (Path(__file__).resolve().parents[1] / "README.md").read_text("utf-8")
PYTHON = re.findall(r"^```python\n(.*?)^```", TEXT, re.DOTALL | re.MULTILINE)
COMMANDS = re.findall(r"^wasinn-nb (.*?)(?: +# .*)?$", TEXT, re.MULTILINE)
GOES_ON = "# goes on from the block above"


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scene = Image.open(wn.image("city-crosswalk")).convert("RGB")
    for folder in ("images", "masks", "out"):
        Path(folder).mkdir()
    scene.save("image.jpg", quality=90)
    scene.save("images/a.png")
    labels = np.zeros((scene.height, scene.width), np.uint8)
    labels[scene.height // 2 :] = 1
    Image.fromarray(labels).save("masks/a.png")
    model = toys.onnx_chain(["Relu"], (1, 3, 288, 512))
    Path("mine.onnx").write_bytes(model.SerializeToString())


@pytest.mark.full
@pytest.mark.parametrize("place", range(len(PYTHON)), ids=lambda place: PYTHON[place][:30])
def test_each_block_runs_alone_or_says_what_it_goes_on_from(place):
    pytest.importorskip("wasmtime")
    blocks = [PYTHON[place]]
    while blocks[0].startswith(GOES_ON):
        place -= 1
        blocks.insert(0, PYTHON[place])
    names = {"wn": wn}
    for block in blocks:
        exec(block, names)


def test_only_one_block_goes_on():
    assert sum(block.startswith(GOES_ON) for block in PYTHON) == 1
    assert "Each block below starts with `import wasinn_nb as wn`, and runs alone unless" in TEXT


@pytest.mark.parametrize("words", COMMANDS)
def test_commands_take_these_words(words):
    verb, *rest = shlex.split(words)
    if verb.startswith("-"):
        return
    command = cli.app.group.commands[verb]
    command.make_context(verb, rest)  # an error where an option or a word is not taken


def test_the_commands_for_many_images_are_there():
    verbs = {words.split()[0] for words in COMMANDS}
    assert {"segment", "predict", "gallery", "evaluate", "quantize", "bundle"} <= verbs


@pytest.mark.full
def test_commands_run():
    """Those that need no other file than the examples of the how-to pages."""
    model = wn.model()
    for suffix, file in zip((".xml", ".bin"), model.files, strict=True):
        shutil.copy(file, f"mine{suffix}")
    written = {"segment": "out/*mask*", "gallery": "all.html", "evaluate": "a.html"}
    written |= {"bundle": "folder/bundle.json", "predict": "runs/a/store.json"}
    for words in COMMANDS:
        verb, *rest = shlex.split(words)
        if verb in written or verb == "inspect":
            run(verb, *rest)
    missing = [pattern for pattern in written.values() if not [*Path().glob(pattern)]]
    assert missing == [], sorted(map(str, Path().rglob("*")))
