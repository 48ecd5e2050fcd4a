"""What the tests of comparisons share."""

from __future__ import annotations

import numpy as np

from wasinn_nb.cards.card import ModelCard
from wasinn_nb.imaging.recipe import PreprocessRecipe
from wasinn_nb.tasks.segmentation.result import SegmentationResult
from wasinn_nb.tensor import Tensor

CARD = ModelCard("toy", "segmentation", classes=("background", "road", "curb"))
F32 = np.float32
RNG = np.random.default_rng(6)
PIXELS = RNG.integers(0, 256, (8, 12, 3), np.uint8)
RECIPE = PreprocessRecipe(8, 12)


def tensor(values, dtype=F32):
    return Tensor.from_array(np.asarray(values, dtype))


def scores(height=8, width=12, classes=3, seed=0):
    """Return probabilities with a clear winner at each pixel."""
    raw = np.random.default_rng(seed).random((classes, height, width)) * 0.2
    winner = np.random.default_rng(seed + 1).integers(0, classes, (height, width))
    raw[winner, *np.indices((height, width))] += 2
    return (raw / raw.sum(axis=0)).astype(F32)


def result(values=None, **about):
    return SegmentationResult.from_scores(scores() if values is None else values, CARD, **about)
