"""Gray, alpha, letterbox, crop and integers in preprocessing."""

import io
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from wasinn_nb.errors import ImageError
from wasinn_nb.imaging.placement import Placement
from wasinn_nb.imaging.preprocessing import (
    image_to_bytes,
    image_to_tensor,
    open_for,
    pixels_to_tensor,
    resized_pixels,
)
from wasinn_nb.imaging.recipe import PreprocessRecipe
from wasinn_nb.imaging.triangle import resize_triangle

# One row of two pixels: red, and a color with three different values.
ROW = np.array([[[255, 0, 0], [10, 20, 30]]], np.uint8)


# -- gray and alpha ------------------------------------------------------------------------------

COLORS = np.array([[[255, 0, 0], [0, 255, 0], [0, 0, 255], [10, 20, 30]]], np.uint8)


@pytest.mark.parametrize(
    ("resize", "gray"),
    [
        # 54.213, 182.376, 18.411 and (21260 + 143040 + 21660) / 10000 = 18.596, truncated
        ("triangle", [54, 182, 18, 18]),
        ("triangle-0.23", [54, 182, 18, 18]),
        # (19595 R + 38470 G + 7471 B + 32768) >> 16
        ("bilinear", [76, 150, 29, 18]),
        ("bilinear-draft", [76, 150, 29, 18]),
    ],
)
def test_gray_of_colors(resize, gray):
    recipe = PreprocessRecipe(1, 4, "HWC", "GRAY", "u8", resize=resize)
    assert resized_pixels(COLORS, recipe).tolist() == [[[value] for value in gray]]
    assert image_to_bytes(COLORS, 1, 4, "u8", color="GRAY", resize=resize) == bytes(gray)


def test_crates_before_0_24_made_gray_in_float32():
    """Their to_luma8 of (13, 13, 13) is 12.999999 truncated (issue 1214 of image-rs/image)."""
    thirteen = np.full((1, 1, 3), 13, np.uint8)
    recipe = PreprocessRecipe(1, 1, color="GRAY")
    assert resized_pixels(thirteen, recipe).item() == 13
    assert resized_pixels(thirteen, recipe.replace(resize="triangle-0.23")).item() == 12


@pytest.mark.full
@given(hnp.arrays(np.uint8, st.tuples(st.integers(1, 5), st.integers(1, 5), st.just(3))))
def test_gray_is_made_after_resizing_for_the_crate_and_before_it_for_pillow(pixels):
    recipe = PreprocessRecipe(3, 2, color="GRAY")
    small = resized_pixels(pixels, recipe.replace(color="RGB")).astype(int)
    expected = (2126 * small[..., 0] + 7152 * small[..., 1] + 722 * small[..., 2]) // 10_000
    assert resized_pixels(pixels, recipe)[..., 0].tolist() == expected.tolist()
    expected = Image.fromarray(pixels).convert("L").resize((2, 3), Image.Resampling.BILINEAR)
    actual = resized_pixels(pixels, recipe.replace(resize="bilinear"))
    assert actual[..., 0].tolist() == np.asarray(expected).tolist()


@pytest.mark.parametrize("resize", ["triangle", "triangle-0.23", "bilinear"])
@pytest.mark.parametrize("mode", ["1", "L", "LA", "I;16"])
def test_an_image_that_is_gray_keeps_its_values(resize, mode):
    levels = {"1": [0, 255, 255], "I;16": [0, 1, 255]}.get(mode, [0, 13, 255])
    image = Image.fromarray(np.array([levels], np.uint8))
    if mode == "I;16":
        image = Image.fromarray(np.array([levels], np.uint16) * 257)
    recipe = PreprocessRecipe(1, 3, color="GRAY", resize=resize)
    actual = resized_pixels(image if mode == "I;16" else image.convert(mode), recipe)
    assert actual.shape == (1, 3, 1)
    assert actual[0, :, 0].tolist() == levels


RGBA = np.array([[[200, 100, 0, 0], [10, 20, 30, 255]]], np.uint8)  # the first is transparent


