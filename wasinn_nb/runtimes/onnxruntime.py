"""ONNX Runtime: a second engine for ONNX models."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.cards import (
    OnnxLayers,
    Port,
    Signature,
    content_of,
    port_of,
    stated,
    with_weights_inside,
)
from wasinn_nb.errors import RuntimeFailure, WasiNnError
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.runtimes.base import BaseRuntime, GraphSpec
from wasinn_nb.runtimes.concurrency import Concurrency, processors
from wasinn_nb.runtimes.device_table import AUTO, Device, DeviceTable
from wasinn_nb.runtimes.onnxruntime_layers import OnnxLayeredModel
from wasinn_nb.runtimes.precisions import check_precision
from wasinn_nb.runtimes.protocols import Builder, InputOf
from wasinn_nb.runtimes.reading import OPEN_RANK, check_ends, checked_part, failure
from wasinn_nb.runtimes.threaded import ThreadedContext, UnfusedGraph

__all__ = ["OnnxContext", "OnnxGraph", "OnnxRuntime"]

_PROVIDERS: Final = {
    "CPU": "CPUExecutionProvider",
    "GPU": "CUDAExecutionProvider",
}
# f32 on NVIDIA is TF32 otherwise, with 10 bits of mantissa in place of 23.
_OPTIONS: Final = {"CUDAExecutionProvider": {"use_tf32": "0"}}
_TYPE_NAMES: Final = {
    "bfloat16": "bf16",
    "bool": "boolean",
    "double": "f64",
    "float": "f32",
    "float16": "f16",
}
# Otherwise ONNX Runtime writes to the standard error what its exceptions say.
_SILENT: Final = 4
_UPDATE: Final = (
    "export the model for an older version of ONNX, or install a newer ONNX Runtime: "
    "pip install --upgrade onnxruntime"
)
_OPERATION: Final = (
    "export the model again with operations of ONNX itself, or run it with the runtime that "
    "defines these"
)
_REMEDIES: Final = {
    "is not a registered function/op": _OPERATION,
    "No Op registered for": _OPERATION,
    "Unsupported model IR version": _UPDATE,
    "is under development and support for this is limited": _UPDATE,
}
_PLACE: Final = re.compile(
    r"^\[ONNXRuntimeError\] : \d+ : [A-Z_]+ : |/onnxruntime_src/\S+:\d+ .*?\) (?:const )?"
)


class OnnxRuntime(BaseRuntime[ort.InferenceSession]):
    """Reads and runs ONNX models; NumPy does preprocessing and heads.

    Examples
    --------
    >>> OnnxRuntime().name
    'onnxruntime'
    """

    name = "onnxruntime"
    encodings = frozenset({GraphEncoding.ONNX, GraphEncoding.AUTODETECT})

    @property
    def versions(self) -> Mapping[str, str]:
        """The version of ONNX Runtime."""
        return {"onnxruntime": ort.__version__}

    def devices(self) -> DeviceTable:
        """Return CPU, GPU and AUTO, and why the missing ones are missing."""
        here = ort.get_available_providers()
        rows = [
            Device(name, "ONNX Runtime's own kernels" if name == "CPU" else provider)
            if provider in here
            else Device(name, reason=f"this build of ONNX Runtime has no {provider}")
            for name, provider in _PROVIDERS.items()
        ]
        return DeviceTable([*rows, Device(AUTO, "the first of these that is here")])

    def precisions(self, device: str) -> tuple[str, ...]:
        """Return f32: the engine computes in nothing else."""
        del device
        return ("f32",)

    def _read(
        self,
        builders: Sequence[Builder],
        encoding: GraphEncoding,
        device: str,
        concurrency: Concurrency | None = None,
    ) -> ort.InferenceSession:
        return self._session(self._whole(builders, encoding), device, concurrency)

    def _whole(self, builders: Sequence[Builder], encoding: GraphEncoding) -> Builder:
        model = checked_part(builders, encoding, GraphEncoding.ONNX, self.name)
        if isinstance(model, Path) and stated(builders).weights:
            return with_weights_inside(model)
        return model

    def _session(
        self, model: Builder, device: str, concurrency: Concurrency | None = None
    ) -> ort.InferenceSession:
        provider = _PROVIDERS[device]
        options = ort.SessionOptions()
        options.log_severity_level = _SILENT
        options.intra_op_num_threads = (
            processors() if concurrency is None else concurrency.threads_each
        )
        # Of a file called .ort it would take another format for granted.
        options.add_session_config_entry("session.load_model_format", "ONNX")
        # Threads that wait would keep the processors from all other work, for a while.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        with translated("ONNX Runtime cannot read the model"):
            session = ort.InferenceSession(
                str(model) if isinstance(model, Path) else model,
                options,
                providers=[(provider, _OPTIONS.get(provider, {}))],
                enable_fallback=0,  # it prints, and tries the processor
            )
        if provider not in session.get_providers():
            raise RuntimeFailure(
                f"ONNX Runtime has {provider}, but it does not work here: "
                f"check the driver and CUDA, or use the target CPU"
            )
        return session

    def _signature(self, model: ort.InferenceSession, builders: Sequence[Builder]) -> Signature:
        with translated("ONNX Runtime cannot describe the model"):
            ends = model.get_inputs(), model.get_outputs()
            inputs, outputs = (tuple(map(_port, side)) for side in ends)
        check_ends(len(inputs), len(outputs), GraphEncoding.ONNX)
        # A scalar and a tensor with an open number of dimensions have the same sizes here: none.
        ports = (*inputs, *outputs)
        scalar = any(not port.dimensions and "(" not in port.type_name for port in ports)
        if scalar and stated(builders).signature is None:
            raise RuntimeFailure(OPEN_RANK)
        return Signature(inputs, outputs)

    def _at_size(
        self, model: ort.InferenceSession, signature: Signature, recipe: PreprocessRecipe
    ) -> Signature:
        """Where sizes are open, a run on zeros shows them."""
        inputs = (dataclasses.replace(signature.inputs[0], dimensions=recipe.dimensions),)
        ports = (*signature.inputs, *signature.outputs)
        if all(port.fixed_dimensions is not None for port in ports):
            return Signature(inputs, signature.outputs)
        with translated("ONNX Runtime cannot run the model at the recipe's size"):
            zeros = {signature.inputs[0].name: np.zeros(recipe.dimensions, recipe.type.dtype)}
            made = _run(model, _holdable(signature.outputs), zeros)
        outputs = [
            dataclasses.replace(port, dimensions=np.shape(made[index])) if index in made else port
            for index, port in enumerate(signature.outputs)
        ]
        return Signature(inputs, tuple(outputs))

    def layered(
        self,
        builders: Sequence[Builder],
        encoding: GraphEncoding,
        device: str,
        precision: str,
        *,
        input: InputOf,
    ) -> OnnxLayeredModel:
        """Read a model for its layers; see :class:`wasinn_nb.runtimes.LayeredRuntime`."""
        check_precision(precision)
        device = self._device(device)
        recipe = input(self.describe(builders, encoding))
        graph = OnnxLayers(content_of(self._whole(builders, encoding)), recipe.dimensions)
        return OnnxLayeredModel(graph, lambda part: self._session(part, device), _run)

    def _compiled(
        self, model: ort.InferenceSession, spec: GraphSpec, device: str, precision: str
    ) -> OnnxGraph:
        del precision  # float32 always
        return OnnxGraph(model, spec, device)


class OnnxGraph(UnfusedGraph):
    """A session; see :class:`wasinn_nb.runtimes.Graph`."""

    def __init__(self, session: ort.InferenceSession, spec: GraphSpec, device: str) -> None:
        super().__init__(spec, device)
        self.session = session

    def execution_context(self) -> OnnxContext:
        """Make a context; a session runs in several threads at once."""
        self.guard.check()
        return OnnxContext(self)


class OnnxContext(ThreadedContext):
    """The inputs and outputs of one run."""

    def __init__(self, graph: OnnxGraph) -> None:
        super().__init__(graph)
        self._session = graph.session
        self._names = [port.name for port in graph.inputs]
        self._given = _holdable(graph.outputs)
        self._options = ort.RunOptions()

    def _prepare(self) -> None:
        super()._prepare()
        self._options = ort.RunOptions()
        self._options.log_severity_level = _SILENT

    def _infer(self, inputs: Mapping[int, NDArray[Any]]) -> Mapping[int, NDArray[Any]]:
        feeds = {self._names[index]: array for index, array in inputs.items()}
        with translated("ONNX Runtime failed to compute"):
            return _run(self._session, self._given, feeds, self._options)

    def cancel(self) -> None:
        """Stop a run in another thread."""
        self._options.terminate = True


def _holdable(outputs: Sequence[Port]) -> Mapping[int, str]:
    """Return index and name of the outputs that tensors can hold."""
    return {index: port.name for index, port in enumerate(outputs) if port.type is not None}


def _run(
    session: ort.InferenceSession,
    outputs: Mapping[int, str],
    feeds: Mapping[str, NDArray[Any]],
    options: ort.RunOptions | None = None,
) -> Mapping[int, NDArray[Any]]:
    """Run a session for some of its outputs, by their indices: NumPy cannot hold every type."""
    if not outputs:  # ONNX Runtime takes no names for all names
        return {}
    return dict(zip(outputs, session.run(list(outputs.values()), feeds, options), strict=True))


def _port(value: Any) -> Port:
    sizes = (side if isinstance(side, int) and side >= 0 else None for side in value.shape)
    name = re.sub(r"^tensor\((\w+)\)$", r"\1", value.type)
    short = name if "(" in name else name.replace("uint", "u").replace("int", "i")
    return port_of(value.name, sizes, _TYPE_NAMES.get(name, short))


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn ONNX Runtime's exceptions into ours, once, at this edge."""
    try:
        yield
    except WasiNnError:
        raise
    except Exception as error:
        raise failure(what, _PLACE.sub("", str(error)), _REMEDIES) from error
