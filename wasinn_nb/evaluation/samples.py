"""Single images of an evaluation, and what is shown of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.evaluation.labels import IGNORED
from wasinn_nb.render import RGB
from wasinn_nb.tasks.segmentation import SegmentationResult, blend, colorize, resize_labels

__all__ = ["WHITE", "WRONG", "Sample", "sample_pictures"]

WHITE: Final = (255, 255, 255)
"""The color of pixels that do not count, in a mask."""

WRONG: Final = (255, 0, 255)  # no class of a card without colors of its own has it
"""The color of pixels that were predicted wrong."""

_UNCOUNTED: Final = (200, 200, 200)


class Sample(NamedTuple):
    """One image to look at."""

    name: str
    truth: NDArray[np.uint8]
    """(H, W) evaluated classes, `IGNORED` where nothing counts."""
    predicted: NDArray[np.uint8]
    result: SegmentationResult | None
    """Where there is one: it may have the photograph."""
    miou: float
    """The image's own mean IoU."""


def sample_pictures(
    sample: Sample, palette: Sequence[RGB], size: tuple[int, int] | None = None
) -> list[tuple[str, NDArray[np.uint8], bool]]:
    """Return photograph, truth, prediction and errors: title, (H, W, 3) pixels, whether to smooth.

    Parameters
    ----------
    sample : Sample
    palette : sequence of (red, green, blue)
        Of the evaluated classes.
    size : (height, width), optional
        Of the pictures; labels are resized by nearest and then coloured.  Default: the truth's.
    """
    height, width = size or sample.truth.shape
    truth = resize_labels(sample.truth, height, width)
    predicted = resize_labels(sample.predicted, height, width)
    photo = None if sample.result is None else sample.result.photo
    ignored = truth == IGNORED
    colours = [*palette, WHITE]
    true_picture = colorize(np.where(ignored, np.uint8(len(palette)), truth), colours)
    pictures = [
        ("truth", true_picture, False),
        ("prediction", colorize(predicted, colours), False),
    ]
    if photo is None:
        base = np.full((height, width, 3), 245, np.uint8)
    else:
        shown = Image.fromarray(photo).resize((width, height), Image.Resampling.BILINEAR)
        pictures.insert(0, (sample.name, np.asarray(shown), True))
        base = np.asarray(shown.convert("L").convert("RGB"))
    wrong = np.where(ignored, np.uint8(2), (truth != predicted).view(np.uint8))
    errors = blend(base, wrong, [WHITE, WRONG, _UNCOUNTED], 0.75)
    pictures.append(("wrong" if photo is not None else f"wrong in {sample.name}", errors, False))
    return pictures
