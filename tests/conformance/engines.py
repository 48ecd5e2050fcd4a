"""The registered runtimes, and for each model format a small class that writes toy models in it.

A toy model is written once (`conformance.models`), in terms of the few operations that every
writer has; values are kept exact, so that every runtime has to give the same numbers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np

from conformance.tflite_writer import TfliteWriter
from conformance.toy_engine import ToyEngine
from conformance.values import Value
from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards.card import ModelCard
from wasinn_nb.catalog.entries import Model
from wasinn_nb.tensor import Tensor

__all__ = ["ENGINES", "OWN", "Engine", "Writer", "tensor", "values"]


class Writer(Protocol):
    """Writes one model: inputs, operations, and at last the outputs."""

    suffixes: tuple[str, ...]
    """Of the model's files, in the order of its builders."""

    def input(self, name: str, dimensions: Sequence[int | None], type_: str) -> Value:
        """Add an input; None is an open size."""

    def apply(self, kind: str, value: Value, other: np.ndarray | Value | None = None) -> Value:
        """Add, subtract, multiply, sigmoid or sqrt."""

    def convert(self, value: Value, type_: str) -> Value:
        """Convert to another element type."""

    def highest(self, value: Value, axes: tuple[int, ...]) -> Value:
        """Take the highest value along axes, which go."""

    def finish(self, outputs: Mapping[str, Value]) -> list[bytes]:
        """Return the builders of the model with these outputs."""


class IrWriter:
    """OpenVINO IR, by OpenVINO."""

    suffixes = (".xml", ".bin")

    def __init__(self) -> None:
        self._inputs: list[Any] = []

    def input(self, name, dimensions, type_):
        import openvino as ov
        from openvino import opset13 as op

        sizes = ov.PartialShape([-1 if size is None else size for size in dimensions])
        node = op.parameter(sizes, getattr(ov.Type, type_), name=name)
        node.output(0).set_names({name})
        self._inputs.append(node)
        return Value(node, tuple(dimensions), type_)

    def apply(self, kind, value, other=None):
        from openvino import opset13 as op

        operands = [] if other is None else [getattr(other, "node", other)]
        return value._replace(node=getattr(op, kind)(value.node, *operands))

    def convert(self, value, type_):
        from openvino import opset13 as op

        return value._replace(node=op.convert(value.node, type_), type=type_)

    def highest(self, value, axes):
        from openvino import opset13 as op

        return value.without(axes)._replace(node=op.reduce_max(value.node, np.array(axes)))

    def finish(self, outputs):
        import openvino as ov
        import toys
        from openvino import opset13 as op

        results = []
        for name, value in outputs.items():
            value.node.output(0).set_names({name})
            results.append(op.result(value.node))
        return toys.ir(ov.Model(results, self._inputs, "toy"))


class OnnxWriter:
    """ONNX, by the helper functions of the package `onnx`."""

    suffixes = (".onnx",)
    _KINDS: Final = {
        "add": "Add",
        "subtract": "Sub",
        "multiply": "Mul",
        "sigmoid": "Sigmoid",
        "sqrt": "Sqrt",
    }
    _TYPES: Final = {"f16": 10, "f32": 1, "u8": 2, "i8": 3, "i32": 6, "i64": 7}

    def __init__(self) -> None:
        self._inputs: list[Any] = []
        self._nodes: list[Any] = []
        self._constants: list[Any] = []

    def _info(self, name: str, value: Value) -> Any:
        from onnx import helper

        return helper.make_tensor_value_info(name, self._TYPES[value.type], value.dimensions)

    def _node(self, kind: str, *inputs: str, **attributes: Any) -> str:
        from onnx import helper

        name = f"value{len(self._nodes)}"
        self._nodes.append(helper.make_node(kind, inputs, [name], **attributes))
        return name

    def input(self, name, dimensions, type_):
        value = Value(name, tuple(dimensions), type_)
        self._inputs.append(self._info(name, value))
        return value

    def apply(self, kind, value, other=None):
        from onnx import numpy_helper

        operands = []
        if isinstance(other, Value):
            operands = [other.node]
        elif other is not None:
            operands = [f"constant{len(self._constants)}"]
            self._constants.append(numpy_helper.from_array(other, operands[0]))
        return value._replace(node=self._node(self._KINDS[kind], value.node, *operands))

    def convert(self, value, type_):
        return value._replace(
            node=self._node("Cast", value.node, to=self._TYPES[type_]), type=type_
        )

    def highest(self, value, axes):
        node = self._node("ReduceMax", value.node, axes=list(axes), keepdims=0)
        return value.without(axes)._replace(node=node)

    def finish(self, outputs):
        from onnx import helper

        ends = []
        for name, value in outputs.items():
            self._nodes.append(helper.make_node("Identity", [value.node], [name]))
            ends.append(self._info(name, value))
        graph = helper.make_graph(self._nodes, "toy", self._inputs, ends, self._constants)
        sets = [helper.make_opsetid("", 13)]
        return [helper.make_model(graph, opset_imports=sets, ir_version=8).SerializeToString()]


