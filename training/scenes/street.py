"""The street's plan: where the road runs, how wide it is, and what lies beside it.

Positions on the street are s (meters from the camera's foot along the center line) and d (meters
to the right of the center line).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from training.scenes.camera import Camera, Points
from training.scenes.kinds import Kind

Array = NDArray[np.float64]

# Where strips begin, in meters along the street: behind the camera.
START = -5.0

# Where the center line is tabulated: meters along it, closer together near the camera.
STATIONS: Array = np.concatenate([np.arange(-6, 40, 0.5), np.geomspace(40, 260, 70)])


@dataclass(frozen=True)
class Path:
    """A center line through space: (N,) arrays of X, height, Z and heading at `stations`."""

    stations: Array
    x: Array
    height: Array
    z: Array
    heading: Array
    # Beyond this s a crest hides the ground.
    visible: float

    @property
    def end(self) -> float:
        """The last s that can be drawn."""
        return min(float(self.stations[-1]), self.visible)

    def world(self, s: Array, d: Array, up: Array | float = 0.0) -> Points:
        """Return (N, 3) world points for positions on the street, `up` meters above its surface."""
        heading = np.interp(s, self.stations, self.heading)
        return np.stack(
            [
                np.interp(s, self.stations, self.x) + d * np.cos(heading),
                np.interp(s, self.stations, self.height) + up,
                np.interp(s, self.stations, self.z) - d * np.sin(heading),
            ],
            1,
        )

    def along(self, start: float, stop: float) -> Array:
        """Return the stations from `start` to `stop`, as far as the ground is visible."""
        stop = min(stop, self.end)
        if stop <= start:
            return np.empty(0)
        inner = self.stations[(self.stations > start) & (self.stations < stop)]
        return np.concatenate([[start], inner, [stop]])

    def strip(
        self,
        start: float,
        stop: float,
        inner: float,
        outer: float,
        up: tuple[float, float] = (0.0, 0.0),
    ) -> Points:
        """Return the polygon between two offsets d, each with a height above the surface."""
        s = self.along(start, stop)
        return np.concatenate(
            [
                self.world(s, np.full_like(s, inner), up[0]),
                self.world(s[::-1], np.full_like(s, outer), up[1]),
            ]
        )


@dataclass(frozen=True)
class Strip:
    """A band beside the road: its surface, its width in meters, and its height above the road."""

    kind: Kind
    width: float
    up: float


@dataclass(frozen=True)
class Side:
    """One side of the street, from the road outwards.

    Attributes
    ----------
    curb
        Width of the curb in meters, 0 for none.
    rise
        Height of the curb in meters.
    strips
        What follows behind the curb.
    edge
        What stands at the outer end: ``"buildings"``, ``"wall"``, ``"fence"``, ``"hedge"``,
        ``"rail"`` or ``"open"``.
    """

    curb: float
    rise: float
    strips: tuple[Strip, ...]
    edge: str

    @property
    def depth(self) -> float:
        """Metres from the road's edge to where the outer end stands."""
        return self.curb + sum(strip.width for strip in self.strips)


@dataclass(frozen=True)
class Junction:
    """A side road: where it meets the street, its width, corner radius and side (+1 right)."""

    at: float
    width: float
    radius: float
    side: int


@dataclass(frozen=True)
class Street:
    """All that the drawing of one street needs to know."""

    path: Path
    lanes: tuple[float, ...]  # widths from left to right
    setting: str  # "city", "suburb", "country" or "highway"
    left: Side
    right: Side
    junctions: tuple[Junction, ...] = field(default=())

    @property
    def half(self) -> float:
        """Half of the road's width, in meters."""
        return sum(self.lanes) / 2

    def pavements(self) -> Iterator[tuple[int, Strip, float, float]]:
        """Yield each pavement's sign and strip, and from how far to how far it lies, in meters."""
        for sign, side in self.sides():
            outer = self.half + side.curb
            for strip in side.strips:
                inner, outer = outer, outer + strip.width
                if strip.kind is Kind.PAVEMENT:
                    yield sign, strip, inner, outer

    def bare(self) -> set[Kind]:
        """Return what meets the road without a curb between."""
        return {side.strips[0].kind for side in (self.left, self.right) if not side.curb}

    def sides(self) -> tuple[tuple[int, Side], ...]:
        """Return both sides with their signs: -1 for the left, +1 for the right."""
        return ((-1, self.left), (1, self.right))


def plan_street(rng: np.random.Generator, camera: Camera) -> Street:
    """Draw a street's plan."""
    setting = str(rng.choice(["city", "suburb", "country", "highway"], p=[0.45, 0.27, 0.18, 0.1]))
    most = {"city": 4, "suburb": 3, "country": 2, "highway": 5}[setting]
    count = int(rng.integers(1 if setting != "highway" else 2, most + 1))
    if setting == "highway":
        lane = float(rng.uniform(3.3, 3.9))
    else:
        lane = float(rng.uniform(2.5, 3.8)) if count > 1 else float(rng.uniform(2.8, 6.0))
    lanes = (lane,) * count
    half = sum(lanes) / 2
    # The camera drives in one of the lanes, or sometimes just anywhere, the pavement included.
    own = int(rng.integers(count))
    offset = -half + (own + 0.5) * lane + float(rng.normal(0, 0.35))
    if rng.random() < 0.05:
        offset = float(rng.uniform(-half - 1.5, half + 1.5))
    path = lay_path(rng, camera, offset, setting)
    left = plan_side(rng, setting)
    right = left if rng.random() < 0.5 else plan_side(rng, setting)
    junctions: tuple[Junction, ...] = ()
    if setting != "highway" and rng.random() < 0.4:
        junctions = tuple(_plan_junction(rng) for _ in range(rng.integers(1, 4)))
    return Street(path, lanes, setting, left, right, junctions)


