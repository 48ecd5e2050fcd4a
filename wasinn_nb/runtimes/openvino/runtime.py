"""OpenVINO behind the protocols."""

from __future__ import annotations

import dataclasses
import importlib.metadata
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray

from wasinn_nb.abi import GraphEncoding, TensorType
from wasinn_nb.cards import Port, Signature
from wasinn_nb.imaging import PreprocessRecipe
from wasinn_nb.pickling import NotPickled
from wasinn_nb.runtimes.base import BaseRuntime, GraphSpec
from wasinn_nb.runtimes.concurrency import Concurrency
from wasinn_nb.runtimes.device_table import HARDWARE, DeviceTable
from wasinn_nb.runtimes.forking import LOAD_AGAIN, ProcessGuard
from wasinn_nb.runtimes.openvino.compiled import cache_folder, with_lasting_names
from wasinn_nb.runtimes.openvino.devices import checked_device, device_table
from wasinn_nb.runtimes.openvino.fusing import can_fuse_head, with_head, with_input
from wasinn_nb.runtimes.openvino.layers import OpenVinoLayers
from wasinn_nb.runtimes.openvino.models import (
    core,
    model_port,
    read_model,
    signature_of,
    translated,
)
from wasinn_nb.runtimes.openvino.probing import HINTS, probed_precisions
from wasinn_nb.runtimes.openvino.quantizing import quantized_model, write_model
from wasinn_nb.runtimes.precisions import check_precision
from wasinn_nb.runtimes.protocols import Builder, InputOf
from wasinn_nb.runtimes.quantizing import QuantizedLayers
from wasinn_nb.runtimes.reading import check_output, input_array, with_dimensions, with_stated
from wasinn_nb.tensor import Tensor

__all__ = ["OpenVinoContext", "OpenVinoGraph", "OpenVinoRuntime"]

_QUANTIZED: Final = frozenset({TensorType.U8, TensorType.I8})


class OpenVinoRuntime(BaseRuntime[ov.Model]):
    """Reads and runs models with OpenVINO; preprocessing and heads go into its graphs.

    Examples
    --------
    >>> OpenVinoRuntime().name
    'openvino'
    """

    name = "openvino"
    encodings = frozenset(GraphEncoding) - {GraphEncoding.PYTORCH}

    @property
    def versions(self) -> Mapping[str, str]:
        """The version of OpenVINO."""
        return {"openvino": importlib.metadata.version("openvino")}

    def devices(self) -> DeviceTable:
        """Return CPU, GPU, NPU and AUTO, and every further device that OpenVINO finds."""
        return device_table()

    def precisions(self, device: str) -> tuple[str, ...] | None:
        """Return what a device computes in; None for AUTO and the like, which choose one."""
        return probed_precisions(device) if device in core().available_devices else None

    def _device(self, device: str) -> str:
        return checked_device(device)

    def _read(
        self,
        builders: Sequence[Builder],
        encoding: GraphEncoding,
        device: str,
        concurrency: Concurrency | None = None,
    ) -> ov.Model:
        del device, concurrency  # models are read alike for all
        return read_model(builders, encoding)

    def _signature(self, model: ov.Model, builders: Sequence[Builder]) -> Signature:
        del builders
        with translated("OpenVINO cannot describe the model"):
            return signature_of(model)

    def _needs_stated(self, signature: Signature) -> bool:
        # OpenVINO states all but the quantization of TensorFlow Lite's integers.
        ports = (*signature.inputs, *signature.outputs)
        return any(port.type in _QUANTIZED for port in ports)

    def _at_size(
        self, model: ov.Model, signature: Signature, recipe: PreprocessRecipe
    ) -> Signature:
        with translated("OpenVINO cannot take images of the recipe's size"):
            model.reshape({model.input(0): ov.PartialShape(list(recipe.dimensions))})
        with translated("OpenVINO cannot describe the model"):
            sizes = signature_of(model)
        return Signature(
            with_dimensions(signature.inputs, [port.dimensions for port in sizes.inputs]),
            with_dimensions(signature.outputs, [port.dimensions for port in sizes.outputs]),
        )

    def layered(
        self,
        builders: Sequence[Builder],
        encoding: GraphEncoding,
        device: str,
        precision: str,
        *,
        input: InputOf,
    ) -> OpenVinoLayers:
        """Read a model for its layers; see :class:`wasinn_nb.runtimes.LayeredRuntime`."""
        check_precision(precision)
        device = self._device(device)
        model = self._read(builders, encoding, device)
        self._fitted(model, builders, input)
        model = with_lasting_names(model, encoding)
        return OpenVinoLayers(model, lambda one: self._compile(one, device, precision, None))

    def quantize(
        self,
        builders: Sequence[Builder],
        encoding: GraphEncoding,
        images: Iterable[NDArray[Any]],
        path: Path,
        *,
        count: int,
        keep: Sequence[str] = (),
        input: InputOf,
    ) -> QuantizedLayers:
        """Write a model in INT8; see :class:`wasinn_nb.runtimes.QuantizingRuntime`."""
        model = self._read(builders, encoding, HARDWARE[0])
        signature = with_stated(self._signature(model, builders), builders)
        self._fitted(model, builders, input)
        made, layers = quantized_model(with_lasting_names(model, encoding), images, count, keep)
        with translated("OpenVINO cannot write the model"):
            write_model(made, path, signature)
        return layers

    def _compiled(
        self, model: ov.Model, spec: GraphSpec, device: str, precision: str
    ) -> OpenVinoGraph:
        _, recipe, head, concurrency = spec
        fuses_head = head is not None and can_fuse_head(model, head)
        with translated("OpenVINO cannot put preprocessing and head into the graph"):
            if recipe is not None:
                model = with_input(model, recipe)
            if head is not None and fuses_head:
                model = with_head(model, head)
        cache = cache_folder()
        if cache is not None:
            model = with_lasting_names(model)
        compiled = self._compile(model, device, precision, concurrency, cache)
        return OpenVinoGraph(compiled, spec, fuses_head=fuses_head, cache=cache)

    def _compile(
        self,
        model: ov.Model,
        device: str,
        precision: str,
        concurrency: Concurrency | None,
        cache: Path | None = None,
    ) -> ov.CompiledModel:
        config: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if concurrency is not None and device == "CPU":
            # Pinned threads of several processes would share a processor and leave others idle.
            config = {
                "NUM_STREAMS": str(concurrency.streams),
                "INFERENCE_NUM_THREADS": concurrency.threads,
                "ENABLE_CPU_PINNING": False,
            }
        elif concurrency is not None:
            config = {"PERFORMANCE_HINT": "THROUGHPUT"}
        if precision != "device":
            config["INFERENCE_PRECISION_HINT"] = HINTS[precision]
        if cache is not None:
            config["CACHE_DIR"] = str(cache)
        try:
            return core().compile_model(model, device, config)
        except RuntimeError:
            if precision == "f32":
                with translated(f"{device} cannot compile the model"):
                    raise
        # Where a processor only seems to have a precision, oneDNN fails; f32 runs everywhere.
        return self._compile(model, device, "f32", concurrency, cache)


