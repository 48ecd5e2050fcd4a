"""How programs bring a picture to a model's size: the filters and fits that a tensor may show.

Pillow's filters are Pillow's own; ``triangle`` is `wasinn_nb.resize`.  OpenCV is no dependency, so
that three of its filters stand here in NumPy, after ``modules/imgproc/src/resize.cpp`` of OpenCV
4; the tests hold them against OpenCV itself.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.errors import ImageError
from wasinn_nb.pictures import ImageSource, open_image, rgb_image
from wasinn_nb.placement import Box, centered, cover_size, inside_size
from wasinn_nb.preprocessing import open_for, resized_pixels
from wasinn_nb.recipe import Exif, PreprocessRecipe, Resize
from wasinn_nb.resize import resize_triangle

__all__ = ["ALPHAS", "FILTERS", "FITS", "Photo", "cv2_area", "cv2_linear", "cv2_nearest"]

FILTERS: Final[dict[str, str]] = {
    "bilinear": "Pillow's BILINEAR, which averages",
    "triangle": "FilterType::Triangle of the Rust image crate from 0.24 on",
    "triangle-0.23": "FilterType::Triangle of the Rust image crate up to 0.23",
    "bilinear-draft": "Pillow's BILINEAR after a JPEG was decoded at a part of its size",
    "cv2-linear": "cv2.INTER_LINEAR, which does not average",
    "linear": "linear in float, rounded, without averaging (scikit-image, older PyTorch)",
    "linear-float": "linear in float, not rounded, without averaging (TensorFlow, PyTorch)",
    "nearest": "the nearest pixel by centres (Pillow's NEAREST, FilterType::Nearest)",
    "cv2-nearest": "cv2.INTER_NEAREST, the pixel at the upper left",
    "cv2-area": "cv2.INTER_AREA",
    "bicubic": "Pillow's BICUBIC",
    "lanczos": "Pillow's LANCZOS",
    "box": "Pillow's BOX",
    "hamming": "Pillow's HAMMING",
}
FITS: Final[dict[str, str]] = {
    "stretch": "stretched to the model's size",
    "letterbox": "letterboxed: the whole picture in the middle, borders filled",
    "letterbox-late": "letterboxed: the whole picture in the middle, the odd pixel before it",
    "letterbox-corner": "letterboxed: the whole picture in the upper left, borders filled",
    "centre crop": "resized to cover the model's size, then cropped in the middle",
    "crop first": "cropped in the middle to the model's shape, then resized",
    "centre crop 87.5 %": "resized larger by 8/7 (256 for 224), then cropped in the middle",
}
ALPHAS: Final[dict[str, str]] = {
    "drop": "alpha dropped",
    "black": "alpha blended on black (colours premultiplied)",
    "white": "alpha blended on white",
    "pillow": "resized as RGBA by Pillow, which weighs colours by alpha, then alpha dropped",
}
_PILLOW: Final = {
    "bilinear": Image.Resampling.BILINEAR,
    "nearest": Image.Resampling.NEAREST,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
    "hamming": Image.Resampling.HAMMING,
}
_ORIENTATION: Final = 0x0112


class Photo:
    """A photograph, decoded once, resized in every way that is asked for, and kept.

    Parameters
    ----------
    source : path, bytes, binary file, PIL.Image or array
    """

    def __init__(self, source: ImageSource) -> None:
        self._image = open_image(source)
        # A file can be decoded in draft mode only from its bytes.
        self._encoded = None if isinstance(source, Image.Image | np.ndarray) else source
        if hasattr(source, "read"):
            self._encoded = None
        self._rgb: dict[tuple[str, str], Image.Image] = {}
        self._made: dict[tuple[str | int, ...], NDArray[np.generic] | None] = {}

    @property
    def exifs(self) -> tuple[Exif, ...]:
        """The EXIF policies that make a difference."""
        turned = self._image.getexif().get(_ORIENTATION, 1) not in {0, 1}
        return ("ignore", "apply") if turned else ("ignore",)

    @property
    def alphas(self) -> tuple[str, ...]:
        """The treatments of alpha that make a difference."""
        has = "A" in self._image.getbands() or "transparency" in self._image.info
        return tuple(ALPHAS) if has else ("drop",)

    def rgb(self, exif: Exif, alpha: str) -> Image.Image:
        """Return the picture in RGB mode."""
        if (exif, alpha) not in self._rgb:
            if alpha in {"black", "white"}:
                upright = open_image(self._image, exif).convert("RGBA")
                ground = Image.new("RGBA", upright.size, alpha)
                image = Image.alpha_composite(ground, upright).convert("RGB")
            else:
                image = rgb_image(self._image, exif)
            self._rgb[exif, alpha] = image
        return self._rgb[exif, alpha]

    def box(self, fit: str, height: int, width: int, exif: Exif) -> Box[int]:
        """Return the part of (height, width) that the picture fills."""
        if not fit.startswith("letterbox"):
            return Box(0, 0, height, width)
        image = self.rgb(exif, "drop")
        rows, columns = inside_size(height, width, image.height, image.width)
        if fit == "letterbox-corner":
            return Box(0, 0, rows, columns)
        # Where a border cannot be halved, programs differ: ImageOps.pad may put more before.
        return centered(height, width, rows, columns, late=fit == "letterbox-late")

    def pixels(
        self, filter_: str, fit: str, height: int, width: int, exif: Exif, alpha: str
    ) -> NDArray[np.generic] | None:
        """Return what lies in :meth:`box`: (h, w, 3) in RGB order, or None where there is none.

        uint8, but float32 for ``linear-float``.
        """
        key = (filter_, fit, height, width, exif, alpha)
        if key not in self._made:
            self._made[key] = self._resized(filter_, fit, height, width, exif, alpha)
        return self._made[key]

    def _resized(
        self, filter_: str, fit: str, height: int, width: int, exif: Exif, alpha: str
    ) -> NDArray[np.generic] | None:
        if filter_ == "bilinear-draft":
            return self._drafted(fit, height, width, exif, alpha)
        if alpha == "pillow":
            if fit != "stretch" or filter_ not in _PILLOW:
                return None
            upright = open_image(self._image, exif).convert("RGBA")
            return np.asarray(upright.resize((width, height), _PILLOW[filter_]).convert("RGB"))
        wide = self._image.mode.startswith("I") and fit == "stretch"
        if wide and filter_ in {"triangle", "triangle-0.23"}:  # 16 bits until they are resized
            name: Resize = "triangle" if filter_ == "triangle" else "triangle-0.23"
            recipe = PreprocessRecipe(height, width, color="RGB", resize=name, exif=exif)
            return resized_pixels(self._image, recipe)
        image = self.rgb(exif, alpha)
        box = self.box(fit, height, width, exif)
        if fit == "letterbox-late" and box == self.box("letterbox", height, width, exif):
            return None
        if fit.startswith("letterbox"):
            return resample(image, box.height, box.width, filter_)
        if fit == "crop first":
            scale = min(image.height / height, image.width / width)
            rows, columns = height * scale, width * scale
            if filter_ in _PILLOW:  # as ImageOps.fit does, with fractions of pixels
                left, top = (image.width - columns) / 2, (image.height - rows) / 2
                part = (left, top, left + columns, top + rows)
                return np.asarray(image.resize((width, height), _PILLOW[filter_], box=part))
            image = _middle(image, max(1, round(rows)), max(1, round(columns)))
            return resample(image, height, width, filter_)
        if fit.startswith("centre crop"):
            larger = 8 / 7 if fit.endswith("%") else 1
            rows, columns = cover_size(height, width, image.height, image.width, larger)
            resized = resample(image, rows, columns, filter_)
            if resized is None:
                return None
            top, left, height, width = centered(rows, columns, height, width)
            return np.ascontiguousarray(resized[top : top + height, left : left + width])
        return resample(image, height, width, filter_)

    def _drafted(
        self, fit: str, height: int, width: int, exif: Exif, alpha: str
    ) -> NDArray[np.generic] | None:
        if self._encoded is None or fit != "stretch" or alpha != "drop":
            return None
        recipe = PreprocessRecipe(height, width, color="RGB", resize="bilinear-draft", exif=exif)
        try:
            opened = open_for(self._encoded, recipe)
        except ImageError:  # pragma: no cover - it was read before
            return None
        if opened.image.height == opened.height:
            return None  # the same as bilinear
        return resized_pixels(opened, recipe)


def resample(
    image: Image.Image, height: int, width: int, filter_: str
) -> NDArray[np.generic] | None:
    """Return an RGB image at another size, or None where the filter cannot do that.

    Examples
    --------
    >>> row = Image.fromarray(np.array([[[0] * 3, [10] * 3, [20] * 3, [40] * 3]], np.uint8))
    >>> [resample(row, 1, 2, name)[0, :, 0].tolist() for name in ("box", "cv2-nearest", "linear")]
    [[5, 30], [0, 20], [5, 30]]
    """
    if filter_ in _PILLOW:
        return np.asarray(image.resize((width, height), _PILLOW[filter_]))
    pixels: NDArray[np.uint8] = np.asarray(image)
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


def cv2_nearest(pixels: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Resize as ``cv2.resize(…, interpolation=cv2.INTER_NEAREST)`` does."""
    rows, columns = pixels.shape[:2]
    down = np.minimum(np.floor(np.arange(height) * (1 / (height / rows))), rows - 1)
    right = np.minimum(np.floor(np.arange(width) * (1 / (width / columns))), columns - 1)
    taken: NDArray[np.uint8] = pixels[down.astype(np.intp)][:, right.astype(np.intp)]
    return taken


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
    top, low, down = _neighbours(rows, height, mixed_edges=True)
    left, high, right = _neighbours(columns, width)
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

    Of large pictures one value in ten thousand comes out 1 higher or lower.
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
        _neighbours(pixels.shape[0], height),
        _neighbours(pixels.shape[1], width),
    )
    above, below = pixels[top], pixels[low]
    weight = right[:, None]
    upper = above[:, left] * (1 - weight) + above[:, high] * weight
    lower = below[:, left] * (1 - weight) + below[:, high] * weight
    mixed: NDArray[np.float32] = upper + (lower - upper) * down[:, None, None]
    return mixed


def _neighbours(
    inputs: int, outputs: int, *, mixed_edges: bool = False
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.float32]]:
    """Return for each output the two inputs beside its centre, and the second one's weight."""
    scale = inputs / outputs
    centre = ((np.arange(outputs) + 0.5) * scale - 0.5).astype(np.float32)
    first = np.floor(centre).astype(np.intp)
    weight = (centre - first).astype(np.float32)
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


def _middle(image: Image.Image, height: int, width: int) -> Image.Image:
    left, top = (image.width - width) // 2, (image.height - height) // 2
    return image.crop((left, top, left + width, top + height))
