"""The ground: land, pavements, curbs, the road, its junctions, islands, repairs and dirt."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from training.scenes import colours
from training.scenes.camera import Points
from training.scenes.canvas import Canvas
from training.scenes.colours import Colour, brightness
from training.scenes.kinds import THINNEST, Kind
from training.scenes.street import Junction, Side, Street

# Where strips begin, in metres along the street: behind the camera.
START = -5.0

# How far side roads and the land beside the street reach, in metres.
REACH = 70.0

# How many times brighter than the road its paint is, at least.
LIGHTER = 1.5


@dataclass(frozen=True)
class Materials:
    """The colours of one street's surfaces."""

    road: Colour
    curb: Colour
    pavement: Colour
    grass: Colour
    gravel: Colour
    mark: Colour

    def of(self, kind: Kind) -> Colour:
        """Return the colour of a kind of ground."""
        return {
            Kind.ROAD: self.road,
            Kind.CURB: self.curb,
            Kind.PAVEMENT: self.pavement,
            Kind.GRASS: self.grass,
            Kind.GRAVEL: self.gravel,
        }[kind]


def pick_materials(rng: np.random.Generator, wild: float) -> Materials:
    """Draw the surfaces' colours; `wild` is the chance that one has any colour at all."""
    road = colours.grey(rng, 0.2, 0.62, 0.04)
    if rng.random() < 0.06:
        road = colours.hsv(rng, (0.95, 1.1), (0.15, 0.45), (0.25, 0.6))
    # The hard case, and a common one: a pavement of the road's own colour.
    pavement = colours.shade(road, rng.uniform(0.8, 1.25))
    pick = rng.random()
    if pick < 0.3:
        pavement = colours.grey(rng, 0.25, 0.85, 0.05)
    elif pick < 0.42:
        pavement = colours.hsv(rng, (-0.02, 0.12), (0.1, 0.5), (0.3, 0.75))
    curb = [
        colours.shade(road, rng.uniform(0.6, 1.6)),
        colours.shade(pavement, rng.uniform(0.7, 1.4)),
        colours.grey(rng, 0.45, 0.9),
        colours.grey(rng, 0.3, 0.9),
    ][rng.integers(4)]
    gravel = colours.hsv(rng, (0.05, 0.15), (0.05, 0.4), (0.25, 0.75))
    grass = colours.foliage(rng)
    road, curb, pavement, grass, gravel = (
        colours.anything(rng) if rng.random() < wild else colour
        for colour in (road, curb, pavement, grass, gravel)
    )
    mark = colours.grey(rng, 0.72, 1.0, 0.03)
    # Paint is made to be seen, and a curb is a stone of its own; a street in one colour would ask
    # for what no picture shows.
    road = colours.shade(road, min(1.0, brightness(mark) / LIGHTER / brightness(road)))
    curb = colours.apart(curb, pavement, 1.2)
    return Materials(road, curb, pavement, grass, gravel, mark)


@dataclass(frozen=True)
class Island:
    """A traffic island: a raised lozenge with a curb around it.

    Attributes
    ----------
    foot, top, inner
        (N, 3) outlines in metres: of the curb on the road, of its upper edge, and of what it holds.
    kind, fill
        What it holds.
    """

    foot: Points
    top: Points
    inner: Points
    kind: Kind
    fill: Colour


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
    for sign, side in street.sides():
        _draw_side(canvas, street, look, sign, side)
    for junction in street.junctions:
        _draw_mouth(canvas, street, look, junction)
    canvas.world(path.strip(START, path.end, -street.half, street.half), look.road, Kind.ROAD)
    _draw_wear(rng, canvas, street, look)
    _draw_joints(rng, canvas, street, look)
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


def _draw_side(canvas: Canvas, street: Street, look: Materials, sign: int, side: Side) -> None:
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
        canvas.world(top, colours.shade(look.curb, 1.08))
        canvas.world(face, colours.shade(look.curb, 0.8))
        near = path.strip(START, limit, sign * half, sign * half, (0.0, side.rise))
        lid = path.strip(
            START, limit, sign * half, sign * (half + side.curb), (side.rise, side.rise)
        )
        canvas.world(near, None, Kind.CURB)
        canvas.world(lid, None, Kind.CURB)


