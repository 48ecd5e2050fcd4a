"""Preprocessing and heads: the same bits whether a runtime fuses them or NumPy computes them."""

from __future__ import annotations

import numpy as np
import pytest
from tables import all_slow_but

from conformance import models
from wasinn_nb import errors
from wasinn_nb.abi import TensorType
from wasinn_nb.imaging.preprocessing import pixels_to_tensor, reordered
from wasinn_nb.imaging.recipe import PreprocessRecipe
from wasinn_nb.runtimes import Head
from wasinn_nb.tensor import Tensor

HEIGHT, WIDTH = 4, 6
NCHW = PreprocessRecipe(HEIGHT, WIDTH)
IMAGENET = {"mean": (0.485, 0.456, 0.406), "scale": (0.229, 0.224, 0.225)}
RECIPES = [
    *(
        NCHW.replace(color=color, layout=layout)
        for color in ("RGB", "BGR", "GRAY", "RGBA", "BGRA")
        for layout in ("NCHW", "NHWC", "CHW", "HWC")
    ),
    NCHW.replace(range=(0, 1)),
    NCHW.replace(range=(-1, 1), layout="NHWC", color="RGB"),
    NCHW.replace(range=(0, 1), color="RGB", **IMAGENET),
    NCHW.replace(range=(0, 1), layout="HWC", color="RGB", **IMAGENET),
    NCHW.replace(mean=127.5, scale=127.5, color="BGRA"),
    NCHW.replace(color="BGRA", layout="NHWC", range=(0, 1), mean=(0.1, 0.2, 0.3, 0.4)),
    NCHW.replace(color="GRAY", range=(0, 1), mean=0.5, scale=0.25),
    *(
        NCHW.replace(type=type_, layout=layout)
        for type_ in ("u8", "i8", "f16")
        for layout in ("NCHW", "NHWC")
    ),
    NCHW.replace(type="f16", color="RGB", range=(0, 1), **IMAGENET),
    NCHW.replace(type="u8", color="RGB", range=(-1, 1), quantization=(1 / 128, 128)),
    NCHW.replace(type="i8", color="RGB", layout="NHWC", range=(0, 1), quantization=(0.02, -3)),
]


