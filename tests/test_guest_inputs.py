"""The general guest makes the input tensor of `image_to_tensor`, byte for byte."""

import io
import struct
import tempfile
import zlib
from pathlib import Path

import numpy as np
import pytest
from bare_guest import bare_bundle, run_bare
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageCms

from wasinn_nb import PreprocessRecipe, image_to_tensor

pytest.importorskip("wasmtime")
pytestmark = pytest.mark.full

# Two JPEG decoders differ by at most 2 of 255 levels (README of a bundle, agreement.py).
JPEG_BOUND = 2


@pytest.fixture(scope="module")
def folder():
    with tempfile.TemporaryDirectory() as made:
        yield Path(made)


def guest_input(folder, encoded, recipe):
    (folder / "image.png").write_bytes(encoded)
    bare_bundle(folder, recipe)
    code, tensor, printed, calls = run_bare(folder)
    assert code == 0, printed
    assert calls == ["load", "init_execution_context", "set_input", "compute", "get_output"]
    return tensor


def png(mode, depth, pixels, *, palette=None, transparent=None, interlaced=False, claims=None):
    """Encode rows of whole samples as PNG, of any color type and depth."""
    height, width = pixels.shape[:2]
    samples = pixels.reshape(height, width, -1)

    def packed(part):
        rows, columns = part.shape[:2]
        if depth == 16:
            raw = part.astype(">u2").reshape(rows, -1).view(np.uint8)
        elif depth == 8:
            raw = part.astype(np.uint8).reshape(rows, -1)
        else:
            bits = np.unpackbits(part.astype(np.uint8).reshape(rows, columns, 1), axis=2)
            raw = np.packbits(bits[:, :, 8 - depth :].reshape(rows, -1), axis=1)
        return b"".join(b"\0" + row.tobytes() for row in raw)

    passes = [(0, 0, 1, 1)]
    if interlaced:
        passes = [(0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4)]
        passes += [(2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)]
    data = b"".join(
        packed(part) for y, x, down, right in passes if (part := samples[y::down, x::right]).size
    )
    rows, columns = claims or (height, width)
    header = struct.pack(">IIBBBBB", columns, rows, depth, mode, 0, 0, int(interlaced))
    chunks = [(b"IHDR", header)]
    chunks += [] if palette is None else [(b"PLTE", palette)]
    chunks += [] if transparent is None else [(b"tRNS", transparent)]
    chunks += [(b"IDAT", zlib.compress(data)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


COLOR_TYPES = [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16), (3, 1), (3, 2), (3, 4)]
COLOR_TYPES += [(3, 8), (4, 8), (4, 16), (6, 8), (6, 16)]
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}


@st.composite
def encoded_pngs(draw):
    mode, depth = draw(st.sampled_from(COLOR_TYPES))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    height, width = draw(st.integers(1, 40)), draw(st.integers(1, 40))
    pixels = random.integers(0, 1 << depth, (height, width, CHANNELS[mode]))
    palette = transparent = None
    if mode == 3:
        palette = random.integers(0, 256, 3 << depth, dtype=np.uint8).tobytes()
    if mode in {0, 2, 3} and draw(st.booleans()):
        if mode == 3:
            count = draw(st.integers(1, 1 << depth))
            transparent = random.integers(0, 256, count, dtype=np.uint8).tobytes()
        else:
            transparent = pixels[0, 0].astype(">u2").tobytes()
    interlaced = draw(st.booleans())
    return png(mode, depth, pixels, palette=palette, transparent=transparent, interlaced=interlaced)


@st.composite
def recipes(draw):
    color = draw(st.sampled_from(["BGR", "RGB", "GRAY", "RGBA", "BGRA"]))
    channels = {"GRAY": 1, "RGBA": 4, "BGRA": 4}.get(color, 3)
    type_ = draw(st.sampled_from(["u8", "f16", "f32"]))
    small = st.floats(-300, 300, width=32)
    levels = {}
    quantized = type_ == "u8" and draw(st.booleans())
    if type_ != "u8" or quantized:
        low = draw(small)
        levels["range"] = (low, low + draw(st.sampled_from([0.5, 1, 2, 255, -1])))
        levels["mean"] = tuple(draw(st.lists(small, min_size=channels, max_size=channels)))
        scales = st.floats(2**-10, 300, width=32)
        levels["scale"] = tuple(draw(st.lists(scales, min_size=channels, max_size=channels)))
    if quantized:
        levels["quantization"] = (draw(st.floats(2**-10, 1, width=32)), draw(st.integers(0, 255)))
    return PreprocessRecipe(
        draw(st.integers(1, 48)),
        draw(st.integers(1, 48)),
        draw(st.sampled_from(["NCHW", "NHWC", "CHW", "HWC"])),
        color,
        type_,
        fit=draw(st.sampled_from(["stretch", "letterbox", "crop"])),
        pad_value=draw(st.integers(0, 255)),
        exif=draw(st.sampled_from(["ignore", "apply"])),
        **levels,
    )


@settings(max_examples=200, deadline=None, derandomize=True)
@given(encoded_pngs(), recipes())
def test_every_png_and_every_triangle_recipe(encoded, recipe):
    with tempfile.TemporaryDirectory() as made:
        tensor = guest_input(Path(made), encoded, recipe)
    with np.errstate(over="ignore"):  # large values are infinite in f16
        assert tensor == image_to_tensor(encoded, recipe)


