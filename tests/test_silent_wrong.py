"""Results that were wrong without a word, each rebuilt small, with its siblings.

How outputs are read in general is in `test_outputs.py`, what is refused before a runtime sees it in
`test_integrity.py`, which card is found in `test_card_lookup.py`.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
import toys

import wasinn_nb as wn
from wasinn_nb import errors, pipeline
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.imaging.recipe import PreprocessRecipe

RECIPE = PreprocessRecipe(4, 6, color="RGB", resize="bilinear")
IMAGE = np.zeros((4, 6, 3), np.uint8)
IMAGE[:, :2, 0], IMAGE[:, 2:4, 1], IMAGE[:, 4:, 2] = 200, 100, 50
STRIPES = [[0, 0, 1, 1, 2, 2]] * 4
CLASSES = ("red", "green", "blue")


@pytest.fixture(autouse=True)
def _nothing_kept():
    pipeline._kept.clear()
    yield
    pipeline._kept.clear()


def save(folder, build, shape=(1, 3, 4, 6), name="toy"):
    return toys.save(toys.graph(build, shape), folder / f"{name}.xml")


def add(folder, *per_channel, name="toy"):
    """Save a model that adds a number to each channel, and return its path."""
    from openvino import opset13 as op

    values = np.array(per_channel, np.float32).reshape(1, 3, 1, 1) * np.ones((1, 3, 4, 6))
    return save(folder, lambda data: op.add(data, values.astype(np.float32)), name=name)


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


# --------------------------------------------------------------------------------------- cards


@pytest.fixture
def toy(tmp_path):
    return add(tmp_path, 0, 0, 0)


def names(result):
    return result.card.classes, result.labels.tolist()


UNKNOWN = ("class 0", "class 1", "class 2")
REVERSED = [[2, 2, 1, 1, 0, 0]] * 4


@pytest.mark.parametrize("file", ["card.json", "toy.card.json"])
def test_a_card_that_is_written_after_the_first_call(toy, file):
    """The old card was used, because kept pipelines did not know it."""
    first = wn.segment(IMAGE, toy)  # as BGR
    assert names(first) == (UNKNOWN, REVERSED)
    assert first.assumed == ("BGR, values 0 to 255, bilinear",)
    card = ModelCard("toy", "segmentation", RECIPE, CLASSES)
    written = card.write(toy).rename(toy.parent / file)
    second = wn.segment(IMAGE, toy)
    assert (names(second), second.assumed) == ((CLASSES, STRIPES), ())
    other = card.replace(classes=("a", "b", "c"), recipe=RECIPE.replace(color="BGR"))
    other.write(toy).rename(written)
    assert names(wn.segment(IMAGE, toy)) == (("a", "b", "c"), REVERSED)
    written.unlink()
    assert names(wn.segment(IMAGE, toy)) == (UNKNOWN, REVERSED)


def test_another_card_on_the_same_file(toy):
    one = ModelCard("toy", "segmentation", RECIPE, CLASSES)
    two = one.replace(classes=("a", "b", "c"), recipe=RECIPE.replace(color="BGR"))
    for card, expected in [(one, STRIPES), (two, REVERSED), (one, STRIPES)]:
        assert names(wn.segment(IMAGE, toy, card=card)) == (card.classes, expected)
        model = wn.Model(card, None, wn.model(toy).files, "tests")
        assert names(wn.segment(IMAGE, model)) == (card.classes, expected)
        assert names(wn.Pipeline(model)(IMAGE)) == (card.classes, expected)
    assert names(wn.segment(IMAGE, toy)) == (UNKNOWN, REVERSED)


def test_cards_that_look_alike(toy):
    """Their text is the same: it shows six digits."""
    low = RECIPE.replace(range=(0, 1), mean=0.50000001)
    high = RECIPE.replace(range=(0, 1), mean=0.50000002)
    assert repr(low) == repr(high)
    for recipe in (low, high):
        card = ModelCard("toy", "segmentation", recipe, CLASSES)
        assert wn.segment(IMAGE, toy, card=card).recipe == recipe


@pytest.mark.full
@pytest.mark.parametrize(
    "change",
    [
        {"classes": ("a", "b", "c")},
        {"palette": ((1, 1, 1), (2, 2, 2), (3, 3, 3))},
        {"background": None},
        {"name": "other"},
        {"recipe": RECIPE.replace(color="BGR")},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_field_of_a_card_is_honored(toy, change):
    card = ModelCard("toy", "segmentation", RECIPE, CLASSES)
    wn.segment(IMAGE, toy, card=card)
    result = wn.segment(IMAGE, toy, card=card.replace(**change))
    found = result.recipe if "recipe" in change else getattr(result.card, next(iter(change)))
    assert found == next(iter(change.values()))


def test_a_card_in_a_file_that_is_written_anew(toy, tmp_path):
    card = ModelCard("toy", "segmentation", RECIPE, CLASSES)
    path = card.write(toy).rename(tmp_path / "elsewhere.json")
    assert names(wn.segment(IMAGE, toy, card=path)) == (CLASSES, STRIPES)
    card.replace(classes=("a", "b", "c")).write(toy).rename(path)
    assert names(wn.segment(IMAGE, toy, card=path)) == (("a", "b", "c"), STRIPES)


@pytest.mark.parametrize(("option", "values"), [("threshold", (0.2, 0.9)), ("output", (0, 1))])
def test_options_of_the_call_are_no_part_of_the_next_one(tmp_path, option, values):
    from openvino import opset13 as op

    def build(data):
        return [op.sigmoid(data), op.sigmoid(op.multiply(data, np.float32(-1)))]

    path = save(tmp_path, build, (1, 1, 1, 3))
    recipe = PreprocessRecipe(1, 3, color="GRAY", range=(-2, 2), resize="bilinear")
    card = ModelCard("toy", recipe=recipe, output=0)
    image = np.array([[0, 140, 255]], np.uint8)  # probabilities 0.12, 0.55, 0.88
    expected = {0.2: [0, 1, 1], 0.9: [0, 0, 0], 0: [0, 1, 1], 1: [1, 0, 0]}
    for value in (*values, *values):
        found = wn.segment(image, path, card=card, **{option: value})
        assert found.labels.tolist() == [expected[value]]
    assert wn.segment(image, path, card=card).labels.tolist() == [[0, 1, 1]]


# ----------------------------------------------------------------------------------- precision

# A processor without bfloat16, where oneDNN is told that this is one.
AVX2 = os.environ | {"ONEDNN_MAX_CPU_ISA": "AVX2"}
PRECISION = """
import sys, warnings
import numpy as np
import wasinn_nb as wn