def _completed(compiled: Sequence[ov.Output], known: tuple[Port, ...]) -> tuple[Port, ...]:
    """Return the ports of a compiled model, with what was *known* before it was compiled."""
    ports = tuple(map(model_port, compiled))
    if len(ports) != len(known):
        return ports
    return tuple(
        dataclasses.replace(port, operation=one.operation, quantization=one.quantization)
        for port, one in zip(ports, known, strict=True)
    )


class OpenVinoGraph(NotPickled):
    """A compiled model; see :class:`wasinn_nb.runtimes.Graph`."""

    _instead = LOAD_AGAIN

    def __init__(
        self,
        compiled: ov.CompiledModel,
        spec: GraphSpec,
        *,
        fuses_head: bool,
        cache: Path | None = None,
    ) -> None:
        self.compiled = compiled
        hit = cache is not None and _property(compiled, "LOADED_FROM_CACHE", missing=False)
        self.model_cache = cache if hit else None
        self.guard = ProcessGuard("this graph")
        signature, self.input, self.head, _ = spec
        self.fuses_input = self.input is not None
        self.fuses_head = fuses_head
        self.inputs = _completed(compiled.inputs, () if self.fuses_input else signature.inputs)
        self.outputs = _completed(compiled.outputs, () if fuses_head else signature.outputs)
        self.shareable = self._shareable()

    def _shareable(self) -> frozenset[int]:
        """Return the outputs that OpenVINO can write to memory of ours.

        The CPU plug-in leaves the memory of an output that is an input passed on as it was, and
        lets other operations write to the *input's* memory then.  Those outputs are copied.
        """
        inputs = {port.signature for port in self.inputs}
        fixed = {
            index
            for index, port in enumerate(self.outputs)
            if port.type is not None and port.fixed_dimensions is not None
        }
        if not any(self.outputs[index].signature in inputs for index in fixed):
            return frozenset(fixed)
        return frozenset(
            index
            for index, result in enumerate(self.compiled.get_runtime_model().get_results())
            if index in fixed and _layer(result.input_value(0).get_node()) != "Input"
        )

    @property
    def device(self) -> str:
        """The device that runs the model, also where AUTO chose it."""
        return ",".join(_property(self.compiled, "EXECUTION_DEVICES", ["unknown"])).strip("()")

    @property
    def precision(self) -> str:
        """The precision of the computation as the device reports it."""
        hint = _property(self.compiled, "INFERENCE_PRECISION_HINT", None)
        if hint is None:  # AUTO reports it of the device that it chose
            chosen = _property(self.compiled, "DEVICE_PROPERTIES", {}).get(self.device, {})
            hint = chosen.get("INFERENCE_PRECISION_HINT")
        return hint.get_type_name() if isinstance(hint, ov.Type) else "unknown"

    def execution_context(self) -> OpenVinoContext:
        """Make an inference request."""
        self.guard.check()
        with translated("OpenVINO cannot make an inference request"):
            return OpenVinoContext(self, self.compiled.create_infer_request())


