"""Color spaces in which programs hand over images by mistake, as 8-bit pixels of three channels.

The formulas and their scaling to 8 bits are OpenCV's (``cvtColor``), but for ``YCbCr`` and
``HSV 255``, which are Pillow's; the tests hold them against OpenCV.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

__all__ = ["SPACES", "Space", "in_space", "mixture"]

Space = Literal["", "YCrCb", "YCbCr", "YUV", "HSV", "HSV 255", "Lab"]
"""A color space; the empty one is that of the recipe's color."""
SPACES: Final[dict[Space, str]] = {
    "YCrCb": "YCrCb channels (cv2.COLOR_BGR2YCrCb)",
    "YCbCr": "YCbCr channels (Pillow's mode YCbCr)",
    "YUV": "YUV channels (cv2.COLOR_BGR2YUV)",
    "HSV": "HSV channels (cv2.COLOR_BGR2HSV, hues 0 to 179)",
    "HSV 255": "HSV channels (Pillow's mode HSV, hues 0 to 255)",
    "Lab": "Lab channels (cv2.COLOR_BGR2Lab)",
}
_PILLOW: Final[dict[Space, str]] = {"YCbCr": "YCbCr", "HSV 255": "HSV"}
_Scales = tuple[int, int]
# D65 white, and sRGB to XYZ divided by it.
_XYZ: Final = np.array(
    [[0.412453, 0.357580, 0.180423], [0.212671, 0.715160, 0.072169], [0.019334, 0.119193, 0.950227]]
) / np.array([[0.950456], [1.0], [1.088754]])


def in_space(pixels: NDArray[np.uint8], space: Space) -> NDArray[np.uint8]:
    """Return (h, w, 3) pixels of red, green and blue in another color space.

    Examples
    --------
    >>> red = np.uint8([[[255, 0, 0]]])
    >>> [in_space(red, space).ravel().tolist() for space in ("YCrCb", "YUV", "HSV", "Lab")]
    [[76, 255, 85], [76, 91, 255], [0, 255, 255], [136, 208, 195]]
    """
    if space in _PILLOW:
        return np.asarray(Image.fromarray(np.ascontiguousarray(pixels)).convert(_PILLOW[space]))
    values = _FORMULAS[space](pixels.astype(np.float32))
    levels: NDArray[np.uint8] = np.clip(np.rint(values), 0, 255).astype(np.uint8)
    return levels


def _luma_and(rgb: NDArray[np.float32], first: int, second: int, scales: _Scales) -> NDArray[Any]:
    """Return luma, and two channels less luma, in OpenCV's numbers of 14 bits."""
    whole = rgb.astype(np.int32)
    y = (whole @ np.array([4899, 9617, 1868]) + 8192) >> 14
    apart = [
        ((whole[..., channel] - y) * scale + (128 << 14) + 8192) >> 14
        for channel, scale in zip((first, second), scales, strict=True)
    ]
    return np.stack([y, *apart], -1)


def _ycrcb(rgb: NDArray[np.float32]) -> NDArray[Any]:
    return _luma_and(rgb, 0, 2, (11682, 9241))


def _yuv(rgb: NDArray[np.float32]) -> NDArray[Any]:
    return _luma_and(rgb, 2, 0, (8061, 14369))


def _hsv(rgb: NDArray[np.float32]) -> NDArray[Any]:
    value, chroma = rgb.max(-1), np.ptp(rgb, -1)
    red, green, blue = np.moveaxis(rgb, -1, 0)
    safe = np.where(chroma == 0, 1, chroma)
    hue = np.where(
        value == red,
        (green - blue) / safe,
        np.where(value == green, 2 + (blue - red) / safe, 4 + (red - green) / safe),
    )
    saturation = np.where(value == 0, 0, 255 * chroma / np.where(value == 0, 1, value))
    hue = np.rint(30 * hue) % 180
    return np.stack([np.where(chroma == 0, 0, hue), saturation, value], -1)


def _lab(rgb: NDArray[np.float32]) -> NDArray[Any]:
    levels = rgb / 255
    linear = np.where(levels <= 0.04045, levels / 12.92, ((levels + 0.055) / 1.055) ** 2.4)
    xyz = linear @ _XYZ.T
    root = np.where(xyz > 0.008856, np.cbrt(xyz), 7.787 * xyz + 16 / 116)
    x, y, z = np.moveaxis(root, -1, 0)
    lightness = np.where(xyz[..., 1] > 0.008856, 116 * y - 16, 903.3 * xyz[..., 1])
    return np.stack([lightness * 2.55, 500 * (x - y) + 128, 200 * (y - z) + 128], -1)


_FORMULAS: Final[dict[Space, Callable[[NDArray[np.float32]], NDArray[Any]]]] = {
    "YCrCb": _ycrcb,
    "YUV": _yuv,
    "HSV": _hsv,
    "Lab": _lab,
}


def mixture(values: NDArray[np.float64], levels: NDArray[np.generic]) -> float:
    """Return how well a sum of red, green and blue with any weights explains each channel.

    Parameters
    ----------
    values : (n, channels) array
        Of a tensor; NaN where they are not known.
    levels : (n, 3) array
        Of an image, at the same positions.

    Returns
    -------
    float
        The multiple correlation of the channel that is explained least, 0 to 1.

    Examples
    --------
    >>> rgb = np.random.default_rng(0).random((100, 3))
    >>> round(mixture(rgb @ [[0.3, -0.1], [0.6, -0.4], [0.1, 0.5]], rgb), 6)
    1.0
    """
    least = 1.0
    ground = np.column_stack([levels.astype(np.float64), np.ones(len(levels))])
    for channel in values.T:
        use = np.isfinite(channel)
        if use.sum() < 64 or not np.ptp(channel[use]):
            return 0.0
        apart = channel[use] - channel[use].mean()
        weights, *_ = np.linalg.lstsq(ground[use], apart, rcond=None)
        left = apart - ground[use] @ weights
        explained = 1 - float(left @ left) / float(apart @ apart)
        least = min(least, max(0.0, explained) ** 0.5)
    return least
