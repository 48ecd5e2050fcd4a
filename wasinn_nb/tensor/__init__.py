"""Tensors as WASI-NN has them: dimensions, a type, bytes; and the files they go to."""

from wasinn_nb.tensor.reading import read_tensor
from wasinn_nb.tensor.shapes import guessed_signature
from wasinn_nb.tensor.sidecar import read_sidecar, sidecar_path, tensor_files
from wasinn_nb.tensor.value import Tensor

__all__ = [
    "Tensor",
    "guessed_signature",
    "read_sidecar",
    "read_tensor",
    "sidecar_path",
    "tensor_files",
]
