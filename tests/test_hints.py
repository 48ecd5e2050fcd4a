"""`compare` says how a tensor was mixed up, and agrees with `diagnose` on what decoders change."""

import colorsys

import numpy as np
import pytest
from diagnoses import drawn_image
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.comparison import change_colors, compare
from wasinn_nb.comparison.hints import mixed_up
from wasinn_nb.comparison.tensors import compare_tensors
from wasinn_nb.diagnosis.diagnosing import diagnose
from wasinn_nb.imaging import DECODERS_MEAN, DECODERS_MOST
from wasinn_nb.render import distinct_palette, far_colors

IMAGE = drawn_image()
RECIPE = wn.PreprocessRecipe(64, 96, resize="bilinear")
NORMALIZED = RECIPE.replace(range=(0, 1), mean=(0.485, 0.456, 0.406), scale=(0.229, 0.224, 0.225))
CHW = wn.image_to_tensor(IMAGE, RECIPE).to_array()[0]
HWC = np.ascontiguousarray(np.moveaxis(CHW, 0, -1))
RNG = np.random.default_rng(5)
LABELS_32 = RNG.integers(0, 5, (20, 30), np.int32)
SCORES = RNG.random((5, 24, 32), np.float32)

# -- what was mixed up -----------------------------------------------------------------------------

REVERSED = "the channels are in reverse order (BGR against RGB)"
MIXED = {
    "planes": (CHW, CHW[::-1], REVERSED),
    "HWC bytes": (CHW, HWC.reshape(CHW.shape), "b holds HWC bytes under CHW dimensions"),
    "CHW bytes": (HWC, CHW.reshape(HWC.shape), "b holds CHW bytes under HWC dimensions"),
    "both": (
        CHW,
        HWC[:, :, ::-1].reshape(CHW.shape),
        f"b holds HWC bytes under CHW dimensions, and {REVERSED}",
    ),
    "NHWC": (CHW, HWC[:, :, ::-1], REVERSED),
    "big-endian": (CHW, CHW.byteswap(), "b holds big-endian values"),
    "big-endian HWC": (
        CHW,
        HWC.byteswap().reshape(CHW.shape),
        "b holds big-endian values, and b holds HWC bytes under CHW dimensions",
    ),
    "transposed": (
        CHW,
        np.ascontiguousarray(CHW.swapaxes(1, 2)).reshape(CHW.shape),
        "b holds columns where rows are expected",
    ),
    "flat": (CHW, HWC.reshape(-1), "b holds HWC bytes without dimensions"),
    "scores": (SCORES, SCORES[::-1], "the planes are in reverse order"),
    "scores, HWC": (
        SCORES,
        np.moveaxis(SCORES, 0, -1).reshape(SCORES.shape),
        "b holds HWC bytes under CHW dimensions",
    ),
    "scores, big-endian": (SCORES, SCORES.byteswap(), "b holds big-endian values"),
    "labels of 32 bits": (LABELS_32, LABELS_32.byteswap(), "b holds big-endian values"),
    "f16": (
        (CHW / 255).astype(np.float16),
        (CHW / 255).astype(np.float16).byteswap(),
        "b holds big-endian values",
    ),
}


@pytest.mark.parametrize("name", MIXED)
@pytest.mark.parametrize("role", ["input", "output"])
def test_what_was_mixed_up_is_named(name, role):
    a, b, words = MIXED[name]
    tensors = [wn.Tensor.from_array(np.ascontiguousarray(one)[None]) for one in (a, b)]
    if b.ndim == 1:
        tensors[1] = wn.Tensor.from_array(b)
    found = compare_tensors(*tensors, role=role)
    assert not found.within
    assert words in found.notes, found.notes
    assert mixed_up(b, a) is not None
    back = compare_tensors(*tensors[::-1], role=role)
    assert not back.within
    assert back.notes


def test_the_verdict_has_the_hint():
    swapped = SCORES.byteswap()
    assert np.isnan(swapped).any()
    found = str(compare(SCORES[None], swapped[None]))
    assert found.index("b holds big-endian values") < found.index("NaN: 0 in a")
    assert "a holds big-endian values" in str(compare(CHW.byteswap()[None], CHW[None]))


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (CHW, wn.image_to_tensor(drawn_image(seed=9), RECIPE).to_array()[0]),
        (SCORES, SCORES + 1),
        (np.zeros((3, 4, 5), np.float32), np.ones((3, 4, 5), np.float32)),
        (np.full((3, 4, 5), np.nan, np.float32), np.ones((3, 4, 5), np.float32)),
        (CHW, CHW[:, :-1]),
        (np.zeros(0, np.float32), np.zeros(0, np.float32)),
    ],
)
def test_nothing_is_claimed_of_other_values(a, b):
    assert mixed_up(np.ascontiguousarray(a), np.ascontiguousarray(b)) is None


# -- decoders --------------------------------------------------------------------------------------


