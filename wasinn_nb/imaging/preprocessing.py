"""From an image to the bytes that a model takes, exactly as the Rust guests do it."""

from __future__ import annotations

from typing import Final, TypeVar, cast

import numpy as np
from numpy.typing import DTypeLike, NDArray
from PIL import Image

from wasinn_nb.abi import TensorType
from wasinn_nb.errors import ImageError, Remedy
from wasinn_nb.imaging.bilinear import resize_bilinear
from wasinn_nb.imaging.colors import color_pixels, narrowed, rgb_image, rgba_image
from wasinn_nb.imaging.depth import spread
from wasinn_nb.imaging.placement import Placement
from wasinn_nb.imaging.reading import OpenedImage, open_reduced
from wasinn_nb.imaging.recipe import (
    INTEGER_LIMITS,
    MAX_SIDE,
    Color,
    Layout,
    PreprocessRecipe,
    Resize,
)
from wasinn_nb.imaging.sources import EncodedImage, ImageSource
from wasinn_nb.imaging.triangle import Age, resize_triangle
from wasinn_nb.tensor import Tensor

__all__ = [
    "image_to_bytes",
    "image_to_tensor",
    "luma",
    "open_for",
    "ordered",
    "pixels_to_tensor",
    "reordered",
    "resized_pixels",
]

Scalar = TypeVar("Scalar", bound=np.generic)
# How channels that come in RGB or RGBA order are put into the order of a color.
_ORDERS: Final[dict[Color, list[int] | slice]] = {
    "BGR": slice(None, None, -1),
    "BGRA": [2, 1, 0, 3],
}


def image_to_bytes(
    path: ImageSource,
    height: int,
    width: int,
    dtype: TensorType | DTypeLike | str,
    *,
    layout: Layout = "HWC",
    color: Color = "BGR",
    resize: Resize = "triangle",
) -> bytes:
    r"""Read an image, resize it and return its bytes: the seed program's preprocessing.

    Parameters
    ----------
    path : path, bytes, binary file, PIL.Image or array
    height, width : int
        The size that the model takes, in pixels.
    dtype : TensorType, dtype or str
        ``u8``, ``f16`` or ``f32``: values stay 0 to 255; or ``i8``: they become -128 to 127.
    layout : {"HWC", "CHW", "NHWC", "NCHW"}
    color : {"BGR", "RGB", "GRAY", "RGBA", "BGRA"}
    resize : {"triangle", "triangle-0.23", "bilinear", "bilinear-draft"}
        See `PreprocessRecipe`.

    Returns
    -------
    bytes
        ``height * width`` times 3 elements (1 for ``GRAY``, 4 with alpha), little-endian.

    Raises
    ------
    ImageError, MissingFileError
        If *path* is not a readable image.
    RecipeError
        If an option is not one of those above.

    Examples
    --------
    >>> red = np.zeros((2, 2, 3), np.uint8)
    >>> red[..., 0] = 255
    >>> wn.image_to_bytes(red, 1, 1, "u8")
    b'\x00\x00\xff'
    """
    # The recipe parses the type and refuses what it does not know.
    type_ = cast("TensorType", dtype)
    recipe = PreprocessRecipe(height, width, layout, color, type_, resize=resize)
    return bytes(image_to_tensor(path, recipe).data)


def image_to_tensor(image: ImageSource, recipe: PreprocessRecipe) -> Tensor:
    """Turn an image into the tensor that *recipe* describes.

    Parameters
    ----------
    image : path, bytes, binary file, PIL.Image or array
    recipe : PreprocessRecipe

    Returns
    -------
    Tensor
        Of ``recipe.dimensions`` and ``recipe.type``.

    Raises
    ------
    ImageError, MissingFileError
        If *image* cannot be read.

    Examples
    --------
    >>> wn.image_to_tensor(np.full((4, 4), 255, np.uint8), wn.PreprocessRecipe(2, 2, range=(0, 1)))
    Tensor(1x3x2x2xf32, 48 bytes)
    """
    return pixels_to_tensor(resized_pixels(image, recipe), recipe)


def open_for(image: ImageSource | EncodedImage, recipe: PreprocessRecipe) -> OpenedImage:
    """Open an image as *recipe* needs it: the part of :func:`resized_pixels` that reads files.

    The EXIF orientation is applied if the recipe says so; for ``bilinear-draft`` libjpeg decodes a
    large JPEG at a part of its size that is no smaller than what its fit resizes to.

    Parameters
    ----------
    image : path, bytes, binary file, PIL.Image, array, or EncodedImage
    recipe : PreprocessRecipe

    Raises
    ------
    ImageError, MissingFileError
        If *image* cannot be read.

    Examples
    --------
    >>> open_for(np.zeros((4, 6), np.uint8), PreprocessRecipe(2, 2))[1:3]
    (4, 6)
    """
    needed = None
    if recipe.resize == "bilinear-draft":
        needed = lambda height, width: Placement.of(recipe, height, width).resized  # noqa: E731
    opened = open_reduced(image, recipe.exif, needed, arrays=True)
    if isinstance(opened.content, Image.Image):
        opened = opened._replace(content=spread(opened.content, recipe.bits))
    return opened