def pixels_of(recipe, levels=4, seed=0):
    """Return pixels of few levels, so that channels are often equal."""
    rng = np.random.default_rng(seed)
    shape = recipe.height, recipe.width, recipe.channels
    return (rng.integers(0, levels, shape) * (255 // max(1, levels - 1))).astype(np.uint8)


def compute(graph, tensor):
    context = graph.execution_context()
    context.set_input(0, tensor)
    context.compute()
    return context


@pytest.fixture
def both(engine, runner):
    """Return what a head gives over the raw output, and what a graph with recipe and head gives."""

    def both(builders, recipe, head, pixels):
        def load(**asked):
            return runner.load(builders, engine.encoding, "CPU", "f32", **asked)

        tensor = pixels_to_tensor(pixels, recipe)
        raw = compute(load(), tensor).output(head.output)
        graph = load(input=lambda _: recipe, head=lambda _: head)
        assert (graph.input, graph.head) == (recipe, head)
        if graph.fuses_input:
            shape = (1, recipe.height, recipe.width, recipe.channels)
            assert graph.inputs[0].dimensions == shape
            assert graph.inputs[0].type is TensorType.U8
            tensor = Tensor.from_array(reordered(pixels, recipe.color)[None])
        else:
            assert graph.inputs[0].dimensions == recipe.dimensions
            assert graph.inputs[0].type is recipe.type
        context = compute(graph, tensor)
        if graph.fuses_head:
            outputs = tuple(map(context.output, range(len(graph.outputs))))
        else:
            outputs = head.apply(context.output(head.output))
        return head.apply(raw), outputs

    return both


@pytest.mark.full
@pytest.mark.parametrize("recipe", all_slow_but(RECIPES, *RECIPES[::4]), ids=repr)
def test_every_recipe(engine, both, recipe):
    builders = models.doubled(engine.writer(), recipe.dimensions, recipe.type.suffix)
    planes = (recipe.channels, HEIGHT, WIDTH)
    last = recipe.layout.endswith("C")
    if recipe.channels > 1:
        head = Head(0, planes, last, keep=True)
    else:
        head = Head(0, planes, last, "threshold", 200, keep=True)
    for levels in (4, 256):
        pixels = pixels_of(recipe, levels)
        expected, found = both(builders, recipe, head, pixels)
        assert found == expected
        values = pixels_to_tensor(pixels, recipe).to_array().astype(np.float32)
        planar = np.moveaxis(values, -1, -3) if last else values
        assert np.array_equal(found[1].to_array(), 2 * planar.reshape(1, *planes))


@pytest.mark.full
@pytest.mark.parametrize("layout", ["NCHW", "NHWC"])
@pytest.mark.parametrize("keep", [False, True])
def test_ties_go_to_the_lower_class(engine, both, layout, keep):
    recipe = NCHW.replace(layout=layout, color="RGB", height=1, width=7)
    pixels = np.array([[7, 7, 7], [7, 9, 9], [9, 7, 9], [9, 9, 7], [7, 7, 9], [9, 7, 7], [7, 9, 7]])
    head = Head(0, (3, 1, 7), layout == "NHWC", keep=keep)
    builders = models.doubled(engine.writer(), recipe.dimensions)
    expected, found = both(builders, recipe, head, pixels[None].astype(np.uint8))
    assert found[0].to_array().tolist() == [[[0, 1, 0, 0, 2, 0, 1]]]
    assert found == expected
    assert len(found) == 1 + keep


@pytest.mark.full
@pytest.mark.parametrize("output", ["f32", "f16", "u8", "i32"])
def test_highest_of_scores_of_every_type(engine, both, output):
    recipe = NCHW.replace(layout="NHWC", color="RGBA")
    head = Head(0, (4, HEIGHT, WIDTH), channels_last=True, keep=True)
    builders = models.doubled(engine.writer(), recipe.dimensions, output=output)
    expected, found = both(builders, recipe, head, pixels_of(recipe) // 2)
    assert found == expected


@pytest.mark.full
@pytest.mark.parametrize("threshold", [-1.0, 0.0, 100.0, 1e9])
@pytest.mark.parametrize("keep", [False, True])
@pytest.mark.parametrize("output", ["f32", "f16"])
def test_threshold(engine, both, threshold, keep, output):
    recipe = NCHW.replace(color="GRAY", height=1, width=3)
    pixels = np.array([[[0], [50], [51]]], np.uint8)
    head = Head(0, (1, 1, 3), reduce="threshold", threshold=threshold, keep=keep)
    builders = models.doubled(engine.writer(), recipe.dimensions, output=output)
    expected, found = both(builders, recipe, head, pixels)
    assert found == expected
    assert found[0].to_array().tolist() == [[[int(v > threshold) for v in (0, 100, 102)]]]


@pytest.mark.full
@pytest.mark.parametrize("threshold", [0.25, 0.5, 0.99])
def test_threshold_of_a_sigmoid(engine, both, threshold):
    recipe = NCHW.replace(color="GRAY", height=16, width=16, range=(-3, 3))
    pixels = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    head = Head(0, (1, 16, 16), reduce="threshold", threshold=threshold, keep=True)
    expected, found = both(models.plane(engine.writer(), recipe.dimensions), recipe, head, pixels)
    assert found == expected


@pytest.mark.full
@pytest.mark.parametrize("output", ["u8", "i8", "i32", "i64", "f32", "f16"])
@pytest.mark.parametrize("dimensions", [(1, 1, 2, 3), (1, 2, 3), (1, 2, 3, 1)])
def test_labels(engine, both, output, dimensions):
    layout = {(1, 1, 2, 3): "NCHW", (1, 2, 3): "CHW", (1, 2, 3, 1): "NHWC"}[dimensions]
    recipe = PreprocessRecipe(2, 3, layout, "GRAY")
    builders = models.doubled(engine.writer(), dimensions, output=output)
    head = Head(0, (1, 2, 3), reduce="labels")
    pixels = np.array([[0, 1, 2], [3, 10, 60]], np.uint8)[..., None]
    expected, found = both(builders, recipe, head, pixels)
    assert found == expected
    assert found[0].to_array().tolist() == [[[0, 2, 4], [6, 20, 120]]]


def test_nothing_reduced(engine, both):
    recipe = NCHW.replace(color="RGB")
    builders = models.doubled(engine.writer(), recipe.dimensions)
    head = Head(0, (3, HEIGHT, WIDTH), reduce="none", keep=True)
    expected, found = both(builders, recipe, head, pixels_of(recipe))
    assert found == expected
    assert [tensor.dimensions for tensor in found] == [(1, 3, HEIGHT, WIDTH)]


def test_quantized_output(engine, both):
    recipe = NCHW.replace(color="GRAY", height=1, width=3)
    builders = models.doubled(engine.writer(), recipe.dimensions, output="u8")
    head = Head(0, (1, 1, 3), reduce="threshold", threshold=0.5, keep=True, quantization=(0.25, 4))
    pixels = np.array([[[1], [3], [5]]], np.uint8)
    expected, found = both(builders, recipe, head, pixels)
    assert found == expected
    assert found[0].to_array().tolist() == [[[0, 0, 1]]]
    assert found[1].to_array().tolist() == [[[[-0.5, 0.5, 1.5]]]]


# ------------------------------------------------------------------------------ what is asked for


@pytest.mark.parametrize("given", [(1, HEIGHT, WIDTH, 3), (1, None, None, 3)])
def test_recipe_and_head_are_asked_for_once(engine, runner, given):
    recipe = NCHW.replace(layout="NHWC")
    head = Head(0, (3, HEIGHT, WIDTH), channels_last=True)
    asked = []

    def input_of(signature):
        asked.append(signature)
        return recipe

    def head_of(signature):
        asked.append(signature)
        return head

    builders = models.doubled(engine.writer(), given)
    runner.load(builders, engine.encoding, "CPU", "f32", input=input_of, head=head_of)
    sizes = [[p.dimensions for p in (*found.inputs, *found.outputs)] for found in asked]
    assert sizes == [[given, given], [recipe.dimensions, recipe.dimensions]]
    assert [[p.name for p in (*found.inputs, *found.outputs)] for found in asked] == [
        ["data", "scores"],
        ["data", "scores"],
    ]
    assert {p.type for found in asked for p in found.outputs} == {TensorType.F32}


def test_open_sizes_become_the_recipes(engine, both):
    recipe = NCHW.replace(layout="NHWC")
    builders = models.doubled(engine.writer(), (1, None, None, 3))
    head = Head(0, (3, HEIGHT, WIDTH), channels_last=True, keep=True)
    expected, found = both(builders, recipe, head, pixels_of(recipe))
    assert found == expected


def test_recipe_alone_and_head_alone(engine, runner):
    recipe, head = NCHW.replace(color="GRAY"), Head(0, (1, HEIGHT, WIDTH), reduce="threshold")
    builders = models.doubled(engine.writer(), recipe.dimensions)
    with_recipe = runner.load(builders, engine.encoding, "CPU", "f32", input=lambda _: recipe)
    assert (with_recipe.input, with_recipe.head) == (recipe, None)
    assert not with_recipe.fuses_head
    with_head = runner.load(builders, engine.encoding, "CPU", "f32", head=lambda _: head)
    assert (with_head.input, with_head.head) == (None, head)
    assert not with_head.fuses_input


@pytest.mark.parametrize("role", ["input", "head"])
def test_what_the_caller_refuses_comes_through(engine, runner, role):
    def refuse(_):
        raise errors.InvalidArgumentError("not for me")

    asked = {"input": lambda _: NCHW, "head": lambda _: Head(0, (3, HEIGHT, WIDTH))}
    builders = models.doubled(engine.writer(), NCHW.dimensions)
    with pytest.raises(errors.InvalidArgumentError, match="not for me"):
        runner.load(builders, engine.encoding, "CPU", "f32", **asked | {role: refuse})