@pytest.mark.parametrize(
    ("layout", "color", "values"),
    [
        ("HWC", "RGBA", [200, 100, 0, 0, 10, 20, 30, 255]),
        ("HWC", "BGRA", [0, 100, 200, 0, 30, 20, 10, 255]),
        ("CHW", "RGBA", [200, 10, 100, 20, 0, 30, 0, 255]),
        ("NCHW", "BGRA", [0, 30, 100, 20, 200, 10, 0, 255]),
    ],
)
@pytest.mark.parametrize(("type_", "code"), [("u8", "B"), ("f32", "f")])
def test_alpha_is_the_fourth_channel(layout, color, values, type_, code):
    raw = image_to_bytes(RGBA, 1, 2, type_, layout=layout, color=color)
    assert raw == struct.pack(f"<8{code}", *values)


@pytest.mark.parametrize("resize", ["triangle", "bilinear"])
@pytest.mark.parametrize("mode", ["RGB", "L", "P", "CMYK", "I;16"])
def test_alpha_is_255_where_an_image_has_none(mode, resize):
    if mode == "I;16":
        image = Image.fromarray(np.full((2, 2), 51 * 257, np.uint16))
    else:
        image = Image.new("RGB", (2, 2), (51, 51, 51)).convert(mode)
    actual = resized_pixels(image, PreprocessRecipe(1, 1, color="RGBA", resize=resize))
    assert actual.tolist() == [[[51, 51, 51, 255]]]


@pytest.mark.parametrize(
    ("mode", "made", "alpha"),
    [
        ("LA", lambda: Image.merge("LA", [Image.new("L", (1, 1), v) for v in (9, 7)]), 7),
        ("La", lambda: Image.new("RGBA", (1, 1), (9, 9, 9, 255)).convert("LA").convert("La"), 255),
        ("RGBa", lambda: Image.new("RGBA", (1, 1), (9, 9, 9, 255)).convert("RGBa"), 255),
    ],
)
def test_alpha_of_other_modes(mode, made, alpha):
    image = made()
    assert image.mode == mode
    assert resized_pixels(image, PreprocessRecipe(1, 1, color="RGBA")).tolist() == [
        [[9, 9, 9, alpha]]
    ]


def test_alpha_of_palettes_and_transparent_colors():
    palette = Image.new("P", (1, 1))
    palette.putpalette([1, 2, 3])
    palette.info["transparency"] = 0
    key = Image.new("RGB", (1, 1), (1, 2, 3))
    key.info["transparency"] = (1, 2, 3)
    for image in (palette, key):
        actual = resized_pixels(image, PreprocessRecipe(1, 1, color="RGBA"))
        assert actual.tolist() == [[[1, 2, 3, 0]]]


def test_the_crate_resizes_alpha_like_the_others_and_pillow_weighs_by_it():
    recipe = PreprocessRecipe(1, 1, color="RGBA")
    assert resized_pixels(RGBA, recipe).tolist() == [[[105, 60, 15, 128]]]
    # Of the transparent pixel nothing is seen; (10, 20, 30) is rounded on both ways.
    weighed = resized_pixels(RGBA, recipe.replace(resize="bilinear"))
    assert weighed.tolist() == [[[9, 19, 29, 128]]]
    assert (
        weighed.tolist()
        == np.asarray(Image.fromarray(RGBA).resize((1, 1), Image.Resampling.BILINEAR)).tolist()
    )


# -- letterbox and crop --------------------------------------------------------------------------

GRAY_ROW = np.array([[10, 20, 30, 40]], np.uint8)


@pytest.mark.parametrize("resize", ["triangle", "triangle-0.23", "bilinear"])
def test_letterbox_pads_and_crop_cuts(resize):
    recipe = PreprocessRecipe(3, 4, color="GRAY", resize=resize, fit="letterbox", pad_value=114)
    assert resized_pixels(GRAY_ROW, recipe)[..., 0].tolist() == [
        [114, 114, 114, 114],
        [10, 20, 30, 40],
        [114, 114, 114, 114],
    ]
    cut = recipe.replace(height=1, width=2, fit="crop")
    assert resized_pixels(GRAY_ROW, cut)[..., 0].tolist() == [[20, 30]]


