"""Images that are hostile or broken, and EXIF orientations."""

import contextlib
import io
import random
from pathlib import Path

import numpy as np
import pytest
from image_files import GRAY, RGB, encoded, png
from PIL import ExifTags, Image

from wasinn_nb.errors import ImageError, MissingFileError
from wasinn_nb.imaging import (
    PreprocessRecipe,
    exif_orientation,
    is_sideways,
    open_for,
    open_image,
    read_encoded,
    resized_pixels,
    rgb_pixels,
)

# -- EXIF ------------------------------------------------------------------------------------------

UPRIGHT = GRAY
STORED = {  # orientation → how a camera stores an upright image
    1: UPRIGHT,
    2: UPRIGHT[:, ::-1],
    3: UPRIGHT[::-1, ::-1],
    4: UPRIGHT[::-1],
    5: UPRIGHT.T,
    6: np.rot90(UPRIGHT),
    7: UPRIGHT[::-1, ::-1].T,
    8: np.rot90(UPRIGHT, -1),
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["PNG", "TIFF"])
def test_exif_orientation_is_applied_or_ignored(tmp_path, orientation, kind):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    path = tmp_path / "turned.img"
    Image.fromarray(np.ascontiguousarray(STORED[orientation])).save(path, kind, exif=exif)
    for source in (path, path.read_bytes()):
        assert np.array_equal(rgb_pixels(source)[..., 0], STORED[orientation])
        assert np.array_equal(rgb_pixels(source, "apply")[..., 0], UPRIGHT)


@pytest.mark.parametrize(
    ("value", "orientation"),
    [(None, 1), (1, 1), (4, 4), (5, 5), (8, 8), (0, 1), (9, 1), (65_535, 1), ("6", 1), (b"6", 1)],
)
def test_orientations(value, orientation):
    image = Image.fromarray(RGB)
    if value is not None:
        image.getexif()[ExifTags.Base.Orientation] = value
    assert exif_orientation(image) == orientation
    assert is_sideways(image) == (orientation in {5, 6, 7, 8})


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0garbage", b"Exif\0\0MM\0*\0\0\xff\xff", b"II"]
)
def test_broken_exif_is_ignored_or_an_image_error(exif, recwarn):
    content = encoded(Image.fromarray(RGB), "JPEG", exif=exif)
    with contextlib.suppress(ImageError):
        assert rgb_pixels(content, "apply").shape == (2, 3, 3)
    assert rgb_pixels(content).shape == (2, 3, 3)


# -- hostile ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "{name}: empty; expected an encoded image such as JPEG or PNG"),
        (
            b"This is a text.\n",
            "{name}: not an image that Pillow can read; the first bytes are b'This is a text.\\n'",
        ),
        (
            b"\0" * 3,
            "{name}: not an image that Pillow can read; the first bytes are b'\\x00\\x00\\x00'",
        ),
        (
            b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n%%EndComments\nshowpage\n",
            "{name}: PostScript, which is a program; export it as PNG or JPEG",
        ),
    ],
)
def test_what_is_not_an_image(tmp_path, content, message):
    path = tmp_path / "image.jpg"
    path.write_bytes(content)
    size = f"the {len(content)} bytes"
    for source, name in ((path, path), (content, size), (io.BytesIO(content), size)):
        with pytest.raises(ImageError) as caught:
            rgb_pixels(source)
        assert str(caught.value) == message.format(name=name)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        (None, "an open file, a PIL.Image or an array, got NoneType"),
        (7, "an open file, a PIL.Image or an array, got int"),
        ([[1]], "an open file, a PIL.Image or an array, got list"),
        (io.StringIO("image.jpg"), r"expected a file opened as binary \('rb'\), it gives str"),
    ],
)
def test_what_is_not_a_source(source, message):
    with pytest.raises(ImageError, match=message):
        open_image(source)


def test_an_encoded_image_is_read_once_and_keeps_its_name(tmp_path):
    path = tmp_path / "image.png"
    path.write_bytes(encoded(Image.fromarray(RGB)))
    read = read_encoded(path)
    assert (read.content, read.name) == (path.read_bytes(), str(path))
    assert read_encoded(read) is read
    path.unlink()
    recipe = PreprocessRecipe(2, 3)
    assert np.array_equal(resized_pixels(open_for(read, recipe), recipe), RGB)
    cut = read._replace(content=read.content[:50])
    with pytest.raises(ImageError, match=f"^{path}: begins like a PNG, cannot be read to its end"):
        open_for(cut, recipe)


