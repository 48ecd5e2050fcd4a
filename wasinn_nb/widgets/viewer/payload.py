"""What a result is on its way to the page: compact bytes, from which the browser draws.

Labels travel as runs, which the page lays down at once: a few kilobytes.  Where there are many
runs, they travel as one byte per pixel of the mask, deflated.  The image travels as its own file
where a browser shows that as the model saw it, and as a JPEG otherwise.  How sure the model was
takes three bytes per pixel, in whole percent; of one class, the probability takes one byte, in half
percents, so that the page can apply another threshold.
"""

from __future__ import annotations

import io
import zlib
from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.imaging import exif_orientation
from wasinn_nb.runtimes import argmax_labels
from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.tasks.segmentation import SegmentationResult
from wasinn_nb.wording import inert

__all__ = ["WidgetResult", "captions", "confidence_payload", "confidence_planes", "mask_payload"]
__all__ += ["image_payload", "own_file_payload", "threshold_levels"]

WidgetResult: TypeAlias = SegmentationResult | ClassificationResult
"""A result that the widgets can show."""

# One result is to take 600 kB at most: this, some 5 kB of mask, the confidences, and 230 kB of the
# image that is saved with the notebook.
_MOST_IMAGE_BYTES: Final = 260_000
_MOST_CONFIDENCE_BYTES: Final = 100_000
# How many steps from 0 to 1 the thresholds of one class have, until its probabilities are small
# enough: half percents, whole percents, ...
_STEPS: Final = (200, 100, 50, 20)
_MOST_SIDE: Final = 1920
# Longer sides and JPEG qualities to try, until the image is small enough.
_ATTEMPTS: Final = ((1920, 85), (1920, 75), (1440, 75), (1024, 65), (640, 50), (320, 40))
_LOSSLESS_PIXELS: Final = (
    128 * 128
)  # JPEG's blocks would show where pixels are looked at one by one
_MEDIA_TYPES: Final = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
_BLOCK_VALUES: Final = 1 << 22
_MOST_RUNS: Final = 8192  # three bytes each
_LONGEST_RUN: Final = 65535


def image_payload(result: WidgetResult) -> dict[str, Any]:
    """Return the image for the page; empty where the result keeps none.

    Returns
    -------
    dict
        ``bytes``, ``type`` (its media type), and the image's own ``width`` and ``height``,
        which those of the bytes may fall short of.

    Examples
    --------
    >>> from wasinn_nb.cards import ModelCard
    >>> card = ModelCard("toy", "segmentation", classes=("background", "road"))
    >>> pixels = np.zeros((2, 3, 3), np.uint8)
    >>> result = SegmentationResult(np.zeros((4, 6), np.uint8), card, image=pixels)
    >>> sent = image_payload(result)
    >>> sent["type"], sent["width"], sent["height"]
    ('image/png', 3, 2)
    """
    if result.image is None:
        return {}
    if isinstance(result.image, bytes) and (own := own_file_payload(result.image)) is not None:
        return own
    pixels = result.photo
    assert pixels is not None  # noqa: S101 - there is an image
    height, width = pixels.shape[:2]
    media_type, content = _encoded(Image.fromarray(pixels))
    return {"bytes": content, "type": media_type, "width": width, "height": height}


def own_file_payload(content: bytes) -> dict[str, Any] | None:
    """Return an image's own file for the page, or None where a browser would show another one."""
    if len(content) > _MOST_IMAGE_BYTES:
        return None
    with Image.open(io.BytesIO(content)) as image:
        displays_alike = (
            image.format in _MEDIA_TYPES
            and image.mode in {"RGB", "L"}
            and "transparency" not in image.info
            and getattr(image, "n_frames", 1) == 1
            and max(image.size) <= _MOST_SIDE
            and exif_orientation(image) == 1
        )
        if not displays_alike:
            return None
        width, height = image.size
        media_type = _MEDIA_TYPES[str(image.format)]
    return {"bytes": content, "type": media_type, "width": width, "height": height}


