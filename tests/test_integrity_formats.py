"""Files of ONNX, TensorFlow and any bytes that cannot be right."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import toy_files
import toys
from hypothesis import given
from hypothesis import strategies as st
from refusals import AUTODETECT, F32, LFS, ONNX, OPENVINO, refusal

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.integrity import checked_encoding, checked_files
from wasinn_nb.cards.metadata import stated
from wasinn_nb.errors import MissingFileError, RuntimeFailure, WasiNnError
from wasinn_nb.runtimes.openvino.models import read_model

# -- ONNX ------------------------------------------------------------------------------------------


def onnx_plus(folder, location="w.data", **entries):
    """Write an ONNX model that adds (1, 2), its weights in a file of their own."""
    from onnx import TensorProto, helper, numpy_helper

    model = toys.onnx_chain(["Relu"])
    weights = numpy_helper.from_array(np.array([[1, 2]], F32), "w")
    model.graph.node[0].CopyFrom(helper.make_node("Add", ["x", "w"], ["y"]))
    model.graph.initializer.append(weights)
    stored = model.graph.initializer[0]
    raw = stored.raw_data
    stored.ClearField("raw_data")
    stored.data_location = TensorProto.EXTERNAL
    for key, value in {"location": location, **entries}.items():
        stored.external_data.add(key=key, value=str(value))
    (folder / "toy.onnx").write_bytes(model.SerializeToString())
    return folder / "toy.onnx", raw


@pytest.mark.parametrize("entries", [{}, {"offset": 4, "length": 8}])
def test_weights_beside_an_onnx_model(tmp_path, entries):
    path, raw = onnx_plus(tmp_path, **entries)
    (tmp_path / "w.data").write_bytes(bytes(entries.get("offset", 0)) + raw)
    assert stated([path]).weights == (tmp_path / "w.data",)
    assert len(read_model([path], AUTODETECT).inputs) == 1
    (tmp_path / "w.data").write_bytes(bytes(entries.get("offset", 0)) + raw[:-1])
    needed = 8 + entries.get("offset", 0)
    assert refusal([path]) == (
        f"{path}: expected at least {needed} bytes of weights in 'w.data' (for tensor 'w'), got "
        f"{needed - 1}: copy it again, whole"
    )
    (tmp_path / "w.data").write_bytes(LFS)
    assert refusal([path], ONNX) == (
        f"{path}: expected at least {needed} bytes of weights in 'w.data' (for tensor 'w'), got "
        f"{len(LFS)}, a Git LFS pointer, not the file itself: run 'git lfs pull'"
    )
    (tmp_path / "w.data").unlink()
    message = refusal([path], ONNX, MissingFileError)
    assert message.startswith(
        f"the ONNX model has weights in 'w.data', which is missing: put the file beside the model "
        f"(no weights at {tmp_path / 'w.data'} "
    )


@pytest.mark.parametrize(
    "location",
    ["../w.data", "a/../../w.data", "/etc/passwd", "C:\\w.data", "..\\w.data", "\\\\s\\w", ""],
)
def test_weights_outside_the_models_folder(tmp_path, location):
    (tmp_path / "w.data").write_bytes(bytes(8))
    folder = tmp_path / "models"
    folder.mkdir()
    path, _ = onnx_plus(folder, location)
    expected = (
        f"expected the weights of 'w' in a file in the model's folder, got the path "
        f"{location!r}: save the model again, with its weights beside it"
    )
    for builder, named in ((path, f"{path}: "), (path.read_bytes(), "")):
        assert refusal([builder]) == f"{named}{expected}"
        with pytest.raises(RuntimeFailure) as caught:
            stated([builder])
        assert str(caught.value) == f"{named}{expected}"


@pytest.mark.parametrize("entry", ["offset", "length"])
@pytest.mark.parametrize("value", ["-1", "1e3", "", "9" * 30])
def test_places_that_no_file_has(tmp_path, entry, value):
    path, raw = onnx_plus(tmp_path, **{entry: value})
    (tmp_path / "w.data").write_bytes(raw)
    assert refusal([path]) == (
        f"{path}: expected the {entry} of the weights of 'w' as a whole number, got {value!r}: the "
        f"ONNX file is damaged; export it again"
    )


def test_bytes_cannot_name_other_files(tmp_path, monkeypatch):
    path, raw = onnx_plus(tmp_path)
    (tmp_path / "w.data").write_bytes(raw)
    monkeypatch.chdir(tmp_path)  # OpenVINO would look here
    for encoding in (ONNX, AUTODETECT):
        assert refusal([path.read_bytes()], encoding) == (
            "expected an ONNX model with its weights inside, got bytes with weights in 'w.data': "
            "bytes cannot name other files; load the model from its path, or save it with its "
            "weights inside (onnx.save of onnx.load)"
        )


@pytest.mark.parametrize("domain", ["", "com.me"])
@pytest.mark.parametrize("encoding", [ONNX, AUTODETECT])
def test_unknown_operators_are_named(tmp_path, capfd, domain, encoding):
    content = toys.onnx_chain(["Foo"], domain=domain).SerializeToString()
    builders = [content]
    for name in ("toy.onnx", "toy.pb", "toy"):
        (tmp_path / name).write_bytes(content)
        builders.append(tmp_path / name)
    for builder in builders:
        message = refusal([builder], encoding)
        assert "No conversion rule found for operations: " + (domain and f"{domain}.") in message
        assert "Foo" in message
        assert message.endswith("or run it with the runtime that defines these")
    assert capfd.readouterr() == ("", "")


def test_a_graph_without_inputs_or_outputs_is_never_accepted():
    from onnx import helper, numpy_helper

    constant = helper.make_node(
        "Constant", [], ["y"], value=numpy_helper.from_array(np.ones(2, F32))
    )
    model = toys.onnx_chain(["Relu"])
    model.graph.node[0].CopyFrom(constant)
    del model.graph.input[:]
    counts = [(model.SerializeToString(), "0 inputs and 1 output")]
    del model.graph.node[:], model.graph.output[:]
    counts.append((model.SerializeToString(), "0 inputs and 0 outputs"))
    for content, count in counts:
        assert refusal([content]) == (
            f"expected a model with inputs and outputs, got {count}: the file is not a model of "
            f"encoding onnx, or is not one to run; convert the original model again"
        )


# -- TensorFlow Lite and TensorFlow ----------------------------------------------------------------


def test_custom_operations_are_named(shared):
    path = shared / "models/third-party/segm_lite_v681.tflite"
    for builder in (path, path.read_bytes()):
        for encoding in (AUTODETECT, GraphEncoding.TENSORFLOWLITE):
            name = "segm_lite_v681.tflite: " if builder == path else ""
            assert refusal([builder], encoding) == (
                f"{name}OpenVINO does not have the operation Convolution2DTransposeBias, which is "
                "not one of TensorFlow Lite's own; convert the original model without it, or run "
                "the file with the runtime that defines it (runtime='litert' has those of "
                "MediaPipe)"
            )


def test_custom_operations_of_a_toy():
    tensors = [toy_files.tflite_tensor(name, (1, 2)) for name in "xyz"]
    message = refusal([toy_files.tflite(tensors, [19, "MyOperation"])])
    assert message.startswith("OpenVINO does not have the operation MyOperation, which is not one")


@pytest.mark.parametrize("name", ["toy.tflite", "TOY.TFLITE", "toy.lite", "toy"])
def test_tflite_files_of_any_name(tmp_path, name, capfd):
    (tmp_path / name).write_bytes(toy_files.tflite_relu())
    assert read_model([tmp_path / name], AUTODETECT).input(0).get_any_name() == "x"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("encoding", [AUTODETECT, GraphEncoding.TENSORFLOW])
def test_saved_model_folders_are_read(shared, encoding):
    # This one computes from constants: it has outputs and no input.
    model = read_model([shared / "models/third-party/tf_saved_model"], encoding)
    assert [port.get_any_name() for port in model.outputs] == ["expensive", "MULTIPLIED"]


# -- files that are cut off, and any bytes ---------------------------------------------------------

WHOLE = {
    "ir": toys.plus(3),
    "onnx": [toys.onnx_relu()],
    "tflite": [toy_files.tflite_relu()],
    "tensorflow": [toy_files.tensorflow_relu()],
    "paddle": [toy_files.paddle_relu()],
}


@pytest.mark.parametrize("kind", WHOLE)
def test_a_model_cut_off_anywhere(kind):
    first, *rest = WHOLE[kind]
    assert read_model([first, *rest], AUTODETECT).outputs
    for length in range(0, len(first), 7):
        with contextlib.suppress(WasiNnError):
            read_model([first[:length], *rest], AUTODETECT)


@given(st.binary(max_size=100), st.sampled_from(sorted(GraphEncoding)))
def test_any_bytes_at_all(content, encoding):
    for files in ([content], [content, content], [toy_files.tflite_relu()[:8] + content]):
        with contextlib.suppress(WasiNnError):
            checked_files(files, checked_encoding(files, encoding))


XML = toys.plus(3)[0]


@given(st.binary(max_size=20), st.integers(0, len(XML)))
def test_any_weights_and_any_xml(weights, place):
    files = [XML[:place] + weights + XML[place + len(weights) :], weights]
    with contextlib.suppress(WasiNnError):
        checked_files(files, OPENVINO)