class ToyWriter:
    """The format of `ToyEngine`: the same operations as JSON."""

    suffixes = (".toy",)

    def __init__(self) -> None:
        self._inputs: dict[str, Any] = {}
        self._steps: list[list[Any]] = []

    def _step(self, kind: str, value: Value, *operands: Any) -> str:
        name = f"value{len(self._steps)}"
        self._steps.append([name, kind, value.node, *operands])
        return name

    def input(self, name, dimensions, type_):
        self._inputs[name] = [list(dimensions), type_]
        return Value(name, tuple(dimensions), type_)

    def apply(self, kind, value, other=None):
        operands = [] if other is None else [getattr(other, "node", None) or other.tolist()]
        return value._replace(node=self._step(kind, value, *operands))

    def convert(self, value, type_):
        return value._replace(node=self._step("convert", value, type_), type=type_)

    def highest(self, value, axes):
        return value.without(axes)._replace(node=self._step("highest", value, list(axes)))

    def finish(self, outputs):
        ends = {n: [v.node, list(v.dimensions), v.type] for n, v in outputs.items()}
        return [json.dumps({"toy": 1, "in": self._inputs, "do": self._steps, "out": ends}).encode()]


class Engine(NamedTuple):
    """A runtime, and a format of models that it reads."""

    runtime: str
    writer: type[Writer]
    encoding: GraphEncoding
    unread: GraphEncoding
    """An encoding that the runtime does not read."""
    can_cancel: bool = True
    """Whether a run can be interrupted at all."""

    def model(
        self, builders: Sequence[bytes], folder: Path, card: ModelCard | None = None
    ) -> Model:
        """Write the files of a model and return it as the catalog does."""
        files = []
        for suffix, content in zip(self.writer.suffixes, builders, strict=True):
            files.append(folder / f"toy{suffix}")
            files[-1].write_bytes(content)
        card = (card or ModelCard("toy")).replace(encoding=self.encoding)
        return Model(card, None, tuple(files), "tests")

    def __str__(self) -> str:
        return f"{self.runtime}-{self.writer.suffixes[0][1:]}"


ENGINES: Final = (
    Engine("openvino", IrWriter, GraphEncoding.OPENVINO, GraphEncoding.PYTORCH),
    Engine("openvino", OnnxWriter, GraphEncoding.ONNX, GraphEncoding.PYTORCH),
    Engine("openvino", TfliteWriter, GraphEncoding.TENSORFLOWLITE, GraphEncoding.PYTORCH),
    Engine("onnxruntime", OnnxWriter, GraphEncoding.ONNX, GraphEncoding.OPENVINO),
    Engine(
        "litert", TfliteWriter, GraphEncoding.TENSORFLOWLITE, GraphEncoding.ONNX, can_cancel=False
    ),
    Engine(ToyEngine.name, ToyWriter, GraphEncoding.AUTODETECT, GraphEncoding.ONNX),
)
OWN: Final = tuple(engine for engine in ENGINES if engine.runtime != ToyEngine.name)
"""The runtimes that the project ships."""


def tensor(*values: float) -> Tensor:
    """Return these values as f32, as one row."""
    return Tensor.from_array(np.array([values], np.float32))


def values(context: Any, index: int = 0) -> Any:
    """Return an output of a context that has computed, as lists."""
    return context.output(index).to_array().tolist()