class OpenVinoContext(NotPickled):
    """An inference request whose inputs and outputs are shared with `Tensor` objects."""

    _instead = LOAD_AGAIN

    def __init__(self, graph: OpenVinoGraph, request: ov.InferRequest) -> None:
        self._graph = graph
        self._request = request
        self._inputs: dict[int, Tensor] = {}
        self._outputs: dict[int, Tensor] = {}
        self._fresh: dict[int, NDArray[Any]] = {}
        self._started = self._cancelled = self._computed = False

    def set_input(self, index: int, tensor: Tensor) -> None:
        """Share *tensor* with OpenVINO; in the model's dimensions."""
        self._graph.guard.check()
        array = input_array(index, self._graph.inputs[index], tensor)
        with translated(f"OpenVINO refused input {index}"):
            self._request.set_input_tensor(index, _shared(array))
        self._inputs[index] = tensor  # OpenVINO reads it in place: keep it alive

    def start(self) -> None:
        """Begin a run; the outputs go to fresh memory, so that earlier ones stay as they were."""
        self._graph.guard.check()
        fresh = {}
        for index in self._graph.shareable:
            port = self._graph.outputs[index]
            if port.type is not None and port.fixed_dimensions is not None:
                fresh[index] = np.empty(port.fixed_dimensions, port.type.dtype)
        with translated("OpenVINO failed to compute"):
            for index, array in fresh.items():
                self._request.set_output_tensor(index, ov.Tensor(array, shared_memory=True))
            self._outputs, self._fresh = {}, fresh
            self._cancelled = self._computed = False
            self._request.start_async()
            self._started = True
            if self._cancelled:  # after it was asked for, before OpenVINO had begun
                self._request.cancel()

    def wait(self) -> None:
        """Wait for the run that :meth:`start` began."""
        if not self._started:
            return
        self._started = False
        with translated("OpenVINO failed to compute"):
            self._request.wait()
        for index, array in self._fresh.items():
            self._outputs[index] = Tensor.adopt(array.shape, array.dtype, array)
        self._computed = True

    def compute(self) -> None:
        """Run the model."""
        self.start()
        self.wait()

    def output(self, index: int) -> Tensor:
        """Return output *index*, copied once where OpenVINO could not write to memory of ours."""
        check_output(index, self._graph.outputs[index], computed=self._computed)
        if index not in self._outputs:
            with translated(f"OpenVINO has no output {index}"):
                self._outputs[index] = Tensor.from_array(
                    self._request.get_output_tensor(index).data
                )
        return self._outputs[index]

    def cancel(self) -> None:
        """Stop a `compute` that runs in another thread."""
        self._cancelled = True
        self._request.cancel()


class _Alias:
    """An array's memory, offered as if it could be written to."""

    def __init__(self, array: NDArray[Any]) -> None:
        address = array.__array_interface__["data"][0]
        self.__array_interface__ = array.__array_interface__ | {"data": (address, False)}


def _shared(array: NDArray[Any]) -> ov.Tensor:
    """Return an OpenVINO tensor over a read-only array's own memory.

    OpenVINO takes only writable arrays to share, but does not write to inputs unless an output
    that is an input passed on is shared too (`OpenVinoGraph._shareable`).  The caller keeps the
    array alive.
    """
    if not array.nbytes:
        return ov.Tensor(array)
    return ov.Tensor(np.asarray(_Alias(array)), shared_memory=True)


def _layer(node: ov.Node) -> str:
    """Return what a node of an executable graph does, such as ``Input`` or ``Convolution``."""
    details = node.get_rt_info()
    return str(details["layerType"].value) if "layerType" in details else "Input"


def _property(compiled: ov.CompiledModel, name: str, missing: Any) -> Any:
    """Return a property, or *missing* where the plug-in does not have it."""
    try:
        return compiled.get_property(name)
    except RuntimeError:
        return missing
