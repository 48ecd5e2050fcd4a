"""Reading models with OpenVINO, and describing what they take and give."""

from __future__ import annotations

import dataclasses
import functools
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import numpy as np
import openvino as ov
from openvino import layout_helpers

from wasinn_nb.abi import GraphEncoding, TensorType
from wasinn_nb.cards import Port, Signature
from wasinn_nb.errors import (
    InvalidArgumentError,
    RuntimeFailure,
    UnsupportedOperationError,
    WasiNnError,
)
from wasinn_nb.files import existing_file
from wasinn_nb.runtimes import Builder

__all__ = [
    "core",
    "model_port",
    "read_model",
    "reason",
    "signature_of",
    "translated",
]

_SUFFIXES: Final = {
    GraphEncoding.ONNX: ".onnx",
    GraphEncoding.TENSORFLOW: ".pb",
    GraphEncoding.TENSORFLOWLITE: ".tflite",
}
# Operations that change no value, or only its place, size or type.
_PASSING: Final = frozenset(
    [
        "Convert",
        "FakeQuantize",
        "Identity",
        "Interpolate",
        "Reshape",
        "Slice",
        "Squeeze",
        "StridedSlice",
        "Transpose",
        "Unsqueeze",
    ]
)
_LINEAR: Final = frozenset(
    [
        "Convolution",
        "ConvolutionBackpropData",
        "GroupConvolution",
        "GroupConvolutionBackpropData",
        "MatMul",
    ]
)
_TEXT_SUFFIXES: Final = {".pbtxt", ".json"}  # TensorFlow's and Paddle's models as text


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
    RuntimeFailure
        If the bytes are no such model.
    """
    if encoding is GraphEncoding.PYTORCH:
        raise UnsupportedOperationError(
            "OpenVINO does not read serialized PyTorch models here; "
            "convert it to OpenVINO IR or ONNX"
        )
    _check_number(builders, encoding)
    start = _start(builders[0])
    found = _sniffed(start) if start is not None else GraphEncoding.TENSORFLOW
    if encoding is GraphEncoding.AUTODETECT:
        encoding = encoding if found is None else found  # OPENVINO is 0, hence false
        _check_number(builders, encoding)
    elif found is not None and found is not encoding:
        raise RuntimeFailure(
            f"declared as {encoding.name.lower()}, but the bytes are those of encoding "
            f"{found.name.lower()}"
        )
    if found is None and not _may_be(encoding, builders[0], start or b""):
        # Every frontend would be asked, and TensorFlow's writes to the standard error.
        order = " (builders: xml, then bin)" if encoding is GraphEncoding.OPENVINO else ""
        raise RuntimeFailure(
            f"the bytes are no model of encoding {encoding.name.lower()}{order}; they start with "
            f"{(start or b'')[:16]!r}"
        )
    with translated("OpenVINO cannot read the model"):
        if all(isinstance(builder, Path) for builder in builders):
            return core().read_model(*map(str, builders))
        parts = [b if isinstance(b, bytes) else b.read_bytes() for b in builders]
        if encoding is GraphEncoding.OPENVINO and len(parts) == 2:
            weights = np.frombuffer(parts[1], np.uint8).copy()
            return core().read_model(model=parts[0], weights=ov.Tensor(weights))
        return _read_through_files(parts, encoding)


def _check_number(builders: Sequence[Builder], encoding: GraphEncoding) -> None:
    wanted = encoding.builders
    if not (1 <= len(builders) <= 2 if wanted is None else len(builders) == wanted):
        raise InvalidArgumentError(
            f"encoding {encoding.name.lower()} takes {wanted or '1 or 2'} builder(s), "
            f"got {len(builders)}"
        )


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
                return core().read_model(str(path))
        return core().read_model(str(path.rename(Path(folder, f"model{suffixes[-1]}"))))


def _start(builder: Builder) -> bytes | None:
    """Return the first bytes of a model; None for a folder, which is a TensorFlow SavedModel."""
    if isinstance(builder, bytes):
        return builder[:64]
    if builder.is_dir():
        return None
    with existing_file(builder, "model").open("rb") as file:
        return file.read(64)


def _may_be(encoding: GraphEncoding, builder: Builder, start: bytes) -> bool:
    """Tell whether bytes without a magic number can be a model of *encoding*."""
    if encoding in {GraphEncoding.OPENVINO, GraphEncoding.TENSORFLOWLITE}:
        return False
    if isinstance(builder, Path) and builder.suffix in _TEXT_SUFFIXES:
        return True
    # ONNX, TensorFlow and Paddle: a protobuf message, field 1 to 8, a number or with a length.
    return bool(start) and 1 <= start[0] >> 3 <= 8 and start[0] & 7 in {0, 2}


def _sniffed(start: bytes) -> GraphEncoding | None:
    """Tell the encodings that can be told by their first bytes."""
    if start[4:8] == b"TFL3":
        return GraphEncoding.TENSORFLOWLITE
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"<?xml", b"<net")):
        return GraphEncoding.OPENVINO
    return None


def signature_of(model: ov.Model) -> Signature:
    """Return what a model takes and gives."""
    outputs = [
        dataclasses.replace(model_port(port), operation=_operation(port.get_node().input_value(0)))
        for port in model.outputs
    ]
    return Signature(tuple(map(model_port, model.inputs)), tuple(outputs))


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
        layout=_layout(port),
    )


def _layout(port: ov.ConstOutput) -> str:
    """Return the axes that the file states for a port, such as ``NCHW``; empty where none."""
    stated = str(layout_helpers.get_layout(port)).strip("[]").replace(",", "")
    return stated if set(stated) <= set("NCHW") else ""


def _operation(output: ov.Output) -> str:
    """Return the kind of operation that computes an output, past those that only pass values on."""
    while True:
        node = output.get_node()
        kind = str(node.get_type_name())
        if kind in _PASSING and node.get_input_size():
            output = node.input_value(0)
            continue
        if kind == "Add":  # a convolution and its bias
            kinds = {str(node.input_value(i).get_node().get_type_name()) for i in range(2)}
            kind = next(iter(kinds & _LINEAR), kind)
        return kind


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