warnings.simplefilter("always")
for precision in ("f32", "bf16", "device"):
    with warnings.catch_warnings(record=True) as warned:
        run = wn.Pipeline(sys.argv[1], precision=precision)
        result = run(np.zeros((8, 8, 3), np.uint8))
    print(precision, run.precision, result.precision, result.origin.precision)
    for one in warned:
        print(one.category.__name__, one.message)
    with warnings.catch_warnings(record=True) as warned, wn.WasiNnCtx(precision=precision) as ctx:
        graph = ctx.load(sys.argv[1], "openvino", "CPU")
        print(ctx.describe(graph).precision, len(warned))
"""
SENTENCE = (
    "precision bf16 was asked for, but openvino computes in f32 on CPU here: the device does not "
    "have bf16"
)


@pytest.fixture
def convolution(tmp_path):
    """A model that oneDNN computes: OpenVINO's own kernels have every precision everywhere."""
    from openvino import opset13 as op

    kernel = np.ones((3, 3, 3, 3), np.float32)
    ones = [1, 1]
    return save(
        tmp_path, lambda data: op.convolution(data, kernel, ones, ones, ones, ones), (1, 3, 8, 8)
    )


@pytest.mark.full
def test_a_precision_that_the_processor_does_not_have(convolution):
    """It ran in f32 without a word."""
    done = subprocess.run(
        [sys.executable, "-c", PRECISION, str(convolution)],
        capture_output=True,
        text=True,
        env=AVX2,
        check=True,
    )
    assert done.stdout.splitlines() == [
        "f32 f32 f32 f32",
        "f32 0",
        "bf16 f32 f32 f32",
        f"WasiNnWarning {SENTENCE}",
        "f32 1",
        "device f32 f32 f32",
        "f32 0",
    ]


@pytest.mark.full
@pytest.mark.parametrize("command", ["segment", "bench"])
def test_the_command_line_says_it_too(convolution, command):
    arguments = ["-m", str(convolution), "-p", "bf16", *(["-n", "3"] if command == "bench" else [])]
    done = subprocess.run(
        [sys.executable, "-m", "wasinn_nb.cli", command, *arguments],
        capture_output=True,
        text=True,
        env=AVX2,
        check=True,
    )
    assert SENTENCE in " ".join(done.stderr.split())
    assert "f32" in done.stdout
    assert "bf16" not in done.stdout


def test_a_precision_that_ran_is_no_warning(convolution):
    with warnings.catch_warnings(record=True) as warned:
        warnings.simplefilter("always")
        run = wn.Pipeline(convolution, precision="bf16")
    expected = [] if run.precision == "bf16" else [SENTENCE.replace("f32", run.precision)]
    assert [str(one.message) for one in warned] == expected


# -------------------------------------------------------------------------- versions of the format


@pytest.mark.parametrize("version", range(2, 10))
@pytest.mark.parametrize("weights", [False, True])
def test_ir_that_openvino_no_longer_reads(tmp_path, version, weights):
    """The error was of the missing .bin, or of the suffix .xml."""
    path = tmp_path / "old.xml"
    path.write_text(f'<?xml version="1.0"?><net name="old" version="{version}"/>')
    if weights:
        path.with_suffix(".bin").write_bytes(bytes(8))
    message = f"^IR version {version}; OpenVINO reads 10 and 11: convert the original model again$"
    with wn.WasiNnCtx() as ctx:
        for call in (wn.segment, wn.Pipeline, ModelCard.from_model, ctx.load):
            with pytest.raises(errors.RuntimeFailure, match=message):
                call(IMAGE, path) if call is wn.segment else call(path)
    if not weights:
        with pytest.raises(errors.RuntimeFailure, match=message):
            wn.model(path)


def test_ir_of_a_version_that_is_read_lacks_its_weights(tmp_path):
    path = add(tmp_path, 0, 0, 0)
    path.with_suffix(".bin").unlink()
    with wn.WasiNnCtx() as ctx:
        for call in (wn.model, wn.Pipeline, ModelCard.from_model, ctx.load):
            with pytest.raises(errors.MissingFileError, match=r"^toy\.bin is missing beside"):
                call(path)
