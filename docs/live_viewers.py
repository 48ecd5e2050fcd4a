"""Write the mask viewers of the pages: alive without a kernel, images where scripts are off."""

from __future__ import annotations

from pathlib import Path
from typing import Final

import wasinn_nb as wn
from wasinn_nb.widgets.standalone import standalone_html

FOLDER: Final = Path(__file__).with_name("viewers")
SCENE: Final = "hill-crosswalk"
CHANGED: Final = "country-road"
"""The scene in which red for blue changes most."""


def viewers() -> dict[str, wn.MaskViewer]:
    """Return the viewers by the name of the file that a page includes."""
    right = wn.segment(CHANGED, resize="triangle", scores=True)
    swapped = wn.segment(CHANGED, recipe={"color": "RGB"}, resize="triangle", scores=True)
    return {
        "scene": wn.MaskViewer(wn.segment(SCENE, resize="triangle", scores=True)),
        "rgb-for-bgr": wn.MaskViewer(right, swapped, mode="difference"),
        "two-runs": wn.MaskViewer(right, swapped, mode="swipe"),
    }


def write() -> None:
    """Write each viewer as a file of HTML."""
    FOLDER.mkdir(exist_ok=True)
    for name, viewer in viewers().items():
        html = standalone_html(viewer, viewer.results)
        (FOLDER / f"{name}.html").write_text(html, "utf-8")


if __name__ == "__main__":
    write()
