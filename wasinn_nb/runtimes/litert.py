"""LiteRT, TensorFlow Lite's successor: a second engine for .tflite models."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
from ai_edge_litert.interpreter import Interpreter

from wasinn_nb.abi import GraphEncoding, TensorType
from wasinn_nb.cards import Port, Signature
from wasinn_nb.errors import RuntimeFailure, WasiNnError
from wasinn_nb.recipe import PreprocessRecipe
from wasinn_nb.runtimes.base import (
    Builder,
    Device,
    DeviceTable,
    HeadOf,
    InputOf,
    check_device,
    check_precision,
    processors,
    warn_of_precision,
)
from wasinn_nb.runtimes.head import Head
from wasinn_nb.runtimes.reading import check_output, checked_parts, with_stated
from wasinn_nb.runtimes.threaded import ThreadedContext
from wasinn_nb.tensor import Tensor

__all__ = ["LiteRtContext", "LiteRtGraph", "LiteRtRuntime"]


class LiteRtRuntime:
    """Reads and runs TensorFlow Lite models; NumPy does preprocessing and heads.

    Examples
    --------
    >>> LiteRtRuntime().name
    'litert'
    """

    name: Final = "litert"
    encodings: Final = frozenset({GraphEncoding.TENSORFLOWLITE, GraphEncoding.AUTODETECT})

    @property
    def versions(self) -> Mapping[str, str]:
        """The version of LiteRT."""
        return {"ai-edge-litert": importlib.metadata.version("ai-edge-litert")}

    def describe(self, builders: Sequence[Builder], encoding: GraphEncoding) -> Signature:
        """Return what a model takes and gives; see :meth:`wasinn_nb.runtimes.Runtime.describe`."""
        content = self._content(builders, encoding)
        return _signature(_interpreter(content), builders)

    def load(
        self,
        builders: Sequence[Builder],
        encoding: GraphEncoding,
        device: str,
        precision: str = "f32",
        *,
        input: InputOf | None = None,
        head: HeadOf | None = None,
    ) -> LiteRtGraph:
        """Read a model; see :meth:`wasinn_nb.runtimes.Runtime.load`."""
        check_precision(precision)
        device = check_device(device, self.devices())
        content = self._content(builders, encoding)
        signature = _signature(_interpreter(content), builders)
        recipe = None if input is None else input(signature)
        interpreter = _prepared(content, recipe)
        if recipe is not None:
            signature = _signature(interpreter, builders, allocated=True)
        graph = LiteRtGraph(
            content, signature, device, recipe, None if head is None else head(signature)
        )
        warn_of_precision(self.name, device, precision, graph.precision)
        return graph

    def devices(self) -> DeviceTable:
        """Return CPU and AUTO, and why the others are missing."""
        return DeviceTable(
            [
                Device("CPU", "LiteRT's own kernels"),
                Device("GPU", reason="LiteRT's Python package runs models on CPU only"),
                Device("AUTO", "CPU"),
            ]
        )

    def _content(self, builders: Sequence[Builder], encoding: GraphEncoding) -> bytes:
        (model,) = checked_parts(builders, encoding, GraphEncoding.TENSORFLOWLITE, self.name)
        return model.read_bytes() if isinstance(model, Path) else model


class LiteRtGraph:
    """A model; see :class:`wasinn_nb.runtimes.Graph`."""

    fuses_input: Final = False
    fuses_head: Final = False
    precision: Final = "f32"

    def __init__(
        self,
        content: bytes,
        signature: Signature,
        device: str,
        recipe: PreprocessRecipe | None,
        head: Head | None,
    ) -> None:
        self.content = content
        self.inputs, self.outputs = signature.inputs, signature.outputs
        self.device = device
        self.input = recipe
        self.head = head

    def execution_context(self) -> LiteRtContext:
        """Make an interpreter of its own."""
        return LiteRtContext(self)


class LiteRtContext(ThreadedContext):
    """An interpreter."""

    def __init__(self, graph: LiteRtGraph) -> None:
        super().__init__()
        self._graph = graph
        self._interpreter = _prepared(graph.content, graph.input)
        self._inputs: dict[int, Tensor] = {}
        self._outputs: list[Any] = []

    def set_input(self, index: int, tensor: Tensor) -> None:
        """Use *tensor*; where only the order of the sizes differs, bytes rule."""
        self._inputs[index] = tensor

    def _run(self) -> None:
        self._outputs = []
        details = self._interpreter.get_input_details()
        with translated("LiteRT failed to compute"):
            arrays = {}
            for index, tensor in self._inputs.items():
                array = tensor.to_array()
                if (dimensions := self._graph.inputs[index].fixed_dimensions) is not None:
                    array = array.reshape(dimensions)
                arrays[index] = array
            resized = False
            for index, array in arrays.items():
                if tuple(details[index]["shape"]) != array.shape:
                    self._interpreter.resize_tensor_input(details[index]["index"], array.shape)
                    resized = True
            if resized:
                self._interpreter.allocate_tensors()
            for index, array in arrays.items():
                self._interpreter.set_tensor(details[index]["index"], array)
            self._interpreter.invoke()
            self._outputs = [
                self._interpreter.get_tensor(detail["index"])
                for detail in self._interpreter.get_output_details()
            ]

    def output(self, index: int) -> Tensor:
        """Return output *index* of the last run."""
        check_output(index, self._graph.outputs[index], computed=bool(self._outputs))
        array = np.ascontiguousarray(self._outputs[index])
        return Tensor.adopt(array.shape, array.dtype, array)

    def cancel(self) -> None:
        """Do nothing: LiteRT cannot be interrupted, and a run ends by itself."""


def _interpreter(content: bytes) -> Interpreter:
    with translated("LiteRT cannot read the model"):
        return Interpreter(model_content=content, num_threads=processors())


def _prepared(content: bytes, recipe: PreprocessRecipe | None) -> Interpreter:
    """Return an interpreter that is ready to run, at the recipe's size."""
    interpreter = _interpreter(content)
    with translated("LiteRT cannot prepare the model"):
        if recipe is not None:
            detail = interpreter.get_input_details()[0]
            if tuple(detail["shape"]) != recipe.dimensions:
                interpreter.resize_tensor_input(detail["index"], recipe.dimensions)
        interpreter.allocate_tensors()
    return interpreter


