"""What lies behind the street: the sky, clouds, and the distance."""

from __future__ import annotations

import numpy as np

from training.scenes import colors
from training.scenes.canvas import Canvas
from training.scenes.kinds import Kind
from training.scenes.noise import field
from training.scenes.street import Street


def draw_sky(rng: np.random.Generator, canvas: Canvas) -> None:
    """Fill the whole image with a sky: blue, overcast, white, at dusk, or of any color."""
    height, width = canvas.kinds.shape
    pick = rng.random()
    if pick < 0.45:
        top = colors.hsv(rng, (0.54, 0.63), (0.3, 0.8), (0.5, 0.95))
    elif pick < 0.8:
        top = colors.gray(rng, 0.55, 1.0, 0.03)
    elif pick < 0.92:
        top = colors.hsv(rng, (0.55, 0.75), (0.1, 0.5), (0.15, 0.6))
    else:
        top = colors.anything(rng)
    low = np.clip(top * 0.4 + 0.6 * colors.gray(rng, 0.75, 1.0, 0.05), 0, 1)
    if rng.random() < 0.1:
        low = colors.hsv(rng, (0.0, 0.15), (0.2, 0.7), (0.6, 1.0))
    fade = np.linspace(0, 1, height)[:, None, None] ** rng.uniform(0.5, 1.5)
    fade = np.clip(fade * rng.uniform(1.2, 2.2), 0, 1)
    sky = top * (1 - fade) + low * fade
    sky = np.broadcast_to(sky, (height, width, 3)).astype(np.float32)
    if rng.random() < 0.7:
        cloud = (
            field(rng, height, width, rng.uniform(2, 8), cloudy=True)
            + field(rng, height, width, rng.uniform(1, 4), cloudy=rng.random() < 0.8) * 0.4
        )
        cover = np.clip((cloud + rng.uniform(-1.5, 1.0)) * rng.uniform(0.3, 1.5), 0, 1)[..., None]
        color = colors.gray(rng, 0.6, 1.0, 0.02).astype(np.float32)
        sky = sky * (1 - cover) + color * cover * (1 - 0.15 * np.clip(cloud, -1, 1)[..., None])
    canvas.rgba[..., :3] = np.clip(sky * 255, 0, 255).astype(np.uint8)


def draw_distance(rng: np.random.Generator, canvas: Canvas, street: Street) -> None:
    """Draw one to three skylines along the horizon: hills, woods, or roofs."""
    camera, path = canvas.camera, street.path
    far = path.world(np.array([path.end]), np.zeros(1))[0]
    ends = np.array([[-2.0 * far[2], far[1], far[2]], [2.0 * far[2], far[1], far[2]]])
    (u0, v0), (u1, v1) = camera.to_pixels(camera.to_view(ends))
    count = 90
    along = np.linspace(0, 1, count)
    base = np.stack([u0 + (u1 - u0) * along, v0 + (v1 - v0) * along], 1)
    scale = camera.height
    for layer in range(int(rng.integers(1, 4))):
        if rng.random() < 0.5:
            steps = np.cumsum(rng.normal(0, 1, count))
            rise = np.abs(np.convolve(steps, np.ones(7) / 7, "same")) * rng.uniform(0.003, 0.012)
        else:
            rise = np.repeat(rng.uniform(0.01, 0.1, count // 3), 3)
        rise = rise + rng.uniform(0.005, 0.04)
        pick = rng.random()
        color = colors.foliage(rng) if pick < 0.5 else colors.masonry(rng)
        haze = rng.uniform(0, 0.7) / (layer + 1)
        color = color * (1 - haze) + 0.8 * haze
        top = base - np.stack([np.zeros(count), rise * scale], 1)
        canvas.pixels(
            np.concatenate([top, base[::-1] + np.array([0, 3])]),
            np.clip(color, 0, 1),
            Kind.DISTANCE,
        )