def _mouth(street: Street, junction: Junction, widen: float, up: float) -> Points:
    """Return the outline of a side road with rounded corners, `widen` metres larger all around."""
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
    width = rng.uniform(0.8, 4.0)
    d = rng.uniform(-0.4, 0.4) * street.half
    turn = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    blunt = rng.uniform(0.4, 1.0)
    s = at + length / 2 * np.sign(np.cos(turn)) * np.abs(np.cos(turn)) ** blunt
    across = np.sign(np.sin(turn)) * np.abs(np.sin(turn)) ** blunt
    if s.max() > path.end:
        return None
    rise, curb = rng.uniform(0.06, 0.16), rng.uniform(0.12, 0.35)
    kind = Kind(rng.choice([Kind.PAVEMENT, Kind.GRASS, Kind.GRAVEL]))
    fill = look.of(kind) if rng.random() < 0.6 else colours.masonry(rng)
    return Island(
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
        canvas.world(side, colours.shade(look.curb, 0.8), Kind.CURB)
    canvas.world(top, colours.shade(look.curb, 1.08), Kind.CURB)
    canvas.world(island.inner, island.fill, island.kind)


def _draw_wear(rng: np.random.Generator, canvas: Canvas, street: Street, look: Materials) -> None:
    """Draw tyre tracks, repairs, cracks, covers and coloured lanes; all of it is road still."""
    path, half = street.path, street.half
    lane = street.lanes[0]
    if rng.random() < 0.25:
        # A bus or cycle lane of another colour.
        side = rng.choice([-1, 1])
        colour = colours.hsv(rng, (-0.04, 0.08), (0.2, 0.6), (0.25, 0.6))
        if rng.random() < 0.35:
            colour = colours.anything(rng)
        start = rng.uniform(START, 25)
        stop = start + rng.uniform(5, 120)
        wide = min(rng.uniform(1.2, 3.5), half)
        band = path.strip(start, stop, side * half, side * (half - wide))
        canvas.world(band, colour, alpha=rng.uniform(0.3, 1))
    if rng.random() < 0.6:
        tone, strength = rng.choice([0.6, 0.8, 1.25]), rng.uniform(0.1, 0.5)
        for index in range(len(street.lanes)):
            middle = -half + (index + 0.5) * lane
            for track in (-0.8, 0.8):
                band = path.strip(START, path.end, middle + track - 0.3, middle + track + 0.3)
                canvas.world(band, colours.shade(look.road, tone), alpha=strength)
    if rng.random() < 0.35:
        # The road's rim: a gutter, dust or leaves.
        wide, tone = rng.uniform(0.15, 0.7), rng.uniform(0.6, 1.5)
        for sign in (-1, 1):
            band = path.strip(START, path.end, sign * half, sign * (half - wide))
            canvas.world(band, colours.shade(look.road, tone), alpha=rng.uniform(0.2, 0.9))
    for _ in range(rng.poisson(2.0)):
        at, long = rng.uniform(0, 45), rng.uniform(0.5, 12)
        d, wide = rng.uniform(-half, half), rng.uniform(0.3, 2.5)
        left, right = max(d - wide, -half), min(d + wide, half)
        patch = path.strip(at, at + long, left, right)
        canvas.world(
            patch, colours.shade(look.road, rng.uniform(0.6, 1.4)), alpha=rng.uniform(0.3, 1)
        )
    for _ in range(rng.poisson(1.5)):
        _draw_crack(rng, canvas, street, look)
    for _ in range(rng.poisson(1.0)):
        at, d, radius = rng.uniform(2, 40), rng.uniform(-0.9, 0.9) * half, rng.uniform(0.2, 0.4)
        turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        cover = path.world(at + radius * np.cos(turn), d + radius * np.sin(turn))
        canvas.world(cover, colours.shade(look.road, rng.uniform(0.4, 1.3)))


def _draw_crack(rng: np.random.Generator, canvas: Canvas, street: Street, look: Materials) -> None:
    path = street.path
    count = int(rng.integers(6, 30))
    s = rng.uniform(0, 30) + np.cumsum(np.abs(rng.normal(0, 0.5, count)) * rng.uniform(0, 1.5))
    d = np.clip(
        rng.uniform(-1, 1) * street.half + np.cumsum(rng.normal(0, 0.25, count)),
        -street.half,
        street.half,
    )
    wide = rng.uniform(0.01, 0.05)
    band = np.concatenate([path.world(s, d - wide), path.world(s[::-1], d[::-1] + wide)])
    canvas.world(
        band, colours.shade(look.road, rng.choice([0.35, 0.55, 1.4])), alpha=rng.uniform(0.4, 1)
    )


def _draw_joints(rng: np.random.Generator, canvas: Canvas, street: Street, look: Materials) -> None:
    """Draw the joints of paving slabs and of curb stones, near the camera only."""
    path = street.path
    if rng.random() < 0.4:
        return
    size, wide = rng.uniform(0.3, 1.2), rng.uniform(0.008, 0.03)
    tone, alpha = rng.choice([0.5, 0.7, 1.3]), rng.uniform(0.2, 0.8)
    for sign, side in street.sides():
        d = street.half + side.curb
        for strip in side.strips:
            if strip.kind is Kind.PAVEMENT:
                colour = colours.shade(look.pavement, tone)
                up = (strip.up, strip.up)
                for line in np.arange(d + size, d + strip.width, size):
                    polygon = path.strip(0, 30, sign * line, sign * (line + wide), up)
                    canvas.world(polygon, colour, alpha=alpha)
                for s in np.arange(1.5, 14, size):
                    polygon = path.strip(s, s + wide, sign * d, sign * (d + strip.width), up)
                    canvas.world(polygon, colour, alpha=alpha)
            d += strip.width
    if rng.random() < 0.5 and street.left.curb:
        # Curb stones, some of them painted by turns.
        length = rng.uniform(0.6, 1.5)
        painted = rng.random() < 0.15
        for sign, side in street.sides():
            for s in np.arange(1.0, 30, length * (2 if painted else 1)):
                stop = s + (length if painted else 0.04)
                top = (side.rise, side.rise)
                inner, outer = sign * street.half, sign * (street.half + side.curb)
                colour = look.mark if painted else colours.shade(look.curb, 0.6)
                canvas.world(path.strip(s, stop, inner, outer, top), colour)
                canvas.world(
                    path.strip(s, stop, inner, inner, (0, side.rise)), colours.shade(colour, 0.8)
                )
