"""Diagnoses of integers and outputs, and their remedies."""

from __future__ import annotations

import numpy as np
import pytest
from diagnosed import (
    CROP,
    GRAY,
    IMAGE,
    LETTERBOX,
    RECIPES,
    RGB,
    RGBA,
    SMALL,
    STRETCH,
    axes,
    named,
)
from diagnoses import drawn_image
from PIL import Image, ImageOps
from toys import brightest_channel

import wasinn_nb as wn
from wasinn_nb.diagnosis import matching, outputs, remedies, resampling
from wasinn_nb.diagnosis.candidates import Making
from wasinn_nb.diagnosis.diagnosing import diagnose
from wasinn_nb.diagnosis.differences import mistakes_of

# -- integers ------------------------------------------------------------------------------------

I8 = wn.PreprocessRecipe(64, 96, "NHWC", "RGB", "i8", resize="bilinear")


@pytest.mark.parametrize(
    ("array", "axis", "sentence"),
    [
        ((SMALL.astype(int) - 128).astype("i1"), [], "Right: "),
        (
            SMALL.view("i1"),
            ["type"],
            "U8 bytes, 0 to 255, read as i8, where the model takes i8 elements, -128 to 127.",
        ),
        (
            SMALL,
            ["type"],
            "U8 elements, 0 to 255, where the model takes i8 elements, -128 to 127.",
        ),
        ((SMALL[:, :, ::-1].astype(int) - 128).astype("i1"), ["color"], "BGR channels, "),
        (SMALL.astype("f4"), ["range", "type"], "2 mistakes: values 0 to 255, "),
    ],
)
def test_i8_models(array, axis, sentence):
    found = named(array[None], I8)
    assert axes(found) == axis
    assert found.sentence.startswith(sentence)


QUANTIZED = I8.replace(range=(-1, 1), quantization=(2 / 255, -1))  # v - 128.5, rounded
COARSE = I8.replace(type="u8", range=(0, 1), quantization=(1 / 64, 7))  # a step is 4 levels


@pytest.mark.parametrize("recipe", [QUANTIZED, COARSE])
def test_quantized_models(recipe):
    step, zero = recipe.quantization
    low, high = recipe.range
    real = SMALL / 255 * (high - low) + low
    limits = np.iinfo(recipe.type.dtype)
    stored = np.clip(np.rint(real / step) + zero, limits.min, limits.max)
    assert axes(named(stored[None].astype(recipe.type.dtype), recipe)) == []
    swapped = stored[None, :, :, ::-1].astype(recipe.type.dtype)
    assert axes(named(swapped, recipe)) == ["color"]
    found = named(real[None].astype("f4"), recipe)
    assert axes(found) == ["range", "type"]


def test_levels_where_a_model_takes_quantized_values():
    found = named(SMALL[None], COARSE)
    assert found.sentence == (
        "Values 0 to 255, where the model takes values quantized with scale 0.015625 and zero "
        "point 7."
    )


def test_a_coarse_step_does_not_explain_another_image():
    other = wn.image_to_tensor(drawn_image(seed=9), COARSE)
    assert diagnose(other, IMAGE, COARSE).verdict in {"another image", "nothing fits"}


# -- outputs -------------------------------------------------------------------------------------


@pytest.fixture
def model(tmp_path):
    path = brightest_channel(tmp_path / "brightest.xml", height=96, width=96)
    return wn.model(path)


def output_of(model, recipe, image=IMAGE):
    with wn.WasiNnCtx(keep=None) as ctx:
        context = ctx.init_execution_context(ctx.load(model.files, model.encoding))
        ctx.set_input(context, 0, wn.image_to_tensor(image, recipe))
        ctx.compute(context)
        return ctx.get_output(context, 0)


@pytest.mark.full
@pytest.mark.parametrize("expected", RECIPES)
@pytest.mark.parametrize("made", RECIPES)
def test_fits_are_named_from_outputs(model, expected, made):
    output = output_of(model, RECIPES[made])
    found = diagnose(output, IMAGE, model, recipe=RECIPES[expected], stage="output", progress=False)
    assert axes(found) == ([] if made == expected else ["fit"]), found


@pytest.mark.full
@pytest.mark.parametrize("pad", [0, 128, 255])
def test_borders_are_named_from_outputs(model, pad):
    # One channel of the border decides the class, so that its level is seen in the scores.
    recipe = LETTERBOX.replace(mean=(0, 0, 0), scale=(100, 150, 200))
    output = output_of(model, recipe.replace(pad_value=pad))
    found = diagnose(output, IMAGE, model, recipe=recipe, stage="output", progress=False)
    assert axes(found) == ["pad"], found


def test_bytes_of_one_integer_type_in_the_other():
    original = resampling.Original(IMAGE)
    right = Making.of(I8)
    ways = list(outputs._unquantized(right))
    fed = [outputs.feed(way, original, I8).to_array()[0] for way in ways]
    assert np.array_equal(fed[0], SMALL.view("i1"))
    assert np.array_equal(fed[1], (SMALL.astype(int) - 128).astype("i1"))
    assert [[m.axis for m in mistakes_of(way, I8)] for way in ways] == [["type"], []]


