"""Cards, precision and versions that would give wrong results silently."""

from __future__ import annotations

import os
import subprocess
import sys
import warnings

import numpy as np
import pytest
from striped import IMAGE, STRIPES, add, save
from striped import RGB as RECIPE

import wasinn_nb as wn
from wasinn_nb import errors, pipeline
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.imaging.recipe import PreprocessRecipe

pytestmark = pytest.mark.full

CLASSES = ("red", "green", "blue")


@pytest.fixture(autouse=True)
def _nothing_kept():
    pipeline._kept.clear()
    yield
    pipeline._kept.clear()


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
    message = rf"^\S+old\.xml: IR version {version}; OpenVINO reads 10 and 11: convert the original"
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
