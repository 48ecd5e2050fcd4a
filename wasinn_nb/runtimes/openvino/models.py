"""Reading models with OpenVINO, and putting preprocessing and argmax inside their graphs."""

from __future__ import annotations

import functools
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import numpy as np
import openvino as ov
from openvino import opset13 as op
from openvino.preprocess import ColorFormat, PrePostProcessor

from wasinn_nb.abi import GraphEncoding, TensorType
from wasinn_nb.cards import (
    Port,
    checked_encoding,
    checked_files,
    content_of,
    custom_operations,
    stated,
)
from wasinn_nb.errors import (
    InvalidArgumentError,
    RuntimeFailure,
    UnsupportedOperationError,
    WasiNnError,
)
from wasinn_nb.preprocessing import pixels_to_tensor
from wasinn_nb.recipe import Layout, PreprocessRecipe
from wasinn_nb.runtimes import Builder

__all__ = [
    "core",
    "fused_segmentation",
    "model_port",
    "read_model",
    "reason",
    "recipe_of",
    "translated",
]

_SUFFIXES: Final = {
    GraphEncoding.ONNX: ".onnx",
    GraphEncoding.TENSORFLOW: ".pb",
    GraphEncoding.TENSORFLOWLITE: ".tflite",
}


@functools.cache
def core() -> ov.Core:
    """Return the process's one `openvino.Core`; plug-ins are slow to load twice."""
    return ov.Core()


def read_model(builders: Sequence[Builder], encoding: GraphEncoding) -> ov.Model:
    """Read a model from files or bytes without compiling it.

    Raises
    ------
    InvalidArgumentError
        If the number of builders is not what the encoding takes.
    UnsupportedOperationError
        If OpenVINO does not read the encoding.
    MissingFileError
        If a file is not there, also one that an ONNX model has its weights in.
    RuntimeFailure
        If the bytes are no such model, its weights cannot belong to it, or it has no inputs or no
        outputs.
    """
    if encoding is GraphEncoding.PYTORCH:
        raise UnsupportedOperationError(
            "OpenVINO does not read serialized PyTorch models here; "
            "convert it to OpenVINO IR or ONNX"
        )
    encoding = checked_encoding(builders, encoding)
    checked_files(builders, encoding)
    try:
        with translated("OpenVINO cannot read the model"):
            model = _read(builders, encoding)
    except RuntimeFailure as error:
        if explanation := _explanation(str(error), builders[0], encoding):
            raise RuntimeFailure(explanation) from error
        raise
    # A SavedModel states its own outputs, which may be of constants only.
    is_folder = isinstance(builders[0], Path) and builders[0].is_dir()
    if not model.outputs or not (model.inputs or is_folder):
        raise RuntimeFailure(
            f"expected a model with inputs and outputs, got {len(model.inputs)} inputs and "
            f"{len(model.outputs)} outputs: the file is not a model of encoding "
            f"{encoding.name.lower()}, or is not one to run; convert the original model again"
        )
    return model


def _read(builders: Sequence[Builder], encoding: GraphEncoding) -> ov.Model:
    # OpenVINO knows TensorFlow Lite only by the suffix, in lower case; of an ONNX file with another
    # suffix it asks TensorFlow's frontend too, which writes to the standard error.
    renamed = (
        encoding in {GraphEncoding.ONNX, GraphEncoding.TENSORFLOWLITE}
        and isinstance(builders[0], Path)
        and builders[0].suffix != _SUFFIXES[encoding]
        and not stated(builders).weights
    )
    if all(isinstance(builder, Path) for builder in builders) and not renamed:
        return core().read_model(*map(str, builders))
    parts = [b if isinstance(b, bytes) else b.read_bytes() for b in builders]
    if encoding is GraphEncoding.OPENVINO:
        weights = np.frombuffer(parts[1], np.uint8).copy()
        return core().read_model(model=parts[0], weights=ov.Tensor(weights))
    return _read_through_files(parts, encoding)


