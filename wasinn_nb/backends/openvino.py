"""OpenVINO behind the protocols: the only file that imports openvino."""

from __future__ import annotations

import functools
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as op
from openvino.preprocess import ColorFormat, PrePostProcessor

from wasinn_nb.abi import GraphEncoding, TensorType
from wasinn_nb.backends import Builder, Device, DeviceTable, Port
from wasinn_nb.errors import InvalidArgumentError, RuntimeFailure, UnsupportedOperationError
from wasinn_nb.files import existing_file
from wasinn_nb.recipe import Layout, PreprocessRecipe
from wasinn_nb.tensor import Tensor

__all__ = ["OpenVinoBackend", "OpenVinoContext", "OpenVinoGraph", "core"]

_HINTS: Final = {"f32": ov.Type.f32, "f16": ov.Type.f16, "bf16": ov.Type.bf16}
PRECISIONS: Final = ("f32", "f16", "bf16", "device")
# Plug-ins that choose among devices; they have no hardware of their own.
_VIRTUAL: Final = ("AUTO", "MULTI", "HETERO", "BATCH")
_SUFFIXES: Final = {
    GraphEncoding.ONNX: ".onnx",
    GraphEncoding.TENSORFLOW: ".pb",
    GraphEncoding.TENSORFLOWLITE: ".tflite",
}


@functools.cache
def core() -> ov.Core:
    """Return the process's one `openvino.Core`; plug-ins are slow to load twice."""
    return ov.Core()


class OpenVinoBackend:
    """Loads and runs graphs with OpenVINO."""

    def load(
        self,
        builders: Sequence[Builder],
        encoding: GraphEncoding,
        device: str,
        precision: str = "f32",
    ) -> OpenVinoGraph:
        """Read and compile a model; see :meth:`wasinn_nb.backends.Backend.load`."""
        self._check(device, precision)
        return self._compile(read_model(builders, encoding), device, precision)

    def load_segmentation(
        self,
        builders: Sequence[Builder],
        encoding: GraphEncoding,
        device: str,
        precision: str,
        recipe: PreprocessRecipe | None,
        *,
        scores: bool,
    ) -> tuple[OpenVinoGraph, PreprocessRecipe]:
        """Load a segmentation model with preprocessing and argmax inside its graph.

        Parameters
        ----------
        builders, encoding, device, precision
            As for :meth:`load`.
        recipe : PreprocessRecipe or None
            What the model takes; None reads size, layout and type off the model's input and
            takes BGR from 0 to 255, the convention of the Open Model Zoo.
        scores : bool
            Whether to put the model's own output out too.

        Returns
        -------
        graph : OpenVinoGraph
            Input 0: (1, height, width, 3) u8 pixels in RGB order.  Output 0: (1, H, W) u8 labels.
            Output 1, if *scores*: (1, C, H, W) f32.
        recipe : PreprocessRecipe
            The recipe that the graph carries out after the resize.

        Raises
        ------
        InvalidArgumentError
            If the model's input is no image of the recipe's size, or its output no class scores.
        """
        self._check(device, precision)
        model = read_model(builders, encoding)
        recipe = recipe or _recipe_of(model)
        with _translated("OpenVINO cannot put the preprocessing into the graph"):
            return self._compile(_fused(model, recipe, scores), device, precision), recipe

    def _compile(self, model: ov.Model, device: str, precision: str) -> OpenVinoGraph:
        config: dict[str, Any] = {"PERFORMANCE_HINT": "LATENCY"}
        if precision != "device":
            config["INFERENCE_PRECISION_HINT"] = _HINTS[precision]
        with _translated(f"{device} cannot compile the model"):
            return OpenVinoGraph(core().compile_model(model, device, config))

    def _check(self, device: str, precision: str) -> None:
        """Raise InvalidArgumentError unless *device* is here and *precision* is known."""
        if precision not in PRECISIONS:
            raise InvalidArgumentError(
                f"expected a precision of {', '.join(PRECISIONS)}, got {precision!r}"
            )
        here = core().available_devices
        plugin, _, rest = device.partition(":")
        wanted = rest.split(",") if plugin in _VIRTUAL and rest else [device]
        for name in wanted:
            known = name in here or name in _VIRTUAL or f"{name}.0" in here
            if not known and name.split(".")[0] not in {"CPU", "GPU", "NPU"}:
                raise InvalidArgumentError(
                    f"unknown execution target {name!r}; here are {', '.join([*here, 'AUTO'])}"
                )
            if not known:
                raise InvalidArgumentError(
                    f"no {name} on this machine: {_why_missing(name)}; "
                    f"here are {', '.join([*here, 'AUTO'])}"
                )

    def devices(self) -> DeviceTable:
        """Return CPU, GPU, NPU and AUTO, and every further device that OpenVINO finds."""
        here = core().available_devices
        rows = [Device(name, str(core().get_property(name, "FULL_DEVICE_NAME"))) for name in here]
        rows += [
            Device(name, reason=_why_missing(name))
            for name in ("CPU", "GPU", "NPU")
            if not any(found.split(".")[0] == name for found in here)
        ]
        order = {"CPU": 0, "GPU": 1, "NPU": 2}
        rows.sort(key=lambda row: (order.get(row.name.split(".")[0], 3), row.name))
        return DeviceTable([*rows, Device("AUTO", f"OpenVINO chooses among {', '.join(here)}")])


