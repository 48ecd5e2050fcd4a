"""Which precisions a device computes in: a small model is compiled for it in each."""

from __future__ import annotations

import functools
from typing import Final

import numpy as np
import openvino as ov
from openvino import opset13

from wasinn_nb.runtimes.openvino.models import core

__all__ = ["HINTS", "probed_precisions"]

HINTS: Final = {"f32": ov.Type.f32, "f16": ov.Type.f16, "bf16": ov.Type.bf16}
"""Precision → what OpenVINO is asked for."""

_SIZE: Final = 8


@functools.cache
def probed_precisions(device: str) -> tuple[str, ...] | None:
    """Return the precisions that a device computes in; None where it compiles in none.

    What OpenVINO lists as a device's capabilities does not tell: a processor without AVX-512 is
    listed with bf16, and computes in f32.

    Parameters
    ----------
    device : str

    Examples
    --------
    >>> "f32" in probed_precisions("CPU"), probed_precisions("no such device")
    (True, None)
    """
    parameter = opset13.parameter([1, _SIZE, _SIZE, _SIZE], ov.Type.f32)
    weights = opset13.constant(np.ones((_SIZE, _SIZE, 3, 3), np.float32))
    ones = [1, 1]
    model = ov.Model([opset13.convolution(parameter, weights, ones, ones, ones, ones)], [parameter])
    found = []
    for name, hint in HINTS.items():
        try:
            compiled = core().compile_model(model, device, {"INFERENCE_PRECISION_HINT": hint})
            used = compiled.get_property("INFERENCE_PRECISION_HINT")
        except RuntimeError:  # where a processor only seems to have it
            continue
        if used == hint:
            found.append(name)
    return tuple(found) or None
