"""Two images drawn at once from the same geometry: smooth colors, and exact kinds."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import skia
from numpy.typing import NDArray

from training.scenes.camera import NEAR, Camera, Points
from training.scenes.colors import Color
from training.scenes.kinds import Kind


class Canvas:
    """A color image with smooth edges and an image of kinds with hard edges.

    Attributes
    ----------
    rgba
        (H, W, 4) uint8, drawn with anti-aliasing.
    kinds
        (H, W) uint8, each a `Kind`, drawn without: a pixel has the kind found at its center.
    """

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self.rgba: NDArray[np.uint8] = np.zeros((camera.height, camera.width, 4), np.uint8)
        self.rgba[..., 3] = 255
        self.kinds: NDArray[np.uint8] = np.zeros((camera.height, camera.width), np.uint8)
        # The surfaces write into the arrays; they must live as long as their canvases.
        self._surfaces = (
            skia.Surface(self.rgba),
            skia.Surface(
                self.kinds,
                colorType=skia.ColorType.kAlpha_8_ColorType,
                alphaType=skia.AlphaType.kPremul_AlphaType,
            ),
        )
        self._color, self._kind = (surface.getCanvas() for surface in self._surfaces)

    def world(
        self, points: Points, color: Color | None, kind: Kind | None = None, alpha: float = 1.0
    ) -> None:
        """Fill a polygon given in meters, (N, 3), in the images for which there is a value."""
        self.pixels(self.camera.project(points), color, kind, alpha)

    def pixels(
        self, points: Points, color: Color | None, kind: Kind | None = None, alpha: float = 1.0
    ) -> None:
        """Fill a polygon given in pixels, (N, 2)."""
        if len(points) < 3:
            return
        low, high = points.min(0), points.max(0)
        if high[0] < 0 or high[1] < 0 or low[0] > self.camera.width or low[1] > self.camera.height:
            return
        path = skia.Path()
        path.addPoly([skia.Point(u, v) for u, v in points.tolist()], close=True)
        if color is not None:
            self._color.drawPath(path, _smooth(color, alpha))
        if kind is not None:
            self._kind.drawPath(path, _exact(kind))

    def quads(
        self,
        corners: NDArray[np.float64],
        color: Color | None,
        kind: Kind | None = None,
        alpha: float = 1.0,
    ) -> None:
        """Fill many quadrilaterals, (N, 4, 3) meters, in one go; those too near are left out."""
        if not len(corners):
            return
        view = self.camera.to_view(corners.reshape(-1, 3))
        pixels = self.camera.to_pixels(np.maximum(view, [-np.inf, -np.inf, NEAR])).reshape(-1, 4, 2)
        path = skia.Path()
        for index in np.nonzero((view[:, 2].reshape(-1, 4) > NEAR).all(1))[0].tolist():
            path.addPoly([skia.Point(u, v) for u, v in pixels[index].tolist()], close=True)
        if color is not None:
            self._color.drawPath(path, _smooth(color, alpha))
        if kind is not None:
            self._kind.drawPath(path, _exact(kind))

    def hull(self, points: Points, color: Color, kind: Kind) -> None:
        """Fill the outline of a convex body given by some of its points in meters, (N, 3)."""
        view = self.camera.to_view(points)
        if (view[:, 2] > NEAR).all():
            self.pixels(convex_hull(self.camera.to_pixels(view)), color, kind)

    def line(
        self,
        points: Points,
        width: float,
        color: Color | None,
        kind: Kind | None = None,
        alpha: float = 1.0,
    ) -> None:
        """Draw a line through (N, 2) pixel points, `width` pixels wide, with round ends."""
        if len(points) < 2:
            return
        path = skia.Path()
        path.addPoly([skia.Point(u, v) for u, v in points.tolist()], close=False)
        if color is not None:
            self._color.drawPath(path, _stroked(_smooth(color, alpha), width))
        if kind is not None:
            self._kind.drawPath(path, _stroked(_exact(kind), width))

    def ellipses(
        self,
        centers: Points,
        radii: Points,
        colors: Sequence[Color],
        kind: Kind | None = None,
        alpha: float = 1.0,
    ) -> None:
        """Fill upright ellipses: (N, 2) centers and half axes in pixels, one color each."""
        for (u, v), (across, down), color in zip(
            centers.tolist(), radii.tolist(), colors, strict=True
        ):
            box = skia.Rect.MakeLTRB(u - across, v - down, u + across, v + down)
            self._color.drawOval(box, _smooth(color, alpha))
            if kind is not None:
                self._kind.drawOval(box, _exact(kind))


class Stencil:
    """One smooth image of how much of each pixel is covered, for shadows."""

    def __init__(self, camera: Camera) -> None:
        self.camera = camera
        self.alpha: NDArray[np.uint8] = np.zeros((camera.height, camera.width), np.uint8)
        self._surface = skia.Surface(
            self.alpha,
            colorType=skia.ColorType.kAlpha_8_ColorType,
            alphaType=skia.AlphaType.kPremul_AlphaType,
        )
        self._canvas = self._surface.getCanvas()

    def world(self, points: Points, alpha: float = 1.0) -> None:
        """Cover a polygon given in meters, (N, 3)."""
        pixels = self.camera.project(points)
        if len(pixels) < 3:
            return
        path = skia.Path()
        path.addPoly([skia.Point(u, v) for u, v in pixels.tolist()], close=True)
        self._canvas.drawPath(
            path, skia.Paint(Color=skia.Color(0, 0, 0, int(255 * alpha)), AntiAlias=True)
        )


def convex_hull(points: Points) -> Points:
    """Return the corners of the convex hull of (N, 2) points, in order (Andrew 1979)."""
    ordered = sorted(map(tuple, points.tolist()))
    chains = []
    for sequence in (ordered, ordered[::-1]):
        chain: list[tuple[float, ...]] = []
        for x, y in sequence:
            while len(chain) > 1 and (chain[-1][0] - chain[-2][0]) * (y - chain[-2][1]) <= (
                chain[-1][1] - chain[-2][1]
            ) * (x - chain[-2][0]):
                chain.pop()
            chain.append((x, y))
        chains += chain[:-1]
    return np.array(chains)


def _smooth(color: Color, alpha: float) -> skia.Paint:
    red, green, blue = (int(255 * c + 0.5) for c in color)
    return skia.Paint(
        Color=skia.Color(red, green, blue, int(255 * min(max(alpha, 0.0), 1.0) + 0.5)),
        AntiAlias=True,
    )


def _exact(kind: Kind) -> skia.Paint:
    return skia.Paint(
        Color=skia.Color(0, 0, 0, int(kind)), AntiAlias=False, BlendMode=skia.BlendMode.kSrc
    )


def _stroked(paint: skia.Paint, width: float) -> skia.Paint:
    paint.setStyle(skia.Paint.kStroke_Style)
    paint.setStrokeWidth(width)
    paint.setStrokeCap(skia.Paint.kRound_Cap)
    paint.setStrokeJoin(skia.Paint.kRound_Join)
    return paint
