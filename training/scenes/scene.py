"""One whole scene: a camera, a street, everything on it, and the image that the camera takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from training.scenes import colors
from training.scenes.buildings import Thing, line_edges
from training.scenes.camera import Camera
from training.scenes.canvas import Canvas, Stencil
from training.scenes.furniture import draw_clutter, draw_gantry, draw_post
from training.scenes.ground import Island, draw_ground, draw_island
from training.scenes.kinds import Kind, class_of_kind
from training.scenes.lens import captured
from training.scenes.light import cast_shadows, darken, texture_ground, texture_rest, wet
from training.scenes.marks import draw_marks
from training.scenes.materials import pick_materials
from training.scenes.plants import draw_bush, draw_tree
from training.scenes.sky import draw_distance, draw_sky
from training.scenes.street import Street, plan_street
from training.scenes.traffic import draw_person, draw_vehicle

# The sizes of images that cameras in cars give: (width, height).
SOURCES = (
    (480, 360),
    (640, 480),
    (640, 360),
    (960, 720),
    (1280, 720),
    (1280, 960),
    (1600, 900),
    (1920, 1080),
    (1242, 376),
)


@dataclass(frozen=True)
class Scene:
    """A drawn image and its mask.

    Attributes
    ----------
    image
        (H, W, 3) uint8, RGB.
    labels
        (H, W) uint8, each 0 background, 1 road, 2 curb or 3 mark.
    """

    image: NDArray[np.uint8]
    labels: NDArray[np.uint8]


def draw_scene(seed: int, width: int = 896, height: int = 512, *, variety: float = 1.0) -> Scene:
    """Draw the scene of a seed.

    Parameters
    ----------
    seed
        The scene depends on nothing else but the other arguments.
    width, height
        Of the result in pixels. With `variety` above 0 the camera's own image may have another
        aspect, and is squeezed to this size, as it is before inference.
    variety
        1 for all that training needs: any colors, bad light, bad cameras. 0 for what looks like a
        good camera image with square pixels.
    """
    rng = np.random.default_rng([seed, 7919])
    source = SOURCES[int(rng.integers(len(SOURCES)))]
    aspect = source[0] / source[1] if rng.random() < variety else width / height
    camera = place_camera(rng, width, height, aspect, variety)
    street = plan_street(rng, camera)
    look = pick_materials(rng, 0.06 * variety, street.bare())
    canvas = Canvas(camera)
    wild, rough = 0.05 * variety, 0.45 + 0.55 * variety
    draw_sky(rng, canvas)
    draw_distance(rng, canvas, street)
    islands = draw_ground(rng, canvas, street, look)
    draw_marks(rng, canvas, street, look)
    for island in islands:
        draw_island(canvas, look, island)
    texture_ground(rng, canvas, street, wild, rough)
    if rng.random() < 0.65:
        stencil = Stencil(camera)
        cast_shadows(rng, stencil, street)
        darken(rng, canvas, stencil)
    for _, draw in sorted(
        _things(rng, canvas, street, islands, variety), key=lambda thing: -thing[0]
    ):
        draw()
    if rng.random() < 0.04 + 0.06 * variety:
        wet(rng, canvas)
    if rng.random() < 0.12 * variety:
        _draw_bonnet(rng, canvas)
    texture_rest(rng, canvas, wild, rough)
    sky = canvas.kinds == Kind.SKY
    rows = height if variety == 0 else max(300, min(source[1], height))
    image = captured(rng, canvas.rgba[..., :3].copy(), sky, rows, variety)
    return Scene(image, class_of_kind()[canvas.kinds])


def place_camera(
    rng: np.random.Generator, width: int, height: int, aspect: float, variety: float
) -> Camera:
    """Draw a camera such as stands behind a windscreen, or now and then in a lorry."""
    fov = float(np.radians(rng.uniform(42, 62 + 28 * variety)))
    elevation = (
        float(rng.uniform(1.1, 1.8)) if rng.random() < 0.85 else float(rng.uniform(1.8, 2.8))
    )
    level = Camera(width, height, aspect, fov, elevation)
    # The pitch that puts the horizon on a row.
    spread = 0.04 + 0.06 * variety
    horizon = float(np.clip(rng.normal(0.48, spread), 0.22, 0.74)) * height
    if rng.random() < 0.25 * variety:
        horizon = float(rng.uniform(0.25, 0.75)) * height
    pitch = float(np.arctan((height / 2 - horizon) / level.focal[1]))
    roll = float(rng.normal(0, 0.003 + 0.02 * variety))
    return Camera(width, height, aspect, fov, elevation, pitch, roll)


def _things(
    rng: np.random.Generator,
    canvas: Canvas,
    street: Street,
    islands: list[Island],
    variety: float,
) -> list[Thing]:
    """Return everything that stands up, with the s by which it is sorted."""
    things = list(line_edges(rng, canvas, street))
    bare = rng.random() < 0.25
    end = min(street.path.end, 110.0)
    half, city = street.half, street.setting == "city"

    def add(s: float, draw: object, *rest: object) -> None:
        # Each thing draws from a generator of its own: the order of drawing changes nothing.
        own = rng.spawn(1)[0]
        things.append((s, lambda: draw(own, canvas, street, s, *rest)))  # type: ignore[operator]

    parked: list[tuple[float, float]] = []

    def add_vehicle(s: float, d: float) -> None:
        free = all(abs(s - other) > 6 or abs(d - beside) > 1.9 for other, beside in parked)
        if free and not any(island.meets(s, d) for island in islands):
            parked.append((s, d))
            add(s, draw_vehicle, d)

    def add_person(s: float, d: float, cycling: bool) -> None:
        if all(abs(s - other) > 3.5 or abs(d - beside) > 1.3 for other, beside in parked):
            add(s, draw_person, d, cycling)

    if street.setting != "highway":
        for sign in (-1, 1):
            if rng.random() < 0.35:
                # Cars parked in a row.
                s = rng.uniform(5, 30)
                for _ in range(int(rng.integers(1, 9))):
                    if rng.random() < 0.75:
                        add_vehicle(s, sign * (half - 1.05 + rng.normal(0, 0.1)))
                    s += rng.uniform(6, 9)
    busy = rng.choice([0.0, 0.6, 1.5, 4.0], p=[0.25, 0.35, 0.25, 0.15])
    edges = np.cumsum([0.0, *street.lanes]) - half
    for _ in range(rng.poisson(busy)):
        lane = int(rng.integers(len(street.lanes)))
        middle = (edges[lane] + edges[lane + 1]) / 2 + rng.normal(0, 0.25)
        add_vehicle(_ahead(rng, 8, end), middle)
    if street.setting != "highway":
        for _ in range(rng.poisson(1.2 if city else 0.4)):
            add_person(_ahead(rng, 5, 45), rng.uniform(-half, half), bool(rng.random() < 0.6))
    elif rng.random() < 0.4:
        add(rng.uniform(20, 80), draw_gantry)
    for sign, side in street.sides():
        outer = half + side.depth
        trees = rng.poisson(2.0 if city else 6.0) if rng.random() < 0.75 else 0
        for _ in range(trees):
            if city:
                d = rng.uniform(half + side.curb + 0.4, outer)
            else:
                d = outer + abs(rng.normal(0, 8)) + 1
            add(_ahead(rng, 5, end), draw_tree, sign * d, bare)
        for _ in range(rng.poisson(0.5 if city else 3)):
            add(_ahead(rng, 4, end), draw_bush, sign * (outer + rng.uniform(0, 10)))
        for _ in range(rng.poisson(3 if city else 2)):
            add(_ahead(rng, 3.5, 60), draw_post, sign * (half + side.curb + rng.uniform(0.15, 1.2)))
        for _ in range(rng.poisson(1.0 * variety if city else 0.5 * variety)):
            d = rng.uniform(half + side.curb + 0.5, outer + 3)
            add(_ahead(rng, 4, 60), draw_clutter, sign * d)
        for _ in range(rng.poisson(1.6 if city else 0.4)):
            d = rng.uniform(half + side.curb + 0.3, outer + 0.3)
            add_person(_ahead(rng, 4, 50), sign * d, bool(rng.random() < 0.08))
    return [thing for thing in things if thing[0] <= street.path.end + 1]


def _ahead(rng: np.random.Generator, near: float, far: float) -> float:
    """Return a distance with as many things in each doubling of it."""
    return float(np.exp(rng.uniform(np.log(near), np.log(max(far, near + 1)))))


def _draw_bonnet(rng: np.random.Generator, canvas: Canvas) -> None:
    """Draw the car's own bonnet along the lower edge."""
    height, width = canvas.kinds.shape
    u = np.linspace(-0.1, 1.1, 30)
    middle, rise = rng.uniform(0.4, 0.6), rng.uniform(0.03, 0.16)
    v = 1 - rise * (1 - rng.uniform(0.3, 2.0) * (u - middle) ** 2)
    line = np.stack([u * width, v * height], 1)
    body = np.concatenate([line, [[1.1 * width, 1.2 * height], [-0.1 * width, 1.2 * height]]])
    canvas.pixels(body, colors.paint(rng), Kind.BONNET)
    canvas.line(line, 2.0, colors.gray(rng, 0.05, 0.9), alpha=0.5)
