"""Results that would be wrong without a word: geometry, files, cards and loose types."""

from __future__ import annotations

import os
import pickle

import numpy as np
import pytest
from onnx import TensorProto, helper, numpy_helper
from PIL import Image

import wasinn_nb as wn
from wasinn_nb import errors

F32, U8, I64 = TensorProto.FLOAT, TensorProto.UINT8, TensorProto.INT64
RECIPE = wn.PreprocessRecipe(8, 8, color="RGB", range=(0, 1), resize="bilinear")
IMAGE = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
RUNTIMES = ["openvino", "onnxruntime"]


def onnx_file(path, nodes, output, *, dims=(1, 3, 8, 8), input_dims=(1, 3, 8, 8), **constants):
    """Write an ONNX model of one image ``x`` and one output ``y``."""
    weights = [numpy_helper.from_array(np.asarray(value), key) for key, value in constants.items()]
    graph = helper.make_graph(
        [helper.make_node(*node[:3], **(node[3] if len(node) > 3 else {})) for node in nodes],
        "toy",
        [helper.make_tensor_value_info("x", F32, list(input_dims))],
        [helper.make_tensor_value_info("y", output, list(dims))],
        weights,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path.write_bytes(model.SerializeToString())
    return path


@pytest.mark.parametrize("tail", ["resize", "bias"])
def test_one_reading_of_one_file_on_every_engine(tmp_path, tail):
    nodes = [("Conv", ["x", "w"], ["c"])]
    if tail == "resize":
        nodes.append(("Resize", ["c", "", "s"], ["y"], {"mode": "nearest"}))
    else:
        nodes.append(("Add", ["c", "b"], ["y"]))
    model = onnx_file(
        tmp_path / "m.onnx",
        nodes,
        F32,
        dims=(1, 1, 8, 8),
        w=np.array([1, 0, 0], np.float32).reshape(1, 3, 1, 1),
        s=np.ones(4, np.float32),
        b=np.array([[[[-0.25]]]], np.float32),
    )
    results = [wn.segment(IMAGE, model, recipe=RECIPE, runtime=name) for name in RUNTIMES]
    assert np.array_equal(results[0].labels, results[1].labels)
    # Logits, though all of them lie between 0 and 1.
    offset = 0.0 if tail == "resize" else 0.25
    assert np.array_equal(results[0].labels, IMAGE[:, :, 0] / 255 > offset)
    assert results[0].assumed == results[1].assumed == ("threshold 0.5",)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_labels_that_are_floats_are_labels(tmp_path, runtime):
    nodes = [
        ("ArgMax", ["x"], ["a"], {"axis": 1, "keepdims": 0}),
        ("Cast", ["a"], ["y"], {"to": F32}),
    ]
    model = onnx_file(tmp_path / "m.onnx", nodes, F32, dims=(1, 8, 8))
    card = wn.ModelCard("m", "segmentation", RECIPE, ("r", "g", "b"))
    result = wn.segment(IMAGE, model, card=card, runtime=runtime)
    assert np.array_equal(result.labels, IMAGE.argmax(2))


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_quantized_probabilities_are_one_class(tmp_path, runtime):
    nodes = [
        ("Conv", ["x", "w"], ["c"]),
        ("Sigmoid", ["c"], ["p"]),
        ("QuantizeLinear", ["p", "scale", "zero"], ["y"]),
    ]
    model = onnx_file(
        tmp_path / "m.onnx",
        nodes,
        U8,
        dims=(1, 1, 8, 8),
        w=np.array([8, 0, -8], np.float32).reshape(1, 3, 1, 1),
        scale=np.float32(1 / 255),
        zero=np.uint8(0),
    )
    result = wn.segment(IMAGE, model, recipe=RECIPE, scores=True, runtime=runtime)
    difference = (IMAGE[:, :, 0].astype(float) - IMAGE[:, :, 2]) * 8 / 255
    assert np.abs(result.scores[0] - 1 / (1 + np.exp(-difference))).max() <= 1 / 255
    assert np.array_equal(result.labels, result.scores[0] > 0.5)
    assert result.card.classes == ("background", "foreground")


def test_integers_of_a_sigmoid_without_a_scale_are_refused(tmp_path):
    nodes = [("Sigmoid", ["x"], ["p"]), ("Cast", ["p"], ["y"], {"to": U8})]
    model = onnx_file(tmp_path / "m.onnx", nodes, U8, input_dims=(1, 1, 8, 8), dims=(1, 1, 8, 8))
    with pytest.raises(errors.InvalidArgumentError, match="not a segmentation model"):
        wn.segment(IMAGE, model, recipe=RECIPE.replace(color="GRAY"))


def brighter(path, sign):
    """Write a model whose class is 1 where red is over (or under) blue."""
    weights = np.zeros((2, 3, 1, 1), np.float32)
    weights[1, 0], weights[1, 2] = sign, -sign
    return onnx_file(path, [("Conv", ["x", "w"], ["y"])], F32, dims=(1, 2, 8, 8), w=weights)


def test_a_file_that_was_swapped_with_its_time_kept_is_another_model(tmp_path):
    model, other = brighter(tmp_path / "m.onnx", 1), brighter(tmp_path / "other.onnx", -1)
    stat = model.stat()
    before = wn.segment(IMAGE, model, recipe=RECIPE)
    os.utime(other, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    other.replace(model)
    after = wn.segment(IMAGE, model, recipe=RECIPE)
    assert not np.array_equal(before.labels, after.labels)
    assert before.origin.files != after.origin.files


def test_the_hash_is_that_of_the_weights_that_run(tmp_path):
    model = brighter(tmp_path / "m.onnx", 1)
    run = wn.Pipeline(model, recipe=RECIPE)
    loaded = wn.model(model).sha384["m.onnx"]
    brighter(model, -1)
    assert run(IMAGE).origin.files == {"m.onnx": loaded}


def test_cards_that_differ_in_the_seventh_digit_are_different(tmp_path):
    model = brighter(tmp_path / "m.onnx", 1)
    recipes = [
        RECIPE.replace(range=(0, 255), mean=(1e6, 1e6, 1e6 + extra), scale=(1, 1, 1))
        for extra in (0, 4)
    ]
    cards = [wn.ModelCard("m", "segmentation", recipe) for recipe in recipes]
    results = [wn.segment(IMAGE, model, card=card) for card in cards]
    assert [result.recipe for result in results] == recipes


def test_pixels_that_the_model_did_not_see_stay_as_they_are(tmp_path):
    model = brighter(tmp_path / "m.onnx", 1)
    card = wn.ModelCard(
        "m", "segmentation", RECIPE.replace(fit="crop"), ("a", "b"), background=None
    )
    wide = np.full((8, 24, 3), (90, 200, 90), np.uint8)
    overlay = np.asarray(wn.segment(wide, model, card=card).overlay())
    assert (overlay[:, :8] == wide[:, :8]).all()
    assert (overlay[:, 16:] == wide[:, 16:]).all()
    assert (overlay[:, 8:16] != wide[:, 8:16]).any()


def test_a_callers_image_keeps_its_size(tmp_path):
    model = brighter(tmp_path / "m.onnx", 1)
    path = tmp_path / "a.jpg"
    Image.fromarray(np.zeros((640, 640, 3), np.uint8)).save(path)
    with Image.open(path) as image:
        result = wn.segment(image, model, recipe=RECIPE.replace(resize="bilinear-draft"))
        assert image.size == (640, 640)
    assert result.photo.shape == (640, 640, 3)


def test_a_threshold_for_several_classes_is_refused(tmp_path):
    model = brighter(tmp_path / "m.onnx", 1)
    with pytest.raises(errors.InvalidArgumentError, match="models of one class; m gives 2 classes"):
        wn.segment(IMAGE, model, recipe=RECIPE, threshold=0.9)


@pytest.mark.parametrize("classes", [{"a", "b"}, {"a": 1, "b": 2}, "ab"])
def test_classes_without_an_order_are_refused(classes):
    with pytest.raises(errors.RecipeError, match="class names as text"):
        wn.ModelCard("m", classes=classes)


def test_a_palette_without_class_names_is_kept(tmp_path):
    model = brighter(tmp_path / "m.onnx", 1)
    card = wn.ModelCard("m", "segmentation", RECIPE, palette=((1, 2, 3), (4, 5, 6)))
    assert wn.segment(IMAGE, model, card=card).card.palette == ((1, 2, 3), (4, 5, 6))


@pytest.mark.parametrize("axis", [1, 3])
def test_a_row_of_scores_is_not_a_mask(tmp_path, axis):
    nodes = [("GlobalAveragePool", ["x"], ["g"]), ("Reshape", ["g", "shape"], ["y"])]
    dims = [1, 1, 1, 1]
    dims[axis] = 3
    model = onnx_file(tmp_path / "m.onnx", nodes, F32, dims=dims, shape=np.array(dims, np.int64))
    with pytest.raises(errors.InvalidArgumentError, match=r"use wasinn_nb\.classify"):
        wn.segment(IMAGE, model, recipe=RECIPE)
    assert len(wn.Pipeline(model, recipe=RECIPE)(IMAGE).top(3)) == 3


def test_indices_of_the_highest_classes_are_not_scores(tmp_path):
    nodes = [
        ("GlobalAveragePool", ["x"], ["g"]),
        ("Flatten", ["g"], ["f"]),
        ("TopK", ["f", "k"], ["values", "y"]),
    ]
    model = onnx_file(tmp_path / "m.onnx", nodes, I64, dims=(1, 2), k=np.array([2], np.int64))
    with pytest.raises(errors.InvalidArgumentError, match="not a classifier"):
        wn.classify(IMAGE, model, recipe=RECIPE)


def classifier(path, offset=0.0):
    nodes = [
        ("GlobalAveragePool", ["x"], ["g"]),
        ("Flatten", ["g"], ["f"]),
        ("Add", ["f", "b"], ["y"]),
    ]
    return onnx_file(path, nodes, F32, dims=(1, 3), b=np.array([0, offset, 0], np.float32))


def test_a_class_that_is_ruled_out_has_no_probability(tmp_path):
    card = wn.ModelCard("m", "classification", RECIPE, ("a", "b", "c"), logits=True)
    result = wn.classify(IMAGE, classifier(tmp_path / "m.onnx", -np.inf), card=card)
    assert result.probabilities[1] == 0
    assert result.probabilities.sum() == pytest.approx(1)


def test_results_can_be_pickled(tmp_path):
    result = wn.classify(IMAGE, classifier(tmp_path / "m.onnx"), recipe=RECIPE)
    again = pickle.loads(pickle.dumps(result))
    assert again.origin == result.origin
    assert again.top(3) == result.top(3)


@pytest.mark.parametrize(
    "options",
    [
        {"recipe": "x"},
        {"recipe": 5},
        {"runtime": 5},
        {"runtime": []},
        {"precision": [1]},
        {"resize": ["foo"]},
        {"scores": [1]},
        {"card": 5},
        {"output": [1]},
        {"threshold": "x"},
    ],
)
def test_options_of_a_wrong_type_are_our_errors(tmp_path, options):
    with pytest.raises(errors.WasiNnError):
        wn.segment(IMAGE, brighter(tmp_path / "m.onnx", 1), **({"recipe": RECIPE} | options))


@pytest.mark.full
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("covers", ["a", "b", "c", "d"]),
        ("covers", [0, 0, 0, 0]),
        ("covers", [1, 2]),
        ("covers", [0, 0, float("nan"), 1]),
        ("model", "abc"),
        ("versions", "abc"),
        ("timings", [1]),
        ("threshold", "x"),
    ],
)
def test_saved_results_that_were_tampered_with_are_refused(tmp_path, name, value):
    import json

    model = brighter(tmp_path / "m.onnx", 1)
    facts = wn.segment(IMAGE, model, recipe=RECIPE).save(tmp_path / "out").facts
    facts.write_text(json.dumps(json.loads(facts.read_text()) | {name: value}))
    with pytest.raises(errors.WasiNnError):
        wn.SegmentationResult.load(facts)


def test_open_sizes_whose_output_is_declared_fixed(tmp_path):
    model = onnx_file(
        tmp_path / "m.onnx",
        [("Relu", ["x"], ["y"])],
        F32,
        input_dims=(1, 3, "h", "w"),
        dims=(1, 3, 4, 4),
    )
    results = [wn.segment(IMAGE, model, recipe=RECIPE, runtime=name) for name in RUNTIMES]
    assert np.array_equal(results[0].labels, IMAGE.argmax(2))
    assert np.array_equal(results[0].labels, results[1].labels)


def test_a_value_for_every_pixel_is_a_mask(tmp_path):
    nodes = [("Sigmoid", ["x"], ["p"]), ("Reshape", ["p", "shape"], ["y"])]
    model = onnx_file(
        tmp_path / "m.onnx",
        nodes,
        F32,
        input_dims=(1, 1, 8, 8),
        dims=(1, 64),
        shape=np.array([1, 64], np.int64),
    )
    gray = RECIPE.replace(color="GRAY")
    assert wn.Pipeline(model, recipe=gray)(IMAGE).labels.shape == (8, 8)
    card = wn.ModelCard("m", "classification", gray)
    assert len(wn.Pipeline(model, card=card)(IMAGE).top(64)) == 64
