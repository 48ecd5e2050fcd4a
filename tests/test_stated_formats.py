"""What files of TensorFlow Lite and other formats state, whole or damaged."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import toy_files
import toys
from hypothesis import example, given
from hypothesis import strategies as st
from stated import F32, ULTRALYTICS, ir_with, operations, ports

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.metadata import Stated, stated
from wasinn_nb.cards.ports import Port, Signature, port_of
from wasinn_nb.errors import MissingFileError, RuntimeFailure, WasiNnError

# -- TensorFlow Lite -------------------------------------------------------------------------------


def test_tflite_says_its_main_graph():
    tensors = [
        toy_files.tflite_tensor("image", (1, 4, -1, 3), 3, (0.5, 128)),
        toy_files.tflite_tensor("scores", (1, 4, 6, 2), 0),
        toy_files.tflite_tensor("back", (1, 48), 9, (0.25, -3)),
    ]
    assert stated([toy_files.tflite(tensors, [14, 114])]) == Stated(
        GraphEncoding.TENSORFLOWLITE,
        Signature(
            (port_of("image", (1, 4, None, 3), "u8", quantization=(0.5, 128)),),
            (port_of("back", (1, 48), "i8", operation="Sigmoid", quantization=(0.25, -3)),),
        ),
        producer="toys",
        version="schema 3",
    )


@pytest.mark.parametrize(
    ("chain", "operation"),
    [
        ([25], "Softmax"),
        ([50, 22], "LogSoftmax"),
        ([56, 53], "ArgMax"),
        ([14, 22, 39, 43, 53, 70, 114, 6], "Sigmoid"),
        ([22], ""),  # the input, passed on
        ([3, 22, 0, 23], "Conv"),  # its bias is added, the sum is resized
        ([67, 0], "ConvTranspose"),
        ([3, 0, 0], "Add"),
        ([200], "builtin 200"),
        (["MyOperation"], "MyOperation"),
    ],
)
def test_the_operation_behind_a_tflite_output(chain, operation):
    tensors = [toy_files.tflite_tensor(f"t{index}", (1, 2)) for index in range(len(chain) + 1)]
    found = stated([toy_files.tflite(tensors, chain)])
    assert operations(found) == [operation]
    custom = {"custom operations": "MyOperation"} if chain == ["MyOperation"] else {}
    assert found.facts == custom


def metadata_of(*, color=1, mean=(127.5,), std=(127.5,), labels=(), name="toy"):
    """Return TFLITE_METADATA of an image and its labels: (file name, type, locale) each."""
    normalization = {0: np.array(mean, F32), 1: np.array(std, F32)}
    image = {
        0: "image",
        1: "a small image",
        3: {0: np.uint8(2), 1: {0: np.int8(color)}},
        4: [{0: np.uint8(1), 1: normalization}],
    }
    files = [{0: file, 2: np.int8(kind), 3: locale} for file, kind, locale in labels]
    return {0: name, 2: "v1", 3: [{2: [image], 3: [{0: "scores", 6: files}]}], 4: "me"}


def with_metadata(metadata, type_=0, files=None):
    tensors = [
        toy_files.tflite_tensor("x", (1, 4, 6, 3), type_),
        toy_files.tflite_tensor("y", (1, 2)),
    ]
    return stated([toy_files.tflite(tensors, [14], metadata, files)])


@pytest.mark.parametrize(
    ("metadata", "type_", "recipe"),
    [
        (
            metadata_of(),
            0,
            {"color": "RGB", "range": (0, 255), "mean": (127.5,) * 3, "scale": (127.5,) * 3},
        ),
        (
            metadata_of(color=2, mean=(1, 2, 3), std=(4, 5, 6)),
            1,
            {"color": "GRAY", "range": (0, 255), "mean": (1, 2, 3), "scale": (4, 5, 6)},
        ),
        (metadata_of(), 3, {"color": "RGB", "range": (0, 255)}),  # bytes go in as they are
        (metadata_of(color=0), 9, {}),
        (metadata_of(std=(0,)), 0, {"color": "RGB"}),
        (metadata_of(mean=(1, 2)), 0, {"color": "RGB"}),
        (metadata_of(mean=(np.nan,)), 0, {"color": "RGB"}),
    ],
)
def test_color_and_normalization(metadata, type_, recipe):
    found = with_metadata(metadata, type_)
    assert found.recipe == recipe
    facts = {"name": "toy", "version": "v1", "author": "me", "input 0": "a small image"}
    raw = "mean (127.5, 127.5, 127.5), std (127.5, 127.5, 127.5), of the values before quantization"
    assert found.facts == facts | ({"normalization": raw} if type_ in {3, 9} else {})


@pytest.mark.parametrize(
    ("labels", "files", "classes"),
    [
        ([("a.txt", 2, "")], {"a.txt": "road\nsky\n"}, ("road", "sky")),
        ([("a.txt", 3, "")], {"a.txt": "road\r\nlight sky\r\n\r\n"}, ("road", "light sky")),
        (
            [("id.txt", 3, ""), ("en.txt", 3, "en")],
            {"id.txt": "/m/1\n", "en.txt": "road"},
            ("road",),
        ),
        ([("vocab.txt", 5, "")], {"vocab.txt": "a\nb"}, ()),  # a vocabulary, not labels
        ([("gone.txt", 2, "")], {"labelmap.txt": "road\nsky"}, ("road", "sky")),
        ([], {"labels.txt": "road\nsky"}, ("road", "sky")),
        ([], {"labels.txt": "road\n\nsky"}, ("road", "class 1", "sky")),
        ([], {"labels.txt": "x" * (5 << 20)}, ()),
        ([("a.txt", 2, "")], None, ()),
    ],
)
def test_labels_in_the_archive_at_the_end(labels, files, classes):
    assert with_metadata(metadata_of(labels=labels), files=files).classes == classes


def test_tasks_by_the_names_of_tensorflows_metadata_writers():
    assert with_metadata(metadata_of(name="ImageSegmenter")).task == "segmentation"
    assert with_metadata(metadata_of(name="ImageClassifier")).task == "classification"
    assert with_metadata(metadata_of(name="other")).task is None


def test_ultralytics_packs_its_metadata_into_tflite():
    entries = ULTRALYTICS | {"imgsz": [640, 640], "names": {"0": "person", "1": "car"}}
    found = with_metadata(None, files={"metadata.json": json.dumps(entries)})
    assert (found.task, found.classes) == ("detection", ("person", "car"))
    assert found.recipe["pad_value"] == 114
    for broken in ("{", "[" * 100_000, "7", ""):
        assert with_metadata(None, files={"metadata.json": broken}).classes == ()


def test_damaged_metadata_is_reported_and_the_graph_is_read():
    found = with_metadata(b"\xff" * 40)
    assert found.signature.inputs[0].dimensions == (1, 4, 6, 3)
    assert found.facts["metadata"].startswith("the TFLite metadata is corrupted or malformed (")


def test_custom_quantization_of_each_channel_is_not_that_of_the_tensor():
    tensor = toy_files.tflite_tensor("x", (1, 2), 9)
    tensor[4] = {2: np.array([0.5, 0.25], F32), 3: np.array([0, 0], np.int64)}
    found = stated([toy_files.tflite([tensor, toy_files.tflite_tensor("y", (1, 2))], [19])])
    assert found.signature.inputs[0].quantization is None


# -- other formats ---------------------------------------------------------------------------------


def test_of_other_formats_the_encoding_and_the_files(tmp_path):
    (tmp_path / "toy.pb").write_bytes(toy_files.tensorflow_relu())
    assert stated([tmp_path / "toy.pb"]) == Stated(GraphEncoding.AUTODETECT)
    weights = tmp_path / "toy.pdiparams"
    weights.write_bytes(b"")
    assert stated([toy_files.paddle_relu(), weights]) == Stated(
        GraphEncoding.AUTODETECT, weights=(weights,)
    )
    folder = tmp_path / "saved"
    (folder / "variables").mkdir(parents=True)
    for name in ("saved_model.pb", "variables/variables.index"):
        (folder / name).write_bytes(b"")
    files = (folder / "saved_model.pb", folder / "variables/variables.index")
    assert stated([folder]) == Stated(GraphEncoding.TENSORFLOW, weights=files)


def test_files_that_are_not_there(tmp_path):
    with pytest.raises(MissingFileError, match=r"^no model at .*gone\.xml"):
        stated([tmp_path / "gone.xml"])


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_that_may_not_be_read(tmp_path):
    (tmp_path / "toy.onnx").touch(mode=0)
    with pytest.raises(MissingFileError, match="cannot be read"):
        stated([tmp_path / "toy.onnx"])


@pytest.mark.full
def test_reading_loads_libraries_late():
    code = (
        "import sys, wasinn_nb.cards; heavy = {'onnx', 'flatbuffers', 'openvino', 'google'};"
        "print(sorted(heavy & {name.split('.')[0] for name in sys.modules}))"
    )
    root = Path(__file__).resolve().parents[1]
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert ran.stdout.strip() == "[]"


# -- third-party models ----------------------------------------------------------------------------

THIRD_PARTY = {
    # file: (operation behind each output, classes, recipe)
    "SINet.onnx": (["Conv"], 0, {}),
    "deeplab_nchw.onnx": (["Conv"], 0, {}),
    "light_squeezenet.onnx": (["Softmax"], 0, {}),
    "ch_ppocr_mobile_v2.0_cls_infer.onnx": (["Softmax"], 0, {}),
    "ultraface_rfb320.onnx": (["Softmax", "Concat"], 0, {}),
    "bodypix_float.tflite": (["Conv"], 0, {}),
    "coral_deeplab_dm05_quant.tflite": (["ArgMax"], 0, {}),
    "coral_mobilenet_v1_quant.tflite": (["Softmax"], 1001, {"color": "RGB", "range": (0, 255)}),
    "mnv3_seg_quant.tflite": (["Conv"], 0, {}),
    "mp3in.tflite": ([""] * 3, 0, {}),
    "portrait_segmentation.tflite": (["ConvTranspose"], 0, {}),
    "prisma-net_fp16.tflite": (["Sigmoid"], 0, {}),
}


@pytest.mark.parametrize("name", THIRD_PARTY)
def test_ports_are_those_that_openvino_sees(shared, name):
    import openvino as ov

    path = shared / "models/third-party" / name
    kinds, classes, recipe = THIRD_PARTY[name]
    found = stated([path])
    model = ov.Core().read_model(path)
    expected = [
        [
            (
                port.get_any_name(),
                tuple(None if d.is_dynamic else d.get_length() for d in port.get_partial_shape()),
                port.get_element_type().get_type_name(),
            )
            for port in side
        ]
        for side in (model.inputs, model.outputs)
    ]
    assert ports(found.signature) == expected
    assert operations(found) == kinds
    assert len(found.classes) == classes
    assert found.recipe == recipe


def test_classes_of_third_party_models(shared):
    coral = stated([shared / "models/third-party/coral_mobilenet_v1_quant.tflite"])
    assert coral.task == "classification"
    assert coral.classes[:2] == ("background", "tench, Tinca tinca")
    assert coral.signature.outputs[0].quantization == (1 / 256, 0)
    birds = stated([shared / "models/lite-model_aiy_vision_classifier_birds_V1_3.tflite"])
    assert birds.classes[0] == "Haemorhous cassinii"  # the names, not the file of "/m/020f2v"
    assert len(birds.classes) == 965
    assert birds.recipe == {"color": "RGB", "range": (0, 255)}
    assert birds.facts["license"] == "Apache-2.0"


def test_other_third_party_models(shared):
    folder = shared / "models/third-party"
    with pytest.raises(RuntimeFailure) as caught:
        stated([folder / "pinto_deeplab_fp16.xml"])
    assert str(caught.value) == (
        f"{folder / 'pinto_deeplab_fp16.xml'}: IR version 4; OpenVINO reads 10 and 11: convert the "
        f"original model again"
    )
    custom = stated([folder / "segm_lite_v681.tflite"])
    assert custom.facts["custom operations"] == "Convolution2DTransposeBias"
    assert custom.signature.inputs[0].dimensions == (1, 96, 160, 3)
    saved = stated([folder / "tf_saved_model"])
    assert saved.encoding is GraphEncoding.TENSORFLOW
    assert len(saved.weights) == 3
    road = stated([shared / "models/road-segmentation-adas-0001.xml"])
    assert road.signature == Signature(
        (Port("data", (1, 3, 512, 896), *F32_TYPE),),
        (Port("L0317_ReWeight", (1, 4, 512, 896), *F32_TYPE, operation="Softmax"),),
    )
    assert road.producer.startswith("Model Optimizer 2021.4")


F32_TYPE = (port_of("", (), "f32").type, "f32")


# -- files that are cut off or damaged -------------------------------------------------------------


def small_files():
    labeled = metadata_of(labels=[("labels.txt", 2, "")])
    tensors = [toy_files.tflite_tensor("x", (1, 4, 6, 3)), toy_files.tflite_tensor("y", (1, 2))]
    return {
        "ir": ir_with({"labels": ["a", "b"]}),
        "onnx": toys.onnx_chain(["Relu", "Cast"], names="{0: 'a'}").SerializeToString(),
        "tflite": toy_files.tflite(tensors, ["Custom"], labeled, {"labels.txt": "a\nb"}),
    }


@pytest.mark.parametrize("kind", ["ir", "onnx", "tflite"])
def test_a_file_cut_off_anywhere(kind):
    content = small_files()[kind]
    whole = stated([content])
    for length in range(0, len(content), 7):
        with contextlib.suppress(RuntimeFailure):
            assert stated([content[:length]]) != whole


SMALL = small_files()


@pytest.mark.full
@given(st.sampled_from(sorted(SMALL)), st.data())
def test_a_file_with_any_bytes_changed(kind, data):
    content = bytearray(SMALL[kind])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(content) - 1))
        content[place] = data.draw(st.integers(0, 255))
    with contextlib.suppress(WasiNnError):
        assert isinstance(stated([bytes(content)]), Stated)


def test_onnx_strings_that_are_not_utf8():
    model = toys.onnx_chain(["Relu"], names="['NAM']")
    model.doc_string = "DOC"
    content = model.SerializeToString().replace(b"DOC", b"\xffOC")
    found = stated([content.replace(b"NAM", b"\xffAM").replace(b"\x01y", b"\x01\xff")])
    assert found.facts == {"doc_string": "\ufffdOC"}
    assert found.classes == ("\ufffdAM",)
    assert ports(found.signature)[1] == [("\ufffd", (1, 2), "f32")]


@given(st.sampled_from([b"", b"<net", b"\x08\x07\x3a", b"\0\0\0\0TFL3"]), st.binary(max_size=200))
@example(b"\x08\x07\x3a", b"\x00")
def test_any_bytes_at_all(start, rest):
    with contextlib.suppress(WasiNnError):
        assert isinstance(stated([start + rest]), Stated)
