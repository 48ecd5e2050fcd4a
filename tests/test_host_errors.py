"""What a computer refuses: pipes in place of files, a full disk, no memory, no descriptors."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import toys
from PIL import Image

import wasinn_nb as wn
from wasinn_nb import errors
from wasinn_nb.cards import ModelCard
from wasinn_nb.evaluation.pairs import images_in

wasmtime = pytest.importorskip("wasmtime")
pytestmark = [
    pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes"),
    pytest.mark.timeout(60),
]


# ------------------------------------------------------------------------- pipes, sockets, devices


@pytest.mark.parametrize("suffix", [".xml", ".onnx", ".tflite", ".bin", ".card.json"])
def test_pipes_among_models(own, suffix):
    os.mkfifo(own / f"pipe{suffix}")
    (own / "folder").mkdir()
    os.mkfifo(own / f"folder/folder{suffix}")
    os.mkfifo(own / "folder/card.json")
    toys.brightest_channel(own / "toy.xml")
    os.mkfifo(own / "toy.card.json")
    names = {entry.name for entry in wn.models()}
    assert "toy" in names
    assert "pipe" not in names
    with pytest.raises(errors.WasiNnError):
        wn.model(own / f"pipe{suffix}")


def test_pipes_among_images(tmp_path):
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "zero.png").symlink_to("/dev/zero")
    Image.new("RGB", (6, 4)).save(tmp_path / "a.png")
    assert [path.name for path in images_in(tmp_path)] == ["a.png"]
    picker = wn.ImagePicker(folder=tmp_path)
    assert picker.wait(30)
    enabled = {option["title"]: option["enabled"] for option in picker._options}
    assert [enabled[name] for name in ("a.png", "pipe.png", "zero.png")] == [True, False, False]
    picker.close()


def test_pipes_in_the_place_of_files(tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    folder = tmp_path / "folder"
    folder.mkdir()
    os.mkfifo(folder / "a.png")
    tensor = tmp_path / "a-1xu8.tensor"
    os.mkfifo(tensor)
    sidecar = tmp_path / "b-1xu8.tensor"
    sidecar.write_bytes(b"1")
    os.mkfifo(tmp_path / "b-1xu8.tensor.json")
    for path in (pipe, "/dev/zero"):
        for act in (
            wn.segment,
            wn.read_tensor,
            ModelCard.read,
            wn.SegmentationResult.load,
            wn.run_guest,
            wn.describe,
        ):
            with pytest.raises(errors.WasiNnError):
                act(path)
    for act in (
        lambda: wn.evaluate(folder, folder),
        lambda: wn.read_tensor(tensor),
        lambda: wn.Pipeline(card=pipe),
    ):
        with pytest.raises(errors.WasiNnError):
            act()
    assert wn.read_tensor(sidecar, [1], "u8").nbytes == 1


# ------------------------------------------------------------------------------------ a full disk

FULL = """
import resource, signal, sys
import numpy as np
import wasinn_nb as wn
from wasinn_nb.errors import UnwritableError

folder, what = sys.argv[1:]
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
chance = np.random.default_rng(0)
tensor = wn.Tensor.from_array(chance.random((1, 3, 64, 64), np.float32))
card = wn.ModelCard("toy", "segmentation", classes=("a", "b", "c"))
result = wn.SegmentationResult.from_scores(tensor.to_array(), card)
acts = {
    "tensor": lambda: tensor.write(f"{folder}/a-1x3x64x64xf32.tensor"),
    "result": lambda: result.save(folder),
    "page": lambda: wn.compare(result, result).write_html(f"{folder}/a.html"),
    "card": lambda: card.replace(description="x" * 40_000).write(f"{folder}/toy.onnx"),
}
resource.setrlimit(resource.RLIMIT_FSIZE, (2_000, resource.RLIM_INFINITY))
try:
    acts[what]()
except UnwritableError as error:
    print(error)
"""


@pytest.mark.full
@pytest.mark.parametrize("what", ["tensor", "result", "page", "card"])
def test_files_that_do_not_fit(tmp_path, what):
    (tmp_path / "toy.onnx").write_bytes(toys.onnx_relu())
    before = sorted(tmp_path.iterdir())
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(tmp_path), what],
        env=os.environ | {"PYTHONPATH": str(Path(wn.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "File too large" in done.stdout, done.stdout + done.stderr
    assert "unchanged" in done.stdout
    assert sorted(tmp_path.iterdir()) == before


# ------------------------------------------------------------------------------ on a guest's behalf


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (OSError(24, "Too many open files"), "Too many open files"),
        (MemoryError(), "not enough memory"),
        (np.exceptions.AxisError("x"), None),
    ],
)
def test_errors_on_a_guests_behalf(monkeypatch, error, reason):
    def fail(self, context):
        raise error

    monkeypatch.setattr(wn.WasiNnCtx, "compute", fail)
    module = wasmtime.wat2wasm("""(module
      (import "wasi_ephemeral_nn" "compute" (func $compute (param i32) (result i32)))
      (import "wasi_snapshot_preview1" "proc_exit" (func $exit (param i32)))
      (memory (export "memory") 1)
      (func (export "_start") (call $exit (call $compute (i32.const 7)))))""")
    if reason is None:  # a bug of ours is not hidden
        with pytest.raises(type(error)):
            wn.run_guest(bytes(module), stream=False, isolation="thread")
        return
    run = wn.run_guest(bytes(module), stream=False, isolation="thread")
    assert run.exit_code == wn.Errno.RUNTIME_ERROR
    (call,) = run.trace
    assert call.errno is wn.Errno.RUNTIME_ERROR
    assert call.note == f"the host failed: {reason}"
