"""Cards from values that cannot be: what is wrong is said before what is missing."""

from __future__ import annotations

import re

import pytest
import toys
from commands import commands_in, pasted, refused

import wasinn_nb as wn
from wasinn_nb.cards import statements
from wasinn_nb.errors import RecipeError


@pytest.fixture
def toy(here):
    return toys.brightest_channel(here / "toy.xml").name


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        ("--mean 1,2", "expected 3 finite float32 numbers for mean, got (1.0, 2.0)"),
        ("--mean nan", "expected 3 finite float32 numbers for mean, got "),
        ("--scale 0", "expected a scale without zeros to divide by"),
        ("--range 1 1", "expected a range with two different ends"),
        ("--range 0 1 --mean 1,2", "expected 3 finite float32 numbers for mean, got "),
        ("--size 300x300", "the recipe makes 1x3x300x300, the model takes 1x3x4x6xf32"),
        ("--size 0x6", "expected height"),
        ("--pad 256", "expected pad_value"),
        ("--layout NHWC", "layout NHWC does not fit the input 1x3x4x6xf32"),
        ("--color GRAY", "the recipe makes 1x1x4x6, the model takes 1x3x4x6xf32"),
        ("--recipe fit=squeeze", "expected fit as one of stretch, letterbox, crop"),
    ],
)
def test_wrong_values_come_first(toy, words, problem):
    message = refused("card", toy, *words.split())
    assert message.startswith(f"toy.xml: {problem}")
    assert "lacks" not in message


def test_another_type_comes_first(toy):
    message = refused("card", toy, "--recipe", "type=u8")
    assert message.startswith("the recipe makes 1x3x4x6xu8, the model takes 1x3x4x6xf32; use: ")


@pytest.mark.parametrize(
    ("words", "added"),
    [
        ("--color RGB", "range=0:255"),
        ("--mean 1,2,3", "color=BGR"),
        ("--scale 2", "color=BGR"),
        ("--range 1 0", "color=BGR"),
        ("--size 4x6", "color=BGR,range=0:255"),
        ("--resize triangle", "color=BGR,range=0:255"),
    ],
)
def test_what_is_missing_is_offered_as_it_is_assumed(toy, words, added):
    assumed = statements(wn.Pipeline(toy).assumed)["recipe"]
    (command,) = commands_in(refused("card", toy, *words.split()))
    assert command == f"wasinn-nb card {toy} {words} --recipe {added}"
    pasted(command)
    recipe = wn.model(toy).card.recipe
    for name in ("color", "range"):
        if name in added:
            assert getattr(recipe, name) == assumed[name]


def test_of_i8_the_range_of_the_type_is_offered(here):
    path = toys.brightest_channel(here / "toy.xml", type_="i8")
    with pytest.raises(RecipeError, match=re.escape("recipe=dict(range=(-128, 127))")) as caught:
        wn.ModelCard.from_model(path, recipe={"color": "RGB"})
    (choice,) = caught.value.remedy.choices
    known = {"color": "RGB", **choice["recipe"]}
    assert wn.ModelCard.from_model(path, recipe=known).recipe.range == (-128, 127)
    assert statements(wn.Pipeline(path).assumed)["recipe"]["range"] == (-128, 127)
