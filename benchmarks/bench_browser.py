"""How quick the Explorer is where it is used: in JupyterLab, in headless Chromium.

Measured in the page with ``performance.now``, with an image of 1280x720 CSS pixels:

* the opacity slider, from its event to the new pixels (read back, so that they are there), the wait
  for the next frame included, on a screen of 1.5 device pixels each, which makes a canvas of
  1920x1080 for an image of as many; beside it the way it is done without this package,
  ``ipywidgets.interact`` over matplotlib;
* a click on another image until its mask is on screen, kernel and page together, beside the
  pipeline's own time for the same image in the same runs;
* a folder of 10,000 images, from "Open" until the thumbnails of its first ones are on screen;
* bytes over the websocket for a result of 1920x1080 pixels, beside a PNG of the same by matplotlib.

    python -m benchmarks browser

Uses an image from the folder WASINN_NB_SHARED (or ../shared), else a shipped image enlarged.
"""

from __future__ import annotations

import io
import os
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure
from PIL import Image
from playwright.sync_api import Page, sync_playwright

import wasinn_nb as wn
from benchmarks.paired import Row, ratio

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))
from browser.chromium import launch  # noqa: E402 - JupyterLab as the tests start it
from browser.pages import Notebook  # noqa: E402
from browser.servers import Server, start_lab  # noqa: E402

FRAME = 16.0  # milliseconds: the goal, one frame at 60 Hz
MOST_BYTES, MOST_MASK_BYTES = 600_000, 40_000
MOVES, CLICKS, INTERACTS = 60, 16, 12
IMAGES, FOLDERS, FOLDER_GOAL = 10_000, 4, 1000.0  # images, rounds, milliseconds
DISPLAY, FINE = (1280, 720), 1.5  # CSS pixels, and device pixels of each for the slider

EXPLORER = """
import wasinn_nb as wn
explorer = wn.Explorer(image={image!r})
spent = []
explorer.viewer.observe(lambda _: spent.append(explorer.viewer.result.timings), "_masks")
explorer
"""
INTERACT = """
import matplotlib.pyplot as plt
import numpy as np
import wasinn_nb as wn
from ipywidgets import interact
result = wn.segment()
colors = np.asarray(result.resize(*result.photo.shape[:2]).mask_image().convert("RGB"))
@interact(opacity=(0, 100))
def show(opacity=50):
    plt.figure(figsize=(12.8, 7.2))
    plt.imshow(result.photo)
    plt.imshow(colors, alpha=opacity / 100)
    plt.axis("off")
    plt.show()
"""
# The viewer's own request for a frame comes before this one's, so that it has drawn when this ends.
SLIDE = """async (moves) => {
  const input = document.querySelector('.wnb-viewer input[aria-label="Opacity"]');
  const canvas = document.querySelector(".wnb-canvas");
  const context = canvas.getContext("2d");
  const [x, y] = [canvas.width >> 1, Math.floor(canvas.height * 0.9)];
  const pixel = () => context.getImageData(x, y, 1, 1).data.join();
  const spent = [];
  let before = pixel();
  for (let move = 0; move < moves; move++) {
    await new Promise((go) => setTimeout(go, 20 + (move * 7) % 17));
    const start = performance.now();
    input.value = move % 2 ? 20 : 80;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise(requestAnimationFrame);
    const after = pixel();
    spent.push(performance.now() - start);
    if (after === before) throw new Error("the pixel did not change");
    before = after;
  }
  return spent;
}"""
CHOOSE = """async (index) => {
  const root = document.querySelector(".wnb-viewer");
  const serial = root.dataset.painted;
  const images = document.querySelectorAll('.wnb-strip input[type="radio"]');
  const painted = new Promise((done) => {
    const observer = new MutationObserver(() => {
      if (root.dataset.painted === serial) return;
      observer.disconnect();
      done(performance.now());
    });
    observer.observe(root, { attributes: true, attributeFilter: ["data-painted"] });
  });
  const start = performance.now();
  images[index % images.length].click();
  return (await painted) - start;
}"""
FOLDER = """async ([path, count]) => {
  const images = document.querySelector(".wnb-picker.wnb-images");
  const strip = document.querySelector(".wnb-strip");
  images.querySelector(".wnb-field input").value = path;
  const start = performance.now();
  [...images.querySelectorAll("button")].find((one) => one.textContent === "Open").click();
  for (;;) {
    await new Promise(requestAnimationFrame);
    const seen = [...strip.querySelectorAll(".wnb-tile")].slice(0, 6);
    const many = seen.every((one) => one.querySelector("input").ariaSetSize === String(count));
    if (many) strip.scrollLeft = 0; // away from the image that is picked
    const shown = seen.map((one) => one.querySelector("img")).every((one) => one.naturalWidth);
    const here = seen.some((one) => one.querySelector("input").value.startsWith(path));
    if (many && shown && here) break;
    if (performance.now() - start > 30000) throw new Error("no thumbnails");
  }
  return performance.now() - start;
}"""
STEP = """async () => {
  const handle = document.querySelector(".jupyter-widgets .noUi-handle");
  const image = () => document.querySelector(".jp-OutputArea img")?.src;
  const before = image();
  const start = performance.now();
  handle.dispatchEvent(new KeyboardEvent("keydown", { key: "ArrowRight", bubbles: true }));
  for (;;) {
    await new Promise(requestAnimationFrame);
    const now = image();
    if (now && now !== before) {
      await document.querySelector(".jp-OutputArea img").decode();
      return performance.now() - start;
    }
    if (performance.now() - start > 30000) throw new Error("no new image");
  }
}"""


