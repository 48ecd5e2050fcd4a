"""Two models that are compared: what they are run on is named, and one model twice is said so."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
import toys
from commands import refused, run

import wasinn_nb as wn
from wasinn_nb.comparison.layers import LayerComparison, LayerDifference
from wasinn_nb.comparison.models import image_name
from wasinn_nb.errors import InvalidArgumentError


@pytest.fixture
def model(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = toys.textures(tmp_path / "toy.xml", gives="scores")
    recipe = wn.PreprocessRecipe(64, 96)
    wn.ModelCard("toy", "segmentation", recipe, ("a", "b", "c", "d")).write(path)
    return "toy.xml"


def test_models_without_layers_are_answered_with_the_command(model):
    message = refused("compare", model, model)
    assert message == (
        "expected tensors, image masks or results, got toy.xml, toy.xml: models; run them, layer "
        "by layer, with: wasinn-nb compare toy.xml toy.xml --layers --image IMAGE"
    )
    assert refused("compare", model, "x.tensor").endswith(
        "got toy.xml: models; run it with: wasinn-nb segment IMAGE -m toy.xml -o DIR"
    )
    with pytest.raises(InvalidArgumentError, match=r"a model; models are run by wn\.compare\(a, b"):
        wn.compare(model, model)


def test_a_bundle_is_compared_by_its_method(tmp_path):
    (tmp_path / "bundle.json").write_text("{}")
    with pytest.raises(InvalidArgumentError, match=r"compare by wn\.Bundle\.read\('") as caught:
        wn.compare(tmp_path, tmp_path)
    assert str(tmp_path) in str(caught.value)


@pytest.mark.full
def test_the_same_model_twice_is_said_and_the_image_named(model):
    for name in ("toy.xml", "toy.bin", "toy.card.json"):
        shutil.copy(name, name.replace("toy", "copy"))
    text = run("compare", model, "copy.xml", "--layers")
    assert "a and b are the same model, run in the same way: all " in text
    assert f"image that both were run on: {wn.image().name}, as none was named" in text
    assert text.count("as none was") == 1
    assert "alone, dB" not in text
    found = wn.compare(model, model, image=np.zeros((8, 8, 3), np.uint8), layers=True)
    assert found.layers.identical
    assert found.layers.image == ""
    other = wn.compare(wn.Pipeline(model), wn.Pipeline(model, resize="bilinear"), layers=True)
    assert not other.layers.same_model
    assert other.layers.image == image_name(None)


@pytest.mark.parametrize(("same", "snr", "identical"), [(1, np.inf, 1), (0, np.inf, 0), (1, 99, 0)])
def test_what_is_identical(same, snr, identical):
    layer = LayerDifference("norm", "Multiply", (1, 8), 154.6, snr, 0.0, explained=True)
    found = LayerComparison((layer,), "f32", 80.0, same_model=bool(same))
    assert found.identical == bool(identical)
    assert ("the same model" in str(found)) == bool(identical)
