"""Which card describes a model: its own, its folder's, the caller's; and cards that fit nothing."""

from __future__ import annotations

import json
import warnings

import pytest
from model_folders import described, put, put_card, put_saved_model

from wasinn_nb import catalog, settings
from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.catalog.entries import ModelEntry
from wasinn_nb.errors import (
    HashMismatchError,
    InvalidArgumentError,
    MissingFileError,
    RecipeError,
    WasiNnWarning,
)


@pytest.mark.parametrize(
    ("folder", "folder_of_cards"),
    [
        ("", ""),
        ("toy", "toy"),
        ("toy/FP16", "toy/FP16"),
        ("toy/FP16", "toy"),
        ("intel/toy/FP32", "intel/toy/FP32"),
        ("intel/toy/FP32", "intel/toy"),
        ("FP16", "FP16"),
        ("FP16", ""),
    ],
)
def test_own_card_wins_over_the_folders(data, own, folder, folder_of_cards):
    put(own / folder)
    put_card(own / folder_of_cards, classes=["of", "the", "folder"])
    assert catalog.model("toy").card.classes == ("of", "the", "folder")
    card = ModelCard("anything", classes=("own",))
    path = own / folder_of_cards / "toy.card.json"
    card.write(own / folder / "toy.bin").replace(path)
    for name_or_path in ("toy", own / folder / "toy.xml"):
        model = catalog.model(name_or_path)
        assert (model.card, model.card_path) == (card, path)


def test_the_nearest_card_is_taken(data, own):
    put(own / "toy/FP16")
    put(own / "toy/FP32")
    ModelCard("toy", classes=("near",)).write(own / "toy/FP16/toy.xml")
    put_card(own / "toy", classes=["far"])
    assert catalog.model("toy", "FP16").card.classes == ("near",)
    assert catalog.model("toy", "FP32").card.classes == ("far",)


def test_own_card_of_a_relative_path(data, own, monkeypatch):
    put(own / "FP16")
    ModelCard("toy", classes=("own",)).write(own / "FP16/toy.xml")
    monkeypatch.chdir(own / "FP16")
    model = catalog.model("toy.xml")
    assert (model.card.classes, model.precision, model.origin) == (("own",), "FP16", ".")
    assert model.card_path == own / "FP16/toy.card.json"


def test_a_card_that_is_written_after_the_first_call(data, own):
    put(own)
    assert catalog.model("toy").card == ModelCard("toy")
    ModelCard("toy", "segmentation").write(own / "toy.xml")
    assert catalog.model("toy").card.task == "segmentation"
    assert catalog.models()[0] == ModelEntry("toy", "segmentation", (), str(own))


def test_the_folders_card_names_the_model_by_its_files_too(data, own):
    put_card(own / "toy", name="street-0001", precisions={"FP32": put(own / "toy")})
    for name_or_path in ("toy", own / "toy/toy.xml", own / "toy"):
        model = catalog.model(name_or_path)
        assert (model.name, model.precision) == ("street-0001", "FP32")


def test_own_card_of_a_file_with_spaces(data, tmp_path):
    put(tmp_path, name="my model")
    put_card(tmp_path, name="my-model")
    assert catalog.model(tmp_path / "my model.xml").card.classes == ("background", "road")
    ModelCard("my-model", classes=("own",)).write(tmp_path / "my model.xml")
    assert catalog.model(tmp_path / "my model.xml").card.classes == ("own",)


def test_own_card_is_not_that_of_a_file_elsewhere(data, own, tmp_path):
    put(own)
    ModelCard("toy", classes=("own",)).write(own / "toy.xml")
    put(tmp_path / "elsewhere")
    assert catalog.model(tmp_path / "elsewhere/toy.xml").card == ModelCard("toy")


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "toy.card.json is not valid JSON: "),
        (b"\xff\xfe{", "toy.card.json is not valid JSON: expected UTF-8, got another encoding"),
        (b'{"name": "../x"}', "toy.card.json: expected a model name of letters"),
        (b'{"name": "toy", "precisions": {"../x": []}}', "expected precisions such as FP16"),
        (b" " * (1 << 24) + b"{}", "toy.card.json: larger than 16777216 bytes"),
    ],
)
def test_broken_own_card_is_an_error_not_ignored(data, own, content, words):
    put_card(own)
    put(own)
    (own / "toy.card.json").write_bytes(content)
    for name_or_path in ("toy", own / "toy.xml"):
        with pytest.raises(RecipeError) as caught:
            catalog.model(name_or_path)
        assert words in str(caught.value)
    assert words in catalog.models()[0].reason


