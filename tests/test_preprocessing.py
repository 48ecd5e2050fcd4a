"""Images as tensors: values, layouts, and what is refused."""

import re
import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from PIL import Image

from wasinn_nb.errors import ImageError, MissingFileError, RecipeError
from wasinn_nb.imaging.placement import Placement
from wasinn_nb.imaging.preprocessing import (
    image_to_bytes,
    image_to_tensor,
    pixels_to_tensor,
    resized_pixels,
)
from wasinn_nb.imaging.recipe import PreprocessRecipe
from wasinn_nb.tensor import read_tensor

NAME = re.compile(
    r"(?P<image>.+)\.image-(?P<crate>[\d.]+)\.(?P<color>rgb|bgr)-(?P<h>\d+)x(?P<w>\d+)x3xu8\.tensor"
)
REFERENCES = 11


def test_the_reference_tensors(shared):
    """The bytes that Rust guests handed over: 0 differ, or on JPEG at most 2 of 255."""
    seen = 0
    for path in sorted((shared / "reference").glob("*.tensor")):
        parts = NAME.fullmatch(path.name)
        height, width = int(parts["h"]), int(parts["w"])
        resize = "triangle-0.23" if parts["crate"].startswith("0.23.") else "triangle"
        expected = read_tensor(path).to_array().reshape(-1)
        color = parts["color"].upper()
        image = shared / "images" / parts["image"]
        actual = image_to_bytes(image, height, width, "u8", color=color, resize=resize)
        off = np.abs(np.frombuffer(actual, np.uint8).astype(int) - expected)
        if image.suffix == ".jpg":
            assert off.max() <= 2, path.name
            assert (off > 0).mean() < 0.15, path.name
        else:
            assert off.max() == 0, path.name
        seen += 1
    assert seen >= REFERENCES


# One row of two pixels: red, and a color with three different values.
ROW = np.array([[[255, 0, 0], [10, 20, 30]]], np.uint8)


@pytest.mark.parametrize(
    ("layout", "color", "values"),
    [
        ("HWC", "RGB", [255, 0, 0, 10, 20, 30]),
        ("NHWC", "RGB", [255, 0, 0, 10, 20, 30]),
        ("HWC", "BGR", [0, 0, 255, 30, 20, 10]),
        ("CHW", "RGB", [255, 10, 0, 20, 0, 30]),
        ("NCHW", "BGR", [0, 30, 0, 20, 255, 10]),
    ],
)
@pytest.mark.parametrize(("type_", "code"), [("u8", "B"), ("f32", "f"), ("f16", "e")])
def test_layout_color_and_type(layout, color, values, type_, code):
    raw = image_to_bytes(ROW, 1, 2, type_, layout=layout, color=color)
    assert raw == struct.pack(f"<6{code}", *values)
    tensor = image_to_tensor(ROW, PreprocessRecipe(1, 2, layout, color, type_))
    assert bytes(tensor.data) == raw
    assert tensor.dimensions == PreprocessRecipe(1, 2, layout).dimensions
    assert tensor.type.suffix == type_


def test_the_defaults_are_the_seed_program_s():
    assert image_to_bytes(ROW, 1, 2, "u8") == bytes([0, 0, 255, 30, 20, 10])  # HWC, BGR


@pytest.mark.parametrize("resize", ["triangle", "triangle-0.23", "bilinear"])
def test_each_filter_averages_when_it_shrinks(resize):
    checks = np.indices((8, 8)).sum(axis=0).astype(np.uint8) % 2 * 255
    values = np.frombuffer(image_to_bytes(checks, 1, 1, "u8", resize=resize), np.uint8)
    assert set(values.tolist()) <= {127, 128}


