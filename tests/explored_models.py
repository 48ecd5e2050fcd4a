"""What the Explorer's tests of models share."""

from __future__ import annotations

import pytest
from toys import onnx_relu


def run(code):
    """Run the code that an explorer offers, and return its names."""
    space = {}
    exec(code, space)
    return space


def made_engines(tmp_path):
    """The brightest channel again, as a model that OpenVINO and ONNX Runtime read."""
    pytest.importorskip("onnxruntime")
    path = tmp_path / "engines.onnx"
    path.write_bytes(onnx_relu((1, 3, 4, 6)))
    return str(path)
