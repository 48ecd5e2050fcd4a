"""What the tests of evaluations share."""

from __future__ import annotations

import numpy as np
from PIL import Image

from wasinn_nb.cards.card import ModelCard

U8 = np.uint8
CARD = ModelCard("toy", "segmentation", classes=("background", "road", "curb", "mark"))
CAMVID = ("sky", "building", "pole", "road", "pavement", "tree", "sign", "fence", "car")
CAMVID += ("pedestrian", "cyclist")

TRUTH = np.array([[0, 0, 1, 1], [0, 0, 1, 3], [2, 2, 1, 3]], U8)
FOUND = np.array([[0, 0, 1, 1], [0, 1, 1, 1], [0, 2, 1, 3]], U8)


def png(path, labels, palette=None):
    image = Image.fromarray(labels)
    if palette:
        image.putpalette([channel for color in palette for channel in color])
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path)
    return path


# ------------------------------------------------------------------------------------------- masks


COLORS = {"background": (0, 0, 0), "road": (128, 64, 128), "curb": (9, 9, 9), "mark": (1, 2, 3)}


def painted(labels):
    return np.array(list(COLORS.values()), U8)[labels]
