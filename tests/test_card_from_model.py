"""Cards from what a model's file states, completed by what the user knows."""

from __future__ import annotations

import sys

import numpy as np
import pytest
from model_folders import put_saved_model

from wasinn_nb import PreprocessRecipe, model
from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.errors import InvalidArgumentError, MissingFileError, RecipeError, RuntimeFailure

ULTRALYTICS = {
    "author": "Ultralytics",
    "task": "classify",
    "names": "{0: 'cat', 1: 'dog'}",
    "stride": "1",
    "imgsz": "[4, 6]",
}


def bilinear(*values, **fields):
    """Return a recipe with the filter that cards from models have where nothing states one."""
    return PreprocessRecipe(*values, **({"resize": "bilinear"} | fields))


STATED = bilinear(4, 6, color="RGB", range=(0, 1), fit="crop")


def onnx_at(path, *shapes, dtype=np.float32, **metadata):
    """Write an ONNX model of one operation per input, and what its metadata says."""
    from onnx import helper

    type_ = helper.np_dtype_to_tensor_dtype(np.dtype(dtype))

    def ports(letter):
        return [
            helper.make_tensor_value_info(f"{letter}{index}", type_, list(shape))
            for index, shape in enumerate(shapes or [(1, 3, 4, 6)])
        ]

    inputs, outputs = ports("x"), ports("y")
    nodes = [
        helper.make_node("Identity", [x.name], [y.name])
        for x, y in zip(inputs, outputs, strict=True)
    ]
    made = helper.make_model(helper.make_graph(nodes, "toy", inputs, outputs))
    helper.set_model_props(made, metadata)
    path.write_bytes(made.SerializeToString())
    return path


# -- what the file states --------------------------------------------------------------------------


def test_a_file_that_states_everything(tmp_path):
    card = ModelCard.from_model(onnx_at(tmp_path / "my pets.onnx", **ULTRALYTICS))
    assert card == ModelCard(
        "my-pets",
        "classification",
        STATED,
        ("cat", "dog"),
        encoding=GraphEncoding.ONNX,
    )


def test_a_file_that_states_nothing(tmp_path):
    card = ModelCard.from_model(onnx_at(tmp_path / "toy.onnx"))
    assert card == ModelCard("toy", encoding=GraphEncoding.ONNX)


def test_an_ir_with_what_model_api_writes(tmp_path):
    import openvino as ov
    import toys
    from openvino import opset13 as op

    made = toys.graph(op.relu, (1, 3, 4, 6))
    info = {
        "model_type": "segmentation",
        "labels": "background road_left",
        "mean_values": "123.675 116.28 103.53",
        "scale_values": "58.395 57.12 57.375",
        "reverse_input_channels": "YES",
        "resize_type": "fit_to_window_letterbox",
        "pad_value": "114",
    }
    for name, value in info.items():
        made.set_rt_info(value, ["model_info", name])
    path = toys.save(made, tmp_path / "toy.xml")
    for given in (path, path.with_suffix(".bin")):
        card = ModelCard.from_model(given)
        assert (card.task, len(card.classes)) == ("segmentation", 2)
        assert repr(card.recipe) == (
            "PreprocessRecipe(1x3x4x6xf32 NCHW RGB, range 0 to 255, mean 123.675 116.28 103.53, "
            "scale 58.395 57.12 57.375, bilinear, letterbox, pad value 114)"
        )
    assert isinstance(ov.Core().read_model(path), ov.Model)


def test_many_classes_without_a_task_are_a_classification(tmp_path):
    names = {index: f"kind {index}" for index in range(257)}
    path = onnx_at(tmp_path / "toy.onnx", names=str(names))
    assert ModelCard.from_model(path).task == "classification"
    assert ModelCard.from_model(path, classes=["a", "b", "c"]).task == "unknown"
    with pytest.raises(RecipeError, match="expected at most 256 classes, got 257"):
        ModelCard.from_model(path, task="segmentation")


