"""The ground: land, pavements, curbs, the road, its junctions and islands."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.scenes import colors
from training.scenes.camera import Points
from training.scenes.canvas import Canvas
from training.scenes.colors import Color
from training.scenes.kinds import THINNEST, Kind
from training.scenes.materials import Materials
from training.scenes.street import START, Junction, Side, Street
from training.scenes.wear import draw_gutters, draw_joints, draw_pavement_wear, draw_wear

# How far side roads and the land beside the street reach, in meters.
REACH = 70.0


@dataclass(frozen=True)
class Island:
    """A traffic island: a raised lozenge with a curb around it.

    Attributes
    ----------
    s, d
        From where to where it reaches along and across the street, in meters.
    foot, top, inner
        (N, 3) outlines in meters: of the curb on the road, of its upper edge, and of what it holds.
    kind, fill
        What it holds.
    """

    s: tuple[float, float]
    d: tuple[float, float]
    foot: Points
    top: Points
    inner: Points
    kind: Kind
    fill: Color

    def meets(self, s: float, d: float) -> bool:
        """Say whether a vehicle whose middle stands at (s, d) would stand on the island."""
        (start, stop), (left, right) = self.s, self.d
        return start - 3 < s < stop + 3 and left - 1 < d < right + 1


def draw_ground(
    rng: np.random.Generator, canvas: Canvas, street: Street, look: Materials
) -> list[Island]:
    """Draw everything flat but the marks, from the outside of the street inwards.

    Returns
    -------
    islands
        They stand on the road, and are yet to be drawn over its marks.
    """
    path = street.path
    outer = Kind.PAVEMENT if street.setting == "city" and rng.random() < 0.7 else Kind.GRASS
    canvas.pixels(_land(canvas, street), look.of(outer), outer)
    joint = _joint(rng.spawn(1)[0])
    for sign, side in street.sides():
        _draw_side(canvas, street, look, sign, side, joint)
    for junction in street.junctions:
        _draw_mouth(canvas, street, look, junction)
    canvas.world(path.strip(START, path.end, -street.half, street.half), look.road, Kind.ROAD)
    draw_gutters(rng.spawn(1)[0], canvas, street, look)
    draw_wear(rng, canvas, street, look)
    draw_pavement_wear(rng.spawn(1)[0], canvas, street, look)
    draw_joints(rng, canvas, street, look)
    islands = 0 if street.setting == "highway" else rng.choice(3, p=[0.66, 0.24, 0.1])
    planned = (_plan_island(rng, street, look) for _ in range(islands))
    return [island for island in planned if island is not None]


def _land(canvas: Canvas, street: Street) -> Points:
    """Return the pixel polygon of all ground: everything below the farthest ground's line."""
    path, camera = street.path, canvas.camera
    far = path.world(np.array([path.end]), np.zeros(1))[0]
    ends = np.array([[-3.0 * far[2], far[1], far[2]], [3.0 * far[2], far[1], far[2]]])
    line = camera.to_pixels(camera.to_view(ends))
    return np.concatenate([line, line[::-1] + np.array([0.0, 4.0 * camera.height])])


def _joint(rng: np.random.Generator) -> tuple[float, float]:
    """Return how wide the joint behind a curb is in meters, and how dark."""
    return rng.uniform(0.01, 0.04), rng.uniform(0.35, 0.7)


