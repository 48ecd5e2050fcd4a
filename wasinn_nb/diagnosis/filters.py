"""The filters that programs resize with.

Pillow's are Pillow's own; ``triangle`` is `wasinn_nb.imaging.triangle`.  OpenCV is not a
dependency, so that three of its filters stand here in NumPy, after
``modules/imgproc/src/resize.cpp`` of OpenCV 4; the tests hold them against OpenCV itself.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.imaging import resize_triangle

__all__ = [
    "FILTERS",
    "PILLOW",
    "RUST",
    "cv2_area",
    "cv2_linear",
    "cv2_nearest",
    "pixels_of",
    "resample",
]

FILTERS: Final[dict[str, str]] = {
    "bilinear": "Pillow's BILINEAR, which averages",
    "triangle": "FilterType::Triangle of the Rust image crate from 0.24 on",
    "triangle-0.23": "FilterType::Triangle of the Rust image crate up to 0.23",
    "bilinear-draft": "Pillow's BILINEAR after a JPEG was decoded at a part of its size",
    "cv2-linear": "cv2.INTER_LINEAR, which does not average",
    "linear": "linear in float, rounded, without averaging (scikit-image, older PyTorch)",
    "linear-float": "linear in float, not rounded, without averaging (TensorFlow, PyTorch)",
    "nearest": "the nearest pixel by centers (Pillow's NEAREST, FilterType::Nearest)",
    "cv2-nearest": "cv2.INTER_NEAREST, the pixel at the upper left",
    "cv2-area": "cv2.INTER_AREA",
    "bicubic": "Pillow's BICUBIC",
    "lanczos": "Pillow's LANCZOS",
    "box": "Pillow's BOX",
    "hamming": "Pillow's HAMMING",
}
PILLOW: Final = {
    "bilinear": Image.Resampling.BILINEAR,
    "nearest": Image.Resampling.NEAREST,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}
"""Those of them that are Pillow's."""

RUST: Final = frozenset({"triangle", "triangle-0.23"})
"""Those that are the Rust image crate's."""


def resample(
    image: Image.Image, height: int, width: int, filter_: str
) -> NDArray[np.generic] | None:
    """Return an L, RGB or RGBA image at another size, or None where the filter cannot do that.

    Examples
    --------
    >>> row = Image.fromarray(np.array([[[0] * 3, [10] * 3, [20] * 3, [40] * 3]], np.uint8))
    >>> [resample(row, 1, 2, name)[0, :, 0].tolist() for name in ("box", "cv2-nearest", "linear")]
    [[5, 30], [0, 20], [5, 30]]
    """
    if filter_ in PILLOW:
        return pixels_of(image.resize((width, height), PILLOW[filter_]))
    pixels = pixels_of(image)
    if filter_ == "triangle":
        return resize_triangle(pixels, height, width, "0.24")
    if filter_ == "triangle-0.23":
        return resize_triangle(pixels, height, width, "0.23")
    if filter_ == "cv2-linear":
        return cv2_linear(pixels, height, width)
    if filter_ == "cv2-nearest":
        return cv2_nearest(pixels, height, width)
    if filter_ == "cv2-area":
        shrinks = height <= image.height and width <= image.width
        return cv2_area(pixels, height, width) if shrinks else None
    values = _linear(pixels, height, width)
    return values if filter_ == "linear-float" else np.rint(values).astype(np.uint8)


def pixels_of(image: Image.Image) -> NDArray[np.uint8]:
    """Return the pixels of an image as (H, W, channels)."""
    pixels: NDArray[np.uint8] = np.asarray(image)
    return pixels[:, :, None] if pixels.ndim == 2 else pixels


