"""TensorFlow Lite files whose parts do not fit each other are refused before an engine reads."""

from __future__ import annotations

from contextlib import suppress

import flatbuffers
import numpy as np
import pytest
import toy_files
from ai_edge_litert import schema_py_generated as schema
from conformance import models
from conformance.tflite_writer import TfliteWriter
from hypothesis import given
from hypothesis import strategies as st

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.integrity import checked_files
from wasinn_nb.errors import RuntimeFailure
from wasinn_nb.runtimes.registry import runtime

TFLITE = GraphEncoding.TENSORFLOWLITE
# Tensors: 0 data, 1 constant1 (two), 2 value2, 3 person; operations: multiply, sigmoid.
PLANE = models.plane(TfliteWriter(), (1, 4, 6, 1))[0]


def changed(change):
    """Return the model after *change* was made to its first subgraph and to the whole."""
    model = schema.ModelT.InitFromObj(schema.Model.GetRootAs(PLANE))
    change(model.subgraphs[0], model)
    builder = flatbuffers.Builder()
    builder.Finish(model.Pack(builder), b"TFL3")
    return bytes(builder.Output())


def setting(part, name, value):
    """Return a change: *part* finds an object in subgraph and model, whose attribute is set."""
    return lambda graph, model: setattr(part(graph, model), name, value)


def constant(graph, model):
    return graph.tensors[1]


def multiply(graph, model):
    return graph.operators[0]


def quantized(graph, model):
    found = schema.QuantizationParametersT()
    found.scale, found.zeroPoint = [0.5, 0.5, 0.5], [0, 0]
    graph.tensors[1].quantization = found


def stored_behind(graph, model):
    model.buffers[1].data, model.buffers[1].offset, model.buffers[1].size = None, 10**9, 4


DAMAGED = {
    "weights that are not there": (
        lambda graph, model: setattr(model.buffers[1], "data", None),
        "0 bytes of weights for tensor 'constant1', which takes 4",
    ),
    "weights of another size": (
        setting(constant, "shape", [8126465]),
        "4 bytes of weights for tensor 'constant1', which takes 32505860",
    ),
    "weights of another type": (
        setting(constant, "type", schema.TensorType.FLOAT64),
        "4 bytes of weights for tensor 'constant1', which takes 8",
    ),
    "weights of an open size": (
        setting(constant, "shape", [-1]),
        "weights of sizes (-1,) for tensor 'constant1'",
    ),
    "an input that nothing computes": (
        lambda graph, model: graph.operators.pop(0),
        "0 bytes of weights for tensor 'value2', which takes 96",
    ),
    "weights in a buffer that is not there": (
        setting(constant, "buffer", 9),
        "weights 9 of 2 for tensor 'constant1'",
    ),
    "weights behind the end": (stored_behind, "4 bytes of weights at byte 1000000000 of"),
    "an operation that is not there": (setting(multiply, "opcodeIndex", 7), "operation 7 of 2"),
    "an operand that is not there": (setting(multiply, "inputs", [0, 99]), "tensor 99 of 4"),
    "a result that is not there": (setting(multiply, "outputs", [-1]), "tensor -1 of 4"),
    "a model's output that is not there": (
        lambda graph, model: setattr(graph, "outputs", [4]),
        "tensor 4 of 4",
    ),
    "an operation of two outputs": (
        setting(multiply, "outputs", [2, 1]),
        "2 outputs of builtin operation 18, which gives 1",
    ),
    "an output that is there twice": (
        setting(multiply, "outputs", [2, 2]),
        "2 outputs of builtin operation 18, which gives 1",
    ),
    "an operand that is left out": (
        setting(multiply, "inputs", [-1, 1]),
        "builtin operation 18 without an input that it needs",
    ),
    "operations in another order": (
        lambda graph, model: graph.operators.reverse(),
        "tensor 'value2' is read before it is computed",
    ),
    "an operation that reads what it gives": (
        setting(multiply, "inputs", [2, 1]),
        "tensor 'value2' is read before it is computed",
    ),
    "more scales than zero points": (
        quantized,
        "3 scales and 2 zero points for tensor 'constant1'",
    ),
}


