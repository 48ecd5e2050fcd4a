"""Every broken program of the table, alone and together with others, is named by its tensor."""

from __future__ import annotations

import numpy as np
import pytest
from diagnoses import (
    FLAT,
    IMAGE,
    MEAN,
    RIGHT,
    ROAD,
    SMALL,
    SOURCES,
    STD,
    broken,
    combinations,
    made_image,
    named,
    planes,
    stretched,
)
from PIL import Image, ImageOps

import wasinn_nb as wn
from wasinn_nb.diagnosis import matching, resampling
from wasinn_nb.diagnosis.diagnosing import diagnose

BIRD = wn.PreprocessRecipe(224, 224, "NHWC", "RGB", "u8", resize="triangle-0.23")
MODELS = {"road": ROAD, "bird": BIRD}


@pytest.fixture(params=SOURCES)
def image(request):
    return made_image(request)


@pytest.mark.slow
@pytest.mark.parametrize("model", MODELS)
def test_every_mistake_alone_and_together_is_named_exactly(model, image):
    recipe = MODELS[model]
    original = resampling.Original(image)
    wrong = []
    for ways in combinations(recipe):
        found = matching.match(broken(image, recipe, *ways), original, recipe)
        first = found.candidates[0]
        if not first.exact or named(first, recipe) != ways:
            wrong.append((ways, first))
    assert not wrong, f"{len(wrong)} of {sum(1 for _ in combinations(recipe))}: {wrong[:5]}"


ROWS_LATE = np.concatenate([RIGHT[:, :, :1], RIGHT[:, :, :-1]], axis=2)
COLUMNS_EARLY = np.roll(RIGHT, -1, axis=3)
TRUNCATED = np.where(np.arange(FLAT.size) < 12_000, FLAT, 0).reshape(RIGHT.shape)
HALF_TWICE = np.tile(FLAT[: FLAT.size // 2], 2).reshape(RIGHT.shape)
ONE_PLANE = np.repeat(RIGHT[:, :1], 3, axis=1)
CASES = {
    "right": (RIGHT, set()),
    "without the batch axis": (RIGHT[0], set()),
    "f16": (RIGHT.astype("f2"), {"type"}),
    "f16 of 0 to 1": ((RIGHT / 255).astype("f2"), {"type", "range"}),
    "u8": (RIGHT.astype("u1"), {"type"}),
    "f64": (RIGHT.astype("f8"), {"type"}),
    "i32": (RIGHT.astype("i4"), {"type"}),
    "big-endian": (RIGHT.byteswap(), {"endianness"}),
    "big-endian f16": (RIGHT.astype("f2").byteswap(), {"endianness", "type"}),
    "f32 bytes declared u8": (np.frombuffer(RIGHT.tobytes(), "u1"), {"declared type"}),
    "declared with swapped sides": (RIGHT.reshape(1, 3, 96, 64), {"dimensions"}),
    "declared NHWC": (RIGHT.reshape(1, 64, 96, 3), {"dimensions"}),
    "NHWC": (RIGHT.transpose(0, 2, 3, 1), {"layout"}),
    "another size": (planes(stretched(IMAGE, 50, 60, "bilinear")), {"size"}),
    "upside down": (RIGHT[:, :, ::-1], {"flip"}),
    "mirrored": (RIGHT[:, :, :, ::-1], {"flip"}),
    "a row too late": (ROWS_LATE, {"shift"}),
    "a column too early": (COLUMNS_EARLY, {"shift"}),
    "zeros at the end": (TRUNCATED, {"buffer"}),
    "too short": (FLAT[:9_000], {"buffer"}),
    "half of it twice": (HALF_TWICE, {"buffer"}),
    "one plane three times": (ONE_PLANE, {"buffer"}),
    "a range of its own": (RIGHT * np.float32(1.7) + 3, {"range"}),
    "divided twice": (RIGHT / np.float32(255) / np.float32(255), {"range"}),
    "mean in the wrong order": (
        planes((IMAGE_ := stretched(IMAGE, 64, 96, "bilinear")) / 255 * 1.0)
        / STD.reshape(3, 1, 1).astype("f4")
        - (MEAN / STD).reshape(3, 1, 1).astype("f4"),
        {"range"},
    ),
}


OWN = SMALL.replace(range=(0, 1), mean=(0.1, 0.25, 0.4), scale=(0.3, 0.2, 0.5))


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"mean": (0, 0, 0)}, "values with no mean subtracted"),
        ({"scale": (1, 1, 1)}, "values not divided by the scale"),
        ({"mean": (0, 0, 0), "scale": (1, 1, 1)}, "values 0 to 1"),
        ({"mean": (0.1, 0.25, 0.41)}, "values \u00d7 ("),
    ],
)
def test_a_part_of_the_model_s_own_scaling_that_is_left_out_is_named(changes, name):
    found = diagnose(wn.image_to_tensor(IMAGE, OWN.replace(**changes)), IMAGE, OWN)
    assert found.exact
    (mistake,) = found.mistakes
    assert mistake.axis == "range"
    assert mistake.found.startswith(name)
    assert mistake.expected == "the model's range, mean and scale"


