"""The picker of targets: devices, precisions, and what is not here."""

from __future__ import annotations

import warnings

import pytest
from picked import brief, option_of

import wasinn_nb as wn
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.runtimes import Device, DeviceTable, device_precisions, runtimes
from wasinn_nb.widgets.pickers import targets
from wasinn_nb.widgets.pickers.targets import TargetPicker

TABLE = DeviceTable(
    [
        Device("CPU", "A processor"),
        Device("GPU.0", "A card"),
        Device("GPU.1", "Another card"),
        Device("NPU", reason="no driver"),
        Device("AUTO", "OpenVINO chooses among CPU, GPU.0, GPU.1"),
    ]
)


def test_targets(monkeypatch):
    monkeypatch.setattr(targets, "devices", lambda *_: TABLE)
    picker = TargetPicker()
    assert (picker.value, picker.precision, picker.ran) == ("CPU", "f32", "")
    assert [(o["key"], o["detail"], o["reason"], o["enabled"]) for o in picker._options] == [
        ("CPU", "A processor", "", True),
        ("GPU.0", "A card", "", True),
        ("GPU.1", "Another card", "", True),
        ("AUTO", "OpenVINO chooses among CPU, GPU.0, GPU.1", "", True),
        ("NPU", "", "not on this machine", False),
    ]
    assert [o.get("why") for o in picker._options] == [None, None, None, None, "no driver"]
    monkeypatch.setattr(targets, "devices", lambda *_: DeviceTable(TABLE[:1]))
    picker.refresh()
    assert brief(picker) == [("CPU", True, "")]


@pytest.mark.parametrize(
    ("target", "value", "reason"),
    [
        ("cpu", "CPU", ""),
        (0, "CPU", ""),
        (wn.ExecutionTarget.TPU, "NPU", "not on this machine"),
        ("GPU", "GPU", ""),  # OpenVINO takes the first
        ("AUTO:GPU.1,CPU", "AUTO:GPU.1,CPU", ""),
        ("AUTO:NPU,CPU", "AUTO:NPU,CPU", "NPU is not on this machine"),
        ("FPGA", "FPGA", "unknown execution target; here are CPU, GPU.0, GPU.1, AUTO"),
        ("X" * 9999, "X" * 9999, "unknown execution target; here are CPU, GPU.0, GPU.1, AUTO"),
    ],
)
def test_start_target(target, value, reason, monkeypatch):
    monkeypatch.setattr(targets, "devices", lambda *_: TABLE)
    picker = TargetPicker(target)
    assert picker.value == value
    assert (option_of(picker)["reason"], option_of(picker)["enabled"]) == (reason, not reason)
    assert len(option_of(picker)["title"]) < 130
    if isinstance(target, str):
        monkeypatch.setenv("WASINN_NB_TARGET", target)
        assert TargetPicker().value == value


def test_start_precision(monkeypatch):
    monkeypatch.setenv("WASINN_NB_PRECISION", "bf16")
    assert TargetPicker().precision == "bf16"
    assert TargetPicker(precision="device").precision == "device"
    monkeypatch.setenv("WASINN_NB_PRECISION", "fp16")
    picker = TargetPicker()
    assert picker.precision == "fp16"
    assert picker._message == "expected a precision of f32, f16, bf16, device, got 'fp16'"
    assert picker._precisions == ["f32", "f16", "bf16", "device"]


@pytest.fixture
def precisions(monkeypatch):
    """What each device has, as its runtime says; others are not known."""
    known = {("openvino", "CPU"): ("f32",), ("openvino", "GPU.0"): ("f32", "f16")}
    monkeypatch.setattr(targets, "devices", lambda *_: TABLE)
    monkeypatch.setattr(targets, "device_precisions", lambda one, engine: known.get((engine, one)))


def unsupported(picker):
    picker._receive(picker, {"type": "precisions"}, [])
    assert picker.wait(10)
    return picker._unsupported


def test_precisions_that_a_device_does_not_have_are_known_when_the_page_asks(precisions):
    picker = TargetPicker("CPU")
    assert picker._unsupported == {}
    assert unsupported(picker) == {
        "f16": "openvino does not compute in f16 on CPU here",
        "bf16": "openvino does not compute in bf16 on CPU here",
    }
    picker.value = "GPU.0"
    assert picker._unsupported == {}  # of another device
    assert list(unsupported(picker)) == ["bf16"]
    picker.value = "AUTO"
    assert unsupported(picker) == {}  # nothing is known


@pytest.mark.full
def test_what_a_processor_computes_in_is_what_a_graph_says():
    known = device_precisions("CPU", "openvino")
    assert known is not None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that another precision runs
        ran = {name: wn.Pipeline(precision=name).precision for name in ("f32", "f16", "bf16")}
    assert known == tuple(name for name, used in ran.items() if used == name)
    assert device_precisions("GPU.9", "openvino") is None


@pytest.mark.parametrize("engine", ["onnxruntime", "litert"])
def test_engines_with_one_precision(engine):
    if engine not in runtimes():
        pytest.skip(f"{engine} is not installed")
    assert device_precisions("CPU", engine) == ("f32",)


def test_no_target():
    with pytest.raises(InvalidArgumentError, match="unknown execution target 9"):
        TargetPicker(9)
