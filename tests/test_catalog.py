"""Models and images by name: layouts, order of places, precisions, halves of pairs, tables."""

from __future__ import annotations

import re

import pytest
from model_folders import put, put_card

from wasinn_nb import catalog
from wasinn_nb.abi import GraphEncoding, TensorType
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.cards.modelpath import as_name
from wasinn_nb.catalog.entries import ModelEntry, ModelTable
from wasinn_nb.catalog.finding import shipped
from wasinn_nb.errors import (
    HashMismatchError,
    InvalidArgumentError,
    MissingFileError,
    NotFoundError,
    RuntimeFailure,
)

ADAS = "road-segmentation-adas-0001"
NOT_DOWNLOADED = "not downloaded (0.9 MB)"


# ----------------------------------------------------------------------------------- shipped card


def test_card_of_the_open_model_zoo():
    card = ModelCard.read(shipped.data_dir() / "models" / ADAS / "card.json")
    assert (card.name, card.task, card.license) == (ADAS, "segmentation", "Apache-2.0")
    assert card.classes == ("background", "road", "curb", "mark")
    assert card.palette == ((0, 0, 0), (0, 114, 178), (213, 94, 0), (240, 228, 66))
    assert card.encoding is GraphEncoding.OPENVINO
    assert repr(card.recipe) == (
        "PreprocessRecipe(1x3x512x896xf32 NCHW BGR, range 0 to 255, bilinear)"
    )
    assert card.recipe.type is TensorType.F32
    prefix = (
        "https://storage.openvinotoolkit.org/repositories/open_model_zoo/2023.0/models_bin/1/"
        "road-segmentation-adas-0001/"
    )
    rows = {
        file.url.removeprefix(prefix): (file.bytes, file.sha384[:8])
        for files in card.precisions.values()
        for file in files
    }
    assert rows == {
        f"FP32/{ADAS}.xml": (398315, "76248abe"),
        f"FP32/{ADAS}.bin": (737184, "00391dd8"),
        f"FP16/{ADAS}.xml": (554615, "5e50ee68"),
        f"FP16/{ADAS}.bin": (368616, "8ca68eb9"),
        f"FP16-INT8/{ADAS}.xml": (1056103, "b652d74f"),
        f"FP16-INT8/{ADAS}.bin": (215040, "8d3a12b2"),
    }


def test_known_but_not_here():
    [entry] = [entry for entry in catalog.models() if entry.name == ADAS]
    precisions = ("FP32", "FP16", "FP16-INT8")
    assert entry == ModelEntry(
        ADAS, "segmentation", precisions, "not here", NOT_DOWNLOADED, download_bytes=923_231
    )
    assert not entry.here


def test_older_build_in_a_directory_is_taken_with_its_hash(shared, monkeypatch):
    monkeypatch.setenv("WASINN_NB_PATH", str(shared / "models"))
    model = catalog.model(ADAS)
    assert model.files == tuple(
        (shared / "models" / f"{ADAS}{suffix}").absolute() for suffix in (".xml", ".bin")
    )
    assert model.card.classes == ("background", "road", "curb", "mark")
    assert (model.precision, model.verified) == (None, False)
    assert {name: digits[:16] for name, digits in model.sha384.items()} == {
        f"{ADAS}.xml": "4ef4d0946949829b",
        f"{ADAS}.bin": "79f494aff63c53e7",
    }
    rows = {entry.name: entry for entry in catalog.models()}
    assert rows[ADAS].here
    assert rows[ADAS].reason == "another build than its card describes; used as it is"
    birds = rows["lite-model_aiy_vision_classifier_birds_V1_3"]
    assert (birds.task, birds.precisions) == ("unknown", ())
    assert birds.reason == "no card: its classes and recipe are not known"
    assert catalog.model(birds.name).encoding is GraphEncoding.TENSORFLOWLITE
    with pytest.raises(NotFoundError) as caught:
        catalog.model(ADAS, "FP16", download=False)
    assert str(caught.value) == (
        f"{ADAS} is not here in precision FP16, but in an unknown precision in {shared}/models; "
        f"leave precision out to use what is here"
    )


