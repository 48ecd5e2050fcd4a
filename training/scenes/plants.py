"""Trees and bushes."""

from __future__ import annotations

import numpy as np

from training.scenes import colors
from training.scenes.canvas import Canvas
from training.scenes.colors import Color
from training.scenes.kinds import Kind
from training.scenes.street import Street


def draw_tree(
    rng: np.random.Generator, canvas: Canvas, street: Street, s: float, d: float, bare: bool
) -> None:
    """Draw a tree, in leaf or bare, at a position on the street."""
    foot = street.path.world(np.array([s]), np.array([d]))
    view = canvas.camera.to_view(foot)
    if view[0, 2] < 1.0:
        return
    base = canvas.camera.to_pixels(view)[0]
    meter = canvas.camera.pixels_per_meter(view[0, 2])
    squeeze = canvas.camera.focal[0] / canvas.camera.focal[1]
    height = rng.uniform(3, 14)
    bark = colors.hsv(rng, (0.03, 0.12), (0.05, 0.4), (0.08, 0.45))
    stem = rng.uniform(0.15, 0.45) * height
    thick = 0.02 * height * rng.uniform(0.6, 1.6)
    trunk = (
        np.array([[-1, 0.1], [1, 0.1], [0.6, -stem / thick], [-0.6, -stem / thick]]) * thick * meter
    )
    canvas.pixels(base + trunk * [squeeze, 1], bark, Kind.WOOD)
    crown = base - [0, stem * meter]
    if bare:
        _draw_branches(
            rng, canvas, crown, (height - stem) * 0.4 * meter, thick * meter, bark, squeeze
        )
        return
    count = int(rng.integers(25, 70))
    leaf = colors.foliage(rng)
    wide = rng.uniform(0.22, 0.4) * height
    turn, reach = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.uniform(0, 1, count))
    centers = np.stack([np.cos(turn) * reach * wide, np.sin(turn) * reach * (height - stem) / 2], 1)
    centers = (centers - [0, (height - stem) / 2]) * meter * [squeeze, 1] + crown
    size = rng.uniform(0.12, 0.4, (count, 1)) * wide * meter * [[squeeze, 1]]
    # Lit from above: blobs higher up are lighter.
    light = 1.0 + 0.35 * (crown[1] - centers[:, 1]) / ((height - stem) * meter) - 0.15
    tones = [colors.shade(leaf, f * rng.uniform(0.6, 1.35)) for f in light]
    canvas.ellipses(centers, size, tones, Kind.LEAVES)


def _draw_branches(
    rng: np.random.Generator,
    canvas: Canvas,
    crown: np.ndarray[tuple[int], np.dtype[np.float64]],
    length: float,
    width: float,
    color: Color,
    squeeze: float,
) -> None:
    """Draw forks of forks, as lines of pixels."""
    tips = [(crown, rng.normal(0, 0.1))]
    for _ in range(5):
        grown = []
        for foot, lean in tips:
            for side in (-1, 1):
                angle = lean + side * rng.uniform(0.1, 0.65)
                step = (
                    length
                    * rng.uniform(0.5, 1.1)
                    * np.array([np.sin(angle) * squeeze, -np.cos(angle)])
                )
                kind = Kind.WOOD if width > 1.0 else None
                canvas.line(
                    np.stack([foot, foot + step]),
                    max(width, 0.6),
                    color,
                    kind,
                    min(1.0, 0.3 + width),
                )
                grown.append((foot + step, angle))
        tips = grown
        length, width = length * 0.72, width * 0.6


def draw_bush(rng: np.random.Generator, canvas: Canvas, street: Street, s: float, d: float) -> None:
    """Draw a bush at a position on the street."""
    view = canvas.camera.to_view(street.path.world(np.array([s]), np.array([d])))
    if view[0, 2] < 1.0:
        return
    base = canvas.camera.to_pixels(view)[0]
    meter = canvas.camera.pixels_per_meter(view[0, 2])
    count, size = int(rng.integers(8, 25)), rng.uniform(0.4, 1.6)
    leaf = colors.foliage(rng)
    centers = np.stack([rng.normal(0, 0.6, count), -np.abs(rng.normal(0.35, 0.3, count))], 1)
    radii = np.repeat(rng.uniform(0.15, 0.45, (count, 1)), 2, 1) * size * meter
    tones = [colors.shade(leaf, rng.uniform(0.6, 1.4)) for _ in range(count)]
    centers = base + centers * size * meter
    centers[:, 1] = np.minimum(centers[:, 1], base[1] - 0.7 * radii[:, 1])
    canvas.ellipses(centers, radii, tones, Kind.LEAVES)