def lay_path(rng: np.random.Generator, camera: Camera, offset: float, setting: str) -> Path:
    """Lay a center line that passes `offset` meters to the left of the camera."""
    s = STATIONS
    steps = np.diff(s, prepend=s[0])
    curvature = np.zeros_like(s)
    sharpest = {"city": 30.0, "suburb": 25.0, "country": 40.0, "highway": 250.0}[setting]
    pick = rng.random()
    if pick > 0.4:
        # One bend, or two in a row, each from a station on, faded in over some meters.
        for _ in range(1 if pick < 0.8 else 2):
            radius = sharpest * np.exp(rng.uniform(0, 3)) * rng.choice([-1, 1])
            start, length = rng.uniform(-20, 60), rng.uniform(15, 120)
            ramp = rng.uniform(4, 20)
            bend = np.clip((s - start) / ramp, 0, 1) * np.clip((start + length - s) / ramp, 0, 1)
            curvature += bend / radius
    # A car points a little aside of its lane, and its camera aside of the car.
    heading = rng.normal(0, 0.06) + np.cumsum(curvature * steps)
    if rng.random() < 0.15:
        heading += rng.normal(0, 0.2)
    keep = np.cumprod((np.abs(heading) < 1.3) | (s < 8)).astype(bool)
    slope = np.zeros_like(s)
    if rng.random() < 0.55:
        for _ in range(rng.integers(1, 3)):
            start, length = rng.uniform(0, 80), rng.uniform(20, 100)
            slope += rng.normal(0, 0.035) * np.clip((s - start) / length, 0, 1)
    height = np.cumsum(slope * steps)
    zero = int(np.searchsorted(s, 0.0))
    x = np.cumsum(np.sin(heading) * steps)
    z = np.cumsum(np.cos(heading) * steps)
    x, z, height = x - x[zero], z - z[zero], height - height[zero]
    x = x - offset / np.cos(heading[zero])
    # The ground is seen for as long as it keeps rising in the image.
    rise = (height - camera.elevation) / np.maximum(z, 0.5)
    hidden = np.nonzero((np.diff(rise) < 0) & (s[1:] > 6) & keep[1:])[0]
    visible = float(s[hidden[0]]) if len(hidden) else float(s[keep][-1])
    return Path(s[keep], x[keep], height[keep], z[keep], heading[keep], visible)


def plan_side(rng: np.random.Generator, setting: str) -> Side:
    """Draw what lies on one side of the road."""
    uniform = rng.uniform
    if setting == "highway":
        curb = float(uniform(0.15, 0.4)) if rng.random() < 0.25 else 0.0
        kind = Kind(rng.choice([Kind.GRASS, Kind.GRAVEL, Kind.PAVEMENT]))
        edge = str(rng.choice(["rail", "rail", "wall", "open", "fence"]))
        return Side(curb, 0.12 if curb else 0.0, (Strip(kind, uniform(0.5, 3), 0.0),), edge)
    if setting == "country":
        curb = float(uniform(0.12, 0.3)) if rng.random() < 0.15 else 0.0
        rise = float(uniform(0.05, 0.15)) if curb else 0.0
        strips = [Strip(Kind.GRASS, uniform(0.5, 12), rise)]
        if rng.random() < 0.4:
            strips.insert(0, Strip(Kind.GRAVEL, uniform(0.2, 1.5), rise))
        edge = str(
            rng.choice(
                ["open", "hedge", "fence", "wall", "buildings"], p=[0.5, 0.2, 0.15, 0.1, 0.05]
            )
        )
        return Side(curb, rise, tuple(strips), edge)
    curbed = rng.random() < (0.93 if setting == "city" else 0.8)
    curb = float(uniform(0.1, 0.4)) if curbed else 0.0
    rise = float(uniform(0.04, 0.18)) if curbed else 0.0
    strips = []
    if rng.random() < (0.15 if setting == "city" else 0.5):
        strips.append(Strip(Kind.GRASS, uniform(0.6, 4), rise))
    if rng.random() < 0.92:
        strips.append(Strip(Kind.PAVEMENT, uniform(1.0, 5.5), rise))
    if (setting == "suburb" and rng.random() < 0.6) or not strips:
        kind = Kind.GRASS if rng.random() < 0.8 else Kind.GRAVEL
        strips.append(Strip(kind, uniform(1, 8), rise))
    chances = [0.7, 0.1, 0.08, 0.05, 0.07] if setting == "city" else [0.35, 0.15, 0.15, 0.15, 0.2]
    edge = str(rng.choice(["buildings", "wall", "fence", "hedge", "open"], p=chances))
    return Side(curb, rise, tuple(strips), edge)


def _plan_junction(rng: np.random.Generator) -> Junction:
    return Junction(
        at=float(rng.uniform(6, 70)),
        width=float(rng.uniform(4, 11)),
        radius=float(rng.uniform(1.5, 7)),
        side=int(rng.choice([-1, 1])),
    )
