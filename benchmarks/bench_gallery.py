"""How quick a gallery of 100,000 images is, and a page of 60 tiles: in JupyterLab, in Chromium.

The store repeats the results of the shipped scenes, with figures of its own for each row.  Measured
in the page with ``performance.now``, at 1700x1100 pixels:

* a brush over a histogram of 100,000 rows, from its event to the frame with the new histograms and
  tiles, among them tiles that are there already;
* the opacity slider, from its event to the frame that shows it;
* from running the cell until each tile on screen is drawn;
* bytes that come over the comm until then, and what a filter adds;
* the same bytes of a large screen, 2560x1440 pixels of two device pixels each, full of the smallest
  tiles, of photographs where the folder WASINN_NB_SHARED (or ../shared) has them;
* the memory of the page's process after scrolling through all rows, less that before.

    python -m benchmarks gallery
"""

from __future__ import annotations

import os
import re
import statistics
import sys
import tempfile
import time
from pathlib import Path

import psutil
from playwright.sync_api import Page

import wasinn_nb as wn
from benchmarks.bench_browser import ROOT, opened
from benchmarks.paired import Row, ratio

sys.path.insert(0, str(ROOT / "tests"))
from browser.servers import Server, start_lab
from gallery_help import write_many

ROWS, SOME_ROWS, MOVES = 100_000, 5000, 40
FRAMES = 33.0  # milliseconds: the goal, two frames at 60 Hz
MOST_SECONDS, MOST_BYTES, MOST_MEGABYTES = 2.0, 1_000_000, 300

BEFORE = "import wasinn_nb as wn\nfound = wn.read_predictions({store!r})\nwn.Gallery"
CELL = "gallery = wn.Gallery(found, tile_size={size})\ngallery"
DRAWN = """() => {
  const grid = document.querySelector(".wnb-gallery-grid");
  const [some, all] = (grid?.dataset.drawn ?? "0/0").split("/").map(Number);
  return all > 0 && some === all;
}"""
# The request for a frame comes after the gallery's own; reading a pixel back waits for the drawing.
BRUSH = """async (moves) => {
  const track = document.querySelector('.wnb-facet[data-column="road"] .wnb-facet-track');
  const canvas = track.querySelector("canvas");
  const root = document.querySelector(".wnb-gallery");
  const box = track.getBoundingClientRect();
  const at = (part) => ({
    clientX: box.left + part * box.width, clientY: box.top + 10,
    bubbles: true, pointerId: 1, button: 0, isPrimary: true,
  });
  track.setPointerCapture = () => {};
  track.dispatchEvent(new PointerEvent("pointerdown", at(0.05)));
  const spent = [];
  let before = "";
  for (let move = 0; move < moves; move++) {
    await new Promise((go) => setTimeout(go, 60 + (move * 7) % 17));
    const start = performance.now();
    track.dispatchEvent(new PointerEvent("pointermove", at(move % 2 ? 0.4 : 0.7)));
    await new Promise(requestAnimationFrame);
    canvas.getContext("2d").getImageData(0, 0, 1, 1);
    spent.push(performance.now() - start);
    if (root.dataset.selected === before) throw new Error("nothing changed");
    before = root.dataset.selected;
  }
  track.dispatchEvent(new PointerEvent("pointerup", at(0.4)));
  return spent;
}"""
SLIDE = """async (moves) => {
  const input = document.querySelector('.wnb-gallery input[aria-label="Opacity"]');
  const mask = document.querySelector(".wnb-gallery-tile-mask");
  const spent = [];
  let before = "";
  for (let move = 0; move < moves; move++) {
    await new Promise((go) => setTimeout(go, 20 + (move * 7) % 17));
    const start = performance.now();
    input.value = move % 2 ? 20 : 80;
    input.dispatchEvent(new Event("input", { bubbles: true }));
    const now = getComputedStyle(mask).opacity;
    await new Promise(requestAnimationFrame);
    spent.push(performance.now() - start);
    if (now === before) throw new Error("nothing changed");
    before = now;
  }
  return spent;
}"""
SCROLL = """async (steps) => {
  const grid = document.querySelector(".wnb-gallery-grid");
  for (let step = 0; step <= steps; step++) {
    grid.scrollTop = (grid.scrollHeight - grid.clientHeight) * (step / steps);
    await new Promise((go) => setTimeout(go, 120));
  }
}"""


def _memory(page: Page) -> float:
    """Return megabytes of the page's process after a collection: heap, images and canvases."""
    browser = page.context.browser
    assert browser is not None
    page.context.new_cdp_session(page).send("HeapProfiler.collectGarbage")
    known = browser.new_browser_cdp_session().send("SystemInfo.getProcessInfo")["processInfo"]
    pages = [process["id"] for process in known if process["type"] == "renderer"]
    return sum(psutil.Process(process).memory_full_info().uss for process in pages) / 1e6


