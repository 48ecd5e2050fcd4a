"""TensorFlow Lite, by the classes that flatbuffers generates of its schema."""

from __future__ import annotations

from typing import Any, Final

import flatbuffers
import numpy as np
import tflite

from conformance.values import Value

_OPTIONS: Final = {
    tflite.BuiltinOperator.ADD: "AddOptions",
    tflite.BuiltinOperator.SUB: "SubOptions",
    tflite.BuiltinOperator.MUL: "MulOptions",
    tflite.BuiltinOperator.CAST: "CastOptions",
    tflite.BuiltinOperator.REDUCE_MAX: "ReducerOptions",
}


class TfliteWriter:
    """A model of one subgraph; `conformance.engines.Writer` states what its methods do."""

    suffixes = (".tflite",)
    _KINDS: Final = {
        "add": tflite.BuiltinOperator.ADD,
        "subtract": tflite.BuiltinOperator.SUB,
        "multiply": tflite.BuiltinOperator.MUL,
        "sigmoid": tflite.BuiltinOperator.LOGISTIC,
        "sqrt": tflite.BuiltinOperator.SQRT,
    }
    _TYPES: Final = {
        "f16": tflite.TensorType.FLOAT16,
        "f32": tflite.TensorType.FLOAT32,
        "u8": tflite.TensorType.UINT8,
        "i8": tflite.TensorType.INT8,
        "i32": tflite.TensorType.INT32,
        "i64": tflite.TensorType.INT64,
    }

    def __init__(self) -> None:
        self._builder = flatbuffers.Builder()
        self._tensors: list[tuple[str, tuple[int | None, ...], str, int]] = []
        self._inputs: list[int] = []
        self._operations: list[tuple[int, list[int], int]] = []
        self._buffers = [b""]  # buffer 0 is that of tensors without content

    def _tensor(self, name: str, dimensions: Any, type_: str, content: bytes = b"") -> int:
        buffer = len(self._buffers) if content else 0
        if content:
            self._buffers.append(content)
        self._tensors.append((name, tuple(dimensions), type_, buffer))
        return len(self._tensors) - 1

    def _constant(self, array: np.ndarray, type_: str) -> int:
        return self._tensor(f"constant{len(self._tensors)}", array.shape, type_, array.tobytes())

    def _operation(self, operator: int, inputs: list[int], dimensions: Any, type_: str) -> Value:
        made = self._tensor(f"value{len(self._tensors)}", dimensions, type_)
        self._operations.append((operator, inputs, made))
        return Value(made, tuple(dimensions), type_)

    def input(self, name, dimensions, type_):
        self._inputs.append(self._tensor(name, dimensions, type_))
        return Value(self._inputs[-1], tuple(dimensions), type_)

    def apply(self, kind, value, other=None):
        inputs = [value.node]
        if isinstance(other, Value):
            inputs.append(other.node)
        elif other is not None:
            inputs.append(self._constant(other, value.type))
        return self._operation(self._KINDS[kind], inputs, value.dimensions, value.type)

    def convert(self, value, type_):
        return self._operation(tflite.BuiltinOperator.CAST, [value.node], value.dimensions, type_)

    def highest(self, value, axes):
        along = self._constant(np.array(axes, np.int32), "i32")
        sizes = value.without(axes).dimensions
        return self._operation(
            tflite.BuiltinOperator.REDUCE_MAX, [value.node, along], sizes, value.type
        )

    def finish(self, outputs):
        for name, value in outputs.items():
            self._tensors[value.node] = (name, *self._tensors[value.node][1:])
        ends = [value.node for value in outputs.values()]
        builder = self._builder
        operators = sorted({operator for operator, _, _ in self._operations})
        codes = self._vector(map(self._code, operators))
        tensors = self._vector(self._written_tensor(*tensor) for tensor in self._tensors)
        steps = self._vector(
            self._written_operation(operators.index(step[0]), *step) for step in self._operations
        )
        inputs, ends = self._numbers(self._inputs), self._numbers(ends)
        tflite.SubGraphStart(builder)
        tflite.SubGraphAddTensors(builder, tensors)
        tflite.SubGraphAddInputs(builder, inputs)
        tflite.SubGraphAddOutputs(builder, ends)
        tflite.SubGraphAddOperators(builder, steps)
        graphs = self._vector([tflite.SubGraphEnd(builder)])
        buffers = self._vector(map(self._written_buffer, self._buffers))
        tflite.ModelStart(builder)
        tflite.ModelAddVersion(builder, 3)
        tflite.ModelAddOperatorCodes(builder, codes)
        tflite.ModelAddSubgraphs(builder, graphs)
        tflite.ModelAddBuffers(builder, buffers)
        builder.Finish(tflite.ModelEnd(builder), b"TFL3")
        return [bytes(builder.Output())]

    def _code(self, operator: int) -> int:
        tflite.OperatorCodeStart(self._builder)
        tflite.OperatorCodeAddDeprecatedBuiltinCode(self._builder, min(operator, 127))
        tflite.OperatorCodeAddBuiltinCode(self._builder, operator)
        return tflite.OperatorCodeEnd(self._builder)

    def _written_tensor(self, name: str, dimensions: Any, type_: str, buffer: int) -> int:
        builder = self._builder
        text = builder.CreateString(name)
        shape = self._numbers([1 if size is None else size for size in dimensions])
        open_ = self._numbers([-1 if size is None else size for size in dimensions])
        tflite.TensorStart(builder)
        tflite.TensorAddShape(builder, shape)
        tflite.TensorAddType(builder, self._TYPES[type_])
        tflite.TensorAddBuffer(builder, buffer)
        tflite.TensorAddName(builder, text)
        if None in dimensions:
            tflite.TensorAddShapeSignature(builder, open_)
        return tflite.TensorEnd(builder)

    def _written_operation(self, code: int, operator: int, inputs: list[int], made: int) -> int:
        builder = self._builder
        sources, results = self._numbers(inputs), self._numbers([made])
        options = _OPTIONS.get(operator)
        if options is not None:  # OpenVINO wants them also where all have their defaults
            getattr(tflite, f"{options}Start")(builder)
            place = getattr(tflite, f"{options}End")(builder)
        tflite.OperatorStart(builder)
        if options is not None:
            tflite.OperatorAddBuiltinOptionsType(builder, getattr(tflite.BuiltinOptions, options))
            tflite.OperatorAddBuiltinOptions(builder, place)
        tflite.OperatorAddOpcodeIndex(builder, code)
        tflite.OperatorAddInputs(builder, sources)
        tflite.OperatorAddOutputs(builder, results)
        return tflite.OperatorEnd(builder)

    def _written_buffer(self, content: bytes) -> int:
        data = self._builder.CreateByteVector(content) if content else 0
        tflite.BufferStart(self._builder)
        if content:
            tflite.BufferAddData(self._builder, data)
        return tflite.BufferEnd(self._builder)

    def _numbers(self, values: list[int]) -> int:
        return self._builder.CreateNumpyVector(np.array(values, np.int32))

    def _vector(self, places: Any) -> int:
        places = list(places)
        self._builder.StartVector(4, len(places), 4)
        for place in reversed(places):
            self._builder.PrependUOffsetTRelative(place)
        return self._builder.EndVector()
