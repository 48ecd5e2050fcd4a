"""Diagnosis of letterboxed, cropped, gray, RGBA and integer inputs: one broken program each."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from PIL import Image, ImageOps
from test_diagnosis import drawn_image
from toys import brightest_channel

import wasinn_nb as wn
from wasinn_nb.diagnosis import matching, outputs, remedies, resampling
from wasinn_nb.diagnosis.candidates import Making
from wasinn_nb.diagnosis.diagnosing import diagnose
from wasinn_nb.diagnosis.differences import mistakes_of

IMAGE = drawn_image()  # 135 rows of 240 columns
RGB = Image.fromarray(IMAGE)
BILINEAR = Image.Resampling.BILINEAR


def axes(found):
    return [mistake.axis for mistake in found.mistakes]


def named(array, recipe, image=IMAGE):
    """Return what is named of an exact diagnosis of *array*, declared as the model wants it."""
    array = np.ascontiguousarray(array)
    found = diagnose(wn.Tensor(array.shape, array.dtype, array), image, recipe, stage="input")
    assert found.exact, found
    return found


def nchw(pixels, dtype="f4"):
    return pixels.transpose(2, 0, 1)[None].astype(dtype)


# -- letterbox and crop --------------------------------------------------------------------------

LETTERBOX = wn.PreprocessRecipe(
    96, 96, color="RGB", resize="bilinear", fit="letterbox", pad_value=114
)
CROP = LETTERBOX.replace(fit="crop", pad_value=0)
STRETCH = CROP.replace(fit="stretch")


def letterboxed(pad, size=96):
    """Return the image as Ultralytics' LetterBox places it, resized by Pillow."""
    gain = min(size / 135, size / 240)
    width, height = round(240 * gain), round(135 * gain)
    top, left = round((size - height) / 2 - 0.1), round((size - width) / 2 - 0.1)
    whole = np.full((size, size, 3), pad, np.uint8)
    small = RGB.resize((width, height), BILINEAR)
    whole[top : top + height, left : left + width] = np.asarray(small)
    return whole


def cropped(size=96):
    scale = max(size / 135, size / 240)
    width, height = round(240 * scale), round(135 * scale)
    large = RGB.resize((width, height), BILINEAR)
    left, top = (width - size) // 2, (height - size) // 2
    return np.asarray(large.crop((left, top, left + size, top + size)))


def stretched(size=96):
    return np.asarray(RGB.resize((size, size), BILINEAR))


FITTED = {"stretch": stretched(), "letterbox": letterboxed(114), "crop": cropped()}
RECIPES = {"stretch": STRETCH, "letterbox": LETTERBOX, "crop": CROP}


@pytest.mark.parametrize("expected", RECIPES)
@pytest.mark.parametrize("made", FITTED)
def test_each_fit_is_right_or_the_mistake(expected, made):
    found = named(nchw(FITTED[made]), RECIPES[expected])
    assert axes(found) == ([] if made == expected else ["fit"])
    assert found.right == (made == expected)
    assert found.candidates[0].making.fit == made


@pytest.mark.parametrize("pad", [0, 128, 255])
def test_a_border_of_another_level(pad):
    found = named(nchw(letterboxed(pad)), LETTERBOX)
    assert str(found.mistakes[0]) == f"border filled with {pad}, where the model takes 114"
    assert axes(found) == ["pad"]
    assert found.candidates[0].making.recipe() == LETTERBOX.replace(pad_value=pad)


