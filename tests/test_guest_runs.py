"""Whole guests, and what is shown of their runs."""

import os
import struct
import subprocess
import sys
import textwrap
import types

import numpy as np
import pytest
from guest_models import MISBEHAVE, says
from hosting import (
    GUESTS,
    PAGE,
    command,
    escaped,
    in_thread,
    run_guest,
)
from PIL import Image
from tables import all_slow_but

from wasinn_nb import WasiNnCtx, image_to_bytes, read_tensor
from wasinn_nb.errors import (
    NotFoundError,
)
from wasinn_nb.host.commands import Invocation
from wasinn_nb.host.run import GuestRun
from wasinn_nb.host.wasi import Directory
from wasinn_nb.wasi_nn.trace import Trace

pytestmark = pytest.mark.usefixtures("isolation")
DUMP = "wasinn-openvino-inference-output-1x4x512x896xf32.tensor"


# -- whole guests ------------------------------------------------------------------------------


def image_file(path, size=(63, 41)):
    rng = np.random.default_rng(1)
    Image.fromarray(rng.integers(0, 256, (*size[::-1], 3), dtype=np.uint8)).save(path)
    return path


@pytest.mark.full
def test_road_guest_on_a_small_model(guest_models, tmp_path, capfd):
    image_file(tmp_path / "road.png")
    model = guest_models["road"]
    run = run_guest(
        GUESTS / "roadseg.wasm",
        ["/model/road.xml", "/model/road.bin", "road.png", "out"],
        {".": tmp_path, "/model": model.parent, "out": _made(tmp_path / "out")},
        writable=["out"],
    )
    assert run.exit_code == 0, run.stderr
    (given,), (output,) = run.inputs, run.outputs
    assert given.signature == "1x3x512x896xf32"
    raw = image_to_bytes(
        tmp_path / "road.png", 512, 896, "float32", layout="CHW", color="BGR", resize="triangle"
    )
    assert bytes(given.data) == bytes(raw)
    assert run.files == (tmp_path / "out" / DUMP,)
    assert read_tensor(run.files[0]) == output
    with WasiNnCtx() as ctx:
        graph = ctx.load(model)
        context = ctx.init_execution_context(graph)
        ctx.set_input(context, 0, given)
        ctx.compute(context)
        assert ctx.get_output(context, 0) == output
    counts = np.bincount(output.to_array()[0].argmax(0).ravel(), minlength=4)
    assert [int(line.split()[1]) for line in run.stdout.splitlines()[-4:]] == counts.tolist()
    assert capfd.readouterr().out == run.stdout
    assert list(run.seconds) == [
        *("compile", "guest code", "load", "init_execution_context"),
        *("set_input", "compute", "get_output", "total"),
    ]
    assert all(value > 0 for value in run.seconds.values())
    assert sum(list(run.seconds.values())[:-1]) <= run.seconds["total"] * 1.05


def _made(folder):
    folder.mkdir()
    return folder


@pytest.mark.full
def test_road_guest_says_how_to_let_it_write(guest_models, tmp_path):
    image_file(tmp_path / "road.png")
    dirs = {".": tmp_path, "m": guest_models["road"].parent}
    args = ["m/road.xml", "m/road.bin", "road.png"]
    run = run_guest(GUESTS / "roadseg.wasm", args, dirs, stream=False)
    assert run.exit_code == 1
    assert "cannot write ./wasinn" in run.stderr
    (note,) = run.notes
    assert note == (
        "read-only for the guest: '.', 'm'; writable= (on the command line: no :readonly) lets it "
        "write there"
    )
    assert len(run.outputs) == 1
    assert run_guest(GUESTS / "roadseg.wasm", args, dirs, writable=".", stream=False).exit_code == 0