@pytest.mark.parametrize("name", ["card.json", "toy.card.json"])
@pytest.mark.parametrize("kind", ["folder", "link"])
def test_card_that_is_not_a_file(data, own, name, kind):
    put(own)
    if kind == "folder":
        (own / name).mkdir()
    else:
        (own / name).symlink_to(own / "gone")
    with pytest.raises(MissingFileError, match=r"card"):
        catalog.model("toy")
    assert name in catalog.models()[0].reason


def test_own_card_beside_a_downloaded_model(data):
    folder = settings.cache_dir() / "models/toy/FP16"
    files = [file | {"url": "https://example.org/toy"} for file in put(folder)]
    put_card(data / "models/toy", precisions={"FP16": files})
    card = ModelCard("toy", classes=("own",))
    written = card.write(folder / "toy.xml")
    for model in (catalog.model("toy"), catalog.fetch("toy")):
        assert (model.origin, model.card, model.card_path) == ("cache", card, written)


def test_own_card_beside_a_shipped_model_does_not_describe_what_was_shipped(data):
    put_card(data / "models/toy", precisions={"FP16": put(data / "models/toy")})
    ModelCard("toy", classes=("own",)).write(data / "models/toy/toy.xml")
    assert catalog.model("toy").card.classes == ("own",)
    (data / "models/toy/toy.bin").write_bytes(b"rotten")
    with pytest.raises(HashMismatchError, match="install wasinn-nb again"):
        catalog.model("toy")


# ---------------------------------------------------------------- cards that describe nothing there


def remarks_on(name_or_path):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        catalog.model(name_or_path)
    assert all(warning.category is WasiNnWarning for warning in caught)
    assert all(warning.filename == __file__ for warning in caught), "where the user called"
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize("name_or_path", ["toy", "toy.xml"])
def test_own_card_whose_name_fits_no_file(data, own, name_or_path):
    put(own)
    put(own, name="other", suffixes=(".onnx",))
    (own / "toyy.card.json").write_text("{}")
    (remark,) = remarks_on(name_or_path if name_or_path == "toy" else own / name_or_path)
    assert remark == (
        f"the model card {own}/toyy.card.json is not used: it names toyy, but the models there "
        f"are other.onnx, toy.xml; rename it to toy.card.json if it is the card of toy.xml, or "
        f"remove it"
    )


def test_folders_card_whose_name_fits_no_file(data, own):
    put(own)
    put_card(own, name="street", precisions={"FP32": [described("street.xml")]})
    (remark,) = remarks_on("toy")
    assert remark == (
        f"the model card {own}/card.json is not used: it names street, but the models there are "
        f"toy.xml; change its name to toy if it is the card of toy.xml, or remove it"
    )
    mine = ModelCard("toy", classes=("mine",))
    assert catalog.model("toy", card=mine).card == mine, "no remark where the caller has a card"


def test_each_card_that_fits_nothing_is_named_once_per_call(data, own):
    put(own / "toy/FP16")
    (own / "toy/FP16/a.card.json").write_text("{}")
    (own / "toy/b.card.json").write_text("{}")
    (own / "toy/.c.card.json").write_text("{}")
    for _ in range(2):
        first, second = remarks_on("toy")
        assert first.startswith(f"the model card {own}/toy/FP16/a.card.json is not used: ")
        assert (
            "it names b, but the models there are FP16/toy.xml; rename it to toy.card.json"
            in second
        )


def test_folder_with_the_card_of_another_model_opens_by_path_but_not_by_name(data, own, tmp_path):
    put(tmp_path / "toy")
    put_card(tmp_path / "toy", name="street")
    for name_or_path in (tmp_path / "toy/toy.xml", tmp_path / "toy"):
        (remark,) = remarks_on(name_or_path)
        assert "it names street, but the models there are toy.xml; change its name to toy" in remark
    (tmp_path / "toy").rename(own / "toy")
    with pytest.raises(RecipeError, match="expected the card of toy, got that of street"):
        catalog.model("toy")