def full_hd(folder: Path) -> Path:
    """Return an image of 1920x1080 pixels."""
    shared = Path(os.environ.get("WASINN_NB_SHARED") or ROOT.parent / "shared")
    real = shared / "images" / "empty_road_mapillary.jpg"
    if real.is_file():
        return real
    path = folder / "enlarged.png"
    with Image.open(wn.image()) as image:
        image.resize((1920, 1080), Image.Resampling.BICUBIC).save(path)
    return path


@contextmanager
def opened(
    server: Server,
    name: str,
    *cells: str,
    hear: Callable[[bytes | str], None] = lambda _: None,
    pixels: float = 1.0,
) -> Iterator[Notebook]:
    """Open a notebook in Chromium, run it, and let go of it; *hear* what its websockets receive.

    A CSS pixel has so many device *pixels* on each side.
    """

    def listen(page: Page) -> None:
        page.on("websocket", lambda socket: socket.on("framereceived", hear))

    with sync_playwright() as playwright:
        browser = launch(playwright)
        context = browser.new_context(
            viewport={"width": 1700, "height": 1100}, device_scale_factor=pixels
        )
        context.on("page", listen)
        server.write(f"{name}.ipynb", *cells)
        notebook = Notebook(context, server, f"{name}.ipynb")
        try:
            notebook.run_all()
            yield notebook
        finally:
            notebook.close()
            browser.close()


def to_display_size(page: Page, pixels: float = 1.0) -> None:
    """Make the window as wide as it takes for the image to be 1280 CSS pixels wide."""
    page.locator(".wnb-viewer[data-painted]").wait_for()
    for _ in range(3):
        width = page.locator(".wnb-canvas").evaluate("canvas => canvas.clientWidth")
        size = page.viewport_size
        assert size is not None
        page.set_viewport_size({"width": size["width"] + DISPLAY[0] - width, "height": 1100})
        page.wait_for_timeout(300)
    size = page.locator(".wnb-canvas").evaluate("canvas => [canvas.width, canvas.height]")
    assert tuple(size) == tuple(int(side * pixels) for side in DISPLAY), size


def slider_times(server: Server, image: Path) -> list[float]:
    """Return milliseconds from the slider's event to the new pixels of 1920x1080."""
    cell = EXPLORER.format(image=str(image))
    with opened(server, "slider", cell, pixels=FINE) as notebook:
        to_display_size(notebook.page, FINE)
        notebook.page.evaluate(SLIDE, 10)
        found: list[float] = notebook.page.evaluate(SLIDE, MOVES)
    return found


def click_times(server: Server) -> tuple[list[float], list[float]]:
    """Return milliseconds of a click to the mask, and of the pipeline's part."""
    with opened(server, "explorer", EXPLORER.format(image=wn.images()[0])) as notebook:
        page = notebook.page
        to_display_size(page)
        clicks = []
        for index in range(1, CLICKS + 3):
            page.wait_for_timeout(700)  # a person looks; confidences and the saved image follow
            clicks.append(page.evaluate(CHOOSE, index))
        own = [
            1000 * sum(seconds.values())
            for seconds in notebook.kernel.ask("list(map(dict, spent))")
        ]
    return clicks[2:], own[-CLICKS:]


