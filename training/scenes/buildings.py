"""What stands along the outer edges of the street: houses, walls, fences, hedges and rails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

import numpy as np

from training.scenes import colors
from training.scenes.camera import Points
from training.scenes.canvas import Canvas
from training.scenes.colors import Color
from training.scenes.kinds import Kind
from training.scenes.street import Array, Side, Street

# One thing to draw: the farthest s that it reaches, and the drawing. Far things are drawn first.
Thing = tuple[float, Callable[[], None]]

# No houses beyond this s, in meters; the skyline stands there.
LIMIT = 140.0


def line_edges(rng: np.random.Generator, canvas: Canvas, street: Street) -> Iterator[Thing]:
    """Yield what stands along both outer edges."""
    for sign, side in street.sides():
        d = street.half + side.depth + rng.uniform(0, 0.5)
        behind = side.edge in ("open", "fence", "wall", "hedge") and rng.random() < 0.5
        if behind and street.setting in ("city", "suburb"):
            yield from _houses(rng, canvas, street, sign, d + rng.uniform(3, 15), 0.25)
        if side.edge == "buildings":
            gap = 0.08 if street.setting == "city" else 0.4
            setback = 0.0 if street.setting == "city" else rng.uniform(0, 8)
            yield from _houses(rng, canvas, street, sign, d + setback, gap)
        elif side.edge != "open":
            yield from _barrier(rng, canvas, street, side, sign, d)


def _spans(
    rng: np.random.Generator, street: Street, sign: int, low: float, high: float
) -> Iterator[tuple[float, float]]:
    """Yield stretches of the street's edge, leaving out the mouths of its side roads."""
    s = rng.uniform(-6, 0)
    mouths = [
        (j.at - j.width / 2 - j.radius, j.at + j.width / 2 + j.radius)
        for j in street.junctions
        if j.side == sign
    ]
    while s < min(LIMIT, street.path.end):
        stop = s + rng.uniform(low, high)
        for start, end in mouths:
            if s < end and stop > start:
                if start - s > 2:
                    yield s, start
                s = stop = end
        if stop - s > 0.5:
            yield s, min(stop, street.path.end)
        s = stop + 1e-3


def upright(street: Street, start: float, stop: float, d: float, low: float, high: float) -> Points:
    """Return the polygon of a vertical face along the street, between two heights."""
    s = street.path.along(start, stop)
    across = np.full_like(s, d)
    return np.concatenate(
        [street.path.world(s, across, low), street.path.world(s[::-1], across, high)]
    )


def _houses(
    rng: np.random.Generator,
    canvas: Canvas,
    street: Street,
    sign: int,
    d: float,
    gap: float,
) -> Iterator[Thing]:
    short, tall = (6, 22) if street.setting == "city" else (3.5, 10)
    typical = rng.uniform(short, tall)
    for start, stop in _spans(rng, street, sign, 5, 26):
        if rng.random() < gap:
            continue
        height = float(np.clip(typical * rng.lognormal(0, 0.25), 2.8, 45))
        here = sign * (d + (rng.uniform(0, 1.5) if rng.random() < 0.3 else 0.0))
        own = rng.spawn(1)[0]
        yield stop, partial(_draw_house, own, canvas, street, start, stop, here, height)