def test_a_model_that_is_a_folder(tmp_path):
    folder = put_saved_model(tmp_path / "seg")
    assert ModelCard.from_model(folder) == ModelCard("seg", encoding=GraphEncoding.TENSORFLOW)
    recipe = {"height": 4, "width": 6, "layout": "NHWC", "type": "f32", "color": "RGB"}
    card = ModelCard.from_model(folder / "saved_model.pb", recipe=recipe | {"range": (0, 1)})
    assert card.recipe == bilinear(4, 6, "NHWC", "RGB", range=(0, 1))
    with pytest.raises(RecipeError, match="seg: the recipe lacks range, which the file and its i"):
        ModelCard.from_model(folder, recipe=recipe)


@pytest.mark.full
def test_no_runtime_is_loaded(tmp_path):
    import subprocess

    path = onnx_at(tmp_path / "toy.onnx", **ULTRALYTICS)
    code = (
        "import sys\nfrom wasinn_nb.cards import ModelCard\n"
        f"print(ModelCard.from_model({str(path)!r}).classes, 'openvino' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "('cat', 'dog') False\n"


# -- what the user knows ---------------------------------------------------------------------------


def test_what_is_known_goes_before_what_is_stated(tmp_path):
    card = ModelCard.from_model(
        onnx_at(tmp_path / "toy.onnx", **ULTRALYTICS),
        name="pets",
        task="segmentation",
        classes=("a", "b"),
        palette=((1, 1, 1), (2, 2, 2)),
        output="y0",
        threshold=0.25,
        channels_last=True,
        logits=False,
        background=None,
        license="MIT",
    )
    assert card == ModelCard(
        "pets",
        "segmentation",
        STATED,
        ("a", "b"),
        ((1, 1, 1), (2, 2, 2)),
        GraphEncoding.ONNX,
        license="MIT",
        output="y0",
        threshold=0.25,
        channels_last=True,
        logits=False,
        background=None,
    )


def test_none_is_not_given_but_for_the_background(tmp_path):
    path = onnx_at(tmp_path / "toy.onnx", **ULTRALYTICS)
    fields = ModelCard("toy").__slots__
    card = ModelCard.from_model(path, **dict.fromkeys(fields))
    assert card == ModelCard.from_model(path, background=None)


def test_a_whole_recipe_is_taken_as_it_is(tmp_path):
    recipe = bilinear(40, 60, "NHWC", "BGR")
    path = onnx_at(tmp_path / "toy.onnx", **ULTRALYTICS)
    assert ModelCard.from_model(path, recipe=recipe).recipe == recipe


@pytest.mark.parametrize(
    ("shape", "dtype", "known", "recipe"),
    [
        (
            (1, 3, 4, 6),
            "f4",
            {"color": "RGB", "range": (0, 1)},
            bilinear(4, 6, "NCHW", "RGB", "f32", (0, 1)),
        ),
        (
            (1, 5, 6, 3),
            "f2",
            {"color": "BGR", "mean": 127.5, "scale": 127.5, "resize": "bilinear"},
            bilinear(5, 6, "NHWC", "BGR", "f16", mean=127.5, scale=127.5, resize="bilinear"),
        ),
        (
            (3, 4, 6),
            "f4",
            {"color": "RGB", "range": [0, 255], "exif": "apply"},
            bilinear(4, 6, "CHW", "RGB", exif="apply"),
        ),
        ((5, 6, 3), "u1", {"color": "RGB"}, bilinear(5, 6, "HWC", "RGB", "u8")),
        (
            (1, 5, 6, 4),
            "f4",
            {"color": "RGBA", "scale": 2},
            bilinear(5, 6, "NHWC", "RGBA", scale=2),
        ),
        (
            (1, 1, 4, 6),
            "f4",
            {"range": (0, 1)},
            bilinear(4, 6, "NCHW", "GRAY", range=(0, 1)),
        ),
        (
            ("N", 3, "H", "W"),
            "f4",
            {"color": "RGB", "range": (0, 1), "height": 8, "width": 10},
            bilinear(8, 10, "NCHW", "RGB", range=(0, 1)),
        ),
        (
            (1, "C", 4, 6),
            "f4",
            {"color": "RGB", "range": (0, 1), "layout": "NCHW", "type": "f32"}
            | {"height": 4, "width": 6},
            bilinear(4, 6, "NCHW", "RGB", range=(0, 1)),
        ),
        (
            (1, 3, 320, 3),  # either axis might be that of the channels
            "f4",
            {"color": "RGB", "range": (0, 1), "layout": "NHWC"},
            bilinear(3, 320, "NHWC", "RGB", range=(0, 1)),
        ),
    ],
)
def test_the_input_completes_what_the_user_knows(tmp_path, shape, dtype, known, recipe):
    path = onnx_at(tmp_path / "toy.onnx", shape, dtype=dtype)
    assert ModelCard.from_model(path, recipe=known).recipe == recipe


def test_single_fields_are_laid_over_what_the_file_states(tmp_path):
    path = onnx_at(tmp_path / "toy.onnx", **ULTRALYTICS)
    known = {"color": "BGR", "fit": "stretch"}
    assert ModelCard.from_model(path, recipe=known).recipe == STATED.replace(**known)


def test_the_values_of_u8_need_not_be_stated(tmp_path):
    path = onnx_at(tmp_path / "toy.onnx", (1, 1, 4, 6), dtype="u1")
    assert ModelCard.from_model(path).recipe == bilinear(4, 6, color="GRAY", type="u8")


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"color": "RGB"}, "the recipe lacks range, which the file and its x0 1x3x4x6xf32 leave"),
        ({"range": (0, 1)}, "the recipe lacks color, which the file"),
        ({"resize": "bilinear"}, "the recipe lacks color, range, which the file"),
        ({"colour": "RGB", "range": (0, 1)}, "a recipe has no colour; it has height, width, "),
        ({1: "RGB"}, "a recipe has no 1; it has height, width, layout, color, "),
        ({"color": "RGB", "range": 5}, "expected 2 finite float32 numbers for range, got 5"),
        ({"color": ["RGB"], "range": (0, 1)}, "expected color as one of BGR, RGB, GRAY, RGBA, BG"),
        ({"color": "RGB", "type": ["u8"]}, "type: ['u8'] is not a tensor type; expected one"),
        ({"color": "GRAY", "range": (0, 1)}, "the recipe makes 1x1x4x6, the model takes 1x3x4x6x"),
        ({"color": "RGB", "range": (0, 1), "width": 5}, "the recipe makes 1x3x4x5, the model take"),
        (
            {"color": "RGB", "range": (0, 1), "layout": "NHWC"},
            "layout NHWC does not fit the input ",
        ),
        ("RGB", "expected recipe as a PreprocessRecipe or a mapping of its fields, such as dict("),
        (5, "expected recipe as a PreprocessRecipe or a mapping of its fields, such as dict(color"),
    ],
)
def test_what_is_not_enough_of_a_recipe(tmp_path, known, words):
    with pytest.raises(RecipeError) as caught:
        ModelCard.from_model(onnx_at(tmp_path / "toy.onnx"), recipe=known)
    assert str(caught.value).startswith(f"toy.onnx: {words}")


