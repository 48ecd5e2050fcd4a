"""A pipeline's scores are those of the five calls, whatever the order of channels."""

from __future__ import annotations

import numpy as np
import openvino as ov
import pytest
from openvino import opset13 as op

import wasinn_nb as wn
from wasinn_nb.imaging import image_to_tensor

pytestmark = pytest.mark.full
SIZE = (24, 40)


@pytest.fixture
def convolution(tmp_path):
    """A convolution whose sums depend on the order in which they are added."""
    rng = np.random.default_rng(3)
    x = op.parameter([1, 3, *SIZE], np.float32, name="image")
    weights = rng.normal(size=(5, 3, 3, 3)).astype(np.float32)
    y = op.convolution(x, op.constant(weights), [1, 1], [1, 1], [1, 1], [1, 1])
    path = tmp_path / "convolution.xml"
    ov.save_model(ov.Model([y], [x], "convolution"), path, compress_to_fp16=False)
    return path


def five_calls(model, image, recipe):
    with wn.WasiNnCtx() as ctx:
        context = ctx.init_execution_context(ctx.load(wn.model(model).files))
        ctx.set_input(context, 0, image_to_tensor(image, recipe))
        ctx.compute(context)
        return ctx.get_output(context, 0).to_array()


@pytest.mark.parametrize("color", ["BGR", "RGB"])
@pytest.mark.parametrize("options", [{}, {"mean": (1.5, 2.5, 3.5), "scale": 57.0}], ids=str)
def test_scores_are_those_of_the_five_calls(convolution, color, options):
    image = np.random.default_rng(4).integers(0, 256, (*SIZE, 3), dtype=np.uint8)
    recipe = wn.PreprocessRecipe(*SIZE, color=color, resize="triangle", **options)
    result = wn.segment(image, convolution, recipe=recipe, scores=True)
    expected = five_calls(convolution, image, recipe)
    assert np.array_equal(result.scores, expected[0])
    assert np.array_equal(result.labels, expected[0].argmax(0))


def test_scores_of_the_real_model(shared):
    model = shared / "models/road-segmentation-adas-0001.xml"
    image = shared / "images/empty_road_mapillary.jpg"
    recipe = wn.model(model).card.recipe.replace(resize="triangle")
    result = wn.segment(image, model, recipe=recipe, scores=True)
    assert np.array_equal(result.scores, five_calls(model, image, recipe)[0])
