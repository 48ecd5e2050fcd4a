"""Images of every mode and source that is read."""

import io
from pathlib import Path

import numpy as np
import pytest
from image_files import GRAY, RGB, encoded, png
from PIL import Image

from wasinn_nb.errors import ImageError
from wasinn_nb.imaging import (
    open_image,
    rgb_image,
    rgb_pixels,
)

# -- modes -----------------------------------------------------------------------------------------


def _palette(transparency=None, mode="RGB"):
    image = Image.new("P", (3, 1))
    colors = [(255, 0, 0), (0, 255, 0), (10, 20, 30)]
    if mode == "RGBA":
        colors = [(*color, alpha) for color, alpha in zip(colors, (0, 128, 255), strict=True)]
    image.putpalette([value for color in colors for value in color], mode)
    image.putdata([0, 1, 2])
    if transparency is not None:
        image.info["transparency"] = transparency
    return image


def _of(mode, *pixels):
    image = Image.new(mode, (len(pixels), 1))
    image.putdata(list(pixels))
    return image


PALETTE_ROW = [[255, 0, 0], [0, 255, 0], [10, 20, 30]]


@pytest.mark.parametrize(
    ("image", "row"),
    [
        (_of("1", 0, 255), [[0] * 3, [255] * 3]),
        (_of("L", 0, 7, 255), [[0] * 3, [7] * 3, [255] * 3]),
        (_of("LA", (7, 0), (9, 255)), [[7] * 3, [9] * 3]),  # alpha is dropped, not blended
        (_of("La", (50, 128), (9, 255)), [[99] * 3, [9] * 3]),  # premultiplied: divided first
        (_of("RGB", (1, 2, 3)), [[1, 2, 3]]),
        (_of("RGBA", (1, 2, 3, 0), (4, 5, 6, 128)), [[1, 2, 3], [4, 5, 6]]),
        (_of("RGBa", (50, 64, 128, 128)), [[99, 127, 255]]),
        (_of("RGBX", (1, 2, 3, 9)), [[1, 2, 3]]),
        (_of("CMYK", (0, 0, 0, 0), (255, 0, 0, 0)), [[255] * 3, [0, 255, 255]]),
        (_of("CMYK", (0, 0, 0, 255)), [[0] * 3]),
        (_of("YCbCr", (0, 128, 128), (255, 128, 128)), [[0] * 3, [255] * 3]),
        (_of("HSV", (0, 0, 255), (0, 255, 255)), [[255] * 3, [255, 0, 0]]),
        (_palette(), PALETTE_ROW),
        (_palette(transparency=1), PALETTE_ROW),
        (_palette(transparency=b"\x00\x80\xff"), PALETTE_ROW),
        (_palette(mode="RGBA"), PALETTE_ROW),
        (_palette().convert("PA"), PALETTE_ROW),
    ],
    ids=lambda value: value.mode if isinstance(value, Image.Image) else "",
)  # fmt: skip
def test_every_mode_becomes_rgb(image, row):
    before = image.copy()
    assert rgb_pixels(image).tolist() == [row]
    assert np.asarray(rgb_image(image)).tolist() == [row]
    assert image == before


def test_lab_is_converted():
    gray = rgb_pixels(_of("LAB", (128, 128, 128)))
    assert int(gray.max()) - int(gray.min()) < 4
    assert 100 < gray.mean() < 140


@pytest.mark.parametrize("mode", ["I;16", "I;16L", "I;16B", "I"])
def test_16_bit_gray_is_kept_for_the_resize_and_rounded_for_rgb(mode):
    values = [0, 128, 129, 257, 32768, 65535]
    if mode == "I;16B":
        raw = np.array(values, ">u2").tobytes()
    else:
        raw = np.array(values, "<i4" if mode == "I" else "<u2").tobytes()
    image = Image.frombytes(mode, (6, 1), raw)
    pixels = rgb_pixels(image)
    assert pixels.dtype == np.uint16
    assert pixels[0, :, 0].tolist() == values
    assert (pixels == pixels[:, :, :1]).all()
    # Rounded: 128 / 257 goes down, 129 / 257 up.
    assert np.asarray(rgb_image(image))[0, :, 1].tolist() == [0, 0, 1, 1, 128, 255]


