"""How true masks are read: one set of options for evaluate, gallery and quantize."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import toys
from commands import run, started
from pasting import mask, options_in, refused

import wasinn_nb as wn
from wasinn_nb import cli
from wasinn_nb.cli import completing
from wasinn_nb.cli.truth_options import truth_options

UNLABELED = 255


@pytest.fixture
def masks(toy_store):
    """Write a store, and true masks that leave their first row unlabeled; the toy is right."""
    for n in range(len(toy_store)):
        labels = np.full((8, 12), 2 - n % 3)  # the toy reads BGR
        labels[0] = UNLABELED
        mask(f"masks/{n:04}.png", labels)


def test_the_verbs_share_the_options():
    names = {"classes", "colors", "mapping", "ignore", "suffix"}
    seen = set()
    for verb in ("evaluate", "gallery", "quantize"):
        options = {
            one.name: one for one in cli.app.group.commands[verb].params if one.name in names
        }
        seen.add(tuple((name, *options[name].opts, options[name].help) for name in sorted(names)))
    assert len(seen) == 1
    assert truth_options(None, None, None, None, None) == dict.fromkeys(
        ("classes", "mapping", "ignore", "suffix")
    )
    colored = truth_options(None, ["road=00FF00"], None, ["000000", "sky"], "_mask")
    assert colored["classes"] == {"road": (0, 255, 0)}
    assert colored["ignore"] == [(0, 0, 0), "sky"]


@pytest.mark.full
def test_a_gallery_leaves_unlabeled_pixels_out(masks):
    words = ["gallery", "store", "--html", "page.html", "--truths", "masks"]
    message = refused(*words)
    assert message.endswith("or leave it out with --ignore 255")
    assert options_in(message)[-2:] == ["--ignore", "255"]
    values = json.loads(run(*words, "--ignore", "255", "-q", "accuracy == 1", "--json"))
    assert values["selected"] == 6
    swapped = [*words, "--ignore", "255", "--classes", "red=2,green=1,blue=0"]
    maps = ["--map", "red=class 0", "--map", "green=class 1", "--map", "blue=class 2"]
    values = json.loads(run(*swapped, *maps, "-q", "accuracy == 1", "--json"))
    assert values["selected"] == 2  # green alone


@pytest.mark.full
def test_colored_masks_in_a_gallery(masks):
    colors = np.eye(3, dtype=np.uint8) * 255
    for n in range(6):
        pixels = np.broadcast_to(colors[n % 3], (8, 12, 3)).copy()
        pixels[0] = 9
        mask(f"colored/{n:04}.png", pixels)
    words = ["gallery", "store", "--html", "page.html", "--truths", "colored"]
    for n, color in enumerate(["0000FF", "00FF00", "FF0000"]):
        words += ["--color", f"class {n}={color}"]
    message = refused(*words)
    assert message.endswith("or leave it out with --ignore 090909")
    words += ["--ignore", "090909", "-q", "accuracy == 1", "--json"]
    assert json.loads(run(*words))["selected"] == 6


@pytest.mark.full
@pytest.mark.parametrize(
    ("words", "missing"),
    [
        (["gallery", "store", "--html", "page.html"], "--truths"),
        (["quantize", "toy.xml", "images"], "--masks"),
    ],
)
def test_without_truths_the_options_are_refused(masks, words, missing):
    for option in (["--ignore", "255"], ["--suffix", "_mask"], ["--map", "a=b"]):
        done = started(*words, *option, COLUMNS="300")
        assert done.returncode == 2
        assert option[0] in done.stderr
        assert f"add {missing}, or leave it out" in done.stderr


@pytest.mark.full
def test_quantize_leaves_unlabeled_pixels_out(tmp_path, monkeypatch):
    pytest.importorskip("nncf")
    monkeypatch.chdir(tmp_path)
    path = toys.textures(Path("toy.xml"))
    recipe = {"color": "RGB", "range": (0, 1)}
    names = ("background", "road", "curb", "mark")
    wn.ModelCard.from_model(path, task="segmentation", classes=names, recipe=recipe).write(path)
    rng = np.random.default_rng(11)
    pipeline = wn.Pipeline(path)
    for n in range(8):
        pixels = rng.integers(0, 256, (4, 6, 3), np.uint8).repeat(16, 0).repeat(16, 1)
        labels = pipeline(mask(f"images/{n}.png", pixels)).labels.copy()
        labels[0] = UNLABELED
        mask(f"masks/{n}.png", labels)
    words = ["quantize", "toy.xml", "images", "--masks", "masks", "--max-drop", "1"]
    assert refused(*words).endswith("or leave it out with --ignore 255")
    values = json.loads(run(*words, "--ignore", "255", "--json"))
    assert values["miou"][0] == 1


@pytest.mark.full
def test_the_classes_of_a_store_complete(masks):
    for params in ({"store": Path("store")}, {"images": "store", "model": None}):
        offered = completing.classes(SimpleNamespace(params=params), "class")
        assert [name for name, _ in offered] == ["class 0", "class 1", "class 2"]
