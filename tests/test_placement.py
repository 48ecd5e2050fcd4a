"""Where an image lies in a model's input, by hand and for all sizes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.imaging.placement import Placement
from wasinn_nb.imaging.recipe import PreprocessRecipe


def placed(fit, target, image):
    return Placement.of(PreprocessRecipe(*target, fit=fit), *image)


def test_stretch_is_all_of_both():
    whole = placed("stretch", (512, 896), (1080, 1920))
    assert whole.resized == (512, 896)
    assert whole.inside == (0, 0, 512, 896)
    assert whole.visible == (0, 0, 1080, 1920)


@pytest.mark.parametrize(
    ("target", "image", "inside"),
    [
        ((640, 640), (1080, 1920), (140, 0, 360, 640)),
        ((640, 640), (1920, 1080), (0, 140, 640, 360)),
        ((640, 640), (10, 10), (0, 0, 640, 640)),  # small images grow
        ((4, 4), (1, 4), (1, 0, 1, 4)),  # 3 rows are left: 1 above, 2 below
        ((4, 10), (3, 2), (0, 3, 4, 3)),  # round(2 * 4 / 3) is 3; 7 columns are left: 3 and 4
        ((2, 100), (8, 10), (0, 49, 2, 2)),  # round(2.5) is 2: half to even
        ((2, 100), (4, 7), (0, 48, 2, 4)),  # round(3.5) is 4
        ((5, 5), (1, 1000), (2, 0, 1, 5)),  # never less than a pixel
    ],
)
def test_letterbox(target, image, inside):
    placement = placed("letterbox", target, image)
    assert placement.inside == inside
    assert placement.resized == inside[2:]
    assert placement.visible == (0, 0, *image)


@pytest.mark.parametrize(
    ("target", "image", "resized", "visible"),
    [
        ((4, 4), (100, 200), (4, 8), (0, 50, 100, 100)),
        ((4, 4), (200, 100), (8, 4), (50, 0, 100, 100)),
        ((2, 2), (2, 5), (2, 5), (0, 1, 2, 2)),  # 3 columns are cut: 1 left, 2 right
        ((2, 2), (4, 10), (2, 5), (0, 2, 4, 4)),  # the same at another scale
        ((2, 2), (8, 10), (2, 2), (0, 0, 8, 10)),  # round(2.5) is 2: nothing is cut
    ],
)
def test_crop(target, image, resized, visible):
    placement = placed("crop", target, image)
    assert placement.resized == resized
    assert placement.visible == visible
    assert placement.inside == (0, 0, *target)


@pytest.mark.parametrize("fit", ["stretch", "letterbox", "crop"])
@pytest.mark.parametrize("image", [(0, 4), (4, 0), (-1, 4)])
def test_an_image_has_pixels(fit, image):
    with pytest.raises(InvalidArgumentError) as caught:
        placed(fit, (2, 2), image)
    assert str(caught.value) == (
        f"expected an image of at least 1x1 pixels, got {image[0]}x{image[1]}"
    )


sizes = st.tuples(st.integers(1, 3000), st.integers(1, 3000))


@given(sizes, sizes)
def test_letterbox_holds_the_whole_image_centered_at_its_aspect_ratio(target, image):
    placement = placed("letterbox", target, image)
    top, left, height, width = placement.inside
    bottom, right = target[0] - top - height, target[1] - left - width
    assert 0 <= top <= bottom <= top + 1
    assert 0 <= left <= right <= left + 1
    assert height == target[0] or width == target[1]
    # Within a pixel of the exact size at the one scale of both sides.
    scale = min(target[0] / image[0], target[1] / image[1])
    assert abs(height - image[0] * scale) < 1
    assert abs(width - image[1] * scale) < 1
    assert placement.visible == (0, 0, *image)
    assert placement.window == (0, 0, height, width)


@given(sizes, sizes)
def test_crop_shows_the_middle_of_the_image_at_its_aspect_ratio(target, image):
    placement = placed("crop", target, image)
    assert placement.inside == (0, 0, *target)
    assert placement.resized[0] >= target[0]
    assert placement.resized[1] >= target[1]
    top, left, height, width = placement.visible
    assert 0 <= top <= top + height <= image[0] * (1 + 1e-9)
    assert 0 <= left <= left + width <= image[1] * (1 + 1e-9)
    # The middle of what is shown is the image's within a pixel of the input.
    assert abs(top + height / 2 - image[0] / 2) <= 0.51 * image[0] / placement.resized[0]
    assert abs(left + width / 2 - image[1] / 2) <= 0.51 * image[1] / placement.resized[1]
    scale = max(target[0] / image[0], target[1] / image[1])
    assert abs(placement.resized[0] - image[0] * scale) < 1
    assert abs(placement.resized[1] - image[1] * scale) < 1


@given(sizes, st.integers(1, 20))
def test_the_same_shape_needs_neither_border_nor_cut(image, factor):
    target = (image[0] * factor, image[1] * factor)
    whole = placed("stretch", target, image)
    assert placed("letterbox", target, image) == placed("crop", target, image) == whole