def test_many_models_are_not_all_named(data, own):
    for letter in "abcdefgh":
        put(own, name=letter, suffixes=(".onnx",))
    (own / "x.card.json").write_text("{}")
    (remark,) = remarks_on("a")
    assert "the models there are a.onnx, b.onnx, c.onnx, d.onnx, e.onnx and 3 more; " in remark


def test_broken_folders_card_that_another_card_wins_over(data, own):
    put(own)
    (own / "card.json").write_text("{")
    ModelCard("toy").write(own / "toy.xml")
    (remark,) = remarks_on("toy")
    assert remark.startswith(f"the model card {own}/card.json is not used: {own}/card.json is not")


@pytest.mark.parametrize("layout", ["", "other", "FP16", "intel/other"])
def test_no_remark_on_the_card_of_another_model_that_is_there(data, own, layout):
    put(own)
    put(own / layout, name="other")
    put_card(own, name="other")
    put(own, name="third", suffixes=(".onnx",))
    ModelCard("x").write(own / "third.onnx")
    assert remarks_on("toy") == []
    put_card(own, name="street", precisions={"FP32": [described("other.xml")]})
    assert remarks_on("toy") == ([] if layout in {"", "FP16"} else [remark_on_street(own)])


def remark_on_street(own):
    return (
        f"the model card {own}/card.json is not used: it names street, but the models there are "
        f"third.onnx, toy.xml; change its name to toy if it is the card of toy.xml, or remove it"
    )


def test_no_remark_on_other_folders_or_on_a_model_that_is_handed_over(data, own):
    put(own)
    put(own / "other", name="other")
    put_card(own / "third", name="gone")
    (own / "other/gone.card.json").write_text("{}")
    assert remarks_on("toy") == []
    (own / "gone.card.json").write_text("{}")
    with warnings.catch_warnings(record=True):
        warnings.simplefilter("always")
        model = catalog.model("toy")
    assert remarks_on(model) == []
    assert "toy" in catalog.models().names, "the table says nothing of cards"


def test_card_around_a_model_that_is_a_folder(data, own):
    folder = put_saved_model(own / "seg")
    put_card(own, name="seg")
    for name_or_path in ("seg", folder):
        assert catalog.model(name_or_path).card_path == own / "card.json"
    (own / "seg.card.json").write_text("{}")
    (remark,) = remarks_on("seg")
    assert remark == (
        f"the model card {own}/seg.card.json is not used: the card of a model that is a folder "
        f"lies in it; move it to {folder}/card.json"
    )


# ------------------------------------------------------------------------- the card of the caller


def test_card_of_the_caller(data, own, tmp_path):
    put_card(own / "toy", precisions={"FP32": put(own / "toy")})
    card = ModelCard("mine", "segmentation", classes=("a", "b"))
    path = tmp_path / "mine.json"
    path.write_text(json.dumps(card.to_dict()))
    for name_or_path in ("toy", own / "toy/toy.xml", catalog.model("toy")):
        for given, read_from in [(card, None), (path, path), (str(path), path)]:
            model = catalog.model(name_or_path, card=given)
            assert (model.card, model.card_path) == (card, read_from)
            assert (model.precision, model.files) == ("FP32", catalog.model("toy").files)
    assert catalog.model("toy").card.name == "toy"


def test_card_of_the_caller_does_not_change_the_encoding(data, own):
    put(own, suffixes=(".onnx",))
    card = ModelCard("mine", encoding=GraphEncoding.TENSORFLOW)
    assert catalog.model("toy", card=card).encoding is GraphEncoding.ONNX


@pytest.mark.parametrize(
    ("card", "error", "words"),
    [
        (5, InvalidArgumentError, "expected a model card or the path of one, got 5"),
        ({"name": "toy"}, InvalidArgumentError, "expected a model card or the path of one, got {"),
        ("gone.json", MissingFileError, "no model card at "),
        (".", MissingFileError, "for the model card, got the folder"),
    ],
)
def test_what_is_not_a_card_of_the_caller(data, own, card, error, words):
    put(own)
    with pytest.raises(error) as caught:
        catalog.model("toy", card=card)
    assert words in str(caught.value)