# ---------------------------------------------------------------------------------------- layouts


@pytest.mark.parametrize(
    ("folder", "precision"),
    [
        ("", None),
        ("toy", None),
        ("toy/FP16", "FP16"),
        ("toy/fp16-int8", "FP16-INT8"),
        ("intel/toy/FP32", "FP32"),
        ("public/toy", None),
        ("FP16", "FP16"),
    ],
)
def test_layouts_of_a_directory(data, own, folder, precision):
    put(own / folder)
    model = catalog.model("toy")
    assert model.files == (own / folder / "toy.xml", own / folder / "toy.bin")
    assert (model.precision, model.verified) == (precision, False)
    assert model.card == ModelCard("toy")
    if folder != "FP16":
        assert catalog.models().names == ("toy",)


@pytest.mark.parametrize(
    ("suffix", "encoding"),
    [
        (".onnx", GraphEncoding.ONNX),
        (".tflite", GraphEncoding.TENSORFLOWLITE),
        (".pb", GraphEncoding.TENSORFLOW),
        (".pdmodel", GraphEncoding.AUTODETECT),
    ],
)
def test_other_encodings(data, own, suffix, encoding):
    weights = (".pdiparams",) if suffix == ".pdmodel" else ()
    put(own, suffixes=(suffix, *weights))
    model = catalog.model("toy")
    assert model.encoding is encoding
    assert [path.suffix for path in model.files] == [suffix, *weights]
    assert catalog.model(model.path).files == model.files
    assert catalog.models()[0].here


def test_card_beside_the_files(data, own):
    put_card(own / "toy", precisions={"FP32": put(own / "toy")})
    model = catalog.model("toy")
    assert model.card.classes == ("background", "road")
    assert (model.precision, model.verified) == ("FP32", True), "by the hash"
    assert catalog.models()[0] == ModelEntry("toy", "segmentation", ("FP32",), str(own))


def test_own_card_goes_before_the_shipped_one_for_own_files(data, own):
    put_card(data / "models/toy", classes=["a"])
    put_card(own / "toy", classes=["b"])
    assert catalog.models()[0].reason == (
        "card only, without an address; put its files into a directory of WASINN_NB_PATH"
    )
    put(own / "toy")
    assert catalog.model("toy").card.classes == ("b",)
    put(own / "toy/FP16", "other")
    assert catalog.model("toy").card.classes == ("b",)


def test_folder_that_is_itself_a_model(data, own):
    put_card(own, precisions={"FP16": put(own / "FP16")})
    assert catalog.models() == ModelTable([ModelEntry("toy", "segmentation", ("FP16",), str(own))])
    assert catalog.model("toy").verified


def test_encoding_is_that_of_the_files(data, own):
    put_card(data / "models/toy")
    put(own, suffixes=(".onnx",))
    assert catalog.model("toy").card.classes == ("background", "road")
    assert catalog.model("toy").encoding is GraphEncoding.ONNX


# ----------------------------------------------------------------------------- order and precision


def test_shipped_goes_before_own(data, own):
    put_card(data / "models/toy", precisions={"FP16": put(data / "models/toy/FP16")})
    put(own, text="mine")
    model = catalog.model("toy")
    assert (model.origin, model.precision, model.verified) == ("shipped", "FP16", True)
    assert str(catalog.models()) == (
        "name  task          precisions  where    reason\ntoy   segmentation  FP16        shipped"
    )


def test_first_directory_goes_first(data, tmp_path, monkeypatch):
    for folder in ("one", "two"):
        put(tmp_path / folder, text=folder)
    monkeypatch.setenv("WASINN_NB_PATH", f"{tmp_path}/gone:{tmp_path}/two::{tmp_path}/one")
    assert catalog.model("toy").origin == f"{tmp_path}/two"
    assert str(catalog.models()).splitlines()[-1] == (
        f"WASINN_NB_PATH: there is no folder {tmp_path}/gone"
    )


