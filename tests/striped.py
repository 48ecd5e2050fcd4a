"""An image of stripes, and models of it."""

from __future__ import annotations

import numpy as np
import toys

from wasinn_nb.imaging.recipe import PreprocessRecipe

IMAGE = np.zeros((4, 6, 3), np.uint8)
IMAGE[:, :2, 0], IMAGE[:, 2:4, 1], IMAGE[:, 4:, 2] = 200, 100, 50
STRIPES = [[0, 0, 1, 1, 2, 2]] * 4
RGB = PreprocessRecipe(4, 6, color="RGB", resize="bilinear")
GRAY = PreprocessRecipe(2, 3, color="GRAY", resize="bilinear")


def save(folder, build, shape=(1, 3, 4, 6), type_="f32", name="toy"):
    return toys.save(toys.graph(build, shape, type_), folder / f"{name}.xml")


def add(folder, *per_channel, name="toy"):
    """Save a model that adds a number to each channel, and return its path."""
    from openvino import opset13 as op

    values = np.array(per_channel, np.float32).reshape(1, 3, 1, 1) * np.ones((1, 3, 4, 6))
    return save(folder, lambda data: op.add(data, values.astype(np.float32)), name=name)
