import json

import numpy as np
import pytest

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards import ModelCard, ModelFile, checked_palette, distinct_palette
from wasinn_nb.errors import MissingFileError, RecipeError
from wasinn_nb.recipe import PreprocessRecipe

HASH = "0123456789abcdef" * 6
CARD = {
    "name": "toy-0001",
    "task": "segmentation",
    "recipe": {"height": 2, "width": 3, "type": "u8"},
    "classes": ["background", "road"],
    "palette": [[0, 0, 0], [255, 0, 1]],
    "encoding": "onnx",
    "precisions": {"FP32": [{"name": "toy.onnx", "bytes": 7, "sha384": HASH}]},
    "description": "a toy",
    "license": "Apache-2.0",
    "source": "here",
    "figures": {"mIoU": 0.5},
}


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
        ({"name": None}, "expected a model name of letters, digits, '.', '_' and '-', got None"),
        ({"name": "a/b"}, "expected a model name of letters, digits, '.', '_' and '-', got 'a/b'"),
        ({"name": "../x"}, "expected a model name of letters"),
        ({"name": ".hidden"}, "expected a model name of letters"),
        ({"name": "a" * 129}, "expected a model name of letters"),
        ({"name": "a\n"}, "expected a model name of letters"),
        ({"task": 5}, "toy-0001: expected task as text, got 5"),
        ({"license": ["MIT"]}, "toy-0001: expected license as text, got ['MIT']"),
        ({"classes": "road"}, "toy-0001: expected class names as text, got 'road'"),
        ({"classes": ["a", ""]}, "toy-0001: expected class names as text, got ['a', '']"),
        ({"classes": ["a", 1]}, "toy-0001: expected class names as text, got ['a', 1]"),
        ({"classes": ["a", "a"]}, "toy-0001: two classes have the same name: ('a', 'a')"),
        (
            {"classes": [str(i) for i in range(257)]},
            "toy-0001: expected at most 256 classes, got 257",
        ),
        ({"classes": None}, "toy-0001: expected class names as text, got None"),
        ({"palette": [[0, 0, 0]]}, "expected a colour for each of 2 classes, got 1"),
        (
            {"palette": [[0, 0, 0], [0, 0, 256]]},
            "colour 1: expected (red, green, blue) from 0 to 255, got [0, 0, 256]",
        ),
        (
            {"palette": [[0, 0, -1], [0, 0, 0]]},
            "colour 0: expected (red, green, blue) from 0 to 255, got [0, 0, -1]",
        ),
        (
            {"palette": [[0, 0], [0, 0, 0]]},
            "colour 0: expected (red, green, blue) from 0 to 255, got [0, 0]",
        ),
        (
            {"palette": [[0, 0, 0, True], [0, 0, 0]]},
            "colour 0: expected (red, green, blue) from 0 to 255, got [0, 0, 0, True]",
        ),
        ({"palette": [[0, 0, 0.5], [0, 0, 0]]}, "colour 0: expected (red, green, blue)"),
        ({"palette": 5}, "expected a palette as a sequence of (red, green, blue), got 5"),
        ({"encoding": "caffe"}, "toy-0001: expected encoding as one of openvino, onnx, "),
        ({"encoding": 1}, "toy-0001: expected encoding as one of openvino, onnx, tensorflow, "),
        ({"recipe": {"height": 2}}, "the recipe lacks width"),
        ({"recipe": 7}, "expected a recipe as a JSON object, got 7"),
        ({"precisions": []}, "the card of 'toy-0001' is malformed: "),
        ({"precisions": {"FP32": [{"name": "a"}]}}, "the card of 'toy-0001' is malformed: "),
        ({"figures": {"mIoU": "good"}}, "toy-0001: expected figures as name and finite number, got {'mIo"),
        ({"figures": [0.5]}, "toy-0001: expected figures as name and finite number, got [0.5]"),
        ({"colour": 1}, "a model card has no colour; it has background, channels_last, classes, "),
    ],
)
def test_wrong_fields_are_refused(change, message):
    with pytest.raises(RecipeError) as caught:
        ModelCard.from_dict(CARD | change)
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
    said = {"name": "toy.bin", "bytes": 7, "sha384": HASH, "url": "https://example.org/toy.bin"}
    assert ModelFile(**said).bytes == 7
    with pytest.raises(RecipeError) as caught:
        ModelFile(**said | change)
    assert str(caught.value).startswith(message)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not valid JSON: Expecting value"),
        (b"\xff\xfe", "not valid JSON: 'utf-8' codec can't decode"),
        (b"[" * 100_000, "not valid JSON: "),
        (b"[]", "expected a model card as a JSON object, got []"),
        (b"{}", "the model card lacks a name"),
        (b" " * (1 << 24) + b"{}", "larger than 16777216 bytes, which no model card is"),
    ],
)
def test_files_that_are_no_card(tmp_path, content, message):
    path = tmp_path / "card.json"
    path.write_bytes(content)
    with pytest.raises(RecipeError) as caught:
        ModelCard.read(path)
    assert str(caught.value).startswith(f"{path}: {message}")


def test_a_missing_card(tmp_path):
    with pytest.raises(MissingFileError, match=r"no model card at .*gone.json"):
        ModelCard.read(tmp_path / "gone.json")


@pytest.mark.parametrize("classes", [0, 1, 8, 9, 256])
def test_palettes_are_distinct_and_start_with_black(classes):
    palette = distinct_palette(classes)
    assert len(palette) == len(set(palette)) == classes
    assert palette[:1] == ((0, 0, 0),)[:classes]
    assert palette[: min(classes, 8)] == distinct_palette(8)[:classes]
    assert checked_palette(palette, classes) == palette


def test_palettes_may_be_arrays():
    assert checked_palette(np.array([[1, 2, 3]], np.uint8), 1) == ((1, 2, 3),)
    assert type(checked_palette(np.array([[1, 2, 3]], np.uint8), 1)[0][0]) is int
    with pytest.raises(RecipeError, match="colour 0: expected"):
        checked_palette([5], 1)
