"""Make the README's figures from what the package ships: ``make pictures``.

``segment.png`` is the result's own figure; ``explorer.png`` is a screenshot of the Explorer in
JupyterLab, in headless Chromium (Debian's ``chromium``).
"""

from __future__ import annotations

import io
import sys
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright

import wasinn_nb as wn

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE.parent / "tests"))
from browser.chromium import launch  # noqa: E402 - JupyterLab as the tests start it
from browser.pages import Notebook  # noqa: E402
from browser.servers import start_lab  # noqa: E402
from browser.viewers import Viewer  # noqa: E402

SCENE = "hill-crosswalk"
"""Of the shipped scenes the one whose mask is the cleanest: IoU 0.997, 0.987, 0.910 and 0.954."""

CELL = "import wasinn_nb as wn\nexplorer = wn.Explorer()\nexplorer"


def explorer() -> Image.Image:
    """Return a screenshot of the Explorer, with the pointer over a mark on the road."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = start_lab(Path(folder), WASINN_NB_OFFLINE="0")
        try:
            browser = launch(playwright)
            context = browser.new_context(viewport={"width": 1460, "height": 860})
            server.write("explorer.ipynb", CELL)
            notebook = Notebook(context, server, "explorer.ipynb")
            notebook.run_all()
            viewer = Viewer(notebook.page, (1280, 720))
            viewer.wait_painted()
            notebook.kernel.run("_ = explorer.wait()")
            notebook.page.wait_for_timeout(1000)  # thumbnails and confidences
            viewer.hover(525, 600)
            shot = notebook.page.locator(".wnb-explorer").screenshot()
            notebook.close()
            browser.close()
        finally:
            server.stop()
    return Image.open(io.BytesIO(shot)).convert("RGB")


def main() -> None:
    """Draw the result's figure and take the screenshot."""
    figure = wn.segment(SCENE, resize="triangle").plot()
    figure.savefig(HERE / "segment.png", dpi=110, metadata={"Software": None})
    explorer().save(HERE / "explorer.png", optimize=True)


if __name__ == "__main__":
    main()
