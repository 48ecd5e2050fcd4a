"""What a model's files say of themselves: OpenVINO IR, ONNX, TensorFlow Lite."""

from __future__ import annotations

import re

import numpy as np
import pytest
import toys
from stated import F32, ir_with, operations, ports

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.metadata import stated
from wasinn_nb.cards.ports import Signature, port_of
from wasinn_nb.errors import RuntimeFailure


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
