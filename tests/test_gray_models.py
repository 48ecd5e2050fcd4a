"""Models of one channel: the recipe, the card and the command line take them."""

from __future__ import annotations

import json

import numpy as np
import pytest
import toys
from commands import run
from PIL import Image

import wasinn_nb as wn

pytestmark = pytest.mark.full


@pytest.fixture(params=["NCHW", "NHWC"])
def gray(request, tmp_path, monkeypatch):
    """A model that gives class 1 where its one channel is above 100."""
    from openvino import opset13 as op

    monkeypatch.chdir(tmp_path)
    channels = 1 if request.param == "NCHW" else 3

    def build(data):
        return op.softmax(
            op.concat([op.constant(np.full(shape, 100, np.float32)), data], channels), channels
        )

    shape = (1, 1, 20, 30) if channels == 1 else (1, 20, 30, 1)
    toys.save(toys.graph(build, shape), tmp_path / "gray.xml")
    return tmp_path / "gray.xml"


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "I;16", "1"])
def test_any_image_is_made_gray(gray, mode):
    pixels = np.zeros((20, 30), np.uint8)
    pixels[:, 10:] = 255
    image = Image.fromarray(pixels)
    if mode == "I;16":
        image = Image.fromarray(pixels.astype(np.uint16) * 257)
    elif mode != "L":
        image = image.convert(mode)
    result = wn.segment(image, gray)
    assert result.areas() == {"class 0": 200, "class 1": 400}
    assert "GRAY" in result.assumed[0]
    assert result.recipe.color == "GRAY"


def test_the_card_and_the_command_line(gray, tmp_path):
    Image.fromarray(np.full((20, 30, 3), 200, np.uint8)).save(tmp_path / "image.png")
    run("card", "gray.xml", "--color", "GRAY", "--range", "0", "255", "--classes", "dark,bright")
    assert wn.model("gray.xml").card.recipe.color == "GRAY"
    facts = json.loads(run("segment", "image.png", "-m", "gray.xml", "--json"))
    assert facts["areas"] == {"dark": 0, "bright": 600}
    fed = wn.image_to_tensor("image.png", wn.model("gray.xml").card.recipe)
    assert set(fed.to_array().ravel().tolist()) == {200}
    fed.write(tmp_path / "fed.tensor")
    assert "Right" in run("diagnose", "fed.tensor", "-i", "image.png", "-m", "gray.xml")
