"""What a pixel of a scene can be, and the class that the mask gives it."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

CLASSES = ("background", "road", "curb", "mark")

# Colors of Okabe and Ito (2008), told apart with any color vision; black for the background.
PALETTE = ((0, 0, 0), (0, 114, 178), (213, 94, 0), (240, 228, 66))


# A line or curb thinner than this many rows or columns of pixels is drawn, but the mask calls it
# what lies around it: no annotator would trace it, and which pixel centers it meets is chance.
THINNEST = 1.2


class Kind(IntEnum):
    """The surface that a pixel shows; finer than the classes, because textures differ."""

    SKY = 0
    ROAD = 1
    CURB = 2
    MARK = 3
    PAVEMENT = 4
    GRASS = 5
    GRAVEL = 6
    BUILDING = 7
    LEAVES = 8
    WOOD = 9
    METAL = 10
    CLOTH = 11
    BONNET = 12
    DISTANCE = 13


# The kinds that lie on the ground: they take perspective textures and shadows.
GROUND = (Kind.ROAD, Kind.CURB, Kind.MARK, Kind.PAVEMENT, Kind.GRASS, Kind.GRAVEL)


def class_of_kind() -> NDArray[np.uint8]:
    """Return the look-up table, (256,) uint8, from a kind to its class index."""
    table = np.zeros(256, np.uint8)
    table[Kind.ROAD], table[Kind.CURB], table[Kind.MARK] = 1, 2, 3
    return table
