import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasinn_nb.abi import TensorType
from wasinn_nb.errors import RecipeError
from wasinn_nb.imaging.recipe import PreprocessRecipe

ROAD = PreprocessRecipe(512, 896)


def test_the_default_is_the_article_s_recipe():
    assert repr(ROAD) == "PreprocessRecipe(1x3x512x896xf32 NCHW BGR, range 0 to 255, triangle)"
    assert ROAD.is_identity


@pytest.mark.parametrize(
    ("layout", "dimensions"),
    [
        ("NCHW", (1, 3, 4, 5)),
        ("NHWC", (1, 4, 5, 3)),
        ("CHW", (3, 4, 5)),
        ("HWC", (4, 5, 3)),
    ],
)
def test_dimensions(layout, dimensions):
    assert PreprocessRecipe(4, 5, layout).dimensions == dimensions


@pytest.mark.parametrize(
    ("color", "channels"), [("BGR", 3), ("RGB", 3), ("GRAY", 1), ("RGBA", 4), ("BGRA", 4)]
)
def test_the_color_says_the_number_of_channels(color, channels):
    recipe = PreprocessRecipe(4, 5, "NHWC", color)
    assert recipe.channels == channels
    assert recipe.dimensions == (1, 4, 5, channels)
    assert recipe.mean == (0.0,) * channels
    assert recipe.scale == (1.0,) * channels
    assert recipe.is_identity


@pytest.mark.parametrize(
    ("given", "color", "mean"),
    [
        (0.5, "RGB", (0.5, 0.5, 0.5)),
        (2, "GRAY", (2.0,)),
        (np.float32(0.5), "BGRA", (0.5, 0.5, 0.5, 0.5)),
        ((0.5, 0.5, 0.5), "GRAY", (0.5,)),
        ([0.5], "RGB", (0.5, 0.5, 0.5)),
        ((1, 2, 3, 4), "RGBA", (1.0, 2.0, 3.0, 4.0)),
    ],
)
def test_one_number_stands_for_every_channel(given, color, mean):
    assert PreprocessRecipe(2, 2, color=color, mean=given).mean == mean


def test_a_color_changes_the_number_of_means():
    equal = PreprocessRecipe(2, 2, color="RGB", mean=0.5)
    assert equal.replace(color="RGBA").mean == (0.5,) * 4
    own = equal.replace(mean=(0.1, 0.2, 0.3))
    with pytest.raises(RecipeError) as caught:
        own.replace(color="GRAY")
    assert str(caught.value) == ("expected 1 finite float32 number for mean, got (0.1, 0.2, 0.3)")


def test_i8_without_quantization_is_the_value_minus_128():
    recipe = PreprocessRecipe(2, 2, type="i8")
    assert recipe.range == (-128.0, 127.0)
    assert recipe == PreprocessRecipe(2, 2, type="i8", range=(-128, 127))
    assert not recipe.is_identity


