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
from wasinn_nb.cards import (
    ENCODINGS,
    Port,
    Signature,
    checked_encoding,
    checked_files,
    content_of,
    custom_operations,
    operation_behind,
    standard_name,
    stated,
)
from wasinn_nb.errors import (
    BusyError,
    Remedy,
    RuntimeFailure,
    UnsupportedOperationError,
    WasiNnError,
)
from wasinn_nb.runtimes.forking import ProcessGuard
from wasinn_nb.runtimes.protocols import Builder
from wasinn_nb.runtimes.reading import BUSY, OPEN_RANK, check_ends

__all__ = [
    "core",
    "model_port",
    "read_model",
    "reason",
    "signature_of",
    "translated",
]

_SUFFIXES: Final = {encoding: suffix for suffix, encoding in ENCODINGS.items()}


def core() -> ov.Core:
    """Return the process's one `openvino.Core`; plug-ins are slow to load twice.

    Weights are read, not mapped into memory: of a file that is written anew, a graph that was
    compiled before would compute with the new numbers, and of one that is cut, it would crash.

    Raises
    ------
    RuntimeFailure
        If this process was forked from one that has used OpenVINO.
    """
    made, guard = _made_core()
    guard.check()
    return made


@functools.cache
def _made_core() -> tuple[ov.Core, ProcessGuard]:
    made = ov.Core()
    made.set_property({"ENABLE_MMAP": False})
    return made, ProcessGuard(
        "OpenVINO, which the parent process has used,", "use OpenVINO in child processes only"
    )


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
        If the bytes are not such a model, its weights cannot belong to it, or it has no inputs or
        no outputs.
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
        if (explained := _explained(str(error), builders[0], encoding)) is not None:
            raise explained from None  # which says all that the engine does
        raise
    # A SavedModel states its own outputs, which may be of constants only.
    is_folder = isinstance(builders[0], Path) and builders[0].is_dir()
    if not model.outputs or not is_folder:
        check_ends(len(model.inputs), len(model.outputs), encoding)
    return model


def _read(builders: Sequence[Builder], encoding: GraphEncoding) -> ov.Model:
    # OpenVINO knows TensorFlow Lite only by the suffix, in lower case; of an ONNX file with another
    # suffix it tries TensorFlow's frontend too, which writes to the standard error.
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


def _explained(message: str, builder: Builder, encoding: GraphEncoding) -> RuntimeFailure | None:
    """Return the error that says what to do about operations that OpenVINO does not have."""
    if "No conversion rule found for operations" in message:
        return RuntimeFailure(
            f"{message}; export the model again with operations that OpenVINO has, or run it with "
            f"the runtime that defines these"
        )
    if encoding is not GraphEncoding.TENSORFLOWLITE:
        return None
    missing = [name for name in custom_operations(content_of(builder)) if name in message]
    if not missing:
        return None
    name = f"{builder.name}: " if isinstance(builder, Path) else ""
    return RuntimeFailure(
        f"{name}OpenVINO does not have the operation {', '.join(missing)}, which is not one of "
        f"TensorFlow Lite's own",
        remedy=Remedy(
            "convert the original model without it, or run the file with the runtime that defines "
            "it (runtime='litert' has those of MediaPipe)",
            [{"runtime": "litert"}],
            command="run it with the runtime that defines it: wasinn-nb segment IMAGE --model "
            "{model} --runtime litert",
        ),
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
                model = core().read_model(str(path))
                if model.outputs:  # TensorFlow's frontend takes other formats for empty graphs
                    return model
        return core().read_model(str(path.rename(Path(folder, f"model{suffixes[-1]}"))))


def signature_of(model: ov.Model) -> Signature:
    """Return what a model takes and gives."""
    outputs = [
        dataclasses.replace(
            model_port(port), operation=operation_behind(port.get_node().input_value(0), _producer)
        )
        for port in model.outputs
    ]
    return Signature(tuple(map(model_port, model.inputs)), tuple(outputs))


def model_port(port: ov.ConstOutput) -> Port:
    """Return what an input or output of a model is."""
    shape = port.get_partial_shape()
    if shape.rank.is_dynamic:
        raise RuntimeFailure(OPEN_RANK)
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


def _producer(output: ov.Output) -> tuple[str, list[ov.Output]] | None:
    """Return what computes a value, and the values that it takes; None of an input."""
    node = output.get_node()
    kind = str(node.get_type_name())
    if kind == "Parameter":
        return None
    return standard_name(kind), list(node.input_values())


def reason(error: BaseException) -> str:
    """Return OpenVINO's own words without the places in its source code."""
    lines = [line.strip().removeprefix("Caught exception: ") for line in str(error).splitlines()]
    kept = [
        line
        for line in lines
        if line and not line.startswith(("Exception from", "Check '", "FrontEnd API failed"))
    ]
    # Folders in messages are those of the package or of a temporary file: names are enough.
    return re.sub(r'"/[^"]*/([^"/]+)"', r"\1", " ".join(kept)) or "no reason given"


@contextmanager
def translated(what: str) -> Iterator[None]:
    """Turn OpenVINO's exceptions into ours, once, at this edge."""
    try:
        yield
    except (RuntimeError, ValueError, TypeError) as error:
        if isinstance(error, WasiNnError):
            raise
        if "Infer Request is busy" in str(error):
            raise BusyError(BUSY) from error
        raise RuntimeFailure(f"{what}: {reason(error)}") from error
