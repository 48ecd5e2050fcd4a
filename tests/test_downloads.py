"""Downloads from a server that truncates, corrupts, stalls, drips, redirects and refuses."""

from __future__ import annotations

import hashlib

import pytest
from downloading import (
    BIN,
    HALF,
    XML,
    cached,
    fetch_fails,
    made_server,
    made_toy,
    partial,
)

from wasinn_nb import catalog
from wasinn_nb.errors import NotFoundError
from wasinn_nb.widgets.pickers.models import ModelPicker


@pytest.fixture
def server(monkeypatch):
    yield from made_server(monkeypatch)


@pytest.fixture
def toy(server, monkeypatch, tmp_path):
    """Put a card of a model "toy", to be fetched from `server`, into the shipped data."""
    return made_toy(server, monkeypatch, tmp_path)


# ------------------------------------------------------------------------------------ it works


def test_pair_is_fetched_once_and_checked(toy):
    model = catalog.fetch("toy")
    assert repr(model) == "Model(toy FP16, segmentation, from cache)"
    assert [path.read_bytes() for path in model.files] == [XML, BIN]
    assert model.verified
    assert model.sha384 == {
        "toy.xml": hashlib.sha384(XML).hexdigest(),
        "toy.bin": hashlib.sha384(BIN).hexdigest(),
    }
    assert sorted(path.name for path in cached().iterdir()) == ["toy.bin", "toy.xml"]
    assert partial() == {}
    assert catalog.fetch("toy") == model
    assert catalog.model("toy") == model
    assert toy.asked == [("toy.xml", None), ("toy.bin", None)]


def test_model_fetches_what_is_not_here(toy):
    assert str(catalog.models()).splitlines()[1:] == [
        "toy   segmentation  FP16, FP32  not here  not downloaded (220 kB)",
        "- wn.model('toy') fetches it",
    ]
    with pytest.raises(NotFoundError, match=r"^toy is not here: not downloaded \(220 kB\); "):
        catalog.model("toy", download=False)
    assert toy.asked == []
    assert catalog.model("toy", "fp32").precision == "FP32"
    assert str(catalog.models()).splitlines()[1:] == ["toy   segmentation  FP32        cache"]
    assert catalog.model("toy").precision == "FP32", "what is here goes before what is not"


def test_redirect_is_followed(toy):
    toy.tricks["toy.xml"] = ("once", "redirect", "toy.xml")
    assert catalog.fetch("toy").verified


def test_progress_bar_in_a_terminal_only(toy, capsys, monkeypatch):
    catalog.fetch("toy", "FP16")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    catalog.fetch("toy", "FP32", progress=False)
    assert capsys.readouterr().err == ""
    import shutil

    shutil.rmtree(cached("FP32"))
    catalog.fetch("toy", "FP32")
    assert "toy: 100%" in capsys.readouterr().err


def test_progress_is_reported_to_a_callable(toy, capsys, monkeypatch):
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    reports = []
    catalog.fetch("toy", progress=lambda *bytes_: reports.append(bytes_))
    assert reports[:2] == [(0, 220_016), (0, 220_016)], "at the start, and when a file begins"
    assert reports[2] == (8192, 220_016)
    assert reports == sorted(reports)
    assert reports[-1] == (220_016, 220_016)
    assert capsys.readouterr().err == ""
    catalog.fetch("toy", progress=lambda *bytes_: pytest.fail("it is here already"))


def test_progress_of_a_resumed_download_begins_where_the_last_ended(toy):
    toy.tricks["toy.bin"] = ("truncate", HALF)
    fetch_fails()
    del toy.tricks["toy.bin"]
    reports = []
    catalog.fetch("toy", progress=lambda so_far, _: reports.append(so_far))
    assert reports[:3] == [0, len(XML), len(XML) + HALF]
    assert reports[-1] == len(XML) + len(BIN)


def test_callable_that_raises_ends_the_download(toy):
    def enough(so_far, in_all):
        if so_far > in_all // 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        catalog.fetch("toy", progress=enough)
    assert partial()["toy.bin.part"] > 0
    assert catalog.fetch("toy").verified


def test_picker_fetches_and_picks(toy):
    picker = ModelPicker("toy")
    [option] = picker._options
    assert option["action"] == {"name": "download", "title": "Download 220 kB"}
    toy.tricks["toy.bin"] = ("once", "status", 503)
    picker.download("toy")
    assert picker.wait(30)
    assert "the server answered 503 Service Unavailable" in picker._message
    assert picker._options == [option]
    picker.download("toy")
    assert picker.wait(30)
    assert (picker._message, picker.value) == ("", "toy")
    [option] = picker._options
    assert (option["enabled"], option["detail"]) == (True, "segmentation · FP16")
    picker.download("toy")
    assert picker._message == "toy cannot be fetched: it is here already"