def test_legacy_guest(guest_models, tmp_path):
    (tmp_path / "in.bin").write_bytes(bytes(range(8)))
    run = run_guest(
        GUESTS / "classify-legacy.wasm",
        ["bytes", "1x8", "in.bin", "out.bin"],
        {".": tmp_path},
        writable=True,
        models=guest_models,
        stream=False,
    )
    assert run.exit_code == 0, run.stderr
    assert (tmp_path / "out.bin").read_bytes() == bytes(range(0, 16, 2))
    assert run.dialect.value == "legacy"
    assert run.trace[2].note == "type 2 is u8: the guest uses the legacy dialect"
    xml = guest_models["bytes"]
    assert f"--nn-preload bytes:OpenVINO:CPU:{xml}:{xml.with_suffix('.bin')}" in (
        run.wasmedge_command()
    )
    assert run.wasmtime_command().startswith(f"mkdir -p bytes && cp {xml} bytes/model.xml && cp ")
    assert "nn-graph=openvino::bytes --dir" in run.wasmtime_command()


@in_thread
def test_names_of_the_catalog(monkeypatch, guest_models):
    def model(name, *, download):
        assert not download
        if name != "nobody-registered-me":
            raise NotFoundError(name)
        return types.SimpleNamespace(files=guest_models["road"])

    monkeypatch.setattr("wasinn_nb.catalog.model", model)
    run = run_guest(MISBEHAVE, ["nn-early", "nobody-registered-me"])
    assert run.exit_code == 5
    assert "nobody-registered-me:OpenVINO:CPU:" in run.wasmedge_command()


@pytest.mark.parametrize(("keep", "kept"), [("all", 1), ("last", 1), (None, 0)])
def test_keep(misbehave, keep, kept):
    run = misbehave("nn-small-buffer", "road", keep=keep)
    assert len(run.inputs) == kept
    assert run.outputs == []  # a refused get_output hands nothing over


@pytest.mark.slow
def test_tensors_beyond_the_memory_limit_are_let_go(guest_models):
    body = """(loop $l
      (drop (call $set (i32.const 0) (i32.const 0) (i32.const 64)))
      (global.set $n (i32.add (global.get $n) (i32.const 1)))
      (br_if $l (i32.lt_u (global.get $n) (i32.const 12000))))"""
    imports = """
      (import "wasi_ephemeral_nn" "load_by_name" (func $load (param i32 i32 i32) (result i32)))
      (import "wasi_ephemeral_nn" "init_execution_context"
        (func $init (param i32 i32) (result i32)))
      (import "wasi_ephemeral_nn" "set_input" (func $set (param i32 i32 i32) (result i32)))"""
    record = struct.pack("<IIBxxxII", 128, 2, 3, 256, 8) + bytes(44) + struct.pack("<II", 1, 8)
    module = command(
        """(drop (call $load (i32.const 0) (i32.const 5) (i32.const 16)))
           (drop (call $init (i32.const 0) (i32.const 16)))"""
        + body,
        imports,
        f'(global $n (mut i32) (i32.const 0)) (data (i32.const 0) "bytes") '
        f'(data (i32.const 64) "{escaped(record)}")',
    )
    run = run_guest(module, models=guest_models, memory_limit=PAGE)
    assert run.exit_code == 0
    assert len(run.trace) + run.trace.dropped == 12002
    assert len(run.trace) <= 10_000
    assert sum(tensor.nbytes for tensor in run.inputs) <= PAGE
    assert run.trace.tensors_dropped > 1_000
    assert len(repr(run).splitlines()) < 100
    assert "in the middle" in run.notes[0]
    assert "tensors, the oldest" in run.notes[1]


# -- showing -----------------------------------------------------------------------------------


def test_repr(misbehave):
    assert repr(misbehave("nn-graph")) == textwrap.dedent("""\
        GuestRun(misbehave.wasm: exit code 1, 1 WASI-NN call)
        #  call                    arguments         expected  got  errno
        0  init_execution_context  graph 4294967295                 invalid_argument
        #0 init_execution_context: no graph 4294967295; there is no graph yet
        note: read-only for the guest: '.'; writable= (on the command line: no :readonly) lets \
it write there""")
    assert repr(run_guest(MISBEHAVE, ["stdin"])) == (
        "GuestRun(misbehave.wasm: exit code 0, 0 WASI-NN calls)"
    )


