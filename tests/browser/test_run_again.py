"""A cell that runs again and again: neither the page nor the kernel grows with each run.

JupyterLab keeps the comm of every widget, and by it the model and the view, until the page is left.
What is measured is therefore the growth beside that of a bare anywidget with one word in it.
"""

from __future__ import annotations

import numpy as np
import pytest
from gallery_help import make_place

from browser.pages import expect

SCENE = """
import gc
import anywidget
import ipywidgets
import numpy as np
import wasinn_nb as wn

card = wn.ModelCard("toy", "segmentation", classes=("background", "road", "car"))
photo = np.full((40, 64, 3), 200, np.uint8)
old = []

class Bare(anywidget.AnyWidget):
    _esm = "export default { render({ el }) { el.textContent = 'bare'; } };"

def bare():
    while old:
        one = old.pop()
        one.close()
        one.layout.close()
    old.append(Bare())
    return old[0]

def alive():
    gc.collect()
    kinds = wn.Explorer, wn.MaskViewer, wn.Gallery, wn.ImagePicker
    counts = [sum(isinstance(one, kind) for one in gc.get_objects()) for kind in kinds]
    return [*counts, len(ipywidgets.widgets.widget._instances)]
"""
CELLS = {
    "viewer": (
        "shown = wn.MaskViewer(wn.SegmentationResult("
        "np.full(photo.shape[:2], 1, np.uint8), card, image=photo))\nshown"
    ),
    "explorer": "shown = wn.Explorer()\n_ = shown.wait()\nshown",
    "gallery": "shown = wn.Gallery(store, progress=False)\nshown",
}

# Kinds of widgets in each: an Explorer has those of all its parts.
MODULES = {"viewer": 1, "explorer": 6, "gallery": 1}
HEAP = 250_000  # bytes that may stay of a run: the modules of one Explorer are 550,000


class Growth:
    """What the page has, with all that it could do without collected."""

    def __init__(self, notebook) -> None:
        self.notebook = notebook
        self.session = notebook.page.context.new_cdp_session(notebook.page)

    def counts(self) -> np.ndarray:
        """Return how many nodes and listeners there are, and the bytes of the heap."""
        for _ in range(3):  # what one round frees lets go of more
            self.session.send("HeapProfiler.collectGarbage")
        found = self.session.send("Memory.getDOMCounters")
        heap = self.session.send("Runtime.getHeapUsage")["usedSize"]
        return np.array([found["nodes"], found["jsEventListeners"], heap])

    def of(self, cell: int, runs: int) -> list[int]:
        """Return by how much each grows while a cell runs so many times."""
        for _ in range(2):  # what is made once
            self.notebook.run_cell(cell)
        before = self.counts()
        for _ in range(runs):
            self.notebook.run_cell(cell)
            self.notebook.kernel.ask("1")  # reads what came meanwhile: its queue has an end
        return (self.counts() - before).tolist()


@pytest.mark.parametrize(
    ("kind", "runs"),
    [
        ("viewer", 4),
        pytest.param("viewer", 50, marks=pytest.mark.slow),
        pytest.param("explorer", 50, marks=pytest.mark.slow),
        pytest.param("gallery", 50, marks=pytest.mark.slow),
    ],
)
def test_neither_page_nor_kernel_grows(open_notebook, browser, tmp_path, kind, runs):
    scene = SCENE
    if kind == "gallery":
        scene += f"store = {str(make_place(tmp_path) / 'store')!r}\n"
    with open_notebook(f"again-{kind}", scene, "bare()", CELLS[kind]) as again:
        again.run_all()
        growth = Growth(again)
        bare_nodes, bare_listeners, bare_heap = growth.of(1, runs)
        again.run_cell(2)
        alive = again.kernel.ask("alive()")
        nodes, listeners, heap = growth.of(2, runs)
        assert nodes <= bare_nodes + 60, (nodes, bare_nodes)  # 1,000 are in one Explorer
        assert listeners <= bare_listeners + 200, (listeners, bare_listeners)
        assert heap <= bare_heap + 1_000_000 + runs * HEAP, (heap, bare_heap)
        loaded = again.page.evaluate("globalThis[Symbol.for('wasinn-nb modules')].size")
        assert loaded == MODULES[kind]
        expect(again.page.locator(".wnb-explorer, .wnb-gallery, .wnb-viewer")).not_to_have_count(0)
        again.until(lambda: again.kernel.ask("alive()") == alive, "all others are freed")
        assert max(alive[:-1]) <= 2
        assert again.errors == []
