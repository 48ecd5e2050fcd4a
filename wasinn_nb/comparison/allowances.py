"""What the precisions of two models explain of a difference between their layers.

It is a signal-to-noise ratio of a layer alone.  Measured with OpenVINO 2026.4, lowest of all
layers:

========================  ================  =============  =======
Against f32               Real road model   Shipped model  Allowed
========================  ================  =============  =======
ONNX Runtime (3 models)   111, 124, 129 dB                 80 dB
Weights in f16            62 dB                            45 dB
bf16                      38 dB             46 dB          30 dB
INT8                      29 dB             19 dB          10 dB
========================  ================  =============  =======

That of INT8 is what holds for any layer.  Where b is in INT8 and a is not, a layer with weights is
computed once more, with a's weights rounded to 8 bits in b's place: what that gives, less `SPREAD`,
is what INT8 explains of it.  Of models by NNCF the two are equal; other tools round otherwise.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

__all__ = ["EXPLAINED", "SPREAD", "coarsest"]

EXPLAINED: Final = {"f32": 80.0, "f16": 45.0, "bf16": 30.0, "i8": 10.0}
"""Precision → the signal to noise, in dB, down to which it explains what a layer alone changes."""

SPREAD: Final = 6.0
"""By how many dB a layer may be worse than one with a's weights rounded."""


def coarsest(computed: Sequence[str], weights: Sequence[str]) -> str:
    """Return the coarsest precision that two models do not share, or that one computes in.

    Parameters
    ----------
    computed : sequence of str
        What they compute in.
    weights : sequence of str
        What their weights are stored in.

    Examples
    --------
    >>> coarsest(("f32", "bf16"), ("f16", "f16")), coarsest(("f32", "f32"), ("f32", "i8"))
    ('bf16', 'i8')
    >>> coarsest(("f32", "f32"), ("f16", "f16"))
    'f32'
    """
    kinds = {one for one in computed if one in EXPLAINED}
    if len(set(weights)) > 1 or "i8" in weights:
        kinds |= {one for one in weights if one in EXPLAINED}
    return min(kinds, key=EXPLAINED.__getitem__, default="f32")
