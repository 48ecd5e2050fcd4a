import contextlib
import io
import random
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
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
    rgb_image,
    rgb_pixels,
)

# Two rows of three pixels, each of its own color.
RGB = np.array(
    [[[255, 0, 0], [0, 255, 0], [0, 0, 255]], [[255, 255, 255], [0, 0, 0], [128, 64, 32]]], np.uint8
)
GRAY = np.array([[0, 128, 255], [1, 2, 3]], np.uint8)


def encoded(image, kind="PNG", **options):
    out = io.BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def chunk(kind: bytes, data: bytes) -> bytes:
    check = zlib.crc32(kind + data)
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", check)


def png(width, height, depth, color, rows: bytes) -> bytes:
    """Return a PNG file written by hand: Pillow does not write every depth."""
    header = struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0)
    return b"".join(
        [
            b"\x89PNG\r\n\x1a\n",
            chunk(b"IHDR", header),
            chunk(b"IDAT", zlib.compress(rows)),
            chunk(b"IEND", b""),
        ]
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
        f"scale them and pass a uint8 or uint16 array"
    )


def test_floating_point_is_refused():
    for call in (rgb_image, rgb_pixels):
        with pytest.raises(ImageError, match=r"does not state its range; scale it to 0..255"):
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
    "array",
    [
        np.zeros((2, 2), np.float32),
        np.zeros((2, 2, 3), np.uint16),
        np.zeros((2, 2), bool),
        np.zeros((2, 2), np.int64),
        np.zeros((2, 2), ">u2"),
        np.zeros((2, 2), object),
        np.zeros((2, 2, 2), np.uint8),
        np.zeros((3, 2, 2), np.uint8),  # CHW
        np.zeros((1, 2, 2, 3), np.uint8),
        np.zeros(4, np.uint8),
        np.zeros((), np.uint8),
    ],
    ids=lambda array: f"{array.shape} {array.dtype}",
)
def test_wrong_arrays(array):
    with pytest.raises(ImageError) as caught:
        open_image(array)
    assert str(caught.value) == (
        f"expected a (H, W), (H, W, 3) or (H, W, 4) uint8 array in RGB order, or (H, W) uint16, "
        f"got {array.shape} {array.dtype}"
    )


@pytest.mark.parametrize("shape", [(0, 3), (3, 0), (0, 0, 3), (3, 0, 4)])
def test_arrays_without_pixels(shape):
    with pytest.raises(ImageError) as caught:
        open_image(np.zeros(shape, np.uint8))
    assert str(caught.value) == f"the array has no pixels: its shape is {shape}"


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