class _Comms:
    """How many bytes come over comms."""

    def __init__(self) -> None:
        self.bytes = 0

    def hear(self, got: bytes | str) -> None:
        """Count a frame, whose first type is its own; others are of what it answers."""
        frame = got.encode() if isinstance(got, str) else got
        kind = re.search(rb'"msg_type": ?"(\w+)"', frame)
        if kind is not None and kind[1].startswith(b"comm_"):
            self.bytes += len(frame)


def _show(page: Page, size: int) -> float:
    """Run the cell of a gallery; return the seconds until its first page is drawn."""
    page.locator(".jp-CodeCell").nth(1).locator(".cm-content").click()
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(CELL.format(size=size))
    start = time.perf_counter()
    page.keyboard.press("Control+Enter")
    page.wait_for_function(DRAWN, polling=20)
    return time.perf_counter() - start


def _tiles(page: Page) -> int:
    return page.locator('.wnb-gallery-tile[role="option"]:visible').count()


def _large_page(server: Server, store: Path) -> float:
    """Return the bytes of the first page on a large screen."""
    comms = _Comms()
    cells = [BEFORE.format(store=str(store)), "0"]
    with opened(server, "large", *cells, hear=comms.hear, pixels=2.0) as notebook:
        page = notebook.page
        page.set_viewport_size({"width": 2560, "height": 1440})
        page.wait_for_timeout(500)
        comms.bytes = 0
        _show(page, 64)
        print(f"large page: {comms.bytes} bytes, {_tiles(page)} tiles", file=sys.stderr)
    return comms.bytes


def _measured(server: Server, store: Path) -> dict[str, list[float]]:
    comms = _Comms()
    cells = [BEFORE.format(store=str(store)), "0"]
    with opened(server, "gallery", *cells, hear=comms.hear) as notebook:
        page = notebook.page
        before = _memory(page)
        comms.bytes = 0
        first = _show(page, 135)
        sent = comms.bytes
        print(f"first page: {first:.2f} s, {sent} bytes, {_tiles(page)} tiles", file=sys.stderr)
        page.wait_for_timeout(2000)
        slider = page.evaluate(SLIDE, MOVES)
        before_filter = comms.bytes
        page.locator('.wnb-facet[data-column="road"]').hover()  # what filters need comes now
        page.wait_for_timeout(1000)
        print(f"for filters: {comms.bytes - before_filter} bytes", file=sys.stderr)
        page.evaluate(BRUSH, 8)
        brush = page.evaluate(BRUSH, MOVES)
        notebook.kernel.run("gallery.query = ''")
        page.wait_for_timeout(500)
        page.evaluate(SCROLL, 150)
        page.wait_for_function(DRAWN, polling=50)
        grown = _memory(page) - before
        print(f"memory: {before:.0f} MB and {grown:.0f} MB more", file=sys.stderr)
    return {"first": [first], "bytes": [sent], "slider": slider, "brush": brush, "memory": [grown]}


def rows() -> list[Row]:
    """Measure and return the ratios."""
    with tempfile.TemporaryDirectory() as folder:
        small, store = Path(folder, "small"), Path(folder, "store")
        wn.predict(list(wn.images()), store=small, progress=False)
        write_many(small, store, ROWS)
        shared = Path(os.environ.get("WASINN_NB_SHARED") or ROOT.parent / "shared")
        photographs, large = shared / "camvid/images", store
        if photographs.is_dir():
            large = Path(folder, "large")
            wn.predict(photographs, store=Path(folder, "photographs"), progress=False)
            write_many(Path(folder, "photographs"), large, SOME_ROWS)
        server = start_lab(Path(tempfile.mkdtemp(dir=folder)))
        try:
            found = _measured(server, store)
            found["large"] = [_large_page(server, large)]
        finally:
            server.stop()
    for name in ("slider", "brush"):
        print(f"{name}: median {statistics.median(found[name]):.1f} ms", file=sys.stderr)

    def share(name: str, most: float) -> list[float]:
        return [found[name][0] / most] * 2

    one, frames = [1.0, 1.0], [FRAMES] * MOVES
    return [
        ratio("gallery: opacity to pixels", "two frames, 33 ms", found["slider"], frames, "<= 1.0"),
        ratio("brush over 100,000 rows", "two frames, 33 ms", found["brush"], frames, "<= 1.0"),
        ratio("100,000 rows: first page", "2 s", share("first", MOST_SECONDS), one, "<= 1.0"),
        ratio("bytes of its first page", "1 MB", share("bytes", MOST_BYTES), one, "<= 1.0"),
        ratio("bytes of a large page", "1 MB", share("large", MOST_BYTES), one, "<= 1.0"),
        ratio("page memory, scrolled", "300 MB", share("memory", MOST_MEGABYTES), one, "<= 1.0"),
    ]
