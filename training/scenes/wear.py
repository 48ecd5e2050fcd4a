"""What use leaves on the ground, and what it is put together from: repairs, cracks, joints."""

from __future__ import annotations

import numpy as np

from training.scenes import colors
from training.scenes.canvas import Canvas
from training.scenes.colors import Color
from training.scenes.kinds import THINNEST, Kind
from training.scenes.materials import Materials
from training.scenes.street import START, Array, Street


def draw_gutters(rng: np.random.Generator, canvas: Canvas, street: Street, look: Materials) -> None:
    """Draw what many roads have along their curbs: a row of setts, or a channel of concrete.

    Setts are road still; a channel is cast in one piece with its curb, and counts as curb.
    """
    path, half = street.path, street.half
    pick, wide = rng.random(), rng.uniform(0.15, 0.55)
    if pick > 0.4:
        return
    setts = pick < 0.28
    tone = rng.uniform(0.5, 1.0) if setts else rng.uniform(0.9, 1.1)
    stone = colors.shade(look.road if setts and rng.random() < 0.6 else look.curb, tone)
    joint, alpha = colors.shade(stone, rng.uniform(0.4, 0.8)), rng.uniform(0.3, 0.9)
    rows, length = int(rng.integers(1, 4)), rng.uniform(0.1, 0.3)
    for sign, side in street.sides():
        if not side.curb:
            continue
        outer, inner = sign * half, sign * (half - wide)
        canvas.world(path.strip(START, path.end, outer, inner), stone, Kind.ROAD)
        if not setts:
            limit = canvas.camera.focal[0] * wide / THINNEST
            canvas.world(path.strip(START, limit, outer, inner), None, Kind.CURB)
            canvas.world(path.strip(START, path.end, inner, inner + 0.03 * sign), joint)
            continue
        for row in range(rows):
            d = sign * (half - wide * (row + 1) / rows)
            canvas.world(path.strip(START, 40, d, d + 0.02 * sign), joint, alpha=alpha)
        s = np.arange(1.0, 15.0, length)
        across = np.full_like(s, inner), np.full_like(s, outer)
        canvas.quads(_blocks(street, s, s + 0.02, *across, 0.0), joint, alpha=alpha)


def draw_pavement_wear(
    rng: np.random.Generator, canvas: Canvas, street: Street, look: Materials
) -> None:
    """Draw repairs of any color on pavements: not all that is patched is a road."""
    path = street.path
    for sign, strip, inner, outer in street.pavements():
        up = (strip.up, strip.up)
        for _ in range(rng.poisson(1.5)):
            at, long = rng.uniform(1, 30), rng.uniform(0.3, 8)
            left, wide = rng.uniform(inner, outer), rng.uniform(0.2, 1.5)
            color = colors.shade(look.pavement, rng.uniform(0.55, 1.4))
            if rng.random() < 0.25:
                color = look.road if rng.random() < 0.5 else colors.masonry(rng)
            patch = path.strip(at, at + long, sign * left, sign * min(left + wide, outer), up)
            canvas.world(patch, color, alpha=rng.uniform(0.3, 1))


def draw_wear(rng: np.random.Generator, canvas: Canvas, street: Street, look: Materials) -> None:
    """Draw tyre tracks, repairs, cracks, covers and colored lanes; all of it is road still."""
    path, half = street.path, street.half
    lane = street.lanes[0]
    if rng.random() < 0.25:
        # A bus or cycle lane of another color.
        side = rng.choice([-1, 1])
        color = colors.hsv(rng, (-0.04, 0.08), (0.2, 0.6), (0.25, 0.6))
        if rng.random() < 0.35:
            color = colors.anything(rng)
        start = rng.uniform(START, 25)
        stop = start + rng.uniform(5, 120)
        wide = min(rng.uniform(1.2, 3.5), half)
        band = path.strip(start, stop, side * half, side * (half - wide))
        canvas.world(band, color, alpha=rng.uniform(0.3, 1))
    if rng.random() < 0.6:
        tone, strength = rng.choice([0.6, 0.8, 1.25]), rng.uniform(0.1, 0.5)
        for index in range(len(street.lanes)):
            middle = -half + (index + 0.5) * lane
            for track in (-0.8, 0.8):
                band = path.strip(START, path.end, middle + track - 0.3, middle + track + 0.3)
                canvas.world(band, colors.shade(look.road, tone), alpha=strength)
    if rng.random() < 0.35:
        # The road's rim: dust or leaves.
        wide, tone = rng.uniform(0.15, 0.7), rng.uniform(0.6, 1.5)
        for sign in (-1, 1):
            band = path.strip(START, path.end, sign * half, sign * (half - wide))
            canvas.world(band, colors.shade(look.road, tone), alpha=rng.uniform(0.2, 0.9))
    for _ in range(rng.poisson(2.0)):
        at, long = rng.uniform(0, 45), rng.uniform(0.5, 12)
        d, wide = rng.uniform(-half, half), rng.uniform(0.3, 2.5)
        left, right = max(d - wide, -half), min(d + wide, half)
        patch = path.strip(at, at + long, left, right)
        canvas.world(
            patch, colors.shade(look.road, rng.uniform(0.6, 1.4)), alpha=rng.uniform(0.3, 1)
        )
    for _ in range(rng.poisson(1.5)):
        _draw_crack(rng, canvas, street, look)
    for _ in range(rng.poisson(1.0)):
        at, d, radius = rng.uniform(2, 40), rng.uniform(-0.9, 0.9) * half, rng.uniform(0.2, 0.4)
        turn = np.linspace(0, 2 * np.pi, 16, endpoint=False)
        cover = path.world(at + radius * np.cos(turn), d + radius * np.sin(turn))
        canvas.world(cover, colors.shade(look.road, rng.uniform(0.4, 1.3)))


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
        band, colors.shade(look.road, rng.choice([0.35, 0.55, 1.4])), alpha=rng.uniform(0.4, 1)
    )