def test_the_same_bytes_are_fed_once(model):
    """Of a gray image RGB and BGR are the same; neither is a mistake."""
    gray = np.repeat(IMAGE[:, :, :1], 3, axis=2)
    output = output_of(model, STRETCH.replace(scale=(1, 2, 3)), gray)
    recipe = STRETCH.replace(scale=(1, 2, 3))
    found = diagnose(output, gray, model, recipe=recipe, stage="output", progress=False)
    assert found.right, found


# -- remedies ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("axis", "recipe", "rust", "python"),
    [
        (
            "fit",
            CROP,
            "image.resize_to_fill(96, 96, FilterType::Triangle)",
            "large = ImageOps.cover(image, (96, 96), Image.Resampling.BILINEAR); ",
        ),
        (
            "fit",
            LETTERBOX,
            (
                "let mut whole = ImageBuffer::from_pixel(96, 96, Rgb([114; 3])); "
                "let small = image.resize(96, 96, FilterType::Triangle); overlay("
            ),
            'whole = Image.new("RGB", (96, 96), (114,) * 3); small = ImageOps.contain(image, ',
        ),
        (
            "pad",
            LETTERBOX.replace(color="GRAY"),
            "let mut whole = ImageBuffer::from_pixel(96, 96, Luma([114; 1]));",
            'whole = Image.new("L", (96, 96), (114,) * 1)',
        ),
        (
            "color",
            GRAY,
            "let gray = (19595 * r + 38470 * g + 7471 * b + 32768) >> 16;",
            "pixels = np.asarray(image.convert('L'))",
        ),
        (
            "color",
            GRAY.replace(resize="triangle"),
            "let gray = image.to_luma8();  // after resizing",
            "pixels = (np.asarray(image.convert('RGB'), np.uint32) @ [2126, 7152, 722] // 10000)",
        ),
        (
            "color",
            RGBA.replace(color="BGRA"),
            "let pixel = [p[2], p[1], p[0], p[3]];  // BGRA",
            "pixels = np.asarray(image.convert('RGBA'))[:, :, [2, 1, 0, 3]]  # BGRA",
        ),
        (
            "type",
            I8,
            "let value = (byte ^ 0x80) as i8;  // WASI-NN has no i8: only Python can run ",
            "array = (pixels ^ 0x80).view(np.int8)  # pixels - 128",
        ),
        (
            "range",
            COARSE,
            (
                "let value = (((f32::from(byte) / 255.0) / 0.015625).round_ties_even() + 7.0)"
                ".clamp(0.0, 255.0) as u8;"
            ),
            (
                "values = np.clip(np.rint((pixels.astype(np.float32) / 255.0) / 0.015625) + 7, "
                "0, 255).astype(np.uint8)"
            ),
        ),
    ],
)
def test_remedies(axis, recipe, rust, python):
    assert remedies.rust_line(axis, recipe).startswith(rust)
    assert remedies.python_line(axis, recipe).startswith(python)


@pytest.mark.parametrize(
    "recipe", [LETTERBOX, CROP, GRAY, I8, RGBA.replace(color="BGRA"), COARSE, QUANTIZED], ids=repr
)
def test_the_lines_of_python_make_the_recipe_s_tensor(recipe):
    """Run as a program: fit, color, values, layout."""
    # Gray is made before resizing, as its line says.
    image = RGB.convert("L") if recipe.color == "GRAY" else RGB
    names = {"np": np, "Image": Image, "ImageOps": ImageOps, "image": image}
    fit = remedies.python_line("fit", recipe)
    exec(f"image = {fit}" if recipe.fit == "stretch" else fit, names)
    names["image"] = names.get("whole", names["image"])
    for axis in ("color", "range"):
        exec(remedies.python_line(axis, recipe), names)
    names["pixels"] = names["values"]
    exec(remedies.python_line("layout", recipe), names)
    assert np.array_equal(names["array"], wn.image_to_tensor(IMAGE, recipe).to_array())


SOURCES = {
    "gray": Image.fromarray(IMAGE[:, :, 0]),
    "16 bits": Image.fromarray(IMAGE[:, :, 0].astype(np.uint16) * 257 + 100),
    "gray and alpha": Image.merge("LA", [RGB.getchannel(0), RGB.getchannel(1)]),
    "palette": RGB.quantize(64),
}


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("color", ["GRAY", "RGBA", "RGB"])
@pytest.mark.parametrize("resize", ["triangle", "triangle-0.23", "bilinear"])
def test_images_of_every_mode_are_right(source, color, resize):
    recipe = LETTERBOX.replace(color=color, resize=resize)
    fed = wn.image_to_tensor(SOURCES[source], recipe)
    found = diagnose(fed, SOURCES[source], recipe)
    assert found.right, found
    assert found.exact


@pytest.mark.parametrize("fit", ["stretch", "letterbox", "crop"])
def test_very_narrow_images(fit):
    strip = np.random.default_rng(0).integers(0, 256, (2, 3000, 3), np.uint8)
    fed = wn.image_to_tensor(strip, STRETCH)
    found = diagnose(fed, strip, STRETCH.replace(fit=fit))
    assert axes(found) == ([] if fit == "stretch" else ["fit"])
    assert repr(found)
    assert found.to_dict()


def test_every_fit_is_searched_from_the_recipe_s_own():
    for recipe in RECIPES.values():
        search = matching.match(
            wn.image_to_tensor(IMAGE, recipe), resampling.Original(IMAGE), recipe
        )
        assert len(search.candidates) == 1
