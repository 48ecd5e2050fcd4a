"""Widgets in a real kernel without a page: which are freed, and what programs that run cells get.

A page says with each request which cell it runs; programs such as nbval do not.
"""

from __future__ import annotations

import ast

import pytest
from ipc_kernels import ipc_kernel

pytest.importorskip("jupyter_client.manager")
pytest.importorskip("ipykernel")

pytestmark = pytest.mark.full

SCENE = """
import gc
import ipywidgets as w
import numpy as np
import wasinn_nb as wn
from IPython.display import display

card = wn.ModelCard("toy", "segmentation", classes=("background", "road", "car"))
photo = np.full((40, 64, 3), 200, np.uint8)

def result(label=1):
    return wn.SegmentationResult(np.full((40, 64), label, np.uint8), card, image=photo)

def alive(kind=wn.MaskViewer):
    gc.collect()
    return sum(isinstance(one, kind) for one in gc.get_objects())
"""


class Kernel:
    """A kernel that is sent cells as a page sends them."""

    def __init__(self, client) -> None:
        self.client = client

    def run(self, code: str, cell: str = "") -> list[dict]:
        """Run *code* as the cell of that ID; return its outputs."""
        content = {"code": code, "silent": False, "store_history": True, "stop_on_error": True}
        content |= {"user_expressions": {}, "allow_stdin": False}
        metadata = {"cellId": cell} if cell else {}
        sent = self.client.session.msg("execute_request", content, metadata=metadata)
        self.client.shell_channel.send(sent)
        outputs = []
        while True:
            message = self.client.get_iopub_msg(timeout=90)
            if message["parent_header"].get("msg_id") != sent["header"]["msg_id"]:
                continue
            kind, content = message["msg_type"], message["content"]
            assert kind != "error", "\n".join(content["traceback"])
            if kind == "status" and content["execution_state"] == "idle":
                return outputs
            if kind in {"display_data", "execute_result", "stream"}:
                outputs.append(content)

    def ask(self, expression: str):
        outputs = self.run(f"print(ascii({expression}))")
        printed = (one["text"] for one in outputs if one.get("name") == "stdout")
        return ast.literal_eval("".join(printed))


@pytest.fixture(scope="module")
def kernel():
    with ipc_kernel() as (_, client):
        made = Kernel(client)
        made.run(SCENE)
        yield made


CELLS = {
    "alone": "viewer = wn.MaskViewer(result())\nviewer",
    "not shown": "unseen = wn.MaskViewer(result())",
    "box": "w.HBox([wn.MaskViewer(result())])",
    "boxes": "w.VBox([w.HBox([w.HTML('a'), wn.MaskViewer(result())])])",
    "output": "o = w.Output()\nwith o:\n    display(wn.MaskViewer(result()))\no",
    "box in an output": (
        "o = w.Output()\nwith o:\n    display(w.HBox([wn.MaskViewer(result())]))\no"
    ),
    "interact": "w.interact(lambda label: display(wn.MaskViewer(result(label))), label=(0, 2))\n1",
    "explorer": "explorer = wn.Explorer()\n_ = explorer.wait()\nexplorer",
}


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_that_runs_again_frees_what_it_showed(kernel, name):
    kernel.run(CELLS[name], name)
    before = kernel.ask("(alive(), alive(wn.Explorer), alive(w.Box))")
    for _ in range(3):
        kernel.run(CELLS[name], name)
    after = kernel.ask("(alive(), alive(wn.Explorer), alive(w.Box))")
    assert after[:2] == before[:2]
    if name != "interact":  # its controls are ipywidgets' own, which keeps them
        assert after == before


def test_a_viewer_that_another_cell_shows_is_kept(kernel):
    kernel.run("kept = wn.MaskViewer(result())\nkept", "first")
    kernel.run("again = kept\nagain", "second")
    kernel.run("kept = wn.MaskViewer(result())\nkept", "first")
    assert kernel.ask("again.comm is not None and again is not kept")
    kernel.run("w.VBox([again])", "third")
    kernel.run("1", "second")
    assert kernel.ask("again.comm is not None")
    kernel.run("1", "third")
    assert kernel.ask("again.comm is None")
    assert kernel.ask("int(again.result.labels.max())") == 1, "Python still has it"


