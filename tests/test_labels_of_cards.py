"""Models that give labels, and cards that name fewer of them."""

from __future__ import annotations

import numpy as np
import pytest
import toys
from commands import commands_in, pasted, refused, run
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.errors import TensorError


@pytest.fixture
def place(here):
    """A folder with a model of four labels, and an image that has all of them."""
    toys.textures(here / "toy.xml", gives="labels", height=16, width=24)
    pixels = np.random.default_rng(4).integers(0, 256, (16, 24, 3), np.uint8)
    Image.fromarray(pixels).save(here / "image.png")
    assert set(np.unique(wn.segment("image.png", "toy.xml").labels)) == {0, 1, 2, 3}
    return here


def test_without_names_as_many_as_a_mask_holds_are_offered(place):
    run("card", "toy.xml", "--classes", "2")
    message = refused("segment", "image.png", "-m", "toy.xml")
    assert message.startswith(
        "the model gives label 3, the card of toy names 2 classes: 0 to 1; nothing states how many "
        "labels it has, and this image needs at least 4; use: "
    )
    (command,) = commands_in(message)
    assert command == "wasinn-nb card toy.xml --classes 256 --force"
    pasted(command)
    assert wn.segment("image.png", "toy.xml").labels.max() == 3


def test_names_are_kept(place):
    run("card", "toy.xml", "--classes", "sky,tree")
    (command,) = commands_in(refused("segment", "image.png", "-m", "toy.xml"))
    pasted(command)
    found = wn.segment("image.png", "toy.xml")
    assert found.card.classes == ("sky", "tree", "class 2", "class 3")


def test_names_with_commas_are_not_put_on_a_command_line(place):
    card = wn.ModelCard("toy", "segmentation", classes=("tench, Tinca tinca", "cock"))
    with pytest.raises(TensorError, match="256 are enough for any image") as caught:
        wn.segment("image.png", "toy.xml", card=card)
    assert caught.value.remedy.choices == [{"classes": 256}]
