"""A classifier, images and truths, for evaluations of classes."""

from __future__ import annotations

import numpy as np
import toys
from PIL import Image

import wasinn_nb as wn
from wasinn_nb.origin import Origin

U8 = np.uint8
PETS = wn.ModelCard("pets", "classification", classes=("cat", "dog", "owl"))


def result(*probabilities, card=PETS, **about):
    return wn.ClassificationResult(np.float32(probabilities), card, Origin(card.name), **about)


RESULTS = {
    "a": result(0.7, 0.2, 0.1),
    "b": result(0.6, 0.3, 0.1),
    "c": result(0.1, 0.6, 0.3),
    "d": result(0.4, 0.4, 0.2),
}
TRUTHS = {"a": "cat", "b": "dog", "c": "dog", "d": "dog"}


# ------------------------------------------------------------------------------------------- model

COLORS = ("blue", "green", "red")


def plain(color):
    pixels = np.zeros((4, 6, 3), U8)
    pixels[:, :, 2 - COLORS.index(color)] = 200
    return pixels


def made_model(tmp_path_factory):
    """A classifier whose class is the brightest channel of BGR, by logits."""
    from openvino import opset13 as op

    def build(data):
        mean = op.reduce_mean(data, np.array([2, 3]), keep_dims=False)
        return op.matmul(mean, np.eye(3, dtype=np.float32) / 50, False, False)  # noqa: FBT003

    model = toys.graph(build, (1, 3, 4, 6))
    return toys.save(model, tmp_path_factory.mktemp("classifier") / "colors.xml")


CARD = wn.ModelCard("colors", "classification", classes=COLORS)


def made_folders(tmp_path):
    """Images in folders that are called as their classes; one of blue lies in that of red."""
    for name in ("blue", "green", "red"):
        (tmp_path / name).mkdir()
        Image.fromarray(plain(name)).save(tmp_path / name / "1.png")
    Image.fromarray(plain("blue")).save(tmp_path / "red/2.png")
    (tmp_path / "notes.txt").write_text("not an image")
    return tmp_path
