"""The fast resize against a literal one: scalar loops of float32, as the Rust crate runs them."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from wasinn_nb.imaging.triangle import _rounded, resize_triangle

F = np.float32


def literal_weights(inputs, outputs, o):
    """Return where output *o* starts to read, and its weights: the README's formulas."""
    ratio = F(inputs) / F(outputs)
    s = max(F(1), ratio)
    center = (F(o) + F(0.5)) * ratio
    left = min(max(math.floor(center - s), 0), inputs - 1)
    right = min(max(math.ceil(center + s), left + 1), inputs)
    middle = center - F(0.5)
    return left, [max(F(0), F(1) - abs((F(i) - middle) / s)) for i in range(left, right)]


def literal_round(value, limit):
    clamped = min(max(value, F(0)), F(limit))
    whole = math.floor(clamped)
    return whole + (clamped - F(whole) >= F(0.5))  # half away from zero; nothing is negative


def literal_axis(line, outputs, age, limit, *, last=False):
    """Resize one line of numbers."""
    result = []
    for o in range(outputs):
        left, weights = literal_weights(len(line), outputs, o)
        total = F(0)
        for weight in weights:
            total += weight
        value = F(0)
        for offset, weight in enumerate(weights):
            share = weight / total if age == "0.24" else weight
            value += F(line[left + offset]) * share
        if age == "0.23":
            value = F(literal_round(value / total, limit))
        elif last:
            value = F(literal_round(value, limit))
        result.append(value)
    return result


def literal(pixels, height, width, age):
    limit = np.iinfo(pixels.dtype).max
    rows, columns, channels = pixels.shape
    result = np.empty((height, width, channels), pixels.dtype)
    for c in range(channels):
        upright = [literal_axis(pixels[:, x, c], height, age, limit) for x in range(columns)]
        for y in range(height):
            line = [upright[x][y] for x in range(columns)]
            result[y, :, c] = literal_axis(line, width, age, limit, last=True)
        assert len(upright[0]) == height
        assert rows == len(pixels)
    return result


sides = st.integers(1, 9)


@pytest.mark.full
@settings(max_examples=150, deadline=None)
@given(
    hnp.arrays(
        st.sampled_from([np.dtype(np.uint8), np.dtype(np.uint16)]),
        st.tuples(sides, sides, st.integers(1, 2)),
    ),
    sides,
    sides,
    st.sampled_from(["0.24", "0.23"]),
)
def test_equals_the_literal_loops(pixels, height, width, age):
    before = pixels.copy()
    resized = resize_triangle(pixels, height, width, age)
    assert resized.dtype == pixels.dtype
    assert resized.flags.c_contiguous
    assert resized.tolist() == literal(pixels, height, width, age).tolist()
    assert np.array_equal(pixels, before)


@pytest.mark.parametrize("age", ["0.24", "0.23"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize(
    ("size", "to"),
    [
        ((40, 3), (7, 3)),
        ((3, 40), (3, 7)),
        ((7, 11), (19, 23)),
        ((64, 48), (5, 90)),
        ((1, 1), (9, 4)),
        ((1, 300), (2, 1)),
        ((300, 1), (1, 2)),
        ((13, 13), (1, 1)),
    ],
)
def test_larger_steps_equal_the_literal_loops_too(size, to, dtype, age):
    pixels = np.random.default_rng(0).integers(0, np.iinfo(dtype).max + 1, (*size, 1), dtype)
    assert np.array_equal(resize_triangle(pixels, *to, age), literal(pixels, *to, age))


@given(
    hnp.arrays(np.uint8, st.tuples(sides, sides, st.integers(1, 4))),
    st.sampled_from(["0.24", "0.23"]),
)
def test_the_right_size_stays_as_it_is(pixels, age):
    resized = resize_triangle(pixels, *pixels.shape[:2], age)
    assert np.array_equal(resized, pixels)
    assert not np.shares_memory(resized, pixels)


# By hand: ratio 2, so each output reads its four neighbors with 1/8, 3/8, 3/8, 1/8; at the border
# the first weight falls away and the rest is divided by 7/8.
@pytest.mark.parametrize(
    ("line", "width", "expected", "expected_023"),
    [
        ([0, 10, 20, 30], 2, [7, 23], [7, 23]),
        ([0, 0, 255, 255], 2, [36, 219], [36, 219]),
        ([7], 3, [7, 7, 7], [7, 7, 7]),
        ([0, 255], 1, [128], [128]),  # 127.5 goes up
        ([1, 2], 1, [2], [2]),
        ([0, 255], 4, [0, 64, 191, 255], [0, 64, 191, 255]),
        ([255, 255, 255, 255, 255], 3, [255, 255, 255], [255, 255, 255]),
    ],
)
def test_tiny_lines(line, width, expected, expected_023):
    row = np.array(line, np.uint8)[None, :, None]
    assert resize_triangle(row, 1, width)[0, :, 0].tolist() == expected
    assert resize_triangle(row, 1, width, "0.23")[0, :, 0].tolist() == expected_023
    column = row.transpose(1, 0, 2)
    assert resize_triangle(column, width, 1)[:, 0, 0].tolist() == expected
    assert resize_triangle(column, width, 1, "0.23")[:, 0, 0].tolist() == expected_023


def test_the_two_ages_differ_where_one_rounds_between_the_passes():
    # Down: 0.5 and 0.5, which the old crate rounds to 1 and 1 before it goes on.
    pixels = np.array([[[0], [0]], [[1], [0]]], np.uint8)
    assert resize_triangle(pixels, 1, 1, "0.24").item() == 0  # 0.25
    assert resize_triangle(pixels, 1, 1, "0.23").item() == 1  # round(round(0.5) / 2)


HALF = F(0.5)


@pytest.mark.parametrize(
    ("value", "whole"),
    [
        (HALF, 1),
        (np.nextafter(HALF, F(0)), 0),  # adding 0.5 would give 1.0
        (np.nextafter(HALF, F(1)), 1),
        (F(1.5), 2),
        (F(2.5), 3),  # away from zero, not to even
        (np.nextafter(F(2.5), F(0)), 2),
        (F(254.5), 255),
        (np.nextafter(F(254.5), F(0)), 254),
        (F(255.4), 255),
        (F(300), 255),
        (F(-0.4), 0),
        (F(-3), 0),
        (F(0), 0),
    ],
)
def test_rounding_half_away_from_zero_is_exact(value, whole):
    assert _rounded(np.array([value], F), 255).tolist() == [whole]
    assert literal_round(value, 255) == whole


def test_channels_do_not_influence_each_other():
    pixels = np.random.default_rng(1).integers(0, 256, (9, 7, 3), np.uint8)
    together = resize_triangle(pixels, 4, 12)
    for c in range(3):
        assert np.array_equal(
            together[..., c], resize_triangle(pixels[..., c : c + 1], 4, 12)[..., 0]
        )


def test_strided_pixels_are_read_right():
    pixels = np.random.default_rng(2).integers(0, 256, (9, 7, 3), np.uint8)
    flipped = pixels[::-1, ::-1, ::-1]
    assert np.array_equal(resize_triangle(flipped, 5, 5), resize_triangle(flipped.copy(), 5, 5))
