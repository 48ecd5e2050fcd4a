"""Results that were wrong without a word, each rebuilt small, with its siblings.

How outputs are read in general is in `test_outputs.py`, what is refused before a runtime sees it in
`test_integrity.py`, which card is found in `test_card_lookup.py`.
"""

from __future__ import annotations

import hashlib

import numpy as np
import pytest
from striped import IMAGE, STRIPES, add, save
from striped import RGB as RECIPE

import wasinn_nb as wn
from wasinn_nb import errors, pipeline
from wasinn_nb.cards.card import ModelCard

pytestmark = pytest.mark.full


@pytest.fixture(autouse=True)
def _nothing_kept():
    pipeline._kept.clear()
    yield
    pipeline._kept.clear()


# ------------------------------------------------------------------------------------- outputs


@pytest.mark.parametrize(
    ("shape", "classes"), [((1, 48, 64, 4), 4), ((1, 48, 64, 2), 2), ((48, 64, 3), 3)]
)
def test_scores_with_the_channels_last(tmp_path, shape, classes):
    """A mask of 64x4 pixels and 48 classes came out."""
    from openvino import opset13 as op

    def build(data):
        planes = op.tile(data, np.array([1, classes, 1, 1]))
        last = op.transpose(planes, np.array([0, 2, 3, 1]))
        return op.reshape(last, np.array(shape), special_zero=False)

    result = wn.segment(IMAGE, save(tmp_path, build, (1, 1, 48, 64)))
    assert result.labels.shape == (48, 64)
    assert len(result.card.classes) == classes


@pytest.mark.parametrize("shape", [(1, 48, 64, 1), (1, 48, 64), (1, 1, 48, 64), (1, 48 * 64)])
def test_a_map_of_one_class(tmp_path, shape):
    """A mask of 64x1 pixels came out, or 48 classes of which the highest was the row."""
    from openvino import opset13 as op

    def build(data):
        return op.reshape(op.sigmoid(data), np.array(shape), special_zero=False)

    result = wn.segment(IMAGE, save(tmp_path, build, (1, 1, 48, 64)), scores=True)
    assert (result.labels.shape, result.scores.shape) == ((48, 64), (1, 48, 64))
    assert set(np.unique(result.labels)) <= {0, 1}
    assert result.threshold == 0.5


@pytest.mark.parametrize("first", [True, False])
def test_an_auxiliary_output(tmp_path, first):
    """The first output was taken, whatever it was."""
    from openvino import opset13 as op

    def build(data):
        main, auxiliary = op.multiply(data, np.float32(2)), op.multiply(data, np.float32(-1))
        main.output(0).set_names({"main"})
        auxiliary.output(0).set_names({"auxiliary"})
        return [auxiliary, main] if first else [main, auxiliary]

    path = save(tmp_path, build)
    with pytest.raises(errors.InvalidArgumentError, match=r"several outputs .* output='(main|aux)"):
        wn.segment(IMAGE, path, recipe=RECIPE)
    ModelCard("toy", recipe=RECIPE, output="main").write(path)
    assert wn.segment(IMAGE, path).labels.tolist() == STRIPES


# ----------------------------------------------------------------------------------------- NaN


def roots(data):
    from openvino import opset13 as op

    return op.sqrt(data)


NEGATIVE = RECIPE.replace(range=(-1, 254))  # 0 becomes -1, whose square root is not a number


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("channels_last", [False, True])
@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime", "litert"])
def test_scores_that_are_not_numbers(tmp_path, scores, channels_last, runtime):
    """They were class 0, of which there was 100 %."""
    from conformance import models
    from conformance.engines import ENGINES

    engine = next(engine for engine in ENGINES if engine.runtime == runtime)
    recipe = NEGATIVE.replace(layout="NHWC" if channels_last else "NCHW")
    builders = models.roots(engine.writer(), recipe.dimensions)
    model = engine.model(builders, tmp_path, ModelCard("toy", recipe=recipe))
    whole = np.full((4, 6, 3), 9, np.uint8)
    assert wn.segment(whole, model, runtime=runtime, scores=scores).areas()["class 0"] == 24
    for place in [(0, 0, 0), (3, 5, 2), (1, 1, 1)]:
        image = whole.copy()
        image[place] = 0
        with pytest.raises(errors.TensorError, match="NaN, so that the class is undefined"):
            wn.segment(image, model, runtime=runtime, scores=scores)


@pytest.mark.parametrize("scores", [False, True])
@pytest.mark.parametrize("logits", [None, True, False])
def test_a_probability_that_is_not_a_number(tmp_path, scores, logits):
    path = save(tmp_path, roots, (1, 1, 4, 6))
    recipe = NEGATIVE.replace(color="GRAY")
    card = ModelCard("toy", recipe=recipe, logits=logits)
    image = np.full((4, 6), 2, np.uint8)
    assert wn.segment(image, path, card=card, scores=scores).areas()["foreground"] == 24
    image[2, 3] = 0
    with pytest.raises(errors.TensorError, match="NaN, so that the class is undefined"):
        wn.segment(image, path, card=card, scores=scores)