def _encoded(image: Image.Image) -> tuple[str, bytes]:
    encoded = io.BytesIO()
    if image.width * image.height <= _LOSSLESS_PIXELS:
        image.save(encoded, "PNG")
        return "image/png", encoded.getvalue()
    for side, quality in _ATTEMPTS:
        encoded = io.BytesIO()
        shrink = min(1.0, side / max(image.size))
        size = max(1, round(image.width * shrink)), max(1, round(image.height * shrink))
        small = image if size == image.size else image.resize(size, Image.Resampling.BILINEAR)
        small.save(encoded, "JPEG", quality=quality)
        if encoded.tell() <= _MOST_IMAGE_BYTES:
            break
    return "image/jpeg", encoded.getvalue()


def captions(results: Sequence[WidgetResult]) -> list[str]:
    """Return what tells each result from the others, in words; empty where nothing does.

    Examples
    --------
    >>> from wasinn_nb.cards import ModelCard
    >>> card = ModelCard("toy", "segmentation", classes=("background", "road"))
    >>> labels = np.zeros((4, 6), np.uint8)
    >>> pair = [SegmentationResult(labels, card, precision=name) for name in ("f32", "bf16")]
    >>> captions(pair), captions(pair[:1])
    (['f32', 'bf16'], ['toy'])
    """
    if len(results) == 1:
        return [results[0].card.name]
    facts = [_facts(result) for result in results]
    known = [key for key in facts[0] if all(key in one for one in facts)]
    differing = [key for key in known if len({one[key] for one in facts}) > 1]
    return [", ".join(one[key] for key in differing) for one in facts]


def _facts(result: WidgetResult) -> dict[str, str]:
    origin = result.origin
    recipe = {} if origin.recipe is None else origin.recipe.to_dict()
    threshold = getattr(result, "threshold", None)
    return {
        "model": origin.model,
        "precision": origin.precision,
        "target": f"on {origin.target}",
        "runtime": origin.runtime,
        **{name: f"{name} {value}" for name, value in recipe.items()},
        **({} if threshold is None else {"threshold": f"threshold {threshold:g}"}),
    }


def mask_payload(
    result: SegmentationResult, serial: int, caption: str = "", image: int = 0
) -> dict[str, Any]:
    r"""Return the mask for the page: labels, names, colors and areas of the classes.

    Parameters
    ----------
    result : SegmentationResult
    serial : int
        What the page is to call this mask.
    caption : str
        What the page is to write on it.
    image : int
        The number of the image that belongs under it.

    Returns
    -------
    dict
        ``covers`` is the part of the image that the labels cover, as top, left, bottom and right
        from 0 to 1; ``threshold`` is that of one class, or None.  ``labels`` are ``runs`` runs:
        the label of each, a byte, then the length of each, two bytes, the lower one first.  Where
        ``runs`` is 0, they are one byte per pixel, deflated.

    Examples
    --------
    >>> from wasinn_nb.cards import ModelCard
    >>> card = ModelCard("toy", "segmentation", classes=("background", "road"))
    >>> sent = mask_payload(SegmentationResult(np.array([[0, 1]], np.uint8), card), 1)
    >>> sent["classes"][1]
    {'name': 'road', 'color': '#0072b2', 'pixels': 1}
    >>> sent["runs"], sent["labels"]
    (2, b'\x00\x01\x01\x00\x01\x00')
    """
    areas = result.areas()
    runs, labels = _packed_labels(result.labels)
    return {
        "serial": serial,
        "caption": caption,
        "image": image,
        "width": result.width,
        "height": result.height,
        "covers": list(result.covers),
        "threshold": result.threshold,
        "runs": runs,
        "labels": labels,
        "classes": [
            {
                "name": inert(name),
                "color": "#{:02x}{:02x}{:02x}".format(*color),
                "pixels": areas[name],
            }
            for name, color in zip(result.card.classes, result.card.palette, strict=True)
        ],
    }


def _packed_labels(labels: NDArray[np.uint8]) -> tuple[int, bytes]:
    """Return how many runs the labels are, and these; 0 and all labels where there are many."""
    flat = labels.reshape(-1)
    changes = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    if len(changes) > _MOST_RUNS:
        return 0, zlib.compress(labels.tobytes())
    starts = np.union1d(changes, np.arange(0, flat.size, _LONGEST_RUN))
    lengths = np.diff(starts, append=flat.size).astype("<u2")
    return len(starts), flat[starts].tobytes() + lengths.tobytes()


