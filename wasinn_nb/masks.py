"""Index masks as arrays: from scores to labels, areas, sizes and, last of all, colours.

A mask is an (H, W) uint8 array whose values index the classes.  Every function returns new arrays.
Colours are never resized: bring labels (or scores) to a size, then look the colours up.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.cards import RGB
from wasinn_nb.errors import InvalidArgumentError, TensorError
from wasinn_nb.recipe import MAX_SIDE
from wasinn_nb.tables import percent

__all__ = [
    "Box",
    "LegendEntry",
    "argmax_labels",
    "blend",
    "checked_labels",
    "checked_size",
    "class_areas",
    "colorize",
    "labels_of",
    "legend",
    "nan_error",
    "palette_image",
    "resize_labels",
    "resize_scores",
    "resized_labels_of",
]

Box: TypeAlias = tuple[float, float, float, float]
"""Left, top, right, bottom, in pixels: Pillow's order."""

# Pixels at a time, so that the running maximum of a large mask stays in the cache.  Measured: 2**15
# to 2**17 do alike; below 2**14 the calls themselves cost more than what they compute.
_BLOCK: Final = 1 << 16


class LegendEntry(NamedTuple):
    """One line of a legend."""

    name: str
    color: RGB
    share: str
    """The class's part of the picture, in words: ``"19.19 %"``."""


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
    counts = np.bincount(labels.ravel(), minlength=classes)
    if counts.size > classes:
        _refuse_labels(counts, classes)
    return counts.astype(np.int64, copy=False)


