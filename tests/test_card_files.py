"""Files of model cards: what is read, what is refused, and where a card is written."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest
from model_folders import put_saved_model

from wasinn_nb.cards.card import ModelCard
from wasinn_nb.errors import InvalidArgumentError, MissingFileError, RecipeError

TOY = ModelCard("toy", "segmentation", classes=("Straße", "Gehweg"), threshold=0.25)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", " is not valid JSON: it is empty"),
        (b"\xff\xfe", " is not valid JSON: expected UTF-8, got another encoding, such as UTF-16"),
        (b"[" * 100_000, " is not valid JSON: nested more than 100 levels deep"),
        (b'{"name": NaN}', " is not valid JSON: line 1, column 10: NaN and Infinity are not JSON"),
        (
            b'{"name": "\\ud800"}',
            " is not valid JSON: half of a surrogate pair",
        ),
        (b'{"name": 9' + b"9" * 5000 + b"}", " is not valid JSON: integer value out of range"),
        (b'{"name": "toy"} {}', " is not valid JSON: line 1, column 18: trailing characters"),
        (b'{"name": "\xff"}', " is not valid JSON: expected UTF-8, got something else"),
        ('{"name": "toy"}'.encode("utf-16-be"), " is not valid JSON: expected UTF-8, got another"),
        (b"[]", ": expected a model card as a JSON object, got an array"),
        (b"{}", ": the model card lacks a name"),
        (b" " * (1 << 24) + b"{}", ": larger than 16777216 bytes, which no model card is"),
    ],
)
def test_files_that_are_not_cards(tmp_path, content, message):
    path = tmp_path / "card.json"
    path.write_bytes(content)
    with pytest.raises(RecipeError) as caught:
        ModelCard.read(path)
    assert str(caught.value).startswith(f"{path}{message}")


def test_a_missing_card(tmp_path):
    with pytest.raises(MissingFileError, match=r"no model card at .*gone.json"):
        ModelCard.read(tmp_path / "gone.json")


def test_a_card_that_is_a_folder(tmp_path):
    with pytest.raises(MissingFileError, match="for the model card, got the folder"):
        ModelCard.read(tmp_path)


def test_a_card_that_cannot_be_read(tmp_path, monkeypatch):
    path = tmp_path / "card.json"
    path.write_text("{}")

    def refuse(*_):  # the tests may run as root, who reads all
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "open", refuse)
    with pytest.raises(MissingFileError) as caught:
        ModelCard.read(path)
    assert str(caught.value) == (
        f"the model card {path} cannot be read: Permission denied; change its permissions"
    )


def test_a_byte_order_mark_is_not_part_of_the_card(tmp_path):
    path = tmp_path / "card.json"
    path.write_bytes(b'\xef\xbb\xbf{"name": "toy"}')
    assert ModelCard.read(str(path)) == ModelCard("toy")


# -- written beside the model ----------------------------------------------------------------------


def model_at(path, *more):
    path.parent.mkdir(parents=True, exist_ok=True)
    for file in (path, *(path.with_suffix(suffix) for suffix in more)):
        file.write_bytes(b"")
    return path


@pytest.mark.parametrize(
    ("file", "more", "card"),
    [
        ("a/m.onnx", [], "a/m.card.json"),
        ("a/m.v1.tflite", [], "a/m.v1.card.json"),
        ("a/m.xml", [".bin"], "a/m.card.json"),
        ("a/m.bin", [".xml"], "a/m.card.json"),
        ("a/M.XML", [".BIN"], "a/M.card.json"),
        ("a/M.BIN", [".xml"], "a/M.card.json"),
        ("a/my model.ONNX", [], "a/my model.card.json"),
        ("a/m.pdiparams", [".pdmodel"], "a/m.card.json"),
        ("a/saved_model.pb", [], "a/card.json"),
    ],
)
@pytest.mark.parametrize("kind", [str, Path])
def test_where_a_card_is_written(tmp_path, file, more, card, kind):
    model = model_at(tmp_path / file, *more)
    written = TOY.write(kind(model))
    assert written == tmp_path / card
    assert ModelCard.read(written) == TOY


def test_the_card_of_a_folder_is_written_inside(tmp_path, monkeypatch):
    folder = put_saved_model(tmp_path / "tf")
    assert TOY.write(folder) == folder / "card.json"
    monkeypatch.chdir(folder)
    (folder / "card.json").unlink()
    for path in (".", "saved_model.pb"):
        assert TOY.write(path).resolve() == folder / "card.json"


def test_a_card_is_written_into_the_home_directory(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    model_at(tmp_path / "m.onnx")
    assert TOY.write("~/m.onnx") == tmp_path / "m.card.json"


def test_a_written_card_can_be_read_by_people(tmp_path):
    path = TOY.write(model_at(tmp_path / "other.onnx"))
    assert path.read_text(encoding="utf-8") == (
        "{\n"
        '  "name": "toy",\n'
        '  "task": "segmentation",\n'
        '  "classes": ["Straße", "Gehweg"],\n'
        '  "threshold": 0.25\n'
        "}\n"
    )


def test_a_card_replaces_the_one_that_was_there(tmp_path):
    model = model_at(tmp_path / "m.onnx")
    ModelCard("old").write(model)
    assert ModelCard.read(TOY.write(model)) == TOY
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.card.json", "m.onnx"]


@pytest.mark.full
def test_the_most_classes_are_written_and_read_back(tmp_path):
    names = [
        f"class {index:06} of a card that is as long as a card may be" for index in range(10**5)
    ]
    card = ModelCard("toy", "classification", classes=names)
    assert ModelCard.read(card.write(model_at(tmp_path / "m.onnx"))) == card


@pytest.mark.full
def test_a_card_that_is_too_large_to_be_read_is_not_written(tmp_path):
    card = ModelCard("toy", "classification", classes=["c" * 200 + str(i) for i in range(10**5)])
    with pytest.raises(RecipeError, match="toy: the card is larger than 16777216 bytes"):
        card.write(model_at(tmp_path / "m.onnx"))
    assert [path.name for path in tmp_path.iterdir()] == ["m.onnx"]


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ("gone.onnx", MissingFileError, "no model at "),
        ("gone/m.onnx", MissingFileError, "no model at "),
        ("half.xml", MissingFileError, "half.bin is missing beside "),
        ("half.pdiparams", MissingFileError, "half.pdmodel is missing beside "),
        ("", MissingFileError, "expected a file of a model, or a folder with saved_model.pb"),
        ("folder.onnx", MissingFileError, "expected a file of a model, or a folder with saved_mo"),
        ("notes.txt", InvalidArgumentError, "which ends in .xml, .onnx, .tflite, .pb, .pdmodel,"),
        ("toy\0.onnx", MissingFileError, "no model at "),
        ("n" * 500 + ".onnx", MissingFileError, "File name too long"),
    ],
)
def test_no_card_where_no_model_lies(tmp_path, path, error, message):
    (tmp_path / "folder.onnx").mkdir()
    for name in ("notes.txt", "half.xml", "half.pdiparams"):
        model_at(tmp_path / name)
    with pytest.raises(error) as caught:
        TOY.write(tmp_path / path)
    assert message in str(caught.value)
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize("path", [None, 3, ["m.onnx"]])
def test_what_is_not_a_path(path):
    with pytest.raises(InvalidArgumentError, match="expected a path, got"):
        TOY.write(path)


def test_a_folder_in_the_place_of_the_card(tmp_path):
    model = model_at(tmp_path / "m.onnx")
    (tmp_path / "m.card.json").mkdir()
    with pytest.raises(InvalidArgumentError, match=r"m\.card\.json; move that folder away"):
        TOY.write(model)


@pytest.mark.full
def test_a_process_that_is_killed_leaves_the_old_card(tmp_path):
    model = model_at(tmp_path / "m.onnx")
    old = ModelCard("old").write(model).read_bytes()
    code = (
        "import os, pathlib, signal\n"
        "from wasinn_nb.cards import ModelCard\n"
        "pathlib.Path.replace = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
        f"ModelCard('new').write({str(model)!r})"
    )
    done = subprocess.run([sys.executable, "-c", code], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "m.card.json").read_bytes() == old
    (left,) = set(tmp_path.iterdir()) - {model, tmp_path / "m.card.json"}
    assert ModelCard.read(left) == ModelCard("new"), "whole, but under a name that nobody reads"
    assert not left.name.endswith("card.json")
