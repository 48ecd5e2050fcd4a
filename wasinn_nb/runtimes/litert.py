"""LiteRT, TensorFlow Lite's successor: a second engine for .tflite models."""

from __future__ import annotations

import os
import re
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any, Final, NamedTuple

import ai_edge_litert
import numpy as np
from ai_edge_litert.interpreter import Interpreter
from numpy.typing import NDArray

from wasinn_nb.abi import GraphEncoding, TensorType
from wasinn_nb.cards import Port, Signature, content_of, port_of
from wasinn_nb.errors import Remedy, WasiNnError
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.runtimes.base import BaseRuntime, GraphSpec
from wasinn_nb.runtimes.concurrency import Concurrency, processors
from wasinn_nb.runtimes.device_table import AUTO, Device, DeviceTable
from wasinn_nb.runtimes.protocols import Builder
from wasinn_nb.runtimes.reading import check_ends, checked_part, failure, with_dimensions
from wasinn_nb.runtimes.threaded import ThreadedContext, UnfusedGraph

__all__ = ["LiteRtContext", "LiteRtGraph", "LiteRtRuntime"]

_OPENVINO: Final = ({"runtime": "openvino"},)
_SYMMETRIC: Final = Remedy(
    "LiteRT takes 8-bit weights with zero point 0 only: quantize the original model again, or "
    "use runtime='openvino'",
    _OPENVINO,
)
_REMEDIES: Final[Mapping[str, Remedy | str]] = {
    "unresolved custom op": "convert the original model without this operation, or run the file "
    "with the runtime that defines it",
    "Select TensorFlow op": Remedy(
        "convert the original model with TensorFlow Lite's own operations only, or use "
        "runtime='openvino'",
        _OPENVINO,
    ),
    "Didn't find op for builtin opcode": "the operation is newer than LiteRT here: "
    "pip install --upgrade ai-edge-litert",
    "unsupported zero-point value": _SYMMETRIC,
    "zero_point->data[i] != 0": _SYMMETRIC,
}
_NOTE: Final = re.compile(rb"INFO: .*TensorFlow Lite")
_quiet_lock = threading.Lock()


class _Model(NamedTuple):
    """A model's bytes and an interpreter of them; further contexts need one of their own."""

    content: bytes
    interpreter: Interpreter
    threads: int


class LiteRtRuntime(BaseRuntime[_Model]):
    """Reads and runs TensorFlow Lite models; NumPy does preprocessing and heads.

    Examples
    --------
    >>> LiteRtRuntime().name
    'litert'
    """

    name = "litert"
    encodings = frozenset({GraphEncoding.TENSORFLOWLITE, GraphEncoding.AUTODETECT})

    @property
    def versions(self) -> Mapping[str, str]:
        """The version of LiteRT."""
        return {"ai-edge-litert": ai_edge_litert.__version__}

    def devices(self) -> DeviceTable:
        """Return CPU and AUTO, and why the others are missing."""
        return DeviceTable(
            [
                Device("CPU", "LiteRT's own kernels"),
                Device("GPU", reason="LiteRT's Python package runs models on CPU only"),
                Device(AUTO, "CPU"),
            ]
        )

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
    ) -> _Model:
        del device  # there is only one
        part = checked_part(builders, encoding, GraphEncoding.TENSORFLOWLITE, self.name)
        content = content_of(part)
        threads = processors() if concurrency is None else concurrency.threads_each
        return _Model(content, _interpreter(content, threads), threads)

    def _signature(self, model: _Model, builders: Sequence[Builder]) -> Signature:
        del builders
        with translated("LiteRT cannot describe the model"):
            inputs = tuple(map(_port, model.interpreter.get_input_details()))
            outputs = tuple(map(_port, model.interpreter.get_output_details()))
        check_ends(len(inputs), len(outputs), GraphEncoding.TENSORFLOWLITE)
        return Signature(inputs, outputs)

    def _at_size(self, model: _Model, signature: Signature, recipe: PreprocessRecipe) -> Signature:
        """Where sizes are open, a run on zeros shows them."""
        interpreter = model.interpreter
        _prepare(interpreter, recipe)
        ports = (*signature.inputs, *signature.outputs)
        with translated("LiteRT cannot run the model at the recipe's size"):
            if any(port.fixed_dimensions is None for port in ports):
                for detail in interpreter.get_input_details():
                    zeros = np.zeros(detail["shape"], detail["dtype"])
                    interpreter.set_tensor(detail["index"], zeros)
                interpreter.invoke()
                interpreter.reset_all_variables()
            inputs = [tuple(map(int, d["shape"])) for d in interpreter.get_input_details()]
            outputs = [tuple(map(int, d["shape"])) for d in interpreter.get_output_details()]
        return Signature(
            with_dimensions(signature.inputs, inputs), with_dimensions(signature.outputs, outputs)
        )

    def _compiled(self, model: _Model, spec: GraphSpec, device: str, precision: str) -> LiteRtGraph:
        del precision  # float32 always
        if spec.recipe is None:
            _prepare(model.interpreter, None)
        return LiteRtGraph(model, spec, device)


