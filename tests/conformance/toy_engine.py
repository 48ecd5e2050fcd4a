"""A whole runtime in one class, as another package may bring it: NumPy over a format of its own.

It fuses neither preprocessing nor heads.  A model is JSON: what goes in (name → dimensions and
type), steps (name of the result, kind, operands), what comes out (name → value, dimensions, type).
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final

import numpy as np

from wasinn_nb.abi import GraphEncoding, TensorType
from wasinn_nb.cards import Port, Signature
from wasinn_nb.errors import (
    InvalidArgumentError,
    MissingFileError,
    RuntimeFailure,
    UnsupportedOperationError,
)
from wasinn_nb.runtimes import (
    Device,
    DeviceTable,
    check_device,
    check_precision,
    warn_of_precision,
)
from wasinn_nb.tensor import Tensor

_KINDS: Final = {
    "add": np.add,
    "subtract": np.subtract,
    "multiply": np.multiply,
    "sqrt": np.sqrt,
    "sigmoid": lambda value: 1 / (1 + np.exp(-value)),
    "convert": lambda value, type_: value.astype(TensorType.parse(type_).dtype),
    "highest": lambda value, axes: value.max(axis=tuple(axes)),
}
_POOL: Final = ThreadPoolExecutor(4)


class ToyEngine:
    """Runtime, graph and execution context at once: each is a copy that knows more."""

    name: Final = "toy"
    encodings: Final = frozenset({GraphEncoding.AUTODETECT})
    versions: Final = {"toy-engine": "1.0"}
    device: Final = "CPU"
    precision: Final = "f32"
    fuses_input: Final = False
    fuses_head: Final = False

    # -- runtime ---------------------------------------------------------------------------------

    def devices(self):
        return DeviceTable([Device("CPU", "NumPy"), Device("GPU", reason="NumPy runs on CPU only")])

    def describe(self, builders, encoding):
        if encoding is not GraphEncoding.AUTODETECT:
            raise UnsupportedOperationError(f"toy does not read encoding {encoding.name.lower()}")
        if len(builders) != 1:
            raise InvalidArgumentError(f"toy takes 1 builder, got {len(builders)}")
        content = builders[0]
        if isinstance(content, Path):
            if not content.is_file():
                raise MissingFileError(f"no model at {content}")
            content = content.read_bytes()
        try:
            self._model = json.loads(content)
            ins, outs = self._model["in"].items(), self._model["out"].items()
            return Signature(
                tuple(_port(name, *known) for name, known in ins),
                tuple(_port(name, *known) for name, (_, *known) in outs),
            )
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise RuntimeFailure(f"the bytes are not a toy model: {error}") from error

    def load(self, builders, encoding, device, precision="f32", *, input=None, head=None):
        check_precision(precision)
        check_device(device, self.devices())
        graph = ToyEngine()
        signature = graph.describe(builders, encoding)
        graph.input = None if input is None else input(signature)
        if graph.input is not None:
            signature = graph._at_size(signature, graph.input.dimensions)
        graph.head = None if head is None else head(signature)
        graph.inputs, graph.outputs = signature.inputs, signature.outputs
        warn_of_precision(self.name, "CPU", precision, "f32")
        return graph

    # -- graph -----------------------------------------------------------------------------------

    def execution_context(self):
        context = ToyEngine()
        context._model, context.inputs, context.outputs = self._model, self.inputs, self.outputs
        context._values, context._results, context._cancelled = {}, None, False
        return context

    def _at_size(self, signature, dimensions):
        """Return the signature at the size of the image: a run on zeros shows it."""
        self.inputs, self.outputs = signature.inputs, signature.outputs
        probe = self.execution_context()
        port = signature.inputs[0]
        probe.set_input(0, Tensor.from_array(np.zeros(dimensions, port.type.dtype)))
        probe.compute()
        sizes = [probe.output(index).dimensions for index in range(len(signature.outputs))]
        pairs = zip(signature.outputs, sizes, strict=True)
        return Signature(
            (_port(port.name, dimensions, port.type_name),),
            tuple(_port(output.name, found, output.type_name) for output, found in pairs),
        )

    # -- execution context -----------------------------------------------------------------------

    def set_input(self, index, tensor):
        port = self.inputs[index]
        self._values[port.name] = tensor.to_array().reshape(
            port.fixed_dimensions or tensor.dimensions
        )

    def start(self):
        self._cancelled, self._results = False, None
        self._run = _POOL.submit(self._compute)

    def wait(self):
        self._results = self._run.result()

    def compute(self):
        self.start()
        self.wait()

    def cancel(self):
        self._cancelled = True

    def output(self, index):
        if self._results is None:
            raise RuntimeFailure("there is no output yet: run the graph first")
        return Tensor.from_array(self._results[index])

    def _compute(self) -> list[Any]:
        values = dict(self._values)
        with np.errstate(all="ignore"):
            for name, kind, source, *given in self._model["do"]:
                if self._cancelled:
                    raise RuntimeFailure("the run was cancelled")
                operands = given
                if kind in {"add", "subtract", "multiply"}:
                    other = values[given[0]] if isinstance(given[0], str) else given[0]
                    operands = [np.asarray(other, values[source].dtype)]
                values[name] = _KINDS[kind](values[source], *operands)
        return [values[source] for source, _, _ in self._model["out"].values()]


def _port(name, dimensions, type_name):
    return Port(name, tuple(dimensions), TensorType.parse(type_name), type_name)