class OpenVinoGraph:
    """A compiled model."""

    def __init__(self, compiled: ov.CompiledModel) -> None:
        self.compiled = compiled
        self.inputs = tuple(map(_port, compiled.inputs))
        self.outputs = tuple(map(_port, compiled.outputs))

    @property
    def device(self) -> str:
        """The device that runs the model, also where AUTO chose it."""
        return ",".join(_property(self.compiled, "EXECUTION_DEVICES", ["unknown"])).strip("()")

    @property
    def precision(self) -> str:
        """The precision of the computation as the device reports it."""
        hint = _property(self.compiled, "INFERENCE_PRECISION_HINT", None)
        return hint.get_type_name() if isinstance(hint, ov.Type) else "unknown"

    def execution_context(self) -> OpenVinoContext:
        """Make an inference request."""
        with _translated("OpenVINO cannot make an inference request"):
            return OpenVinoContext(self, self.compiled.create_infer_request())


class OpenVinoContext:
    """An inference request whose inputs and outputs are shared with `Tensor` objects."""

    def __init__(self, graph: OpenVinoGraph, request: ov.InferRequest) -> None:
        self._graph = graph
        self._request = request
        self._inputs: dict[int, Tensor] = {}
        self._outputs: dict[int, Tensor] = {}

    def set_input(self, index: int, tensor: Tensor) -> None:
        """Share *tensor* with OpenVINO; where only the order of the sizes differs, bytes rule."""
        array = tensor.to_array()
        if (dimensions := self._graph.inputs[index].fixed_dimensions) is not None:
            array = array.reshape(dimensions)
        with _translated(f"OpenVINO refused input {index}"):
            self._request.set_input_tensor(index, _shared(array))
        self._inputs[index] = tensor  # OpenVINO reads it in place: keep it alive

    def compute(self) -> None:
        """Run the model; the outputs go to fresh memory, so that earlier ones stay as they were."""
        self._outputs.clear()
        fresh: dict[int, NDArray[Any]] = {}
        for index, port in enumerate(self._graph.outputs):
            if port.type is not None and port.fixed_dimensions is not None:
                fresh[index] = np.empty(port.fixed_dimensions, port.type.dtype)
        with _translated("OpenVINO failed to compute"):
            for index, array in fresh.items():
                self._request.set_output_tensor(index, ov.Tensor(array, shared_memory=True))
            self._request.start_async()
            self._request.wait()
        for index, array in fresh.items():
            self._outputs[index] = Tensor.adopt(array.shape, array.dtype, array)

    def output(self, index: int) -> Tensor:
        """Return output *index*; outputs of open size are copied once, the others not at all."""
        if index not in self._outputs:
            port = self._graph.outputs[index]
            if port.type is None:
                raise UnsupportedOperationError(
                    f"output {index} is of type {port.type_name}, which WASI-NN does not have"
                )
            with _translated(f"OpenVINO has no output {index}"):
                self._outputs[index] = Tensor.from_array(
                    self._request.get_output_tensor(index).data
                )
        return self._outputs[index]

    def cancel(self) -> None:
        """Stop a `compute` that runs in another thread."""
        self._request.cancel()