class LiteRtGraph(UnfusedGraph):
    """A model; see :class:`wasinn_nb.runtimes.Graph`."""

    def __init__(self, model: _Model, spec: GraphSpec, device: str) -> None:
        super().__init__(spec, device)
        self._content, self._threads = model.content, model.threads
        self._unused = [model.interpreter]

    def execution_context(self) -> LiteRtContext:
        """Make a context with an interpreter of its own; the first one gets that of loading."""
        self.guard.check()
        try:
            interpreter = self._unused.pop()
        except IndexError:
            interpreter = _interpreter(self._content, self._threads)
            _prepare(interpreter, self.input)
        return LiteRtContext(self, interpreter)


class LiteRtContext(ThreadedContext):
    """An interpreter."""

    def __init__(self, graph: LiteRtGraph, interpreter: Interpreter) -> None:
        super().__init__(graph)
        self._interpreter = interpreter
        self._ready = True
        self._given = [index for index, port in enumerate(graph.outputs) if port.type is not None]

    def _infer(self, inputs: Mapping[int, NDArray[Any]]) -> Mapping[int, NDArray[Any]]:
        interpreter = self._interpreter
        with translated("LiteRT failed to compute"):
            details = interpreter.get_input_details()
            resized = [
                index
                for index, array in inputs.items()
                if tuple(details[index]["shape"]) != array.shape
            ]
            for index in resized:
                interpreter.resize_tensor_input(details[index]["index"], inputs[index].shape)
            if resized or not self._ready:
                self._ready = False
                interpreter.allocate_tensors()
                self._ready = True
            for index, array in inputs.items():
                interpreter.set_tensor(details[index]["index"], array)
            interpreter.invoke()
            outputs = interpreter.get_output_details()
            return {index: interpreter.get_tensor(outputs[index]["index"]) for index in self._given}

    def cancel(self) -> None:
        """Do nothing: LiteRT cannot be interrupted, and a run ends by itself."""


def _interpreter(content: bytes, threads: int) -> Interpreter:
    with translated("LiteRT cannot read the model"):
        return Interpreter(model_content=content, num_threads=threads)


def _prepare(interpreter: Interpreter, recipe: PreprocessRecipe | None) -> None:
    """Make an interpreter ready to run, at the recipe's size."""
    with translated("LiteRT cannot prepare the model"), _quiet():
        if recipe is not None:
            detail = interpreter.get_input_details()[0]
            interpreter.resize_tensor_input(detail["index"], recipe.dimensions)
        interpreter.allocate_tensors()


def _port(detail: Mapping[str, Any]) -> Port:
    sizes = (int(side) if side >= 0 else None for side in detail["shape_signature"])
    try:
        type_name = TensorType.from_dtype(detail["dtype"]).suffix
    except ValueError:
        name = np.dtype(detail["dtype"]).name.replace("uint", "u").replace("int", "i")
        type_name = {"bool": "boolean", "bytes": "string"}.get(name, name)
    return port_of(detail["name"], sizes, type_name)


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn LiteRT's exceptions into ours, once, at this edge."""
    try:
        yield
    except WasiNnError:
        raise
    except Exception as error:
        raise failure(what, str(error), _REMEDIES) from error


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep LiteRT's notes (``INFO: Created TensorFlow Lite XNNPACK delegate``) from being shown.

    It has no setting for them, and writes to the standard error behind Python's.  All other lines
    are written there afterwards.
    """
    with _quiet_lock, ExitStack() as opened:
        try:
            kept = os.dup(2)
            opened.callback(os.close, kept)
            file = opened.enter_context(tempfile.TemporaryFile())
        except OSError:  # there is no standard error, or no place for files
            yield
            return
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(kept, 2)
            file.seek(0)
            os.write(2, b"".join(line for line in file if not _NOTE.match(line)))
