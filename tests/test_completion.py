"""Tab completion, as IPython asks for it: every public object offers its members."""

from __future__ import annotations

import jedi
import numpy as np
import pytest
import toys

import wasinn_nb as wn
from wasinn_nb.origin import Origin


@pytest.fixture(scope="module")
def objects(tmp_path_factory):
    """One instance of every kind of object that a person holds in a notebook."""
    folder = tmp_path_factory.mktemp("toy")
    model = toys.brightest_channel(folder / "toy.xml")
    image = np.zeros((4, 6, 3), np.uint8)
    pipeline = wn.Pipeline(model)
    result = pipeline(image)
    card = wn.ModelCard("toy", "classification", classes=("a", "b"))
    tensor = wn.image_to_tensor(image, pipeline.recipe)
    with wn.WasiNnCtx() as context:
        handle = context.init_execution_context(context.load(model))
        context.set_input(handle, 0, tensor)
        trace = context.trace
    return {
        "result": result,
        "classified": wn.ClassificationResult(np.float32([0.5, 0.5]), card, Origin("toy")),
        "card": card,
        "recipe": pipeline.recipe,
        "pipeline": pipeline,
        "model": wn.model(model),
        "origin": result.origin,
        "digest": result.digest(),
        "tensor": tensor,
        "context": context,
        "trace": trace,
        "comparison": wn.compare(result, result),
        "diagnosis": wn.diagnose(tensor, image, recipe=pipeline.recipe),
        "evaluation": wn.evaluate(result.labels, result.labels, classes=3),
        "timings": wn.bench(pipeline, image, rounds=3, progress=False),
        "description": wn.describe(model),
        "viewer": wn.MaskViewer(result),
        "models": wn.models(),
        "devices": wn.devices(),
    }


def test_every_object_offers_its_members(objects):
    for name, value in objects.items():
        offered = {one.name for one in jedi.Interpreter(f"{name}.", [{name: value}]).complete()}
        public = {member for member in dir(type(value)) if not member.startswith("_")}
        assert public <= offered, name


@pytest.mark.parametrize(
    ("call", "parameter"),
    [
        ("wn.segment(", "runtime="),
        ("wn.classify(", "recipe="),
        ("wn.Pipeline(", "precision="),
        ("wn.ModelCard.from_model('x', ", "classes="),
        ("wn.describe('x', ", "card="),
        ("wn.evaluate('x', 'y', ", "mapping="),
        ("wn.compare('x', 'y', ", "tolerance="),
        ("wn.run_guest('x', ", "runtime="),
    ],
)
def test_calls_offer_their_parameters(call, parameter):
    offered = {one.name for one in jedi.Interpreter(call, [{"wn": wn}]).complete()}
    assert parameter in offered