def test_a_closed_file():
    file = io.BytesIO(encoded(Image.fromarray(RGB)))
    file.close()
    with pytest.raises(ImageError, match="the open file cannot be read: I/O operation on closed"):
        open_image(file)
    image = Image.open(io.BytesIO(encoded(Image.fromarray(RGB))))
    image.close()
    with pytest.raises(
        ImageError, match="the image: begins like a PNG, cannot be read to its end: "
    ):
        open_image(image)


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gone.jpg", r"no image at .*gone.jpg \(looked from "),
        (".", "expected the path of a file for the image, got the folder "),
        ("x" * 300, r"no image at .*\(File name too long\)"),
        ("/dev/zero", "expected a regular file for the image, got a device or pipe at /dev/zero"),
    ],
)
def test_paths_that_lead_to_no_file(tmp_path, name, message):
    with pytest.raises(MissingFileError, match=message):
        open_image(tmp_path / name)


def test_a_bomb_is_refused_by_its_header():
    bomb = png(100_000, 100_000, 8, 2, b"")
    assert len(bomb) < 100
    with pytest.raises(ImageError) as caught:
        rgb_pixels(bomb)
    assert "cannot be opened as an image: Image size (10000000000 pixels) exceeds limit" in str(
        caught.value
    )


@pytest.mark.parametrize(("width", "height"), [(70_000, 1), (1, 65_536)])
def test_sides_that_no_tensor_has(width, height):
    content = png(width, height, 8, 0, bytes((width + 1) * height))
    with pytest.raises(ImageError) as caught:
        rgb_pixels(content)
    assert str(caught.value) == (
        f"the {len(content)} bytes: {width}x{height} pixels; expected sides of 1 to 65535"
    )


@pytest.mark.parametrize("size", [(0, 0), (0, 5), (5, 0)])
def test_images_without_pixels(size):
    with pytest.raises(ImageError) as caught:
        rgb_pixels(Image.new("RGB", size))
    assert str(caught.value) == (
        f"the image: {size[0]}x{size[1]} pixels; expected sides of 1 to 65535"
    )


def test_a_png_without_pixels():
    with pytest.raises(ImageError):
        rgb_pixels(png(0, 0, 8, 2, b""))


# -- broken files: an image or an ImageError, never anything else ----------------------------------

KINDS = ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP", "PPM", "TGA", "DDS", "QOI", "ICO", "AVIF"]


def _example(kind):
    noise = np.random.default_rng(0).integers(0, 256, (24, 40, 3), np.uint8)
    image = Image.fromarray(noise)
    if kind == "TIFF":
        return encoded(image, kind, compression="tiff_lzw")
    return encoded(image, kind)


def _kinds():
    Image.init()
    return [kind for kind in KINDS if kind in Image.SAVE]


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "TIFF", "WEBP", "BMP"])
@pytest.mark.filterwarnings("ignore")
def test_files_that_end_too_early(tmp_path, kind):
    content = _example(kind)
    path = tmp_path / "cut"
    for parts in range(1, 10):  # 10 %, 20 %, … 90 %
        cut = content[: len(content) * parts // 10]
        with pytest.raises(ImageError) as caught:
            rgb_pixels(cut)
        assert str(caught.value).startswith(f"the {len(cut)} bytes")
        path.write_bytes(cut)
        with pytest.raises(ImageError) as caught:
            rgb_pixels(path)
        assert str(caught.value).startswith(str(path))
    for short in range(64):
        with pytest.raises(ImageError):
            rgb_pixels(content[:short])


@pytest.mark.full
@pytest.mark.parametrize("kind", _kinds())
@pytest.mark.filterwarnings("ignore")
def test_flipped_bytes(kind):
    rng = random.Random(kind)
    content = _example(kind)
    read = refused = 0
    for _ in range(150):
        broken = bytearray(content)
        if rng.random() < 0.3:
            del broken[rng.randrange(1, len(broken)) :]
        for _ in range(rng.choice([1, 2, 8])):
            # Headers are where it hurts.
            at = rng.randrange(min(len(broken), rng.choice([32, 300, len(content)])))
            broken[at] = rng.choice([0, 255, 128, rng.randrange(256)])
        try:
            pixels = rgb_pixels(bytes(broken), "apply")
        except ImageError:
            refused += 1
        else:
            read += 1
            assert pixels.ndim == 3
            assert pixels.shape[2] == 3
    assert read + refused == 150
    assert refused > 0


def test_the_source_of_an_error_is_chained(tmp_path):
    path = tmp_path / "image.png"
    path.write_bytes(_example("PNG")[:500])
    with pytest.raises(ImageError, match=r"image.png: begins like a PNG, cannot be read") as caught:
        rgb_pixels(path)
    assert isinstance(caught.value.__cause__, OSError)
    assert isinstance(caught.value, ValueError)
    assert str(Path(path)) in str(caught.value)
