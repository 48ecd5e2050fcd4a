"""The files of a model: suffixes, encodings, folders, hashes and stamps."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from model_folders import put, put_card, put_saved_model

from wasinn_nb import catalog
from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.cards.metadata import stated
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
    for name_or_path in ("M", *files):
        model = catalog.model(name_or_path)
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
    for name_or_path in ("seg", folder, str(folder), folder / "saved_model.pb"):
        model = catalog.model(name_or_path)
        assert (model.files, model.precision) == ((folder,), precision)
        assert (model.name, model.encoding) == ("seg", GraphEncoding.TENSORFLOW)
    written = ModelCard("street", "segmentation").write(folder)
    for name_or_path in ("seg", folder):
        model = catalog.model(name_or_path)
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
    assert [stamp[0] for stamp in before] == [own / "toy.xml", own / "toy.bin"]
    assert before[1][-1] == len("<net name='toy'>.bin")
    assert catalog.model("toy").stamps == before
    card = ModelCard("toy").write(own / "toy.xml")
    with_card = catalog.model("toy").stamps
    stat = card.stat()
    stamp = (card, stat.st_ino, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_size)
    assert with_card == (*before, stamp)
    os.utime(own / "toy.bin", ns=(0, 0))
    assert catalog.model("toy").stamps != with_card


def test_stamps_of_a_file_that_is_gone(data, own):
    put(own)
    model = catalog.model("toy")
    (own / "toy.bin").unlink()
    with pytest.raises(MissingFileError, match=r"no model at .*toy\.bin"):
        _ = model.stamps


# ----------------------------------------------------------------------------- weights elsewhere


def onnx_with_weights_beside(folder):
    """Write an ONNX model whose two constants lie in files of their own, one in a folder."""
    from onnx import TensorProto, helper

    def constant(name, location):
        path = folder / location
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes(8))
        tensor = TensorProto(name=name, dims=[2], data_type=TensorProto.FLOAT)
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value=location)
        return tensor

    x, y = (helper.make_tensor_value_info(name, TensorProto.FLOAT, [2]) for name in "xy")
    nodes = [helper.make_node("Add", ["x", "a"], ["t"]), helper.make_node("Add", ["t", "b"], ["y"])]
    constants = [constant("a", "toy.data"), constant("b", "more/b.data")]
    made = helper.make_model(helper.make_graph(nodes, "toy", [x], [y], constants))
    (folder / "toy.onnx").write_bytes(made.SerializeToString())
    return folder / "toy.onnx"


def test_weights_of_onnx_in_files_of_their_own(data, own):
    path = onnx_with_weights_beside(own)
    model = catalog.model("toy")
    assert model.files == (path,)
    assert model.weights == (path, own / "toy.data", own / "more/b.data")
    assert model.sha384 == {
        "toy.onnx": hashlib.sha384(path.read_bytes()).hexdigest(),
        "toy.data": hashlib.sha384(bytes(8)).hexdigest(),
        "more/b.data": hashlib.sha384(bytes(8)).hexdigest(),
    }
    before = model.stamps
    assert [stamp[-1] for stamp in before] == [path.stat().st_size, 8, 8]
    (own / "more/b.data").write_bytes(b"rewritten")
    assert model.stamps[:2] == before[:2]
    assert model.stamps[2][-1] == 9
    assert catalog.model("toy").sha384["more/b.data"] == hashlib.sha384(b"rewritten").hexdigest()
    (own / "toy.data").unlink()
    with pytest.raises(MissingFileError, match=r"no model at .*toy\.data"):
        _ = model.stamps
    with pytest.raises(MissingFileError, match=r"no model at .*toy\.data"):
        _ = catalog.model("toy").sha384


def test_onnx_is_read_once_per_change_for_its_weights(data, own, monkeypatch):
    from wasinn_nb.catalog import entries

    onnx_with_weights_beside(own)
    read = []
    monkeypatch.setattr(entries, "stated", lambda files: (read.append(files), stated(files))[1])
    for _ in range(3):
        assert len(catalog.model("toy").weights) == 3
    assert len(read) == 1


def test_a_damaged_onnx_file_has_its_own_hash_alone(data, own):
    put(own, suffixes=(".onnx",))
    assert list(catalog.model("toy").sha384) == ["toy.onnx"]


@pytest.mark.parametrize("suffixes", [(".XML", ".BIN"), (".XML", ".bin"), (".xml", ".BIN")])
def test_the_five_calls_take_suffixes_in_upper_case(tmp_path, suffixes):
    import toys
    from openvino import opset13 as op

    import wasinn_nb as wn

    path = toys.save(toys.graph(op.relu), tmp_path / "m.xml")
    main = path.rename(tmp_path / f"M{suffixes[0]}")
    path.with_suffix(".bin").rename(tmp_path / f"M{suffixes[1]}")
    with wn.WasiNnCtx() as context:
        for given in (main, wn.model(main).files):
            described = context.describe(context.load(given, "openvino"))
            assert described.inputs[0].dimensions == (1, 2)


def test_third_party_model_that_is_a_folder(shared):
    folder = shared / "models/third-party/tf_saved_model"
    model = catalog.model(folder)
    assert (model.files, model.encoding) == ((folder.absolute(),), GraphEncoding.TENSORFLOW)
    assert list(model.sha384) == [
        "saved_model.pb",
        "variables/variables.data-00000-of-00001",
        "variables/variables.index",
    ]
