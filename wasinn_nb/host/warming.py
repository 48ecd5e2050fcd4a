"""What a helper has its engine do in advance: what it does once in a process."""

from __future__ import annotations

from typing import Final

import numpy as np

from wasinn_nb import settings
from wasinn_nb.abi import GraphEncoding
from wasinn_nb.errors import WasiNnError
from wasinn_nb.runtimes import runtime
from wasinn_nb.tensor import Tensor

__all__ = ["warm_up"]

_PORT: Final = '<port id="{0}" precision="FP32"><dim>1</dim><dim>2</dim></port>'
_IR: Final = (
    '<?xml version="1.0"?><net name="warm" version="11"><layers>'
    '<layer id="0" name="x" type="Parameter" version="opset1">'
    '<data shape="1,2" element_type="f32"/>'
    f"<output>{_PORT.format(0)}</output></layer>"
    '<layer id="1" name="relu" type="ReLU" version="opset1">'
    f"<input>{_PORT.format(0)}</input><output>{_PORT.format(1)}</output></layer>"
    '<layer id="2" name="y" type="Result" version="opset1">'
    f"<input>{_PORT.format(0)}</input></layer></layers><edges>"
    '<edge from-layer="0" from-port="0" to-layer="1" to-port="0"/>'
    '<edge from-layer="1" from-port="1" to-layer="2" to-port="0"/></edges></net>'
)
_ONNX: Final = bytes.fromhex(
    "08083a3f0a0e0a0178120179220452656c753a001203746f795a130a0178120e0a0c080112080a02"
    "08010a02080262130a0179120e0a0c080112080a0208010a02080242040a00100d"
)
_MODELS: Final = ((GraphEncoding.OPENVINO, [_IR.encode(), b""]), (GraphEncoding.ONNX, [_ONNX]))


def warm_up(engine: str) -> None:
    """Import an engine, and have it load its plug-ins and start its threads.

    Where that fails, the guest's own call will fail likewise, and say why.

    Parameters
    ----------
    engine : str
        A runtime's name; empty for none.
    """
    settings.cache_dir()
    if not engine:
        return
    try:
        found = runtime(engine)
        found.devices()
        for encoding, builders in _MODELS:
            if encoding in found.encodings:
                context = found.load(builders, encoding, "CPU", "f32").execution_context()
                context.set_input(0, Tensor.from_array(np.zeros((1, 2), np.float32)))
                context.compute()
                return
    except WasiNnError:
        return
