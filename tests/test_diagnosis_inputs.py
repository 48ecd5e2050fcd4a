"""Diagnosis of letterboxed, cropped, gray, RGBA and integer inputs: one broken program each."""

from __future__ import annotations

import io

import cv2
import numpy as np
import pytest
from diagnosed import (
    BILINEAR,
    CROP,
    GRAY,
    IMAGE,
    LETTERBOX,
    RECIPES,
    RGB,
    RGBA,
    SMALL,
    axes,
    named,
)
from diagnoses import drawn_image
from PIL import Image, ImageOps

import wasinn_nb as wn
from wasinn_nb.diagnosis.diagnosing import diagnose


def nchw(pixels, dtype="f4"):
    return pixels.transpose(2, 0, 1)[None].astype(dtype)


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
