"""An `Explorer` on a page."""

from __future__ import annotations

import numpy as np
from PIL import Image, ImageFilter

import wasinn_nb as wn
from browser.pages import PATIENCE, Notebook, expect
from browser.viewers import Viewer, near


class ExplorerPage:
    """The explorer number *index* of a notebook; the kernel calls it *name*."""

    def __init__(self, notebook: Notebook, index: int = 0, name: str = "explorer") -> None:
        self.notebook, self.name = notebook, name
        self.root = notebook.page.locator(".wnb-explorer").nth(index)
        self.status = self.root.locator(".wnb-status")
        self.error = self.root.locator(".wnb-error")

    @property
    def viewer(self) -> Viewer:
        """The viewer, for the picture that is shown now."""
        width, height = self.ask("(lambda r: r.photo.shape[1::-1])(it.wait())")
        return Viewer(self.root, (width, height))

    def ask(self, expression: str):
        """Return what *expression* is in the kernel; ``it`` is the explorer."""
        return self.notebook.kernel.ask(f"(lambda it: {expression})({self.name})")

    def group(self, name: str):
        """Return a picker: ``Model``, ``Image``, ``Execution target``."""
        return self.root.get_by_role("group", name=name, exact=True)

    def pick(self, group: str, option: str) -> None:
        """Click an option, and wait until the kernel has run it."""
        attribute = {"Model": "models", "Image": "images", "Execution target": "targets"}[group]
        radio = self.group(group).get_by_role("radio", name=option, exact=True)
        radio.scroll_into_view_if_needed()
        radio.locator("xpath=..").click()
        expect(radio).to_be_checked()
        self.notebook.until(
            lambda: self.ask(f"it.{attribute}.value") == option, f"the kernel knows of {option}"
        )

    def wait_shown(self) -> Viewer:
        """Wait until the present result is on screen."""
        expect(self.error).to_be_hidden(timeout=PATIENCE)
        viewer = self.viewer
        viewer.wait_painted(self.ask("it.viewer.serial"))
        return viewer

    def check_painted(self, least: int = 2) -> set[int]:
        """Check the painted picture as `check_overlay` does; return the classes looked at."""
        viewer = self.wait_shown()
        self.notebook.kernel.run(
            f"r = {self.name}.result\n"
            "r.overlay().save('overlay.png')\n"
            "r.resize(*r.photo.shape[:2]).mask_image().save('labels.png')\n"
            "r.mask_image().resize(r.photo.shape[1::-1], 0).save('nearest.png')\n"
        )
        root = self.notebook.server.root
        seen = check_overlay(
            viewer,
            *(Image.open(root / f"{name}.png") for name in ("overlay", "labels", "nearest")),
        )
        assert len(seen) >= least, seen
        return seen


def check_result(viewer: Viewer, result: wn.SegmentationResult) -> set[int]:
    """Check the painted picture against a result of this process, as `check_overlay` does."""
    height, width = result.photo.shape[:2]
    resized = result.resize(height, width).mask_image()
    nearest = result.mask_image().resize((width, height), Image.Resampling.NEAREST)
    return check_overlay(viewer, result.overlay(), resized, nearest)


def check_overlay(viewer: Viewer, overlay: Image.Image, *masks: Image.Image) -> set[int]:
    """Check the painted picture at five places of each class; return the classes.

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
    expected, classes = np.asarray(overlay), np.asarray(masks[0])
    even = _even(overlay, 4)
    for mask in masks:
        even &= _even(Image.fromarray(np.asarray(mask)), 0) & (np.asarray(mask) == classes)
    even[:, :8] = even[:, -8:] = even[:8] = even[-8:] = False
    seen = set()
    for label in np.unique(classes):
        places = np.argwhere(even & (classes == label))
        if len(places) == 0:
            continue
        chosen = places[np.linspace(0, len(places) - 1, 5).astype(int)]
        painted = viewer.colours([(x, y) for y, x in chosen])
        for (y, x), colour in zip(chosen, painted, strict=True):
            assert near(colour, expected[y, x]), (label, x, y, colour, expected[y, x])
        seen.add(int(label))
    return seen


def _even(picture: Image.Image, most: int) -> np.ndarray:
    """Return where no pixel nearby differs by more than *most*."""
    high, low = (picture.filter(kind(9)) for kind in (ImageFilter.MaxFilter, ImageFilter.MinFilter))
    spread = np.asarray(high).astype(int) - np.asarray(low)
    return (spread if spread.ndim == 2 else spread.max(2)) <= most
