"""Posts, lamps, signs, traffic lights, bins and overhead signs."""

from __future__ import annotations

import numpy as np

from training.scenes import colors
from training.scenes.canvas import Canvas
from training.scenes.colors import Color
from training.scenes.kinds import Kind
from training.scenes.street import Array, Street


def draw_post(rng: np.random.Generator, canvas: Canvas, street: Street, s: float, d: float) -> None:
    """Draw one upright thing at a position on the street."""
    foot = street.path.world(np.array([s]), np.array([d]))[0]
    if foot[2] < 1.2:
        return
    metal = colors.gray(rng, 0.05, 0.75) if rng.random() < 0.85 else colors.anything(rng)

    def flat(corners: Array, color: Color) -> None:
        points = np.stack([corners[:, 0], corners[:, 1], np.zeros(len(corners))], 1)
        canvas.world(foot + points, color, Kind.METAL)

    def bar(left: float, low: float, right: float, high: float, color: Color) -> None:
        flat(np.array([[left, low], [right, low], [right, high], [left, high]]), color)

    pick = rng.random()
    thin = rng.uniform(0.03, 0.09)
    inward = -np.sign(d) if d else 1.0
    if pick < 0.35:
        height, arm = rng.uniform(5, 10), rng.uniform(0.5, 2.5) * inward
        bar(-thin, -0.1, thin, height, metal)
        bar(min(0, arm), height - 0.1, max(0, arm), height, metal)
        bar(arm - 0.3, height - 0.15, arm + 0.3, height + 0.05, colors.shade(metal, 1.4))
    elif pick < 0.6:
        height, size = rng.uniform(2.0, 3.2), rng.uniform(0.25, 0.45)
        bar(-thin, -0.1, thin, height, metal)
        sides = int(rng.choice([3, 4, 8, 20]))
        turn = np.linspace(0, 2 * np.pi, sides, endpoint=False) + np.pi * (0.5 + 1 / sides)
        rim = np.stack([np.cos(turn), np.sin(turn)], 1)
        flat(rim * size + [0, height], colors.hsv(rng, (0, 1), (0.5, 1), (0.4, 0.95)))
        flat(rim * size * 0.75 + [0, height], colors.gray(rng, 0.6, 1.0))
    elif pick < 0.75:
        height = rng.uniform(2.6, 3.8)
        bar(-thin, -0.1, thin, height, metal)
        bar(-0.17, height - 0.9, 0.17, height, colors.gray(rng, 0.02, 0.15))
        turn = np.linspace(0, 2 * np.pi, 12, endpoint=False)
        lamps = ([0.9, 0.1, 0.1], [0.95, 0.6, 0.1], [0.1, 0.85, 0.4])
        on = int(rng.integers(3))
        disc = np.stack([np.cos(turn), np.sin(turn)], 1) * 0.1 + [0, height - 0.17 - 0.28 * on]
        flat(disc, np.array(lamps[on]))
    elif pick < 0.9:
        bar(-thin, -0.1, thin, rng.uniform(0.6, 1.2), metal)
    else:
        half, height = rng.uniform(0.2, 0.5), rng.uniform(0.7, 1.3)
        bar(-half, -0.1, half, height, colors.anything(rng))
        bar(-half, height - 0.15, half, height, metal)


def draw_gantry(rng: np.random.Generator, canvas: Canvas, street: Street, s: float) -> None:
    """Draw a sign bridge over the road."""
    if s > street.path.end:
        return
    half = street.half + 1.0
    metal = colors.gray(rng, 0.3, 0.7)
    board = colors.hsv(rng, (0.35, 0.65), (0.5, 0.9), (0.25, 0.6))

    def bar(left: float, low: float, right: float, high: float, color: Color) -> None:
        d, up = np.array([left, right, right, left]), np.array([low, low, high, high])
        canvas.world(street.path.world(np.full(4, s), d, up), color, Kind.METAL)

    for sign in (-1, 1):
        bar(sign * half - 0.15, -0.1, sign * half + 0.15, 6.0, metal)
    bar(-half, 5.7, half, 6.0, metal)
    for left in np.arange(-half + 1, half - 3, 4.5):
        if rng.random() < 0.7:
            bar(left, 5.2, left + 3.5, 7.2, board)
            bar(left + 0.4, 6.2, left + rng.uniform(1.5, 3), 6.5, np.ones(3))
            bar(left + 0.4, 5.7, left + rng.uniform(1.5, 3), 6.0, np.ones(3))


def draw_clutter(
    rng: np.random.Generator, canvas: Canvas, street: Street, s: float, d: float
) -> None:
    """Draw a heap of small things of any shape: bicycles, tables, stalls, building sites."""
    foot = street.path.world(np.array([s]), np.array([d]))[0]
    if foot[2] < 2.5:
        return
    wide, high = rng.uniform(0.4, 2.0), rng.uniform(0.4, 2.2)
    shades = [colors.anything(rng) if rng.random() < 0.3 else colors.paint(rng) for _ in range(3)]
    thin = rng.random() < 0.5
    for _ in range(int(rng.integers(6, 26))):
        corners = rng.normal(0, 0.5, (int(rng.integers(3, 6)), 2))
        corners *= [1.0, rng.uniform(0.05, 0.2)] if thin else rng.uniform(0.2, 0.7)
        turn = rng.uniform(0, np.pi)
        cos, sin = np.cos(turn), np.sin(turn)
        corners = corners @ np.array([[cos, -sin], [sin, cos]])
        corners += [rng.uniform(-wide, wide), rng.uniform(0, high)]
        corners[:, 1] = np.maximum(corners[:, 1], 0.0)
        points = np.stack([corners[:, 0], corners[:, 1], np.zeros(len(corners))], 1)
        shade = colors.shade(shades[int(rng.integers(3))], rng.uniform(0.6, 1.3))
        canvas.world(foot + points, shade, Kind.CLOTH)
