"""The shipped WebAssembly guests are what the sources in ``guests/`` give."""

import importlib.util
import json
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHIPPED = ROOT / "data" / "guests"
BUILD = ROOT / "guests" / "build.py"

if not BUILD.exists():
    pytest.skip("an installed package has no guest sources", allow_module_level=True)


def load_build():
    """Import guests/build.py, which is a script and in no package."""
    spec = importlib.util.spec_from_file_location("guests_build", BUILD)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # where dataclass looks for its class's module
    spec.loader.exec_module(module)
    return module


build = load_build()
RECORDS = json.loads((SHIPPED / build.RECORD).read_text(encoding="utf-8"))

each_guest = pytest.mark.parametrize("guest", build.GUESTS, ids=lambda guest: guest.name)


def test_every_folder_is_built_and_every_module_recorded():
    folders = {path.name for path in BUILD.parent.iterdir() if path.is_dir()} - {"__pycache__"}
    modules = {path.name for path in SHIPPED.glob("*.wasm")}
    assert folders == {guest.name for guest in build.GUESTS}
    assert modules == set(RECORDS) == {guest.module for guest in build.GUESTS}


@each_guest
def test_shipped_module_is_the_recorded_one(guest):
    row = RECORDS[guest.module]
    module = SHIPPED / guest.module
    assert build.sha256(module) == row["sha256"]
    assert module.stat().st_size == row["bytes"]


@each_guest
def test_sources_are_those_it_was_built_from(guest):
    row = RECORDS[guest.module]
    hint = "the sources changed after the build: run python guests/build.py"
    assert build.sources(guest) == row["sources"], hint
    assert guest.flags == row["flags"], hint


@each_guest
@pytest.mark.slow
def test_building_again_gives_the_same_bytes(guest, tmp_path):
    if lacking := build.missing(guest):
        pytest.skip(f"building {guest.name} needs {' '.join(lacking)}")
    there, here = RECORDS[guest.module]["built_with"], build.package_versions(guest)
    # Another compiler gives other bytes. The assembler of the text format does not choose any.
    if guest.packages and there != here:
        pytest.skip(f"{guest.name} was built with {there}, and here is {here}")
    module = build.build(guest, tmp_path)
    assert module.read_bytes() == (SHIPPED / guest.module).read_bytes()


def test_a_guest_that_does_not_compile_says_why(tmp_path):
    pytest.importorskip("wasmtime")
    source = tmp_path / "broken"
    source.mkdir()
    (source / "broken.wat").write_text("(module (func $f (unknown)))", encoding="utf-8")
    with pytest.raises(build.BuildError, match=r"broken\.wat: .*unknown"):
        build.compile_wat(source, tmp_path / "broken.wasm")
    assert not (tmp_path / "broken.wasm").exists()


def test_missing_packages_are_named(tmp_path):
    guest = build.Guest("nothing", build.compile_c, [], ("no-such-package-of-debian",))
    with pytest.raises(build.BuildError, match="needs no-such-package-of-debian"):
        build.build(guest, tmp_path)
