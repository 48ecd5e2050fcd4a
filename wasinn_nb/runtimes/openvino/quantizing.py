"""INT8 by NNCF, without its telemetry and its output."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import openvino as ov
from numpy.typing import NDArray

from wasinn_nb.cards import Signature, quantized_key
from wasinn_nb.errors import Remedy, RuntimeFailure, UnsupportedOperationError, WasiNnError
from wasinn_nb.runtimes.openvino.normalizations import WEIGHTED, with_fused_normalizations
from wasinn_nb.runtimes.quantizing import QuantizedLayers
from wasinn_nb.runtimes.telemetry import without_telemetry

__all__ = ["quantized_model", "write_model"]

_MISSING: Final = Remedy(
    "pip install 'wasinn-nb[quantize]'", command="pip install 'wasinn-nb[quantize]'"
)


def quantized_model(
    model: ov.Model, images: Iterable[NDArray[Any]], count: int, keep: Sequence[str]
) -> tuple[ov.Model, QuantizedLayers]:
    """Return the INT8 variant of a model, and which of its layers are in 8 bits.

    Parameters
    ----------
    model : openvino.Model
    images : iterable of arrays
    count : int
    keep : sequence of str
        Names of layers that stay as they are.

    Raises
    ------
    UnsupportedOperationError
        If NNCF is not installed.
    RuntimeFailure
        If it cannot quantize the model.
    """
    try:
        with without_telemetry():
            import nncf
    except ImportError as error:
        raise UnsupportedOperationError(
            "quantizing a model needs nncf, which is not installed", remedy=_MISSING
        ) from error
    ignored = nncf.IgnoredScope(names=list(keep)) if keep else None
    try:
        with _silent():
            made = nncf.quantize(
                with_fused_normalizations(model),
                nncf.Dataset(images),
                subset_size=count,
                ignored_scope=ignored,
            )
    except WasiNnError:  # of an image, not of the model
        raise
    except Exception as error:
        reason = " ".join(str(error).split())[:500] or type(error).__name__
        raise RuntimeFailure(f"NNCF cannot quantize the model: {reason}") from error
    return made, QuantizedLayers(tuple(_in_8_bits(made)), len(_weighted(made)))


def write_model(model: ov.Model, path: Path, signature: Signature) -> None:
    """Write a model, weights that are not in 8 bits in f16.

    Parameters
    ----------
    model : openvino.Model
    path : Path
    signature : Signature
        Of the original: how integers of its inputs and outputs are quantized is kept.
    """
    for kind, ports in (("input", signature.inputs), ("output", signature.outputs)):
        for index, port in enumerate(ports):
            if port.quantization is not None:
                scale, zero_point = port.quantization
                place = quantized_key(kind, index).split("/")
                model.set_rt_info(f"{scale!r} {zero_point}", place)
    ov.save_model(model, str(path), compress_to_fp16=True)


def _weighted(model: ov.Model) -> list[str]:
    """Return the names of the layers that multiply by constants."""
    moving: set[str] = set()
    found = []
    for node in model.get_ordered_ops():
        depends = [value.get_node().get_name() in moving for value in node.input_values()]
        if node.get_type_name() == "Parameter" or any(depends):
            moving.add(node.get_name())
        if node.get_type_name() in WEIGHTED and any(depends) and not all(depends):
            found.append(str(node.get_friendly_name()))
    return found


def _in_8_bits(model: ov.Model) -> Iterator[str]:
    """Yield the names of the layers whose weights are quantized."""
    for node in model.get_ordered_ops():
        sources = [value.get_node() for value in node.input_values()[1:2]]
        if any(_is_quantized(source) for source in sources):
            yield str(node.get_friendly_name())


def _is_quantized(node: ov.Node) -> bool:
    """Return whether a value is a constant of 8 bits that is scaled, or quantized on the way."""
    for _ in range(4):
        if node.get_type_name() == "FakeQuantize":
            return node.input_value(0).get_node().get_type_name() in {"Constant", "Convert"}
        if node.get_type_name() == "Constant":
            return node.output(0).get_element_type() in {ov.Type.i8, ov.Type.u8}
        if node.get_type_name() not in {"Convert", "Multiply", "Subtract", "Reshape"}:
            return False
        node = node.input_value(0).get_node()
    return False


@contextmanager
def _silent() -> Iterator[None]:
    """Keep NNCF from printing: its bars go through rich's console, its notes through a logger."""
    import rich

    console, logger = rich.get_console(), logging.getLogger("nncf")
    before = console.quiet, console.is_jupyter, logger.level
    console.quiet, console.is_jupyter = True, False
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        console.quiet, console.is_jupyter = before[:2]
        logger.setLevel(before[2])
