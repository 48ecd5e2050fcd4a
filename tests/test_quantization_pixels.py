"""An image never calibrates and judges, in whatever format its pixels come."""

from __future__ import annotations

import numpy as np
import pytest
import toys
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.quantization.samples import split


@pytest.fixture
def images(tmp_path):
    """A folder with eight JPEG files."""
    folder = tmp_path / "images"
    folder.mkdir()
    rng = np.random.default_rng(2)
    for number in range(8):
        pixels = rng.integers(0, 256, (16, 24, 3), np.uint8)
        Image.fromarray(pixels).save(folder / f"{number}.jpg")
    return folder


def resaved(path, target, **options):
    with Image.open(path) as image:
        image.convert(options.pop("mode", image.mode)).save(target, **options)
    return target


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
def test_the_same_pixels_as_png_are_refused(images, tmp_path, mode):
    copy = resaved(images / "3.jpg", tmp_path / "another.png", mode=mode)
    message = "1 image would calibrate the model and judge it, too: 3"
    with pytest.raises(InvalidArgumentError, match=message) as caught:
        split(images, [copy], 64)
    assert "take them out of images or of test_images" in str(caught.value)


def test_pixels_in_memory_are_compared_with_files(images):
    array = np.asarray(Image.open(images / "3.jpg"))
    with pytest.raises(InvalidArgumentError, match=r"1 image would calibrate .*: 3"):
        split(images, [array], 64)
    turned = split(images, [array[::-1]], 64)
    assert len(turned.calibration) == 8
    # As many bytes in another size are another image.
    assert len(split(images, [array.reshape(24, 16, 3)], 64).calibration) == 8


def test_deep_images_are_told_apart(tmp_path):
    """Of 16 bits, what differs in the lower ones is another image."""
    deep = np.full((8, 8), 1000, np.uint16)
    found = split([deep, deep + 1], [deep + 2], 64)
    assert len(found.calibration) == 2
    with pytest.raises(InvalidArgumentError, match="1 image would calibrate"):
        split([deep], [Image.fromarray(deep)], 64)


def test_without_test_images_copies_in_another_format_do_not_calibrate(images):
    for number in range(8):
        resaved(images / f"{number}.jpg", images / f"copy of {number}.png")
    found = split(images, None, 64)
    sides = [{one.name.removeprefix("copy of ") for one in side} for side in found[:2]]
    assert not sides[0] & sides[1]
    assert len(found.judged) == 4
    assert len(found.masked) == 16
    # Others take the places of those that are left out.
    assert len(split(images, None, 3).calibration) == 3


def test_only_copies_are_too_few(images, tmp_path):
    pair = [images / "0.jpg", resaved(images / "0.jpg", tmp_path / "copy.png")]
    with pytest.raises(InvalidArgumentError, match="others to judge it, got 0 and 1"):
        split(pair, None, 64)


def test_masks_of_a_classifier_are_refused_before_anything_is_paired(images, tmp_path):
    model = toys.brightest_of_image(tmp_path / "toy.xml", height=16, width=24)
    resaved(images / "0.jpg", images / "0.png")  # two images of one stem
    with pytest.raises(InvalidArgumentError, match="masks are for segmentation models"):
        wn.quantize(model, images, images, tmp_path / "out", progress=False)


def test_images_whose_names_differ_in_their_suffixes_alone_keep_them(tmp_path):
    rng = np.random.default_rng(4)
    for name in ("a.png", "a.bmp", "b.png", "c.d.png"):
        Image.fromarray(rng.integers(0, 256, (4, 6, 3), np.uint8)).save(tmp_path / name)
    found = split(tmp_path, None, 8)
    assert {one.name for one in found.masked} == {"a.png", "a.bmp", "b", "c.d"}
