"""Images that several threads resize have the same values."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from wasinn_nb.imaging import PreprocessRecipe, bilinear, resized_pixels
from wasinn_nb.imaging.sharing import in_threads
from wasinn_nb.imaging.triangle import resize_triangle

SIDES = st.integers(1, 90)
RNG = np.random.default_rng(8)


@pytest.fixture(autouse=True)
def _small_images_too(monkeypatch):
    monkeypatch.setattr(bilinear, "_LARGE_PIXELS", 1)
    monkeypatch.setattr(bilinear, "_comes_again", lambda sizes: True)


@pytest.mark.full
@pytest.mark.parametrize("color", ["RGB", "BGR", "GRAY", "RGBA"])
@pytest.mark.parametrize("resize", ["bilinear", "triangle", "triangle-0.23"])
@given(height=SIDES, width=SIDES, rows=SIDES, columns=SIDES)
@settings(max_examples=60, deadline=None)
def test_threads_change_no_value(color, resize, height, width, rows, columns):
    pixels = RNG.integers(0, 256, (rows, columns, 4 if color == "RGBA" else 3), np.uint8)
    recipe = PreprocessRecipe(height, width, color=color, resize=resize)
    image = Image.fromarray(pixels)
    one, two = (resized_pixels(image, recipe, threads) for threads in (1, 2))
    assert one.shape == two.shape
    assert np.array_equal(one, two)


@pytest.mark.parametrize("threads", [1, 2, 3, 7, 40])
def test_every_row_is_in_one_part(threads):
    seen = []
    in_threads(lambda start, end: seen.extend(range(start, end)), 17, threads)
    assert sorted(seen) == list(range(17))


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork on this system")
def test_a_forked_process_has_threads_of_its_own():
    in_threads(lambda start, end: None, 4, 4)
    child = os.fork()
    if child == 0:
        seen = []
        in_threads(lambda start, end: seen.extend(range(start, end)), 9, 3)
        os._exit(0 if sorted(seen) == list(range(9)) else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


def test_while_python_ends_one_thread_does_it_all():
    script = (
        "import atexit\n"
        "from wasinn_nb.imaging.sharing import in_threads\n"
        "atexit.register(in_threads, print, 9, 3)"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert (out.stdout, out.stderr) == ("0 9\n", "")


def test_what_fails_in_a_thread_is_raised():
    def fail(start, end):
        if start:
            raise MemoryError(end)

    with pytest.raises(MemoryError, match="8"):
        in_threads(fail, 8, 2)


def test_blocks_of_the_triangle_change_no_value(monkeypatch):
    pixels = RNG.integers(0, 65_536, (31, 40, 3), np.uint16)
    expected = resize_triangle(pixels, 17, 12)
    monkeypatch.setattr("wasinn_nb.imaging.triangle._BLOCK_VALUES", 1)
    assert np.array_equal(resize_triangle(pixels, 17, 12), expected)
