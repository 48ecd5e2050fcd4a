"""Truths that belong to no image: how names are paired, a few of each side, and the remedy."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from commands import run
from pasting import mask, pasted, refused, use

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.evaluation.pairs import paired
from wasinn_nb.evaluation.suffixes import Suffixes

pytestmark = pytest.mark.full

STEMS = [f"{n:04}" for n in range(6)]
NONE_FITS = (
    "6 of 6 predictions without truth: 0000, 0001, 0002 and 3 more; 40 of 40 truths without "
    "prediction: frame 00, frame 01, frame 02 and 37 more; the files of a pair have one name, "
    "without what follows its last dot: add --suffix _mask where the names of the truths end with "
    "that besides, --suffix A,B where those of both sides do, or take the others out"
)


@pytest.fixture(autouse=True)
def _here(toy_store):
    assert len(toy_store) == len(STEMS)
    for n in range(40):
        mask(f"others/frame {n:02}.png", np.zeros((8, 12)))
    for stem in STEMS:
        mask(f"masks/{stem}_mask.png", np.zeros((8, 12)))


COMMANDS = {
    "evaluate": ["evaluate", "images", "{truths}", "-m", "toy.xml"],
    "evaluate a store": ["evaluate", "store", "{truths}"],
    "gallery": ["gallery", "store", "--truths", "{truths}", "--html", "page.html"],
    "quantize": ["quantize", "toy.xml", "images", "--masks", "{truths}"],
}


def words(name, truths):
    return [word.format(truths=truths) for word in COMMANDS[name]]


@pytest.mark.parametrize("name", COMMANDS)
def test_truths_of_other_images(name):
    assert refused(*words(name, "others")) == NONE_FITS


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "quantize"])
def test_the_proposed_suffix_works_when_pasted(name):
    (command,) = use(refused(*words(name, "masks")))
    assert command.endswith(" --suffix _mask")
    assert "6 images" in pasted(command)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "quantize"])
def test_the_proposed_suffixes_of_both_sides_work_when_pasted(name):
    for stem in STEMS:
        shutil.move(f"images/{stem}.png", f"images/{stem}_image.png")
    shutil.rmtree("store")
    wn.predict("images", "toy.xml", "store", progress=False)
    (command,) = use(refused(*words(name, "masks")))
    assert command.endswith(" --suffix _image,_mask")
    assert "6 images" in pasted(command)


def test_quantize_takes_suffixes_of_both_sides():
    for stem in STEMS:
        shutil.move(f"images/{stem}.png", f"images/{stem}_image.png")
    message = refused(*words("quantize", "masks"))
    assert message.endswith(
        "use: wasinn-nb quantize toy.xml images --masks masks --suffix _image,_mask"
    )
    (command,) = use(message)
    assert "toy-int8.xml" in pasted(command)


@pytest.mark.parametrize("name", [name for name in COMMANDS if name != "quantize"])
def test_a_wrong_suffix_is_replaced(name):
    (command,) = use(refused(*words(name, "masks"), "--suffix", "_msk"))
    assert command.count("--suffix") == 1
    assert "6 images" in pasted(command)


def test_a_suffix_that_is_not_needed():
    for stem in STEMS:
        shutil.move(f"masks/{stem}_mask.png", f"masks/{stem}.png")
    message = refused(*words("evaluate", "masks"), "--suffix", "000")
    assert "without truth" in message
    assert "6 images" in run(*words("evaluate", "masks"))


def test_one_that_lacks_its_truth_is_named_without_a_guess():
    Path("masks/0003_mask.png").unlink()
    message = refused(*words("evaluate", "masks"), "--suffix", "_mask")
    assert message == ("1 of 6 predictions without truth: 0003; add their truths, or take them out")


def test_classes_get_no_suffix():
    with pytest.raises(InvalidArgumentError) as caught:
        paired([("a", 1), ("b", 2)], [("a_x", 1), ("b_x", 2)], suffixes=None)
    assert "suffix" not in str(caught.value)
    with pytest.raises(InvalidArgumentError, match="suffix='_x' pairs 2 of them"):
        paired([("a", 1), ("b", 2)], [("a_x", 1), ("b_x", 2)])


def test_a_suffix_that_parts_equal_names_is_left_out():
    own, true = [("a_x", 1), ("b_x", 2)], [("a_x", 1), ("b_x", 2)]
    with pytest.raises(InvalidArgumentError, match="leave suffix out, which pairs 2 of them"):
        paired(own, true, suffixes=Suffixes("", "_x"))