def test_sizes_that_the_input_leaves_open_must_be_given(tmp_path):
    path = onnx_at(tmp_path / "toy.onnx", (1, 3, "H", "W"), **ULTRALYTICS)
    with pytest.raises(RecipeError) as caught:
        ModelCard.from_model(path)
    assert str(caught.value) == (
        "toy.onnx: the recipe lacks height, width, which the file and its x0 1x3x?x?xf32 leave "
        "open; add what is missing, as in "
        "recipe=dict(height=512, width=512)"
    )
    sizes = {"height": 4, "width": 6}
    assert ModelCard.from_model(path, recipe=sizes).recipe == STATED


@pytest.mark.parametrize("shapes", [[(1, 7)], [(1, 3, 4, 6), (1, 3, 4, 6)], [(2, 3, 4, 6)]])
def test_without_one_input_for_an_image_there_is_no_recipe(tmp_path, shapes):
    path = onnx_at(tmp_path / "toy.onnx", *shapes, **ULTRALYTICS)
    assert ModelCard.from_model(path).recipe is None
    with pytest.raises(RecipeError, match="the recipe lacks height, width, layout, type, which"):
        ModelCard.from_model(path, recipe={"color": "BGR"})


def test_the_image_is_found_beside_other_inputs(tmp_path):
    path = onnx_at(tmp_path / "toy.onnx", (1, 2), (1, 3, 4, 6), **ULTRALYTICS)
    assert ModelCard.from_model(path).recipe == STATED


