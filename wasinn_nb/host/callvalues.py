"""Calls and their tensors as JSON values: in the frames of a helper, and in recordings.

Nothing in them is trusted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.abi import Errno, TensorType
from wasinn_nb.cards import Port
from wasinn_nb.isolation import FrameError
from wasinn_nb.tensor import Tensor
from wasinn_nb.wasi_nn import Call

__all__ = ["call_from", "call_values", "number_from", "text_from"]

_LONGEST: Final = 1 << 14
_MOST_FACTS: Final = 64


def text_from(value: Any) -> str:
    """Return a text of a frame, cut where it is very long; raise FrameError for another value."""
    if not isinstance(value, str):
        raise FrameError(f"a frame holds {type(value).__name__} where text is expected")
    # What cannot be encoded, such as half of a surrogate pair, would fail where it is printed.
    return value[:_LONGEST].encode(errors="replace").decode()


def number_from(value: Any) -> float:
    """Return a number of a frame; raise FrameError for another value."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise FrameError("a frame holds no number where one is expected")
    return float(value)


def call_values(call: Call) -> dict[str, Any]:
    """Return a call's row as JSON values; its tensor's bytes travel beside it."""
    port, tensor = call.port, call.tensor
    return {
        "name": call.name,
        "arguments": call.arguments,
        "expected": call.expected,
        "got": call.got,
        "errno": int(call.errno),
        "note": call.note,
        "model": call.model,
        "seconds": call.seconds,
        "index": call.index,
        "facts": call.facts,
        "port": port
        and {
            "name": port.name,
            "dimensions": port.dimensions,
            "type_name": port.type_name,
            "type": port.type and port.type.suffix,
            "layout": port.layout,
            "operation": port.operation,
            "quantization": port.quantization,
        },
        "tensor": tensor
        and {
            "dimensions": tensor.dimensions,
            "type": tensor.type.suffix,
            "bytes": tensor.nbytes,
        },
    }


def call_from(values: Mapping[str, Any], data: Callable[[int], NDArray[np.uint8]]) -> Call:
    """Return the call that a frame holds.

    Parameters
    ----------
    values : mapping
    data : callable
        Returns the tensor's bytes, whose number it is given.

    Raises
    ------
    FrameError
        If the values are not those of a call.
    """
    try:
        texts = {name: text_from(values[name]) for name in ("name", "arguments", "expected", "got")}
        port, tensor, index = values["port"], values["tensor"], values["index"]
        return Call(
            **texts,
            errno=Errno(values["errno"]),
            note=text_from(values["note"]),
            model=text_from(values["model"]),
            seconds=number_from(values["seconds"]),
            tensor=None if tensor is None else _tensor(tensor, data),
            index=None if index is None else int(index),
            port=None if port is None else _port(port),
            facts=_facts(values["facts"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        raise FrameError(f"a frame holds no call: {error!r:.200}") from error


def _facts(values: Mapping[str, Any]) -> dict[str, int]:
    if len(values) > _MOST_FACTS:
        raise ValueError(f"{len(values)} facts")
    return {text_from(name): int(value) for name, value in values.items()}


def _tensor(values: Mapping[str, Any], data: Callable[[int], NDArray[np.uint8]]) -> Tensor:
    dimensions = [int(size) for size in values["dimensions"]]
    kind = TensorType.parse(text_from(values["type"]))
    return Tensor.adopt(dimensions, kind, data(int(values["bytes"])))


def _port(values: Mapping[str, Any]) -> Port:
    kind, quantization = values["type"], values["quantization"]
    return Port(
        text_from(values["name"]),
        tuple(None if size is None else int(size) for size in values["dimensions"]),
        None if kind is None else TensorType.parse(text_from(kind)),
        text_from(values["type_name"]),
        text_from(values["layout"]),
        text_from(values["operation"]),
        None if quantization is None else (float(quantization[0]), int(quantization[1])),
    )
