"""What every test gets: an environment without settings of the person who runs it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

# Machines that run other things at the same time are slow now and then; that is no failure.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of the reference files."""
    named = os.environ.get("WASINN_NB_SHARED")
    folder = Path(named) if named else Path(__file__).resolve().parents[1] / "shared"
    if not folder.is_dir():
        pytest.skip("the shared reference files are not here (set WASINN_NB_SHARED)")
    return folder


@pytest.fixture(autouse=True)
def _own_settings(monkeypatch, tmp_path_factory):
    for name in list(os.environ):
        if name.startswith("WASINN_NB_") and name != "WASINN_NB_SHARED":
            monkeypatch.delenv(name)
    monkeypatch.setenv("WASINN_NB_CACHE", str(tmp_path_factory.mktemp("cache")))


@pytest.fixture
def data(monkeypatch, tmp_path):
    """An empty folder in the place of the shipped data."""
    folder = tmp_path / "data"
    folder.mkdir()
    from wasinn_nb.catalog import shipped

    monkeypatch.setattr(shipped, "data_dir", lambda: folder)
    return folder


@pytest.fixture
def own(monkeypatch, tmp_path):
    """A directory of the user's own, in WASINN_NB_PATH."""
    folder = tmp_path / "own"
    folder.mkdir()
    monkeypatch.setenv("WASINN_NB_PATH", str(folder))
    return folder
