"""What a model's files say of themselves: OpenVINO IR, ONNX, TensorFlow Lite."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import toys
from hypothesis import example, given
from hypothesis import strategies as st

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.metadata import Stated, stated
from wasinn_nb.cards.ports import Port, Signature, port_of
from wasinn_nb.errors import MissingFileError, RuntimeFailure, WasiNnError

F32 = np.float32


def ports(signature):
    """Return (name, dimensions, type) of inputs and outputs."""
    return [
        [(port.name, port.dimensions, port.type_name) for port in side]
        for side in (signature.inputs, signature.outputs)
    ]


def operations(found):
    return [port.operation for port in found.signature.outputs]


# -- OpenVINO IR -----------------------------------------------------------------------------------


def ir_with(info=None, build=None, shape=(1, 3, 4, 6)):
    """Return the xml of a model with entries below ``rt_info/model_info``."""
    from openvino import opset13 as op

    model = toys.graph(build or op.relu, shape)
    for name, value in (info or {}).items():
        model.set_rt_info(value, ["model_info", name])
    return toys.ir(model)[0]


def test_an_ir_says_its_ports_in_openvinos_words():
    import openvino as ov
    from openvino import opset13 as op

    data = op.parameter(ov.PartialShape([1, 3, -1, ov.Dimension(2, 9)]), ov.Type.u8, name="data")
    data.output(0).set_names({"zeta", "alpha", "a,b"})
    data.set_layout(ov.Layout("NCHW"))
    flag = op.parameter([2], ov.Type.boolean, name="flag")
    flag.output(0).set_names({"flag"})
    scores = op.softmax(op.convert(data, ov.Type.f32), 1)
    half = op.result(op.convert(scores, ov.Type.f16))
    half.input_value(0).set_names({"half"})
    logits = op.result(op.convert(op.logical_not(flag), ov.Type.i64))
    logits.input_value(0).set_names({"not"})
    xml, _ = toys.ir(ov.Model([half, logits], [data, flag], "toy"))
    found = stated([xml])
    assert found.encoding is GraphEncoding.OPENVINO
    assert found.version == "IR 11"
    assert found.producer.startswith("OpenVINO 20")
    assert found.signature == Signature(
        (
            port_of("a,b", (1, 3, None, None), "u8", layout="NCHW"),
            port_of("flag", (2,), "boolean"),
        ),
        (
            port_of("half", (1, 3, None, None), "f16", operation="Softmax"),
            port_of("not", (2,), "i64", operation="LogicalNot"),
        ),
    )
    assert found.recipe == {"layout": "NCHW"}


def matmul(op, x):
    return op.matmul(x, np.ones((6, 6), F32), transpose_a=False, transpose_b=False)


KERNEL = np.ones((2, 3, 1, 1), F32), [1, 1], [0, 0], [0, 0], [1, 1]


@pytest.mark.parametrize(
    ("build", "operation"),
    [
        (lambda op, x: op.sigmoid(x), "Sigmoid"),
        (lambda op, x: op.reshape(op.sigmoid(x), np.array([72]), special_zero=False), "Sigmoid"),
        (lambda op, x: op.transpose(op.softmax(x, 1), np.array([0, 2, 3, 1])), "Softmax"),
        (lambda op, x: op.squeeze(op.unsqueeze(op.log_softmax(x, 1), 0), 0), "LogSoftmax"),
        (lambda op, x: op.convert(op.add(x, F32(1)), "f16"), "Add"),
        (lambda op, x: op.convert(x, "u8"), ""),  # the input, passed on
        (lambda op, x: op.add(matmul(op, x), F32(1)), "MatMul"),
        (lambda op, x: op.add(op.convolution(x, *KERNEL), F32(1)), "Conv"),
        (lambda op, x: op.topk(x, np.int64(1), 1, "max", "none").output(1), "TopK"),
    ],
)
def test_the_operation_behind_an_output(build, operation):
    from openvino import opset13 as op

    assert operations(stated([ir_with(build=lambda x: build(op, x))])) == [operation]


def test_bodies_of_conditions_are_not_part_of_the_signature():
    xml, _ = toys.conditional()
    inputs, outputs = ports(stated([xml]).signature)
    assert [dimensions for _, dimensions, _ in inputs] == [(2,), ()]
    assert [dimensions for _, dimensions, _ in outputs] == [(2,)]
    assert operations(stated([xml])) == ["If"]


def test_an_open_number_of_dimensions_leaves_no_signature():
    from openvino import PartialShape

    found = stated([ir_with(shape=PartialShape.dynamic())])
    assert (found.signature, found.version) == (None, "IR 11")


MODEL_API = {
    "nothing": ({}, {}),
    "RGB": ({"reverse_input_channels": True}, {"color": "RGB"}),
    "BGR": ({"reverse_input_channels": False}, {"color": "BGR"}),
    "mean and scale": (
        {"mean_values": [123.5, 116.25, 103.0], "scale_values": [58.5, 57.0, 57.5]},
        {"range": (0, 255), "mean": (123.5, 116.25, 103), "scale": (58.5, 57, 57.5)},
    ),
    "one scale for all": ({"scale_values": 255.0}, {"range": (0, 255), "scale": (255,) * 3}),
    "no mean": ({"mean_values": "", "scale_values": "None"}, {}),
    "two means": ({"mean_values": "1 2", "scale_values": "1 2 3"}, {}),
    "a scale of 0": ({"scale_values": "1 0 1"}, {}),
    "not numbers": ({"mean_values": "a b c"}, {}),
    "not finite": ({"mean_values": "1 nan 2"}, {}),
    "stretch": ({"resize_type": "standard"}, {"fit": "stretch"}),
    "crop": ({"resize_type": "crop"}, {"fit": "crop"}),
    "letterbox": (
        {"resize_type": "fit_to_window_letterbox", "pad_value": 114},
        {"fit": "letterbox", "pad_value": 114},
    ),
    "letterbox in black": (
        {"resize_type": "fit_to_window_letterbox"},
        {"fit": "letterbox", "pad_value": 0},
    ),
    "padded at one side": ({"resize_type": "fit_to_window", "pad_value": 7}, {}),
    "0 to 1": ({"intensity_mode": "scale_to_unit"}, {"range": (0, 1)}),
    "0 to 1 of sixteen bits": ({"intensity_mode": "scale_to_unit", "input_dtype": "u16"}, {}),
    "a window": ({"intensity_mode": "window", "mean_values": "1 2 3"}, {}),
    "inside the graph": (
        {"embedded_processing": True, "reverse_input_channels": True, "scale_values": 255.0},
        {"color": "BGR", "range": (0, 255)},
    ),
}


@pytest.mark.parametrize("case", MODEL_API)
def test_recipes_as_model_api_writes_them(case):
    info, recipe = MODEL_API[case]
    assert stated([ir_with(info)]).recipe == recipe


@pytest.mark.parametrize(
    ("layout", "recipe", "port"),
    [
        ("NCHW", "NCHW", "NCHW"),
        ("[N,H,W,C]", "NHWC", "NHWC"),
        ("data:NHWC,other:NC", "NHWC", "NHWC"),
        ("other:NHWC", None, ""),
        ("NHW", None, ""),  # not of four axes
        ("DNCHW", None, ""),
    ],
)
def test_a_layout_is_that_of_its_input(layout, recipe, port):
    found = stated([ir_with({"layout": layout})])
    assert found.recipe.get("layout") == recipe
    assert found.signature.inputs[0].layout == port


def test_labels_tasks_and_everything_else_of_model_api():
    info = {
        "labels": ["background", "traffic_light"],
        "model_type": "Segmentation",
        "iou_threshold": 0.5,
        "resize_type": "fit_to_window",
    }
    found = stated([ir_with(info)])
    assert found.classes == ("background", "traffic_light")  # "_" for a space stays
    assert found.task == "segmentation"
    facts = {name: text for name, text in found.facts.items() if name != "OpenVINO Runtime"}
    assert facts == {"model_info/iou_threshold": "0.5", "model_info/resize_type": "fit_to_window"}


@pytest.mark.parametrize(
    ("model_type", "task"),
    [
        ("Classification", "classification"),
        ("SSD", "detection"),
        ("YOLOv8", "detection"),
        ("YOLO-seg", "instance segmentation"),
        ("MaskRCNN", "instance segmentation"),
        ("AnomalyDetection", "anomaly detection"),
        ("keypoint_detection", "keypoint_detection"),
    ],
)
def test_tasks(model_type, task):
    assert stated([ir_with({"model_type": model_type})]).task == task


def test_facts_are_printable_and_short_and_few():
    entries = "".join(f'<e{n} value="{n}"/>' for n in range(500))
    xml = (
        f'<net version="11"><layers/><rt_info><long value="{"x" * 9999}"/>'
        f'<lines value="a&#10;b&#x202e;c"/><empty value=""/>{entries}</rt_info></net>'
    )
    facts = stated([xml.encode()]).facts
    assert facts["long"] == "x" * 299 + "…"
    assert facts["lines"] == "a b\\u202ec"
    assert "empty" not in facts
    assert len(facts) == 100


VARIANTS = {
    "UTF-8 with a mark": lambda text: b"\xef\xbb\xbf" + text.encode(),
    "UTF-16": lambda text: text.encode("utf-16"),
    "UTF-16, big end first": lambda text: b"\xfe\xff" + text.encode("utf-16-be"),
    "UTF-16, declared": lambda text: text.replace("?>", ' encoding="UTF-16"?>', 1).encode("utf-16"),
    "UTF-16 without a mark": lambda text: text.encode("utf-16-le"),
    "Latin-1, declared": lambda text: text.replace("?>", ' encoding="ISO-8859-1"?>', 1).encode(
        "latin-1"
    ),
    "no declaration": lambda text: text.split("?>", 1)[1].strip().encode(),
    "white space first": lambda text: b" \r\n\t" + text.encode(),
    "a comment first": lambda text: b"<!-- a > net -->\n" + text.split("?>", 1)[1].encode(),
    "a long comment": lambda text: text.replace("?>", f"?><!--{'x' * 9999}-->", 1).encode(),
}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", ["m.xml", "M.XML", "model"])
def test_spellings_of_xml(tmp_path, variant, name):
    text = ir_with({"labels": ["été", "sky"]}).decode()
    content = VARIANTS[variant](text)
    (tmp_path / name).write_bytes(content)
    for files in ([content], [tmp_path / name]):
        found = stated(files)
        assert found.encoding is GraphEncoding.OPENVINO
        assert found.classes == ("été", "sky")
        assert ports(found.signature)[0] == [("data", (1, 3, 4, 6), "f32")]


def test_ir_version_10_names_ports_by_their_layers_too(tmp_path):
    import openvino as ov
    from openvino import opset13 as op

    xml, weights = toys.ir(
        toys.graph(lambda x: list(op.split(x, np.int64(1), 2).outputs()), (1, 4))
    )
    old = re.sub(
        rb' (output_)?names="[^"]*"', b"", xml.replace(b'version="11"', b'version="10"', 1)
    )
    model = ov.Core().read_model(old, ov.Tensor(np.frombuffer(weights, np.uint8).copy()))
    expected = [[port.get_any_name() for port in side] for side in (model.inputs, model.outputs)]
    found = stated([old])
    assert found.version == "IR 10"
    assert [[name for name, *_ in side] for side in ports(found.signature)] == expected
    assert expected[1][0].endswith(".0")


def test_weights_lie_beside_the_xml(tmp_path):
    xml, weights = toys.plus(1)
    (tmp_path / "toy.xml").write_bytes(xml)
    assert stated([tmp_path / "toy.xml"]).weights == ()
    for name in ("toy.BIN", "toy.bin"):  # the second is the one that OpenVINO takes
        (tmp_path / name).write_bytes(weights)
        assert stated([tmp_path / "toy.xml"]).weights == (tmp_path / name,)
    (tmp_path / "other.bin").write_bytes(weights)
    files = [tmp_path / "toy.xml", tmp_path / "other.bin"]
    assert stated(files).weights == (tmp_path / "other.bin",)
    assert stated([xml, weights]).weights == ()


def test_entities_are_never_expanded():
    laughs = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha" * 1000}">' for n in range(20)
    )
    xml = f'<?xml version="1.0"?><!DOCTYPE net [{laughs}]><net version="11" name="&l19;"/>'
    with pytest.raises(RuntimeFailure) as caught:
        stated([xml.encode()])
    assert str(caught.value) == (
        "the xml declares a document type (net), which OpenVINO IR never has: fetch or convert "
        "the model again"
    )


@pytest.mark.parametrize(
    ("xml", "message"),
    [
        ('<net version="11"><layers>', "the xml is not well-formed (no element found: line 1"),
        (
            '<?xml version="1.0" encoding="x-none"?><net/>',
            "the xml is not well-formed (unknown enc",
        ),
        ('<?xml version="1.0"?><Error>no such key</Error>', "expected an OpenVINO IR, whose xml h"),
        ('<net version="7"/>', "IR version 7; OpenVINO reads 10 and 11: convert the original mod"),
        ('<net version="12"/>', "IR version 12; OpenVINO reads 10 and 11: save it as version 11"),
        ("<net/>", "IR version none; OpenVINO reads 10 and 11: save it as version 11"),
        (
            '<net version="11"><layers><layer id="1" type="Parameter" name="x"/></layers></net>',
            "the xml lacks a part of Parameter 'x': it is damaged; convert the model again",
        ),
        (
            '<net version="11"><layers><layer id="1" type="Result" name="y"/></layers></net>',
            "the xml lacks a part of Result 'y': it is damaged",
        ),
    ],
)
def test_xml_that_is_not_a_usable_ir(xml, message):
    with pytest.raises(RuntimeFailure) as caught:
        stated([xml.encode()])
    assert str(caught.value).startswith(message)


# -- ONNX ------------------------------------------------------------------------------------------


def onnx_says(operations=("Relu",), shape=(1, 3, 4, 6), **metadata):
    return stated([toys.onnx_chain(operations, shape, **metadata).SerializeToString()])


def test_onnx_says_its_ports_its_writer_and_its_operator_sets():
    from onnx import TensorProto, helper, numpy_helper

    nodes = [
        helper.make_node("Add", ["x", "w"], ["sum"]),
        helper.make_node("Sigmoid", ["sum"], ["p"]),
        helper.make_node("Transpose", ["p"], ["y"]),
        helper.make_node("ArgMax", ["sum"], ["index"]),
        helper.make_node("Cast", ["index"], ["labels"], to=TensorProto.UINT8),
    ]
    graph = helper.make_graph(
        nodes,
        "toy",
        [
            helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 3]),
            helper.make_tensor_value_info("w", TensorProto.FLOAT, [3]),  # a weight, and an input
        ],
        [
            helper.make_tensor_value_info("y", TensorProto.FLOAT, [3, "N"]),
            helper.make_tensor_value_info("labels", TensorProto.UINT8, [1, 3]),
        ],
        [numpy_helper.from_array(np.ones(3, F32), "w")],
    )
    model = helper.make_model(
        graph,
        producer_name="pytorch",
        producer_version="2.4",
        doc_string="a toy",
        opset_imports=[helper.make_opsetid("", 13), helper.make_opsetid("ai.onnx.ml", 3)],
    )
    assert stated([model.SerializeToString()]) == Stated(
        GraphEncoding.ONNX,
        Signature(
            (port_of("x", (None, 3), "f32"),),
            (
                port_of("y", (3, None), "f32", operation="Sigmoid"),
                port_of("labels", (1, 3), "u8", operation="ArgMax"),
            ),
        ),
        facts={"doc_string": "a toy"},
        producer="pytorch 2.4",
        version="opset 13, ai.onnx.ml 3",
    )


@pytest.mark.parametrize(
    ("chain", "operation"),
    [
        (["Gemm", "Reshape", "Add", "Upsample"], "MatMul"),
        (["ConvTranspose", "Add", "Sigmoid", "CastLike"], "Sigmoid"),
        (["Relu", "Add"], "Add"),
        (["Softmax", "Slice"], "Softmax"),
        (["Flatten"], ""),
    ],
)
def test_the_operation_behind_an_onnx_output(chain, operation):
    assert operations(onnx_says(chain)) == [operation]


def test_onnx_types_have_openvinos_names():
    from onnx import TensorProto, helper

    kinds = "FLOAT16 BFLOAT16 FLOAT DOUBLE UINT8 INT8 INT16 UINT16 INT32 UINT32 INT64 UINT64 BOOL"
    names = "f16 bf16 f32 f64 u8 i8 i16 u16 i32 u32 i64 u64 boolean"
    for kind, name in zip(kinds.split(), names.split(), strict=True):
        model = toys.onnx_chain(["Identity"])
        model.graph.input[0].type.tensor_type.elem_type = getattr(TensorProto, kind)
        assert stated([model.SerializeToString()]).signature.inputs[0].type_name == name
    model.graph.input[0].type.tensor_type.elem_type = 999
    assert stated([model.SerializeToString()]).signature.inputs[0].type_name == "undefined"
    model.graph.output[0].CopyFrom(helper.make_empty_tensor_value_info("y"))
    assert stated([model.SerializeToString()]).signature is None


def test_a_circle_of_operations_ends():
    model = toys.onnx_chain(["Identity", "Identity"])
    model.graph.node[0].input[0] = "y"
    assert operations(stated([model.SerializeToString()])) == [""]


ULTRALYTICS = {
    "author": "Ultralytics",
    "names": "{0: 'person', 1: \"traffic light\"}",
    "task": "detect",
    "stride": "32",
    "imgsz": "[640, 640]",
}


def test_what_ultralytics_writes():
    found = onnx_says(**ULTRALYTICS)
    assert found.task == "detection"
    assert found.classes == ("person", "traffic light")
    assert found.recipe == {
        "color": "RGB",
        "range": (0, 1),
        "fit": "letterbox",
        "pad_value": 114,
    }
    assert found.facts == {"author": "Ultralytics", "stride": "32", "imgsz": "[640, 640]"}


@pytest.mark.parametrize(
    ("change", "task", "recipe"),
    [
        ({"task": "classify"}, "classification", {"color": "RGB", "range": (0, 1), "fit": "crop"}),
        (
            {"task": "segment", "channels": "1"},
            "instance segmentation",
            {"color": "GRAY", "range": (0, 1), "fit": "letterbox", "pad_value": 114},
        ),
    ],
)
def test_tasks_of_ultralytics(change, task, recipe):
    found = onnx_says(**ULTRALYTICS | change)
    assert (found.task, found.recipe) == (task, recipe)


@pytest.mark.parametrize(
    ("metadata", "classes"),
    [
        ({"classes": "road,sky , car"}, ("road", "sky", "car")),
        ({"labels": "road\nsky, blue\n"}, ("road", "sky, blue")),
        ({"classes": '["road", "sky"]'}, ("road", "sky")),
        ({"names": "['road', 'sky']"}, ("road", "sky")),
        ({"names": "{1: 'sky', 0: 'road'}"}, ("road", "sky")),
        ({"names": '{"0": "road", "1": "sky"}'}, ("road", "sky")),
        ({"names": "{0: 'road', 2: 'sky'}"}, ()),  # a class is missing
        ({"names": "{0: 'road', 1: ''}"}, ()),
        ({"names": "{0: 'road', 1: 7}"}, ()),
        ({"names": "{0: __import__('os').getcwd()}"}, ()),
        ({"names": "{" * 100_000}, ()),
        ({"names": "[" + "-" * 100_000 + "1]"}, ()),
        ({"names": "['" + "x" * (1 << 20) + "']"}, ()),  # too long to be names
        ({"classes": "road sky"}, ()),  # one class, or two?
        ({"names": "['a\x1b[31m\u202eb']"}, ("a\\x1b[31m\\u202eb",)),
    ],
)
def test_classes_in_onnx_metadata(metadata, classes):
    found = onnx_says(**metadata)
    assert found.classes == classes
    assert bool(found.facts) is not bool(classes)  # what is not understood is a fact


def test_onnx_image_metadata_is_case_insensitive():
    metadata = {"image.BITMAPPIXELFORMAT": "Bgr8", "Image.NominalPixelRange": "normalized_1_1"}
    found = onnx_says(**metadata)
    assert found.recipe == {"color": "BGR", "range": (-1, 1)}
    unknown = {"Image.NominalPixelRange": "NominalRange_16_235"}
    assert (onnx_says(**unknown).recipe, onnx_says(**unknown).facts) == ({}, unknown)


def test_model_api_writes_into_onnx_too():
    metadata = {
        "model_info model_type": "Classification",
        "model_info labels": "cat dog",
        "model_info reverse_input_channels": "True",
        "model_info confidence_threshold": "0.5",
    }
    found = onnx_says(**metadata)
    assert (found.task, found.classes, found.recipe) == (
        "classification",
        ("cat", "dog"),
        {"color": "RGB"},
    )
    assert found.facts == {"model_info confidence_threshold": "0.5"}


def test_external_data_is_named_once_a_file(tmp_path):
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    body = helper.make_graph(
        [helper.make_node("Constant", [], ["c"], value=numpy_helper.from_array(np.ones(2, F32)))],
        "body",
        [],
        [helper.make_tensor_value_info("c", TensorProto.FLOAT, [2])],
    )
    nodes = [
        helper.make_node("If", ["k"], ["c"], then_branch=body, else_branch=body),
        helper.make_node("Add", ["x", "w"], ["y"]),
    ]
    model = toys.onnx_chain(["Relu"])
    del model.graph.node[:]
    model.graph.node.extend(nodes)
    model.graph.initializer.append(numpy_helper.from_array(np.ones((1, 2), F32), "w"))
    (tmp_path / "parts").mkdir()
    onnx.external_data_helper.set_external_data(model.graph.initializer[0], "parts/w.data")
    inner = model.graph.node[0].attribute[1].g.node[0].attribute[0].t
    onnx.external_data_helper.set_external_data(inner, "body.data")
    path = tmp_path / "toy.onnx"
    path.write_bytes(model.SerializeToString())
    weights = (tmp_path / "parts/w.data", tmp_path / "body.data")
    assert stated([path]).weights == weights  # there or not: reading refuses what is missing
    assert stated([path.read_bytes()]).weights == ()


# -- TensorFlow Lite -------------------------------------------------------------------------------


def test_tflite_says_its_main_graph():
    tensors = [
        toys.tflite_tensor("image", (1, 4, -1, 3), 3, (0.5, 128)),
        toys.tflite_tensor("scores", (1, 4, 6, 2), 0),
        toys.tflite_tensor("back", (1, 48), 9, (0.25, -3)),
    ]
    assert stated([toys.tflite(tensors, [14, 114])]) == Stated(
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
    tensors = [toys.tflite_tensor(f"t{index}", (1, 2)) for index in range(len(chain) + 1)]
    found = stated([toys.tflite(tensors, chain)])
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
    tensors = [toys.tflite_tensor("x", (1, 4, 6, 3), type_), toys.tflite_tensor("y", (1, 2))]
    return stated([toys.tflite(tensors, [14], metadata, files)])


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
        ([], {"labels.txt": "road\n\nsky"}, ()),  # an index without a name
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
    tensor = toys.tflite_tensor("x", (1, 2), 9)
    tensor[4] = {2: np.array([0.5, 0.25], F32), 3: np.array([0, 0], np.int64)}
    found = stated([toys.tflite([tensor, toys.tflite_tensor("y", (1, 2))], [19])])
    assert found.signature.inputs[0].quantization is None


# -- other formats ---------------------------------------------------------------------------------


def test_of_other_formats_the_encoding_and_the_files(tmp_path):
    (tmp_path / "toy.pb").write_bytes(toys.tensorflow_relu())
    assert stated([tmp_path / "toy.pb"]) == Stated(GraphEncoding.AUTODETECT)
    weights = tmp_path / "toy.pdiparams"
    weights.write_bytes(b"")
    assert stated([toys.paddle_relu(), weights]) == Stated(
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
        "IR version 4; OpenVINO reads 10 and 11: convert the original model again"
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
    tensors = [toys.tflite_tensor("x", (1, 4, 6, 3)), toys.tflite_tensor("y", (1, 2))]
    return {
        "ir": ir_with({"labels": ["a", "b"]}),
        "onnx": toys.onnx_chain(["Relu", "Cast"], names="{0: 'a'}").SerializeToString(),
        "tflite": toys.tflite(tensors, ["Custom"], labeled, {"labels.txt": "a\nb"}),
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
