"""The antialiased bilinear filter by loops in WebAssembly: Pillow's values, bit for bit."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.imaging import PreprocessRecipe, bilinear, loops, reordered, resized_pixels
from wasinn_nb.imaging.bilinear import resize_bilinear
from wasinn_nb.imaging.bilinear_wasm import weights

pytest.importorskip("wasmtime", reason="the extra 'wasm' is not installed")
SIDES = st.one_of(st.integers(1, 60), st.integers(200, 400))


def noise(*shape, seed=0):
    return np.random.default_rng(seed).integers(0, 256, shape, np.uint8)


def by_pillow(pixels, height, width):
    return np.asarray(Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR))


def orders(pixels, height, width, **options):
    """Return the orders of passes that give Pillow's values."""
    sizes = *pixels.shape[:2], height, width
    made = {
        order: bilinear._by_loops(loops.loops("bilinear"), pixels, sizes, order, **options)
        for order in ("columns", "rows")
    }
    expected = by_pillow(pixels, height, width)
    return [order for order, resized in made.items() if np.array_equal(resized, expected)]


@given(SIDES, SIDES, SIDES, SIDES, st.integers(0, 9), st.integers(1, 4), st.booleans())
def test_one_order_of_passes_has_pillows_values(
    rows, columns, height, width, seed, threads, backwards
):
    pixels = noise(rows, columns, 3, seed=seed)
    if seed < 3:  # dark and bright alone: the largest sums, and values on halves
        pixels = np.where(pixels > 127, 255, 0).astype(np.uint8)
    assert orders(pixels, height, width, threads=threads, backwards=backwards)


@pytest.mark.parametrize(
    ("shape", "to"),
    [
        ((1080, 1920), (512, 896)),
        ((1920, 1080), (512, 896)),
        ((600, 500), (300, 700)),
        ((2160, 3840), (224, 224)),  # many weights, several blocks
        ((4000, 70), (3, 65)),
        ((512, 512), (512, 512)),
    ],
)
def test_large_images(shape, to):
    pixels = noise(*shape, 3)
    found = orders(pixels, *to, threads=2)
    assert found
    assert orders(pixels, *to) == found
    assert orders(pixels[::-1, ::-1, ::-1], *to) == found


@pytest.mark.parametrize("order", ["columns", "rows"])
def test_blocks_change_no_value(monkeypatch, order):
    pixels, sizes = noise(90, 70, 3), (90, 70, 41, 23)
    whole = bilinear._by_loops(loops.loops("bilinear"), pixels, sizes, order)
    for size in (1, 3000, 9000):
        monkeypatch.setattr(loops, "_BLOCK_BYTES", size)
        module = loops.Loops("bilinear")  # whose instances know nothing of other blocks
        assert np.array_equal(bilinear._by_loops(module, pixels, sizes, order, 2), whole)


def test_memory_that_was_used_before_changes_no_value():
    module = loops.Loops("bilinear")
    small, sizes = noise(30, 40, 3), (30, 40, 11, 13)
    first = bilinear._by_loops(module, small, sizes, "rows")
    white = np.full((300, 400, 3), 255, np.uint8)
    bilinear._by_loops(module, white, (300, 400, 200, 100), "columns")
    for _ in range(2):
        assert np.array_equal(bilinear._by_loops(module, small, sizes, "rows"), first)
    other = noise(30, 40, 3, seed=1)  # the tables that lie there are used, the pixels are not
    expected = bilinear._by_loops(loops.Loops("bilinear"), other, sizes, "rows")
    assert np.array_equal(bilinear._by_loops(module, other, sizes, "rows"), expected)


def test_the_weights_of_an_output_sum_to_one():
    for inputs, outputs in ((1920, 896), (224, 224), (3, 1000), (65_535, 7)):
        sums = weights(inputs, outputs).values.sum(axis=1)
        assert np.abs(sums - 2**22).max() <= weights(inputs, outputs).values.shape[1] / 2


