"""A fixed bank of tileable textures: noise made anew would cost more than drawing the scene."""

from __future__ import annotations

from functools import cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

# Pixels along one side of a tile; a power of two, so that wrapping around is a bit mask.
SIDE = 256

# The spectrum of natural images falls with about 1/f in amplitude (Field 1987,
# doi:10.1364/JOSAA.4.002379): exponents around 1 look natural, smaller ones grainy, larger ones
# cloudy.
EXPONENTS = (0.0, 0.5, 0.8, 1.0, 1.2, 1.5, 2.0)


@cache
def tiles() -> NDArray[np.float32]:
    """Return the bank, (N, SIDE, SIDE) float32, each of mean 0 and deviation 1, within -3..3."""
    rng = np.random.default_rng(20250101)
    bank = [fractal(rng, exponent) for exponent in EXPONENTS for _ in range(2)]
    bank += [_cells(rng, size) for size in (8, 16, 32)]
    bank += [_bricks(rng, *size) for size in ((8, 32), (16, 32), (32, 32))]
    return np.stack([_standard(tile) for tile in bank])


def fractal(rng: np.random.Generator, exponent: float, side: int = SIDE) -> NDArray[np.float64]:
    """Return (side, side) noise that wraps around, of amplitude 1 / frequency ** exponent."""
    down = np.fft.fftfreq(side)[:, None]
    across = np.fft.rfftfreq(side)[None, :]
    frequency = np.hypot(down, across)
    frequency[0, 0] = 1.0
    spectrum = np.fft.rfft2(rng.normal(size=(side, side))) / frequency**exponent
    spectrum[0, 0] = 0
    return np.fft.irfft2(spectrum, (side, side))


def sample(
    tile: NDArray[np.float32], u: NDArray[np.float32], v: NDArray[np.float32]
) -> NDArray[np.float32]:
    """Return the tile's values at positions in tile pixels, wrapped around; nearest, for speed."""
    mask = SIDE - 1
    values: NDArray[np.float32] = tile[v.astype(np.int32) & mask, u.astype(np.int32) & mask]
    return values


def field(
    rng: np.random.Generator,
    height: int,
    width: int,
    scale: float,
    *,
    natural: bool = True,
    cloudy: bool = False,
) -> NDArray[np.float32]:
    """Return a smooth (height, width) piece of a tile, magnified `scale` times.

    Of any tile unless `natural`, else of the fractal ones, and if `cloudy` of the softest of these.
    """
    bank = tiles()
    fractals = 2 * len(EXPONENTS)
    tile = bank[rng.integers(fractals - 6 if cloudy else 0, fractals if natural else len(bank))]
    rows, columns = int(height / scale) + 2, int(width / scale) + 2
    top, left = rng.integers(SIDE, size=2)
    piece = np.take(
        np.take(tile, np.arange(top, top + rows), 0, mode="wrap"),
        np.arange(left, left + columns),
        1,
        mode="wrap",
    )
    if rng.random() < 0.5:
        piece = piece[:, ::-1]
    image = Image.fromarray(np.ascontiguousarray(piece))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR))


def _standard(tile: NDArray[np.float64]) -> NDArray[np.float32]:
    tile = (tile - tile.mean()) / tile.std()
    return np.clip(tile, -3, 3).astype(np.float32)


def _cells(rng: np.random.Generator, size: int) -> NDArray[np.float64]:
    """Gravel, cobbles, leaves: the distance to the nearest of jittered points."""
    grid = np.arange(0, SIDE, size)
    corners = np.stack(np.meshgrid(grid, grid), -1).reshape(-1, 2)
    points = corners + rng.uniform(0, size, corners.shape)
    rows, columns = np.mgrid[:SIDE, :SIDE]
    best = np.full((SIDE, SIDE), np.inf)
    for x, y in points:
        across = np.abs(columns - x)
        down = np.abs(rows - y)
        np.minimum(
            best,
            np.hypot(np.minimum(across, SIDE - across), np.minimum(down, SIDE - down)),
            out=best,
        )
    return best


def _bricks(rng: np.random.Generator, height: int, width: int) -> NDArray[np.float64]:
    """Courses of bricks or slabs, each of its own brightness, with dark joints."""
    rows, columns = np.mgrid[:SIDE, :SIDE]
    course = rows // height
    shifted = (columns + (course % 2) * (width // 2)) % SIDE
    values = rng.normal(size=(SIDE // height, SIDE // width))
    wall = values[course, shifted // width]
    joint = (rows % height < 1) | (shifted % width < 1)
    return np.where(joint, -2.5, wall)
