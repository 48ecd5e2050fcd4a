"""ONNX Runtime: a second engine for ONNX models."""

from __future__ import annotations

import dataclasses
import importlib.metadata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort

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

__all__ = ["OnnxContext", "OnnxGraph", "OnnxRuntime"]

_PROVIDERS: Final = {
    "CPU": "CPUExecutionProvider",
    "GPU": "CUDAExecutionProvider",
}
_TYPES: Final = {
    "tensor(float16)": TensorType.F16,
    "tensor(float)": TensorType.F32,
    "tensor(double)": TensorType.F64,
    "tensor(uint8)": TensorType.U8,
    "tensor(int8)": TensorType.I8,
    "tensor(int32)": TensorType.I32,
    "tensor(int64)": TensorType.I64,
}
_ERRORS_ONLY: Final = 3


class OnnxRuntime:
    """Reads and runs ONNX models; NumPy does preprocessing and heads.

    Examples
    --------
    >>> OnnxRuntime().name
    'onnxruntime'
    """

    name: Final = "onnxruntime"
    encodings: Final = frozenset({GraphEncoding.ONNX, GraphEncoding.AUTODETECT})

    @property
    def versions(self) -> Mapping[str, str]:
        """The version of ONNX Runtime."""
        return {"onnxruntime": importlib.metadata.version("onnxruntime")}

    def describe(self, builders: Sequence[Builder], encoding: GraphEncoding) -> Signature:
        """Return what a model takes and gives; see :meth:`wasinn_nb.runtimes.Runtime.describe`."""
        return _signature(self._session(builders, encoding, "CPU"), builders)

    def load(
        self,
        builders: Sequence[Builder],
        encoding: GraphEncoding,
        device: str,
        precision: str = "f32",
        *,
        input: InputOf | None = None,
        head: HeadOf | None = None,
    ) -> OnnxGraph:
        """Read a model; see :meth:`wasinn_nb.runtimes.Runtime.load`."""
        check_precision(precision)
        device = check_device(device, self.devices())
        session = self._session(builders, encoding, device)
        signature = _signature(session, builders)
        recipe = None if input is None else input(signature)
        if recipe is not None:
            signature = _at_size(session, signature, recipe)
        graph = OnnxGraph(
            session, signature, device, recipe, None if head is None else head(signature)
        )
        warn_of_precision(self.name, device, precision, graph.precision)
        return graph

    def devices(self) -> DeviceTable:
        """Return CPU, GPU and AUTO, and why the missing ones are missing."""
        here = ort.get_available_providers()
        rows = [
            Device(name, "ONNX Runtime's own kernels" if name == "CPU" else provider)
            if provider in here
            else Device(name, reason=f"this build of ONNX Runtime has no {provider}")
            for name, provider in _PROVIDERS.items()
        ]
        return DeviceTable([*rows, Device("AUTO", "the first of these that is here")])

    def _session(
        self, builders: Sequence[Builder], encoding: GraphEncoding, device: str
    ) -> ort.InferenceSession:
        (model,) = checked_parts(builders, encoding, GraphEncoding.ONNX, self.name)
        options = ort.SessionOptions()
        options.log_severity_level = _ERRORS_ONLY
        options.intra_op_num_threads = processors()
        with translated("ONNX Runtime cannot read the model"):
            session = ort.InferenceSession(
                str(model) if isinstance(model, Path) else model,
                options,
                providers=[_PROVIDERS[device]],
            )
        if not session.get_inputs() or not session.get_outputs():
            raise RuntimeFailure("the model has no inputs or no outputs; it cannot be run")
        return session


class OnnxGraph:
    """A session; see :class:`wasinn_nb.runtimes.Graph`."""

    fuses_input: Final = False
    fuses_head: Final = False
    precision: Final = "f32"

    def __init__(
        self,
        session: ort.InferenceSession,
        signature: Signature,
        device: str,
        recipe: PreprocessRecipe | None,
        head: Head | None,
    ) -> None:
        self.session = session
        self.inputs, self.outputs = signature.inputs, signature.outputs
        self.device = device
        self.input = recipe
        self.head = head

    def execution_context(self) -> OnnxContext:
        """Make a context; sessions run in several threads at once."""
        return OnnxContext(self)


class OnnxContext(ThreadedContext):
    """The inputs and outputs of one run."""

    def __init__(self, graph: OnnxGraph) -> None:
        super().__init__()
        self._graph = graph
        self._inputs: dict[str, Any] = {}
        self._outputs: list[Any] = []
        self._options = ort.RunOptions()

    def set_input(self, index: int, tensor: Tensor) -> None:
        """Use *tensor*; where only the order of the sizes differs, bytes rule."""
        port = self._graph.inputs[index]
        array = tensor.to_array()
        if (dimensions := port.fixed_dimensions) is not None:
            array = array.reshape(dimensions)
        self._inputs[self._graph.session.get_inputs()[index].name] = array

    def _run(self) -> None:
        self._outputs = []
        self._options = ort.RunOptions()
        self._options.log_severity_level = _ERRORS_ONLY
        with translated("ONNX Runtime failed to compute"):
            self._outputs = self._graph.session.run(None, self._inputs, self._options)

    def output(self, index: int) -> Tensor:
        """Return output *index* of the last run."""
        check_output(index, self._graph.outputs[index], computed=bool(self._outputs))
        array = np.ascontiguousarray(self._outputs[index])
        return Tensor.adopt(array.shape, array.dtype, array)

    def cancel(self) -> None:
        """Stop a run in another thread."""
        self._options.terminate = True


def _signature(session: ort.InferenceSession, builders: Sequence[Builder]) -> Signature:
    """Return what a session takes and gives; what computes its outputs, the file says."""
    found = Signature(
        tuple(map(_port, session.get_inputs())), tuple(map(_port, session.get_outputs()))
    )
    return with_stated(found, builders)


def _port(value: Any) -> Port:
    type_ = _TYPES.get(value.type)
    return Port(
        value.name,
        tuple(side if isinstance(side, int) and side >= 0 else None for side in value.shape),
        type_,
        type_.suffix if type_ is not None else value.type.removeprefix("tensor(").removesuffix(")"),
    )


def _at_size(
    session: ort.InferenceSession, signature: Signature, recipe: PreprocessRecipe
) -> Signature:
    """Return the signature at the recipe's size: where sizes are open, a run on zeros tells."""
    inputs = (dataclasses.replace(signature.inputs[0], dimensions=recipe.dimensions),)
    if all(port.fixed_dimensions is not None for port in signature.outputs):
        return Signature(inputs, signature.outputs)
    zeros = np.zeros(recipe.dimensions, recipe.type.dtype)
    with translated("ONNX Runtime cannot run the model at the recipe's size"):
        made = session.run(None, {session.get_inputs()[0].name: zeros})
    outputs = [
        dataclasses.replace(port, dimensions=np.shape(array))
        for port, array in zip(signature.outputs, made, strict=True)
    ]
    return Signature(inputs, tuple(outputs))


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn ONNX Runtime's exceptions into ours, once, at this edge."""
    try:
        yield
    except WasiNnError:
        raise
    except Exception as error:
        words = " ".join(str(error).split())
        raise RuntimeFailure(f"{what}: {words:.1000}") from error
