"""The models that are picked: tiny ones whose masks are known, a slow one and a broken one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import toys


def write_models(folder: Path) -> Path:
    """Write the models into a folder for ``WASINN_NB_PATH`` and return it.

    ``channels``  the class is the brightest of blue, green and red, as ``class 0`` to ``class 2``
    ``crowd``     the same with 256 classes
    ``sluggish``  the same, after a second of convolutions
    ``broken``    an XML that is no model
    """
    toys.brightest_channel(folder / "channels.xml", height=120, width=160)
    toys.brightest_channel(folder / "crowd.xml", height=120, width=160, classes=256)
    _sluggish(folder / "sluggish.xml")
    (folder / "broken.xml").write_text('<?xml version="1.0"?><net name="broken" version="11"/>')
    (folder / "broken.bin").write_bytes(b"")
    return folder


def write_known(folder: Path, name: str, address: str) -> dict[str, bytes]:
    """Write the card of a model that lies at *address*/NAME, and return its files' bytes.

    It is ``sluggish`` again: of some size.
    """
    (folder / name).mkdir()
    bodies = {f"{name}{end}": (folder / f"sluggish{end}").read_bytes() for end in (".xml", ".bin")}
    described = [
        {
            "name": file,
            "bytes": len(body),
            "sha384": hashlib.sha384(body).hexdigest(),
            "url": f"{address}/{name}/{file}",
        }
        for file, body in bodies.items()
    ]
    card = {
        "name": name,
        "task": "segmentation",
        "classes": ["blue", "green", "red"],
        "precisions": {"FP32": described},
    }
    (folder / name / "card.json").write_text(json.dumps(card))
    return bodies


def _sluggish(path: Path, rounds: int = 60, side: int = 384) -> None:
    import openvino as ov
    from openvino import opset13 as op

    rng = np.random.default_rng(0)

    def kernel(to: int, of: int) -> np.ndarray:
        return (rng.normal(size=(to, of, 3, 3)) / 12).astype(np.float32)

    def build(data):
        deep = data
        for step in range(rounds):
            weights = kernel(16, 16 if step else 3)
            deep = op.relu(op.convolution(deep, weights, [1, 1], [1, 1], [1, 1], [1, 1]))
        last = op.convolution(deep, kernel(3, 16), [1, 1], [1, 1], [1, 1], [1, 1])
        # Too little to change which channel is the brightest, but not to be left out.
        return op.softmax(op.add(data, op.multiply(op.tanh(last), np.float32(1e-6))), 1)

    model = toys.graph(build, (1, 3, side, side))
    assert isinstance(model, ov.Model)
    toys.save(model, path)