@pytest.mark.parametrize(
    ("known", "words"),
    [
        ({"colour": 1}, "a model card has no colour; it has background, "),
        ({"threshold": 2}, "toy: expected threshold as a probability above 0 and below 1, got 2"),
        ({"classes": "ab"}, "toy: expected class names as text, got 'ab'"),
        ({"classes": 5}, "toy: expected class names as text, got 5"),
        ({"name": "../x"}, "expected a model name of letters, "),
        ({"task": 5}, "toy: expected task as text, got 5"),
        (
            {"encoding": GraphEncoding.OPENVINO},
            "toy.onnx: the encoding follows from the file's suff",
        ),
        (
            {"encoding": "onnx"},
            "toy.onnx: the encoding follows from the file's suffix, got 'onnx'; ",
        ),
    ],
)
def test_what_the_user_cannot_know(tmp_path, known, words):
    with pytest.raises(RecipeError) as caught:
        ModelCard.from_model(onnx_at(tmp_path / "toy.onnx"), **known)
    assert str(caught.value).startswith(words)


@pytest.mark.parametrize(
    ("name", "content", "error", "words"),
    [
        ("gone.onnx", None, MissingFileError, "no model at "),
        ("toy.txt", b"", InvalidArgumentError, "expected the path of a model, which ends in .xml"),
        (
            "toy.onnx",
            b"",
            RuntimeFailure,
            "{path}: expected an ONNX model, got an empty file: ",
        ),
        (
            "toy.xml",
            b"<html>",
            RuntimeFailure,
            "{path}: expected an OpenVINO IR, got an HTML page: ",
        ),
        (
            "toy.tflite",
            b"version https://git-lfs",
            RuntimeFailure,
            "{path}: expected a TensorFlow Lite model, got a Git LFS pointer, ",
        ),
        (
            "toy.onnx",
            b"\x1c\0\0\0TFL3",
            RuntimeFailure,
            "{path}: expected an ONNX model, as the suffix says, got a TensorFlow Lite model: ",
        ),
        ("toy.bin", b"", MissingFileError, "toy.xml is missing beside "),
        ("toy.xml", b'<net version="11"><layers/></net>', MissingFileError, "toy.bin is missing "),
        ("toy.xml", b'<net version="4"><layers/></net>', RuntimeFailure, "{path}: IR version 4"),
    ],
)
def test_files_that_are_not_models(tmp_path, name, content, error, words):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(error) as caught:
        ModelCard.from_model(tmp_path / name)
    assert str(caught.value).startswith(words.format(path=tmp_path / name))


def test_a_card_in_one_line(tmp_path):
    path = onnx_at(tmp_path / "toy.onnx")
    known = {"color": "RGB", "range": (-1, 1)}
    card = ModelCard.from_model(path, task="segmentation", classes=["a", "b", "c"], recipe=known)
    assert card.write(path) == tmp_path / "toy.card.json"
    assert model(path).card == card