def _draw_house(
    rng: np.random.Generator,
    canvas: Canvas,
    street: Street,
    start: float,
    stop: float,
    d: float,
    height: float,
) -> None:
    wall = colors.masonry(rng)
    faces = rng.uniform(0.45, 1.15, 2)
    sign = np.sign(d)
    deep = d + sign * rng.uniform(6, 14)
    roof = rng.uniform(1, 4) if rng.random() < 0.5 else 0.0
    tiles = colors.hsv(rng, (-0.03, 0.1), (0.05, 0.6), (0.15, 0.6))
    # The gable that faces the camera, then the face along the street.
    s, across = np.full(5, max(start, -3.0)), np.array([d, d, (d + deep) / 2, deep, deep])
    up = np.array([-0.5, height, height + roof, height, -0.5])
    canvas.world(street.path.world(s, across, up), colors.shade(wall, faces[0]), Kind.BUILDING)
    if roof:
        foot = street.path.along(start, stop)
        slope = np.concatenate(
            [
                street.path.world(foot, np.full_like(foot, d - 0.3 * sign), height),
                street.path.world(foot[::-1], np.full_like(foot, (d + deep) / 2), height + roof),
            ]
        )
        canvas.world(slope, tiles, Kind.BUILDING)
    face = colors.shade(wall, faces[1])
    canvas.world(upright(street, start, stop, d, -0.5, height), face, Kind.BUILDING)
    glass = (
        colors.gray(rng, 0.03, 0.4, 0.1) if rng.random() < 0.8 else colors.gray(rng, 0.5, 0.95, 0.1)
    )
    frame = colors.shade(wall, rng.choice([0.6, 1.4]))
    storey, first = rng.uniform(2.6, 3.6), 0.9
    if rng.random() < 0.5 and height > 4:
        # A shop: a dark band of glass under a sign.
        first = storey + 1.0
        canvas.world(upright(street, start + 0.3, stop - 0.3, d, 0.4, storey - 0.5), glass)
        sign_color = colors.anything(rng)
        canvas.world(upright(street, start + 0.1, stop - 0.1, d, storey - 0.5, storey), sign_color)
        doors = np.arange(start + 1, stop - 1, rng.uniform(1.2, 4))
        canvas.quads(_openings(street, doors, 0.12, np.array([0.1]), storey - 0.6, d), face)
    width, apart = rng.uniform(0.7, 1.8), rng.uniform(1.1, 2.2)
    columns = np.arange(start + 0.7, stop - width - 0.3, width * (1 + apart))
    rows = np.arange(first, height - 1.2, storey)
    tall = rng.uniform(1.0, 1.9)
    margin = 0.12
    canvas.quads(
        _openings(
            street, columns - margin, width + 2 * margin, rows - margin, tall + 2 * margin, d
        ),
        frame,
    )
    canvas.quads(_openings(street, columns, width, rows, tall, d), glass)


def _openings(
    street: Street, columns: Array, width: float, rows: Array, height: float, d: float
) -> Array:
    """Return the (N, 4, 3) corners of a grid of windows on the face at offset d."""
    s, up = (grid.ravel() for grid in np.meshgrid(columns, rows))
    corners = [(0.0, 0.0), (width, 0.0), (width, height), (0.0, height)]
    across = np.full_like(s, d)
    return np.stack([street.path.world(s + x, across, up + y) for x, y in corners], 1)


def _barrier(
    rng: np.random.Generator, canvas: Canvas, street: Street, side: Side, sign: int, d: float
) -> Iterator[Thing]:
    kinds = {"wall": Kind.BUILDING, "fence": Kind.METAL, "hedge": Kind.LEAVES, "rail": Kind.METAL}
    kind = kinds[side.edge]
    height = {
        "wall": rng.uniform(0.5, 3),
        "fence": rng.uniform(0.8, 2),
        "hedge": rng.uniform(0.6, 2.5),
        "rail": 0.8,
    }
    tall = height[side.edge]
    if side.edge == "wall":
        color = colors.masonry(rng)
    elif side.edge == "hedge":
        color = colors.foliage(rng)
    else:
        color = colors.gray(rng, 0.05, 0.8)
    for start, stop in _spans(rng, street, sign, 15, 40):
        yield stop, _stretch(canvas, street, side.edge, kind, color, (start, stop), sign * d, tall)


def _stretch(
    canvas: Canvas,
    street: Street,
    edge: str,
    kind: Kind,
    color: Color,
    span: tuple[float, float],
    d: float,
    height: float,
) -> Callable[[], None]:
    start, stop = span

    def draw() -> None:
        if edge in ("wall", "hedge"):
            canvas.world(upright(street, start, stop, d, -0.3, height), color, kind)
            top = street.path.strip(start, stop, d, d + np.sign(d) * 0.5, (height, height))
            canvas.world(top, colors.shade(color, 1.25), kind)
            return
        if edge == "rail":
            canvas.world(upright(street, start, stop, d, 0.45, height), color, kind)
            posts, thin = np.arange(start, stop, 4.0), 0.12
        else:
            for low in (0.15, height - 0.1):
                canvas.world(upright(street, start, stop, d, low, low + 0.06), color, kind)
            posts, thin = np.arange(start, min(stop, 50.0), 0.35), 0.05
        canvas.quads(_openings(street, posts, thin, np.array([-0.1]), height, d), color, kind)

    return draw
