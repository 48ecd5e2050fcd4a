"""Which files a guest's engine reaches: those that its models name, in their folders, no others."""

from __future__ import annotations

import json
import os
import sys

import numpy as np
import pytest
import toy_files
import toys
from hosting import command
from probing_engine import ProbingEngine

from wasinn_nb.abi import Errno, GraphEncoding
from wasinn_nb.cards import checked_files, companion_files
from wasinn_nb.cards.modelpath import belongs_to
from wasinn_nb.errors import RuntimeFailure
from wasinn_nb.host import run_guest
from wasinn_nb.host.reachable import reachable_files
from wasinn_nb.runtimes.openvino.models import read_model

LOADING = command(
    "(call $exit (call $load (i32.const 0) (i32.const 1) (i32.const 16)))",
    '(import "wasi_ephemeral_nn" "load_by_name" (func $load (param i32 i32 i32) (result i32)))',
    '(data (i32.const 0) "m")',
)


def onnx_with_weights(folder, locations, name="model.onnx"):
    """Write an ONNX model that adds two numbers for each location, and files with these numbers."""
    from onnx import TensorProto, numpy_helper

    model = toys.onnx_chain(["Add"] * len(locations))
    for number, location in enumerate(locations):
        model.graph.node[number].input.append(f"w{number}")
        weights = numpy_helper.from_array(np.array([[number, 1]], np.float32), f"w{number}")
        raw = weights.raw_data
        weights.ClearField("raw_data")
        weights.data_location = TensorProto.EXTERNAL
        weights.external_data.add(key="location", value=location)
        model.graph.initializer.append(weights)
        file = folder / location
        if not file.is_symlink():
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(raw)
    (folder / name).write_bytes(model.SerializeToString())
    return folder / name


def errno_and_note(model, runtime=None):
    """Load a model in a guest's process, and return the errno and what the trace says."""
    run = run_guest(LOADING, models={"m": model}, runtime=runtime, stream=False)
    if sys.platform == "linux":
        assert "landlock" in run.isolation or "without landlock" in run.isolation
    return run.exit_code, run.trace[0].note


# -- what belongs to a model -----------------------------------------------------------------------


def test_the_files_that_an_onnx_model_names(tmp_path):
    names = ["weights", "other name.dat", "below/more.bin"]
    path = onnx_with_weights(tmp_path, names)
    (tmp_path / "model.onnx.bak").write_bytes(b"not named")
    (tmp_path / "model.txt").write_bytes(b"not named")
    assert companion_files(path) == tuple(tmp_path / name for name in names)
    assert reachable_files([path]) == [str(path), *(str(tmp_path / name) for name in names)]
    assert reachable_files([[path]]) == reachable_files([str(path)]) == reachable_files([path])


def test_weights_of_another_name_are_those_that_are_given(tmp_path):
    xml, weights = toys.plus(3)
    (tmp_path / "graph.xml").write_bytes(xml)
    (tmp_path / "numbers.dat").write_bytes(weights)
    (tmp_path / "graph.txt").write_bytes(b"beside it")
    given = [tmp_path / "graph.xml", tmp_path / "numbers.dat"]
    assert reachable_files([given]) == list(map(str, given))
    assert reachable_files([[xml, tmp_path / "numbers.dat"]]) == [str(tmp_path / "numbers.dat")]
    assert reachable_files([[xml, weights], xml]) == []


def test_companions_of_other_formats(tmp_path):
    for name in ("g.xml", "g.bin", "p.pdmodel", "p.pdiparams", "t.pb", "c.meta", "c.index"):
        (tmp_path / name).write_bytes(b"<net " if name == "g.xml" else b"\x0a\x02xx")
    for name in ("c.data-00000-of-00002", "c.data-00001-of-00002", "c.txt", "g.txt", "p.txt"):
        (tmp_path / name).write_bytes(b"x")

    def names(main):
        return [path.name for path in companion_files(tmp_path / main)]

    assert names("g.xml") == ["g.bin"]
    assert names("p.pdmodel") == ["p.pdiparams"]
    assert names("t.pb") == []
    assert sorted(names("c.meta")) == [
        *("c.data-00000-of-00002", "c.data-00001-of-00002", "c.index"),
    ]


def test_the_files_of_a_folder(tmp_path):
    folder = tmp_path / "saved"
    (folder / "variables").mkdir(parents=True)
    (folder / "saved_model.pb").write_bytes(b"x")
    (folder / "variables" / "variables.index").write_bytes(b"x")
    (tmp_path / "secret").write_bytes(b"x")
    (folder / "stolen").symlink_to("../secret")
    assert companion_files(folder) == (
        folder / "saved_model.pb",
        folder / "variables" / "variables.index",
    )
    assert reachable_files([folder])[0] == str(folder)