def read_model(builders: Sequence[Builder], encoding: GraphEncoding) -> ov.Model:
    """Read a model from files or bytes without compiling it.

    Raises
    ------
    InvalidArgumentError
        If the number of builders is not what the encoding takes.
    UnsupportedOperationError
        If OpenVINO does not read the encoding.
    RuntimeFailure
        If the bytes are no such model.
    """
    if encoding is GraphEncoding.PYTORCH:
        raise UnsupportedOperationError(
            "OpenVINO does not read serialized PyTorch models here; "
            "convert it to OpenVINO IR or ONNX"
        )
    wanted = encoding.builders
    if not (1 <= len(builders) <= 2 if wanted is None else len(builders) == wanted):
        raise InvalidArgumentError(
            f"encoding {encoding.name.lower()} takes {wanted or '1 or 2'} builder(s), "
            f"got {len(builders)}"
        )
    found = _sniffed(builders[0])
    if encoding is GraphEncoding.AUTODETECT:
        encoding = found or encoding
    elif found is not None and found is not encoding:
        raise RuntimeFailure(
            f"declared as {encoding.name.lower()}, but the bytes are those of a "
            f"{found.name.lower()} model"
        )
    with _translated("OpenVINO cannot read the model"):
        if all(isinstance(builder, Path) for builder in builders):
            return core().read_model(*map(str, builders))
        parts = [b if isinstance(b, bytes) else b.read_bytes() for b in builders]
        if encoding is GraphEncoding.OPENVINO and len(parts) == 2:
            weights = np.frombuffer(parts[1], np.uint8).copy()
            return core().read_model(model=parts[0], weights=ov.Tensor(weights))
        return _read_through_files(parts, encoding)


def _fused(model: ov.Model, recipe: PreprocessRecipe, scores: bool) -> ov.Model:
    """Return *model* with u8 RGB pixels as input and u8 labels as first output."""
    if len(model.inputs) != 1:
        raise InvalidArgumentError(
            f"a segmentation model takes one image, this one has {len(model.inputs)} inputs"
        )
    shape = model.input(0).get_partial_shape()
    wanted = recipe.dimensions
    if (
        shape.rank.is_dynamic
        or len(shape) != len(wanted)
        or not shape.compatible(ov.PartialShape(list(wanted)))
    ):
        raise InvalidArgumentError(
            f"the recipe makes {'x'.join(map(str, wanted))}, the model takes {shape}: "
            f"check height, width and layout"
        )
    model.reshape(list(wanted))
    prepost = PrePostProcessor(model)
    pixels = prepost.input(0)
    pixels.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout("NHWC"))
    pixels.tensor().set_color_format(ColorFormat.RGB)
    pixels.model().set_layout(ov.Layout(recipe.layout))
    steps = pixels.preprocess()
    if recipe.color == "BGR":
        steps.convert_color(ColorFormat.BGR)
    if recipe.is_identity:
        steps.convert_element_type(getattr(ov.Type, recipe.type.suffix))
    else:
        steps.convert_element_type(ov.Type.f32)
        # PrePostProcessor's own mean and scale would divide after subtracting only; the recipe
        # maps the range first, in the order that pixels_to_tensor computes.
        steps.custom(functools.partial(_scaled, recipe=recipe))
        steps.convert_element_type(getattr(ov.Type, recipe.type.suffix))
    model = prepost.build()
    source = model.output(0).get_node().input_value(0)
    outputs = [_labels_of(source)]
    if scores:
        outputs.append(op.convert(source, ov.Type.f32).output(0))
    return ov.Model(outputs, model.get_parameters(), "segmentation")


def _scaled(node: ov.Output, recipe: PreprocessRecipe) -> ov.Output:
    """Compute ``(v / 255 * (high - low) + low - mean) / scale`` on NHWC values."""
    low, high = map(np.float32, recipe.range)
    if recipe.range != (0.0, 255.0):
        node = op.divide(node, np.float32(255)).output(0)
        node = op.multiply(node, high - low).output(0)
        node = op.add(node, low).output(0)
    if any(recipe.mean):
        node = op.subtract(node, np.array(recipe.mean, np.float32)).output(0)
    if recipe.scale != (1.0, 1.0, 1.0):
        node = op.divide(node, np.array(recipe.scale, np.float32)).output(0)
    return node


def _labels_of(scores: ov.Output) -> ov.Output:
    """Return (1, H, W) u8 labels of (1, C, H, W) scores; of equals the lower class wins.

    A chain of comparisons over planes: several times faster than TopK for the few classes that
    segmentation models have, and with NumPy's rule for ties.
    """
    shape = scores.get_partial_shape()
    if shape.rank.is_dynamic or len(shape) != 4 or shape[1].is_dynamic:
        raise InvalidArgumentError(
            f"expected an output of class scores 1xCxHxW, the model's is {shape}"
        )
    classes = shape[1].get_length()
    if not 2 <= classes <= 256:
        raise InvalidArgumentError(f"expected 2 to 256 classes in axis 1, the output is {shape}")
    planes = op.split(scores, np.int64(1), classes)
    best = planes.output(0)
    labels = op.constant(np.zeros((1, 1, 1, 1), np.float32)).output(0)
    for index in range(1, classes):
        plane = planes.output(index)
        better = op.greater(plane, best)
        labels = op.select(better, np.float32(index), labels).output(0)
        best = op.maximum(plane, best).output(0)
    return op.squeeze(op.convert(labels, ov.Type.u8), np.int64([1])).output(0)


