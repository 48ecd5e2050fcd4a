"""An `Explorer` on a page."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
from PIL import Image

import wasinn_nb as wn
from browser.pages import PATIENCE, Notebook, expect
from browser.viewers import Fit, Viewer, near

SHIPPED = "road-segmentation-synth-0001"


class ExplorerPage:
    """The explorer number *index* of a notebook; the kernel calls it *name*."""

    def __init__(self, notebook: Notebook, index: int = 0, name: str = "explorer") -> None:
        self.notebook, self.name = notebook, name
        self.root = notebook.page.locator(".wnb-explorer").nth(index)
        self.status = self.root.locator(".wnb-status")
        self.error = self.root.locator(".wnb-error")

    @property
    def viewer(self) -> Viewer:
        """The viewer, for the image that is shown now."""
        width, height = self.ask("(lambda r: r.photo.shape[1::-1])(it.wait())")
        return Viewer(self.root, (width, height))

    def ask(self, expression: str):
        """Return what *expression* is in the kernel; ``it`` is the explorer."""
        return self.notebook.kernel.ask(f"(lambda it: {expression})({self.name})")

    def row(self, run: str = "A"):
        """Return the row of the bar that belongs to a run."""
        return self.root.get_by_role("group", name=f"Run {run}", exact=True)

    def button(self, choice: str, run: str = "A"):
        """Return a button of the bar: ``Image``, ``Model``, ``Target`` or ``Precision``."""
        return self.row(run).get_by_role("button", name=re.compile(f"^{choice} "))

    def open(self, choice: str, run: str = "A"):
        """Open a choice of the bar, and return its panel."""
        button = self.button(choice, run)
        if button.get_attribute("aria-expanded") != "true":
            button.click()
        panel = self.row(run).get_by_role("dialog", name=choice, exact=True)
        expect(panel).to_be_visible()
        return panel

    def close(self) -> None:
        """Close the panel that is open, as a key does."""
        self.notebook.page.keyboard.press("Escape")
        expect(self.root.get_by_role("dialog")).to_have_count(0)

    def more(self):
        """Open the drawer with what is needed now and then, and return it."""
        button = self.root.get_by_role("button", name="More", exact=True)
        if button.get_attribute("aria-expanded") != "true":
            button.click()
        return self.root.locator(".wnb-drawer")

    @property
    def strip(self):
        """The images below the one that is shown."""
        return self.root.get_by_role("radiogroup", name="Images", exact=True)

    def pick(self, choice: str, option: str, run: str = "A") -> None:
        """Click an option of a panel, and wait until the kernel has it."""
        panel = self.open(choice, run)
        radio = panel.get_by_role("radio", name=option, exact=True)
        radio.locator("xpath=..").click()
        expect(self.root.get_by_role("dialog")).to_have_count(0)
        attribute = {
            "Model": "runs[{}].models.value",
            "Image": "images.value",
            "Target": "runs[{}].targets.value",
            "Precision": "runs[{}].targets.precision",
        }[choice].format("AB".index(run))
        self.notebook.until(
            lambda: self.ask(f"it.{attribute}") == option, f"the kernel knows of {option}"
        )

    def upload(self, name: str, content: bytes | Path) -> None:
        """Choose a file to upload, as the dialogue of the button does."""
        given = {"name": name, "mimeType": "image/png", "buffer": content}
        chooser = self.root.locator("input[type=file]")
        chooser.set_input_files(content if isinstance(content, Path) else given)

    def wait_image(self, value: str) -> Viewer:
        """Wait until that image is picked and on screen."""
        self.notebook.until(lambda: self.ask("it.images.value") == value, f"{value} is picked")
        return self.wait_until_painted()

    def wait_until_painted(self) -> Viewer:
        """Wait until the present result is on screen."""
        expect(self.error).to_be_hidden(timeout=PATIENCE)
        viewer = self.viewer
        viewer.wait_painted(self.ask("it.viewer.serial"))
        return viewer

    def check_painted(self, least: int = 2) -> set[int]:
        """Check the painted image as `check_overlay` does; return the classes looked at."""
        viewer = self.wait_until_painted()
        self.notebook.kernel.run(
            "import dataclasses, numpy\n"
            f"r = {self.name}.result\n"
            "shape = r.photo.shape[:2]\n"
            "nearest = dataclasses.replace(r, scores=None).labels_at(*shape)\n"
            "numpy.savez('painted.npz', r.overlay(), r.labels_at(*shape), nearest)\n"
        )
        with np.load(self.notebook.server.root / "painted.npz") as kept:
            seen = check_overlay(viewer, *kept.values())
        assert len(seen) >= least, seen
        return seen


def flat_image(mode="RGB", size=(160, 120), kind="PNG") -> bytes:
    """Return an image of three upright stripes: blue, green, red."""
    pixels = np.zeros((size[1], size[0], 3), np.uint8)
    third = size[0] // 3
    pixels[:, :third], pixels[:, third : 2 * third] = (30, 40, 200), (20, 190, 50)
    pixels[:, 2 * third :] = 210, 60, 30
    out = io.BytesIO()
    image = Image.fromarray(pixels)
    image = image.quantize(8) if mode == "P" else image.convert(mode)
    image.save(out, kind)
    return out.getvalue()


def check_result(viewer: Viewer, result: wn.SegmentationResult) -> set[int]:
    """Check the painted image against a result of this process, as `check_overlay` does."""
    height, width = result.photo.shape[:2]
    nearest = replace(result, scores=None).labels_at(height, width)
    overlay = np.asarray(result.overlay())
    return check_overlay(viewer, overlay, result.labels_at(height, width), nearest)


def check_overlay(viewer: Viewer, overlay: np.ndarray, *masks: np.ndarray) -> set[int]:
    """Check the painted image at five places of each class; return the classes.

    Parameters
    ----------
    viewer
        What is on the page.
    overlay
        What `SegmentationResult.overlay` makes.
    masks
        The labels at its size, from resized scores and by nearest.  Where they differ is an edge:
        the page takes the nearest.
    """
    labels = masks[0]
    pixels = viewer.pixels()
    fit = Fit(*viewer.size, pixels.shape[1], pixels.shape[0])
    # A pixel of a shrunk image is made of as many more of the image's.
    reach = max(4, round(2.5 / fit.scale))
    spread = _spread(overlay, reach).max(2)
    even = spread <= 4
    for mask in masks:
        even &= (_spread(mask, reach) == 0) & (mask == labels)
    even[:, :8] = even[:, -8:] = even[:8] = even[-8:] = False
    seen = set()
    for label in np.unique(labels):
        places = np.argwhere(even & (labels == label))
        if len(places) == 0:
            continue
        # The evenest ones: two decoders of JPEG differ most where colors change.
        order = np.argsort(spread[even & (labels == label)], kind="stable")
        places = places[np.sort(order[: max(5, len(order) // 10)])]
        chosen = places[np.linspace(0, len(places) - 1, 5).astype(int)]
        painted = viewer.colors([(x, y) for y, x in chosen])
        for (y, x), color in zip(chosen, painted, strict=True):
            assert near(color, overlay[y, x]), (label, x, y, color, overlay[y, x])
        seen.add(int(label))
    return seen


def _spread(image: np.ndarray, reach: int) -> np.ndarray:
    """Return by how much the pixels within *reach* of each differ."""
    high = low = image
    for axis in (0, 1):
        shifts = range(-reach, reach + 1)
        high = np.maximum.reduce([np.roll(high, shift, axis) for shift in shifts])
        low = np.minimum.reduce([np.roll(low, shift, axis) for shift in shifts])
    return high - low
