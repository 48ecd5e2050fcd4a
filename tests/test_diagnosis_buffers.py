"""Tensors that were never written, wrapped numbers, color spaces, and gaps between rows."""

import numpy as np
import pytest
import toys
from diagnoses import drawn_image
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.diagnosis.diagnosing import diagnose
from wasinn_nb.diagnosis.spaces import in_space

pytestmark = pytest.mark.full

IMAGE = drawn_image()
RECIPE = wn.PreprocessRecipe(64, 96, resize="bilinear")
NORMALIZED = RECIPE.replace(range=(0, 1), mean=(0.485, 0.456, 0.406), scale=(0.229, 0.224, 0.225))
NHWC, BYTES = RECIPE.replace(layout="NHWC"), RECIPE.replace(type="u8")
RIGHT = wn.image_to_tensor(IMAGE, RECIPE).to_array()
RGB = np.asarray(Image.fromarray(IMAGE).resize((96, 64), Image.Resampling.BILINEAR))
SIGNED = RIGHT.astype(np.uint8).view(np.int8)


def planes(pixels):
    return pixels.transpose(2, 0, 1)[None].astype(np.float32)


def axes(found):
    return {mistake.axis for mistake in found.mistakes}


# -- never written -------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", [RECIPE, NORMALIZED, NHWC, BYTES, RECIPE.replace(type="i8")])
def test_an_input_of_zeros_was_never_written(recipe):
    zeros = np.zeros(recipe.dimensions, recipe.type.dtype)
    found = diagnose(zeros, IMAGE, recipe)
    assert (found.verdict, found.exact, axes(found)) == ("mistake", True, {"buffer"})
    assert found.sentence == "The input was never written: every value is 0."


def test_zeros_of_a_black_image_are_right():
    black = np.zeros_like(IMAGE)
    assert diagnose(np.zeros_like(RIGHT), black, RECIPE).right
    found = diagnose(np.zeros_like(RIGHT), black, NORMALIZED)
    assert "buffer: the input was never written: every value is 0" in " ".join(
        [*found.notes, *(one.name for one in found.candidates)]
    )


def test_an_input_of_which_little_was_written_is_of_no_other_image():
    values = np.zeros_like(RIGHT)
    values.reshape(-1)[:5] = 3
    found = diagnose(values, IMAGE, RECIPE)
    assert found.verdict == "nothing fits"
    assert "99.97 % of the values are 0" in found.sentence


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """A model with logits without bounds: 3 classes, up to some 500."""
    from openvino import opset13 as op

    kernel = np.random.default_rng(1).normal(size=(3, 3, 3, 3)).astype(np.float32)

    def build(data):
        bent = op.relu(op.convolution(data, kernel, [1, 1], [1, 1], [1, 1], [1, 1]))
        second = kernel[:, :, 1:2, 1:2] + np.float32(0.1)
        return op.convolution(bent, second, [1, 1], [0, 0], [0, 0], [1, 1])

    return toys.save(toys.graph(build, (1, 3, 64, 96)), tmp_path_factory.mktemp("m") / "toy.xml")


CARD = wn.ModelCard("toy", "segmentation", RECIPE, ("a", "b", "c"))


def given_by(model, tensor):
    with wn.WasiNnCtx() as ctx:
        context = ctx.init_execution_context(ctx.load(model))
        ctx.set_input(context, 0, tensor)
        ctx.compute(context)
        return ctx.get_output(context, 0)


def test_the_output_of_zeros_is_named_or_shows_no_cause(model):
    output = given_by(model, wn.Tensor.from_array(np.zeros_like(RIGHT)))
    found = diagnose(output, IMAGE, model, card=CARD, stage="output")
    # Big-endian bytes are tiny numbers, which give the same.
    assert found.sentence.startswith("No cause can be named: 2 ways of feeding the model give")
    assert "the input was never written" in found.sentence
    assert "big-endian bytes" in found.sentence
    assert (found.verdict, found.mistakes, found.exact) == ("nothing fits", (), False)