def folder_times(server: Server, home: Path) -> list[float]:
    """Return milliseconds from "Open" to the first thumbnails of a folder of many images."""
    content = wn.image().read_bytes()
    folders = [home / f"images-{number}" for number in range(FOLDERS)]
    for folder in folders:
        folder.mkdir()
        for index in range(IMAGES):
            (folder / f"{index:05}.jpg").write_bytes(content if index < 50 else b"")
    with opened(server, "folders", EXPLORER.format(image=wn.images()[0])) as notebook:
        notebook.page.locator(".wnb-viewer[data-painted]").wait_for()
        count = IMAGES + len(wn.images())
        return [notebook.page.evaluate(FOLDER, [str(folder), count]) for folder in folders]


def interact_times(server: Server) -> list[float]:
    """Return milliseconds from a step of the slider to the new image, as matplotlib draws it."""
    with opened(server, "interact", INTERACT) as notebook:
        notebook.page.locator(".jp-OutputArea img").wait_for()
        notebook.page.evaluate(STEP)
        return [notebook.page.evaluate(STEP) for _ in range(INTERACTS)]


def sent_bytes(server: Server, image: Path) -> tuple[int, int]:
    """Return the bytes over the websocket for one more result, and those of its mask's labels."""
    received: list[int] = []
    cell = EXPLORER.format(image=wn.images()[0])
    with opened(server, "bytes", cell, hear=lambda got: received.append(len(got))) as notebook:
        page = notebook.page
        to_display_size(page)
        page.wait_for_timeout(2000)
        received.clear()
        notebook.kernel.run(f"explorer.images.value = {str(image)!r}; _ = explorer.wait()")
        page.locator('.wnb-viewer[data-painted="2"]').wait_for()
        page.wait_for_timeout(2000)
        mask = notebook.kernel.ask('len(explorer.viewer._masks[0]["labels"])')
    total = sum(received)
    print(f"websocket, one result of {image.name}: {total} bytes", file=sys.stderr)
    return total, mask


def matplotlib_bytes(image: Path) -> int:
    """Return the size of the same image, image and overlay, as matplotlib's PNG."""
    result = wn.segment(image)
    figure = Figure(figsize=(19.2, 10.8), dpi=100)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.imshow(np.asarray(result.overlay()))
    axes.set_axis_off()
    content = io.BytesIO()
    figure.savefig(content, format="png")
    return len(content.getvalue())


def rows() -> list[Row]:
    """Measure and return the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        server = start_lab(Path(tempfile.mkdtemp(dir=folder)))
        try:
            image = full_hd(Path(folder))
            slider = slider_times(server, image)
            clicks, own = click_times(server)
            folders = folder_times(server, Path(folder))
            interact = interact_times(server)
            total, mask = sent_bytes(server, image)
            peer = matplotlib_bytes(image)
        finally:
            server.stop()
    measured = {"slider": slider, "interact": interact, "click to mask": clicks, "folder": folders}
    for name, values in measured.items():
        print(f"{name}: median {statistics.median(values):.1f} ms", file=sys.stderr)
    print(f"the pipeline's own: median {statistics.median(own):.1f} ms", file=sys.stderr)
    slow = (interact * (len(slider) // len(interact) + 1))[: len(slider)]
    one = [1.0, 1.0]
    return [
        ratio("slider to 1920x1080 pixels", "one frame, 16 ms", slider, [FRAME] * MOVES, "<= 1.0"),
        ratio("slider to 1920x1080 pixels", "interact + matplotlib", slider, slow, "< 1.0"),
        ratio("click to mask on screen", "the pipeline's own time", clicks, own, "<= 1.3"),
        ratio("a folder of 10,000 images", "1 s", folders, [FOLDER_GOAL] * FOLDERS, "<= 1.0"),
        ratio("bytes of a 1920x1080 result", "600 kB", [total / MOST_BYTES] * 2, one, "<= 1.0"),
        ratio("bytes of its mask", "40 kB", [mask / MOST_MASK_BYTES] * 2, one, "<= 1.0"),
        ratio("bytes of a 1920x1080 result", "PNG by matplotlib", [total / peer] * 2, one, "< 1.0"),
    ]
