"""The files of a model: suffixes, encodings, folders, hashes and stamps."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from model_folders import put, put_card, put_saved_model

from wasinn_nb import catalog
from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards import ModelCard
from wasinn_nb.catalog.entries import Model
from wasinn_nb.errors import InvalidArgumentError, MissingFileError


@pytest.mark.parametrize(
    ("suffixes", "encoding"),
    [
        ((".XML", ".bin"), GraphEncoding.OPENVINO),
        ((".XML", ".BIN"), GraphEncoding.OPENVINO),
        ((".xml", ".BIN"), GraphEncoding.OPENVINO),
        ((".ONNX",), GraphEncoding.ONNX),
        ((".TFLITE",), GraphEncoding.TENSORFLOWLITE),
    ],
)
def test_suffixes_in_upper_case(data, own, suffixes, encoding):
    put(own, name="M", suffixes=suffixes)
    files = tuple(own / f"M{suffix}" for suffix in suffixes)
    for wanted in ("M", *files):
        model = catalog.model(wanted)
        assert (model.files, model.encoding, model.name) == (files, encoding, "M")
    assert catalog.models().names == ("M",)
    assert ModelCard("M").write(files[0]) == own / "M.card.json"


def test_encoding_of_a_model_that_is_made_by_hand():
    card = ModelCard("toy", encoding=GraphEncoding.PYTORCH)
    assert Model(card, None, (Path("toy.ONNX"),), "x").encoding is GraphEncoding.ONNX
    assert Model(card, None, (Path("toy.pt"),), "x").encoding is GraphEncoding.PYTORCH


@pytest.mark.parametrize("layout", ["seg", "intel/seg", "seg/FP16/seg"])
def test_model_that_is_a_folder(data, own, layout):
    folder = put_saved_model(own / layout)
    assert catalog.models().names == ("seg",)
    precision = "FP16" if "FP16" in layout else None
    for wanted in ("seg", folder, str(folder), folder / "saved_model.pb"):
        model = catalog.model(wanted)
        assert (model.files, model.precision) == ((folder,), precision)
        assert (model.name, model.encoding) == ("seg", GraphEncoding.TENSORFLOW)
    written = ModelCard("street", "segmentation").write(folder)
    for wanted in ("seg", folder):
        model = catalog.model(wanted)
        assert (model.name, model.card_path) == ("street", written)
        assert model.encoding is GraphEncoding.TENSORFLOW
    assert catalog.models()[0].task == "segmentation"


def test_folder_of_a_model_in_the_search_path(data, own, monkeypatch):
    folder = put_saved_model(own / "seg")
    monkeypatch.setenv("WASINN_NB_PATH", str(folder))
    assert catalog.models().names == ("seg",)
    assert catalog.model("seg").files == (folder,)
    monkeypatch.chdir(folder)
    assert catalog.model(Path()).files == (folder,)
    assert catalog.model("saved_model.pb").name == "seg"


def test_hashes_and_stamps_of_a_model_that_is_a_folder(data, own):
    folder = put_saved_model(own / "seg")
    put_card(folder, name="seg")
    (folder / "loop").symlink_to(folder)
    model = catalog.model("seg")
    assert model.sha384 == {
        "saved_model.pb": hashlib.sha384(b"graph").hexdigest(),
        "variables/variables.index": hashlib.sha384(b"index").hexdigest(),
    }
    assert list(model.sha384) == ["saved_model.pb", "variables/variables.index"]
    assert model.weights == (folder / "saved_model.pb", folder / "variables/variables.index")
    assert [stamp[0] for stamp in model.stamps] == [*model.weights, folder / "card.json"]
    assert not model.verified


def test_folder_with_more_files_than_a_model_has(data, own, monkeypatch):
    from wasinn_nb.cards import modelpath

    monkeypatch.setattr(modelpath, "_MOST_FILES", 1)
    put_saved_model(own / "seg")
    with pytest.raises(InvalidArgumentError, match="holds more than 1 files"):
        _ = catalog.model("seg").weights


# ------------------------------------------------------------------------------------------ stamps


def test_stamps_change_with_every_file(data, own):
    put(own)
    before = catalog.model("toy").stamps
    assert [path for path, _, _ in before] == [own / "toy.xml", own / "toy.bin"]
    assert before[1][2] == len("<net name='toy'>.bin")
    assert catalog.model("toy").stamps == before
    card = ModelCard("toy").write(own / "toy.xml")
    with_card = catalog.model("toy").stamps
    assert with_card == (*before, (card, card.stat().st_mtime_ns, card.stat().st_size))
    os.utime(own / "toy.bin", ns=(0, 0))
    assert catalog.model("toy").stamps != with_card


def test_stamps_of_a_file_that_is_gone(data, own):
    put(own)
    model = catalog.model("toy")
    (own / "toy.bin").unlink()
    with pytest.raises(MissingFileError, match=r"no model at .*toy\.bin"):
        _ = model.stamps
