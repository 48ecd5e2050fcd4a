"""The pickers without a kernel: what they offer, what they take, what they say of the rest."""

from __future__ import annotations

import json
import threading

import pytest
from picked import brief

import wasinn_nb as wn
from wasinn_nb import catalog
from wasinn_nb.errors import DownloadError, InvalidArgumentError
from wasinn_nb.widgets.pickers import models
from wasinn_nb.widgets.pickers.images import ImagePicker
from wasinn_nb.widgets.pickers.models import ModelPicker
from wasinn_nb.widgets.pickers.picking import readable
from wasinn_nb.widgets.pickers.targets import TargetPicker

ADAS, SYNTH = "road-segmentation-adas-0001", "road-segmentation-synth-0001"


def option_of(picker, key=None):
    """Return the option *key*, or the one that is picked."""
    [found] = [option for option in picker._options if option["key"] == (key or picker.value)]
    return found


# ------------------------------------------------------------------------------------ all pickers


@pytest.mark.parametrize("make", [ModelPicker, ImagePicker, TargetPicker])
def test_every_picker(make):
    picker = make()
    assert option_of(picker)["enabled"]
    assert picker._message == ""
    assert picker.label == make.__name__.removesuffix("Picker")
    keys = [option["key"] for option in picker._options]
    assert len(set(keys)) == len(keys)
    assert "export default" in picker._esm
    assert ".wnb-picker" in picker._css
    for nonsense in (None, [], "download", {}, {"type": 3}, {"type": "upload"}, {"type": "folder"}):
        before = picker.value, picker._options
        picker._handle_custom_msg(nonsense, [])
        assert (picker.value, picker._options) == before
    picker.close()
    assert picker.comm is None
    picker.refresh()


@pytest.mark.parametrize("make", [ModelPicker, ImagePicker])
def test_value_that_the_page_cannot_be_sent(make):
    picker = make()
    before = picker.value
    with pytest.raises(InvalidArgumentError, match="expected a name or a path in UTF-8"):
        picker.value = "a\udcff.png"
    assert picker.value == before
    with pytest.raises(InvalidArgumentError, match="expected a name or a path in UTF-8"):
        make("a\udcff.png")


def test_value_set_by_code_gets_an_option():
    picker = TargetPicker()
    picker.value = "FPGA"
    reason = f"unknown execution target; here are {', '.join(wn.devices().here)}"
    assert option_of(picker) == {
        "key": "FPGA", "title": "FPGA", "detail": "", "reason": reason, "enabled": False,
    }  # fmt: skip
    picker.value = "CPU"
    picker.refresh()
    assert "FPGA" not in [option["key"] for option in picker._options]


def test_readable():
    assert readable("no\u00a0break, \u202etxt.png") == "no break, \\u202etxt.png"
    assert readable("x" * 10_000) == "x" * 59 + "…" + "x" * 59
    assert readable("\udcff") == r"\udcff"


# ---------------------------------------------------------------------------------------- models


@pytest.fixture
def own(monkeypatch, tmp_path):
    """Put models into a directory of WASINN_NB_PATH: one to use, and some that cannot be used."""

    def put(name, task=None, files=(".xml", ".bin")):
        home = tmp_path / "own" / name
        home.mkdir(parents=True)
        if task:
            (home / "card.json").write_text(json.dumps({"name": name, "task": task}))
        for suffix in files:
            (home / f"{name}{suffix}").write_bytes(b"<net />")

    put("plain")
    put("half", "segmentation", [".xml"])
    put("imagenet", "classification")
    put("only-card", "segmentation", [])
    put("only-card-too", "depth", [])
    put("spoiled", files=[])
    (tmp_path / "own/spoiled/card.json").write_text("{")
    monkeypatch.setenv("WASINN_NB_PATH", str(tmp_path / "own"))
    return tmp_path / "own"


def test_models_and_why_not(own):
    picker = ModelPicker()
    assert picker.value == SYNTH
    *sound, spoiled = brief(picker)
    no_address = "card only, without an address; put its files into a directory of WASINN_NB_PATH"
    assert sound == [
        (SYNTH, True, ""),
        ("plain", True, "no card: its classes and recipe are not known"),
        (ADAS, False, "not downloaded"),
        ("half", False, "half.bin is missing"),
        ("imagenet", False, "classification model; this needs segmentation"),
        ("only-card", False, no_address),
        ("only-card-too", False, "depth model; this needs segmentation"),
    ]
    assert spoiled[:2] == ("spoiled", False)
    assert "card.json" in spoiled[2]
    assert option_of(picker, ADAS) == {
        "key": ADAS,
        "title": ADAS,
        "detail": "segmentation · FP32, FP16, FP16-INT8",
        "reason": "not downloaded",
        "enabled": False,
        "action": {"name": "download", "title": "Download 0.9 MB"},
    }
    assert [o["key"] for o in picker._options if "action" in o] == [ADAS]


def test_offline_there_is_no_button(monkeypatch):
    monkeypatch.setenv("WASINN_NB_OFFLINE", "1")
    picker = ModelPicker()
    reason = "not downloaded (0.9 MB), and WASINN_NB_OFFLINE is set"
    assert brief(picker)[1] == (ADAS, False, reason)
    assert "action" not in option_of(picker, ADAS)
    picker.download(ADAS)
    assert picker._message == f"{ADAS} cannot be fetched: {reason}"


