"""Single images of an evaluation, and what there is to see of them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Final, Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.evaluation.labels import IGNORED
from wasinn_nb.evaluation.policy import figure_text
from wasinn_nb.render import RGB, Block, ImageBlock, ImageRow, Paragraph, encoded_image
from wasinn_nb.tasks.segmentation import SegmentationResult, blend, colorize, resize_labels

__all__ = ["WHITE", "WRONG", "Sample", "View", "sample_blocks", "sample_views"]

View: TypeAlias = Literal["image", "truth", "prediction", "wrong"]
"""One way to see a sample; ``"wrong"`` marks the pixels that were predicted wrong."""

WHITE: Final = (255, 255, 255)
"""The color of pixels that do not count, in a mask."""

WRONG: Final = (255, 0, 255)  # no class of a card without colors of its own has it
"""The color of pixels that were predicted wrong."""

_UNCOUNTED: Final = (200, 200, 200)
_LONGEST_SIDE: Final = 480  # pixels in HTML


class Sample(NamedTuple):
    """One image to look at."""

    name: str
    truth: NDArray[np.uint8]
    """(H, W) evaluated classes, `IGNORED` where nothing counts."""
    predicted: NDArray[np.uint8]
    result: SegmentationResult | None
    """Where there is one: it may have the image."""
    miou: float
    """The image's own mean IoU."""

    @property
    def is_wrong(self) -> bool:
        """Whether a pixel that counts was predicted wrong."""
        return bool(((self.truth != self.predicted) & (self.truth != IGNORED)).any())

    @property
    def has_image(self) -> bool:
        """Whether the image itself is known."""
        return self.result is not None and self.result.image is not None


def sample_views(
    sample: Sample, palette: Sequence[RGB], size: tuple[int, int] | None = None
) -> dict[View, NDArray[np.uint8]]:
    """Return the pixels of what there is to see of a sample.

    Parameters
    ----------
    sample : Sample
    palette : sequence of (red, green, blue)
        Of the evaluated classes.
    size : (height, width), optional
        Of the pixels; labels are resized by nearest and then colored.  Default: the truth's.

    Returns
    -------
    dict of View to (H, W, 3) uint8 array
        Without ``"image"`` where the image is not known.
    """
    height, width = size or sample.truth.shape
    truth = resize_labels(sample.truth, height, width)
    predicted = resize_labels(sample.predicted, height, width)
    pixels = None if sample.result is None else sample.result.photo
    ignored = truth == IGNORED
    colors = [*palette, WHITE]
    views: dict[View, NDArray[np.uint8]] = {}
    if pixels is None:
        base = np.full((height, width, 3), 245, np.uint8)
    else:
        resized = Image.fromarray(pixels).resize((width, height), Image.Resampling.BILINEAR)
        views["image"] = np.asarray(resized)
        base = np.asarray(resized.convert("L").convert("RGB"))
    views["truth"] = colorize(np.where(ignored, np.uint8(len(palette)), truth), colors)
    views["prediction"] = colorize(predicted, colors)
    wrong = np.where(ignored, np.uint8(2), (truth != predicted).view(np.uint8))
    views["wrong"] = blend(base, wrong, [WHITE, WRONG, _UNCOUNTED], 0.75)
    return views


def sample_blocks(samples: Sequence[Sample], palette: Sequence[RGB]) -> list[list[Block]]:
    """Return what there is to see of each sample with a wrong pixel.

    Parameters
    ----------
    samples : sequence of Sample
    palette : sequence of (red, green, blue)
        Of the evaluated classes.
    """
    return [
        [
            Paragraph(f"{sample.name}: mean IoU {figure_text(sample.miou)}", "strong"),
            sample_row(sample, palette),
        ]
        for sample in samples
        if sample.is_wrong
    ]


def sample_row(sample: Sample, palette: Sequence[RGB]) -> ImageRow:
    """Return the views of a sample side by side, drawn when they are encoded.

    Parameters
    ----------
    sample : Sample
    palette : sequence of (red, green, blue)
        Of the evaluated classes.
    """
    shrink = min(1.0, _LONGEST_SIDE / max(sample.truth.shape))
    height, width = (max(1, round(side * shrink)) for side in sample.truth.shape)

    @functools.cache
    def views() -> Mapping[View, NDArray[np.uint8]]:
        return sample_views(sample, palette, (height, width))

    def encode(view: View) -> tuple[str, bytes, int]:
        image = Image.fromarray(views()[view])
        if view in {"truth", "prediction"}:  # few colors: as PNG, exactly
            image = image.quantize(256, dither=Image.Dither.NONE)
        return encoded_image(image)

    known: list[View] = ["truth", "prediction", "wrong"]
    if sample.has_image:
        known.insert(0, "image")
    return ImageRow(
        [
            ImageBlock(functools.partial(encode, view), f"{view} of {sample.name}", view)
            for view in known
        ]
    )
