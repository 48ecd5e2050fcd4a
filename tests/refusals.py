"""How files that are not models are refused."""

from __future__ import annotations

import numpy as np
import pytest

from wasinn_nb.abi import GraphEncoding
from wasinn_nb.errors import RuntimeFailure
from wasinn_nb.runtimes.openvino.models import read_model

AUTODETECT, ONNX, OPENVINO = (
    GraphEncoding.AUTODETECT,
    GraphEncoding.ONNX,
    GraphEncoding.OPENVINO,
)
F32 = np.float32


def refusal(files, encoding=AUTODETECT, error=RuntimeFailure):
    """Return the message with which `read_model` refuses a model."""
    with pytest.raises(error) as caught:
        read_model(files, encoding)
    assert type(caught.value) is error
    return str(caught.value)


LFS = (
    b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935c943f9e0ff69d22e"
    b"adbb8f32b1258daaa5e2ca24d17e2393\nsize 12345\n"
)
