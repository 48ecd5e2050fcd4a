"""Images of any size are resized, cut and laid out in every way that programs do it."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import wasinn_nb as wn
from wasinn_nb.diagnosis.diagnosing import diagnose
from wasinn_nb.diagnosis.filters import FILTERS
from wasinn_nb.diagnosis.resampling import FITS, Original, View
from wasinn_nb.imaging import Coverage, Placement, PreprocessRecipe

SIDES = st.integers(1, 1200)
RECIPE = PreprocessRecipe(32, 56)


def noise(height, width):
    return np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)


@pytest.mark.full
@pytest.mark.parametrize("fit", FITS)
@given(rows=SIDES, columns=SIDES, height=st.integers(1, 64), width=st.integers(1, 64))
@example(600, 900, 512, 896)
@example(1, 1200, 64, 1)
def test_every_fit_takes_every_size(fit, rows, columns, height, width):
    """On 1.6 % of all sizes a crop began a rounding error above the image."""
    original = Original(np.zeros((rows, columns, 3), np.uint8))
    pixels = original.pixels(View(height, width, "nearest", fit))
    if pixels is not None:
        box = original.box(View(height, width, "nearest", fit))
        assert pixels.shape == (box.height, box.width, 3)


@pytest.mark.full
@pytest.mark.parametrize("filter_", FILTERS)
def test_every_filter_takes_the_sizes_that_round_badly(filter_):
    for fit in FITS:
        pixels = Original(noise(60, 90)).pixels(View(32, 56, filter_, fit))
        assert pixels is None or pixels.shape[2] == 3


@pytest.mark.full
@given(rows=st.integers(1, 300), columns=st.integers(1, 300))
@example(60, 90)
def test_letterboxed_images_of_any_size_are_overlaid(rows, columns):
    image, recipe = noise(rows, columns), RECIPE.replace(fit="letterbox")
    card = wn.ModelCard("toy", "segmentation", recipe, ("sky", "road"))
    placement, size = Placement.of(recipe, rows, columns), (rows, columns)
    covers, *kept = Coverage.of((32, 56), (32, 56), placement, size)
    scores = np.random.default_rng(1).random((2, 32, 56), np.float32)[:, *kept]
    about = {"image": image, "recipe": recipe, "covers": covers}
    result = wn.SegmentationResult.from_scores(scores, card, **about)
    assert result.labels_at(rows, columns).shape == (rows, columns)
    assert result.overlay().size == (columns, rows)


@pytest.mark.full
@pytest.mark.parametrize("fit", ["letterbox", "crop"])
def test_a_letterboxed_tensor_of_an_image_that_rounds_badly(fit):
    image = noise(30, 45).repeat(20, 0).repeat(20, 1)  # 600 x 900
    card = wn.model().card
    fed = wn.image_to_tensor(image, card.recipe.replace(fit=fit))
    found = diagnose(fed, image, card)
    assert {mistake.axis for mistake in found.mistakes} == {"fit"}
    assert found.exact


@pytest.mark.full
def test_an_unexplained_tensor_of_such_an_image():
    values = np.random.default_rng(2).normal(size=(1, 3, 512, 896)).astype(np.float32)
    found = diagnose(values, noise(600, 900), wn.model().card)
    assert found.verdict == "another image"
