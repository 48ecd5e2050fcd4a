"""The models that are picked: tiny ones whose masks are known, a slow one and a broken one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import openvino as ov
import toys
from openvino import opset13 as op


def write_models(folder: Path) -> Path:
    """Write the models into a folder for ``WASINN_NB_PATH`` and return it.

    ``channels``  the class is the brightest of blue, green and red, as ``class 0`` to ``class 2``
    ``crowd``     the same with 256 classes
    ``sluggish``  the same, after a second of convolutions
    ``broken``    an XML that is not a model
    ``kinds``     a classifier: the same of the whole image, as ``blue``, ``green`` and ``red``
    ``bright``    one class: its probability is how bright a pixel is
    ``engines``   ``channels`` as ONNX, which several runtimes read
    """
    toys.brightest_channel(folder / "channels.xml", height=120, width=160)
    toys.brightest_channel(folder / "crowd.xml", height=120, width=160, classes=256)
    _sluggish(folder / "sluggish.xml")
    toys.brightest_of_image(folder / "kinds.xml", height=120, width=160)
    names = ["blue", "green", "red"]
    card = {"name": "kinds", "task": "classification", "classes": names}
    (folder / "kinds.card.json").write_text(json.dumps(card))
    toys.brightness(folder / "bright.xml", height=120, width=160)
    (folder / "engines.onnx").write_bytes(toys.onnx_relu((1, 3, 120, 160)))
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


def _sluggish(path: Path, seconds: float = 1.0) -> None:
    """Save a model that takes so long on this machine."""
    model = _convolutions(4)
    request = ov.compile_model(model, "CPU", {"INFERENCE_PRECISION_HINT": "f32"})
    image = np.zeros(model.input(0).shape, np.float32)
    rounds = 4 * toys.repeats(seconds, lambda: request(image))
    toys.save(_convolutions(rounds), path)


def _convolutions(rounds: int, side: int = 384, channels: int = 64) -> ov.Model:
    rng = np.random.default_rng(0)

    def kernel(to: int, of: int) -> ov.Node:
        return op.constant(rng.normal(size=(to, of, 3, 3)).astype(np.float32) / (3 * of**0.5))

    first, middle, last = kernel(channels, 3), kernel(channels, channels), kernel(3, channels)

    def convolution(data: ov.Node, weights: ov.Node) -> ov.Node:
        return op.tanh(op.convolution(data, weights, [1, 1], [1, 1], [1, 1], [1, 1]))

    def build(data: ov.Node) -> ov.Node:
        deep = convolution(data, first)
        for _ in range(rounds):
            deep = convolution(deep, middle)
        # Too little to change which channel is the brightest, but not to be left out.
        change = op.multiply(convolution(deep, last), np.float32(1e-6))
        return op.softmax(op.add(data, change), 1)

    return toys.graph(build, (1, 3, side, side))
