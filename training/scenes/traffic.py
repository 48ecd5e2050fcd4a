"""Cars, lorries, people and cyclists."""

from __future__ import annotations

import numpy as np

from training.scenes import colors
from training.scenes.canvas import Canvas
from training.scenes.colors import Color
from training.scenes.kinds import Kind
from training.scenes.street import Array, Street

BLACK: Color = np.array([0.04, 0.04, 0.05])


def _box(street: Street, s: float, d: float, along: Array, across: Array, up: Array) -> Array:
    """Return the world points of a body given by offsets from its middle on the ground."""
    return street.path.world(s + along, d + across, up)


def _block(
    street: Street, s: float, d: float, low: tuple[float, ...], high: tuple[float, ...]
) -> Array:
    """Return the eight corners of a block: (from, to, half width, height) below and above."""
    corners = [
        (along, across * half, up)
        for start, stop, half, up in (low, high)
        for along in (start, stop)
        for across in (-1, 1)
    ]
    along, across, up = np.array(corners, float).T
    return _box(street, s, d, along, across, up)


def draw_vehicle(
    rng: np.random.Generator, canvas: Canvas, street: Street, s: float, d: float
) -> None:
    """Draw a car, a van, a bus or a lorry whose middle is at a position on the street."""
    body = colors.paint(rng)
    glass = colors.gray(rng, 0.03, 0.35, 0.1)
    large = rng.random() < 0.15
    if large:
        half, length, height = rng.uniform(0.95, 1.25), rng.uniform(5, 11), rng.uniform(2.2, 3.6)
    else:
        half, length, height = (
            rng.uniform(0.78, 0.95),
            rng.uniform(3.6, 4.9),
            rng.uniform(1.3, 1.75),
        )
    rear, front = -length / 2, length / 2
    if s + rear < 2.0 or s + front > street.path.end:
        return
    shade = street.path.strip(s + rear - 0.1, s + front + 0.1, d - half - 0.12, d + half + 0.12)
    canvas.world(shade, BLACK, alpha=rng.uniform(0.35, 0.8))
    view = canvas.camera.to_view(street.path.world(np.array([s + rear]), np.array([d])))[0]
    # The side of the vehicle that the camera sees.
    seen = -1 if view[0] > 0 else 1
    side = d + seen * half
    canvas.hull(
        _block(
            street,
            s,
            d,
            (rear + 0.1, front - 0.1, half - 0.05, 0.15),
            (rear + 0.1, front - 0.1, half - 0.05, 0.5),
        ),
        BLACK,
        Kind.METAL,
    )
    waist = height * 0.58 if not large else height
    canvas.hull(
        _block(
            street, s, d, (rear, front, half, 0.3), (rear + 0.08, front - 0.08, half - 0.04, waist)
        ),
        body,
        Kind.METAL,
    )
    lit = colors.shade(body, 1.25)
    if not large:
        tail = rng.uniform(0.0, 0.9)
        cabin = (rear + tail * 0.5, front - 1.0, half - 0.06, waist)
        roof = (rear + tail + 0.2, front - 1.9, half - 0.16, height)
        canvas.hull(_block(street, s, d, cabin, roof), lit, Kind.METAL)
        for sign in (seen,):
            along = np.array([cabin[0] + 0.25, cabin[1] - 0.2, roof[1] - 0.05, roof[0] + 0.1])
            across = sign * np.array([cabin[2], cabin[2], roof[2], roof[2]])
            up = np.array([waist + 0.04, waist + 0.04, height - 0.1, height - 0.1])
            canvas.world(_box(street, s, d, along, across, up), glass, Kind.METAL)
        along = np.array([cabin[0], cabin[0], roof[0], roof[0]])
        across = np.array([-0.9, 0.9, 0.85, -0.85]) * [cabin[2], cabin[2], roof[2], roof[2]]
        up = np.array([waist + 0.04, waist + 0.04, height - 0.08, height - 0.08])
        canvas.world(_box(street, s, d, along, across, up), glass, Kind.METAL)
    else:
        low, high = height * rng.uniform(0.4, 0.6), height * 0.9
        pane = np.array([[-0.85, low], [0.85, low], [0.85, high], [-0.85, high]])
        canvas.world(
            _box(street, s, d, np.full(4, rear), pane[:, 0] * half, pane[:, 1]), glass, Kind.METAL
        )
        if rng.random() < 0.5:
            canvas.world(
                _box(
                    street,
                    s,
                    d,
                    np.array([rear + 0.3, front - 0.3, front - 0.3, rear + 0.3]),
                    np.full(4, seen * half),
                    np.array([low, low, high, high]),
                ),
                glass,
                Kind.METAL,
            )
    _draw_reflections(rng, canvas, street, body, (s + rear, s + front), (d, half * seen), waist)
    _draw_lights(rng, canvas, street, s + rear, d, half, waist)
    turn = np.linspace(0, 2 * np.pi, 18, endpoint=False)
    for axle in (rear + 0.75, front - 0.85):
        for radius, tone in ((0.33, BLACK), (0.19, colors.gray(rng, 0.3, 0.8))):
            wheel = street.path.world(
                s + axle + radius * np.cos(turn), np.full(18, side), 0.33 + radius * np.sin(turn)
            )
            canvas.world(wheel, tone, Kind.METAL)
    for edge in (-1, 1):
        tyre = np.array([[-1, 0], [-0.72, 0], [-0.72, 0.4], [-1, 0.4]]) * [edge * half, 1]
        canvas.world(
            _box(street, s, d, np.full(4, rear + 0.05), tyre[:, 0], tyre[:, 1]), BLACK, Kind.METAL
        )


