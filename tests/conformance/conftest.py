"""The engines of the suites, one of them from another package."""

from __future__ import annotations

import sys
from importlib import invalidate_caches

import pytest

from conformance.engines import ENGINES
from wasinn_nb import registry
from wasinn_nb.runtimes.registry import runtime


def _forget() -> None:
    """Clear what is kept of entry points."""
    invalidate_caches()
    for kept in vars(registry).values():
        if hasattr(kept, "cache_clear"):
            kept.cache_clear()


@pytest.fixture(scope="package", autouse=True)
def _toy_engine(tmp_path_factory):
    """`ToyEngine`, installed as a package is: by the metadata of its distribution."""
    site = tmp_path_factory.mktemp("site-packages")
    info = site / "toy_engine-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: toy-engine\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[wasinn_nb.runtimes]\ntoy = conformance.toy_engine:ToyEngine\n"
    )
    sys.path.append(str(site))
    _forget()
    yield
    sys.path.remove(str(site))
    _forget()


@pytest.fixture(params=ENGINES, ids=str)
def engine(request):
    """A runtime, and a format that it reads."""
    return request.param


@pytest.fixture
def runner(engine):
    """The runtime itself."""
    return runtime(engine.runtime)
