"""Images of 10, 12 and 14 bits in files of 16, and masks whose depth is lost, are named."""

import io
import json
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
import toys
from PIL import Image

import wasinn_nb as wn
from wasinn_nb import errors
from wasinn_nb.imaging import PreprocessRecipe, image_to_tensor, rgb_image
from wasinn_nb.imaging.depth import spread, unused_bits
from wasinn_nb.imaging.sources import EncodedImage

RNG = np.random.default_rng(0)
EIGHT = RNG.integers(0, 256, (24, 36), np.uint8)
RECIPE = PreprocessRecipe(24, 36, color="GRAY", resize="bilinear")


def of_bits(bits):
    """The same gray image with values of so many bits."""
    return np.rint(EIGHT.astype(float) * ((1 << bits) - 1) / 255).astype(np.uint16)


def encoded(array, form):
    file = io.BytesIO()
    Image.fromarray(array).save(file, form)
    return file.getvalue()


def levels(image, recipe=RECIPE):
    return image_to_tensor(image, recipe).to_array()[0, 0]


@pytest.mark.parametrize("bits", [9, 10, 12, 14, 16])
@pytest.mark.parametrize("form", ["PNG", "TIFF", "array", "PIL"])
@pytest.mark.parametrize("resize", ["bilinear", "triangle", "bilinear-draft"])
def test_bits_say_what_is_white(bits, form, resize):
    array = of_bits(bits)
    image = {"array": array, "PIL": Image.fromarray(array)}.get(form)
    image = encoded(array, form) if image is None else image
    found = levels(image, RECIPE.replace(bits=bits, resize=resize))
    assert np.abs(found - EIGHT).max() <= 1
    if bits < 16:
        assert levels(image).max() <= 256 >> (16 - bits)  # nearly black
    assert np.abs(np.asarray(rgb_image(image, bits=bits))[..., 0] - EIGHT.astype(int)).max() <= 1


def test_other_images_stay_as_they_are():
    assert (levels(EIGHT, RECIPE.replace(bits=12)) == EIGHT).all()
    colored = np.repeat(EIGHT[:, :, None], 3, axis=2)
    assert (np.asarray(spread(Image.fromarray(colored), 12)) == colored).all()


def test_values_of_more_bits_are_refused():
    with pytest.raises(errors.ImageError, match=r"values of 12 bits, 0 to 4095, got 0 to 16383"):
        levels(of_bits(14), RECIPE.replace(bits=12))


@pytest.mark.parametrize("bits", [8, 17, "12", 10.0, True])
def test_bits_are_checked(bits):
    with pytest.raises(errors.RecipeError, match="expected bits from 9 to 16"):
        RECIPE.replace(bits=bits)


def test_bits_are_part_of_a_recipe():
    recipe = RECIPE.replace(bits=12)
    assert "12 of 16 bits" in repr(recipe)
    assert PreprocessRecipe.from_json(recipe.to_json()) == recipe
    assert "bits" not in RECIPE.to_dict()
    assert RECIPE.diff(recipe) == {"bits": (None, 12)}


@pytest.mark.parametrize(("bits", "most"), [(10, 1023), (12, 4095), (14, 16383)])
def test_unused_bits_are_said(bits, most):
    image = Image.fromarray(of_bits(bits))
    assert unused_bits(image, image) == (
        f"image values up to {most} of 65535 (recipe bits={bits}, if they have {bits} bits)"
    )


def test_nothing_is_said_of_images_that_use_their_bits():
    for image in (of_bits(16), of_bits(15), EIGHT, np.zeros((4, 4), np.uint16)):
        opened = Image.fromarray(image)
        assert not unused_bits(opened, opened)
    dark = np.full((4, 4, 3), 9, np.uint8)
    for form in ("PNG", "TIFF", "JPEG", "PPM"):
        content = encoded(dark, form)
        assert not unused_bits(Image.open(io.BytesIO(content)), EncodedImage(content, "it"))


