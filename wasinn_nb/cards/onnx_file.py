"""ONNX files: what they state, and the files beside them that hold their weights."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import TYPE_CHECKING, Final, NamedTuple

from wasinn_nb.cards.formats import content_of
from wasinn_nb.cards.operations import UNBOUNDED, operation_behind, standard_name
from wasinn_nb.cards.ports import Port, Signature, port_of
from wasinn_nb.errors import RuntimeFailure
from wasinn_nb.files import existing_file

if TYPE_CHECKING:
    import onnx

__all__ = [
    "ExternalData",
    "external_data",
    "onnx_metadata",
    "onnx_quantized",
    "onnx_signature",
    "onnx_version",
    "parsed_onnx",
    "with_weights_inside",
]

_TYPE_NAMES: Final = {
    "BFLOAT16": "bf16",
    "BOOL": "boolean",
    "DOUBLE": "f64",
    "FLOAT": "f32",
    "FLOAT16": "f16",
}

_INTEGERS: Final = {"ConvInteger", "MatMulInteger", "QLinearConv", "QLinearMatMul"}
_MOST_BYTES: Final = (1 << 31) - 1  # of a protocol buffer


class ExternalData(NamedTuple):
    """A part of a file beside the model: where the values of one tensor lie."""

    tensor: str
    location: str
    start: int
    """The offset of the first byte."""
    end: int
    """The offset after the last byte."""


def parsed_onnx(content: bytes) -> onnx.ModelProto:
    """Return an ONNX model, its external data left where it is.

    Raises
    ------
    RuntimeFailure
        If the bytes are cut off, damaged, hold no graph, or do not state their version.
    """
    import onnx
    from google.protobuf.message import DecodeError

    try:
        model = onnx.ModelProto()
        model.ParseFromString(content)
    except (DecodeError, RecursionError) as error:
        raise RuntimeFailure(
            f"the ONNX file is cut off or damaged ({error}): fetch or export it again"
        ) from error
    if not model.HasField("graph"):
        raise RuntimeFailure("the ONNX file holds no graph: export it again")
    if not model.ir_version or (model.ir_version >= 3 and not model.opset_import):
        raise RuntimeFailure(
            "the ONNX file does not state its version and that of its operations: export it again"
        )
    return model


def with_weights_inside(path: Path) -> Path | bytes:
    """Return an ONNX model with the content of the files beside it, for an engine that maps them.

    A file that is mapped into memory and written anew changes what a loaded model computes; one
    that is cut crashes the process.

    Parameters
    ----------
    path : Path

    Returns
    -------
    bytes or Path
        The path itself where the whole is larger than protocol buffers can be, 2 GiB.

    Raises
    ------
    MissingFileError
        If a file beside the model is not there.
    RuntimeFailure
        If the model is damaged.
    """
    from onnx import TensorProto

    model = parsed_onnx(content_of(path))
    parts = list(external_data(model))
    if path.stat().st_size + sum(part.end - part.start for part in parts) > _MOST_BYTES:
        return path
    tensors = (one for one in _tensors(model) if one.data_location == TensorProto.EXTERNAL)
    for tensor, part in zip(list(tensors), parts, strict=True):
        with existing_file(path.parent / part.location, "weights").open("rb") as file:
            file.seek(part.start)
            tensor.raw_data = file.read(part.end - part.start)
        tensor.data_location = TensorProto.DEFAULT
        del tensor.external_data[:]
    content: bytes = model.SerializeToString()
    return content


def onnx_version(model: onnx.ModelProto) -> str:
    """Return the operator sets of a model, such as ``"opset 13, com.microsoft 1"``."""
    sets = [f"{_text(s.domain) or 'opset'} {s.version}" for s in model.opset_import[:16]]
    return ", ".join(sets)


def onnx_signature(model: onnx.ModelProto) -> Signature | None:
    """Return inputs (without those that are weights) and outputs as the file declares them.

    Returns
    -------
    Signature or None
        None where the number of dimensions of one is not stated.
    """
    graph = model.graph
    weights = {_text(tensor.name) for tensor in graph.initializer}
    weights |= {_text(tensor.values.name) for tensor in graph.sparse_initializer}
    producers = {
        _text(name): (standard_name(_text(node.op_type)), list(map(_text, node.input)))
        for node in graph.node
        for name in node.output
        if name
    }
    scales = _quantizations(graph)
    inputs = [
        _port(value, "", scales.get(_text(value.name)))
        for value in graph.input
        if _text(value.name) not in weights
    ]
    outputs = [
        _port(
            value,
            operation_behind(_text(value.name), producers.get),
            scales.get(_text(value.name)),
        )
        for value in graph.output
    ]
    ports = [port for port in (*inputs, *outputs) if port is not None]
    if len(ports) < len(inputs) + len(outputs):
        return None
    return Signature(tuple(ports[: len(inputs)]), tuple(ports[len(inputs) :]))


def onnx_quantized(model: onnx.ModelProto) -> bool:
    """Return whether a layer with weights computes with integers, or with values made of them."""
    nodes = [(_text(n.op_type), list(map(_text, n.input)), n.output) for n in model.graph.node]
    made = {_text(name) for kind, _, names in nodes if kind == "DequantizeLinear" for name in names}
    return any(
        kind in _INTEGERS
        or (standard_name(kind) in UNBOUNDED and len(names) > 1 and made.issuperset(names[:2]))
        for kind, names, _ in nodes
    )


def onnx_metadata(model: onnx.ModelProto) -> tuple[dict[str, str], dict[str, str]]:
    """Return ``metadata_props``, and what other fields state about the model."""
    entries = {_text(entry.key): _text(entry.value) for entry in model.metadata_props}
    others = {
        "producer": f"{_text(model.producer_name)} {_text(model.producer_version)}".strip(),
        "domain": _text(model.domain),
        "doc_string": _text(model.doc_string),
        "model_version": str(model.model_version or ""),
    }
    return entries, others


def external_data(model: onnx.ModelProto) -> Iterator[ExternalData]:
    """Yield where each tensor lies whose values are in a file of their own.

    Raises
    ------
    RuntimeFailure
        If a location leaves the model's folder, or an offset or length is not a number.
    """
    from onnx import TensorProto, helper

    for tensor in _tensors(model):
        if tensor.data_location != TensorProto.EXTERNAL:
            continue
        entries = {_text(entry.key): _text(entry.value) for entry in tensor.external_data}
        name, location = _text(tensor.name), entries.get("location", "")
        _check_location(name, location)
        offset = _whole(name, "offset", entries.get("offset", "0"))
        if "length" in entries:
            length = _whole(name, "length", entries["length"])
        else:
            try:
                itemsize = helper.tensor_dtype_to_np_dtype(tensor.data_type).itemsize
            except (KeyError, ValueError, TypeError):
                itemsize = 0
            length = itemsize * math.prod(max(size, 0) for size in tensor.dims)
        yield ExternalData(name, location, offset, offset + length)


def _text(value: str | bytes) -> str:
    """Return a string of a message; protobuf returns bytes where it is not valid UTF-8."""
    return value.decode(errors="replace") if isinstance(value, bytes) else value


def _tensors(model: onnx.ModelProto) -> Iterator[onnx.TensorProto]:
    """Yield every tensor of a model: weights, and attributes, in functions and bodies too."""
    yield from _graph_tensors(model.graph)
    for function in model.functions:
        yield from _node_tensors(function.node)


def _graph_tensors(graph: onnx.GraphProto) -> Iterator[onnx.TensorProto]:
    yield from graph.initializer
    for sparse in graph.sparse_initializer:
        yield from (sparse.values, sparse.indices)
    yield from _node_tensors(graph.node)


def _node_tensors(nodes: Iterable[onnx.NodeProto]) -> Iterator[onnx.TensorProto]:
    for node in nodes:
        for attribute in node.attribute:  # protobuf allows 100 levels of bodies at most
            if attribute.HasField("t"):
                yield attribute.t
            yield from attribute.tensors
            for sparse in (attribute.sparse_tensor, *attribute.sparse_tensors):
                yield from (sparse.values, sparse.indices)
            for graph in (attribute.g, *attribute.graphs):
                yield from _graph_tensors(graph)


def _check_location(tensor: str, location: str) -> None:
    posix, windows = PurePosixPath(location), PureWindowsPath(location)
    leaves = posix.is_absolute() or windows.drive or windows.root or ".." in windows.parts
    if leaves or not location or "\0" in location:
        raise RuntimeFailure(
            f"expected the weights of {tensor!r:.80} in a file in the model's folder, got the "
            f"path {location!r:.200}: save the model again, with its weights beside it"
        )


def _whole(tensor: str, name: str, text: str) -> int:
    if not (text.isdecimal() and text.isascii() and len(text) < 20):
        raise RuntimeFailure(
            f"expected the {name} of the weights of {tensor!r:.80} as a whole number, got "
            f"{text!r:.40}: the ONNX file is damaged; export it again"
        )
    return int(text)


def _quantizations(graph: onnx.GraphProto) -> dict[str, tuple[float, int]]:
    """Return scale and zero point of the values that are quantized as a whole: name → both."""
    constants = {_text(tensor.name): tensor for tensor in graph.initializer}
    found: dict[str, tuple[float, int]] = {}
    for node in graph.node:
        kind, names = _text(node.op_type), list(map(_text, node.input))
        stored = list(map(_text, node.output)) if kind == "QuantizeLinear" else names
        if kind not in {"QuantizeLinear", "DequantizeLinear"} or len(names) < 2 or not stored:
            continue
        scale = _one_number(constants.get(names[1]))
        zero = _one_number(constants.get(names[2])) if len(names) > 2 and names[2] else 0.0
        if scale and zero is not None:
            found[stored[0]] = scale, int(zero)
    return found


def _one_number(tensor: onnx.TensorProto | None) -> float | None:
    """Return the value of a constant of one element; None of any other."""
    from onnx import numpy_helper

    if tensor is None or math.prod(tensor.dims) != 1 or tensor.external_data:
        return None
    try:
        return float(numpy_helper.to_array(tensor).reshape(-1)[0])
    except (ValueError, TypeError, IndexError):  # a damaged constant states nothing
        return None


def _port(
    value: onnx.ValueInfoProto, operation: str, quantization: tuple[float, int] | None
) -> Port | None:
    """Return an input or output; None where it is not a tensor of a known number of dimensions."""
    from onnx import TensorProto

    tensor = value.type.tensor_type
    if not tensor.HasField("shape"):
        return None
    sizes = [
        size.dim_value if size.HasField("dim_value") and size.dim_value >= 0 else None
        for size in tensor.shape.dim
    ]
    known = tensor.elem_type in TensorProto.DataType.values()
    onnx_name = TensorProto.DataType.Name(tensor.elem_type) if known else "undefined"
    short = onnx_name.lower().replace("uint", "u").replace("int", "i")
    return port_of(
        _text(value.name),
        sizes,
        _TYPE_NAMES.get(onnx_name, short),
        operation=operation,
        quantization=quantization,
    )