def _signature(
    interpreter: Interpreter, builders: Sequence[Builder], *, allocated: bool = False
) -> Signature:
    inputs = interpreter.get_input_details()
    outputs = interpreter.get_output_details()
    if not inputs or not outputs:
        raise RuntimeFailure("the model has no inputs or no outputs; it cannot be run")
    found = Signature(
        tuple(_port(detail, allocated=allocated) for detail in inputs),
        tuple(_port(detail, allocated=allocated) for detail in outputs),
    )
    return with_stated(found, builders)


def _port(detail: Mapping[str, Any], *, allocated: bool) -> Port:
    sides = detail["shape"] if allocated else detail["shape_signature"]
    name = np.dtype(detail["dtype"]).name
    try:
        type_ = TensorType.from_dtype(detail["dtype"])
    except ValueError:
        type_ = None
    scale, zero_point = detail["quantization"]
    return Port(
        detail["name"],
        tuple(int(side) if side >= 0 else None for side in sides),
        type_,
        type_.suffix if type_ is not None else name,
        quantization=(float(scale), int(zero_point)) if scale else None,
    )


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn LiteRT's exceptions into ours, once, at this edge."""
    try:
        yield
    except WasiNnError:
        raise
    except (RuntimeError, ValueError, TypeError, MemoryError) as error:
        words = " ".join(str(error).split())
        raise RuntimeFailure(f"{what}: {words:.1000}") from error
