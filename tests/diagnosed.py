"""An image, recipes and diagnoses of what was made of it."""

from __future__ import annotations

import numpy as np
from diagnoses import drawn_image
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.diagnosis.diagnosing import diagnose

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


LETTERBOX = wn.PreprocessRecipe(
    96, 96, color="RGB", resize="bilinear", fit="letterbox", pad_value=114
)
CROP = LETTERBOX.replace(fit="crop", pad_value=0)
STRETCH = CROP.replace(fit="stretch")
RECIPES = {"stretch": STRETCH, "letterbox": LETTERBOX, "crop": CROP}


GRAY = wn.PreprocessRecipe(64, 96, color="GRAY", resize="bilinear")
SMALL = np.asarray(RGB.resize((96, 64), BILINEAR))
RGBA = wn.PreprocessRecipe(64, 96, "NHWC", "RGBA", "u8", resize="bilinear")