@pytest.mark.parametrize(
    ("changes", "values"),
    [
        ({"range": (0, 1)}, [1.0, 0.0, 0.0]),
        ({"range": (-1, 1)}, [1.0, -1.0, -1.0]),
        ({"range": (1, 0)}, [0.0, 1.0, 1.0]),
        ({"mean": (1, 2, 3)}, [254.0, -2.0, -3.0]),
        ({"scale": (5, 1, 1)}, [51.0, 0.0, 0.0]),
        ({"range": (0, 1), "mean": (0.5, 0.25, 0), "scale": (0.5, 0.5, 1)}, [1.0, -0.5, 0.0]),
        ({"range": (0, 1), "mean": (0.5, 0.25, 0), "color": "BGR"}, [-0.5, -0.25, 1.0]),
    ],
)
@pytest.mark.parametrize("layout", ["HWC", "CHW"])
@pytest.mark.parametrize("type_", ["f32", "f16"])
def test_range_mean_and_scale_in_this_order(changes, values, layout, type_):
    recipe = PreprocessRecipe(1, 1, layout, "RGB", type_).replace(**changes)
    actual = image_to_tensor(ROW[:, :1], recipe).to_array()
    assert actual.dtype == np.dtype(type_.replace("f", "float"))
    assert actual.reshape(-1).tolist() == values


def test_values_are_computed_in_float32():
    recipe = PreprocessRecipe(
        1, 1, "HWC", "RGB", range=(0, 1), mean=(0.485, 0.456, 0.406), scale=(0.229, 0.224, 0.225)
    )
    f = np.float32
    expected = [
        (f(10) / f(255) - f(0.485)) / f(0.229),
        (f(20) / f(255) - f(0.456)) / f(0.224),
        (f(30) / f(255) - f(0.406)) / f(0.225),
    ]
    assert image_to_tensor(ROW[:, 1:], recipe).to_array().reshape(-1).tolist() == expected


def test_exif_turns_the_image_before_the_resize(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    gray = np.array([[0, 64, 255]], np.uint8)
    path = tmp_path / "turned.png"
    Image.fromarray(np.ascontiguousarray(np.rot90(gray))).save(path, exif=exif)
    recipe = PreprocessRecipe(1, 3, "HWC", type="u8", exif="apply")
    assert image_to_tensor(path, recipe).to_array()[..., 0].tolist() == [[0, 64, 255]]
    ignored = image_to_tensor(path, recipe.replace(height=3, width=1, exif="ignore"))
    assert ignored.to_array()[..., 0].tolist() == [[255], [64], [0]]


@pytest.mark.parametrize(
    ("resize", "expected"),
    [
        ("triangle", [0, 1, 1, 128, 255]),  # (v + 128) // 257
        ("triangle-0.23", [0, 0, 1, 128, 255]),  # the high byte
        ("bilinear", [0, 1, 1, 128, 255]),
    ],
)
def test_16_bit_gray_becomes_8(resize, expected):
    values = np.array([[128, 129, 256, 32_896, 65_535]], np.uint16)
    pixels = resized_pixels(values, PreprocessRecipe(1, 5, resize=resize))
    assert pixels[0, :, 2].tolist() == expected


def test_16_bit_gray_is_resized_before_it_is_rounded():
    values = np.array([[0, 257]], np.uint16)  # the mean is 128.5, rounded to 129, and so to 1
    recipe = PreprocessRecipe(1, 1)
    assert resized_pixels(values, recipe).tolist() == [[[1, 1, 1]]]
    assert resized_pixels(values, recipe.replace(resize="triangle-0.23")).tolist() == [[[0, 0, 0]]]


# -- for all images ------------------------------------------------------------------------------


@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(1, 4), st.integers(1, 4), st.just(4))),
    st.sampled_from(["RGB", "BGR", "GRAY", "RGBA", "BGRA"]),
    st.sampled_from(["HWC", "CHW", "NHWC", "NCHW"]),
    st.sampled_from(["u8", "i8", "f16", "f32"]),
)
def test_what_is_not_scaled_can_be_read_back(pixels, color, layout, type_):
    recipe = PreprocessRecipe(*pixels.shape[:2], layout, color, type_)
    pixels = pixels[:, :, : recipe.channels]
    before = pixels.copy()
    values = pixels_to_tensor(pixels, recipe).to_array()
    assert np.array_equal(pixels, before)
    levels = (values.astype(int) + (128 if type_ == "i8" else 0)).reshape(recipe.dimensions)
    if layout.startswith("N"):
        levels = levels[0]
    if layout.endswith("CHW"):
        levels = levels.transpose(1, 2, 0)
    order = {"BGR": [2, 1, 0], "BGRA": [2, 1, 0, 3]}.get(color, slice(None))
    assert np.array_equal(levels[:, :, order], pixels)


