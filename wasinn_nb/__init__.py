"""Run image models with OpenVINO natively and through WASI-NN, side by side, in a notebook.

Public names load on first use: ``import wasinn_nb as wn`` imports neither openvino, matplotlib,
ipywidgets nor wasmtime.
"""

from wasinn_nb import lazy_names as _lazy

__version__ = "0.2.0"

__getattr__, __dir__, __all__ = _lazy.attach_stub(__name__, __file__)