@pytest.mark.parametrize("form", ["png", "tiff"])
def test_color_files_of_16_bits_say_that_8_are_read(form):
    cv2 = pytest.importorskip("cv2")
    pixels = np.repeat(of_bits(12)[:, :, None], 3, axis=2)
    content = cv2.imencode(f".{form}", pixels)[1].tobytes()
    try:
        image = Image.open(io.BytesIO(content))
        image.load()
    except OSError:
        pytest.skip("this Pillow does not read it")
    note = unused_bits(image, EncodedImage(content, "it"))
    assert note.startswith("image values up to 15 of 255: the file has 16 bits per channel")
    whole = np.repeat(of_bits(16)[:, :, None], 3, axis=2)
    content = cv2.imencode(f".{form}", whole)[1].tobytes()
    opened = Image.open(io.BytesIO(content))
    opened.load()
    assert not unused_bits(opened, EncodedImage(content, "it"))


def test_a_result_says_it_and_shows_the_image_with_its_bits(tmp_path):
    model = toys.textures(tmp_path / "scores.xml", gives="scores")
    card = wn.ModelCard("toy", "segmentation", PreprocessRecipe(64, 96), ("a", "b", "c", "d"))
    path = tmp_path / "camera.png"
    path.write_bytes(encoded(of_bits(12), "PNG"))
    result = wn.segment(path, model, card=card)
    note = "image values up to 4095 of 65535 (recipe bits=12, if they have 12 bits)"
    assert result.assumed == (note,)
    assert note in repr(result)
    assert result.photo.max() <= 16
    chosen = wn.segment(path, model, card=card, recipe={"bits": 12})
    assert chosen.assumed == ()
    assert np.abs(chosen.photo[..., 0].astype(int) - EIGHT).max() <= 1
    saved = chosen.save(tmp_path / "out")
    assert json.loads(saved.facts.read_text())["recipe"]["bits"] == 12
    assert wn.SegmentationResult.load(saved.facts).recipe.bits == 12


@pytest.mark.full
def test_inspect_says_it(tmp_path):
    path = tmp_path / "camera.png"
    path.write_bytes(encoded(of_bits(12), "PNG"))
    program = [sys.executable, "-m", "wasinn_nb", "inspect", str(path)]
    done = subprocess.run(program, capture_output=True, text=True, check=True)
    assert "image values up to 4095 of 65535 (recipe bits=12" in done.stdout


# -- masks that are loaded images ------------------------------------------------------------------


def of_few_bits(bits):
    """A mask as PNG with samples of so many bits; labels 0, 1, 2, 3."""
    labels = np.tile(np.arange(4, dtype=np.uint8), (4, 3))
    if bits == 8:
        return labels, encoded(labels, "PNG")
    rows = np.unpackbits(labels[:, :, None], axis=2)[:, :, -bits:].reshape(4, -1)
    packed = np.packbits(rows, axis=1)
    raw = b"".join(b"\0" + row.tobytes() for row in packed)

    def chunk(name, data):
        body = name + data
        return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

    header = struct.pack(">IIBBBBB", 12, 4, bits, 0, 0, 0, 0)
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    return labels, content + chunk(b"IDAT", zlib.compress(raw)) + chunk(b"IEND", b"")


@pytest.mark.parametrize(("bits", "step"), [(2, 85), (4, 17)])
def test_a_loaded_mask_of_few_bits_is_named(bits, step):
    labels, content = of_few_bits(bits)
    image = Image.open(io.BytesIO(content))
    assert wn.evaluate(labels, image, classes=4).miou == 1  # not loaded: the stored labels
    image = Image.open(io.BytesIO(content))
    image.load()
    for loaded in (image, image.copy()):
        with pytest.raises(errors.TensorError, match=f"multiples of {step}, as") as e:
            wn.evaluate(labels, loaded, classes=4)
        assert "pass the path of the file" in str(e.value)
    # Where these happen to be classes it is said.
    names = {f"c{value}": value for value in range(0, 256, step)}
    found = wn.evaluate(labels * np.uint8(step), image, classes=names)
    assert found.remarks.loaded == ("truth image 0",)
    assert any("lost that its samples had 2 or 4 bits" in s for s in found.remarks.sentences())


def test_other_loaded_masks_are_not():
    labels, content = of_few_bits(8)
    for mask in (Image.open(io.BytesIO(content)), Image.fromarray(labels)):
        mask.load()
        assert wn.evaluate(labels, mask, classes=4).remarks.loaded == ()
    binary = (labels > 1) * np.uint8(255)
    found = wn.evaluate(binary, Image.fromarray(binary), classes={"no": 0, "yes": 255})
    assert found.remarks.loaded == ()
