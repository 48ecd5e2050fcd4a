"""The Explorer on several runtimes and on models of other people."""

from __future__ import annotations

import pytest
from explored_models import made_engines, run
from tables import all_slow_but

import wasinn_nb as wn
from wasinn_nb.abi import GraphEncoding
from wasinn_nb.errors import InvalidArgumentError, UnsupportedOperationError
from wasinn_nb.runtimes import Device, DeviceTable
from wasinn_nb.widgets.pickers import targets
from wasinn_nb.widgets.pickers.targets import TargetPicker

pytestmark = pytest.mark.full


@pytest.fixture
def engines(tmp_path):
    """The brightest channel again, as a model that OpenVINO and ONNX Runtime read."""
    return made_engines(tmp_path)


# --------------------------------------------------------------------------------------- runtimes


def test_runtimes_that_read_the_model_are_offered(explore, engines, toy, red):
    explorer = explore(engines, red)
    assert (explorer.wait().labels == 2).all()
    assert explorer.targets._runtimes == ["onnxruntime", "openvino"]
    assert (explorer.targets.runtime, explorer.targets.ran) == ("openvino", "CPU, f32")
    assert "runtime=" not in explorer.code
    explorer.targets.runtime = "onnxruntime"
    assert (explorer.wait().labels == 2).all()
    assert explorer.result.runtime == "onnxruntime"
    assert explorer.targets.ran == "CPU, f32, onnxruntime"
    assert run(explorer.code)["result"].runtime == "onnxruntime"
    explorer.models.value = toy  # which ONNX Runtime does not read
    assert explorer.wait().runtime == "openvino"
    assert explorer.targets._runtimes == ["openvino"]


def test_two_runtimes_are_compared(explore, engines, red):
    explorer = explore(engines, red, compare=True, runtime="onnxruntime")
    explorer.runs[1].targets.runtime = "openvino"
    explorer.wait()
    assert str(explorer.comparison.verdict) == "identical"
    assert [mask["caption"] for mask in explorer.viewer._masks] == ["onnxruntime", "openvino"]


def test_runtimes_that_are_not_installed_are_not_offered(monkeypatch):
    def runtime(name):
        if name == "broken":
            raise UnsupportedOperationError("broken cannot be used here: no module")
        return type("Engine", (), {"encodings": {GraphEncoding.ONNX}})

    monkeypatch.setattr(targets, "runtimes", lambda: ("broken", "one", "two"))
    monkeypatch.setattr(targets, "runtime", runtime)
    picker = TargetPicker()
    assert picker._runtimes == ["openvino"]
    picker.list_runtimes(GraphEncoding.ONNX)
    assert picker._runtimes == ["one", "two"]
    picker.list_runtimes(GraphEncoding.OPENVINO)
    assert picker._runtimes == []


def test_devices_are_those_of_the_runtime(monkeypatch):
    tables = {
        "openvino": DeviceTable([Device("CPU", "all"), Device("NPU", "fast")]),
        "small": DeviceTable([Device("CPU", "some")]),
    }
    monkeypatch.setattr(targets, "devices", lambda name: tables[name])
    picker = TargetPicker()
    assert [one["key"] for one in picker._options] == ["CPU", "NPU"]
    picker.runtime = "small"
    assert [(one["key"], one["detail"]) for one in picker._options] == [("CPU", "some")]


def test_a_runtime_that_is_not_known(explore, toy, red):
    explorer = explore(toy, red, runtime="tensorrt")
    with pytest.raises(InvalidArgumentError, match="unknown runtime 'tensorrt'"):
        explorer.wait()
    (only,) = explorer.targets._options
    assert only["reason"].startswith("unknown runtime 'tensorrt'; known are ")
    assert explorer.targets._runtimes == ["openvino"], "those that can be picked in its place"
    explorer.targets.runtime = "openvino"
    assert explorer.wait().runtime == "openvino"


# --------------------------------------------------------------------------- models of other people


def of(name, color="RGB", layout="NHWC", **fields):
    """Return the recipe of one of them, of so many pixels a side."""
    return wn.PreprocessRecipe(name, name, layout, color, resize="bilinear", **fields)


# The classes and the counts of their pixels that reference/models.md states.
OTHERS = {
    "deeplab_nchw.onnx": (of(513, layout="NCHW", range=(-1, 1)), ("background", "person"), 154535),
    "portrait_segmentation.tflite": (of(512, range=(0, 1)), ("background", "person"), 150756),
    "prisma-net_fp16.tflite": (of(256, range=(0, 1)), ("person",), 38391),
    "bodypix_float.tflite": (of(257, range=(-1, 1)), ("person",), 669),
}


@pytest.mark.parametrize("file", all_slow_but(OTHERS, "bodypix_float.tflite"))
def test_segmentation_models_of_others(explore, shared, file):
    recipe, classes, pixels = OTHERS[file]
    card = wn.ModelCard("other", "segmentation", recipe, classes)
    explorer = explore(
        shared / "models/third-party" / file, shared / "images/grace_hopper.jpg", card=card
    )
    result = explorer.wait()
    assert result.areas()["person"] == pytest.approx(pixels, rel=1e-3)
    assert explorer.viewer._masks[0]["classes"][1]["pixels"] == result.areas()["person"]
    assert run(explorer.code)["result"].areas() == result.areas()


def test_a_classifier_of_others_and_what_is_neither(explore, shared):
    folder = shared / "models/third-party"
    image = shared / "images/grace_hopper.jpg"
    recipe = of(128, type="u8")
    card = wn.ModelCard("mobilenet", "classification", recipe)
    explorer = explore(folder / "coral_mobilenet_v1_quant.tflite", image, card=card)
    explorer.wait()
    (entry,) = explorer.bars._results
    assert [bar["index"] for bar in entry["bars"]][:3] == [401, 668, 835]
    explorer.models.value = str(folder / "ultraface_rfb320.onnx")
    with pytest.raises(InvalidArgumentError, match=r"is not a segmentation model .*WasiNnCtx"):
        explorer.wait()
    assert "WasiNnCtx" in explorer.panel._error["message"]
    assert explorer.bars.stale
