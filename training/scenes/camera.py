"""The camera: from meters to pixels.

World axes: X to the right, Y up, Z forward, in meters; the camera stands at (0, elevation, 0) and
looks along Z.
Pixel coordinates: u to the right, v down, the center of the top left pixel at (0.5, 0.5).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]

# Nearer than this, in meters, nothing is drawn.
NEAR = 0.2


@dataclass(frozen=True)
class Camera:
    """A pinhole camera above the ground.

    Attributes
    ----------
    width, height
        Of the image, in pixels.
    aspect
        Width by height of the camera's own image; pixels are square only where it is
        ``width / height``.
    fov
        Horizontal field of view, in radians.
    elevation
        Above the ground, in meters.
    pitch
        Looking down where positive, in radians.
    roll
        Clockwise turn of the image where positive, in radians.
    """

    width: int
    height: int
    aspect: float
    fov: float
    elevation: float
    pitch: float = 0.0
    roll: float = 0.0

    @property
    def focal(self) -> tuple[float, float]:
        """Focal lengths along u and v, in pixels."""
        across = self.width / 2 / np.tan(self.fov / 2)
        # One unit of height in the camera's own image is `height / (width / aspect)` pixels here.
        return float(across), float(across * self.height * self.aspect / self.width)

    def to_view(self, world: Points) -> Points:
        """Return (N, 3) points as right, down and depth seen from the camera, in meters."""
        right, down, forward = world[:, 0], self.elevation - world[:, 1], world[:, 2]
        cos, sin = np.cos(self.pitch), np.sin(self.pitch)
        depth, down = forward * cos + down * sin, down * cos - forward * sin
        cos, sin = np.cos(self.roll), np.sin(self.roll)
        return np.stack([right * cos - down * sin, right * sin + down * cos, depth], 1)

    def to_pixels(self, view: Points) -> Points:
        """Return (N, 2) pixel coordinates of (N, 3) points before the camera."""
        focal_u, focal_v = self.focal
        return np.stack(
            [
                self.width / 2 + focal_u * view[:, 0] / view[:, 2],
                self.height / 2 + focal_v * view[:, 1] / view[:, 2],
            ],
            1,
        )

    def project(self, world: Points) -> Points:
        """Return the (M, 2) pixels of an (N, 3) polygon, cut off at the near plane; M may be 0."""
        return self.to_pixels(clip_near(self.to_view(world)))

    def pixels_per_meter(self, depth: float) -> float:
        """Return how many pixels high one meter is at a depth in meters."""
        return self.focal[1] / max(depth, NEAR)

    def ground(self, v_rows: NDArray[np.int64]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return the slopes of the rays through the pixels of some rows.

        Both results are (rows, width) float32: meters to the right, and meters down, for each
        meter forward.
        """
        focal_u, focal_v = self.focal
        right = ((np.arange(self.width) + 0.5 - self.width / 2) / focal_u)[None, :]
        down = ((v_rows + 0.5 - self.height / 2) / focal_v)[:, None]
        cos, sin = np.cos(self.roll), np.sin(self.roll)
        right, down = right * cos + down * sin, down * cos - right * sin
        cos, sin = np.cos(self.pitch), np.sin(self.pitch)
        forward = np.maximum(cos - down * sin, 1e-3)
        return (
            (right / forward).astype(np.float32),
            ((down * cos + sin) / forward).astype(np.float32),
        )


def clip_near(view: Points) -> Points:
    """Return the part of an (N, 3) polygon beyond the near plane (Sutherland and Hodgman, 1974)."""
    inside = view[:, 2] >= NEAR
    if inside.all():
        return view
    if not inside.any():
        return view[:0]
    following = np.roll(view, -1, 0)
    crossing = inside != np.roll(inside, -1)
    step = np.where(crossing, following[:, 2] - view[:, 2], 1.0)
    at = view + ((NEAR - view[:, 2]) / step)[:, None] * (following - view)
    both = np.stack([view, at], 1).reshape(-1, 3)
    kept: Points = both[np.stack([inside, crossing], 1).reshape(-1)]
    return kept
