"""The triangle filter as WebAssembly: the values of the NumPy code, bit for bit."""

from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wasinn_nb.imaging import loops, resize_triangle, triangle, triangle_wasm
from wasinn_nb.imaging.taps import taps

pytest.importorskip("wasmtime", reason="the extra 'wasm' is not installed")
AGES = ["0.24", "0.23"]
sides = st.integers(1, 40)


def by_numpy(pixels, height, width, age):
    vertical, horizontal = taps(pixels.shape[0], height), taps(pixels.shape[1], width)
    return triangle._resized_by_numpy(pixels, vertical, horizontal, age)


def by_loops(pixels, height, width, age):
    out = np.full((height, width, pixels.shape[2]), 77, np.uint8)
    module = loops.Loops("triangle")  # whose instances know nothing of earlier blocks
    triangle_wasm.resize_rows(module, pixels, height, age, 0, out)
    return out


def noise(*shape):
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


@given(sides, sides, sides, sides, st.integers(1, 4), st.sampled_from(AGES), st.integers(0, 9))
def test_any_size_has_the_values_of_numpy(rows, columns, height, width, channels, age, seed):
    rng = np.random.default_rng(seed)
    pixels = rng.integers(0, 256, (rows, columns, channels), np.uint8)
    if seed < 3:  # dark and bright alone: the largest sums, and values on halves
        pixels = np.where(pixels > 127, 255, 0).astype(np.uint8)
    assert np.array_equal(
        by_loops(pixels, height, width, age), by_numpy(pixels, height, width, age)
    )


@pytest.mark.parametrize("age", AGES)
@pytest.mark.parametrize(
    ("shape", "to"),
    [
        ((1080, 1920, 3), (512, 896)),
        ((513, 700, 4), (1, 1)),  # every row and column is read by one output
        ((700, 400, 1), (1400, 3)),
        ((2, 70_000, 1), (2, 5)),
        ((301, 299, 3), (300, 300)),
    ],
)
def test_large_images_in_blocks_and_threads(shape, to, age):
    pixels = noise(*shape)
    expected = by_numpy(pixels, *to, age)
    for threads in (1, 2, 5):
        assert np.array_equal(resize_triangle(pixels, *to, age, threads), expected)
    for view in (pixels[::-1], pixels[:, ::-1], pixels[..., ::-1]):
        assert np.array_equal(by_loops(view, *to, age), by_numpy(view.copy(), *to, age))


def test_many_blocks(monkeypatch):
    pixels, to = noise(90, 70, 3), (41, 23)
    expected = by_numpy(pixels, *to, "0.24")
    for size in (1, 4096, 1 << 20):
        monkeypatch.setattr(loops, "_BLOCK_BYTES", size)
        assert np.array_equal(by_loops(pixels, *to, "0.24"), expected)


def used(monkeypatch):
    """Return the shapes of the images that the loops resize from now on."""
    shapes, resize = [], triangle_wasm.resize_rows

    def spy(module, pixels, *others):
        shapes.append(pixels.shape)
        return resize(module, pixels, *others)

    monkeypatch.setattr(triangle, "resize_rows", spy)
    return shapes


def test_large_images_of_eight_bits_take_it(monkeypatch):
    shapes = used(monkeypatch)
    large = noise(256, 256, 3)
    resize_triangle(large, 9, 9)
    assert shapes == [(256, 256, 3)]
    resize_triangle(noise(20, 20, 3), 9, 9)
    resize_triangle(large.astype(np.uint16), 9, 9)
    resize_triangle(np.concatenate([large, large], axis=2), 9, 9)  # more than a vector holds
    assert len(shapes) == 1


def test_without_memory_numpy_goes_on(monkeypatch):
    shapes = used(monkeypatch)
    monkeypatch.setattr(loops, "_MOST_BYTES", 1000)
    monkeypatch.setattr(triangle, "loops", loops.Loops)  # one without instances
    pixels = noise(256, 256, 3)
    for threads in (1, 2):
        resized = resize_triangle(pixels, 9, 11, threads=threads)
        assert np.array_equal(resized, by_numpy(pixels, 9, 11, "0.24"))
    assert shapes


def test_without_wasmtime_numpy_does_it():
    script = (
        "import sys; sys.modules['wasmtime'] = None\n"
        "import numpy as np\n"
        "from wasinn_nb.imaging import loops, resize_triangle\n"
        "pixels = np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)\n"
        "print(loops.loops('triangle'), int(resize_triangle(pixels, 9, 11).sum()))"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    total = int(resize_triangle(noise(256, 256, 3), 9, 11).sum())
    assert out.stdout.split() == ["None", str(total)]


def test_threads_at_the_same_time():
    images = [noise(200 + n, 300, 3) for n in range(8)]
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda image: resize_triangle(image, 50, 60), images))
    for image, resized in zip(images, found, strict=True):
        assert np.array_equal(resized, by_numpy(image, 50, 60, "0.24"))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_process_resizes_too():
    pixels = noise(256, 256, 3)
    expected = resize_triangle(pixels, 9, 11)
    child = os.fork()
    if child == 0:
        same = np.array_equal(resize_triangle(pixels, 9, 11), expected)
        os._exit(0 if same else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
