"""quantize judges and describes the INT8 model by what the original's card and file state."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import toys
from commands import run
from PIL import Image

import wasinn_nb as wn
from wasinn_nb import catalog
from wasinn_nb.errors import MissingFileError, NotFoundError
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.quantization.cards import int8_card

RGB = {
    "Image.BitmapPixelFormat": "Rgb8",
    "Image.NominalPixelRange": "Normalized_0_1",
}
NAMES = {"names": "{0: 'red', 1: 'green', 2: 'blue'}"}
COLORS = ("red", "green", "blue")


def brightest(path, **metadata):
    """Write an ONNX model whose class is about the brightest channel."""
    from onnx import TensorProto, helper, numpy_helper

    shape = [1, 3, 32, 48]
    ends = {"x": (TensorProto.FLOAT, shape)}, {"y": (TensorProto.FLOAT, shape)}
    model = toys.onnx_graph(
        [("Conv", ["x", "w"], ["between"]), ("Conv", ["between", "w"], ["y"])], *ends
    )
    mixed = np.eye(3) + np.random.default_rng(3).normal(size=(3, 3)) / 8  # no round numbers
    kernel = mixed.astype(np.float32).reshape(3, 3, 1, 1)
    model.graph.initializer.append(numpy_helper.from_array(kernel, "w"))
    helper.set_model_props(model, metadata)
    path.write_bytes(model.SerializeToString())
    return path


def images_in(folder, count=8):
    folder.mkdir()
    rng = np.random.default_rng(5)
    for number in range(count):
        small = rng.integers(0, 256, (4, 6, 3), np.uint8)
        Image.fromarray(small).resize((48, 32)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def images(tmp_path):
    return images_in(tmp_path / "images")


def card_of(path, **options):
    return int8_card(wn.Pipeline(path, runtime="openvino", **options), "toy-int8")


def test_the_card_holds_what_the_file_states(tmp_path):
    card = card_of(brightest(tmp_path / "toy.onnx", **RGB, **NAMES))
    assert (card.name, card.classes) == ("toy-int8", COLORS)
    assert (card.recipe.color, card.recipe.range) == ("RGB", (0, 1))
    assert card.description == "toy in INT8 by NNCF."


def test_the_card_states_nothing_that_is_assumed_entirely(tmp_path):
    card = card_of(brightest(tmp_path / "toy.onnx"))
    assert card == wn.ModelCard("toy-int8", description="toy in INT8 by NNCF.")


def test_a_recipe_that_is_known_in_part_is_kept_and_says_what_was_assumed(tmp_path):
    card = card_of(brightest(tmp_path / "toy.onnx"), recipe={"color": "RGB"})
    assert (card.recipe.color, card.recipe.range) == ("RGB", (0, 255))
    assert card.description == "toy in INT8 by NNCF. Assumed: values 0 to 255, bilinear."
    path = brightest(tmp_path / "file.onnx", **{"Image.BitmapPixelFormat": "Rgb8"})
    assert card_of(path).recipe.color == "RGB"


def test_an_option_counts_more_than_the_file(tmp_path):
    path = brightest(tmp_path / "toy.onnx", **RGB, **NAMES)
    recipe = card_of(path, recipe={"color": "BGR"}).recipe
    assert (recipe.color, recipe.range) == ("BGR", (0, 1))
    whole = PreprocessRecipe(32, 48, color="BGR", range=(-1, 1))
    assert card_of(path, recipe=whole).recipe == whole


def test_the_words_of_a_card_are_kept(tmp_path):
    path = brightest(tmp_path / "toy.onnx", **RGB, **NAMES)
    own = wn.ModelCard(
        "own", "segmentation", classes=("r", "g", "b"), figures={"miou": 0.5}, description="Mine."
    )
    card = card_of(path, card=own)
    assert (card.task, card.classes, card.figures) == ("segmentation", ("r", "g", "b"), {})
    assert card.description == "own in INT8 by NNCF. Mine."
    assert card.recipe.color == "RGB"


def test_names_of_another_number_are_not_the_classes(tmp_path):
    path = brightest(tmp_path / "toy.onnx", **RGB, names="['one', 'two']")
    assert card_of(path).classes == ()


@pytest.mark.full
@pytest.mark.parametrize("options", [{}, {"recipe": {"color": "BGR"}}, {"max_drop": 0.0}])
def test_int8_is_judged_with_the_recipe_of_the_original(tmp_path, images, options):
    pytest.importorskip("nncf")
    path = brightest(tmp_path / "toy.onnx", **RGB, **NAMES)
    options = {"max_drop": 1, **options}
    found = wn.quantize(path, images, folder=tmp_path / "int9", progress=False, **options)
    # In the other order of the channels a third of the pixels would agree.
    assert found.judgement.agreement > 0.9
    own = wn.Pipeline(path, recipe=options.get("recipe"))
    assert wn.Pipeline(found.model).recipe == own.recipe
    assert wn.Pipeline(found.model).assumed == ()
    assert [one.name for one in found.classes] == list(COLORS)
    assert found.model.card.classes == COLORS
    assert "assumed" not in repr(found)
    # Of two layers one can be kept.
    assert [count for count, *_ in found.tried] == ([0, 1] if options["max_drop"] == 0 else [])
    # The folder is called as a precision that the card does not have.
    assert (found.model.precision, found.model.verified) == ("INT8", True)
    assert "# the files are those of the card: yes" in run("inspect", found.model.path)


@pytest.mark.full
def test_masks_judge_both_models_by_the_same_recipe(tmp_path, images):
    pytest.importorskip("nncf")
    path = brightest(tmp_path / "toy.onnx", **RGB, **NAMES)
    pipeline = wn.Pipeline(path)
    masks = {one.stem: pipeline(one).labels for one in images.iterdir()}
    found = wn.quantize(path, images, masks, tmp_path / "out", max_drop=1, progress=False)
    assert found.judgement.miou[0] == 1
    assert found.judgement.miou[1] > 0.9
    assert [one.name for one in found.classes] == list(COLORS)


@pytest.mark.full
@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("lite-model_aiy_vision_classifier_birds_V1_3.tflite", (166, "Aix galericulata")),
        ("third-party/coral_mobilenet_v1_quant.tflite", (1, "tench, Tinca tinca")),
    ],
)
def test_classifiers_whose_files_state_everything(shared, tmp_path, name, label):
    reference = wn.Pipeline(shared / "models" / name, runtime="openvino")
    card = int8_card(reference, "made")
    index, text = label
    assert (card.task, card.classes[index]) == ("classification", text)
    assert card.classes == reference.model.stated.classes
    assert (card.recipe, card.recipe.color) == (reference.recipe, "RGB")


# -- which files a card describes ------------------------------------------------------------------


@pytest.mark.parametrize(
    ("folder", "precision"), [("int9", "INT8"), ("fp16", "INT8"), ("int8", "INT8"), ("a", "FP16")]
)
def test_the_bytes_count_more_than_a_folder_that_is_called_as_a_precision(
    tmp_path, folder, precision
):
    model = catalog.model(described(tmp_path / folder, precision))
    assert (model.precision, model.verified) == (precision, True)


def test_other_bytes_are_another_build_in_any_folder(tmp_path):
    path = described(tmp_path / "int9", "INT8")
    path.with_suffix(".bin").write_bytes(path.with_suffix(".bin").read_bytes()[::-1] + b"\0")
    model = catalog.model(path)
    assert (model.precision, model.verified) == ("INT9", False)


def test_a_folder_with_one_model_is_that_model(tmp_path, monkeypatch):
    path = described(tmp_path / "int8", "INT8")
    assert catalog.model(path.parent).files == catalog.model(path).files
    assert catalog.model(path.parent).verified
    monkeypatch.chdir(tmp_path)
    with pytest.raises(NotFoundError, match=re.escape("write ./int8")):
        catalog.model("int8")
    assert catalog.model("./int8").path == path


@pytest.mark.full
def test_what_inspect_prints_of_a_folder_runs(tmp_path, monkeypatch):
    described(tmp_path / "int8", "INT8")
    monkeypatch.chdir(tmp_path)
    code = wn.describe(Path("int8")).python
    assert '"./int8"' in code
    names = {}
    exec(code, names)
    assert names["result"].card.name == "toy"
    assert '"./int8"' in run("inspect", "int8")


def test_of_two_models_in_a_folder_none_is_taken(tmp_path):
    path = described(tmp_path / "int8", "INT8")
    other = toys.brightest_channel(path.with_name("other.xml"))
    with pytest.raises(MissingFileError, match=re.escape(f"did you mean {other} or {path}?")):
        catalog.model(path.parent)


def described(folder, precision):
    """Write a model with a card that describes its files."""
    path = toys.brightest_channel(folder / "toy.xml", convolution=True)
    files = [
        wn.cards.ModelFile(
            one.name, one.stat().st_size, hashlib.sha384(one.read_bytes()).hexdigest()
        )
        for one in (path, path.with_suffix(".bin"))
    ]
    wn.ModelCard("toy", precisions={precision: files}).write(path)
    return path


# -- quantized inputs and outputs ------------------------------------------------------------------


@pytest.mark.full
def test_scores_in_integers_mean_in_int8_what_they_meant(shared, tmp_path):
    pytest.importorskip("nncf")
    path = shared / "models/third-party/coral_mobilenet_v1_quant.tflite"
    images = images_in(tmp_path / "images", 4)
    made = wn.quantize(path, images, folder=tmp_path / "out", max_drop=1, progress=False).model
    original, other = (wn.Pipeline(one, runtime="openvino") for one in (path, made))
    description, own = wn.describe(made), wn.describe(path)
    assert [port.quantization for port in description.outputs] == [(0.00390625, 0)]
    assert description.inputs[0].quantization == own.inputs[0].quantization
    assert description.reading["quantization"] == own.reading["quantization"]
    assert other.recipe == original.recipe
    assert 0 < other(images / "0.png").top(1)[0].probability <= 1


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("0.5 3", (0.5, 3)),
        ("1e-05 255", (1e-05, 255)),
        ("0 3", None),
        ("1e999 3", None),
        ("-1.0 3", None),
        ("nan 3", None),
        ("0.5 256", None),
        ("0.5 -1", None),
        ("0.5", None),
        ("0.5 3 4", None),
        ("", None),
    ],
)
def test_the_quantization_that_an_ir_states(text, found):
    from wasinn_nb.cards import stated

    ir = f"""<net name="toy" version="11"><layers>
    <layer id="0" name="x" type="Parameter"><data shape="1,3" element_type="u8"/>
    <output><port id="0" precision="U8" names="x"><dim>1</dim><dim>3</dim></port></output></layer>
    <layer id="1" name="y" type="Result">
    <input><port id="0" precision="U8"><dim>1</dim><dim>3</dim></port></input></layer></layers>
    <edges><edge from-layer="0" from-port="0" to-layer="1" to-port="0"/></edges>
    <rt_info><wasinn_nb><quantization><output_0 value="{text}"/></quantization></wasinn_nb>
    </rt_info>
    </net>"""
    signature = stated([ir.encode()]).signature
    assert signature.outputs[0].quantization == found
    assert signature.inputs[0].quantization is None
    floats = ir.replace("U8", "FP32")
    assert stated([floats.encode()]).signature.outputs[0].quantization is None
