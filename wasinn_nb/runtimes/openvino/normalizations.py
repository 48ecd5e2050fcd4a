"""Normalizations that become part of the convolutions before them, as OpenVINO's converter does."""

from __future__ import annotations

from typing import Final

import openvino as ov
from openvino._offline_transformations import apply_moc_transformations

__all__ = ["WEIGHTED", "with_fused_normalizations"]

WEIGHTED: Final = frozenset(
    {
        "Convolution",
        "ConvolutionBackpropData",
        "GroupConvolution",
        "GroupConvolutionBackpropData",
        "MatMul",
    }
)
"""Operations that multiply by weights."""

_NORMALIZATION: Final = "BatchNormInference"
_NAME: Final = "wasinn_nb_name"


def with_fused_normalizations(model: ov.Model) -> ov.Model:
    """Return a model whose normalizations are part of the convolutions before them.

    `openvino.Core.read_model` leaves them as they are in ONNX files.  Convolutions keep their
    names, which OpenVINO's transformations would replace by generated ones.

    Parameters
    ----------
    model : openvino.Model
        It is changed.  No node of it may be referred to: those are not fused.
    """
    if _marked(model):
        apply_moc_transformations(model, cf=False, smart_reshape=False)
        _rename(model)
    return model


def _marked(model: ov.Model) -> bool:
    """Note the names of weighted layers beside them; return whether there are normalizations."""
    nodes = model.get_ordered_ops()
    if all(node.get_type_name() != _NORMALIZATION for node in nodes):
        return False
    for node in nodes:
        if node.get_type_name() in WEIGHTED:
            node.get_rt_info()[_NAME] = node.get_friendly_name()
    return True


def _rename(model: ov.Model) -> None:
    """Give weighted layers the names that were noted beside those that they were made of."""
    for node in model.get_ordered_ops():
        details = node.get_rt_info()
        if _NAME in details:
            if node.get_type_name() in WEIGHTED:
                node.set_friendly_name(str(details[_NAME].value))
            del details[_NAME]