@pytest.mark.parametrize("what", DAMAGED)
def test_parts_that_do_not_fit(what):
    change, message = DAMAGED[what]
    with pytest.raises(RuntimeFailure) as caught:
        checked_files([changed(change)], TFLITE)
    assert str(caught.value).startswith(f"the TFLite file is corrupted or malformed ({message}")
    assert str(caught.value).endswith("): fetch or convert the model again")
    for engine in ("openvino", "litert"):
        with pytest.raises(RuntimeFailure) as again:
            runtime(engine).load([changed(change)], TFLITE, "CPU", "f32")
        assert str(again.value) == str(caught.value)


def optional_operand(graph, model):
    """A fully connected layer without a bias."""
    code = model.operatorCodes[graph.operators[0].opcodeIndex]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.FULLY_CONNECTED
    graph.operators[0].inputs = [0, 1, -1]


def custom_of_any_ends(graph, model):
    code = model.operatorCodes[graph.operators[0].opcodeIndex]
    code.builtinCode = code.deprecatedBuiltinCode = schema.BuiltinOperator.CUSTOM
    graph.operators[0].inputs, graph.tensors[1].isVariable = [0, -1, 1], True
    graph.operators[0].outputs = [2, 1]


def weights_behind(graph, model):
    model.buffers[1].data, model.buffers[1].offset, model.buffers[1].size = None, 20, 4


def variable(graph, model):
    graph.tensors[1].isVariable = True
    model.buffers[1].data = None


def small_types(graph, model):
    graph.tensors[1].type, graph.tensors[1].shape = schema.TensorType.INT4, [3]
    model.buffers[1].data = np.zeros(2, np.uint8)


def text(graph, model):
    graph.tensors[1].type = schema.TensorType.STRING


@pytest.mark.parametrize(
    "change",
    [optional_operand, custom_of_any_ends, weights_behind, variable, small_types, text],
    ids=lambda c: c.__name__,
)
def test_what_the_format_allows(change):
    checked_files([changed(change)], TFLITE)


def test_third_party_files(shared):
    for path in sorted((shared / "models").rglob("*.tflite")):
        checked_files([path], TFLITE)


@pytest.mark.parametrize("field", [0, 3], ids=["tensor", "operation"])
def test_a_part_that_is_named_again_and_again_is_counted_each_time(field):
    """A small file can name one long tensor or operation as many times as it has room for."""
    long = np.zeros(60_000, np.int32)
    part = {0: long, 3: "long"} if field == 0 else {0: np.uint32(0), 1: long}
    builder = flatbuffers.Builder()
    parts = {1: toy_files._flat(builder, [{0: np.int8(19)}]), 4: toy_files._flat(builder, [{}])}
    graph = {0: toy_files._flat(builder, [toy_files.tflite_tensor("x", (1,))])}
    graph[field] = vector(builder, [toy_files._flat(builder, part)] * 100_000)
    parts[2] = vector(builder, [table(builder, graph)])
    builder.Finish(table(builder, parts), b"TFL3")
    content = bytes(builder.Output())
    with pytest.raises(RuntimeFailure, match=r"more than 6[0-9]{5} entries"):
        checked_files([content], TFLITE)


def vector(builder, places):
    builder.StartVector(4, len(places), 4)
    for place in places:
        builder.PrependUOffsetTRelative(place)
    return builder.EndVector()


def table(builder, fields):
    builder.StartObject(5)
    for number, place in fields.items():
        builder.PrependUOffsetTRelative(place)
        builder.Slot(number)
    return builder.EndObject()


@pytest.mark.full
@given(st.lists(st.tuples(st.integers(8, len(PLANE) - 1), st.integers(0, 255)), min_size=1))
def test_damage_is_refused_or_harmless(changes):
    content = bytearray(PLANE)
    for at, byte in changes:
        content[at] = byte
    with suppress(RuntimeFailure):
        checked_files([bytes(content)], TFLITE)