@pytest.mark.full
@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3))),
    st.integers(1, 9),
    st.integers(1, 9),
    st.sampled_from(["RGB", "GRAY", "RGBA"]),
    st.sampled_from(["triangle", "triangle-0.23", "bilinear"]),
)
def test_inside_the_border_lies_the_whole_image(pixels, height, width, color, resize):
    recipe = PreprocessRecipe(height, width, color=color, resize=resize, fit="letterbox")
    inside = Placement.of(recipe, *pixels.shape[:2]).inside
    whole = resized_pixels(pixels, recipe.replace(pad_value=9))
    part = (
        slice(inside.top, inside.top + inside.height),
        slice(inside.left, inside.left + inside.width),
    )
    alone = recipe.replace(height=inside.height, width=inside.width, fit="stretch")
    assert np.array_equal(whole[part], resized_pixels(pixels, alone))
    whole = whole.copy()
    whole[part] = 9
    assert (whole == 9).all()


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("type_", ["u8", "f32"])
@pytest.mark.parametrize("layout", ["HWC", "NCHW"])
def test_the_caller_s_pixels_are_neither_written_to_nor_shared(type_, layout):
    pixels = np.random.default_rng(0).integers(0, 256, (2, 3, 3), np.uint8)
    before = pixels.copy()
    recipe = PreprocessRecipe(2, 3, layout, "RGB", type_)
    tensor = pixels_to_tensor(pixels, recipe)
    values = bytes(tensor.data)
    pixels[:] = 0
    assert bytes(tensor.data) == values == bytes(pixels_to_tensor(before, recipe).data)


@pytest.mark.parametrize(
    "pixels",
    [
        np.zeros((3, 2, 3), np.uint8),  # the bytes would fit
        np.zeros((2, 3, 4), np.uint8),
        np.zeros((2, 3), np.uint8),
        np.zeros((2, 3, 3), np.float32),
    ],
    ids=lambda pixels: f"{pixels.shape} {pixels.dtype}",
)
def test_pixels_of_another_size_are_refused(pixels):
    with pytest.raises(ImageError) as caught:
        pixels_to_tensor(pixels, PreprocessRecipe(2, 3))
    assert str(caught.value) == (
        f"expected (2, 3, 3) uint8 pixels for the recipe, got {pixels.shape} {pixels.dtype}"
    )


@pytest.mark.parametrize(
    ("arguments", "options", "error", "message"),
    [
        ((ROW, 0, 2, "u8"), {}, RecipeError, "expected height from 1 to 65535 pixels, got 0"),
        ((ROW, 1, 2, "i32"), {}, RecipeError, "expected type u8, i8, f16 or f32 for an image, "),
        ((ROW, 1, 2, None), {}, RecipeError, "type: None is not a tensor type"),
        ((ROW, 1, 2, "u8"), {"layout": "WHC"}, RecipeError, "expected layout as one of NCHW"),
        ((ROW, 1, 2, "u8"), {"color": "bgr"}, RecipeError, "expected color as one of BGR, RGB"),
        ((ROW, 1, 2, "u8"), {"resize": "lanczos"}, RecipeError, "expected resize as one of tri"),
        (("gone.jpg", 1, 2, "u8"), {}, MissingFileError, "no image at gone.jpg (looked from "),
        ((b"text", 1, 2, "u8"), {}, ImageError, "the 4 bytes: not an image that Pillow can read"),
    ],
)
def test_wrong_arguments(arguments, options, error, message):
    with pytest.raises(error) as caught:
        image_to_bytes(*arguments, **options)
    assert str(caught.value).startswith(message)