def resized_pixels(
    image: ImageSource | OpenedImage, recipe: PreprocessRecipe, threads: int = 1
) -> NDArray[np.uint8]:
    """Return *image* as 8-bit pixels of the recipe's size, fit and color.

    The first half of :func:`image_to_tensor`: all that depends on the image; what is left to do
    works on each value alone.

    Parameters
    ----------
    image : path, bytes, binary file, PIL.Image or array; or what :func:`open_for` returned
    recipe : PreprocessRecipe
    threads : int
        How many threads resize, where that is quicker; the values are the same.

    Returns
    -------
    (recipe.height, recipe.width, recipe.channels) uint8 array
        In RGB order for the colors ``RGB`` and ``BGR``, in RGBA order for ``RGBA`` and ``BGRA``.

    Raises
    ------
    ImageError, MissingFileError
        If *image* cannot be read, or is so narrow that to cover the recipe's size with
        ``fit="crop"`` one of its sides would have to become longer than 65535 pixels.

    Examples
    --------
    >>> row = np.array([[10, 20, 30, 40]], np.uint8)
    >>> recipe = PreprocessRecipe(2, 4, color="GRAY", fit="letterbox", pad_value=7)
    >>> resized_pixels(row, recipe)[:, :, 0].tolist()
    [[10, 20, 30, 40], [7, 7, 7, 7]]
    """
    opened = image if isinstance(image, OpenedImage) else open_for(image, recipe)
    placement = Placement.of(recipe, opened.height, opened.width)
    height, width = placement.resized
    if max(height, width) > MAX_SIDE:
        raise ImageError(
            f"to cover {recipe.height}x{recipe.width} pixels, the image of "
            f"{opened.height}x{opened.width} would be resized to {height}x{width}; expected sides "
            f"of at most {MAX_SIDE}",
            remedy=Remedy(
                'cut it to another shape, or use fit="letterbox"',
                [{"recipe": {"fit": "letterbox"}}],
            ),
        )
    if recipe.resize in {"bilinear", "bilinear-draft"}:
        pixels = _resized_by_pillow(opened, height, width, recipe.color, threads)
    else:
        age: Age = "0.23" if recipe.resize == "triangle-0.23" else "0.24"
        pixels = _resized_as_in_rust(opened, height, width, recipe.color, age, threads)
    if recipe.fit == "stretch":
        return pixels
    top, left, height, width = placement.window
    visible = pixels[top : top + height, left : left + width]
    whole = np.full((recipe.height, recipe.width, recipe.channels), recipe.pad_value, np.uint8)
    top, left, height, width = placement.inside
    whole[top : top + height, left : left + width] = visible
    return whole


def _resized_by_pillow(
    opened: OpenedImage, height: int, width: int, color: Color, threads: int
) -> NDArray[np.uint8]:
    colored: Image.Image | NDArray[np.uint8]
    if color == "GRAY":
        colored = rgb_image(opened.image).convert("L")
    elif color in {"RGBA", "BGRA"}:
        colored = rgba_image(opened.image)
    else:
        content = opened.content
        colored = content if isinstance(content, np.ndarray) else rgb_image(content)
    pixels = resize_bilinear(colored, height, width, threads, backwards=color == "BGR")
    return pixels[:, :, None] if color == "GRAY" else pixels


def _resized_as_in_rust(
    opened: OpenedImage, height: int, width: int, color: Color, age: Age, threads: int
) -> NDArray[np.uint8]:
    if isinstance(opened.content, np.ndarray) and color not in {"RGBA", "BGRA"}:
        whole: NDArray[np.uint8] | NDArray[np.uint16] = opened.content
    else:
        whole = color_pixels(opened.image, color)
    pixels = resize_triangle(whole, height, width, age, threads)
    if pixels.dtype == np.uint16:
        # 0.24 rounds 16 bits to 8; the crates before it kept the high byte.
        wide = pixels.astype(np.uint16, copy=False)
        pixels = (wide >> 8).astype(np.uint8) if age == "0.23" else narrowed(wide)
    narrow = pixels.astype(np.uint8, copy=False)
    return luma(narrow, age) if color == "GRAY" and narrow.shape[2] == 3 else narrow