@pytest.mark.parametrize("name", ["my model", "مدينة", "-toy", "a" * 129])
@pytest.mark.parametrize("place", ["", "folder"])
def test_a_model_without_a_name_is_not_left_out_silently(data, own, name, place):
    folder = own / name if place else own
    folder.mkdir(parents=True, exist_ok=True)
    for suffix in (".xml", ".bin"):
        (folder / f"{name}{suffix}").write_text(suffix)
    path = folder if place else own / f"{name}.xml"
    assert catalog.models().names == ()
    assert str(catalog.models()).endswith(
        f"WASINN_NB_PATH: {path} can be given as a path alone: "
        "names have a to z, A to Z, 0 to 9, ., _ and -"
    )
    with pytest.raises(NotFoundError, match=re.escape(f"{path} can be given as a path alone")):
        catalog.model(name)
    assert catalog.model(str(path)).card.name == as_name(name)


def test_damaged_shipped_files_are_refused(data):
    put_card(data / "models/toy", precisions={"FP16": put(data / "models/toy/FP16")})
    (data / "models/toy/FP16/toy.bin").write_bytes(b"rotten")
    with pytest.raises(HashMismatchError, match="install wasinn-nb again"):
        catalog.model("toy")
    assert "install wasinn-nb again" in catalog.models()[0].reason


@pytest.mark.parametrize(
    ("here", "default"),
    [
        (["FP32", "FP16", "FP16-INT8"], "FP16"),
        (["FP16-INT8", "FP32"], "FP32"),
        (["FP16-INT8", "INT4"], "FP16-INT8"),
    ],
)
def test_precision(data, own, here, default):
    for precision in here:
        put(own / "toy" / precision, text=precision)
    assert catalog.model("toy").precision == default
    for precision in here:
        model = catalog.model("toy", precision.lower())
        assert model.path == own / "toy" / precision / "toy.xml"
    assert set(catalog.models()[0].precisions) == set(here)


def test_precision_that_is_not_here(data, own):
    put(own / "toy/FP32")
    with pytest.raises(NotFoundError) as caught:
        catalog.model("toy", "FP16")
    assert str(caught.value) == (
        f"toy is not here in precision FP16, but in FP32 in {own}; "
        f"leave precision out to use what is here"
    )
    with pytest.raises(InvalidArgumentError, match="expected a precision such as 'FP16', got 16"):
        catalog.model("toy", 16)
    with pytest.raises(NotFoundError) as caught:
        catalog.fetch("toy")
    assert str(caught.value).startswith("no model 'toy' in the shipped data")


# ------------------------------------------------------------------------------------------- paths


def test_path_of_a_file(data, own, tmp_path, monkeypatch):
    put(tmp_path / "x", name="my model")
    model = catalog.model(tmp_path / "x/my model.xml")
    assert model.card == ModelCard("my-model")
    assert repr(model) == f"Model(my-model, unknown, from {tmp_path}/x)"
    assert catalog.model(str(tmp_path / "x/my model.bin")) == model
    monkeypatch.chdir(tmp_path / "x")
    here = catalog.model("my model.xml")
    assert (here.files, here.origin) == (model.files, ".")
    assert catalog.model(model) is model
    monkeypatch.setenv("HOME", str(tmp_path))
    assert catalog.model("~/x/my model.xml").origin == "~/x"
    assert catalog.model("~/x/my model.xml", "fp32").precision == "FP32"