def _explanation(message: str, builder: Builder, encoding: GraphEncoding) -> str:
    """Say what to do about operations that OpenVINO does not have, where *message* names them."""
    if "No conversion rule found for operations" in message:
        return (
            f"{message}; export the model again with operations that OpenVINO has, or run it with "
            f"the runtime that defines these"
        )
    if encoding is not GraphEncoding.TENSORFLOWLITE:
        return ""
    missing = [name for name in custom_operations(content_of(builder)) if name in message]
    if not missing:
        return ""
    return (
        f"OpenVINO does not have the operation {', '.join(missing)}, which is not one of "
        f"TensorFlow Lite's own: convert the original model without it, or run the file with the "
        f"runtime that defines it"
    )


def fused_segmentation(
    model: ov.Model, recipe: PreprocessRecipe, scores: bool
) -> tuple[ov.Model, int]:
    """Return *model* with u8 RGB pixels as input and u8 labels as first output, and its classes."""
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
        steps.custom(functools.partial(_looked_up, recipe=recipe))
    model = prepost.build()
    source = model.output(0).get_node().input_value(0)
    outputs = [_labels_of(source)]
    if scores:
        outputs.append(op.convert(source, ov.Type.f32).output(0))
    fused = ov.Model(outputs, model.get_parameters(), "segmentation")
    return fused, source.get_partial_shape()[1].get_length()


def _looked_up(pixels: ov.Output, recipe: PreprocessRecipe) -> ov.Output:
    """Map (1, H, W, 3) u8 values as the recipe's range, mean and scale do.

    A byte has 256 values, so a table holds them all: made by `pixels_to_tensor`, it gives the same
    bits as the five calls, where arithmetic in the graph is fused and rounded otherwise.
    """
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, axis=2)
    if recipe.color == "BGR":
        ramp = ramp[:, :, ::-1]
    column = recipe.replace(height=256, width=1, layout="HWC")
    table = pixels_to_tensor(ramp, column).to_array().reshape(256, 3)
    offsets = np.arange(3, dtype=np.int32) * 256
    index = op.add(op.convert(pixels, ov.Type.i32), op.constant(offsets))
    flat = op.constant(np.ascontiguousarray(table.T).reshape(-1))
    return op.gather(flat, index, np.int64(0)).output(0)


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
    return op.squeeze(op.convert(labels, ov.Type.u8), np.array([1])).output(0)


def recipe_of(model: ov.Model) -> PreprocessRecipe:
    """Return the recipe that a model's input shows, by the conventions of the Open Model Zoo."""
    port = model_port(model.input(0))
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
        suffixes = [_SUFFIXES.get(encoding, ".onnx")]
        if encoding is GraphEncoding.AUTODETECT:
            # None of the three has a magic number.
            suffixes = [".pdmodel"] if len(parts) == 2 else [".onnx", ".pb", ".pdmodel"]
        path = Path(folder, "model")
        path.write_bytes(parts[0])
        for weights in parts[1:]:
            Path(folder, "model.pdiparams").write_bytes(weights)
        for suffix in suffixes[:-1]:
            path = path.rename(Path(folder, f"model{suffix}"))
            with suppress(RuntimeError):
                model = core().read_model(str(path))
                if model.outputs:  # TensorFlow's frontend takes other formats for empty graphs
                    return model
        return core().read_model(str(path.rename(Path(folder, f"model{suffixes[-1]}"))))


def model_port(port: ov.ConstOutput) -> Port:
    """Return what an input or output of a model is."""
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


def reason(error: BaseException) -> str:
    """Return OpenVINO's own words without the places in its source code."""
    lines = [line.strip().removeprefix("Caught exception: ") for line in str(error).splitlines()]
    said = [
        line
        for line in lines
        if line and not line.startswith(("Exception from", "Check '", "FrontEnd API failed"))
    ]
    # Folders in messages are those of the package or of a temporary file: names are enough.
    return re.sub(r'"/[^"]*/([^"/]+)"', r"\1", " ".join(said)) or "no reason given"


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn OpenVINO's exceptions into ours, once, at this edge."""
    try:
        yield
    except (RuntimeError, ValueError, TypeError) as error:
        if isinstance(error, WasiNnError):
            raise
        raise RuntimeFailure(f"{what}: {reason(error)}") from error