def luma(pixels: NDArray[np.uint8], age: Age) -> NDArray[np.uint8]:
    """Return the gray of (H, W, 3) RGB pixels, (H, W, 1), as the crate's ``to_luma8`` does.

    Source: ``rgb_to_luma`` in ``src/color.rs`` of `image`; sums are truncated.

    Examples
    --------
    >>> luma(np.array([[[10, 20, 30]]], np.uint8), "0.24").item()
    18
    """
    gray: NDArray[np.uint8]
    if age == "0.23":
        red, green, blue = np.split(pixels.astype(np.float32), 3, axis=2)
        total = red * np.float32(0.2126) + green * np.float32(0.7152)
        gray = (total + blue * np.float32(0.0722)).astype(np.uint8)
    else:
        weighted = pixels.astype(np.uint32) @ np.array([[2126], [7152], [722]], np.uint32)
        gray = (weighted // 10_000).astype(np.uint8)
    return gray


def pixels_to_tensor(pixels: NDArray[np.uint8], recipe: PreprocessRecipe) -> Tensor:
    """Order, scale and lay out pixels: the second half of :func:`image_to_tensor`.

    Values are computed in float32 as ``(v / 255 * (high - low) + low - mean) / scale``; steps that
    the recipe leaves out are not computed at all, so that 0 to 255 stay exact.  With quantization
    ``rint(value / scale) + zero_point`` follows, also in float32, clamped to the type.

    Parameters
    ----------
    pixels : (recipe.height, recipe.width, recipe.channels) uint8 array
        In RGB or RGBA order, or gray, as :func:`resized_pixels` returns them.
    recipe : PreprocessRecipe

    Returns
    -------
    Tensor

    Raises
    ------
    ImageError
        If *pixels* are of another size or dtype.

    Examples
    --------
    >>> gray = np.array([[[0], [128], [255]]], np.uint8)
    >>> recipe = PreprocessRecipe(1, 3, color="GRAY", type="i8")
    >>> pixels_to_tensor(gray, recipe).to_array().ravel().tolist()
    [-128, 0, 127]
    """
    shape = (recipe.height, recipe.width, recipe.channels)
    if pixels.shape != shape or pixels.dtype != np.uint8:
        raise ImageError(
            f"expected {shape} uint8 pixels for the recipe, got {pixels.shape} {pixels.dtype}"
        )
    laid_out = ordered(pixels, recipe.color)
    planar = recipe.layout.endswith("CHW")
    if planar:
        laid_out = laid_out.transpose(2, 0, 1)
    values: NDArray[np.generic]
    if recipe.is_identity:
        values = np.ascontiguousarray(laid_out, recipe.type.dtype)
    elif recipe.type is TensorType.I8 and recipe.quantization is None:
        values = np.ascontiguousarray(laid_out).view(np.int8) ^ np.int8(-128)  # v - 128
    else:
        scaled = _scaled(np.ascontiguousarray(laid_out, np.float32), recipe, planar=planar)
        values = scaled.astype(recipe.type.dtype, copy=False)
    if not values.flags.owndata or np.shares_memory(values, pixels):
        values = values.copy()
    return Tensor.adopt(recipe.dimensions, recipe.type, values)


def ordered(pixels: NDArray[Scalar], color: Color) -> NDArray[Scalar]:
    """Return (…, channels) values in RGB or RGBA order in the order of *color*, and back again.

    Examples
    --------
    >>> ordered(np.array([1, 2, 3, 4]), "BGRA").tolist()
    [3, 2, 1, 4]
    """
    return pixels[..., _ORDERS[color]] if color in _ORDERS else pixels


def reordered(pixels: NDArray[Scalar], color: Color) -> NDArray[Scalar]:
    """Return what `ordered` does, contiguous in memory.

    Examples
    --------
    >>> reordered(np.array([[[1, 2, 3]]]), "BGR").tolist()
    [[[3, 2, 1]]]
    """
    turned = ordered(pixels, color)
    if color not in _ORDERS or turned.flags.c_contiguous:
        return np.ascontiguousarray(turned)
    # Channel by channel takes a third of the time of copying a reversed view.
    values = np.empty(pixels.shape, pixels.dtype)
    for index, source in enumerate(np.arange(pixels.shape[-1])[_ORDERS[color]]):
        values[..., index] = pixels[..., source]
    return values


def _scaled(
    values: NDArray[np.float32], recipe: PreprocessRecipe, *, planar: bool
) -> NDArray[np.float32]:
    """Return *values*, which are overwritten, after range, mean, scale and quantization."""
    channels = (recipe.channels, 1, 1) if planar else (recipe.channels,)
    low, high = map(np.float32, recipe.range)
    if recipe.range != (0.0, 255.0):
        values /= np.float32(255)
        values *= high - low
        values += low
    if any(recipe.mean):
        values -= np.array(recipe.mean, np.float32).reshape(channels)
    if any(scale != 1 for scale in recipe.scale):
        values /= np.array(recipe.scale, np.float32).reshape(channels)
    if recipe.quantization is not None:
        step, zero_point = recipe.quantization
        with np.errstate(over="ignore"):  # infinite values are clamped
            values /= np.float32(step)
        np.rint(values, out=values)
        values += np.float32(zero_point)
        np.clip(values, *INTEGER_LIMITS[recipe.type], out=values)
    return values
