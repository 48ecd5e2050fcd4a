"""A `MaskViewer` on a page: its controls, and the pixels of its image."""

from __future__ import annotations

import base64
import io
from dataclasses import dataclass

import numpy as np
from PIL import Image

from browser.pages import PATIENCE, expect

TOLERANCE = 3  # per channel: images travel as JPEG


@dataclass(frozen=True)
class Fit:
    """Where an image lies in a canvas: as large as it fits, in the middle."""

    width: int
    height: int
    canvas_width: int
    canvas_height: int

    @property
    def scale(self) -> float:
        return min(self.canvas_width / self.width, self.canvas_height / self.height)

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the spot of the canvas where the middle of the image's pixel (x, y) lies."""
        left = (self.canvas_width - self.width * self.scale) / 2
        top = (self.canvas_height - self.height * self.scale) / 2
        return left + (x + 0.5) * self.scale, top + (y + 0.5) * self.scale


class Viewer:
    """The first viewer within *where*, of an image of *size* (width, height)."""

    def __init__(self, where, size: tuple[int, int]) -> None:
        self.root, self.size = where.locator(".wnb-viewer").first, size
        self.page = self.root.page
        self.canvas = self.root.locator("canvas.wnb-canvas")
        self.probe = self.root.locator(".wnb-probe")
        self.opacity = self.root.get_by_role("slider", name="Opacity")
        self.threshold = self.root.get_by_role("slider", name="Confidence threshold")
        self.class_threshold = self.root.get_by_role("slider", name="Class threshold")
        self.swipe = self.root.get_by_role("slider", name="Swipe")
        self.outline = self.root.get_by_role("checkbox", name="Outline")

    def mode(self, name: str) -> None:
        """Choose one of the views, with a click where a person clicks."""
        view = self.root.get_by_role("radiogroup", name="View")
        view.get_by_role("radio", name=name, exact=True).click()
        expect(view.get_by_role("radio", name=name, exact=True)).to_be_checked()

    def button(self, name: str):
        return self.root.get_by_role("button", name=name, exact=True)

    def named(self, name: str):
        """Return the button of the legend that begins with *name*."""
        return self.root.locator(f'.wnb-class[aria-label^="{name}"]')

    def wait_painted(self, least: int = 1) -> int:
        """Wait until mask number *least* or a later one is on screen; return its number."""
        self.root.wait_for(timeout=PATIENCE)
        self.root.scroll_into_view_if_needed()
        self.page.wait_for_function(
            "([root, least]) => Number(root.dataset.painted ?? 0) >= least",
            arg=[self.root.element_handle(), least],
            timeout=PATIENCE,
        )
        return int(self.root.get_attribute("data-painted"))

    def pixels(self) -> np.ndarray:
        """Return the canvas as an (h, w, 4) array, after what was asked for is drawn."""
        png = self.canvas.evaluate(
            """async (canvas) => {
                for (let n = 0; n < 2; n++) await new Promise(requestAnimationFrame);
                return canvas.toDataURL("image/png").split(",")[1];
            }"""
        )
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(png))).convert("RGBA"))

    def color(self, x: float, y: float) -> list[int]:
        """Return the color that is painted at a pixel of the image (red, green, blue)."""
        return self.colors([(x, y)])[0]

    def colors(self, spots) -> list[list[int]]:
        pixels = self.pixels()
        fit = Fit(*self.size, pixels.shape[1], pixels.shape[0])
        places = [fit.at(x, y) for x, y in spots]
        return [pixels[int(row), int(column), :3].tolist() for column, row in places]

    def point(self, x: float, y: float) -> tuple[float, float]:
        """Return where on the page a pixel of the image lies, for the mouse."""
        self.canvas.scroll_into_view_if_needed()
        box = self.canvas.bounding_box()
        assert box is not None
        column, row = Fit(*self.size, box["width"], box["height"]).at(x, y)
        return box["x"] + column, box["y"] + row

    def hover(self, x: float, y: float) -> str:
        """Move the mouse to a pixel of the image and return what the probe says."""
        self.page.mouse.move(*self.point(x, y))
        return self.probe.inner_text()


def near(seen, expected, tolerance: int = TOLERANCE) -> bool:
    """Return whether two colors are the same but for *tolerance* per channel."""
    return all(abs(int(a) - int(b)) <= tolerance for a, b in zip(seen, expected, strict=True))


def mixed(image, color, opacity: float) -> list[int]:
    """Return an image's color under a class's color."""
    return [round(p * (1 - opacity) + c * opacity) for p, c in zip(image, color, strict=True)]