def _draw_reflections(
    rng: np.random.Generator,
    canvas: Canvas,
    street: Street,
    body: Color,
    ends: tuple[float, float],
    sides: tuple[float, float],
    waist: float,
) -> None:
    """Draw what the paint mirrors, panels and stickers, on the rear and on the visible side."""
    rear, front = ends
    d, half = sides
    for _ in range(int(rng.integers(2, 8))):
        low, high = np.sort(rng.uniform(0.32, waist, 2))
        first, last = np.sort(rng.uniform(0, 1, 2))
        color = colors.shade(body, rng.uniform(0.5, 1.6))
        if rng.random() < 0.2:
            color = colors.anything(rng)
        up = np.array([low, low, high, high])
        along = np.array([first, last, last, first])
        if rng.random() < 0.5:
            points = street.path.world(np.full(4, rear), d + half * (2 * along - 1), up)
        else:
            points = street.path.world(rear + (front - rear) * along, np.full(4, d + half), up)
        canvas.world(points, color, Kind.METAL, rng.uniform(0.2, 0.9))


def _draw_lights(
    rng: np.random.Generator,
    canvas: Canvas,
    street: Street,
    s: float,
    d: float,
    half: float,
    waist: float,
) -> None:
    """Draw the lamps and the plate on the end that faces the camera."""
    lamp = (
        colors.hsv(rng, (-0.02, 0.03), (0.6, 1), (0.4, 1))
        if rng.random() < 0.6
        else colors.gray(rng, 0.7, 1)
    )
    low, high = min(waist, 1.3) * 0.68, min(waist, 1.3) * 0.88
    quads = [
        np.array([[0.62, low], [0.95, low], [0.95, high], [0.62, high]]) * [sign * half, 1]
        for sign in (-1, 1)
    ]
    plate = np.array([[-0.28, 0.5], [0.28, 0.5], [0.28, 0.62], [-0.28, 0.62]])
    for quad, color in ((quads[0], lamp), (quads[1], lamp), (plate, colors.gray(rng, 0.6, 1))):
        points = street.path.world(np.full(4, s), d + quad[:, 0], quad[:, 1])
        canvas.world(points, color, Kind.METAL)


def draw_person(
    rng: np.random.Generator, canvas: Canvas, street: Street, s: float, d: float, cycling: bool
) -> None:
    """Draw a person who stands or walks, or who rides a bicycle along the street."""
    foot = street.path.world(np.array([s]), np.array([d]))[0]
    if foot[2] < 1.8:
        return
    height = rng.uniform(1.45, 1.95)
    coat, trousers = colors.paint(rng), colors.shade(colors.paint(rng), 0.6)
    skin = colors.hsv(rng, (0.03, 0.09), (0.2, 0.6), (0.25, 0.95))
    raise_by = 0.45 if cycling else 0.0
    turn = np.linspace(0, 2 * np.pi, 14, endpoint=False)

    def flat(corners: Array, color: Color) -> None:
        points = np.stack([corners[:, 0], corners[:, 1], np.zeros(len(corners))], 1)
        canvas.world(foot + points, color, Kind.CLOTH)

    if cycling:
        # Seen from behind or from the front: narrow wheels.
        wide = rng.uniform(0.03, 0.3) if rng.random() < 0.3 else 0.03
        flat(np.stack([wide * np.cos(turn), 0.34 + 0.34 * np.sin(turn)], 1), BLACK)
        flat(np.array([[-0.28, 0.95], [0.28, 0.95], [0.28, 1.0], [-0.28, 1.0]]), BLACK)
    hip, neck = 0.5 * height, 0.83 * height
    stride = rng.uniform(0.02, 0.22)
    for sign in (-1, 1):
        legs = np.array(
            [[0.0, hip], [sign * 0.15, hip], [sign * (stride + 0.1), 0], [sign * stride, 0]]
        )
        legs[:, 1] = np.where(legs[:, 1] > 0, legs[:, 1] + raise_by, raise_by * 0.4)
        flat(legs, trousers)
        arm = np.array(
            [[0.2, neck], [0.28, neck - 0.05], [0.3 + stride / 2, hip], [0.22 + stride / 2, hip]]
        )
        flat(arm * [sign, 1] + [0, raise_by], colors.shade(coat, 0.8))
    wide = rng.uniform(0.17, 0.26)
    torso = np.array(
        [
            [-wide, hip - 0.1],
            [wide, hip - 0.1],
            [wide + 0.03, neck - 0.05],
            [wide - 0.08, neck],
            [-wide + 0.08, neck],
            [-wide - 0.03, neck - 0.05],
        ]
    )
    flat(torso + np.array([0, raise_by]), coat)
    head = np.stack([0.1 * np.cos(turn), 0.92 * height + raise_by + 0.13 * np.sin(turn)], 1)
    flat(head, skin)
    cap = head[head[:, 1] > 0.93 * height + raise_by]
    flat(cap + np.array([0, 0.015]), colors.paint(rng))