@pytest.mark.parametrize("kind", ["scores", "labels", "result", "tensor", "bfloat16"])
def test_a_right_run_of_a_model_with_unbounded_logits_is_right(model, kind):
    result = wn.segment(IMAGE, model, card=CARD, scores=True)
    assert max(-result.scores.min(), result.scores.max()) > 100
    given = {
        "scores": result.scores,
        "labels": result.labels,
        "result": result,
        "tensor": given_by(model, wn.image_to_tensor(IMAGE, RECIPE)),
        # One part in 256 of every score.
        "bfloat16": (result.scores.view(np.uint32) & 0xFFFF0000).view(np.float32),
    }[kind]
    found = diagnose(given, IMAGE, model, card=CARD, stage="output")
    assert (found.verdict, found.mistakes) == ("right", ()), found
    assert found.exact == (kind != "bfloat16")
    assert not found.candidates[0].mistakes
    if kind == "labels":  # a model without biases gives the same mask for any scale
        assert "This mask comes as well of range: values 0 to 1" in found.notes[1]


def test_a_wrong_run_of_that_model_is_named(model):
    for recipe, axis in ((RECIPE.replace(color="RGB"), "color"), (NORMALIZED, "range")):
        output = given_by(model, wn.image_to_tensor(IMAGE, recipe))
        found = diagnose(output, IMAGE, model, card=CARD, stage="output")
        assert axis in axes(found), found
        assert found.exact


def test_without_a_card_the_sentence_says_what_was_assumed(model):
    for values, verdict in ((RIGHT, "right"), (RIGHT[:, ::-1], "mistake")):
        fed = np.ascontiguousarray(values)
        for stage, given in {
            "input": fed,
            "output": given_by(model, wn.Tensor.from_array(fed)),
        }.items():
            found = diagnose(given, IMAGE, model, stage=stage)
            assert found.verdict == verdict
            assert "compared with an assumed recipe (BGR, values 0 to 255" in found.sentence


# -- wrapped numbers -----------------------------------------------------------------------------


@pytest.mark.parametrize("scale", [1, 255, 256])
def test_bytes_that_were_read_as_signed_are_named(scale):
    recipe = RECIPE if scale == 1 else RECIPE.replace(range=(0, 255 / scale))
    found = diagnose(SIGNED.astype(np.float32) / np.float32(scale), IMAGE, recipe)
    assert (axes(found), found.exact) == ({"range"}, True)
    assert found.sentence.startswith("Bytes read as signed, so that 128 to 255 became -128 to -1")


def test_together_with_another_mistake():
    found = diagnose(np.ascontiguousarray(SIGNED[:, ::-1]).astype("f4"), IMAGE, RECIPE)
    assert (axes(found), found.exact) == ({"range", "color"}, True)


def test_levels_less_128_as_bytes_are_named():
    found = diagnose(RIGHT.astype(np.uint8) - np.uint8(128), IMAGE, BYTES)
    assert (axes(found), found.exact) == ({"type"}, True)
    assert found.sentence.startswith("I8 bytes, -128 to 127, read as u8")


def test_a_mean_that_wraps_bytes_is_of_no_other_image():
    wrapped = RIGHT.astype(np.uint8) - np.uint8([104, 117, 124])[None, :, None, None]
    found = diagnose(wrapped, IMAGE, BYTES)
    assert found.verdict == "nothing fits"
    assert "8-bit arithmetic wrapped around" in found.sentence


# -- color spaces --------------------------------------------------------------------------------

CV2 = {"YCrCb": "COLOR_RGB2YCrCb", "YUV": "COLOR_RGB2YUV", "HSV": "COLOR_RGB2HSV"}
CV2 |= {"Lab": "COLOR_RGB2Lab"}