def argmax_labels(scores: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the class with the highest score at each pixel.

    The same as ``scores.argmax(axis=0)``, ties included (the lower class wins), without its long
    strides: a running maximum over the planes, a block of pixels at a time.

    Parameters
    ----------
    scores : (C, H, W) or (1, C, H, W) float32 array
        At most 256 classes.  Other real dtypes work too.

    Returns
    -------
    (H, W) uint8 array

    Raises
    ------
    TensorError
        If the shape or dtype is another, or a score is NaN: which class is the highest there
        cannot be said.

    Examples
    --------
    >>> scores = np.array([[[0.2, 0.5]], [[0.7, 0.5]], [[0.1, 0.0]]], np.float32)
    >>> argmax_labels(scores)
    array([[1, 0]], dtype=uint8)
    """
    planes = _planes(scores)
    _refuse_nan(planes)
    flat = planes.reshape(len(planes), -1)
    labels = np.zeros(flat.shape[1], np.uint8)
    for start in range(0, labels.size, _BLOCK):
        block = slice(start, start + _BLOCK)
        _fold_maximum(flat[:, block], labels[block])
    return labels.reshape(planes.shape[1:])


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
    planes = _planes(scores)
    if len(planes) != 1:
        raise TensorError(f"expected one plane for a threshold, got {len(planes)}")
    _refuse_nan(planes)
    labels: NDArray[np.uint8] = (planes[0] > np.float32(threshold)).view(np.uint8)
    return labels


def resize_labels(
    labels: NDArray[np.uint8], height: int, width: int, box: Box | None = None
) -> NDArray[np.uint8]:
    """Resize a mask by taking the nearest pixel.

    Pixels are areas with their centres at halves: output `o` takes input
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
    """Return the pixel in which the centre of each of *size* parts from *start* to *end* lies."""
    centres = start + (np.arange(size) + 0.5) * ((end - start) / size)
    nearest: NDArray[np.intp] = np.clip(np.floor(centres), 0, most - 1).astype(np.intp)
    return nearest


def resize_scores(
    scores: NDArray[np.float32], height: int, width: int, box: Box | None = None
) -> NDArray[np.float32]:
    """Resize scores, class by class, with Pillow's bilinear filter.

    Pixel centres lie at halves, borders repeat, and shrinking averages all the pixels that an
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
    _refuse_nan(scores)
    labels = np.zeros((height, width), np.uint8)
    _fold_maximum((_resized_plane(plane, height, width, box) for plane in scores), labels)
    return labels


def colorize(labels: NDArray[np.uint8], palette: Sequence[RGB]) -> NDArray[np.uint8]:
    """Look up each label's colour.

    Parameters
    ----------
    labels : (H, W) uint8 array
    palette : sequence of (red, green, blue)
        One colour per class.

    Returns
    -------
    (H, W, 3) uint8 array
        In RGB order.

    Raises
    ------
    TensorError
        If a label has no colour.

    Examples
    --------
    >>> colorize(np.array([[1, 0]], np.uint8), [(0, 0, 0), (0, 114, 178)]).tolist()
    [[[0, 114, 178], [0, 0, 0]]]
    """
    return np.array(palette_image(labels, palette).convert("RGB"))


def blend(
    photo: NDArray[np.uint8],
    labels: NDArray[np.uint8],
    palette: Sequence[RGB],
    opacity: float,
    background: int | None = 0,
) -> NDArray[np.uint8]:
    """Tint a photograph with the colours of its mask.

    The background stays untinted.  Elsewhere each channel is
    ``(photo * (255 - m) + color * m) / 255``, rounded, with ``m = round(255 * opacity)``.

    Parameters
    ----------
    photo : (H, W, 3) uint8 array
        In RGB order.
    labels : (H, W) uint8 array
        Of the same height and width.
    palette : sequence of (red, green, blue)
    opacity : float
        0 leaves the photograph, 1 paints over it.
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
        If a label has no colour.

    Examples
    --------
    >>> photo = np.full((1, 2, 3), 100, np.uint8)
    >>> blend(photo, np.array([[0, 1]], np.uint8), [(0, 0, 0), (200, 0, 100)], 0.5).tolist()
    [[[100, 100, 100], [150, 50, 100]]]
    """
    if not 0 <= opacity <= 1:
        raise InvalidArgumentError(f"expected an opacity from 0 to 1, got {opacity!r:.80}")
    if photo.shape != (*labels.shape, 3):
        raise InvalidArgumentError(
            f"expected a photograph of the mask's size, {(*labels.shape, 3)}, got {photo.shape}; "
            f"resize the labels, never the coloured mask"
        )
    weight = np.uint8(round(255 * opacity))
    weights = np.full(labels.shape, weight)
    if background is not None:
        weights[labels == background] = 0
    painted = Image.composite(
        palette_image(labels, palette).convert("RGB"),
        Image.fromarray(np.ascontiguousarray(photo)),
        Image.fromarray(weights),
    )
    return np.array(painted)


def palette_image(labels: NDArray[np.uint8], palette: Sequence[RGB]) -> Image.Image:
    """Return the mask as an index image (Pillow's mode ``P``) with its palette.

    Raises
    ------
    TensorError
        If a label has no colour.
    """
    checked_labels(labels, len(palette))
    image = Image.fromarray(np.ascontiguousarray(labels))
    image.putpalette([channel for color in palette for channel in color])
    return image


def legend(
    classes: Sequence[str], palette: Sequence[RGB], areas: Sequence[int], most: int
) -> list[LegendEntry]:
    """Return a line for each class; beyond *most* classes, only for those that have a pixel."""
    total = max(1, sum(areas))
    return [
        LegendEntry(name, color, percent(pixels / total))
        for name, color, pixels in zip(classes, palette, areas, strict=True)
        if pixels or len(classes) <= most
    ]


def checked_labels(labels: NDArray[np.uint8], classes: int) -> None:
    """Raise `TensorError` where *labels* is no mask of so many classes.

    Examples
    --------
    >>> checked_labels(np.array([[0, 7], [9, 7]], np.uint8), 4)
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.TensorError: expected labels from 0 to 3, got 7 (2 pixels), 9 (1 pixel)
    """
    if labels.ndim != 2 or labels.dtype != np.uint8 or 0 in labels.shape:
        raise TensorError(
            f"expected labels as a (H, W) uint8 array with pixels, "
            f"got {labels.shape} {labels.dtype}"
        )
    if labels.max() >= classes:
        _refuse_labels(np.bincount(labels.ravel()), classes)


def checked_size(height: int, width: int) -> None:
    """Raise `InvalidArgumentError` where the size is not one that an image can have."""
    for side in (height, width):
        whole = isinstance(side, int | np.integer) and not isinstance(side, bool)
        if not whole or not 1 <= side <= MAX_SIDE:
            raise InvalidArgumentError(
                f"expected height and width from 1 to {MAX_SIDE} pixels, "
                f"got {height!r:.40} and {width!r:.40}"
            )


def _refuse_labels(counts: NDArray[Any], classes: int) -> None:
    wrong = [(value, n) for value, n in enumerate(counts.tolist()) if n and value >= classes]
    shown = ", ".join(f"{value} ({n} pixel{'' if n == 1 else 's'})" for value, n in wrong[:8])
    more = f" and {len(wrong) - 8} more" if len(wrong) > 8 else ""
    raise TensorError(f"expected labels from 0 to {classes - 1}, got {shown}{more}")


def _planes(scores: NDArray[Any]) -> NDArray[Any]:
    planes = scores[0] if scores.ndim == 4 and scores.shape[0] == 1 else scores
    if planes.ndim != 3 or 0 in planes.shape or planes.dtype.kind not in "fiu":
        raise TensorError(
            f"expected scores as (C, H, W) or (1, C, H, W) numbers, "
            f"got {scores.shape} {scores.dtype}"
        )
    if len(planes) > 256:
        raise TensorError(f"expected at most 256 classes for uint8 labels, got {len(planes)}")
    return np.ascontiguousarray(planes)


def _refuse_nan(scores: NDArray[Any]) -> None:
    # The minimum is NaN where any score is, and needs no array of flags.
    if scores.dtype.kind == "f" and np.isnan(scores.min()):
        raise nan_error(f"{np.isnan(scores).sum()} of {scores.size} scores are NaN")


def nan_error(found: str) -> TensorError:
    """Return the error of scores that are NaN, with the remedy.

    Parameters
    ----------
    found : str
        How many are.

    Examples
    --------
    >>> str(nan_error("2 of 9 scores are NaN"))[:58]
    '2 of 9 scores are NaN, so that the class cannot be told; c'
    """
    return TensorError(
        f"{found}, so that the class cannot be told; check the model's input (range, mean, scale) "
        f"and its precision"
    )


def _fold_maximum(planes: Iterable[NDArray[Any]], labels: NDArray[np.uint8]) -> None:
    """Write into the zeros of *labels* which of *planes* is the first with the highest value."""
    best: NDArray[Any] | None = None
    for index, plane in enumerate(planes):
        if best is None:
            best = plane.copy()
            continue
        higher = (plane > best).view(np.uint8)
        np.maximum(best, plane, out=best)
        # A later class has the greater number, so that a maximum puts it over the earlier ones.
        higher *= np.uint8(index)
        np.maximum(labels, higher, out=labels)


def _resized_plane(
    plane: NDArray[np.float32], height: int, width: int, box: Box | None
) -> NDArray[np.float32]:
    image = Image.fromarray(np.ascontiguousarray(plane, np.float32))
    return np.asarray(image.resize((width, height), Image.Resampling.BILINEAR, box))
