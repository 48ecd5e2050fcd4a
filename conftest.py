"""What every test gets: an environment without settings of the person who runs it."""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadFileScheduling

# Machines that run other things at the same time are slow now and then; that is not a failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")

MARKS = {"slow", "full", "quick"}
# Fixtures: programs that may be missing, and files that may be.
FULL = {"browser", "shared", "wasmedge_program", "wasmtime_program"}


def pytest_itemcollected(item: pytest.Item) -> None:
    """Give a test the mark that the Makefile picks it by.

    A new test is quick until its mark, or the fixture that it asks for, says otherwise.
    """
    if not MARKS.intersection(mark.name for mark in item.iter_markers()):
        needs = FULL.intersection(getattr(item, "fixturenames", ()))
        item.add_marker("full" if needs else "quick")


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadFileScheduling:
    """Keep a file's tests on one worker, and all that share Chromium and JupyterLab."""

    class ByServer(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            browser = "tests/browser"
            return browser if nodeid.startswith(browser) else super()._split_scope(nodeid)

    return ByServer(config, log)


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of the reference files."""
    named = os.environ.get("WASINN_NB_SHARED")
    folder = Path(named) if named else Path(__file__).resolve().parents[1] / "shared"
    if not folder.is_dir():
        pytest.skip("the shared reference files are not here (set WASINN_NB_SHARED)")
    return folder


@pytest.fixture(scope="session")
def _caches(tmp_path_factory):
    """Names of folders that are not there yet."""
    root = tmp_path_factory.mktemp("caches")
    return (str(root / str(number)) for number in itertools.count())


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch, _caches):
    for name in list(os.environ):
        if name.startswith("WASINN_NB_") and name != "WASINN_NB_SHARED":
            monkeypatch.delenv(name)
    monkeypatch.setenv("WASINN_NB_CACHE", next(_caches))


@pytest.fixture(autouse=True)
def _names_in_examples(doctest_namespace):
    """Let examples use ``wn``, as they do on the pages of the documentation."""
    import wasinn_nb

    doctest_namespace["wn"] = wasinn_nb


@pytest.fixture
def data(monkeypatch, tmp_path):
    """An empty folder in the place of the shipped data."""
    folder = tmp_path / "data"
    folder.mkdir()
    from wasinn_nb.catalog.finding import shipped

    monkeypatch.setattr(shipped, "data_dir", lambda: folder)
    return folder


@pytest.fixture
def own(monkeypatch, tmp_path):
    """A directory of the user's own, in WASINN_NB_PATH."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("WASINN_NB_PATH", str(folder))
    return folder