def _draw_side(
    canvas: Canvas,
    street: Street,
    look: Materials,
    sign: int,
    side: Side,
    joint: tuple[float, float],
) -> None:
    path, half = street.path, street.half
    bands = []
    d = half + side.curb
    for strip in side.strips:
        bands.append((d, d + strip.width, strip))
        d += strip.width
    for inner, outer, strip in reversed(bands):
        polygon = path.strip(START, path.end, sign * inner, sign * outer, (strip.up, strip.up))
        canvas.world(polygon, look.of(strip.kind), strip.kind)
    if side.curb:
        focal_u, focal_v = canvas.camera.focal
        limit = max(focal_u * side.curb, focal_v * side.rise) / THINNEST
        face = path.strip(START, path.end, sign * half, sign * half, (0.0, side.rise))
        top = path.strip(
            START, path.end, sign * half, sign * (half + side.curb), (side.rise, side.rise)
        )
        canvas.world(top, colors.shade(look.curb, 1.08))
        canvas.world(face, look.face)
        back = path.strip(
            START,
            path.end,
            sign * (half + side.curb),
            sign * (half + side.curb + joint[0]),
            (side.rise, side.rise),
        )
        canvas.world(back, colors.shade(look.curb, joint[1]))
        near = path.strip(START, limit, sign * half, sign * half, (0.0, side.rise))
        lid = path.strip(
            START, limit, sign * half, sign * (half + side.curb), (side.rise, side.rise)
        )
        canvas.world(near, None, Kind.CURB)
        canvas.world(lid, None, Kind.CURB)


def _mouth(street: Street, junction: Junction, widen: float, up: float) -> Points:
    """Return the outline of a side road with rounded corners, `widen` meters larger all around."""
    half, sign = street.half, junction.side
    radius = max(junction.radius - widen, 0.3)
    reach = junction.width / 2 + widen
    angle = np.linspace(0, np.pi / 2, 9)
    # From the street's edge around the corner into the side road; `along` from its middle line.
    along = reach + radius * (1 - np.sin(angle))
    across = half - 0.05 + radius * (1 - np.cos(angle))
    s = np.concatenate([along, [reach, -reach], -along[::-1]]) + junction.at
    d = np.concatenate([across, [REACH, REACH], across[::-1]])
    return street.path.world(s, sign * d, up)


def _draw_mouth(canvas: Canvas, street: Street, look: Materials, junction: Junction) -> None:
    if junction.at + junction.width > street.path.end:
        return
    side = street.left if junction.side < 0 else street.right
    if side.curb:
        wide = _mouth(street, junction, side.curb, side.rise)
        canvas.world(wide, look.curb, Kind.CURB)
    canvas.world(_mouth(street, junction, 0.0, 0.0), look.road, Kind.ROAD)


def _plan_island(rng: np.random.Generator, street: Street, look: Materials) -> Island | None:
    """Place an island on the road; None where it would reach beyond a crest."""
    path = street.path
    length = rng.uniform(3, 25)
    at = rng.uniform(5, 35) + length / 2
    width = rng.uniform(1.2, 4.0)
    d = rng.uniform(-0.4, 0.4) * street.half
    turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    blunt = rng.uniform(0.4, 1.0)
    s = at + length / 2 * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** blunt
    across = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** blunt
    if s.max() > path.end:
        return None
    rise, curb = rng.uniform(0.06, 0.16), rng.uniform(0.12, 0.35)
    kind = Kind(rng.choice([Kind.PAVEMENT, Kind.GRASS, Kind.GRAVEL]))
    fill = look.of(kind) if rng.random() < 0.6 else colors.masonry(rng)
    return Island(
        s=(at - length / 2, at + length / 2),
        d=(d - width / 2, d + width / 2),
        foot=path.world(s, d + width / 2 * across, 0.0),
        top=path.world(s, d + width / 2 * across, rise),
        inner=path.world(
            at + (s - at) * (1 - 2 * curb / length),
            d + max(width / 2 - curb, 0.1) * across,
            rise,
        ),
        kind=kind,
        fill=fill,
    )


def draw_island(canvas: Canvas, look: Materials, island: Island) -> None:
    """Draw the side of the prism, each edge's quadrilateral, then the lid over them."""
    foot, top = island.foot, island.top
    for first in range(len(foot)):
        second = (first + 1) % len(foot)
        side = np.stack([foot[first], foot[second], top[second], top[first]])
        canvas.world(side, look.face, Kind.CURB)
    canvas.world(top, colors.shade(look.curb, 1.08), Kind.CURB)
    canvas.world(island.inner, island.fill, island.kind)