def independent(image, recipe):
    """Letterbox and crop with Pillow and NumPy alone; *image* is of mode RGB or RGBA."""
    scale = min if recipe.fit == "letterbox" else max
    scale = scale(recipe.height / image.height, recipe.width / image.width)
    width, height = round(image.width * scale), round(image.height * scale)
    if recipe.resize == "bilinear":
        resized = image.resize((width, height), Image.Resampling.BILINEAR)
    else:
        resized = Image.fromarray(resize_triangle(np.asarray(image), height, width))
    size = (recipe.width, recipe.height)
    whole = Image.new(image.mode, size, (recipe.pad_value,) * len(image.mode))
    # What is pasted outside is cut off.  A margin's smaller half is above or to the left.
    margins = (size[0] - width, size[1] - height)
    whole.paste(resized, tuple(m // 2 if m >= 0 else -(-m // 2) for m in margins))
    return np.asarray(whole)


@pytest.mark.parametrize("fit", ["letterbox", "crop"])
@pytest.mark.parametrize("resize", ["triangle", "bilinear"])
@pytest.mark.parametrize("color", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", [(30, 47), (47, 30), (9, 9), (200, 31)])
def test_letterbox_and_crop_against_pillow(fit, resize, color, size):
    noise = np.random.default_rng(3).integers(0, 256, (*size, len(color)), np.uint8)
    recipe = PreprocessRecipe(24, 33, color=color, resize=resize, fit=fit, pad_value=114)
    expected = independent(Image.fromarray(noise), recipe)
    assert np.array_equal(resized_pixels(noise, recipe), expected)


def test_the_border_is_a_level_before_range_mean_and_scale():
    recipe = PreprocessRecipe(
        3, 4, "CHW", "GRAY", range=(0, 1), mean=0.5, scale=0.5, fit="letterbox", pad_value=255
    )
    values = image_to_tensor(GRAY_ROW, recipe).to_array()[0]
    assert values[0].tolist() == values[2].tolist() == [1.0] * 4


def test_alpha_of_the_border_is_the_pad_value_too():
    recipe = PreprocessRecipe(3, 4, color="RGBA", fit="letterbox", pad_value=7)
    assert resized_pixels(GRAY_ROW, recipe)[0, 0].tolist() == [7, 7, 7, 7]


def test_exif_turns_the_image_before_it_is_fitted():
    exif = Image.Exif()
    exif[0x0112] = 6
    image = Image.fromarray(GRAY_ROW)
    image.info["exif"] = exif.tobytes()
    recipe = PreprocessRecipe(4, 3, color="GRAY", fit="letterbox", pad_value=1, exif="apply")
    assert resized_pixels(image, recipe)[..., 0].tolist() == [
        [1, 10, 1], [1, 20, 1], [1, 30, 1], [1, 40, 1],
    ]  # fmt: skip


def test_an_image_too_narrow_to_be_cropped():
    strip = Image.new("L", (40_000, 10))
    recipe = PreprocessRecipe(224, 224, fit="crop")
    with pytest.raises(ImageError) as caught:
        resized_pixels(strip, recipe)
    assert str(caught.value) == (
        "to cover 224x224 pixels, the image of 10x40000 would be resized to 224x896000; expected "
        'sides of at most 65535; cut it to another shape, or use fit="letterbox"'
    )
    assert resized_pixels(strip, recipe.replace(fit="letterbox")).shape == (224, 224, 3)


@pytest.mark.parametrize(
    ("fit", "decoded"),
    [
        ("stretch", (30, 20)),  # 60 x 40 at a half: no less than 30 x 10
        ("letterbox", (15, 10)),  # the image needs 15 x 10
        ("crop", (30, 20)),  # 30 x 20
    ],
)
def test_draft_decodes_what_the_fit_needs(fit, decoded):
    smooth = np.add.outer(np.arange(40), np.arange(60)).astype(np.uint8)
    out = io.BytesIO()
    Image.fromarray(smooth).save(out, "JPEG", quality=95)
    recipe = PreprocessRecipe(10, 30, color="GRAY", resize="bilinear-draft", fit=fit, pad_value=255)
    opened = open_for(out.getvalue(), recipe)
    assert opened.image.size == decoded
    assert (opened.height, opened.width) == (40, 60)
    drafted = resized_pixels(out.getvalue(), recipe)
    assert np.array_equal(resized_pixels(opened, recipe), drafted)
    whole = resized_pixels(out.getvalue(), recipe.replace(resize="bilinear"))
    assert np.abs(drafted.astype(int) - whole).max() <= 3
    assert (drafted[..., 0] == 255).all(axis=0).sum() == (15 if fit == "letterbox" else 0)


def test_draft_places_by_the_full_size():
    """Of 1001 columns libjpeg makes 501, whose aspect ratio would be another one."""
    noise = np.random.default_rng(0).integers(0, 256, (401, 1001), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).save(out, "JPEG")
    recipe = PreprocessRecipe(1000, 100, resize="bilinear-draft", fit="letterbox")
    opened = open_for(out.getvalue(), recipe)
    assert opened[1:3] == (401, 1001)
    assert opened.image.size == (126, 51)
    rows = resized_pixels(out.getvalue(), recipe).any(axis=(1, 2)).sum()
    assert rows == Placement.of(recipe, 401, 1001).inside.height == round(401 / 10.01)


def test_draft_knows_which_way_exif_turns_the_image():
    exif = Image.Exif()
    exif[0x0112] = 6
    out = io.BytesIO()
    Image.new("L", (64, 16), 200).save(out, "JPEG", exif=exif)
    recipe = PreprocessRecipe(8, 8, color="GRAY", resize="bilinear-draft", fit="letterbox")
    for policy, full, decoded, columns in (
        ("ignore", (16, 64), (8, 2), slice(0, 8)),
        ("apply", (64, 16), (2, 8), slice(3, 5)),
    ):
        opened = open_for(out.getvalue(), recipe.replace(exif=policy))
        assert opened[1:3] == full
        assert opened.image.size == decoded
        seen = resized_pixels(out.getvalue(), recipe.replace(exif=policy))[..., 0] > 0
        assert seen[:, columns].any(axis=0).all()
        assert seen.sum() == 16


# -- integers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["HWC", "NCHW"])
def test_i8_is_the_value_minus_128(layout):
    ramp = np.arange(256, dtype=np.uint8).reshape(16, 16, 1)
    recipe = PreprocessRecipe(16, 16, layout, "GRAY", "i8")
    tensor = pixels_to_tensor(ramp, recipe)
    assert tensor.type.suffix == "i8"
    assert tensor.to_array().reshape(-1).tolist() == list(range(-128, 128))
    assert image_to_bytes(ROW[:, :1], 1, 1, "i8", color="RGB") == b"\x7f\x80\x80"


@pytest.mark.parametrize(
    ("type_", "changes", "values"),
    [
        # round half to even: 0, 0.5, 1, 1.5, 2.5, 127.5
        ("u8", {"quantization": (2, 0)}, [0, 0, 1, 2, 2, 128]),
        ("u8", {"quantization": (2, 200)}, [200, 200, 201, 202, 202, 255]),  # clamped
        ("i8", {"quantization": (2, -128)}, [-128, -128, -127, -126, -126, 0]),
        ("i8", {"quantization": (0.5, -128)}, [-128, -126, -124, -122, -118, 127]),
        ("u8", {"range": (0, 1), "quantization": (1 / 255, 0)}, [0, 1, 2, 3, 5, 255]),
        (
            "i8",
            {"range": (0, 1), "quantization": (1 / 255, -128)},
            [-128, -127, -126, -125, -123, 127],
        ),
        ("i8", {"range": (-1, 1), "quantization": (1 / 64, 0)}, [-64, -63, -63, -62, -61, 64]),
        ("u8", {"mean": 5, "quantization": (1, 0)}, [0, 0, 0, 0, 0, 250]),
        (
            "i8",
            {"mean": 1, "scale": 1e-30, "quantization": (1e-30, 0)},
            [-128, 0, 127, 127, 127, 127],
        ),
    ],
)
def test_quantization(type_, changes, values):
    levels = np.array([0, 1, 2, 3, 5, 255], np.uint8).reshape(1, 6, 1)
    recipe = PreprocessRecipe(1, 6, "HWC", "GRAY", type_, **changes)
    actual = pixels_to_tensor(levels, recipe).to_array()
    assert actual.dtype == np.dtype("uint8" if type_ == "u8" else "int8")
    assert actual.reshape(-1).tolist() == values


def test_quantization_goes_by_channel():
    recipe = PreprocessRecipe(
        1, 1, "CHW", "BGR", "i8", mean=(30, 20, 10), scale=(1, 2, 5), quantization=(1, 0)
    )
    assert pixels_to_tensor(ROW[:, 1:], recipe).to_array().reshape(-1).tolist() == [0, 0, 0]
    assert pixels_to_tensor(ROW[:, :1], recipe).to_array().reshape(-1).tolist() == [-30, -10, 49]
