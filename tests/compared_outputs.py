"""What the tests of compared outputs share."""

from __future__ import annotations

import numpy as np

from wasinn_nb.cards.card import ModelCard
from wasinn_nb.imaging.recipe import PreprocessRecipe
from wasinn_nb.tasks.segmentation.result import SegmentationResult
from wasinn_nb.tensor import Tensor
from wasinn_nb.wasi_nn.trace import Trace

F32 = np.float32
PERSON = ModelCard("toy", "segmentation", classes=("background", "person"))
THREE = ModelCard("toy", "segmentation", classes=("background", "road", "curb"))
RECIPE = PreprocessRecipe(2, 3)
PLANE = np.array([[0.25, 0.75, 0.5], [0.875, 0.0, 1.0]], F32)


def trace(*outputs, given=None, indices=None, ports=None):
    """Return the trace of a program that set *given* and got *outputs*."""
    made = Trace()
    calls = [] if given is None else [("set_input", 0, given, None)]
    for index, output in enumerate(outputs):
        place = index if indices is None else indices[index]
        calls.append(("get_output", place, output, None if ports is None else ports[index]))
    for name, index, array, port in calls:
        with made.call(name, f"context 0, {index}") as call:
            call.tensor, call.index, call.port = Tensor.from_array(array), index, port
    return made


def one_class(plane=PLANE, **about):
    return SegmentationResult.from_scores(
        np.asarray(plane, F32)[None], PERSON, **{"threshold": 0.5, "recipe": RECIPE} | about
    )


def masked(labels, card=THREE, **about):
    return SegmentationResult(np.asarray(labels, np.uint8), card, **about)


LABELS = np.array([[0, 2, 1], [1, 1, 0]])


MAIN = np.moveaxis(np.eye(3, dtype=F32)[LABELS], -1, 0)[None]