@pytest.mark.parametrize("expression", ["held", "w.HBox([held])", "box"])
def test_what_was_freed_can_be_shown_again_under_its_name(kernel, expression):
    kernel.run(
        "held = wn.MaskViewer(result()); box = w.HBox([held]); name = held.model_id\nbox", "a"
    )
    kernel.run("1", "a")
    assert kernel.ask("(held.comm, box.comm)") == (None, None)
    view, still = kernel.run(f"again = {expression}\nagain", "b")
    model = view["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert model == kernel.ask("again.model_id")
    assert kernel.ask("held.comm is not None and held.model_id == name")
    assert "image/png" in still["data"]
    kernel.run("held.mode = 'mask'")


def test_an_explorer_that_was_freed_is_shown_again(kernel):
    kernel.run("held = wn.Explorer(); name = held.model_id; _ = held.wait()\nheld", "explorer")
    kernel.run("1", "explorer")
    assert kernel.ask("(held.comm, held.viewer.comm, held.models.comm)") == (None, None, None)
    view, still = kernel.run("held", "elsewhere")
    model = view["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]
    assert model == kernel.ask("name")
    assert "image/png" in still["data"]
    kernel.run("held.images.value = 'country-road'")
    assert kernel.ask("held.wait().image == wn.image('country-road').read_bytes()")
    assert kernel.ask("all(one.comm for one in (held.viewer, held.models, held.panel))")


def test_results_of_other_cells_and_of_other_kinds_stay_in_the_cache(kernel):
    kernel.run("wn.MaskViewer(result())", "cached")
    number = kernel.ask("max(Out)")
    kernel.run("w.HBox([w.HTML('mine')])", "mine")
    mine = kernel.ask("max(Out)")
    kernel.run("1", "cached")
    kernel.run("1", "mine")
    assert kernel.ask(f"{number} in Out") is False
    assert kernel.ask(f"(Out[{mine}].comm is not None, '_{mine}' in globals())") == (True, True)


def test_a_box_with_nothing_of_ours_is_shown_as_ever(kernel):
    (output,) = kernel.run("w.HBox([w.HTML('mine')])", "foreign")
    assert output["execution_count"] > 0
    assert "application/vnd.jupyter.widget-view+json" in output["data"]


def stills(outputs: list[dict]) -> list[dict]:
    return [
        o["data"] for o in outputs if "data-wnb-still" in o.get("data", {}).get("text/html", "")
    ]


@pytest.mark.parametrize(
    "name", ["alone", "box", "boxes", "output", "box in an output", "interact"]
)
def test_each_is_followed_by_its_image(kernel, name):
    outputs = kernel.run(CELLS[name], f"{name} with image")
    (still,) = stills(outputs)
    assert "image/png" in still
    assert "SegmentationResult(toy" in still["text/plain"]


def test_two_in_a_box_have_two_images(kernel):
    outputs = kernel.run("w.HBox([wn.MaskViewer(result(n)) for n in (1, 2)])", "two")
    texts = [one["text/plain"] for one in stills(outputs)]
    assert ["road 100.00 %" in texts[0], "car 100.00 %" in texts[1]] == [True, True]


def test_a_program_that_runs_cells_gets_the_result_of_the_explorer(kernel):
    outputs = kernel.run("explorer = wn.Explorer()\nexplorer")
    (still,) = stills(outputs)
    assert "road-segmentation-synth-0001" in still["text/plain"]
    assert "image/png" in still
    explorer = kernel.run("explorer = wn.Explorer('no-such-model')\nexplorer")
    (still,) = stills(explorer)
    assert still["text/plain"] == "no result yet"
