"""A card with every field."""

from __future__ import annotations

from hypothesis import strategies as st

HASH = "0123456789abcdef" * 6
CARD = {
    "name": "toy-0001",
    "task": "segmentation",
    "recipe": {"height": 2, "width": 3, "type": "u8"},
    "classes": ["background", "road"],
    "palette": [[0, 0, 0], [255, 0, 1]],
    "encoding": "onnx",
    "precisions": {"FP32": [{"name": "toy.onnx", "bytes": 7, "sha384": HASH}]},
    "description": "a toy",
    "license": "Apache-2.0",
    "source": "here",
    "figures": {"mIoU": 0.5},
}
names = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=9)