def test_quantization():
    recipe = PreprocessRecipe(2, 2, type="u8", range=(0, 1), mean=0.5, quantization=[1 / 128, 128])
    assert recipe.quantization == (1 / 128, 128)
    assert not recipe.is_identity
    assert PreprocessRecipe(2, 2, type="i8", quantization=(1, -128)).range == (0.0, 255.0)
    assert json.loads(recipe.to_json())["quantization"] == [1 / 128, 128]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"height": 0}, "expected height from 1 to 65535 pixels, got 0"),
        ({"height": -1}, "expected height from 1 to 65535 pixels, got -1"),
        ({"height": 65536}, "expected height from 1 to 65535 pixels, got 65536"),
        ({"height": True}, "expected height from 1 to 65535 pixels, got True"),
        ({"width": 2.0}, "expected width from 1 to 65535 pixels, got 2.0"),
        ({"width": "2"}, "expected width from 1 to 65535 pixels, got '2'"),
        ({"width": None}, "expected width from 1 to 65535 pixels, got None"),
        ({"layout": "nchw"}, "expected layout as one of NCHW, NHWC, CHW, HWC, got 'nchw'"),
        ({"layout": ["NCHW"]}, "expected layout as one of NCHW, NHWC, CHW, HWC, got ['NCHW']"),
        ({"color": "GRB"}, "expected color as one of BGR, RGB, GRAY, RGBA, BGRA, got 'GRB'"),
        (
            {"resize": "nearest"},
            "expected resize as one of triangle, triangle-0.23, bilinear, bilinear-draft, got ",
        ),
        ({"exif": "yes"}, "expected exif as one of ignore, apply, got 'yes'"),
        ({"type": "i32"}, "expected type u8, i8, f16 or f32 for an image, got i32"),
        (
            {"type": None},
            "type: None is not a tensor type; expected one of f16, f32, f64, u8, i32, i64, i8",
        ),
        ({"range": (0, 0)}, "expected a range with two different ends, got (0.0, 0.0)"),
        ({"range": (0,)}, "expected 2 finite float32 numbers for range, got (0,)"),
        ({"range": "12"}, "expected 2 finite float32 numbers for range, got '12'"),
        ({"range": 1}, "expected 2 finite float32 numbers for range, got 1"),
        ({"range": (0, 1e39)}, "expected 2 finite float32 numbers for range, got (0, 1e+39)"),
        (
            {"mean": (0, 0, float("nan"))},
            "expected 3 finite float32 numbers for mean, got (0, 0, nan)",
        ),
        ({"mean": (0, 0, "a")}, "expected 3 finite float32 numbers for mean, got (0, 0, 'a')"),
        ({"scale": (1, 0, 1)}, "expected a scale without zeros to divide by, got (1.0, 0.0, 1.0)"),
        (
            {"scale": (1, 1, 1e-46)},  # 0 in float32
            "expected a scale without zeros to divide by, got (1.0, 1.0, 1e-46)",
        ),
        (
            {"type": "u8", "range": (0, 1)},
            "a u8 tensor holds 0 to 255 as they are, without a range, a mean or a scale; for these",
        ),
        (
            {"type": "i8", "range": (0, 1)},
            (
                "an i8 tensor holds value - 128, which is the range (-128, 127), without another "
                "range, a mean or a scale; for these use type f32, or state the model's "
                "quantization=(scale, zero_point)"
            ),
        ),
        ({"type": "i8", "mean": 1}, "an i8 tensor holds value - 128, which is the range (-128, "),
        ({"type": "i8", "scale": 2}, "an i8 tensor holds value - 128, which is the range (-128, "),
        ({"range": (-3e38, 3e38)}, "expected a range that float32 can span, got (-3e+38, 3e+38)"),
        ({"mean": ()}, "expected 3 finite float32 numbers for mean, got ()"),
        ({"mean": (1, 2)}, "expected 3 finite float32 numbers for mean, got (1, 2)"),
        ({"mean": float("inf")}, "expected 3 finite float32 numbers for mean, got inf"),
        (
            {"color": "RGBA", "scale": (1, 2, 3)},
            "expected 4 finite float32 numbers for scale, got (1, 2, 3)",
        ),
        ({"fit": "pad"}, "expected fit as one of stretch, letterbox, crop, got 'pad'"),
        ({"pad_value": -1}, "expected pad_value from 0 to 255, got -1"),
        ({"pad_value": 256}, "expected pad_value from 0 to 255, got 256"),
        ({"pad_value": 1.0}, "expected pad_value from 0 to 255, got 1.0"),
        ({"pad_value": True}, "expected pad_value from 0 to 255, got True"),
        ({"pad_value": (1, 1, 1)}, "expected pad_value from 0 to 255, got (1, 1, 1)"),
        (
            {"quantization": (1, 0)},
            (
                "quantization goes with type u8 or i8, got type f32; set type to the model's, or "
                "leave quantization out"
            ),
        ),
        (
            {"type": "u8", "quantization": 0.5},
            "expected quantization as (scale, zero_point) with a positive float32 scale, got 0.5",
        ),
        ({"type": "u8", "quantization": (1, 2, 3)}, "expected quantization as (scale, zero_point)"),
        ({"type": "u8", "quantization": "12"}, "expected quantization as (scale, zero_point)"),
        ({"type": "u8", "quantization": (0, 0)}, "expected quantization as (scale, zero_point)"),
        ({"type": "u8", "quantization": (-1, 0)}, "expected quantization as (scale, zero_point)"),
        (
            {"type": "u8", "quantization": (float("nan"), 0)},
            "expected quantization as (scale, zero_point)",
        ),
        (
            {"type": "u8", "quantization": (1, -1)},
            "expected the zero point from 0 to 255, got -1",
        ),
        (
            {"type": "i8", "quantization": (1, 128)},
            "expected the zero point from -128 to 127, got 128",
        ),
        (
            {"type": "i8", "quantization": (1, 0.5)},
            "expected the zero point from -128 to 127, got 0.5",
        ),
        ({"colour": "RGB"}, "a recipe has no colour; it has height, width, layout, color, type, "),
    ],
)
def test_wrong_values_are_refused_wherever_they_come_from(values, message):
    stated = {"height": 2, "width": 2} | values
    ways = [
        lambda: PreprocessRecipe.from_dict(stated),
        lambda: PreprocessRecipe(2, 2).replace(**values),
    ]
    for make in ways:
        with pytest.raises(RecipeError) as caught:
            make()
        assert str(caught.value).startswith(message)


def test_huge_numbers_in_json_are_refused():
    with pytest.raises(RecipeError, match="3 finite float32 numbers for mean"):
        PreprocessRecipe.from_json('{"height": 2, "width": 2, "mean": [0, 0, 1' + "0" * 400 + "]}")
    with pytest.raises(RecipeError, match="expected height from 1 to 65535 pixels, got 1000"):
        PreprocessRecipe.from_json('{"width": 2, "height": 1' + "0" * 400 + "}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the recipe is not valid JSON: it is empty"),
        ("{", "the recipe is not valid JSON: input data was truncated"),
        ("[" * 100_000, "the recipe is not valid JSON: nested more than 100 levels deep"),
        ("[1]", "expected a recipe as a JSON object, got [1]"),
        ("null", "expected a recipe as a JSON object, got None"),
        ('{"height": 2}', "the recipe lacks width"),
        ("{}", "the recipe lacks height, width"),
        (None, "the recipe: expected JSON as text, got None"),
        ('{"height": NaN}', "the recipe is not valid JSON: line 1, column 12: NaN and Infinity"),
        ("\ud800", "the recipe is not valid JSON: expected UTF-8, got something else"),
    ],
)
def test_text_that_is_not_a_recipe(text, message):
    with pytest.raises(RecipeError) as caught:
        PreprocessRecipe.from_json(text)
    assert str(caught.value).startswith(message)


