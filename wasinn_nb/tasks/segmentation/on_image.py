"""A result's labels laid over an image of any size: which pixels they cover, and the overlay."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.imaging import WHOLE, ImageSource, rgb_image
from wasinn_nb.tasks.fields import how_read
from wasinn_nb.tasks.segmentation.masks import Box, blend, resize_labels, resized_labels_of

if TYPE_CHECKING:
    from wasinn_nb.tasks.segmentation.result import SegmentationResult

__all__ = ["blended", "covered_on", "image_to_tint", "labels_on"]


def labels_on(result: SegmentationResult, height: int, width: int) -> NDArray[np.uint8]:
    """Return the labels at an image's size; what the mask does not cover is background.

    Parameters
    ----------
    result : SegmentationResult
    height, width : int
        Pixels of the whole image.
    """
    if result.covers == WHOLE:
        return _resized(result, height, width, None)
    rows, columns, box = result.covers.window(result.labels.shape, height, width)
    labels = np.full((height, width), result.card.background or 0, np.uint8)
    if rows.start < rows.stop and columns.start < columns.stop:
        size = rows.stop - rows.start, columns.stop - columns.start
        labels[rows, columns] = _resized(result, *size, box)
    return labels


def covered_on(result: SegmentationResult, height: int, width: int) -> NDArray[np.bool_]:
    """Return which pixels of an image of *height* x *width* pixels the mask covers."""
    covered = np.zeros((height, width), np.bool_)
    covered[result.covers.window(result.labels.shape, height, width)[:2]] = True
    return covered


def image_to_tint(result: SegmentationResult, image: ImageSource | None) -> NDArray[np.uint8]:
    """Return *image*, else the result's own, as an (h, w, 3) array in RGB order.

    Raises
    ------
    InvalidArgumentError
        If there is neither.
    ImageError, MissingFileError
        If *image* cannot be read.
    """
    if image is not None:
        return np.asarray(rgb_image(image, **how_read(result.recipe)))
    if result.photo is None:
        raise InvalidArgumentError("the result keeps no image; pass it as image=…")
    return result.photo


def blended(
    result: SegmentationResult, pixels: NDArray[np.uint8], labels: NDArray[np.uint8], opacity: float
) -> NDArray[np.uint8]:
    """Return an image tinted with labels of its size.

    Parameters
    ----------
    result : SegmentationResult
        Whose colors, background and covered part count.
    pixels : (h, w, 3) uint8 array
        In RGB order.
    labels : (h, w) uint8 array
    opacity : float
        0 leaves the image, 1 paints over it.
    """
    tinted = blend(pixels, labels, result.card.palette, opacity, result.card.background)
    if result.covers != WHOLE and result.card.background is None:
        uncovered = ~covered_on(result, *labels.shape)  # of no class
        tinted[uncovered] = pixels[uncovered]
    return tinted


def _resized(
    result: SegmentationResult, height: int, width: int, box: Box | None
) -> NDArray[np.uint8]:
    if box is None and (height, width) == result.labels.shape:
        return result.labels
    if result.scores is None:
        return resize_labels(result.labels, height, width, box)
    return resized_labels_of(result.scores, height, width, result.threshold, box)