def test_start_model(own, monkeypatch):
    path = own / "plain/plain.xml"
    picker = ModelPicker(path)
    assert picker.value == str(path)
    assert option_of(picker) == {
        "key": str(path), "title": "plain.xml", "detail": "unknown", "reason": "", "enabled": True,
    }  # fmt: skip
    monkeypatch.chdir(own)
    assert ModelPicker("plain").value == "plain"
    assert ModelPicker(type(own)("plain")).value == "./plain", "a path is not a name"
    assert ModelPicker(wn.model()).value == str(wn.model().path)
    monkeypatch.setenv("WASINN_NB_MODEL", "plain")
    assert ModelPicker().value == "plain"
    assert ModelPicker(SYNTH).value == SYNTH
    monkeypatch.setenv("WASINN_NB_MODEL", "plane")
    picker = ModelPicker()
    assert picker.value == "plane"
    assert not option_of(picker)["enabled"]
    assert "no model 'plane'" in option_of(picker)["reason"]
    classifier = ModelPicker("imagenet/imagenet.xml")
    assert option_of(classifier)["reason"] == "classification model; this needs segmentation"


@pytest.mark.parametrize("value", ["no/such.xml", "\0.xml", "x" * 5000 + ".onnx", "", "/", "~x/y"])
def test_start_models_that_are_none(value, own):
    picker = ModelPicker(value)
    if value:  # without a name, the default is meant
        assert picker.value == value
        assert not option_of(picker)["enabled"]
        assert option_of(picker)["reason"]


def test_refresh_finds_what_has_come(own):
    picker = ModelPicker()
    (own / "half/half.bin").write_bytes(b"")
    assert not option_of(picker, "half")["enabled"]
    picker.refresh()
    assert option_of(picker, "half")["enabled"]


class Fetching:
    """Stands for `catalog.fetch`: tells its progress, and ends when it is let go."""

    def __init__(self, monkeypatch, error=None):
        self.calls, self.error = [], error
        self.halfway, self.go_on = threading.Event(), threading.Event()
        monkeypatch.setattr(catalog, "fetch", self)

    def __call__(self, name, *, progress):
        self.calls.append(name)
        progress(0, 200)
        for so_far in range(100):
            progress(so_far, 200)
        self.halfway.set()
        assert self.go_on.wait(30)
        if self.error:
            raise self.error


def test_download_once_with_progress(monkeypatch):
    monkeypatch.setattr(models, "_SECONDS_BETWEEN", 0)
    fetching = Fetching(monkeypatch)
    picker = ModelPicker()
    seen = []
    picker.observe(lambda change: seen.append(option_of(picker, ADAS).get("progress")), "_options")
    ask = {"type": "download", "name": ADAS}
    picker._handle_custom_msg(ask, [])
    picker._handle_custom_msg(ask, [])
    assert fetching.halfway.wait(30)
    assert not picker.wait(0)
    option = option_of(picker, ADAS)
    assert (option["reason"], option["progress"]) == ("being downloaded", 99 / 200)
    assert "action" not in option
    picker.refresh()
    assert option_of(picker, ADAS) == option
    fetching.go_on.set()
    assert picker.wait(30)
    assert fetching.calls == [ADAS]
    assert picker.value == ADAS
    assert seen[:-1] == [so_far / 200 for so_far in range(100)]
    assert seen[-1] is None


def test_progress_is_told_ten_times_a_second(monkeypatch):
    fetching = Fetching(monkeypatch)
    picker = ModelPicker()
    seen = []
    picker.observe(lambda change: seen.append(change["new"]), "_options")
    fetching.go_on.set()
    picker.download(ADAS)
    assert picker.wait(30)
    assert len(seen) < 20, "not one message for each of 101 chunks"


@pytest.mark.parametrize("error", [DownloadError("no route"), PermissionError("no room")])
def test_failed_download(error, monkeypatch):
    fetching = Fetching(monkeypatch, error)
    fetching.go_on.set()
    picker = ModelPicker()
    before = brief(picker)
    picker.download(ADAS)
    assert picker.wait(30)
    assert picker._message == str(error)
    assert (picker.value, brief(picker)) == (SYNTH, before)
    fetching.error = None
    picker.download(ADAS)
    assert picker.wait(30)
    assert (picker._message, picker.value) == ("", ADAS)


def test_closed_while_downloading(monkeypatch):
    fetching = Fetching(monkeypatch)
    picker = ModelPicker()
    picker.download(ADAS)
    assert fetching.halfway.wait(30)
    picker.close()
    fetching.go_on.set()
    assert picker.wait(30), "and nothing was raised: pytest would fail"


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("nonsense", "no such model is known"),
        (SYNTH, "it is here already"),
        ("x" * 9999, "no such"),
    ],
)
def test_what_cannot_be_downloaded(name, reason):
    picker = ModelPicker()
    picker.download(name)
    assert picker._message.startswith(f"{readable(name)} cannot be fetched: {reason}")
    assert picker.wait(0)
