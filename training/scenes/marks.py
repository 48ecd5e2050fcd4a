"""Paint on the road: lane lines, crossings, stop lines, arrows, letters and hatching."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from training.scenes import colors
from training.scenes.camera import Points
from training.scenes.canvas import Canvas
from training.scenes.colors import Color
from training.scenes.kinds import THINNEST, Kind
from training.scenes.materials import Materials
from training.scenes.street import START, Array, Street


@dataclass(frozen=True)
class Paint:
    """One kind of paint on one street.

    Attributes
    ----------
    color
        RGB in 0..1.
    cover
        How much of the road it hides: 1 is fresh paint, 0.3 nearly worn off.
    """

    color: Color
    cover: float


def draw_marks(rng: np.random.Generator, canvas: Canvas, street: Street, look: Materials) -> None:
    """Draw the paint that such a street may have; now and then none."""
    if rng.random() < 0.07:
        return
    cover = rng.uniform(0.45, 0.75) if rng.random() < 0.3 else rng.uniform(0.75, 1.0)
    white = Paint(look.mark, float(cover))
    yellow = Paint(colors.hsv(rng, (0.1, 0.16), (0.5, 0.95), (0.65, 1.0)), float(cover))
    _draw_lane_lines(rng, canvas, street, white, yellow)
    _draw_edge_lines(rng, canvas, street, white, yellow)
    own = _own_lane(street)
    if street.setting != "highway" and rng.random() < 0.38:
        at = float(rng.choice([rng.uniform(3, 16), rng.uniform(8, 45)]))
        _draw_crossing(rng, canvas, street, white if rng.random() < 0.9 else yellow, at)
    if rng.random() < 0.3:
        at = rng.uniform(3, 35)
        span = (-street.half + 0.1, street.half - 0.1) if rng.random() < 0.4 else own
        _band(canvas, street, white, at, at + rng.uniform(0.2, 0.6), *span)
    for _ in range(rng.poisson(0.7)):
        lane = own if rng.random() < 0.5 else _lane(street, int(rng.integers(len(street.lanes))))
        _draw_symbol(rng, canvas, street, white, sum(lane) / 2, rng.uniform(3, 40))
    if rng.random() < 0.1:
        _draw_hatching(rng, canvas, street, white if rng.random() < 0.6 else yellow)
    if rng.random() < 0.08:
        _draw_box(rng, canvas, street, yellow)


def _lane(street: Street, index: int) -> tuple[float, float]:
    left = -street.half + sum(street.lanes[:index])
    return left, left + street.lanes[index]


def _own_lane(street: Street) -> tuple[float, float]:
    """Return the edges of the lane nearest to the camera, offsets d in meters."""
    foot = float(np.interp(0.0, street.path.stations, street.path.x))
    lanes = [_lane(street, index) for index in range(len(street.lanes))]
    return min(lanes, key=lambda lane: abs(sum(lane) / 2 + foot))


def _readable(canvas: Canvas, width: float) -> float:
    """Return up to which distance a line along the street is thick enough to label, in meters."""
    return canvas.camera.focal[0] * width / THINNEST


def _fill(canvas: Canvas, points: Points, paint: Paint, labeled: bool = True) -> None:
    canvas.world(points, paint.color, Kind.MARK if labeled else None, paint.cover)


def _long(
    canvas: Canvas, street: Street, paint: Paint, start: float, stop: float, d: float, width: float
) -> None:
    """Paint a line along the street; the part that is too far to be read goes unlabeled."""
    limit = _readable(canvas, width)
    if start < limit:
        near = street.path.strip(start, min(stop, limit), d - width / 2, d + width / 2)
        _fill(canvas, near, paint)
    if stop > limit:
        far = street.path.strip(max(start, limit), stop, d - width / 2, d + width / 2)
        _fill(canvas, far, paint, labeled=False)


def _band(
    canvas: Canvas,
    street: Street,
    paint: Paint,
    start: float,
    stop: float,
    left: float,
    right: float,
) -> None:
    """Paint a band across the street."""
    # Its height in the image is focal * elevation * length / distance**2.
    rows = canvas.camera.pixels_per_meter(start) * canvas.camera.elevation * (stop - start) / start
    _fill(canvas, street.path.strip(start, stop, left, right), paint, rows >= THINNEST)


def _dashed(
    rng: np.random.Generator, canvas: Canvas, street: Street, paint: Paint, d: float, width: float
) -> None:
    dash = rng.uniform(0.8, 6)
    period = dash + rng.uniform(0.6, 9)
    for start in np.arange(START + rng.uniform(0, period), min(street.path.end, 130), period):
        _long(canvas, street, paint, start, start + dash, d, width)


def _line(
    rng: np.random.Generator, canvas: Canvas, street: Street, paint: Paint, d: float, width: float
) -> None:
    """Paint one lane line: solid, dashed, or two lines beside each other."""
    style = rng.random()
    if style < 0.5:
        _dashed(rng, canvas, street, paint, d, width)
    elif style < 0.75:
        _long(canvas, street, paint, START, street.path.end, d, width)
    else:
        apart = width / 2 + rng.uniform(0.04, 0.1)
        _long(canvas, street, paint, START, street.path.end, d - apart, width)
        if rng.random() < 0.6:
            _long(canvas, street, paint, START, street.path.end, d + apart, width)
        else:
            _dashed(rng, canvas, street, paint, d + apart, width)


def _draw_lane_lines(
    rng: np.random.Generator, canvas: Canvas, street: Street, white: Paint, yellow: Paint
) -> None:
    width = rng.uniform(0.1, 0.2)
    count = len(street.lanes)
    middle = count // 2
    for index in range(1, count):
        if rng.random() < 0.1:
            continue
        paint = yellow if index == middle and rng.random() < 0.25 else white
        _line(rng, canvas, street, paint, _lane(street, index)[0], width)
    if count == 1 and street.lanes[0] > 4.5 and rng.random() < 0.6:
        _line(rng, canvas, street, white, 0.0, width)


def _draw_edge_lines(
    rng: np.random.Generator, canvas: Canvas, street: Street, white: Paint, yellow: Paint
) -> None:
    chance = {"city": 0.35, "suburb": 0.3, "country": 0.6, "highway": 0.95}[street.setting]
    for sign in (-1, 1):
        if rng.random() > chance:
            continue
        paint = yellow if rng.random() < 0.4 else white
        width = rng.uniform(0.08, 0.2)
        d = street.half - rng.uniform(0.15, 0.6) - width
        limit = rng.uniform(20, 200) if rng.random() < 0.3 else street.path.end
        _long(canvas, street, paint, START, limit, sign * d, width)
        if paint is yellow and rng.random() < 0.6:
            # The British double yellow line.
            d -= width + rng.uniform(0.05, 0.15)
            _long(canvas, street, paint, START, limit, sign * d, width)
        if street.setting == "city" and rng.random() < 0.12:
            # Parking bays.
            bay = rng.uniform(1.8, 2.3)
            _long(canvas, street, white, START, limit, sign * (street.half - bay), 0.1)
            for s in np.arange(2, 50, rng.uniform(5, 6.5)):
                ends = sorted((sign * street.half, sign * (street.half - bay)))
                _band(canvas, street, white, s, s + 0.1, *ends)


def _draw_crossing(
    rng: np.random.Generator, canvas: Canvas, street: Street, paint: Paint, at: float
) -> None:
    """Paint a zebra, or the two lines of a plain crossing, and sometimes its stop line."""
    long = rng.uniform(2, 4.5)
    half = street.half - 0.15
    if rng.random() < 0.75:
        stripe = rng.uniform(0.35, 0.7)
        period = stripe * rng.uniform(1.7, 2.3)
        rows = canvas.camera.pixels_per_meter(at) * canvas.camera.elevation * long / at
        labeled = rows >= THINNEST and at < _readable(canvas, stripe)
        for left in np.arange(-half + rng.uniform(0, 0.3), half - stripe, period):
            _fill(canvas, street.path.strip(at, at + long, left, left + stripe), paint, labeled)
    else:
        width = rng.uniform(0.12, 0.35)
        _band(canvas, street, paint, at, at + width, -half, half)
        _band(canvas, street, paint, at + long, at + long + width, -half, half)
    if rng.random() < 0.5 and at > 4:
        _band(canvas, street, paint, at - 2.0, at - 2.0 + rng.uniform(0.2, 0.6), *_own_lane(street))


def _shape(street: Street, at: float, d: float, corners: Array) -> Points:
    """Return world points of (N, 2) corners: meters right of `d`, meters on from `at`."""
    return street.path.world(at + corners[:, 1], d + corners[:, 0])


def _draw_symbol(
    rng: np.random.Generator, canvas: Canvas, street: Street, paint: Paint, d: float, at: float
) -> None:
    """Paint an arrow, a word, a bicycle or a triangle on a lane, stretched for drivers."""
    if at + 6 > street.path.end or at > _readable(canvas, 0.25):
        return
    stretch = rng.uniform(0.8, 1.6)
    pick = rng.random()
    if pick < 0.5:
        for corners in _arrow(rng):
            _fill(canvas, _shape(street, at, d, corners * [1, stretch]), paint)
    elif pick < 0.7:
        for index in range(int(rng.integers(2, 6))):
            left = -1.2 + 0.6 * index
            for corners in _letter(rng):
                _fill(canvas, _shape(street, at, d + left, corners * [1, stretch]), paint)
    elif pick < 0.85:
        turn = np.linspace(0, 2 * np.pi, 17)
        for middle in (-0.5, 0.5):
            outer = np.stack([middle + 0.4 * np.cos(turn), 1 + 0.9 * np.sin(turn)], 1)
            inner = np.stack([middle + 0.3 * np.cos(turn), 1 + 0.7 * np.sin(turn)], 1)
            _fill(canvas, _shape(street, at, d, np.concatenate([outer, inner[::-1]])), paint)
        frame = np.array(
            [
                [-0.5, 1.0],
                [-0.2, 2.0],
                [0.3, 2.0],
                [0.5, 1.0],
                [0.4, 1.0],
                [0.2, 1.85],
                [-0.15, 1.85],
                [-0.4, 1.0],
            ]
        )
        _fill(canvas, _shape(street, at, d, frame), paint)
    else:
        triangle = np.array([[-0.6, 0], [0.6, 0], [0, 3.0]]) * [1, rng.choice([-1, 1])]
        _fill(canvas, _shape(street, at + 3, d, triangle), paint)


def _arrow(rng: np.random.Generator) -> list[Array]:
    shaft = np.array([[-0.1, 0], [0.1, 0], [0.1, 3], [-0.1, 3]])
    head = np.array([[-0.4, 2.6], [0.4, 2.6], [0, 4.2]])
    side = np.array(
        [[0.1, 1.3], [0.55, 2.0], [0.55, 1.6], [1.0, 2.5], [0.55, 3.2], [0.55, 2.5], [0.1, 1.8]]
    )
    parts = [shaft, head, side, side * [-1, 1]]
    pick = int(rng.integers(4))
    return {0: parts[:2], 1: [shaft, side], 2: [shaft, side * [-1, 1]], 3: [shaft, head, side]}[
        pick
    ]


def _letter(rng: np.random.Generator) -> list[Array]:
    """Return some of the bars of a seven-segment letter, 0.45 m wide and 2 m long."""

    def bar(left: float, low: float, right: float, high: float) -> Array:
        return np.array([[left, low], [right, low], [right, high], [left, high]])

    bars = [
        bar(0, 0, 0.12, 2),
        bar(0.33, 0, 0.45, 2),
        bar(0, 0, 0.45, 0.3),
        bar(0, 0.85, 0.45, 1.15),
        bar(0, 1.7, 0.45, 2),
    ]
    keep = rng.random(len(bars)) < 0.65
    keep[0] = True
    return [each for each, kept in zip(bars, keep, strict=True) if kept]


def _draw_hatching(rng: np.random.Generator, canvas: Canvas, street: Street, paint: Paint) -> None:
    """Paint a closed area of slanted stripes."""
    start = rng.uniform(2, 25)
    wide, long = rng.uniform(0.6, 2.5), rng.uniform(5, 20)
    left = rng.uniform(-street.half, street.half - wide)
    slant = rng.uniform(0.5, 2) * rng.choice([-1, 1])
    if start + long + 2 > street.path.end or start > _readable(canvas, 0.3):
        return
    for at in np.arange(start, start + long, rng.uniform(1.2, 2.2)):
        corners = np.array([[0, 0], [wide, slant], [wide, slant + 0.4], [0, 0.4]])
        _fill(canvas, _shape(street, at + 2, left, corners), paint)
    for d in (left, left + wide):
        _long(canvas, street, paint, start, start + long + 2, d, 0.12)


def _draw_box(rng: np.random.Generator, canvas: Canvas, street: Street, paint: Paint) -> None:
    """Paint a box junction: crossed diagonals."""
    start, long, half = rng.uniform(4, 20), rng.uniform(5, 10), street.half - 0.2
    thin = replace(paint, cover=min(paint.cover, 0.9))
    if start + 2 * long > street.path.end or start > _readable(canvas, 0.15):
        return
    for offset in np.arange(-half, half, 1.3):
        for sign in (-1, 1):
            far = float(np.clip(offset + sign * long * 0.7, -half, half))
            reach = abs(far - offset) / 0.7
            corners = np.array([[offset, 0], [offset + 0.15, 0], [far + 0.15, reach], [far, reach]])
            _fill(canvas, _shape(street, start, 0.0, corners), thin)
    for s in (start, start + long):
        _band(canvas, street, thin, s, s + 0.15, -half, half)