def draw_joints(rng: np.random.Generator, canvas: Canvas, street: Street, look: Materials) -> None:
    """Draw paving slabs and the joints of curb stones, near the camera only."""
    path = street.path
    if rng.random() < 0.4:
        return
    size, wide = rng.uniform(0.3, 1.2), rng.uniform(0.008, 0.03)
    joint = colors.shade(look.pavement, rng.choice([0.5, 0.7, 1.3]))
    alpha = rng.uniform(0.2, 0.8)
    _draw_slabs(rng.spawn(1)[0], canvas, street, look.pavement, size, (wide, joint, alpha))
    if rng.random() < 0.5 and street.left.curb:
        # Curb stones, some of them painted by turns.
        length = rng.uniform(0.6, 1.5)
        painted = rng.random() < 0.15
        for sign, side in street.sides():
            for s in np.arange(1.0, 30, length * (2 if painted else 1)):
                stop = s + (length if painted else 0.04)
                top = (side.rise, side.rise)
                inner, outer = sign * street.half, sign * (street.half + side.curb)
                color = look.mark if painted else colors.shade(look.curb, 0.6)
                canvas.world(path.strip(s, stop, inner, outer, top), color)
                canvas.world(
                    path.strip(s, stop, inner, inner, (0, side.rise)), colors.shade(color, 0.8)
                )


def _draw_slabs(
    rng: np.random.Generator,
    canvas: Canvas,
    street: Street,
    color: Color,
    size: float,
    joint: tuple[float, Color, float],
) -> None:
    """Pave the pavements with rows of slabs, every other row set off by half a slab or none.

    Slabs come from more than one heap: some are lighter or darker than the rest. `joint` is the
    joints' width in meters, their color and alpha.
    """
    wide, dark, alpha = joint
    length = size * rng.choice([1.0, rng.uniform(1.0, 2.0)])
    shift = length / 2 if rng.random() < 0.6 else 0.0
    uneven = rng.uniform(0.3, 1.0) if rng.random() < 0.6 else 0.0
    tones = 1 + rng.uniform(0.04, 0.3) * np.array([-1.0, -0.5, 0.5, 1.0])
    for sign, strip, inner, outer in street.pavements():
        rows = np.arange(inner, outer, size)
        starts = np.arange(0.5, min(20.0, street.path.end - length), length)
        s, left = (grid.ravel() for grid in np.meshgrid(starts, rows))
        s = s + np.where(np.round((left - inner) / size) % 2, shift, 0.0)
        right = np.minimum(left + size, outer)
        heap = np.where(rng.random(len(s)) < uneven, rng.integers(len(tones), size=len(s)), -1)
        slabs = _blocks(street, s, s + length, sign * left, sign * right, strip.up)
        for index, tone in enumerate(tones):
            canvas.quads(slabs[heap == index], colors.shade(color, tone))
        ends = _blocks(street, s, s + wide, sign * left, sign * right, strip.up)
        canvas.quads(ends, dark, alpha=alpha)
        for row in rows[1:]:
            line = street.path.strip(0, 30, sign * row, sign * (row + wide), (strip.up, strip.up))
            canvas.world(line, dark, alpha=alpha)


def _blocks(
    street: Street, start: Array, stop: Array, inner: Array, outer: Array, up: float
) -> Array:
    """Return the (N, 4, 3) corners of flat blocks between two s and two d each."""
    corners = ((start, inner), (stop, inner), (stop, outer), (start, outer))
    return np.stack([street.path.world(s, d, up) for s, d in corners], 1)