def apart(recipe, most, share):
    """The image's tensor, but for up to *most* levels at a part of its values."""
    levels = wn.image_to_tensor(IMAGE, RECIPE.replace(color=recipe.color)).to_array()
    rng = np.random.default_rng(int(most))
    off = rng.integers(-most, most + 1, levels.shape) * (rng.random(levels.shape) < share)
    off.reshape(-1)[np.argmax(levels)] = 0
    away = np.where(levels.reshape(-1) > 128, -most, most)
    off.reshape(-1)[77] = away[77]
    low, high = recipe.range
    scaled = (levels + np.clip(off, -levels, 255 - levels)) / 255 * (high - low) + low
    mean, scale = (np.reshape(values, (1, 3, 1, 1)) for values in (recipe.mean, recipe.scale))
    return ((scaled - mean) / scale).astype(np.float32)


@pytest.mark.full
@pytest.mark.parametrize("recipe", [RECIPE, RECIPE.replace(range=(-1, 1)), NORMALIZED], ids=str)
@pytest.mark.parametrize(
    ("most", "share", "same"),
    [(1, 0.3, True), (3, 0.15, True), (5, 0.1, True), (7, 0.1, False), (25, 0.001, False)],
)
def test_compare_and_diagnose_agree_on_what_decoders_change(recipe, most, share, same):
    own, other = wn.image_to_tensor(IMAGE, recipe), wn.Tensor.from_array(apart(recipe, most, share))
    compared = compare_tensors(own, other, role="input", level=_level(recipe))
    assert compared.within is same, (compared, compared.largest)
    assert diagnose(other, IMAGE, recipe).right is same
    if same and most >= 3:
        assert "no further apart than two JPEG decoders" in str(compared)


def _level(recipe):
    low, high = recipe.range
    return max((high - low) / 255 / s for s in recipe.scale)


def test_a_tolerance_of_0_lets_no_decoder_pass():
    tensors = wn.image_to_tensor(IMAGE, RECIPE), wn.Tensor.from_array(apart(RECIPE, 3, 0.1))
    assert not compare_tensors(*tensors, 0.0, "input").within
    assert not compare_tensors(*tensors, 0.001, "input").within
    assert (DECODERS_MOST, DECODERS_MEAN) == (5.01, 0.75)


# -- what the page shows ---------------------------------------------------------------------------

CARD = wn.ModelCard("toy", "segmentation", RECIPE, ("background", "road", "car"))
LABELS = RNG.integers(0, 3, (64, 96), np.uint8)


def result(**about):
    return wn.SegmentationResult(LABELS, CARD, recipe=RECIPE, **about)


def test_16_bit_masks_are_compared_as_they_are_evaluated(tmp_path):
    for number in (1, 2):
        Image.fromarray(LABELS.astype(np.uint16)).save(tmp_path / f"{number}.png")
    assert compare(tmp_path / "1.png", tmp_path / "2.png").agreement == 1
    assert wn.evaluate([tmp_path / "1.png"], {"1": LABELS}, classes=3).miou == 1


@pytest.mark.full
def test_the_figure_has_the_image_and_the_names(tmp_path):
    other = np.where(LABELS == 2, 1, LABELS).astype(np.uint8)
    first = result(image=IMAGE)
    second = wn.SegmentationResult(other, CARD, recipe=RECIPE, precision="bf16")
    found = compare(first, second)
    titles = [axes.get_title() for axes in found.plot().axes]
    assert titles[:3] == ["Image", "Mask of a: toy, f32 on CPU", "Mask of b: toy, bf16 on CPU"]
    for name, labels in (("left", LABELS), ("right", other)):
        Image.fromarray(labels).save(tmp_path / f"{name}.png")
    of_files = compare(tmp_path / "left.png", tmp_path / "right.png")
    titles = [axes.get_title() for axes in of_files.plot().axes]
    assert titles[:2] == ["Mask of a: left.png", "Mask of b: right.png"]
    titles = [axes.get_title() for axes in of_files.plot(image=IMAGE).axes]
    assert titles[0] == "Image"
    assert compare(LABELS, other).plot().axes[0].get_title() == "Mask of a"


@pytest.mark.parametrize("classes", [2, 3, 4, 8, 12])
def test_no_change_has_the_hue_of_a_class(classes):
    palette = distinct_palette(classes)
    colors = change_colors(palette)
    assert len(set(colors)) == len(colors) == 6
    if classes > 4:
        assert not set(colors) & set(palette)
        return
    hues = [colorsys.rgb_to_hsv(*(level / 255 for level in color))[0] for color in palette[1:]]
    for color in colors:
        own = colorsys.rgb_to_hsv(*(level / 255 for level in color))[0]
        assert min(min(abs(own - hue), 1 - abs(own - hue)) for hue in hues) > 0.095, color


def test_far_colors_of_nothing_and_of_grays():
    assert len(far_colors([], 3)) == 3
    assert far_colors([(0, 0, 0), (255, 255, 255)], 2) == far_colors([(255,) * 3, (0,) * 3], 2)
