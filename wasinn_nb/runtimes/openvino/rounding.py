"""Weights that are rounded to 8 bits in the graph, as a quantized model holds them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset13 as op

__all__ = ["give_weights"]

_CHANNELS: Final = {
    "Convolution": (0,),
    "ConvolutionBackpropData": (1,),
    "GroupConvolution": (0, 1),
    "GroupConvolutionBackpropData": (0, 2),
}
"""Operation → which dimensions of its weights count its output channels."""
_LEVELS: Final = 255


def give_weights(reader: ov.Input, values: NDArray[Any]) -> None:
    """Have a layer multiply by other weights, each output channel rounded by its own largest.

    Parameters
    ----------
    reader : openvino.Input
        Where the layer takes its weights.
    values : array
    """
    channels = _channels(reader.get_node(), reader.get_index(), values.ndim)
    others = tuple(axis for axis in range(values.ndim) if axis not in channels)
    weights = values.astype(np.float32)
    largest = np.abs(weights).max(axis=others, keepdims=True)
    largest[largest == 0] = 1
    ends = [op.constant(sign * largest) for sign in (-1, 1)]
    rounded = op.fake_quantize(op.constant(weights), *ends, *ends, _LEVELS)
    kind = reader.get_element_type().get_type_name()
    reader.replace_source_output(op.convert(rounded, kind).output(0))


def _channels(node: ov.Node, index: int, rank: int) -> tuple[int, ...]:
    """Return which dimensions of a layer's weights count its output channels."""
    kind = node.get_type_name()
    if kind in _CHANNELS:
        return _CHANNELS[kind]
    if rank == 1:
        return ()
    turned = node.get_attributes()["transpose_b" if index else "transpose_a"]
    return (rank - 2 if turned == bool(index) else rank - 1,)
