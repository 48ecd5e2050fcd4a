"""What version 0.1.0 wrote, as it wrote it: every later version goes on reading it."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

import wasinn_nb as wn

SAVED = Path(__file__).parent / "fixtures" / "saved-by-0.1.0"
CLASSES = ("background", "road", "sidewalk, left", "[x] <y>")
AREAS = dict(zip(CLASSES, (12, 7, 17, 12), strict=True))
RECIPES = [
    wn.PreprocessRecipe(512, 896),
    wn.PreprocessRecipe(7, 5, "NHWC", "RGB", "u8", resize="triangle-0.23", exif="apply"),
    wn.PreprocessRecipe(
        224,
        224,
        "CHW",
        "RGB",
        "f16",
        (0, 1),
        (0.485, 0.456, 0.406),
        (0.229, 0.224, 0.225),
        "bilinear-draft",
    ),
    wn.PreprocessRecipe(3, 2, "HWC", "BGR", "f32", (-1, 1), resize="bilinear"),
]


def test_a_result_with_scores():
    result = wn.SegmentationResult.load(SAVED / "with-scores" / "toy-street.json")
    assert result.card.classes == CLASSES
    assert result.card.palette == ((0, 0, 0), (0, 114, 178), (1, 2, 3), (255, 254, 253))
    assert result.areas() == AREAS
    assert result.scores is not None
    assert np.array_equal(result.scores.argmax(0), result.labels)
    assert result.recipe == wn.PreprocessRecipe(6, 8, resize="bilinear")
    assert result.model_sha384 == "0123456789ab" * 8
    assert (result.target, result.precision) == ("CPU", "f32")
    assert result.timings["infer"] == 0.25
    assert result.versions["openvino"] == "2026.4.1"


def test_a_result_of_labels_alone():
    result = wn.SegmentationResult.load(SAVED / "labels-only" / "labels.json")
    assert result.scores is None
    assert result.areas() == AREAS
    assert str(result.digest()) == (SAVED / "digest.txt").read_text().rstrip("\n")


def test_both_say_the_same():
    found = wn.compare(
        SAVED / "with-scores" / "toy-street.json", SAVED / "labels-only" / "labels.json"
    )
    assert found.verdict is wn.Verdict.IDENTICAL


def test_a_tensor_and_its_sidecar():
    path = SAVED / "input-3x2x3xf32.tensor"
    assert wn.read_tensor(path).signature == "3x2x3xf32"
    sidecar = wn.read_sidecar(path)
    assert sidecar is not None
    assert wn.PreprocessRecipe.from_dict(sidecar["recipe"]) == RECIPES[3]
    assert sidecar["model"]["name"] == "toy-street"


@pytest.mark.parametrize("index", range(len(RECIPES)))
def test_recipes(index):
    saved = json.loads((SAVED / "recipes.json").read_text())[index]
    assert wn.PreprocessRecipe.from_dict(saved) == RECIPES[index]


@pytest.mark.parametrize("index", range(len(RECIPES)))
def test_recipes_are_written_as_they_were(index):
    assert RECIPES[index].to_dict() == json.loads((SAVED / "recipes.json").read_text())[index]


def test_a_card():
    card = wn.ModelCard.read(SAVED / "card.json")
    assert card.task == "segmentation"
    assert card.recipe == RECIPES[2]
    assert card.classes == ("background", "road")
    assert card.precisions["FP16"][0].url == "https://example.org/toy-street.xml"
    assert card.precisions["FP16"][1].url is None
    assert card.figures == {"mIoU": 0.853}