def test_a_size_is_tried_when_it_comes_the_second_time(monkeypatch):
    tried = []
    monkeypatch.setattr(bilinear, "_order_of_pillow", tried.append)
    images = [Image.new("RGB", size) for size in ((801, 603), (801, 602), (801, 603), (20, 20))]
    for image in (*images, Image.new("RGB", (20, 20)), *[Image.new("L", (801, 603))] * 2):
        resize_bilinear(image, 64, 63, threads=2)
        resize_bilinear(image, 20, 30)  # too few values to tell the orders apart
    assert tried == [(603, 801, 64, 63)]


def test_another_arithmetic_of_pillow_is_left_to_pillow(monkeypatch):
    pixels = noise(520, 610, 3)
    expected = by_pillow(pixels, 77, 99)
    monkeypatch.setattr(bilinear, "_by_loops", lambda *_, **__: np.zeros((77, 99, 3), np.uint8))
    bilinear._order_of_pillow.cache_clear()
    for _ in range(3):
        assert np.array_equal(resize_bilinear(pixels, 77, 99, 2), expected)
    bilinear._order_of_pillow.cache_clear()


def test_without_memory_pillow_does_it(monkeypatch):
    monkeypatch.setattr(loops, "_MOST_BYTES", 1000)
    monkeypatch.setattr(bilinear, "loops", loops.Loops)  # one without instances
    monkeypatch.setattr(bilinear, "_order_of_pillow", lambda sizes: "columns")
    pixels = noise(530, 620, 3)
    for _ in range(2):
        assert np.array_equal(resize_bilinear(pixels, 70, 90, 2), by_pillow(pixels, 70, 90))


@pytest.mark.full
def test_without_wasmtime_pillow_does_it():
    script = (
        "import sys; sys.modules['wasmtime'] = None\n"
        "import numpy as np\n"
        "from wasinn_nb.imaging.bilinear import resize_bilinear\n"
        "pixels = np.random.default_rng(0).integers(0, 256, (540, 640, 3), np.uint8)\n"
        "print([int(resize_bilinear(pixels, 9, 11, 2).sum()) for _ in range(3)])"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == str([int(by_pillow(noise(540, 640, 3), 9, 11).sum())] * 3)


@pytest.mark.parametrize("color", ["RGB", "BGR", "RGBA", "BGRA", "GRAY"])
def test_every_color_comes_in_rgb_order_and_is_turned(monkeypatch, color):
    monkeypatch.setattr(bilinear, "_comes_again", lambda sizes: True)
    pixels = noise(540, 650, 3)
    recipe = PreprocessRecipe(60, 80, color=color, resize="bilinear")
    image = Image.fromarray(pixels)
    mode = {"GRAY": "L", "BGR": "RGB", "BGRA": "RGBA"}.get(color, color)
    expected = by_pillow(np.asarray(image.convert(mode)), 60, 80).reshape(60, 80, -1)
    for threads in (1, 2):
        found = resized_pixels(image, recipe, threads)
        assert np.array_equal(found, expected)
        turned = reordered(found, color)
        assert turned.flags.c_contiguous
        step = -1 if color.startswith("B") else 1
        assert np.array_equal(turned[..., :3], expected[..., :3][..., ::step])


@pytest.mark.full
@pytest.mark.parametrize("guest", ["triangle", "triangle-0.23"])
def test_masks_of_the_default_filter_are_those_of_a_rust_guest(shared, guest):
    model = shared / "models" / "road-segmentation-adas-0001.xml"
    image = shared / "images" / "empty_road_mapillary.jpg"
    ours, theirs = (
        wn.segment(image, model, precision="f32", resize=resize).labels
        for resize in ("bilinear", guest)
    )
    part = (ours == theirs).mean()
    assert 0.9995 <= part < 1  # 0.9998 and 0.9997