def confidence_payload(
    result: SegmentationResult, serial: int, threshold: float | None = None
) -> dict[str, Any]:
    """Return the confidences for the page; empty where the result keeps no scores.

    Parameters
    ----------
    result : SegmentationResult
    serial : int
        Of the mask.
    threshold : float, optional
        Of one class: one that the page has to apply exactly, besides the result's own.

    Returns
    -------
    dict
        ``planes`` as of :func:`confidence_planes`; of one class also its ``levels``, and the
        ``step`` in percent by which the threshold can be moved.
    """
    if result.scores is None:
        return {}
    sent: dict[str, Any] = {"serial": serial}
    if result.threshold is None:
        planes = confidence_planes(result.scores, result.labels)
        return sent | {"planes": zlib.compress(planes.tobytes())}
    for steps in _STEPS:
        levels = threshold_levels(steps, result.threshold, threshold)
        planes = confidence_planes(result.scores, result.labels, levels)
        sent |= {"planes": zlib.compress(planes.tobytes()), "levels": levels}
        sent["step"] = max(1, 100 // steps)
        if len(sent["planes"]) <= _MOST_CONFIDENCE_BYTES:
            break
    return sent


def threshold_levels(steps: int, *exactly: float | None) -> list[float]:
    """Return thresholds from 0 to 1 in equal steps, and those that have to be among them.

    Examples
    --------
    >>> threshold_levels(4, 0.5, 0.3, None)
    [0.0, 0.25, 0.3, 0.5, 0.75, 1.0]
    """
    levels = {step / steps for step in range(steps + 1)}
    return sorted(levels | {level for level in exactly if level is not None})


def confidence_planes(
    scores: NDArray[np.float32], labels: NDArray[np.uint8], levels: Sequence[float] = ()
) -> NDArray[np.uint8]:
    """Return how sure the model was, pixel by pixel.

    Scores of several classes that are not probabilities (negative, or with another sum than 1) go
    through softmax.

    Parameters
    ----------
    scores : (C, H, W) float32 array
        A plane for each class; or, of one class, one plane of probabilities.
    labels : (H, W) uint8 array
        Of several classes: the argmax of the scores.
    levels : sequence of float
        Of one class: thresholds in ascending order, at most 255.

    Returns
    -------
    (3, H, W) or (1, H, W) uint8 array
        The label's probability in percent, the class that comes second, and its probability; of
        one class, how many of *levels* its probability is above.  A pixel is above ``levels[i]``,
        as `masks.labels_of` compares them, exactly where that number is larger than ``i``.

    Examples
    --------
    >>> scores = np.array([[[0.1, 0.5]], [[0.7, 0.4]], [[0.2, 0.1]]], np.float32)
    >>> confidence_planes(scores, np.array([[1, 0]], np.uint8)).tolist()
    [[[70, 50]], [[2, 1]], [[20, 40]]]
    >>> person = np.array([[[0.2, 0.5, 0.7]]], np.float32)
    >>> confidence_planes(person, np.array([[0, 0, 1]], np.uint8), [0.0, 0.25, 0.5]).tolist()
    [[[1, 2, 3]]]
    """
    classes, height, width = scores.shape
    if classes == 1:
        above = np.searchsorted(np.array(levels, np.float32), scores, side="left")
        return above.astype(np.uint8)
    planes = np.empty((3, height, width), np.uint8)
    probabilities = _are_probabilities(scores)
    rows = max(1, _BLOCK_VALUES // (classes * width))
    for start in range(0, height, rows):
        block = slice(start, start + rows)
        index = labels[None, block].astype(np.intp)
        others = scores[:, block].copy()
        first = np.take_along_axis(others, index, 0)[0]
        np.put_along_axis(others, index, -np.inf, 0)
        second_class = argmax_labels(others)
        second = np.take_along_axis(others, second_class[None].astype(np.intp), 0)[0]
        if not probabilities:
            # exp(score - first) / sum of all: the label's own term is exp(0).
            total = 1.0 + np.exp(others - first).sum(0)
            first, second = 1.0 / total, np.exp(second - first) / total
        planes[0, block] = np.rint(100 * first)
        planes[1, block] = second_class
        planes[2, block] = np.rint(100 * second)
    return planes


def _are_probabilities(scores: NDArray[np.float32]) -> bool:
    total = scores.sum(0)
    return bool(scores.min() >= 0 and abs(total.max() - 1) < 0.01 and abs(total.min() - 1) < 0.01)