def cv2_nearest(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize as ``cv2.resize(…, interpolation=cv2.INTER_NEAREST)`` does."""
    rows, columns = pixels.shape[:2]
    down = np.minimum(np.floor(np.arange(height) * (1 / (height / rows))), rows - 1)
    right = np.minimum(np.floor(np.arange(width) * (1 / (width / columns))), columns - 1)
    nearest: NDArray[np.uint8] = pixels[down.astype(np.intp)][:, right.astype(np.intp)]
    return nearest


def cv2_linear(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize as ``cv2.resize(…, interpolation=cv2.INTER_LINEAR)`` does with 8 bits.

    Weights are 11-bit integers; a shrink to a half on both sides averages 2 x 2 pixels.
    """
    rows, columns = pixels.shape[:2]
    if (rows, columns) == (height, width):
        return pixels.copy()
    if (rows, columns) == (2 * height, 2 * width):
        return cv2_area(pixels, height, width)
    # At the upper and lower edge OpenCV mixes the outermost row with itself, and rounds both parts.
    top, low, down = _neighbors(rows, height, mixed_edges=True)
    left, high, right = _neighbors(columns, width)
    vertical = np.rint(np.stack([1 - down, down]) * np.float32(2048)).astype(np.int32)
    horizontal = np.rint(np.stack([1 - right, right]) * np.float32(2048)).astype(np.int32)
    used, index = np.unique(np.concatenate([top, low]), return_inverse=True)
    lines = pixels[used]
    between = lines[:, left].astype(np.int32) * horizontal[0, :, None]
    between += lines[:, high].astype(np.int32) * horizontal[1, :, None]
    between >>= 4
    total = (between[index[:height]] * vertical[0, :, None, None]) >> 16
    total += (between[index[height:]] * vertical[1, :, None, None]) >> 16
    rounded: NDArray[np.uint8] = np.clip((total + 2) >> 2, 0, 255).astype(np.uint8)
    return rounded


def cv2_area(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize as ``cv2.resize(…, interpolation=cv2.INTER_AREA)`` does where both sides shrink.

    Of large images one value in ten thousand is 1 higher or lower.
    """
    rows, columns = pixels.shape[:2]
    # Columns first, as OpenCV does: float32 sums depend on the order.
    turned = np.ascontiguousarray(pixels.transpose(1, 0, 2))
    between = _summed(turned, *_areas(columns, width))
    values = _summed(np.ascontiguousarray(between.transpose(1, 0, 2)), *_areas(rows, height))
    if rows % height == 0 and columns % width == 0:
        # A rounded sum of integers; 2 x 2 rounds half up, others half to even.
        up = rows == 2 * height and columns == 2 * width
        values = np.floor(values + 0.5) if up else values
    return np.ascontiguousarray(np.clip(np.rint(values), 0, 255).astype(np.uint8))


def _linear(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.float32]:
    """Resize between the two nearest pixels of each axis, in float32."""
    (top, low, down), (left, high, right) = (
        _neighbors(pixels.shape[0], height),
        _neighbors(pixels.shape[1], width),
    )
    above, below = pixels[top], pixels[low]
    weight = right[:, None]
    upper = above[:, left] * (1 - weight) + above[:, high] * weight
    lower = below[:, left] * (1 - weight) + below[:, high] * weight
    mixed: NDArray[np.float32] = upper + (lower - upper) * down[:, None, None]
    return mixed


def _neighbors(
    inputs: int, outputs: int, *, mixed_edges: bool = False
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Return for each output the two inputs beside its center, and the second one's weight."""
    scale = inputs / outputs
    center = ((np.arange(outputs) + 0.5) * scale - 0.5).astype(np.float32)
    first = np.floor(center).astype(np.intp)
    weight = (center - first).astype(np.float32)
    if not mixed_edges:
        weight[(first < 0) | (first >= inputs - 1)] = 0
    second = np.clip(first + 1, 0, inputs - 1)
    return np.clip(first, 0, inputs - 1), second, weight


def _areas(inputs: int, outputs: int) -> tuple[NDArray[np.intp], NDArray[np.float32]]:
    """Return for each output the inputs that it covers, and what part of each."""
    scale = inputs / outputs
    start = np.arange(outputs) * scale
    end = np.minimum(start + scale, inputs)
    first = np.floor(start + 1e-9).astype(np.intp)
    index = first[:, None] + np.arange(int(np.ceil(scale)) + 1)
    covered = np.minimum(end[:, None], index + 1) - np.maximum(start[:, None], index)
    weights = np.clip(covered, 0, 1)
    weights[weights < 1e-3] = 0
    weights /= np.minimum(scale, inputs - start)[:, None]
    return np.minimum(index, inputs - 1), weights.astype(np.float32)


def _summed(
    rows: NDArray[Any], index: NDArray[np.intp], weights: NDArray[np.float32]
) -> NDArray[np.float32]:
    total: NDArray[np.float32] = rows[index[:, 0]] * weights[:, 0, None, None]
    for k in range(1, index.shape[1]):
        total += rows[index[:, k]] * weights[:, k, None, None]
    return total
