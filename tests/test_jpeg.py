"""JPEG as arrays: the pixels that Pillow decodes, and its errors."""

from __future__ import annotations

import io
import itertools
import threading

import numpy as np
import pytest
from PIL import Image, ImageFile

from wasinn_nb.errors import ImageError
from wasinn_nb.imaging import PreprocessRecipe, jpeg, open_for, reading

RECIPE = PreprocessRecipe(32, 32, color="RGB")


def smooth(height, width, seed=0):
    small = np.random.default_rng(seed).integers(0, 256, (7, 9, 3), np.uint8)
    return Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image, **options):
    file = io.BytesIO()
    ImageFile.MAXBLOCK = max(ImageFile.MAXBLOCK, 1 << 20)  # noise of quality 100 needs it
    image.save(file, "JPEG", **options)
    return file.getvalue()


def by_pillow(content, draft=None):
    image = Image.open(io.BytesIO(content))
    image.draft(None, draft)
    return np.asarray(image)


def read(content, recipe=RECIPE):
    return open_for(content, recipe)


WAYS = list(itertools.product((5, 60, 90, 100), ("4:4:4", "4:2:2", "4:2:0"), (False, True)))


@pytest.mark.parametrize("size", [(1, 1), (7, 5), (16, 16), (33, 47), (120, 201)])
def test_pixels_are_those_of_pillow(size):
    noise = Image.fromarray(np.random.default_rng(3).integers(0, 256, (*size, 3), np.uint8))
    for image in (smooth(*size), noise):
        for quality, subsampling, progressive in WAYS:
            content = encoded(
                image, quality=quality, subsampling=subsampling, progressive=progressive
            )
            opened = read(content)
            assert isinstance(opened.content, np.ndarray)
            assert np.array_equal(opened.content, by_pillow(content))
            assert opened[1:3] == size
            assert np.array_equal(np.asarray(opened.image), opened.content)


@pytest.mark.parametrize(
    "options",
    [
        {"restart_marker_blocks": 3},
        {"optimize": True, "dpi": (300, 300), "comment": b"a comment"},
        {"keep_rgb": True, "subsampling": "4:4:4"},
        {"icc_profile": b"no profile at all"},
        {"exif": Image.Exif()},
    ],
    ids=["restart markers", "comment", "RGB inside", "profile", "exif"],
)
def test_other_kinds_of_jpeg(options):
    content = encoded(smooth(60, 80), **options)
    assert np.array_equal(read(content).content, by_pillow(content))


@pytest.mark.parametrize("size", [(1080, 1920), (301, 517), (64, 2000), (99, 99)])
@pytest.mark.parametrize("to", [(32, 32), (150, 260), (300, 500)])
def test_drafts_are_those_of_pillow(size, to):
    content = encoded(smooth(*size))
    opened = read(content, PreprocessRecipe(*to, resize="bilinear-draft"))
    expected = by_pillow(content, to[::-1])
    assert opened.content.shape == expected.shape
    assert np.array_equal(opened.content, expected)
    assert opened[1:3] == size


@pytest.mark.parametrize("mode", ["L", "CMYK"])
def test_gray_and_cmyk_are_left_to_pillow(mode):
    content = encoded(smooth(40, 50).convert(mode))
    assert isinstance(read(content).content, Image.Image)
    assert read(content).content.mode == mode


def test_sideways_files_are_turned():
    exif = Image.Exif()
    exif[0x0112] = 6
    image = smooth(40, 50)
    content = encoded(image, exif=exif)
    upright = open_for(content, PreprocessRecipe(32, 32, exif="apply"))
    assert upright[1:3] == (50, 40)
    turned = by_pillow(content).swapaxes(0, 1)[:, ::-1]
    assert np.array_equal(np.asarray(upright.image), turned)
    assert np.array_equal(read(content).content, by_pillow(content))


def test_another_format_under_a_name_of_jpeg(tmp_path):
    path = tmp_path / "image.jpg"
    smooth(20, 30).save(path, "PNG")
    assert isinstance(read(path).content, Image.Image)


@pytest.mark.parametrize("part", [0.06, 0.3, 0.99])
def test_a_truncated_file_has_pillows_error(part, monkeypatch):
    content = encoded(smooth(400, 600))
    content = content[: int(len(content) * part)]
    with pytest.raises(ImageError, match="fetch or export it again"):
        read(content)
    if part > 0.2:  # what Pillow is told to read nevertheless
        monkeypatch.setattr(ImageFile, "LOAD_TRUNCATED_IMAGES", True)
        assert np.array_equal(np.asarray(read(content).image), by_pillow(content))


def test_bytes_that_are_not_of_the_image_are_read_as_by_pillow():
    content = encoded(smooth(60, 80), quality=90)
    middle = len(content) // 2
    for changed in (
        content + b"and more",
        content[:middle] + bytes([content[middle] ^ 0x55]) + content[middle + 1 :],
        content[:2] + b"\0\0" + content[2:],
    ):
        try:
            expected = by_pillow(changed)
        except (OSError, SyntaxError):
            with pytest.raises(ImageError):
                read(changed)
        else:
            assert np.array_equal(np.asarray(read(changed).image), expected)


def test_a_decoder_that_finds_another_size_is_not_trusted(monkeypatch):
    other = lambda *_, **__: np.zeros((3, 3, 3), np.uint8)  # noqa: E731
    monkeypatch.setattr(jpeg.simplejpeg, "decode_jpeg", other)
    content = encoded(smooth(20, 30))
    assert np.array_equal(np.asarray(read(content).image), by_pillow(content))


def test_images_are_images_where_they_are_asked_for():
    content = encoded(smooth(20, 30))
    assert isinstance(reading.open_image(content), Image.Image)


def test_threads_decode_at_the_same_time():
    contents = [encoded(smooth(300 + n, 400, n)) for n in range(4)]
    found = {}
    threads = [
        threading.Thread(target=lambda n=n: found.__setitem__(n, read(contents[n]).content))
        for n in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for n, content in enumerate(contents):
        assert np.array_equal(found[n], by_pillow(content))