def test_a_model_in_a_cache_of_links(tmp_path):
    """As downloaders keep them: the folder of a version holds links into a folder of contents."""
    blobs, version = tmp_path / "blobs", tmp_path / "snapshots" / "1"
    blobs.mkdir()
    version.mkdir(parents=True)
    path = onnx_with_weights(version, ["w.data"])
    for number, file in enumerate((path, version / "w.data")):
        os.replace(file, blobs / str(number))  # noqa: PTH105
        file.symlink_to(f"../../blobs/{number}")
    assert companion_files(path) == (version / "w.data",)
    checked_files([path], GraphEncoding.ONNX)
    with pytest.raises(RuntimeFailure, match="which is outside the base directory"):
        read_model([path], GraphEncoding.ONNX)  # OpenVINO takes no such links; ONNX Runtime does


def test_links_that_lead_out(tmp_path):
    folder = tmp_path / "models"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(bytes(8))
    (folder / "w.data").symlink_to(tmp_path / "secret")
    path = onnx_with_weights(folder, ["w.data"])
    assert not belongs_to(path, folder / "w.data")
    assert reachable_files([path]) == [str(path)]
    with pytest.raises(RuntimeFailure) as caught:
        read_model([path], GraphEncoding.ONNX)
    assert str(caught.value) == (
        f"{path}: expected the weights of 'w0' in a file in the model's folder, got a link, "
        "'w.data', that leads out of it: put the file itself there"
    )


@pytest.mark.parametrize("location", ["../secret", "/etc/passwd", "a/../../secret", ""])
def test_locations_outside_are_not_reached(tmp_path, location):
    folder = tmp_path / "models"
    folder.mkdir()
    path = onnx_with_weights(folder, ["w.data"])
    content = path.read_bytes()
    assert content.count(b"w.data") == 1
    from onnx import load_model_from_string

    model = load_model_from_string(content)
    model.graph.initializer[0].external_data[0].value = location
    path.write_bytes(model.SerializeToString())
    assert reachable_files([path]) == [str(path)]


def test_what_cannot_be_read_is_left_to_the_guest(tmp_path):
    (tmp_path / "cut.onnx").write_bytes(toys.onnx_relu()[:40])
    (tmp_path / "alone.xml").write_bytes(toys.plus(1)[0])
    models = [tmp_path / name for name in ("cut.onnx", "alone.xml", "missing.onnx")]
    assert reachable_files(models) == list(map(str, models))
    assert reachable_files([[], [7], 7, b"onnx", "", tmp_path]) == []


# -- in a guest's process --------------------------------------------------------------------------


@pytest.mark.full
@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_a_guest_loads_an_onnx_model_whose_weights_have_other_names(tmp_path, runtime):
    path = onnx_with_weights(tmp_path, ["numbers", "below/more.dat"])
    assert errno_and_note(path, runtime) == (0, "")


@pytest.mark.full
def test_a_guest_loads_an_ir_whose_weights_have_another_name(tmp_path):
    xml, weights = toys.plus(3)
    (tmp_path / "graph.xml").write_bytes(xml)
    (tmp_path / "elsewhere").mkdir()
    numbers = tmp_path / "elsewhere" / "numbers.dat"
    numbers.write_bytes(weights)
    assert errno_and_note([tmp_path / "graph.xml", numbers]) == (0, "")
    assert errno_and_note([xml, numbers]) == (0, "")


@pytest.mark.full
def test_a_guest_loads_models_of_other_formats(tmp_path, shared):
    (tmp_path / "p.pdmodel").write_bytes(toy_files.paddle_relu())
    (tmp_path / "p.pdiparams").write_bytes(b"")
    (tmp_path / "t.pb").write_bytes(toy_files.tensorflow_relu())
    folder = shared / "models/third-party/tf_saved_model"
    for model in (tmp_path / "p.pdmodel", tmp_path / "t.pb", folder):
        assert errno_and_note(model) == (0, "")


@pytest.mark.full
@pytest.mark.parametrize("runtime", ["openvino", "onnxruntime"])
def test_a_guest_is_told_of_weights_outside(tmp_path, runtime):
    folder = tmp_path / "models"
    folder.mkdir()
    (tmp_path / "secret").write_bytes(bytes(8))
    (folder / "w.data").symlink_to(tmp_path / "secret")
    path = onnx_with_weights(folder, ["w.data"])
    errno, note = errno_and_note(path, runtime)
    assert errno == Errno.RUNTIME_ERROR
    assert "a link, 'w.data', that leads out of it: put the file itself there" in note


@pytest.mark.full
@pytest.mark.skipif(sys.platform != "linux", reason="Landlock is Linux's")
def test_an_engine_reads_what_is_named_and_nothing_beside_it(tmp_path):
    path = onnx_with_weights(tmp_path, ["numbers", "below/more.dat"])
    beside = [tmp_path / name for name in ("model.txt", "model.onnx.bak", "below/secret")]
    for file in beside:
        file.write_bytes(b"secret")
    files = [path, tmp_path / "numbers", tmp_path / "below" / "more.dat", *beside]
    engine = ProbingEngine("read_each", *map(str, files))
    run = run_guest(LOADING, models={"m": path}, runtime=engine, stream=False)
    if "landlock" in run.isolation:
        assert json.loads(run.trace[0].note) == ["it could"] * 3 + ["PermissionError"] * 3