def _recipe_of(model: ov.Model) -> PreprocessRecipe:
    """Return the recipe that a model's input shows, by the conventions of the Open Model Zoo."""
    port = _port(model.input(0))
    sizes = port.dimensions
    if len(sizes) == 4 and sizes[1] == 3:
        layout: Layout = "NCHW"
        height, width = sizes[2:]
    elif len(sizes) == 4 and sizes[3] == 3:
        layout = "NHWC"
        height, width = sizes[1:3]
    else:
        height = width = None
    if height is None or width is None or port.type is None:
        raise InvalidArgumentError(
            f"the model takes {port.signature}, which does not say an image's size; pass a recipe"
        )
    return PreprocessRecipe(height, width, layout, "BGR", port.type, resize="bilinear")


def _read_through_files(parts: list[bytes], encoding: GraphEncoding) -> ov.Model:
    """Read bytes that OpenVINO's frontends take from files only (TFLite, TensorFlow, Paddle)."""
    with tempfile.TemporaryDirectory(prefix="wasinn-nb-") as folder:
        if len(parts) == 2:
            names = ["model.pdmodel", "model.pdiparams"]
        else:
            names = [f"model{_SUFFIXES.get(encoding, '.onnx')}"]
        paths = [Path(folder, name) for name in names]
        for path, part in zip(paths, parts, strict=True):
            path.write_bytes(part)
        try:
            return core().read_model(str(paths[0]))
        except RuntimeError:
            if encoding is not GraphEncoding.AUTODETECT or len(parts) == 2:
                raise
            # ONNX and TensorFlow files have no magic number: try the other one.
            return core().read_model(str(paths[0].rename(Path(folder, "model.pb"))))


def _sniffed(builder: Builder) -> GraphEncoding | None:
    """Tell the encodings that can be told by their first bytes."""
    if isinstance(builder, Path):
        if builder.is_dir():  # a TensorFlow SavedModel
            return GraphEncoding.TENSORFLOW
        with existing_file(builder, "model").open("rb") as file:
            start = file.read(64)
    else:
        start = builder[:64]
    if start[4:8] == b"TFL3":
        return GraphEncoding.TENSORFLOWLITE
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"<?xml", b"<net")):
        return GraphEncoding.OPENVINO
    return None


class _Alias:
    """An array's memory, offered as if it could be written to."""

    def __init__(self, array: NDArray[Any]) -> None:
        address = array.__array_interface__["data"][0]
        self.__array_interface__ = array.__array_interface__ | {"data": (address, False)}


def _shared(array: NDArray[Any]) -> ov.Tensor:
    """Return an OpenVINO tensor over a read-only array's own memory.

    OpenVINO takes only writable arrays to share, but does not write to inputs.  The caller keeps
    the array alive.
    """
    if not array.nbytes:
        return ov.Tensor(array)
    return ov.Tensor(np.asarray(_Alias(array)), shared_memory=True)


def _port(port: ov.ConstOutput) -> Port:
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic:
        raise RuntimeFailure("the model leaves the number of dimensions open; fix its shape first")
    name = port.get_element_type().get_type_name()
    return Port(
        name=port.get_any_name() if port.get_names() else "",
        dimensions=tuple(None if dim.is_dynamic else dim.get_length() for dim in shape),
        type=TensorType.parse(name) if name.upper() in TensorType.__members__ else None,
        type_name=name,
    )


def _property(compiled: ov.CompiledModel, name: str, missing: Any) -> Any:
    """Return a property, or *missing* where the plug-in does not tell it."""
    try:
        return compiled.get_property(name)
    except RuntimeError:
        return missing


def _why_missing(name: str) -> str:
    try:
        core().get_property(name, "AVAILABLE_DEVICES")
    except RuntimeError as error:
        return _reason(error)
    return "its plug-in loads but finds no such device or driver"


def _reason(error: BaseException) -> str:
    """Return OpenVINO's own words without the places in its source code."""
    lines = [line.strip() for line in str(error).splitlines()]
    said = [
        line
        for line in lines
        if line and not line.startswith(("Exception from", "Check '", "FrontEnd API failed"))
    ]
    # Folders in messages are those of the package or of a temporary file: names are enough.
    return re.sub(r'"/[^"]*/([^"/]+)"', r"\1", " ".join(said)) or lines[0]


@contextmanager
def _translated(what: str) -> Iterator[None]:
    """Turn OpenVINO's exceptions into ours, once, at this edge."""
    try:
        yield
    except (RuntimeError, ValueError, TypeError) as error:
        if isinstance(error, RuntimeFailure | InvalidArgumentError | UnsupportedOperationError):
            raise
        raise RuntimeFailure(f"{what}: {_reason(error)}") from error
