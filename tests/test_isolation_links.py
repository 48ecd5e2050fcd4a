"""Guests that make links out of their folders: nothing is written there, and the run says it."""

from __future__ import annotations

import json
import os
import struct

import numpy as np
import pytest
from commands import shell
from hosting import command, doubling, escaped

import wasinn_nb as wn
from wasinn_nb.host import run_guest

pytestmark = pytest.mark.full

SYMLINK = """(import "wasi_snapshot_preview1" "path_symlink"
  (func $link (param i32 i32 i32 i32 i32) (result i32)))"""
CALLS = """
  (import "wasi_ephemeral_nn" "load_by_name" (func $load (param i32 i32 i32) (result i32)))
  (import "wasi_ephemeral_nn" "init_execution_context" (func $init (param i32 i32) (result i32)))
  (import "wasi_ephemeral_nn" "set_input" (func $set (param i32 i32 i32) (result i32)))"""
TARGET = "../outside/precious"


def linking(name, target=TARGET, *, sets_input=False):
    """Assemble a guest that links *name* to *target*, and may set an input of four ones."""
    calls = """
      (drop (call $load (i32.const 0) (i32.const 1) (i32.const 16)))
      (drop (call $init (i32.const 0) (i32.const 16)))
      (drop (call $set (i32.const 0) (i32.const 0) (i32.const 64)))"""
    record = struct.pack("<IIBxxxII", 96, 2, 1, 128, 16)
    content = {
        0: b"m",
        64: record,
        96: struct.pack("<II", 1, 4),
        128: np.ones(4, np.float32).tobytes(),
        256: os.fsencode(target),
        1024: os.fsencode(name),
    }
    data = "".join(f'(data (i32.const {at}) "{escaped(raw)}")' for at, raw in content.items())
    body = f"""{calls if sets_input else ""}
      (call $exit (call $link (i32.const 256) (i32.const {len(os.fsencode(target))})
        (i32.const 3) (i32.const 1024) (i32.const {len(os.fsencode(name))})))"""
    return command(body, f"{SYMLINK} {CALLS if sets_input else ''}", data)


@pytest.fixture
def folders(tmp_path):
    """Return the folder that a guest gets, and a file outside of it."""
    given, outside = tmp_path / "given", tmp_path / "outside"
    given.mkdir()
    outside.mkdir()
    (outside / "precious").write_text("precious")
    return given, outside / "precious"


@pytest.mark.parametrize("isolation", ["process", "thread"])
def test_a_link_that_a_guest_makes_is_reported(folders, isolation):
    given, precious = folders
    run = run_guest(linking("result.png"), dirs={".": given}, writable=True, isolation=isolation)
    assert run.exit_code == 0
    assert os.readlink(given / "result.png") == TARGET  # noqa: PTH115 - as it was made
    assert run.files == (given / "result.png",)
    assert (
        f"links that it made lead out of its directories: 'result.png' to '{TARGET}'; "
        "do not follow them"
    ) in run.notes
    assert "lead out of its directories" in repr(run)
    assert precious.read_text() == "precious"


def test_a_link_inside_is_not_reported(folders):
    given, _ = folders
    run = run_guest(linking("a", "b"), dirs={".": given}, writable=True)
    assert run.exit_code == 0
    assert run.notes == ()


def test_tensors_are_dumped_over_a_link_and_not_through_it(folders, tmp_path):
    """The guest knows what --dump-tensors will write, and links the name to a file outside."""
    given, precious = folders
    name = "input-0-1x4xf32.tensor"
    module = tmp_path / "linking.wasm"
    module.write_bytes(linking(name, sets_input=True))
    model = doubling(tmp_path)
    done = shell(
        *("run", module, "--dir", f".:{given}", "--nn-preload", f"m:{model}"),
        *("--dump-tensors", given, "--trace"),
    )
    assert done.returncode == 0, done.stderr
    assert "lead out of its directories" in done.stderr
    assert precious.read_text() == "precious"
    assert [path.name for path in precious.parent.iterdir()] == ["precious"]
    assert not (given / name).is_symlink()
    assert wn.read_tensor(given / name).to_array().tolist() == [[1, 1, 1, 1]]


def test_results_are_saved_over_a_link_and_not_through_it(folders, tmp_path):
    """The second thing that wrote through such links: segment --output."""
    given, precious = folders
    first = shell("segment", "--output", tmp_path / "names", "--json")
    names = [os.path.basename(path) for path in json.loads(first.stdout)["files"].values()]  # noqa: PTH119
    assert len(names) >= 2
    for name in names:
        run = run_guest(linking(name), dirs={".": given}, writable=True)
        assert (run.exit_code, len(run.notes)) == (0, 1)
    done = shell("segment", "--output", given)
    assert done.returncode == 0, done.stderr
    assert precious.read_text() == "precious"
    assert [path.name for path in precious.parent.iterdir()] == ["precious"]
    assert not any((given / name).is_symlink() for name in names)


def test_a_link_to_a_folder_outside(folders, tmp_path):
    given, precious = folders
    module = tmp_path / "linking.wasm"
    module.write_bytes(linking("out", "../outside", sets_input=True))
    done = shell(
        *("run", module, "--dir", f".:{given}", "--nn-preload", f"m:{doubling(tmp_path)}"),
        "--trace",
    )
    assert "'out' to '../outside'" in done.stderr
    assert precious.read_text() == "precious"