@pytest.mark.parametrize("space", CV2)
def test_color_spaces_of_opencv_are_named(space):
    cv2 = pytest.importorskip("cv2")
    made = cv2.cvtColor(RGB, getattr(cv2, CV2[space]))
    found = diagnose(planes(made), IMAGE, RECIPE)
    assert axes(found) == {"color"}, found
    assert found.sentence.startswith(f"{space} channels (cv2.COLOR_BGR2{space}")
    bright = np.random.default_rng(0).integers(0, 256, (200, 200, 3), np.uint8)
    apart = np.abs(
        cv2.cvtColor(bright, getattr(cv2, CV2[space])).astype(int) - in_space(bright, space)
    )
    assert np.minimum(apart, 180 - apart if space == "HSV" else apart).max() <= 2


@pytest.mark.parametrize(("mode", "name"), [("YCbCr", "YCbCr"), ("HSV", "HSV 255")])
def test_color_spaces_of_pillow_are_named(mode, name):
    made = np.asarray(Image.fromarray(RGB).convert(mode))
    found = diagnose(planes(made) / 255, IMAGE, RECIPE.replace(range=(0, 1)))
    assert (axes(found), found.exact) == ({"color"}, True)
    assert found.candidates[0].name == f"color: {name} channels"


def test_any_other_mixture_of_the_channels_is_of_no_other_image():
    weights = np.float32([[0.2, 0.9, -0.3], [0.5, -0.4, 0.6], [-0.7, 0.3, 0.8]])
    found = diagnose(planes(RGB @ weights), IMAGE, RECIPE)
    assert found.verdict == "nothing fits"
    assert "mixtures of red, green and blue" in found.sentence


# -- gaps between rows and pixels ----------------------------------------------------------------


@pytest.mark.parametrize("gap", [1, 4, 16, 32, 100])
def test_rows_with_padding_are_named(gap):
    rows = np.zeros((64, 288 + gap), np.float32)
    rows[:, :288] = RGB[:, :, ::-1].reshape(64, 288)
    cut = rows.reshape(-1)[: 64 * 288].reshape(1, 64, 96, 3)
    for given in (cut, rows[None]):  # cut off, or as long as it is
        found = diagnose(given, IMAGE, NHWC, stage="input")
        assert (axes(found), found.exact) == ({"stride"}, True), found
        assert f"Rows that begin every {288 + gap} values, where" in found.sentence


def test_planes_with_padded_rows_are_named():
    rows = np.full((3, 64, 100), 7, np.float32)
    rows[:, :, :96] = RIGHT[0]
    found = diagnose(rows.reshape(-1)[:18432].reshape(1, 3, 64, 96), IMAGE, RECIPE)
    assert (axes(found), found.exact) == ({"stride"}, True)
    assert "Rows that begin every 100 values, where the model takes every 96." in found.sentence


def test_padded_rows_with_another_mistake_are_named():
    rows = np.zeros((64, 304), np.float32)
    rows[:, :288] = RGB.reshape(64, 288)
    found = diagnose(rows.reshape(-1)[:18432].reshape(1, 3, 64, 96), IMAGE, RECIPE)
    assert (axes(found), found.exact) == ({"stride", "color", "layout"}, True)


def test_a_fourth_channel_that_is_read_as_a_third_is_named():
    pixels = np.zeros((64, 96, 4), np.float32)
    pixels[:, :, :3] = RGB[:, :, ::-1]
    found = diagnose(pixels.reshape(-1)[:18432].reshape(1, 64, 96, 3), IMAGE, NHWC)
    assert (axes(found), found.exact) == ({"stride"}, True)
    assert found.sentence.startswith("Pixels that begin every 4 values, as with a fourth channel")


@pytest.mark.parametrize("recipe", [RECIPE, BYTES], ids=str)
def test_another_image_is_still_another_image(recipe):
    other = wn.image_to_tensor(drawn_image(seed=9), recipe)
    found = diagnose(other, IMAGE, recipe)
    assert (found.verdict, found.mistakes) == ("another image", ())
    assert "row length or color space that is known here" in found.sentence
