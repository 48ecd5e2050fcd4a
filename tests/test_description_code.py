"""The code and the values of a description."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import toys
from descriptions import executed, saved
from tables import all_slow_but

import wasinn_nb as wn
from wasinn_nb.abi import GraphEncoding
from wasinn_nb.errors import (
    InvalidArgumentError,
    MissingFileError,
    RecipeError,
    RuntimeFailure,
    UnsupportedOperationError,
)


@pytest.fixture
def toy(here):
    return toys.brightest_channel(here / "toy.xml")


# -- what is passed to it is in the code -----------------------------------------------------------


def test_a_card_by_its_path(toy):
    Path("c.json").write_text('{"name": "c", "classes": ["a", "b", "c"]}')
    described = wn.describe("toy.xml", card="c.json")
    assert described.card_source == "c.json"
    assert described.python == (
        "import wasinn_nb as wn\n"
        "\n"
        'card = wn.ModelCard.read("c.json").replace(\n'
        '    recipe=wn.PreprocessRecipe(4, 6, color="BGR", range=(0, 255), resize="bilinear"),\n'
        '    task="segmentation",\n'
        ")\n"
        'result = wn.segment(wn.image(), "toy.xml", card=card)'
    )
    result = executed(described.python)["result"]
    assert (result.card.classes, result.assumed) == (("a", "b", "c"), ())


@pytest.mark.full
@pytest.mark.parametrize(
    "given",
    [
        {"card": wn.ModelCard("c", classes=("a", 'b"', "c"))},
        {"recipe": {"color": "RGB", "range": (0, 1)}},
        {"recipe": {"color": "RGB"}},
        {"recipe": {"color": "RGB", "range": np.array([0, 1]), "type": wn.TensorType.F32}},
        {"recipe": wn.PreprocessRecipe(4, 6, color="RGB", mean=(0.1, 0.2, 0.3), resize="bilinear")},
        {"runtime": "openvino"},
        {"card": wn.ModelCard("c", "segmentation", wn.PreprocessRecipe(4, 6), ("a", "b", "c"))},
    ],
)
def test_what_was_given_is_in_the_code_and_nothing_is_assumed_then(toy, given):
    described = wn.describe("toy.xml", **given)
    result = executed(described.python)["result"]
    assert result.assumed == ()
    assert result.recipe == described.recipe
    assert (result.labels == wn.segment(wn.image(), toy, **given).labels).all()


def test_a_model_with_a_card_of_its_own(toy):
    card = wn.ModelCard("own", "segmentation", wn.PreprocessRecipe(4, 6), ("a", "b", "c"))
    described = wn.describe(wn.model(toy, card=card))
    assert (described.name, described.card_source) == ("own", "given")
    assert executed(described.python)["result"].card == card


def test_the_default_model():
    described = wn.describe()
    assert described.name == wn.model().name
    assert described.python == "import wasinn_nb as wn\n\nresult = wn.segment(wn.image())"


def test_another_runtime(here):
    Path("relu.onnx").write_bytes(toys.onnx_chain(["Relu"], (1, 3, 4, 6)).SerializeToString())
    described = wn.describe("relu.onnx", runtime="onnxruntime")
    assert (described.runtime, described.task) == ("onnxruntime", "segmentation")
    assert executed(described.python)["result"].runtime == "onnxruntime"
    with pytest.raises(UnsupportedOperationError, match="litert reads models of encoding tensorfl"):
        wn.describe("relu.onnx", runtime="litert")


def test_a_model_that_is_a_folder(shared, here):
    shutil.copytree(shared / "models/third-party/tf_saved_model", here / "seg")
    described = wn.describe("seg")
    assert (described.encoding, described.path) == (GraphEncoding.TENSORFLOW, "seg")
    assert described.refusal.startswith("expected a model of one image, this one has 0 inputs; ")
    assert described.python.startswith("import wasinn_nb as wn\n\nwith wn.WasiNnCtx() as ctx:\n")
    outputs = executed(described.python)["outputs"]
    assert [output.dimensions for output in outputs] == [(1, 40, 40, 100), (1, 3)]


def test_a_model_that_two_tasks_can_read(here):
    """One output is a mask, the other a row of scores."""
    from openvino import opset13 as op

    def build(data):
        row = op.reshape(data, np.array([6, 4]), special_zero=False)
        means = op.reduce_mean(row, np.array([1]), keep_dims=False)
        return [op.sigmoid(data), op.softmax(op.unsqueeze(means, np.int64(0)), 1)]

    saved(here / "row.xml", build, (1, 1, 4, 6))
    described = wn.describe("row.xml")
    assert (described.task, described.refusal) == ("segmentation", "")
    assert "task: segmentation (classification fits too)" in described.assumed
    assert described.assumed_fields["task"] == "segmentation"
    executed(described.card_line)
    assert wn.describe("row.xml").assumed == ()
    other = wn.describe("row.xml", card=wn.ModelCard("row", "classification"))
    assert (other.task, other.reading["classes"]) == (
        "classification",
        "class 0, class 1, class 2, class 3, class 4, class 5, without names",
    )


# -- values ----------------------------------------------------------------------------------------


def test_to_dict_is_json(toy):
    described = wn.describe("toy.xml")
    values = json.loads(json.dumps(described.to_dict()))
    assert values["inputs"] == [
        {
            "name": "data",
            "dimensions": [1, 3, 4, 6],
            "type": "f32",
            "bytes": 288,
            "rust": "let mut input = vec![0f32; 1 * 3 * 4 * 6];",
            "layout": None,
            "operation": None,
            "quantization": None,
        }
    ]
    assert values["outputs"][0]["operation"] == "Softmax"
    kept = ("model", "path", "encoding", "runtime", "task", "card", "card_source", "refusal")
    assert [values[name] for name in kept] == [
        *("toy", "toy.xml", "openvino", "openvino", "segmentation"),
        *(None, None, None),
    ]
    assert values["assumed"] == list(described.assumed)
    assert values["assumed_fields"]["recipe"]["range"] == [0, 255]
    assert values["recipe"] == described.recipe.to_dict()
    assert values["python"] == described.python


def test_html_and_text_are_safe(here):
    hostile = '<b>"\x1b[31m'
    card = wn.ModelCard("toy", classes=(hostile, "b", "c"), description=hostile)
    path = toys.brightest_channel(here / "toy.xml")
    described = wn.describe(path, card=card)
    assert "<b>" not in described._repr_html_()
    assert "&lt;b&gt;" in described._repr_html_()
    assert "\x1b" not in repr(described)
    assert executed(described.python)["result"].card.classes[0] == hostile


def test_nothing_is_compiled(toy, monkeypatch):
    import openvino as ov

    monkeypatch.setattr(ov.Core, "compile_model", None)
    assert wn.describe(toy).task == "segmentation"


def test_what_is_wrong_is_raised(toy):
    with pytest.raises(MissingFileError, match=r"no model at missing\.onnx"):
        wn.describe("missing.onnx")
    Path("cut.onnx").write_bytes(b"")
    with pytest.raises(RuntimeFailure, match="an empty file: fetch or copy it again"):
        wn.describe("cut.onnx")
    with pytest.raises(RecipeError, match="a recipe has no colour; it has height, "):
        wn.describe(toy, recipe={"colour": "RGB"})
    with pytest.raises(RecipeError, match="expected recipe as a PreprocessRecipe or a mapping"):
        wn.describe(toy, recipe="RGB")
    with pytest.raises(InvalidArgumentError, match="unknown runtime 'x'"):
        wn.describe(toy, runtime="x")


# -- third-party models ----------------------------------------------------------------------------


FILES = (
    "deeplab_nchw.onnx",
    "bodypix_float.tflite",
    "prisma-net_fp16.tflite",
    "coral_deeplab_dm05_quant.tflite",
    "ch_ppocr_mobile_v2.0_cls_infer.onnx",
    "light_squeezenet.onnx",
)


@pytest.mark.parametrize(
    "file", all_slow_but(FILES, "bodypix_float.tflite", "ch_ppocr_mobile_v2.0_cls_infer.onnx")
)
def test_the_line_of_a_third_party_model_states_what_was_assumed(shared, here, file):
    Path(file).write_bytes((shared / "models/third-party" / file).read_bytes())
    described = wn.describe(file)
    before = executed(described.python)["result"]
    executed(described.card_line)
    after = wn.describe(file)
    assert (after.assumed, after.card_line) == ((), "")
    again = executed(after.python)["result"]
    assert again.to_dict()["assumed"] == []
    if described.task == "segmentation":
        assert (before.labels == again.labels).all()
    else:
        assert (before.probabilities == again.probabilities).all()


def test_refused_third_party_models(shared, here):
    folder = shared / "models/third-party"
    faces = wn.describe(folder / "ultraface_rfb320.onnx")
    assert [port.signature for port in faces.outputs] == ["1x4420x2xf32", "1x4420x4xf32"]
    assert (
        "ultraface_rfb320 is not a classifier: it gives scores 1x4420x2xf32, boxes" in faces.refusal
    )
    outputs = executed(faces.python)["outputs"]
    assert [output.dimensions for output in outputs] == [(1, 4420, 2), (1, 4420, 4)]
    three = wn.describe(folder / "mp3in.tflite")
    assert "this one has 3 inputs (model_third_input:0 1x1xf32, " in three.refusal
    assert len(executed(three.python)["outputs"]) == 3
    with pytest.raises(RuntimeFailure, match="IR version 4; OpenVINO reads 10 and 11"):
        wn.describe(folder / "pinto_deeplab_fp16.xml")
    with pytest.raises(RuntimeFailure, match="Convolution2DTransposeBias"):
        wn.describe(folder / "segm_lite_v681.tflite")
