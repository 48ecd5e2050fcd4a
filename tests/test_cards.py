"""Model cards: what one may hold, how it is written and read back, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from card_examples import CARD, HASH

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.cards.modelfile import ModelFile
from wasinn_nb.errors import RecipeError
from wasinn_nb.imaging.recipe import PreprocessRecipe


def test_a_card_is_read_whole(tmp_path):
    path = tmp_path / "card.json"
    path.write_text(json.dumps(CARD))
    card = ModelCard.read(path)
    assert card == ModelCard(
        "toy-0001",
        "segmentation",
        PreprocessRecipe(2, 3, type="u8"),
        ("background", "road"),
        ((0, 0, 0), (255, 0, 1)),
        GraphEncoding.ONNX,
        {"FP32": (ModelFile("toy.onnx", 7, HASH),)},
        "a toy",
        "Apache-2.0",
        "here",
        {"mIoU": 0.5},
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": None}, "the model card: expected `str`, got `null` at `$.name`"),
        ({"name": "a/b"}, "expected a model name of letters, digits, '.', '_' and '-', got 'a/b'"),
        ({"name": "../x"}, "expected a model name of letters"),
        ({"name": ".hidden"}, "expected a model name of letters"),
        ({"name": "a" * 129}, "expected a model name of letters"),
        ({"name": "a\n"}, "expected a model name of letters"),
        ({"task": 5}, "toy-0001: expected `str`, got `int` at `$.task`"),
        ({"license": ["MIT"]}, "toy-0001: expected `str`, got `array` at `$.license`"),
        ({"classes": "road"}, "toy-0001: expected `array`, got `str` at `$.classes`"),
        ({"classes": ["a", ""]}, "toy-0001: expected class names as text, got ('a', '')"),
        ({"classes": ["a", 1]}, "toy-0001: expected `str`, got `int` at `$.classes[1]`"),
        ({"classes": ["a", "a"]}, "toy-0001: two classes have the same name: ('a', 'a')"),
        (
            {"classes": [str(i) for i in range(257)]},
            "toy-0001: expected at most 256 classes, got 257",
        ),
        ({"classes": None}, "toy-0001: expected `array`, got `null` at `$.classes`"),
        ({"palette": [[0, 0, 0]]}, "expected a color for each of 2 classes, got 1"),
        (
            {"palette": [[0, 0, 0], [0, 0, 256]]},
            "color 1: expected (red, green, blue) from 0 to 255, got [0, 0, 256]",
        ),
        (
            {"palette": [[0, 0, -1], [0, 0, 0]]},
            "color 0: expected (red, green, blue) from 0 to 255, got [0, 0, -1]",
        ),
        (
            {"palette": [[0, 0], [0, 0, 0]]},
            "color 0: expected (red, green, blue) from 0 to 255, got [0, 0]",
        ),
        (
            {"palette": [[0, 0, 0, True], [0, 0, 0]]},
            "color 0: expected (red, green, blue) from 0 to 255, got [0, 0, 0, True]",
        ),
        ({"palette": [[0, 0, 0.5], [0, 0, 0]]}, "color 0: expected (red, green, blue)"),
        ({"palette": 5}, "expected a palette as a sequence of (red, green, blue), got 5"),
        ({"encoding": "caffe"}, "toy-0001: expected encoding as one of openvino, onnx, "),
        ({"encoding": 1}, "toy-0001: expected `str`, got `int` at `$.encoding`"),
        ({"recipe": {"height": 2}}, "the recipe lacks width"),
        ({"recipe": 7}, "toy-0001: expected `object | null`, got `int` at `$.recipe`"),
        ({"precisions": []}, "toy-0001: expected `object`, got `array` at `$.precisions`"),
        (
            {"precisions": {"FP32": [{"name": "a"}]}},
            "toy-0001: object missing required field `bytes` at `$.precisions[...][0]`",
        ),
        (
            {"figures": {"mIoU": "good"}},
            "toy-0001: expected `int | float`, got `str` at `$.figures[...]`",
        ),
        ({"figures": [0.5]}, "toy-0001: expected `object`, got `array` at `$.figures`"),
        (
            {"figures": {"mIoU": float("nan")}},
            "toy-0001: expected figures as name and finite number",
        ),
        ({"figures": {"mIoU": 10**400}}, "toy-0001: expected figures as name and finite number"),
        ({"classes": ["\ud800"]}, "toy-0001: expected class names as text, got ('\\ud800',)"),
        ({"source": "\ud800"}, "toy-0001: expected source as text, got '\\ud800'"),
        (
            {"precisions": {"FP32": 5}},
            "toy-0001: expected `array`, got `int` at `$.precisions[...]`",
        ),
        ({"classes": ["person"]}, "toy-0001: expected one color for one class, got 2; name both "),
        ({"output": ""}, "toy-0001: expected output as the name of an output or its index from 0"),
        ({"output": -1}, "toy-0001: expected output as the name of an output or its index from 0"),
        ({"output": True}, "toy-0001: expected `int | str | null`, got `bool` at `$.output`"),
        ({"output": 1.0}, "toy-0001: expected `int | str | null`, got `float` at `$.output`"),
        (
            {"threshold": 0},
            "toy-0001: expected threshold as a probability above 0 and below 1, got ",
        ),
        (
            {"threshold": 1},
            "toy-0001: expected threshold as a probability above 0 and below 1, got ",
        ),
        ({"threshold": True}, "toy-0001: expected `float | null`, got `bool` at `$.threshold`"),
        ({"threshold": "0.5"}, "toy-0001: expected `float | null`, got `str` at `$.threshold`"),
        ({"threshold": float("nan")}, "toy-0001: expected threshold as a probability above 0 and "),
        (
            {"threshold": 10**400},
            "toy-0001: number out of range at `$.threshold`",
        ),
        ({"channels_last": 1}, "toy-0001: expected `bool | null`, got `int` at `$.channels_last`"),
        ({"logits": "yes"}, "toy-0001: expected `bool | null`, got `str` at `$.logits`"),
        (
            {"background": 2},
            "toy-0001: expected background as None or the index of a class, 0 to 1",
        ),
        ({"background": -1}, "toy-0001: expected background as None or the index of a class, 0 to"),
        ({"background": False}, "toy-0001: expected `int | null`, got `bool` at `$.background`"),
        ({"colour": 1}, "a model card has no colour; it has background, channels_last, classes, "),
    ],
)
def test_wrong_fields_are_refused(change, message):
    with pytest.raises(RecipeError) as caught:
        ModelCard.from_dict(CARD | change)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", None, "expected a model name of letters, digits, '.', '_' and '-', got None"),
        ("task", 5, "toy: expected task as text, got 5"),
        ("license", ["MIT"], "toy: expected license as text, got ['MIT']"),
        ("classes", "road", "toy: expected class names as text, got 'road'"),
        ("classes", ["a", 1], "toy: expected class names as text, got ['a', 1]"),
        ("classes", None, "toy: expected class names as text, got None"),
        ("recipe", 7, "toy: expected recipe as a PreprocessRecipe, got 7"),
        ("encoding", "onnx", "toy: expected encoding as a GraphEncoding, got 'onnx'"),
        ("precisions", [], "toy: expected precisions as name and files, got []"),
        ("precisions", {"FP32": 5}, "toy: expected precisions as name and files, got {"),
        ("figures", {"mIoU": "good"}, "toy: expected figures as name and finite number, got {"),
        ("figures", [0.5], "toy: expected figures as name and finite number, got [0.5]"),
        ("output", True, "toy: expected output as the name of an output or its index from 0, got"),
        ("output", 1.0, "toy: expected output as the name of an output or its index from 0, got"),
        ("threshold", True, "toy: expected threshold as a probability above 0 and below 1, got "),
        ("threshold", "0.5", "toy: expected threshold as a probability above 0 and below 1, got"),
        ("threshold", 10**400, "toy: expected threshold as a probability above 0 and below 1, got"),
        ("channels_last", 1, "toy: expected channels_last as True, False or None, got 1"),
        ("logits", "yes", "toy: expected logits as True, False or None, got 'yes'"),
        ("background", False, "toy: expected background as None or the index of a class, 0 to 255"),
    ],
)
def test_wrong_arguments_are_refused(field, value, message):
    with pytest.raises(RecipeError) as caught:
        ModelCard(**{"name": "toy"} | {field: value})
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"name": "a/b.bin"}, "expected a plain file name, got 'a/b.bin'"),
        ({"name": ".."}, "expected a plain file name, got '..'"),
        ({"bytes": -1}, "toy.bin: expected a size in bytes, got -1"),
        ({"bytes": True}, "toy.bin: expected a size in bytes, got True"),
        ({"bytes": "7"}, "toy.bin: expected a size in bytes, got '7'"),
        ({"sha384": HASH[1:]}, "toy.bin: expected 96 hexadecimal digits of SHA-384"),
        ({"sha384": HASH.upper()}, "toy.bin: expected 96 hexadecimal digits of SHA-384"),
        ({"sha384": None}, "toy.bin: expected 96 hexadecimal digits of SHA-384"),
        ({"url": "file:///etc/passwd"}, "toy.bin: expected an http(s) address, got 'file:///etc"),
        ({"url": 5}, "toy.bin: expected an http(s) address, got 5"),
    ],
)
def test_wrong_files_are_refused(change, message):
    fields = {"name": "toy.bin", "bytes": 7, "sha384": HASH, "url": "https://example.org/toy.bin"}
    assert ModelFile(**fields).bytes == 7
    with pytest.raises(RecipeError) as caught:
        ModelFile(**fields | change)
    assert str(caught.value).startswith(message)


# -- fields that state how an output is read -------------------------------------------------------


def test_what_is_not_stated_of_the_output():
    card = ModelCard("toy")
    assert (card.output, card.threshold, card.channels_last, card.logits) == (None,) * 4
    assert card.background is None


def test_numbers_of_numpy_become_plain():
    card = ModelCard("toy", output=np.int64(1), threshold=np.float32(0.25), background=np.uint8(3))
    assert (card.output, card.threshold, card.background) == (1, 0.25, 3)
    assert [type(n) for n in (card.output, card.threshold, card.background)] == [int, float, int]


@pytest.mark.parametrize("names", [("person",), ("background", "person")])
def test_one_class_has_two_labels_and_is_named_as_it_was_given(names):
    card = ModelCard("toy", "segmentation", classes=names, background=1)
    assert card.classes == names
    assert len(card.palette) == len(names)
    with pytest.raises(RecipeError, match="index of a class, 0 to 1, got 2"):
        ModelCard("toy", "segmentation", classes=names, background=2)


@pytest.mark.parametrize(
    ("task", "most"), [("segmentation", 256), ("unknown", 256), ("classification", 100_000)]
)
def test_most_classes(task, most):
    names = [f"class {index}" for index in range(most + 1)]
    card = ModelCard("toy", task, classes=names[:-1], background=most - 1)
    assert (len(card.classes), len(card.palette)) == (most, most)
    with pytest.raises(RecipeError, match=f"toy: expected at most {most} classes, got {most + 1}"):
        ModelCard("toy", task, classes=names)
    with pytest.raises(RecipeError, match=f"the index of a class, 0 to {most - 1}, got {most}"):
        ModelCard("toy", task, background=most)


def test_too_many_classes_of_a_mask_say_who_takes_them():
    with pytest.raises(RecipeError, match="with task='classification' it takes 100000"):
        ModelCard("toy", classes=map(str, range(257)))


def test_labels_of_imagenet_hold_two_cranes():
    assert ModelCard("toy", "classification", classes=["crane", "crane"]).classes[1] == "crane"
    with pytest.raises(RecipeError, match="two classes have the same name: "):
        ModelCard("toy", "segmentation", classes=["crane", "crane"])


def test_more_colors_than_classes_are_cut_off():
    card = ModelCard("toy", classes=["a", "b"], palette=[(1, 1, 1), (2, 2, 2), (3, 3, 3)])
    assert card.palette == ((1, 1, 1), (2, 2, 2))
