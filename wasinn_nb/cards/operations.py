"""Which operation computes an output: one set of names and rules for every format and runtime.

The names are those of ONNX where ONNX has the operation.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, TypeVar

__all__ = ["BOUNDED", "UNBOUNDED", "operation_behind", "standard_name"]

BOUNDED: Final = frozenset({"HardSigmoid", "Sigmoid", "Softmax"})
"""Operations whose values are probabilities."""

UNBOUNDED: Final = frozenset({"BatchNormalization", "Conv", "ConvTranspose", "MatMul"})
"""Operations whose values have no bounds: logits."""

# Operations that change no value, or only its place, size or type.
_PASSING: Final = frozenset(
    {"Cast", "DequantizeLinear", "Flatten", "Identity", "QuantizeLinear", "Reshape", "Resize"}
    | {"Slice", "Squeeze", "Transpose", "Unsqueeze"}
)
_STANDARD: Final = {
    # ONNX
    "CastLike": "Cast",
    "Gemm": "MatMul",
    "Upsample": "Resize",
    # OpenVINO
    "BatchNormInference": "BatchNormalization",
    "Const": "Constant",
    "Convert": "Cast",
    "ConvertLike": "Cast",
    "Convolution": "Conv",
    "ConvolutionBackpropData": "ConvTranspose",
    "FakeQuantize": "QuantizeLinear",
    "GroupConvolution": "Conv",
    "GroupConvolutionBackpropData": "ConvTranspose",
    "Interpolate": "Resize",
    "Result": "Identity",
    "SoftMax": "Softmax",
    "StridedSlice": "Slice",
}
_MOST_PASSED: Final = 1000  # a damaged graph may have a circle

Value = TypeVar("Value")


def standard_name(name: str) -> str:
    """Return ONNX's name of an operation of ONNX or OpenVINO; other names are returned as they are.

    Examples
    --------
    >>> [standard_name(name) for name in ("SoftMax", "GroupConvolution", "Upsample", "MyOperation")]
    ['Softmax', 'Conv', 'Resize', 'MyOperation']
    """
    return _STANDARD.get(name, name)


def operation_behind(
    value: Value, producer: Callable[[Value], tuple[str, Sequence[Value]] | None]
) -> str:
    """Return the kind of the operation that computes the values of an output.

    Operations that only pass values on are looked through, and so is the addition of a bias to
    what a convolution or a matrix multiplication computes.

    Parameters
    ----------
    value : object
        The output, as the format or runtime names it.
    producer : callable
        From a value to the standard name of the operation that computes it and the values that it
        is computed from, the data first; to None for inputs of the model.

    Returns
    -------
    str
        Empty where the output is an input, passed on.

    Examples
    --------
    >>> graph = {"y": ("Reshape", ["sum"]), "sum": ("Add", ["c", "bias"]), "c": ("Conv", ["x"])}
    >>> operation_behind("y", graph.get)
    'Conv'
    """
    kind, inputs = _computing(value, producer)
    if kind != "Add":
        return kind
    added = (_computing(part, producer)[0] for part in inputs)
    return next((part for part in added if part in UNBOUNDED), kind)


def _computing(
    value: Value, producer: Callable[[Value], tuple[str, Sequence[Value]] | None]
) -> tuple[str, Sequence[Value]]:
    """Return kind and inputs of the operation that computes a value and does not only pass it."""
    for _ in range(_MOST_PASSED):
        found = producer(value)
        if found is None:
            break
        kind, inputs = found
        if kind not in _PASSING or not inputs:
            return kind, inputs
        value = inputs[0]
    return "", ()