def test_path_with_a_card(data, tmp_path):
    put_card(tmp_path / "toy", precisions={"FP16": put(tmp_path / "toy/FP16")})
    for path in (tmp_path / "toy/FP16/toy.xml", tmp_path / "toy"):
        model = catalog.model(path)
        assert (model.card.task, model.precision, model.verified) == ("segmentation", "FP16", True)
    put(tmp_path / "toy", name="stranger")
    assert catalog.model(tmp_path / "toy/stranger.xml").card == ModelCard("stranger")
    with pytest.raises(InvalidArgumentError, match=r"expected precision FP32, but .* is FP16"):
        catalog.model(tmp_path / "toy/FP16/toy.xml", "FP32")
    with pytest.raises(MissingFileError) as caught:
        catalog.model(tmp_path / "toy", "FP32")
    assert str(caught.value) == (
        f"expected toy.xml and toy.bin of precision FP32 in the folder {tmp_path}/toy or in its "
        f"folder FP16 or FP32; name the model's file itself if it is called otherwise"
    )


def test_path_finds_the_card_by_name(data, tmp_path):
    put_card(data / "models/toy", precisions={"FP32": put(tmp_path)})
    model = catalog.model(tmp_path / "toy.xml")
    assert (model.card.task, model.precision, model.verified) == ("segmentation", "FP32", True)


@pytest.mark.parametrize(
    ("name_or_path", "error", "words"),
    [
        ("gone.xml", MissingFileError, "no model at gone.xml "),
        ("x/gone", InvalidArgumentError, "expected the name of a model, a file that ends in .xml"),
        ("./notes.txt", InvalidArgumentError, "or a folder, got notes.txt"),
        (".", MissingFileError, "expected "),
        (3, InvalidArgumentError, "expected a name or a path, got 3"),
        ("toy\0.xml", MissingFileError, "no model at "),
        ("", NotFoundError, "no model '' in "),
        ("n" * 500, NotFoundError, "no model 'nnn"),
    ],
)
def test_wrong_paths(own, monkeypatch, name_or_path, error, words):
    monkeypatch.chdir(own)
    with pytest.raises(error) as caught:
        catalog.model(name_or_path)
    assert words in str(caught.value)


def test_a_misspelled_suffix_is_answered_with_the_models_that_come_close(own, monkeypatch):
    monkeypatch.chdir(own)
    (own / "third").mkdir()
    for name in ("SINet.onnx", "SINet.txt", "birds.tflite"):
        (own / "third" / name).touch()
    expected = "or a folder, got third/SINet.onx; did you mean third/SINet.onnx?"
    with pytest.raises(InvalidArgumentError, match=re.escape(expected)):
        catalog.model("third/SINet.onx")
    with pytest.raises(InvalidArgumentError, match=r"got third/SINet\.txt$"):
        catalog.model("third/SINet.txt")


def test_half_of_a_pair(data, own):
    put(own)
    (own / "toy.xml").write_text('<net version="11"><layers/></net>')
    (own / "toy.bin").rename(own / "elsewhere")
    words = (
        f"toy.bin is missing beside {own}/toy.xml; the model is the pair of both files: "
        f"copy it there too"
    )
    for name_or_path in ("toy", own / "toy.xml"):
        with pytest.raises(MissingFileError) as caught:
            catalog.model(name_or_path)
        assert str(caught.value) == words
    assert catalog.models()[0].reason == "toy.bin is missing"
    (own / "toy.xml").write_text('<net version="4"><layers/></net>')
    with pytest.raises(RuntimeFailure, match="IR version 4; "):
        catalog.model("toy")
    (own / "elsewhere").rename(own / "toy.bin")
    (own / "toy.xml").unlink()
    for name_or_path in ("toy", own / "toy.bin"):
        with pytest.raises(MissingFileError, match=r"^toy\.xml is missing beside .*toy\.bin; "):
            catalog.model(name_or_path)
    assert catalog.models().names == (), "weights alone may be anything"


def test_xml_that_is_not_a_model_is_not_listed(data, own):
    (own / "pom.xml").write_text("<project/>")
    (own / "notes.txt").write_text("")
    (own / "a folder").mkdir()
    assert len(catalog.models()) == 0