@pytest.mark.parametrize("values", [[-1, 5], [0, 65536]])
def test_32_bit_gray_out_of_range_is_refused(values):
    image = Image.frombytes("I", (2, 1), np.array(values, "<i4").tobytes())
    with pytest.raises(ImageError) as caught:
        rgb_pixels(image)
    assert str(caught.value) == (
        f"expected 16-bit gray values from 0 to 65535, got {values[0]} to {values[1]}; "
        f"scale it and pass a uint8 or uint16 array"
    )


def test_floating_point_is_refused():
    for call in (rgb_image, rgb_pixels):
        with pytest.raises(ImageError, match=r"does not state its range; scale it and pass"):
            call(Image.new("F", (2, 2)))


def test_png_of_16_bit_color_keeps_the_high_bytes():
    rows = b"\0" + bytes.fromhex("ff01 0080 1234" + "00ff 00ff 00ff")
    assert rgb_pixels(png(2, 1, 16, 2, rows)).tolist() == [[[255, 0, 18], [0, 0, 0]]]


@pytest.mark.full
def test_png_of_16_bit_gray_keeps_all():
    assert rgb_pixels(png(2, 1, 16, 0, b"\0\xff\x01\x00\x80"))[0, :, 0].tolist() == [65281, 128]


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_png_of_few_bits_is_scaled_to_8(depth):
    rows = b"\0" + bytes([{1: 0b10000000, 2: 0b11000000, 4: 0b11110000}[depth]])
    assert rgb_pixels(png(2, 1, depth, 0, rows))[0, :, 0].tolist() == [255, 0]


@pytest.mark.parametrize("mode", ["CMYK", "L", "YCbCr"])
def test_jpeg_modes(mode):
    image = Image.new("RGB", (16, 16), (200, 30, 60)).convert(mode)
    expected = np.asarray(image.convert("RGB")).astype(int)
    actual = rgb_pixels(encoded(image, "JPEG", quality=100)).astype(int)
    assert np.abs(actual - expected).max() <= 3


# -- sources ---------------------------------------------------------------------------------------


def _file_after_writing(content):
    file = io.BytesIO()
    file.write(content)  # stands at its end
    return file


class _Pipe(io.RawIOBase):
    """A file that can be read once."""

    def __init__(self, content):
        self.content = io.BytesIO(content)

    def readable(self):
        return True

    def readinto(self, buffer):
        return self.content.readinto(buffer)


@pytest.mark.parametrize(
    "source_of",
    [
        lambda path: path,
        str,
        lambda path: path.read_bytes(),
        lambda path: bytearray(path.read_bytes()),
        lambda path: memoryview(path.read_bytes()),
        lambda path: io.BytesIO(path.read_bytes()),
        lambda path: _file_after_writing(path.read_bytes()),
        lambda path: _Pipe(path.read_bytes()),
        lambda _: Image.fromarray(RGB),
        lambda _: RGB,
        lambda _: np.dstack([RGB, RGB[..., :1]]),
        lambda _: np.asfortranarray(RGB),
        lambda _: RGB[:, ::-1][:, ::-1],
    ],
    ids=[
        "Path",
        "str",
        "bytes",
        "bytearray",
        "memoryview",
        "BytesIO",
        "written BytesIO",
        "pipe",
        "PIL.Image",
        "array",
        "RGBA array",
        "Fortran array",
        "strided array",
    ],
)
def test_every_source_gives_the_same_pixels(tmp_path, source_of):
    path = tmp_path / "ü #1%.png"
    Image.fromarray(RGB).save(path)
    assert np.array_equal(rgb_pixels(source_of(path)), RGB)


