"""Index masks as arrays: from scores to labels, areas, sizes and, last of all, colors.

A mask is an (H, W) uint8 array whose values index the classes.  Every function returns new arrays.
Colors are never resized: bring labels (or scores) to a size, then look the colors up.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.errors import InvalidArgumentError, TensorError
from wasinn_nb.imaging import MAX_SIDE
from wasinn_nb.render import RGB, palette_image, refuse_labels
from wasinn_nb.runtimes import argmax_labels, refuse_nan, score_planes, write_argmax

__all__ = [
    "Box",
    "blend",
    "checked_size",
    "class_areas",
    "colorize",
    "labels_of",
    "resize_labels",
    "resize_scores",
    "resized_labels_of",
]

_FEW_CLASSES: Final = 16

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels: Pillow's order."""


def class_areas(labels: NDArray[np.uint8], classes: int) -> NDArray[np.int64]:
    """Return the number of pixels of each class.

    Parameters
    ----------
    labels : (H, W) uint8 array
    classes : int

    Returns
    -------
    (classes,) int64 array

    Raises
    ------
    TensorError
        If a label is `classes` or more.

    Examples
    --------
    >>> class_areas(np.array([[0, 2], [2, 2]], np.uint8), 3).tolist()
    [1, 0, 3]
    """
    if classes <= _FEW_CLASSES:  # several times faster than counting all values at once
        few = np.array([np.count_nonzero(labels == label) for label in range(classes)], np.int64)
        if few.sum() == labels.size:
            return few
    counts = np.bincount(labels.ravel(), minlength=classes)
    if counts.size > classes:
        refuse_labels(counts, classes)
    return counts.astype(np.int64, copy=False)


def labels_of(scores: NDArray[Any], threshold: float | None = None) -> NDArray[np.uint8]:
    """Return the labels that scores mean.

    Parameters
    ----------
    scores : (C, H, W) or (1, C, H, W) array
        A plane for each class; or, of one class, one plane of probabilities.
    threshold : float, optional
        Of one class: the probability above which a pixel is 1, else 0.  Without it the class with
        the highest score counts, see :func:`argmax_labels`.

    Returns
    -------
    (H, W) uint8 array

    Raises
    ------
    TensorError
        If the shape or dtype is another, there are several planes for one class, or a score is NaN.

    Examples
    --------
    >>> labels_of(np.array([[[0.2, 0.5, 0.7]]], np.float32), 0.5)
    array([[0, 0, 1]], dtype=uint8)
    """
    if threshold is None:
        return argmax_labels(scores)
    planes = score_planes(scores)
    if len(planes) != 1:
        raise TensorError(f"expected one plane for a threshold, got {len(planes)}")
    refuse_nan(planes)
    labels: NDArray[np.uint8] = (planes[0] > np.float32(threshold)).view(np.uint8)
    return labels


def resize_labels(
    labels: NDArray[np.uint8], height: int, width: int, box: Box | None = None
) -> NDArray[np.uint8]:
    """Resize a mask by taking the nearest pixel.

    Pixels are areas with their centers at halves: output `o` takes input
    ``floor((o + 0.5) * in / out)``, in whole numbers.  No label appears that was not there.

    Parameters
    ----------
    labels : (H, W) uint8 array
    height, width : int
        The new size in pixels.
    box : (left, top, right, bottom), optional
        The part of the mask to resize, in its pixels.  Default: all of it.

    Returns
    -------
    (height, width) uint8 array

    Examples
    --------
    >>> resize_labels(np.array([[0, 1, 2]], np.uint8), 2, 6)
    array([[0, 0, 1, 1, 2, 2],
           [0, 0, 1, 1, 2, 2]], dtype=uint8)
    >>> resize_labels(np.array([[0, 1, 2]], np.uint8), 1, 1)
    array([[1]], dtype=uint8)
    """
    checked_size(height, width)
    rows, columns = labels.shape
    if box is None:
        down = (2 * np.arange(height) + 1) * rows // (2 * height)
        right = (2 * np.arange(width) + 1) * columns // (2 * width)
    else:
        down = _nearest(box[1], box[3], height, rows)
        right = _nearest(box[0], box[2], width, columns)
    resized: NDArray[np.uint8] = labels.take(right, axis=1).take(down, axis=0)
    return resized


def _nearest(start: float, end: float, size: int, most: int) -> NDArray[np.intp]:
    """Return the pixel in which the center of each of *size* parts from *start* to *end* lies."""
    centers = start + (np.arange(size) + 0.5) * ((end - start) / size)
    nearest: NDArray[np.intp] = np.clip(np.floor(centers), 0, most - 1).astype(np.intp)
    return nearest


