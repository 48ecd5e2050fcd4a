"""Trees and bushes."""

from __future__ import annotations

import numpy as np

from training.scenes import colours
from training.scenes.canvas import Canvas
from training.scenes.colours import Colour
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
    metre = canvas.camera.pixels_per_metre(view[0, 2])
    squeeze = canvas.camera.focal[0] / canvas.camera.focal[1]
    height = rng.uniform(3, 14)
    bark = colours.hsv(rng, (0.03, 0.12), (0.05, 0.4), (0.08, 0.45))
    stem = rng.uniform(0.15, 0.45) * height
    thick = 0.02 * height * rng.uniform(0.6, 1.6)
    trunk = (
        np.array([[-1, 0.1], [1, 0.1], [0.6, -stem / thick], [-0.6, -stem / thick]]) * thick * metre
    )
    canvas.pixels(base + trunk * [squeeze, 1], bark, Kind.WOOD)
    crown = base - [0, stem * metre]
    if bare:
        _draw_branches(
            rng, canvas, crown, (height - stem) * 0.4 * metre, thick * metre, bark, squeeze
        )
        return
    count = int(rng.integers(25, 70))
    leaf = colours.foliage(rng)
    wide = rng.uniform(0.22, 0.4) * height
    turn, reach = rng.uniform(0, 2 * np.pi, count), np.sqrt(rng.uniform(0, 1, count))
    centres = np.stack([np.cos(turn) * reach * wide, np.sin(turn) * reach * (height - stem) / 2], 1)
    centres = (centres - [0, (height - stem) / 2]) * metre * [squeeze, 1] + crown
    size = rng.uniform(0.12, 0.4, (count, 1)) * wide * metre * [[squeeze, 1]]
    # Lit from above: blobs higher up are lighter.
    light = 1.0 + 0.35 * (crown[1] - centres[:, 1]) / ((height - stem) * metre) - 0.15
    tones = [colours.shade(leaf, f * rng.uniform(0.6, 1.35)) for f in light]
    canvas.ellipses(centres, size, tones, Kind.LEAVES)


def _draw_branches(
    rng: np.random.Generator,
    canvas: Canvas,
    crown: np.ndarray[tuple[int], np.dtype[np.float64]],
    length: float,
    width: float,
    colour: Colour,
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
                    colour,
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
    metre = canvas.camera.pixels_per_metre(view[0, 2])
    count, size = int(rng.integers(8, 25)), rng.uniform(0.4, 1.6)
    leaf = colours.foliage(rng)
    centres = np.stack([rng.normal(0, 0.6, count), -np.abs(rng.normal(0.35, 0.3, count))], 1)
    radii = np.repeat(rng.uniform(0.15, 0.45, (count, 1)), 2, 1) * size * metre
    tones = [colours.shade(leaf, rng.uniform(0.6, 1.4)) for _ in range(count)]
    centres = base + centres * size * metre
    centres[:, 1] = np.minimum(centres[:, 1], base[1] - 0.7 * radii[:, 1])
    canvas.ellipses(centres, radii, tones, Kind.LEAVES)
