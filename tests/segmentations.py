"""What the tests of results share."""

import numpy as np

from wasinn_nb.cards.card import ModelCard
from wasinn_nb.imaging.recipe import PreprocessRecipe
from wasinn_nb.tasks.segmentation.result import SegmentationResult

CARD = ModelCard("toy", "segmentation", classes=("background", "road", "curb"))
LABELS = np.array([[0, 0, 1], [0, 1, 1]], np.uint8)
SHA384 = "0123456789abcdef" * 6


def pixels(height, width, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


def scores(height=4, width=6, seed=0):
    return np.random.default_rng(seed).random((3, height, width), np.float32)


def full_result(**changes):
    values = {
        "image": pixels(8, 12),
        "recipe": PreprocessRecipe(4, 6),
        "precision": "bf16",
        "timings": {"compute": 0.01234},
        "model_sha384": SHA384,
        "versions": {"openvino": "2026.4.1"},
    }
    return SegmentationResult.from_scores(scores(), CARD, **values | changes)
