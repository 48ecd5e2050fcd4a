"""JSON files of the package's own: what they may hold, and what is said of one that is broken."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import NotRequired, TypedDict

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from wasinn_nb.errors import MissingFileError, RecipeError
from wasinn_nb.json_files import checked_json, decoded_json, json_text, read_json


def decoded(text):
    return decoded_json(text, "a.json", RecipeError)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"{", "input data was truncated"),
        (b'{"a": 1,\n "b": Noon}', "line 2, column 7: invalid character"),
        (b"[NaN]", "line 1, column 2: NaN and Infinity are not JSON numbers"),
        (b"[Infinity]", "line 1, column 2: NaN and Infinity are not JSON numbers"),
        (b"[-Infinity]", "line 1, column 3: NaN and Infinity are not JSON numbers"),
        (b"[1e999]", "number out of range at `$[0]`"),
        (b"[" + b"9" * 5000 + b"]", "integer value out of range at `$[0]`"),
        (b"[" * 100_000, "nested more than 100 levels deep"),
        (b'{"a":' * 100_000, "nested more than 100 levels deep"),
        (b"[" * 102 + b"]" * 102, "nested more than 100 levels deep"),
        (b'{"a": 1}, {}', "line 1, column 10: trailing characters"),
        (b'{"a": 1,\n}', "line 2, column 1: trailing comma in object"),
        (b"{'a': 1}", "line 1, column 2: object keys must be strings"),
        (b'["\x01"]', "line 1, column 3: invalid character"),
        (b'["\xff"]', "expected UTF-8, got something else ("),
        (b'["\xed\xa0\x80"]', "expected UTF-8, got something else ("),
        (b'["\\ud800"]', "half of a surrogate pair, which is not a character"),
        (b'["\\ud800 and more text"]', "line 1, column 9: unexpected end of escaped utf-16 surro"),
        (b'["\\udc00 and more text"]', "line 1, column 9: invalid utf-16 surrogate pair"),
        ('{"a": 1}'.encode("utf-16"), "expected UTF-8, got another encoding, such as UTF-16"),
        ('{"a": 1}'.encode("utf-16-be"), "expected UTF-8, got another encoding, such as UTF-16"),
        ('{"a": 1}'.encode("utf-32"), "expected UTF-8, got another encoding, such as UTF-16"),
        ("\ud800", "expected UTF-8, got something else ("),
    ],
)
def test_text_that_is_not_json(text, reason):
    with pytest.raises(RecipeError) as caught:
        decoded(text)
    message = str(caught.value)
    assert message.startswith(f"a.json is not valid JSON: {reason}")
    assert message.endswith("; correct it")


@pytest.mark.parametrize(
    ("text", "value"),
    [
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        ('{"a": "\u00e9\U0001f600"}', {"a": "\u00e9\U0001f600"}),
        (b'["\\ud83d\\ude00"]', ["\U0001f600"]),
        (b'{"a": 1, "a": 2}', {"a": 2}),
        (b"[1.0, -0, 12345678901234567890123]", [1.0, 0, 12345678901234567890123]),
        (b"null", None),
    ],
)
def test_json_of_others(text, value):
    assert decoded(text) == value


@pytest.mark.parametrize("text", [None, 3, ["{}"], bytearray(b"{}")])
def test_what_is_not_text(text):
    with pytest.raises(RecipeError, match=r"^a\.json: expected JSON as text, got "):
        decoded(text)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters(codec="utf-8")), inner),
    max_leaves=9,
)


@pytest.mark.full
@given(values)
def test_what_is_written_comes_back(value):
    text = json_text(value, "the value", RecipeError)
    assert text == json.dumps(value, indent=2) + "\n", "as version 0.1.0 wrote it"
    assert decoded(text) == value
    assert decoded(text.encode()) == value


@pytest.mark.full
@given(st.binary(max_size=40) | values.map(json.dumps).map(str.encode))
@example(b'"\\ud8')
@example(b"\xef\xbb\xbf")
def test_any_bytes_are_a_value_or_an_error(content):
    try:
        decoded(content)
    except RecipeError as error:
        assert str(error).startswith("a.json is not valid JSON: ")  # noqa: PT017


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, b"", {"a": object()}])
def test_what_cannot_be_written(value):
    with pytest.raises(RecipeError, match=r"^the value cannot be written as JSON: .*; use text, "):
        json_text(value, "the value", RecipeError)


# -- types -----------------------------------------------------------------------------------------


class Inner(TypedDict):
    names: tuple[str, ...]


class Outer(TypedDict):
    size: int
    inner: NotRequired[Inner]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ([], "expected `object`, got `array`"),
        ({}, "object missing required field `size`"),
        ({"size": True}, "expected `int`, got `bool` at `$.size`"),
        ({"size": 1.0}, "expected `int`, got `float` at `$.size`"),
        ({"size": 1, "inner": None}, "expected `object`, got `null` at `$.inner`"),
        ({"size": 1, "inner": {"names": "ab"}}, "expected `array`, got `str` at `$.inner.names`"),
        ({"size": 1, "inner": {"names": [3]}}, "expected `str`, got `int` at `$.inner.names[0]`"),
    ],
)
def test_fields_of_another_type_are_named(value, message):
    with pytest.raises(RecipeError) as caught:
        checked_json(value, Outer, "a.json", RecipeError)
    assert str(caught.value) == f"a.json: {message}"


def test_fields_of_the_right_types():
    value = {"size": 1, "inner": {"names": ["a"], "more": 1}, "other": None}
    found = checked_json(value, Outer, "a.json", RecipeError)
    assert found == {"size": 1, "inner": {"names": ("a",)}}


# -- files -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"[]", "expected a recipe as a JSON object, got an array"),
        (b'"a"', "expected a recipe as a JSON object, got text"),
        (b"1.5", "expected a recipe as a JSON object, got a number"),
        (b"true", "expected a recipe as a JSON object, got true or false"),
        (b"null", "expected a recipe as a JSON object, got null"),
        (b" " * 100 + b"{}", "larger than 100 bytes, which no recipe is"),
    ],
)
def test_files_of_something_else(tmp_path, content, message):
    path = tmp_path / "a.json"
    path.write_bytes(content)
    with pytest.raises(RecipeError) as caught:
        read_json(path, "recipe", most_bytes=100, error=RecipeError)
    assert str(caught.value) == f"{path}: {message}"


def test_a_file_of_the_largest_size_and_one_that_is_missing(tmp_path):
    path = tmp_path / "a.json"
    path.write_bytes(b" " * 98 + b"{}")
    assert read_json(path, "recipe", most_bytes=100, error=RecipeError) == {}
    with pytest.raises(MissingFileError, match="no recipe at "):
        read_json(tmp_path / "gone", "recipe", most_bytes=100, error=RecipeError)


def test_the_decoder_is_loaded_when_it_is_needed():
    code = "import sys, wasinn_nb.cards, wasinn_nb.tensor, wasinn_nb.tasks; print(*sys.modules)"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"msgspec", "requests", "filelock", "platformdirs"} & set(run.stdout.split())