def test_open_files_and_paths_under_home(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    Image.fromarray(RGB).save(path)
    with path.open("rb") as file:
        assert np.array_equal(rgb_pixels(file), RGB)
        assert not file.closed
        assert np.array_equal(rgb_pixels(file), RGB)  # once more, from its beginning
    monkeypatch.setenv("HOME", str(tmp_path))
    assert np.array_equal(rgb_pixels("~/a.png"), RGB)


@pytest.mark.parametrize("kind", ["GIF", "TIFF", "WEBP", "PNG"])
def test_files_of_several_frames_give_the_first_and_are_closed(tmp_path, kind):
    path = tmp_path / f"frames.{kind.lower()}"
    frames = [Image.new("RGB", (4, 4), color) for color in ("#ff0000", "#00ff00")]
    options = {"lossless": True} if kind == "WEBP" else {}
    frames[0].save(path, kind, save_all=True, append_images=frames[1:], **options)
    opened = sum(1 for _ in Path("/proc/self/fd").iterdir())
    kept = [open_image(path) for _ in range(5)]
    assert sum(1 for _ in Path("/proc/self/fd").iterdir()) == opened
    assert rgb_pixels(path).reshape(-1, 3).tolist() == [[255, 0, 0]] * 16
    assert kept[0].convert("RGB").getpixel((3, 3)) == (255, 0, 0)


@pytest.mark.parametrize("array", [RGB, GRAY, GRAY.astype(np.uint16) * 257])
def test_arrays_are_neither_written_to_nor_handed_out(array):
    before = array.copy()
    array.flags.writeable = False
    pixels = rgb_pixels(array)
    assert not np.shares_memory(pixels, array)
    assert np.array_equal(array, before)


@pytest.mark.parametrize(
    ("array", "row"),
    [
        (np.array([[1, 2]], np.uint8), [[1] * 3, [2] * 3]),
        (np.array([[[1], [2]]], np.uint8), [[1] * 3, [2] * 3]),
        (np.array([[257, 65535]], np.uint16), [[257] * 3, [65535] * 3]),
        (np.array([[[1, 2, 3]]], np.uint8), [[1, 2, 3]]),
        (np.array([[[1, 2, 3, 4]]], np.uint8), [[1, 2, 3]]),
    ],
)
def test_arrays_of_every_kind(array, row):
    assert rgb_pixels(array).tolist() == [row]


@pytest.mark.parametrize(
    ("array", "code"),
    [
        (np.ones((2, 2), np.float32), '(x * 255).astype("uint8")'),
        (np.full((2, 2, 3), 255, np.float64), 'x.astype("uint8")'),
        (np.full((1, 3, 5, 5), 0.2), '(x[0].transpose(1, 2, 0) * 255).astype("uint8")'),
        (np.full((2, 2, 3), 65535, np.uint16), '(x // 257).astype("uint8")'),
        (np.ones((2, 2), bool), '(x * 255).astype("uint8")'),
        (np.full((2, 2), 255, np.int64), 'x.astype("uint8")'),
        (np.full((2, 2), 65535, ">u2"), '(x // 257).astype("uint8")'),
        (np.zeros((2, 2), object), ""),
        (np.zeros((2, 2), str), ""),
        (np.zeros((2, 2, 2), np.uint8), ""),
        (np.full((3, 2, 2), 255, np.uint8), "x.transpose(1, 2, 0)"),
        (np.full((1, 2, 2, 3), 255, np.uint8), "x[0]"),
        (np.zeros(4, np.uint8), ""),
        (np.zeros((), np.uint8), ""),
    ],
    ids=lambda value: f"{value.shape} {value.dtype}" if isinstance(value, np.ndarray) else "",
)
def test_wrong_arrays(array, code):
    """The code that the message has makes an image of it, as bright as it was."""
    with pytest.raises(ImageError) as caught:
        open_image(array)
    message, _, remedy = str(caught.value).partition("; ")
    assert message == (
        f"expected a (H, W), (H, W, 3) or (H, W, 4) uint8 array in RGB order, or (H, W) uint16, "
        f"got {array.shape} {array.dtype}"
    )
    assert remedy.rpartition("pass ")[2] == code
    if code:
        image = open_image(eval(code, {"x": array}))
        assert image.getextrema() in {
            (value,) * 2 if image.mode == "L" else ((value,) * 2,) * 3 for value in (51, 255)
        }


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0, 3), (3, 0, 4)])
def test_arrays_without_pixels(shape):
    with pytest.raises(ImageError) as caught:
        open_image(np.zeros(shape, np.uint8))
    assert str(caught.value) == f"the array has no pixels: its shape is {shape}"
