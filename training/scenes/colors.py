"""Random colors, all RGB float arrays of shape (3,) in 0..1."""

from __future__ import annotations

import colorsys

import numpy as np
from numpy.typing import NDArray

Color = NDArray[np.float64]


def gray(rng: np.random.Generator, low: float, high: float, tint: float = 0.05) -> Color:
    """Return a nearly neutral color of a brightness in `low`..`high`."""
    return np.clip(rng.uniform(low, high) * (1 + rng.normal(0, tint, 3)), 0, 1)


def hsv(
    rng: np.random.Generator,
    hue: tuple[float, float],
    saturation: tuple[float, float],
    value: tuple[float, float],
) -> Color:
    """Return a color with hue, saturation and value drawn from ranges; hues wrap around at 1."""
    return np.array(
        colorsys.hsv_to_rgb(rng.uniform(*hue) % 1.0, rng.uniform(*saturation), rng.uniform(*value))
    )


def anything(rng: np.random.Generator) -> Color:
    """Return any color at all."""
    return hsv(rng, (0, 1), (0, 1), (0.05, 1))


def shade(color: Color, factor: float) -> Color:
    """Return `color` made darker (below 1) or lighter (above 1)."""
    return np.clip(color * factor, 0, 1)


def brightness(color: Color) -> float:
    """Return how bright a color looks, 0 to 1 (ITU-R BT.601)."""
    return float(color @ [0.299, 0.587, 0.114])


def apart(color: Color, other: Color, ratio: float) -> Color:
    """Return `color`, where need be made so dark or light that `other` differs by a ratio."""
    ours, theirs = brightness(color) + 1e-3, brightness(other) + 1e-3
    if max(ours / theirs, theirs / ours) >= ratio:
        return color
    lighter = ours > theirs and theirs * ratio < 1
    return shade(color, (theirs * ratio if lighter else theirs / ratio) / ours)


def foliage(rng: np.random.Generator) -> Color:
    """Return the color of leaves or grass: green mostly, dry or autumnal at times."""
    hue = (0.16, 0.36) if rng.random() < 0.75 else (0.04, 0.16)
    return hsv(rng, hue, (0.12, 0.75), (0.12, 0.6))


def masonry(rng: np.random.Generator) -> Color:
    """Return the color of a wall: gray, cream, brick, or any pale paint."""
    pick = rng.random()
    if pick < 0.35:
        return gray(rng, 0.2, 0.9)
    if pick < 0.65:
        return hsv(rng, (0.02, 0.14), (0.1, 0.6), (0.3, 0.9))
    if pick < 0.9:
        return hsv(rng, (-0.03, 0.06), (0.3, 0.7), (0.2, 0.6))
    return anything(rng)


def paint(rng: np.random.Generator) -> Color:
    """Return a car's or a coat's color: black, white and gray mostly."""
    if rng.random() < 0.6:
        return gray(rng, 0.03, 0.95, 0.04)
    return hsv(rng, (0, 1), (0.3, 0.95), (0.15, 0.9))
