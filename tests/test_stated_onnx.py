"""What an ONNX file states."""

from __future__ import annotations

import numpy as np
import pytest
import toys
from stated import F32, ULTRALYTICS, operations

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.metadata import Stated, stated
from wasinn_nb.cards.ports import Signature, port_of

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
        ({"names": "{0: 'road', 1: ''}"}, ("road", "class 1")),
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
    unread = found.facts.keys() - {"1 class without a name"}
    assert bool(unread) is not bool(classes)  # what is not understood is a fact


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