def test_a_border_of_zeros_after_the_normalization():
    mean = (0.485, 0.456, 0.406)
    recipe = LETTERBOX.replace(range=(0, 1), mean=mean)
    values = letterboxed(0).astype(np.float32) / 255 - np.float32(mean)
    values[: (96 - 54) // 2] = values[-(96 - 54) // 2 :] = 0
    found = named(nchw(values), recipe)
    assert found.sentence == ("Border filled with 124, 116, 104, where the model takes 114.")


def test_the_odd_row_of_the_border_may_be_above():
    recipe = LETTERBOX.replace(height=95, width=96)  # 54 rows of 95: 20 above, 21 below
    whole = np.full((95, 96, 3), 114, np.uint8)
    whole[21:75] = np.asarray(RGB.resize((96, 54), BILINEAR))
    found = named(nchw(whole), recipe)
    assert axes(found) == ["fit"]
    assert found.candidates[0].making.fit == "letterbox-late"


def test_a_letterbox_together_with_other_mistakes():
    found = named(nchw(letterboxed(0)[:, :, ::-1] / np.float32(255)), LETTERBOX)
    assert set(axes(found)) == {"color", "range", "pad"}
    found = named(letterboxed(114).astype("f4"), LETTERBOX)
    assert axes(found) == ["layout"]


def test_a_crop_by_image_ops_is_another_fit():
    fitted = np.asarray(ImageOps.fit(RGB, (96, 96), BILINEAR))
    found = named(nchw(fitted), CROP)
    assert axes(found) == ["fit"]
    assert found.candidates[0].making.fit == "crop-first"


@pytest.mark.parametrize("resize", ["triangle", "triangle-0.23", "bilinear"])
@pytest.mark.parametrize("fit", ["letterbox", "crop"])
@pytest.mark.parametrize("color", ["RGB", "BGR", "GRAY", "RGBA"])
def test_what_the_recipe_makes_is_right(resize, fit, color):
    recipe = LETTERBOX.replace(resize=resize, fit=fit, color=color)
    found = diagnose(wn.image_to_tensor(IMAGE, recipe), IMAGE, recipe)
    assert found.right, found
    assert found.exact
    assert not found.notes


@pytest.mark.parametrize("fit", ["letterbox", "crop"])
def test_a_drafted_jpeg(fit):
    out = io.BytesIO()
    Image.fromarray(drawn_image(540, 960)).save(out, "JPEG", quality=95)
    recipe = LETTERBOX.replace(resize="bilinear-draft", fit=fit)
    found = diagnose(wn.image_to_tensor(out.getvalue(), recipe), out.getvalue(), recipe)
    assert found.right
    assert found.exact


def test_the_image_has_the_shape_of_the_input():
    recipe = LETTERBOX.replace(height=135, width=240)
    assert diagnose(wn.image_to_tensor(IMAGE, recipe), IMAGE, recipe).right


# -- gray ----------------------------------------------------------------------------------------

GRAY = wn.PreprocessRecipe(64, 96, color="GRAY", resize="bilinear")
SMALL = np.asarray(RGB.resize((96, 64), BILINEAR))
L = np.asarray(RGB.convert("L").resize((96, 64), BILINEAR))


@pytest.mark.parametrize(
    ("array", "axis", "sentence"),
    [
        (L[None, None], [], "Right: "),
        (L[None, :, :, None], [], "Right: "),  # the same bytes
        (L.T[None, None], ["layout"], "Height and width swapped in memory"),
        (
            nchw(SMALL[:, :, ::-1]),
            ["color"],
            "BGR channels, where the model takes one channel of gray.",
        ),
        (SMALL[None], ["layout", "color"], "2 mistakes: HWC bytes (1x64x96x3), where the model "),
    ],
)
def test_gray_models(array, axis, sentence):
    found = named(array.astype("f4"), GRAY)
    assert axes(found) == axis
    assert found.sentence.startswith(sentence)


def test_gray_of_rust_where_pillow_s_is_wanted_and_the_reverse():
    rust = GRAY.replace(resize="triangle")
    for expected, made in ((GRAY, rust), (rust, GRAY)):
        found = named(wn.image_to_tensor(IMAGE, made).to_array(), expected)
        assert axes(found) == ["color"]  # the filters differ by less than a level
        assert "gray by Rec. " in found.sentence
        assert found.notes[0].startswith("The filter is ")


def test_gray_by_opencv_is_near_pillow_s():
    small = cv2.resize(cv2.cvtColor(IMAGE, cv2.COLOR_RGB2GRAY), (96, 64))
    found = diagnose(small[None, None].astype("f4"), IMAGE, GRAY, stage="input")
    assert axes(found) == ["resize"]
    assert found.candidates[0].making.filter == "cv2-linear"


def test_one_channel_of_gray_where_a_model_takes_three():
    recipe = GRAY.replace(color="RGB")
    found = named(L[None, None].astype("f4"), recipe)
    assert found.sentence == "One channel of gray, where the model takes RGB."


def test_a_mask_of_a_gray_model_is_an_output():
    found = diagnose(np.zeros((64, 96), np.uint8), model=GRAY)
    assert found.verdict == "alarm"
    assert found.subject == "a 64x96 mask"


# -- alpha ---------------------------------------------------------------------------------------

RAMP = np.tile(np.linspace(0, 255, 240).astype(np.uint8), (135, 1))
TRANSPARENT = Image.fromarray(np.dstack([IMAGE, RAMP]))
RGBA = wn.PreprocessRecipe(64, 96, "NHWC", "RGBA", "u8", resize="bilinear")
WEIGHED = np.asarray(TRANSPARENT.resize((96, 64), BILINEAR))
OPAQUE = np.dstack([SMALL, np.full((64, 96), 255, np.uint8)])


@pytest.mark.parametrize(
    ("array", "image", "axis"),
    [
        (WEIGHED[None], TRANSPARENT, []),
        (WEIGHED[None, :, :, [2, 1, 0, 3]], TRANSPARENT, ["color"]),
        (WEIGHED.transpose(2, 0, 1)[None], TRANSPARENT, ["layout"]),
        (OPAQUE[None], TRANSPARENT, ["alpha"]),
        (OPAQUE[None], IMAGE, []),
        (OPAQUE[None, :, :, [2, 1, 0, 3]], IMAGE, ["color"]),
        (OPAQUE[None] / np.float32(255), IMAGE, ["range", "type"]),
        (OPAQUE[None] * np.float32(1.7) + np.float32(3), IMAGE, ["range", "type"]),
        (SMALL[None], IMAGE, ["color"]),
    ],
)
def test_models_with_alpha(array, image, axis):
    assert axes(named(array, RGBA, image)) == axis


def test_four_channels_where_a_model_takes_three():
    found = named(OPAQUE[None], RGBA.replace(color="RGB"))
    assert found.sentence == "RGBA channels, where the model takes RGB."


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
