"""The values that a card may hold, and its palettes."""

from __future__ import annotations

import colorsys
import json

import numpy as np
import pytest
from card_examples import CARD, names
from hypothesis import given
from hypothesis import strategies as st

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.cards.modelfile import ModelFile
from wasinn_nb.errors import RecipeError
from wasinn_nb.imaging.recipe import PreprocessRecipe
from wasinn_nb.render.palette import checked_palette, class_palette, distinct_palette

# -- values ----------------------------------------------------------------------------------------


def test_replace():
    card = ModelCard("toy", "segmentation", classes=("a", "b"), threshold=0.25)
    assert card.replace(threshold=0.75) == ModelCard(
        "toy", "segmentation", classes=("a", "b"), threshold=0.75
    )
    assert card.replace(classes=["a", "b", "c"]).palette == class_palette(3, None)
    assert card.replace(classes=["a", "bg"]).palette == class_palette(2, 1)
    assert card.replace(classes=()).palette == ()
    assert card.replace(classes=["a", "b"], palette=[(9, 9, 9)] * 2).palette == ((9, 9, 9),) * 2
    assert card.threshold == 0.25


def test_replace_keeps_a_palette_of_ones_own():
    card = ModelCard("toy", classes=["a", "b"], palette=[(1, 1, 1), (2, 2, 2)])
    assert card.replace(classes=["x", "y"]).palette == ((1, 1, 1), (2, 2, 2))
    with pytest.raises(RecipeError, match="a color for each of 3 classes, got 2"):
        card.replace(classes=["x", "y", "z"])


def test_replace_checks():
    with pytest.raises(RecipeError, match="a model card has no colour, tresh; it has background, "):
        ModelCard("toy").replace(tresh=1, colour=2)
    with pytest.raises(RecipeError, match="expected threshold as a probability"):
        ModelCard("toy").replace(threshold=2)


def test_the_callers_mappings_are_not_kept():
    figures = {"mIoU": 0.5}
    card = ModelCard("toy", figures=figures)
    figures["mIoU"] = 1
    assert card.figures == {"mIoU": 0.5}


def test_equal_cards_are_one_key():
    card = ModelCard.from_dict(CARD)
    assert {card: 1}[ModelCard.from_dict(CARD)] == 1
    assert hash(card) != hash(card.replace(threshold=0.25))


def test_plain_values():
    assert ModelCard("toy").to_dict() == {"name": "toy"}
    assert ModelCard("toy", background=None).to_dict() == {"name": "toy"}
    assert ModelCard("toy", background=0).to_dict() == {"name": "toy", "background": 0}
    assert ModelCard("toy", output=0, logits=False).to_dict() == {
        "name": "toy",
        "output": 0,
        "logits": False,
    }
    recipe = PreprocessRecipe(2, 3, type="u8").to_dict()
    assert ModelCard.from_dict(CARD).to_dict() == CARD | {"recipe": recipe}
    assert list(ModelCard.from_dict(CARD).to_dict()) == list(CARD)


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=9)
colors = st.tuples(*[st.integers(0, 255)] * 3)
model_files = st.builds(
    ModelFile,
    st.from_regex(r"[a-z0-9][A-Za-z0-9._-]{0,9}", fullmatch=True),
    st.integers(0, 2**63 - 1),
    st.from_regex(r"[0-9a-f]{96}", fullmatch=True),
    st.none() | texts.map("https://".__add__),
)


@st.composite
def model_cards(draw):
    classes = draw(st.lists(names, max_size=9, unique=True))
    palette = st.lists(colors, min_size=len(classes), max_size=len(classes))
    labels = max(len(classes), 2) if classes else 256
    return ModelCard(
        draw(st.from_regex(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}", fullmatch=True)),
        draw(texts | st.sampled_from(["segmentation", "classification"])),
        draw(st.none() | st.builds(PreprocessRecipe, st.integers(1, 9), st.integers(1, 9))),
        classes,
        draw(st.just(()) | palette),
        draw(st.sampled_from(GraphEncoding)),
        draw(st.dictionaries(texts, st.lists(model_files, max_size=2), max_size=2)),
        draw(texts),
        draw(texts),
        draw(texts),
        draw(
            st.dictionaries(texts, st.integers() | st.floats(allow_nan=False, allow_infinity=False))
        ),
        draw(st.none() | names | st.integers(0, 9)),
        draw(st.none() | st.floats(0, 1, exclude_min=True, exclude_max=True)),
        draw(st.none() | st.booleans()),
        draw(st.none() | st.booleans()),
        draw(st.none() | st.integers(0, labels - 1)),
    )


@pytest.mark.full
@given(model_cards())
def test_every_card_comes_back_from_its_json(card):
    text = json.dumps(card.to_dict(), allow_nan=False)
    assert ModelCard.from_dict(json.loads(text)) == card
    assert ModelCard.from_dict(card.to_dict()) == card


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=6,
)


@pytest.mark.full
@given(st.fixed_dictionaries({}, optional=dict.fromkeys(ModelCard("toy").__slots__, json_values)))
def test_whatever_a_card_holds_it_is_a_card_or_an_error(values):
    try:
        card = ModelCard.from_dict({"name": "toy"} | values)
    except RecipeError:
        return
    assert ModelCard.from_dict(card.to_dict()) == card


# -- palettes --------------------------------------------------------------------------------------


@pytest.mark.parametrize("classes", [0, 1, 8, 9, 256])
def test_palettes_are_distinct_and_start_with_black(classes):
    palette = distinct_palette(classes)
    assert len(palette) == len(set(palette)) == classes
    assert palette[:1] == ((0, 0, 0),)[:classes]
    assert palette[: min(classes, 8)] == distinct_palette(8)[:classes]
    assert checked_palette(palette, classes) == palette


def test_further_colors_walk_the_hue_circle():
    for index, color in enumerate(distinct_palette(1000)[8:], 8):
        value, saturation = (0.95, 0.75, 0.55)[index % 3], (0.85, 0.55)[index // 3 % 2]
        levels = colorsys.hsv_to_rgb(index * 0.381966 % 1.0, saturation, value)
        assert color == tuple(round(level * 255) for level in levels)


def test_the_palette_of_very_many_classes():
    assert len(distinct_palette(100_000)) == 100_000


def test_palettes_may_be_arrays():
    assert checked_palette(np.array([[1, 2, 3]], np.uint8), 1) == ((1, 2, 3),)
    assert type(checked_palette(np.array([[1, 2, 3]], np.uint8), 1)[0][0]) is int
    with pytest.raises(RecipeError, match="color 0: expected"):
        checked_palette([5], 1)