def resize_scores(
    scores: NDArray[np.float32], height: int, width: int, box: Box | None = None
) -> NDArray[np.float32]:
    """Resize scores, class by class, with Pillow's bilinear filter.

    Pixel centers lie at halves, borders repeat, and shrinking averages all the pixels that an
    output covers.  Computed in float32 (Pillow's mode ``F``).

    Parameters
    ----------
    scores : (C, H, W) float32 array
    height, width : int
        The new size in pixels.
    box : (left, top, right, bottom), optional
        The part to resize, in pixels of the scores.  Default: all of it.

    Returns
    -------
    (C, height, width) float32 array

    Examples
    --------
    >>> resize_scores(np.array([[[0.0, 1.0]]], np.float32), 1, 4)
    array([[[0.  , 0.25, 0.75, 1.  ]]], dtype=float32)
    """
    checked_size(height, width)
    resized = np.empty((len(scores), height, width), np.float32)
    for into, plane in zip(resized, scores, strict=True):
        into[:] = _resized_plane(plane, height, width, box)
    return resized


def resized_labels_of(
    scores: NDArray[np.float32],
    height: int,
    width: int,
    threshold: float | None = None,
    box: Box | None = None,
) -> NDArray[np.uint8]:
    """Return ``labels_of(resize_scores(scores, height, width, box), threshold)``, plane by plane.

    So that 150 classes at the size of an image need the memory of three.
    """
    checked_size(height, width)
    if threshold is not None:
        return labels_of(resize_scores(scores, height, width, box), threshold)
    refuse_nan(scores)
    labels = np.zeros((height, width), np.uint8)
    write_argmax((_resized_plane(plane, height, width, box) for plane in scores), labels)
    return labels


def colorize(labels: NDArray[np.uint8], palette: Sequence[RGB]) -> NDArray[np.uint8]:
    """Look up each label's color.

    Parameters
    ----------
    labels : (H, W) uint8 array
    palette : sequence of (red, green, blue)
        One color per class.

    Returns
    -------
    (H, W, 3) uint8 array
        In RGB order.

    Raises
    ------
    TensorError
        If a label has no color.

    Examples
    --------
    >>> colorize(np.array([[1, 0]], np.uint8), [(0, 0, 0), (0, 114, 178)]).tolist()
    [[[0, 114, 178], [0, 0, 0]]]
    """
    return np.array(palette_image(labels, palette).convert("RGB"))


def blend(
    image: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    palette: Sequence[RGB],
    opacity: float,
    background: int | None = 0,
) -> NDArray[np.uint8]:
    """Tint an image with the colors of its mask.

    The background stays untinted.  Elsewhere each channel is
    ``(image * (255 - m) + color * m) / 255``, rounded, with ``m = round(255 * opacity)``.

    Parameters
    ----------
    image : (H, W, 3) uint8 array
        In RGB order.
    labels : (H, W) uint8 array
        Of the same height and width.
    palette : sequence of (red, green, blue)
    opacity : float
        0 leaves the image, 1 paints over it.
    background : int or None
        The class that stays untinted; None for none.

    Returns
    -------
    (H, W, 3) uint8 array

    Raises
    ------
    InvalidArgumentError
        If *opacity* is not within 0 to 1, or the sizes differ.
    TensorError
        If a label has no color.

    Examples
    --------
    >>> image = np.full((1, 2, 3), 100, np.uint8)
    >>> blend(image, np.array([[0, 1]], np.uint8), [(0, 0, 0), (200, 0, 100)], 0.5).tolist()
    [[[100, 100, 100], [150, 50, 100]]]
    """
    if not 0 <= opacity <= 1:
        raise InvalidArgumentError(f"expected an opacity from 0 to 1, got {opacity!r:.80}")
    if image.shape != (*labels.shape, 3):
        raise InvalidArgumentError(
            f"expected an image of the mask's size, {(*labels.shape, 3)}, got {image.shape}; "
            f"resize the labels, never the colored mask"
        )
    weight = np.uint8(round(255 * opacity))
    weights = np.full(labels.shape, weight)
    if background is not None:
        weights[labels == background] = 0
    painted = Image.composite(
        palette_image(labels, palette).convert("RGB"),
        Image.fromarray(np.ascontiguousarray(image)),
        Image.fromarray(weights),
    )
    return np.array(painted)


def checked_size(height: int, width: int) -> None:
    """Raise `InvalidArgumentError` where the size is not one that an image can have."""
    for side in (height, width):
        whole = isinstance(side, int | np.integer) and not isinstance(side, bool)
        if not whole or not 1 <= side <= MAX_SIDE:
            raise InvalidArgumentError(
                f"expected height and width from 1 to {MAX_SIDE} pixels, "
                f"got {height!r:.40} and {width!r:.40}"
            )


def _resized_plane(
    plane: NDArray[np.float32], height: int, width: int, box: Box | None
) -> NDArray[np.float32]:
    image = Image.fromarray(np.ascontiguousarray(plane, np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, box))
