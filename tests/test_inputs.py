"""Which input of a model is an image."""

from __future__ import annotations

import numpy as np
import pytest
import toy_files
from striped import GRAY, IMAGE, RGB, STRIPES, save

import wasinn_nb as wn
from wasinn_nb import errors
from wasinn_nb.abi import TensorType
from wasinn_nb.cards import FIVE_CALLS
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.imaging.recipe import PreprocessRecipe

# ------------------------------------------------------------------------------------- inputs


def doubled(data):
    from openvino import opset13 as op

    kind = data.get_element_type().get_type_name()
    values = data if kind == "f32" else op.convert(data, "f32")
    return op.multiply(values, np.float32(2))


def test_a_fixed_batch(tmp_path):
    path = save(tmp_path, doubled, (4, 3, 4, 6))
    with pytest.raises(errors.InvalidArgumentError) as caught:
        wn.segment(IMAGE, path)
    assert str(caught.value) == (
        "the model takes 4x3x4x6xf32: a fixed batch of 4 images; convert it again with a batch of "
        f"1, or {FIVE_CALLS.python}"
    )


def test_an_open_batch_is_one_image(tmp_path):
    path = save(tmp_path, doubled, (-1, 3, 4, 6))
    assert wn.segment(IMAGE, path, recipe=RGB).labels.tolist() == STRIPES
    assert wn.Pipeline(path).recipe.dimensions == (1, 3, 4, 6)


@pytest.mark.parametrize("shape", [(1, 3, -1, -1), (-1, 3, -1, -1), (1, 3, 4, -1)])
def test_open_sizes(tmp_path, shape):
    path = save(tmp_path, doubled, shape)
    assert wn.segment(IMAGE, path, recipe=RGB).labels.tolist() == STRIPES
    assumed = wn.Pipeline(path)
    height = 512 if shape[2] == -1 else 4
    assert assumed.recipe.dimensions == (1, 3, height, 512)
    assert f"size {height}x512, which the model leaves open" in assumed.assumed


@pytest.mark.parametrize(("layout", "shape"), [("CHW", (3, 4, 6)), ("HWC", (4, 6, 3))])
def test_images_without_a_batch(tmp_path, layout, shape):
    path = save(tmp_path, doubled, shape)
    result = wn.segment(IMAGE, path, recipe=RGB.replace(layout=layout))
    assert result.labels.tolist() == STRIPES
    assert result.recipe.dimensions == shape


def test_gray_images(tmp_path):
    from openvino import opset13 as op

    def build(data):
        return op.concat([data, op.subtract(np.float32(255), data)], 1)

    path = save(tmp_path, build, (1, 1, 5, 7))
    image = np.zeros((5, 7), np.uint8)
    image[2, 3] = 255
    result = wn.segment(image, path)
    assert result.recipe == GRAY.replace(height=5, width=7)
    assert result.areas() == {"class 0": 1, "class 1": 34}
    assert result.labels[2, 3] == 0


@pytest.mark.parametrize("color", ["RGBA", "BGRA"])
def test_images_with_alpha(tmp_path, color):
    path = save(tmp_path, doubled, (1, 4, 4, 6))
    image = np.dstack([IMAGE, np.full((4, 6), 75, np.uint8)])
    result = wn.segment(image, path, recipe=RGB.replace(color=color), scores=True)
    order = [0, 1, 2, 3] if color == "RGBA" else [2, 1, 0, 3]
    assert np.array_equal(result.scores, 2.0 * image[..., order].transpose(2, 0, 1))
    assert result.labels.tolist() == image[..., order].argmax(2).tolist()
    assert wn.Pipeline(path).recipe.color == "BGRA"


def test_signed_bytes(tmp_path):
    path = save(tmp_path, doubled, type_="i8")
    result = wn.segment(IMAGE, path, recipe=RGB.replace(type="i8"), scores=True)
    assert np.array_equal(result.scores, 2 * (IMAGE.transpose(2, 0, 1).astype(np.float32) - 128))
    assert result.labels.tolist() == STRIPES
    assert wn.Pipeline(path).recipe.range == (-128, 127)


def test_signed_bytes_with_quantization(tmp_path):
    path = save(tmp_path, doubled, type_="i8")
    recipe = RGB.replace(type="i8", range=(0, 1), quantization=(1 / 255, -128))
    result = wn.segment(IMAGE, path, recipe=recipe, scores=True)
    assert np.array_equal(result.scores, 2 * (IMAGE.transpose(2, 0, 1).astype(np.float32) - 128))


