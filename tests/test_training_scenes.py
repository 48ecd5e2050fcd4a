"""The scene renderer: exact geometry, exact masks, the same scene for the same seed."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip(
    "skia", reason="drawing scenes needs skia-python: pip install 'wasinn-nb[train]'"
)

from PIL import Image

from training.arguments import part, whole
from training.scenes import CLASSES, PALETTE, Kind, draw_scene, render_pool, scene
from training.scenes.__main__ import save_mask
from training.scenes.camera import NEAR, Camera, clip_near
from training.scenes.canvas import Canvas, convex_hull
from training.scenes.colors import brightness
from training.scenes.ground import Island, draw_ground, draw_island
from training.scenes.materials import CURB_CONTRAST, EDGE_CONTRAST, LIGHTER, pick_materials
from training.scenes.noise import SIDE, sample, tiles
from training.scenes.street import Path as StreetPath
from training.scenes.street import lay_path


def level_camera(**changes: float) -> Camera:
    """A 200 by 100 camera, 90 degrees wide, 1.5 m above the ground: focal length 100 pixels."""
    values = {"aspect": 2.0, "fov": np.pi / 2, "elevation": 1.5, **changes}
    return Camera(200, 100, **values)


def straight(length: float = 100.0) -> StreetPath:
    s = np.arange(0.0, length + 1.0)
    flat = np.zeros_like(s)
    return StreetPath(s, flat, flat, s, flat, visible=length)


@pytest.mark.parametrize(
    ("point", "pixel"),
    [
        # Straight ahead at eye level: the middle.
        ((0.0, 1.5, 10.0), (100.0, 50.0)),
        # On the ground 10 m away: 100 * 1.5 / 10 pixels below the horizon.
        ((0.0, 0.0, 10.0), (100.0, 65.0)),
        # 2 m to the right.
        ((2.0, 0.0, 10.0), (120.0, 65.0)),
        # The horizon is where the ground is infinitely far away.
        ((0.0, 0.0, 1e9), (100.0, 50.0)),
    ],
)
def test_a_level_camera_projects_by_similar_triangles(
    point: tuple[float, ...], pixel: tuple[float, ...]
) -> None:
    camera = level_camera()
    found = camera.to_pixels(camera.to_view(np.array([point])))
    assert found[0] == pytest.approx(pixel, abs=1e-6)


def test_pitch_moves_the_horizon_up_and_roll_tilts_it() -> None:
    far = np.array([[0.0, 0.0, 1e9], [1e9, 0.0, 1e9]])
    down = level_camera(pitch=np.arctan(0.2))
    assert down.to_pixels(down.to_view(far))[0] == pytest.approx((100.0, 30.0), abs=1e-5)
    rolled = level_camera(roll=np.arctan(0.1))
    (u0, v0), (u1, v1) = rolled.to_pixels(rolled.to_view(far))
    assert (v1 - v0) / (u1 - u0) == pytest.approx(0.1, abs=1e-6)


def test_a_squeezed_image_has_oblong_pixels() -> None:
    # A 4:3 camera in a 2:1 image: one meter is 1.5 times as wide as it is high.
    focal_u, focal_v = level_camera(aspect=4 / 3).focal
    assert focal_u / focal_v == pytest.approx(1.5)


@pytest.mark.parametrize(("pitch", "roll"), [(0.0, 0.0), (0.15, 0.0), (-0.1, 0.08)])
def test_rays_through_pixels_meet_the_points_that_project_there(pitch: float, roll: float) -> None:
    camera = level_camera(pitch=pitch, roll=roll)
    right, down = camera.ground(np.arange(100))
    v, u = 90, 130
    forward = camera.elevation / down[v, u]
    point = np.array([[right[v, u] * forward, 0.0, forward]])
    pixel = camera.to_pixels(camera.to_view(point))[0]
    assert pixel == pytest.approx((u + 0.5, v + 0.5), abs=1e-3)


def test_polygons_are_cut_at_the_near_plane() -> None:
    square = np.array([[-1.0, 1, -1], [1, 1, -1], [1, 1, 3], [-1, 1, 3]])
    cut = clip_near(square)
    assert len(cut) == 4
    assert cut[:, 2].min() == pytest.approx(NEAR)
    assert clip_near(square - [0, 0, 10]).shape == (0, 3)
    beyond = square + np.array([0, 0, 10])
    assert np.array_equal(clip_near(beyond), beyond)


def test_convex_hull_drops_inner_points() -> None:
    points = np.array([[0, 0], [4, 0], [4, 4], [0, 4], [2, 2], [1, 3]], float)
    hull = convex_hull(points)
    assert sorted(map(tuple, hull.tolist())) == [(0, 0), (0, 4), (4, 0), (4, 4)]


def test_kinds_are_exact_where_colors_are_smooth() -> None:
    canvas = Canvas(level_camera())
    triangle = np.array([[10.0, 10.0], [90.0, 37.0], [30.0, 80.0]])
    canvas.pixels(triangle, np.ones(3), Kind.ROAD)
    assert set(np.unique(canvas.kinds)) == {0, Kind.ROAD}
    assert len(np.unique(canvas.rgba[..., 0])) > 10
    # A pixel is road where its center is inside: where more than half of it is covered, or nearly.
    assert np.array_equal(canvas.kinds[45, 20:60] > 0, canvas.rgba[45, 20:60, 0] > 127)


def test_street_positions_are_metres_along_and_across() -> None:
    path = straight()
    assert path.world(np.array([10.0]), np.array([-2.0]), 0.1).tolist() == [[-2.0, 0.1, 10.0]]
    strip = path.strip(3.5, 6.0, 1.0, 2.0, (0.0, 0.2))
    assert strip[:, 2].tolist() == [3.5, 4, 5, 6, 6, 5, 4, 3.5]
    assert strip[:, 0].tolist() == [1] * 4 + [2] * 4
    assert strip[:, 1].tolist() == [0] * 4 + [0.2] * 4
    assert len(path.strip(120.0, 130.0, 0.0, 1.0)) == 0


def test_nothing_is_drawn_behind_a_crest() -> None:
    camera = Camera(896, 512, 1.75, 1.0, 1.4)
    for seed in range(60):
        path = lay_path(np.random.default_rng(seed), camera, 0.0, "country")
        s = path.along(2.0, path.end)
        pixels = camera.to_pixels(camera.to_view(path.world(s, np.zeros_like(s))))
        # Farther ground is higher up in the image, up to where the ground ends.
        assert (np.diff(pixels[:, 1]) < 0.5).all()


@pytest.mark.full
def test_paint_is_lighter_than_the_road_and_every_curb_can_be_seen() -> None:
    tops, faces, lightest = [], [], 0.0
    for seed in range(400):
        look = pick_materials(np.random.default_rng(seed), 0.06)
        lightest = max(lightest, brightness(look.road) / brightness(look.mark))
        # A curb beside a nearly black pavement can only be lighter, and has few levels for it.
        if brightness(look.pavement) > 0.05:
            tops.append(abs(np.log(brightness(look.curb) / brightness(look.pavement))))
            faces.append(abs(np.log(brightness(look.face) / brightness(look.curb))))
    assert lightest == pytest.approx(1 / LIGHTER)
    # A quarter of the curbs are of the pavement's stone; all of these have a face of another tone.
    same = np.array(tops) < 0.98 * np.log(CURB_CONTRAST)
    assert 0.2 < same.mean() < 0.3
    assert np.array(faces)[same].min() > 0.98 * np.log(1.25)


@pytest.mark.full
def test_what_meets_the_road_without_a_curb_has_a_tone_of_its_own() -> None:
    distinct, close = [], 0
    for seed in range(400):
        look = pick_materials(np.random.default_rng(seed), 0.06, {Kind.PAVEMENT})
        # Nearly black surfaces have few levels to differ by.
        if brightness(look.road) > 0.05 and brightness(look.pavement) > 0.05:
            distinct.append(abs(np.log(brightness(look.pavement) / brightness(look.road))))
        other = pick_materials(np.random.default_rng(seed), 0.06, {Kind.GRASS})
        close += bool(abs(np.log(brightness(other.pavement) / brightness(other.road))) < 0.1)
    assert min(distinct) > 0.98 * np.log(EDGE_CONTRAST)
    assert close > 80  # behind a curb a pavement may be like the road


def test_an_island_hides_the_paint_below_it() -> None:
    canvas = Canvas(level_camera())
    path, look = straight(), pick_materials(np.random.default_rng(0), 0.0)
    canvas.world(path.strip(1.0, 60.0, -0.1, 0.1), look.mark, Kind.MARK)

    def square(half: float, up: float) -> np.ndarray:
        return path.strip(8.0 - half, 8.0 + half, -half, half, (up, up))

    outlines = square(2.0, 0.0), square(2.0, 0.1), square(1.6, 0.1)
    island = Island((6.0, 10.0), (-2.0, 2.0), *outlines, Kind.GRASS, look.grass)
    draw_island(canvas, look, island)
    # Straight down the middle: the line, the near curb, the grass, the far curb, the line again.
    down = canvas.kinds[::-1, 100]
    seen = down[np.flatnonzero(np.diff(down, prepend=-1))]
    assert seen.tolist() == [Kind.MARK, Kind.CURB, Kind.GRASS, Kind.CURB, Kind.MARK, Kind.SKY]


@pytest.mark.slow
def test_vehicles_keep_off_islands(monkeypatch: pytest.MonkeyPatch) -> None:
    islands: list[Island] = []
    vehicles: list[tuple[float, float]] = []

    def ground(*args: object) -> list[Island]:
        islands[:] = draw_ground(*args)  # type: ignore[arg-type]
        return islands

    def vehicle(rng: object, canvas: object, street: object, s: float, d: float) -> None:
        vehicles.append((s, d))

    monkeypatch.setattr(scene, "draw_ground", ground)
    monkeypatch.setattr(scene, "draw_vehicle", vehicle)
    among = 0
    for seed in range(60):
        vehicles.clear()
        draw_scene(seed, 224, 128)
        among += len(vehicles) if islands else 0
        for island in islands:
            # A car is some 4 m long and 1.8 m wide, and none of it stands on a curb.
            assert not any(
                island.s[0] - 2 < s < island.s[1] + 2 and island.d[0] - 0.9 < d < island.d[1] + 0.9
                for s, d in vehicles
            )
    assert among > 20


@pytest.mark.full
def test_tiles_are_standardised_and_wrap_around() -> None:
    bank = tiles()
    assert bank.shape[1:] == (SIDE, SIDE)
    assert np.abs(bank.mean((1, 2))).max() < 0.1
    at = np.array([3.0, 3.0 + SIDE, 3.0 - SIDE], np.float32)
    assert len(set(sample(bank[0], at, at).tolist())) == 1


@pytest.mark.full
def test_a_seed_gives_one_scene_whoever_draws_it(tmp_path: Path) -> None:
    images, labels = render_pool(tmp_path, 40, 3, width=224, height=128, workers=2)
    for index in range(3):
        scene = draw_scene(40 + index, 224, 128)
        assert np.array_equal(images[index], scene.image)
        assert np.array_equal(labels[index], scene.labels)
    assert not np.array_equal(images[0], images[1])


@pytest.mark.full
def test_a_pool_is_drawn_once_and_again_when_asked_for_another(tmp_path: Path) -> None:
    render_pool(tmp_path, 40, 1, width=224, height=128, workers=1)
    written = (tmp_path / "images.npy").stat().st_mtime_ns
    render_pool(tmp_path, 40, 1, width=224, height=128, workers=1)
    assert (tmp_path / "images.npy").stat().st_mtime_ns == written
    images, _ = render_pool(tmp_path, 41, 2, width=224, height=128, workers=1)
    assert len(images) == 2


@pytest.mark.full
def test_scenes_have_the_size_and_the_classes_that_were_asked_for() -> None:
    share = np.zeros(len(CLASSES))
    for seed in range(24):
        scene = draw_scene(seed, 448, 256)
        assert scene.image.shape == (256, 448, 3)
        assert scene.image.dtype == scene.labels.dtype == np.uint8
        assert scene.labels.max() < len(CLASSES)
        share += np.bincount(scene.labels.ravel(), minlength=len(CLASSES)) / scene.labels.size / 24
    # Every class is there to be learnt, and road is neither rare nor everything.
    assert share[0] > 0.4
    assert 0.15 < share[1] < 0.5
    assert share[2] > 0.004
    assert share[3] > 0.008


@pytest.mark.full
def test_masks_are_index_pngs_with_the_palette(tmp_path: Path) -> None:
    scene = draw_scene(5, 224, 128)
    save_mask(tmp_path / "mask.png", scene)
    with Image.open(tmp_path / "mask.png") as mask:
        assert mask.mode == "P"
        assert np.array_equal(np.asarray(mask), scene.labels)
        palette = mask.getpalette() or []
    assert [tuple(palette[3 * i : 3 * i + 3]) for i in range(4)] == list(PALETTE)


@pytest.mark.parametrize(
    ("read", "text", "message"),
    [
        (whole(1), "0", "expected a whole number of at least 1, got '0'"),
        (whole(0), "-3", "expected a whole number of at least 0, got '-3'"),
        (whole(0), "1.5", "expected a whole number of at least 0, got '1.5'"),
        (part, "1.01", "expected a number from 0 to 1, got '1.01'"),
        (part, "nan", "expected a number from 0 to 1, got 'nan'"),
        (part, "x", "expected a number from 0 to 1, got 'x'"),
    ],
)
def test_commands_refuse_numbers_before_they_work(
    read: Callable[[str], float], text: str, message: str
) -> None:
    with pytest.raises(argparse.ArgumentTypeError) as error:
        read(text)
    assert str(error.value) == message


def test_commands_take_numbers_up_to_their_limits() -> None:
    assert (whole(0)("0"), whole(1)("4800")) == (0, 4800)
    assert (part("0"), part("5e-3"), part("1")) == (0.0, 0.005, 1.0)