def test_numpy_sizes_become_plain_ones():
    recipe = PreprocessRecipe(np.int64(4), np.uint8(5))
    assert recipe == PreprocessRecipe(4, 5)
    assert json.loads(recipe.to_json())["height"] == 4


numbers = st.floats(-1e6, 1e6, width=32)
nonzero = numbers.filter(lambda value: abs(value) > 1e-30)


@st.composite
def recipes(draw):
    type_ = draw(st.sampled_from(["u8", "i8", "f16", "f32"]))
    color = draw(st.sampled_from(["BGR", "RGB", "GRAY", "RGBA", "BGRA"]))
    channels = {"GRAY": 1, "RGBA": 4, "BGRA": 4}.get(color, 3)
    values = {}
    if type_ in {"u8", "i8"} and draw(st.booleans()):
        zero_points = st.integers(0, 255) if type_ == "u8" else st.integers(-128, 127)
        values["quantization"] = (draw(st.floats(1e-6, 1e6)), draw(zero_points))
    if type_ in {"f16", "f32"} or values:
        low = draw(numbers)
        values |= {
            "range": (low, low + draw(st.floats(0.5, 1e6))),
            "mean": draw(st.tuples(*[numbers] * channels)),
            "scale": draw(st.tuples(*[nonzero] * channels)),
        }
    return PreprocessRecipe(
        draw(st.integers(1, 65_535)),
        draw(st.integers(1, 65_535)),
        draw(st.sampled_from(["NCHW", "NHWC", "CHW", "HWC"])),
        color,
        type_,
        resize=draw(st.sampled_from(["triangle", "triangle-0.23", "bilinear", "bilinear-draft"])),
        exif=draw(st.sampled_from(["ignore", "apply"])),
        fit=draw(st.sampled_from(["stretch", "letterbox", "crop"])),
        pad_value=draw(st.integers(0, 255)),
        **values,
    )


@pytest.mark.full
@given(recipes())
def test_json_gives_back_an_equal_recipe(recipe):
    again = PreprocessRecipe.from_json(recipe.to_json())
    assert again == recipe == PreprocessRecipe.from_dict(recipe.to_dict())
    assert hash(again) == hash(recipe)
    assert recipe.diff(again) == {}


def test_diff_names_each_field_that_differs_with_both_values():
    other = ROAD.replace(color="RGB", range=(0, 1), type="f16")
    assert ROAD.diff(other) == {
        "color": ("BGR", "RGB"),
        "type": (TensorType.F32, TensorType.F16),
        "range": ((0.0, 255.0), (0.0, 1.0)),
    }
    assert other.diff(ROAD)["color"] == ("RGB", "BGR")


def test_repr_says_everything_that_is_done():
    recipe = PreprocessRecipe(
        2, 3, "HWC", "RGB", "f16", (0, 1), (0.485, 0.456, 0.406), (0.229, 0.224, 0.225),
        "bilinear", "apply",
    )  # fmt: skip
    assert repr(recipe) == (
        "PreprocessRecipe(2x3x3xf16 HWC RGB, range 0 to 1, mean 0.485 0.456 0.406, "
        "scale 0.229 0.224 0.225, bilinear, EXIF applied)"
    )
    assert (
        repr(PreprocessRecipe(2, 3, type="u8")) == "PreprocessRecipe(1x3x2x3xu8 NCHW BGR, triangle)"
    )


def test_fields_that_0_1_0_does_not_know_are_written_only_where_they_matter():
    assert list(ROAD.to_dict()) == [
        "height", "width", "layout", "color", "type", "range", "mean", "scale", "resize", "exif",
    ]  # fmt: skip
    padded = ROAD.replace(fit="letterbox", pad_value=114)
    assert padded.to_dict() == ROAD.to_dict() | {"fit": "letterbox", "pad_value": 114}


def test_repr_names_the_new_fields_where_they_are_not_the_default():
    recipe = PreprocessRecipe(
        2, 3, color="GRAY", type="i8", range=(0, 1), quantization=(1 / 128, -3), fit="crop",
        pad_value=114,
    )  # fmt: skip
    assert repr(recipe) == (
        "PreprocessRecipe(1x1x2x3xi8 NCHW GRAY, range 0 to 1, quantized with scale 0.0078125 and "
        "zero point -3, triangle, crop, pad value 114)"
    )


@pytest.mark.parametrize("field", ["height", "color", "new"])
def test_a_recipe_cannot_be_changed(field):
    with pytest.raises((AttributeError, TypeError)):
        setattr(ROAD, field, 1)
    assert PreprocessRecipe(512, 896) == ROAD
