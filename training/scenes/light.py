"""Light and matter: textures, in perspective on the ground, and shadows on the ground."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from training.scenes import colors
from training.scenes.canvas import Canvas, Stencil
from training.scenes.kinds import GROUND, Kind
from training.scenes.noise import EXPONENTS, field, sample, tiles
from training.scenes.street import Street

# How strong textures may be, as a share of the surface's brightness: the most for each kind.
STRENGTH = {
    Kind.SKY: 0.02,
    Kind.ROAD: 0.16,
    Kind.CURB: 0.16,
    Kind.MARK: 0.12,
    Kind.PAVEMENT: 0.2,
    Kind.GRASS: 0.4,
    Kind.GRAVEL: 0.35,
    Kind.BUILDING: 0.25,
    Kind.LEAVES: 0.45,
    Kind.WOOD: 0.3,
    Kind.METAL: 0.25,
    Kind.CLOTH: 0.2,
    Kind.BONNET: 0.05,
    Kind.DISTANCE: 0.25,
}


def texture_ground(
    rng: np.random.Generator, canvas: Canvas, street: Street, wild: float, most: float
) -> None:
    """Give the ground its textures, laid out in meters and fading into the distance.

    `wild` is the chance that a surface's texture is far too strong, `most` scales all of them.
    """
    rows = np.nonzero((canvas.kinds != Kind.SKY).any(1))[0]
    if not len(rows):
        return
    top = int(rows[0])
    kinds = canvas.kinds[top:]
    right, down = canvas.camera.ground(np.arange(top, canvas.camera.height))
    forward = _distance(canvas, street, down)
    across = right * forward
    bank = tiles()
    # The two surfaces that must be told apart get textures of their own, or the same one.
    road = _grain(rng, bank, across, forward, EXPONENTS)
    other = road if rng.random() < 0.3 else _grain(rng, bank, across, forward, None)
    large = bank[2 * len(EXPONENTS) - 2 - 2 * int(rng.integers(3))]
    size = rng.uniform(6, 40)
    broad = sample(large, across * size, forward * size * rng.uniform(0.2, 1.0))
    strength = _strengths(rng, wild, most)[kinds]
    on_road = np.isin(kinds, (Kind.ROAD, Kind.MARK, Kind.CURB))
    noise = np.where(on_road, road, other) * (7.0 / (7.0 + forward)) + broad * rng.uniform(0, 0.6)
    factor = 1 + np.clip(noise * strength, -0.8, 1.2)
    color = canvas.rgba[top:, :, :3]
    color[...] = np.clip(color * factor[..., None], 0, 255).astype(np.uint8)


def texture_rest(rng: np.random.Generator, canvas: Canvas, wild: float, most: float) -> None:
    """Give what is not ground a texture in pixels; `wild` and `most` as on the ground."""
    height, width = canvas.kinds.shape
    fine = field(rng, height, width, rng.uniform(1, 2))
    coarse = field(rng, height, width, rng.uniform(2, 6), natural=rng.random() > wild)
    noise = 0.6 * fine + 0.6 * coarse
    strength = _strengths(rng, wild, most)
    for kind in GROUND:
        strength[kind] = 0
    factor = 1 + np.clip(noise * strength[canvas.kinds], -0.9, 1.5)
    canvas.rgba[..., :3] = np.clip(canvas.rgba[..., :3] * factor[..., None], 0, 255).astype(
        np.uint8
    )


def darken(rng: np.random.Generator, canvas: Canvas, stencil: Stencil) -> None:
    """Put the shadows of a stencil onto the ground."""
    ground = np.isin(canvas.kinds, GROUND)
    if rng.random() < 0.6:
        # The sun is half a degree wide: shadows of what is high up have soft edges.
        soft = Image.fromarray(stencil.alpha).filter(ImageFilter.BoxBlur(rng.uniform(0.5, 4)))
        cover = np.asarray(soft)
    else:
        cover = stencil.alpha
    cover = cover.astype(np.float32) / 255 * rng.uniform(0.2, 0.65)
    # The shade is lit by the sky: bluish.
    tint = np.array([1.0, 0.97, 0.9]) * colors.gray(rng, 0.95, 1.0, 0.03)
    factor = 1 - (cover * ground)[..., None] * tint.astype(np.float32)
    canvas.rgba[..., :3] = (canvas.rgba[..., :3] * factor).astype(np.uint8)


def wet(rng: np.random.Generator, canvas: Canvas) -> None:
    """Let the road mirror what stands above the horizon, as it does after rain."""
    height = canvas.camera.height
    road = np.isin(canvas.kinds, (Kind.ROAD, Kind.MARK))
    rows = np.nonzero(road.any(1))[0]
    if not len(rows):
        return
    top = int(rows[0])
    mirrored = np.clip(2 * top - np.arange(top, height), 0, None)
    share = road[top:, :, None] * np.float32(rng.uniform(0.1, 0.45))
    color = canvas.rgba[top:, :, :3]
    color[...] = (color * (1 - share) + canvas.rgba[mirrored, :, :3] * share).astype(np.uint8)


def cast_shadows(rng: np.random.Generator, stencil: Stencil, street: Street) -> None:
    """Cast shadows across the street: of houses, of trees with light between leaves, of posts."""
    path, half = street.path, street.half
    sign = float(rng.choice([-1, 1]))
    pick = rng.random()
    if pick < 0.3:
        # A row of houses: a jagged edge along the street, as far as anywhere across it.
        corners = np.arange(-5, min(path.end, 90), rng.uniform(3, 12))
        edge = rng.uniform(-1.3, 1.1) * half + rng.uniform(0, 2) * rng.normal(size=len(corners))
        stations, edges = np.repeat(corners, 2)[1:-1], np.repeat(edge, 2)[:-2]
        if len(stations) > 2:
            outline = np.concatenate(
                [
                    path.world(stations, sign * edges),
                    path.world(stations[::-1], np.full(len(stations), -sign * (half + 8))),
                ]
            )
            stencil.world(outline)
    if 0.2 < pick < 0.7:
        for _ in range(int(rng.integers(1, 8))):
            s, d = rng.uniform(1, 50), sign * rng.uniform(-0.3, 1.5) * half
            _dapple(rng, stencil, street, s, d)
    if 0.5 < pick < 0.85:
        slant = rng.uniform(-1, 1)
        for post in np.arange(rng.uniform(0, 8), min(path.end, 70), rng.uniform(3, 25)):
            wide = rng.uniform(0.05, 0.3)
            across = np.array([-half - 3, half + 3, half + 3, -half - 3])
            along = post + slant * across + np.array([-wide, -wide, wide, wide])
            stencil.world(path.world(along, across))
    if pick > 0.95:
        stencil.world(path.strip(rng.uniform(-5, 20), rng.uniform(20, 60), -half - 8, half + 8))


def _dapple(rng: np.random.Generator, stencil: Stencil, street: Street, s: float, d: float) -> None:
    count = int(rng.integers(10, 40))
    wide = rng.uniform(1.0, 3.5)
    turn = np.linspace(0, 2 * np.pi, 9, endpoint=False)
    stretch = rng.uniform(0.6, 1.8)
    for _ in range(count):
        radius = rng.uniform(0.08, 0.4) * wide
        ds, dd = rng.normal(0, wide * 0.7, 2) * [stretch, 1]
        stencil.world(
            street.path.world(
                s + ds + radius * stretch * np.cos(turn), d + dd + radius * np.sin(turn)
            ),
            rng.uniform(0.5, 1),
        )


def _distance(canvas: Canvas, street: Street, down: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return how far forward rays that fall `down` meters a meter meet the street."""
    path = street.path
    seen = (path.stations > 0.5) & (path.stations <= path.end)
    fall = (canvas.camera.elevation - path.height[seen]) / np.maximum(path.z[seen], 0.1)
    if np.ptp(path.height[seen]) < 1e-6 or len(fall) < 4:
        return np.clip(canvas.camera.elevation / np.maximum(down, 1e-3), 0.1, 400).astype(
            np.float32
        )
    return np.interp(down, fall[::-1], path.z[seen][::-1]).astype(np.float32)


def _grain(
    rng: np.random.Generator,
    bank: NDArray[np.float32],
    across: NDArray[np.float32],
    forward: NDArray[np.float32],
    fractals: tuple[float, ...] | None,
) -> NDArray[np.float32]:
    """Return one texture in meters; of any tile of the bank, or of its first, fractal ones only."""
    count = 2 * len(fractals) if fractals else len(bank)
    tile = bank[int(rng.integers(count))]
    # Tile pixels per meter.
    size = np.exp(rng.uniform(np.log(15), np.log(120)))
    turn = rng.uniform(0, 0.3)
    cos, sin = np.float32(size * np.cos(turn)), np.float32(size * np.sin(turn))
    return sample(tile, across * cos + forward * sin, forward * cos - across * sin)


def _strengths(rng: np.random.Generator, wild: float, most: float) -> NDArray[np.float32]:
    table = np.zeros(256, np.float32)
    for kind, strength in STRENGTH.items():
        table[kind] = most * strength * rng.beta(1.5, 2) * (3 if rng.random() < wild else 1)
    return table