def test_a_known_normalization_without_its_mean_keeps_its_name():
    model = SMALL.replace(color="RGB", range=(0, 1), mean=MEAN, scale=STD)
    found = diagnose(wn.image_to_tensor(IMAGE, model.replace(mean=(0, 0, 0))), IMAGE, model)
    assert found.mistakes[0].found == "values 0 to 1 divided by ImageNet std, no mean subtracted"


@pytest.mark.full
@pytest.mark.parametrize("name", CASES)
def test_one_mistake(name):
    array, axes = CASES[name]
    found = diagnose(array, IMAGE, SMALL)
    assert found.exact, found
    assert {mistake.axis for mistake in found.mistakes} == axes, found
    assert found.right == (not axes)
    assert (found.remedy is None) == (not axes)


def test_a_harmless_filter_is_right_and_said():
    found = diagnose(planes(stretched(IMAGE, 64, 96, "triangle")), IMAGE, SMALL)
    assert found.right
    assert found.candidates[0].axes == {"resize"}
    assert found.notes == (
        "The filter is triangle rather than bilinear; that changes no value by more than 1 of 255.",
    )


def test_exif(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(IMAGE).save(tmp_path / "a.png", exif=exif)
    upright = np.asarray(ImageOps.exif_transpose(Image.open(tmp_path / "a.png")))
    turned = planes(stretched(upright, 64, 96, "bilinear"))
    found = diagnose(turned, tmp_path / "a.png", SMALL)
    assert [str(m) for m in found.mistakes] == [
        "EXIF orientation applied, where the model takes EXIF orientation ignored"
    ]
    assert found.exact
    assert diagnose(turned, tmp_path / "a.png", SMALL.replace(exif="apply")).right


@pytest.mark.parametrize("alpha", ["black", "white", "pillow"])
def test_alpha(alpha):
    ramp = np.tile(np.linspace(0, 255, IMAGE.shape[1]).astype(np.uint8), (IMAGE.shape[0], 1))
    rgba = Image.fromarray(np.dstack([IMAGE, ramp]))
    if alpha == "pillow":
        small = rgba.resize((96, 64), Image.Resampling.BILINEAR).convert("RGB")
    else:
        ground = Image.new("RGBA", rgba.size, alpha)
        whole = Image.alpha_composite(ground, rgba).convert("RGB")
        small = whole.resize((96, 64), Image.Resampling.BILINEAR)
    found = diagnose(planes(np.asarray(small)), rgba, SMALL)
    assert found.exact
    assert found.candidates[0].axes == {"alpha"}
    assert found.candidates[0].making.alpha == alpha
    assert diagnose(RIGHT, rgba, SMALL).right


def test_gray_images_have_no_wrong_channel_order():
    gray = np.repeat(IMAGE[:, :, :1], 3, axis=2)
    assert diagnose(planes(stretched(gray, 64, 96, "bilinear")), gray, SMALL).right


def test_a_tiny_image(shared):
    path = shared / "images/tiny.png"
    recipe = wn.PreprocessRecipe(224, 224, "NHWC", "RGB", "u8", resize="triangle-0.23")
    name = "tiny.png.image-0.23.14.rgb-224x224x3xu8.tensor"
    assert diagnose(shared / "reference" / name, path, recipe).exact


@pytest.mark.parametrize(
    "name", ["gray.png", "palette.png", "rgb.png", "rgba.png", "bird.jpg"], ids=str
)
def test_tensors_of_real_guests_are_right(shared, name):
    tensor = shared / f"reference/{name}.image-0.23.14.rgb-224x224x3xu8.tensor"
    found = diagnose(tensor, shared / "images" / name, BIRD)
    assert found.right, found
    assert found.exact == (not name.endswith(".jpg"))