def test_the_same_error_as_from_scores(tmp_path):
    scores = np.array([[[np.nan, 1]], [[0, 2]]], np.float32)
    card = ModelCard("toy", "segmentation", classes=("a", "b"))
    with pytest.raises(errors.TensorError) as caught:
        wn.SegmentationResult.from_scores(scores, card)
    path = save(tmp_path, roots)
    with pytest.raises(errors.TensorError) as native:
        wn.segment(IMAGE, path, recipe=NEGATIVE, scores=True)
    assert str(caught.value).split("NaN", 1)[1] == str(native.value).split("NaN", 1)[1]


def test_many_classes_are_looked_at_too(tmp_path):
    """256 classes leave no label to mark a pixel with, so that the head is not fused."""
    from openvino import opset13 as op

    path = save(tmp_path, lambda data: op.tile(roots(data), np.array([1, 256, 1, 1])), (1, 1, 4, 6))
    recipe = NEGATIVE.replace(color="GRAY")
    assert wn.segment(np.full((4, 6), 2, np.uint8), path, recipe=recipe).labels.max() == 0
    with pytest.raises(errors.TensorError, match="NaN"):
        wn.segment(np.zeros((4, 6), np.uint8), path, recipe=recipe)


# -------------------------------------------------------------------------------- written anew


def digest(path):
    return hashlib.sha384(path.read_bytes()).hexdigest()


def test_weights_that_are_written_anew(tmp_path):
    path = add(tmp_path, 0, 0, 0)
    assert wn.segment(IMAGE, path, recipe=RECIPE).labels.tolist() == STRIPES
    other = add(tmp_path, 0, 0, 999, name="other")
    path.with_suffix(".bin").write_bytes(other.with_suffix(".bin").read_bytes())
    result = wn.segment(IMAGE, path, recipe=RECIPE)
    assert result.labels.tolist() == [[2] * 6] * 4
    assert result.origin.files["toy.bin"] == digest(other.with_suffix(".bin"))


def onnx_with_weights_beside(folder, *per_channel):
    """Write an ONNX model whose one tensor lies in ``w.data``: a number for each channel."""
    from onnx import TensorProto, helper, numpy_helper, save

    (folder / "w.data").unlink(missing_ok=True)  # onnx appends to it
    values = np.array(per_channel, np.float32).reshape(1, 3, 1, 1) * np.ones((1, 3, 64, 64))
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, 64, 64]) for name in "xy"]
    weights = numpy_helper.from_array(values.astype(np.float32), "w")
    node = helper.make_node("Add", ["x", "w"], ["y"])
    graph = helper.make_graph([node], "toy", ends[:1], ends[1:], [weights])
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)
    path = folder / "toy.onnx"
    save(model, path, save_as_external_data=True, location="w.data", size_threshold=0)
    return path


BLACK = np.zeros((64, 64, 3), np.uint8)


@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_weights_beside_an_onnx_model_that_are_written_anew(tmp_path, runtime):
    """The old weights were used, and named by the same hash."""
    path = onnx_with_weights_beside(tmp_path, 0, 0, 5)
    first = wn.segment(BLACK, path, runtime=runtime)
    assert set(np.unique(first.labels)) == {2}
    assert dict(first.origin.files) == {
        "toy.onnx": digest(path),
        "w.data": digest(tmp_path / "w.data"),
    }
    model = path.read_bytes()
    onnx_with_weights_beside(tmp_path, 0, 7, 5)
    assert path.read_bytes() == model
    second = wn.segment(BLACK, path, runtime=runtime)
    assert set(np.unique(second.labels)) == {1}
    assert second.origin.files["w.data"] == digest(tmp_path / "w.data")
    assert second.origin.files != first.origin.files
    assert second.origin.diff(first.origin).keys() == {"files"}


@pytest.mark.parametrize(
    ("runtime", "kind"), [("openvino", "ir"), ("openvino", "onnx"), ("onnxruntime", "onnx")]
)
def test_a_loaded_model_keeps_the_weights_and_the_hash_that_it_was_loaded_with(
    tmp_path, runtime, kind
):
    """Files that were mapped into memory changed what a loaded model gives, under its old hash."""
    if kind == "onnx":
        path, image = onnx_with_weights_beside(tmp_path, 0, 0, 5), BLACK
        weights = tmp_path / "w.data"
    else:
        path, image = add(tmp_path, 0, 0, 5), BLACK[:4, :6]
        weights = path.with_suffix(".bin")
    run = wn.Pipeline(path, runtime=runtime)
    before = digest(weights)
    weights.write_bytes(np.full(weights.stat().st_size // 4, 3, np.float32).tobytes())
    result = run(image)
    assert set(np.unique(result.labels)) == {2}
    assert result.origin.files[weights.name] == before


def test_a_model_tells_the_hash_of_what_is_there_now(tmp_path):
    path = add(tmp_path, 0, 0, 5)
    model = wn.model(path)
    first = model.sha384["toy.bin"]
    path.with_suffix(".bin").write_bytes(bytes(path.with_suffix(".bin").stat().st_size))
    assert model.sha384["toy.bin"] == digest(path.with_suffix(".bin")) != first
    assert wn.segment(BLACK[:4, :6], model).origin.files == model.sha384