def oriented_png(pixels, orientation, how):
    image = Image.fromarray(pixels)
    file = io.BytesIO()
    if how == "xmp":
        from PIL import PngImagePlugin

        info = PngImagePlugin.PngInfo()
        text = f'<x tiff:Orientation="{orientation}"/>'
        info.add_itxt("XML:com.adobe.xmp", text, zip=orientation % 2 == 0)
        image.save(file, "PNG", pnginfo=info)
        return file.getvalue()
    exif = image.getexif()
    exif[0x0112] = orientation
    if how == "exif":
        image.save(file, "PNG", exif=exif)
        return file.getvalue()
    from PIL import PngImagePlugin

    info = PngImagePlugin.PngInfo()
    digits = exif.tobytes().hex()
    lines = "\n".join(digits[at : at + 72] for at in range(0, len(digits), 72))
    text = f"\nexif\n{len(digits) // 2:8}\n{lines}\n"
    info.add_text("Raw profile type exif", text, zip=orientation % 2 == 0)
    image.save(file, "PNG", pnginfo=info)
    return file.getvalue()


@pytest.mark.parametrize("how", ["exif", "xmp", "raw profile"])
@pytest.mark.parametrize("orientation", range(10))
def test_orientation_of_png(folder, how, orientation):
    pixels = np.random.default_rng(orientation).integers(0, 256, (9, 14, 3), dtype=np.uint8)
    encoded = oriented_png(pixels, orientation, how)
    made = set()
    for exif in ("ignore", "apply"):
        recipe = PreprocessRecipe(9, 14, exif=exif)
        tensor = guest_input(folder, encoded, recipe)
        assert tensor == image_to_tensor(encoded, recipe)
        made.add(tensor.sha256())
    assert len(made) == (2 if 2 <= orientation <= 8 else 1)


def scene(height, width):
    """Return a smooth color image with edges, as images of cameras are."""
    y, x = np.mgrid[:height, :width]
    waves = [np.sin(x / 9), np.cos(y / 7), np.sin((x + y) / 13)]
    image = np.stack([127 + 100 * wave for wave in waves], axis=2)
    image[height // 3 : height // 2, width // 4 : width // 2] = (250, 20, 90)
    return image.astype(np.uint8)


def jpeg(image, **options):
    file = io.BytesIO()
    image.save(file, "JPEG", **options)
    return file.getvalue()


JPEGS = {
    "4:4:4": lambda image: jpeg(image, quality=92, subsampling=0),
    "4:2:0": lambda image: jpeg(image, quality=92, subsampling=2),
    "progressive": lambda image: jpeg(image, quality=75, progressive=True),
    "gray": lambda image: jpeg(image.convert("L")),
    "CMYK": lambda image: jpeg(image.convert("CMYK"), quality=95),
}


@pytest.mark.parametrize("kind", JPEGS)
@pytest.mark.parametrize("color", ["BGR", "GRAY"])
def test_jpeg_within_the_documented_bound(folder, kind, color):
    encoded = JPEGS[kind](Image.fromarray(scene(150, 200)))
    recipe = PreprocessRecipe(120, 160, color=color)
    made = guest_input(folder, encoded, recipe).to_array()
    difference = np.abs(made - image_to_tensor(encoded, recipe).to_array())
    assert difference.max() <= JPEG_BOUND


@pytest.mark.parametrize("orientation", [1, 3, 6, 8])
@pytest.mark.parametrize("how", ["exif", "xmp"])
def test_orientation_of_jpeg(folder, how, orientation):
    image = Image.fromarray(scene(80, 120))
    exif = Image.Exif()
    exif[0x0112] = orientation
    xmp = f"<tiff:Orientation>{orientation}</tiff:Orientation>".encode()
    # A profile comes between, as cameras write it.
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    options = {"exif": exif} if how == "exif" else {"xmp": xmp}
    encoded = jpeg(image, quality=95, subsampling=0, icc_profile=profile, **options)
    recipe = PreprocessRecipe(80, 80, exif="apply")
    made = guest_input(folder, encoded, recipe).to_array()
    difference = np.abs(made - image_to_tensor(encoded, recipe).to_array())
    assert difference.max() <= JPEG_BOUND


BROKEN = {
    "empty": b"",
    "text": b"no image at all",
    "half a PNG": png(2, 8, np.zeros((40, 40, 3)))[:70],
    "half a JPEG": jpeg(Image.fromarray(scene(64, 64)))[:300],
    "PNG of too many pixels": png(2, 8, np.zeros((1, 1, 3)), claims=(20_000, 60_000)),
    "PNG without pixels": png(2, 8, np.zeros((1, 1, 3)), claims=(0, 4)),
}


@pytest.mark.parametrize("name", BROKEN)
def test_broken_images_are_named(folder, name):
    (folder / "image.png").write_bytes(BROKEN[name])
    bare_bundle(folder, PreprocessRecipe(8, 8))
    code, tensor, printed, calls = run_bare(folder)
    assert (code, tensor, calls) == (1, None, [])
    assert "guest: cannot decode image ./image.png: " in printed
    assert printed.count("\n") <= 2