@pytest.mark.parametrize("type_", ["boolean", "i32", "i64", "f64"])
def test_segment_refuses_what_set_input_refuses(tmp_path, type_):
    """A mask from numbers of another type would look like a mask."""
    path = save(tmp_path, doubled, type_=type_)
    with pytest.raises(errors.InvalidArgumentError) as refused:
        wn.segment(IMAGE, path)
    assert f"the model takes 1x3x4x6x{type_}" in str(refused.value)
    with wn.WasiNnCtx() as ctx:
        context = ctx.init_execution_context(ctx.load(path))
        for image_type in ("u8", "i8", "f16", "f32"):
            recipe = RGB.replace(type=image_type)
            with pytest.raises(errors.InvalidArgumentError) as refused:
                wn.segment(IMAGE, path, recipe=recipe)
            assert f"the model takes 1x3x4x6x{type_}" in str(refused.value)
            with pytest.raises(errors.InvalidArgumentError) as refused:
                ctx.set_input(context, 0, wn.image_to_tensor(IMAGE, recipe))
            assert f"the model takes 1x3x4x6x{type_}" in str(refused.value)


@pytest.mark.full
@pytest.mark.parametrize("type_", ["u8", "i8", "f16", "f32"])
@pytest.mark.parametrize("given", ["u8", "i8", "f16", "f32"])
def test_segment_takes_what_set_input_takes(tmp_path, type_, given):
    path = save(tmp_path, doubled, type_=type_)
    recipe = RGB.replace(type=given)
    with wn.WasiNnCtx() as ctx:
        context = ctx.init_execution_context(ctx.load(path))
        tensor = wn.image_to_tensor(IMAGE, recipe)
        if given != type_:
            with pytest.raises(errors.InvalidArgumentError, match=f"the model takes .*x{type_}"):
                ctx.set_input(context, 0, tensor)
            with pytest.raises(errors.InvalidArgumentError, match=f"the model takes .*x{type_}"):
                wn.segment(IMAGE, path, recipe=recipe)
            return
        ctx.set_input(context, 0, tensor)
        ctx.compute(context)
        scores = ctx.get_output(context, 0).to_array()[0]
    result = wn.segment(IMAGE, path, recipe=recipe, scores=True)
    assert np.array_equal(result.scores, scores)
    assert TensorType.parse(type_) is result.recipe.type


@pytest.mark.parametrize("runtime", ["openvino", "litert"])
@pytest.mark.parametrize(
    ("type_", "quantization", "ends"),
    [
        ("i8", (1 / 255, -128), (0, 1)),
        ("u8", (1 / 255, 0), (0, 1)),
        ("i8", (1 / 127, 0), (-1, 1)),
        ("u8", (1 / 128, 128), (-1, 1)),
    ],
)
def test_quantization_that_the_file_states(tmp_path, runtime, type_, quantization, ends):
    """A card that says the values' range takes the scale and zero point from the file."""
    numbers = {"u8": 3, "i8": 9}
    dequantize = 6
    path = tmp_path / "toy.tflite"
    image_input = toy_files.tflite_tensor("x", (1, 5, 6, 3), numbers[type_], quantization)
    scores = toy_files.tflite_tensor("scores", (1, 5, 6, 3))
    path.write_bytes(toy_files.tflite([image_input, scores], [dequantize]))
    card = ModelCard.from_model(path, recipe={"color": "RGB", "range": ends, "resize": "bilinear"})
    assert card.recipe.quantization == (pytest.approx(quantization[0]), quantization[1])
    image = IMAGE[[0, 1, 2, 3, 3]]
    result = wn.segment(image, path, card=card, scores=True, runtime=runtime)
    low, high = ends
    values = image.transpose(2, 0, 1) / 255 * (high - low) + low
    assert result.scores == pytest.approx(values, abs=quantization[0] / 1.9)
    assert result.labels.tolist() == [STRIPES[0]] * 5


@pytest.mark.parametrize("runtime", ["openvino", "litert"])
@pytest.mark.parametrize("type_", ["u8", "i8"])
def test_quantized_probabilities(tmp_path, runtime, type_):
    """Bytes of one class are probabilities where the file states what they stand for."""
    number, zero_point = {"u8": (3, 0), "i8": (9, -128)}[type_]
    quantize = 114
    path = tmp_path / "toy.tflite"
    image_input = toy_files.tflite_tensor("x", (1, 2, 7, 1))
    person = toy_files.tflite_tensor("person", (1, 2, 7, 1), number, (1 / 256, zero_point))
    path.write_bytes(toy_files.tflite([image_input, person], [quantize]))
    recipe = PreprocessRecipe(2, 7, "NHWC", "GRAY", range=(0, 1), resize="bilinear")
    image = np.array([[0, 100, 120, 127, 129, 200, 255]] * 2, np.uint8)
    result = wn.segment(image, path, recipe=recipe, scores=True, runtime=runtime)
    assert result.labels.tolist() == [[0, 0, 0, 0, 1, 1, 1]] * 2
    assert result.scores[0] == pytest.approx(image / 255, abs=1 / 256)
    assert result.threshold == 0.5