def test_html(misbehave):
    run = run_guest(says("<b>bold</b>"), stream=False)
    html = run._repr_html_()
    assert "&lt;b&gt;bold&lt;/b&gt;" in html
    assert "<details><summary>stdout</summary>" in html
    assert "guest code" in html
    html = misbehave("nn-small-buffer", "road")._repr_html_()
    for name in ("load_by_name", "set_input", "compute", "get_output", "too_large", "1x3x512x896"):
        assert name in html


def test_commands_are_quoted():
    dirs = (
        Directory("/data", "my files", writable=False),
        Directory("out", "/srv/out", writable=True),
    )
    invocation = Invocation("my guest.wasm", ("$HOME", "a'b", "--x"), dirs, {"K": "v w"})
    named = {
        "a": "/srv/a/model.xml",
        "b": ["/m/b.xml", b"weights"],
        "c": "/m/c.onnx",
        "d": [b"x", b"y"],
    }
    run = GuestRun(invocation, Trace(), models=named)
    tail = """'my guest.wasm' '$HOME' 'a'"'"'b' --x"""
    assert run.wasmedge_command() == (
        "wasmedge --dir '/data:my files:readonly' --dir out:/srv/out --env 'K=v w' "
        "--nn-preload a:OpenVINO:CPU:/srv/a/model.xml:/srv/a/model.bin "
        "--nn-preload b:OpenVINO:CPU:/m/b.xml:b.bin --nn-preload c:ONNX:CPU:/m/c.onnx "
        f"--nn-preload d:OpenVINO:CPU:d.xml:d.bin {tail}"
    )
    assert run.wasmtime_command() == (
        "mkdir -p b && cp /m/b.xml b/model.xml && cp b.bin b/model.bin && "
        "mkdir -p c && cp /m/c.onnx c/model.onnx && "
        "mkdir -p d && cp d.xml d/model.xml && cp d.bin d/model.bin && "
        "wasmtime run -S nn,nn-graph=openvino::/srv/a,nn-graph=openvino::b,nn-graph=onnx::c,"
        "nn-graph=openvino::d "
        f"--dir 'my files::/data' --dir /srv/out::out --env 'K=v w' {tail}"
    )


@pytest.mark.full
def test_importing_the_package_does_not_import_wasmtime():
    script = "import sys, wasinn_nb; assert 'wasmtime' not in sys.modules"
    subprocess.run([sys.executable, "-c", script], check=True, env={**os.environ})


# -- the real model and image -------------------------------------------------------------


IMAGES = (
    *("rgb.png", "gray.png", "palette.png", "rgba.png", "tiny.png", "roadcrop.png"),
    "empty_road_mapillary.jpg",
)


@pytest.mark.parametrize("name", all_slow_but(IMAGES, "rgb.png", "empty_road_mapillary.jpg"))
def test_the_road_guest_gives_the_reference(shared, tmp_path, name):
    real = "road-segmentation-adas-0001"
    run = run_guest(
        GUESTS / "roadseg.wasm",
        [f"models/{real}.xml", f"models/{real}.bin", f"images/{name}", "out"],
        {"models": shared / "models", "images": shared / "images", "out": tmp_path},
        writable="out",
        stream=False,
    )
    assert run.exit_code == 0, run.stderr
    (given,), (output,) = run.inputs, run.outputs
    if name.endswith(".png"):
        raw = image_to_bytes(
            shared / "images" / name, 512, 896, "float32", layout="CHW", resize="triangle"
        )
        assert bytes(given.data) == bytes(raw)
    with WasiNnCtx(precision="f32") as ctx:
        context = ctx.init_execution_context(ctx.load(shared / "models" / f"{real}.xml"))
        ctx.set_input(context, 0, given)
        ctx.compute(context)
        native = ctx.get_output(context, 0).to_array()[0].argmax(0)
    labels = output.to_array()[0].argmax(0)
    assert np.count_nonzero(labels != native) == 0
    counts = np.bincount(labels.ravel(), minlength=4)
    assert read_tensor(tmp_path / DUMP) == output
    if name.endswith(".jpg"):
        # What the two JPEG decoders differ by: at most 2 of 255.
        assert np.abs(counts - [356456, 88026, 9992, 4278]).max() <= 20
    assert [int(line.split()[1]) for line in run.stdout.splitlines()[-4:]] == counts.tolist()
