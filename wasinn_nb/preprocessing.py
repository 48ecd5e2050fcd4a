"""From an image to the bytes that a model takes, exactly as the Rust guests do it."""

from __future__ import annotations

from typing import cast

import numpy as np
from numpy.typing import DTypeLike, NDArray
from PIL import Image

from wasinn_nb.abi import TensorType
from wasinn_nb.errors import ImageError
from wasinn_nb.pictures import ImageSource, rgb_image, rgb_pixels
from wasinn_nb.recipe import Color, Exif, Layout, PreprocessRecipe, Resize
from wasinn_nb.resize import Age, resize_triangle
from wasinn_nb.tensor import Tensor

__all__ = ["image_to_bytes", "image_to_tensor", "pixels_to_tensor", "resized_pixels"]


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
        ``u8`` or ``f32`` (``f16`` too); values stay 0 to 255.
    layout : {"HWC", "CHW", "NHWC", "NCHW"}
    color : {"BGR", "RGB"}
    resize : {"triangle", "triangle-0.23", "bilinear", "bilinear-draft"}
        See `PreprocessRecipe`.

    Returns
    -------
    bytes
        ``height * width * 3`` elements, little-endian.

    Raises
    ------
    ImageError, MissingFileError
        If *path* is no readable image.
    RecipeError
        If an option is not one of those above.

    Examples
    --------
    >>> red = np.zeros((2, 2, 3), np.uint8)
    >>> red[..., 0] = 255
    >>> image_to_bytes(red, 1, 1, "u8")
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
    >>> image_to_tensor(np.full((4, 4), 255, np.uint8), PreprocessRecipe(2, 2, range=(0, 1)))
    Tensor(1x3x2x2xf32, 48 bytes)
    """
    return pixels_to_tensor(
        resized_pixels(image, recipe.height, recipe.width, recipe.resize, recipe.exif), recipe
    )


def resized_pixels(
    image: ImageSource, height: int, width: int, resize: Resize, exif: Exif = "ignore"
) -> NDArray[np.uint8]:
    """Return *image* resized, as a (height, width, 3) uint8 array in RGB order.

    The first half of :func:`image_to_tensor`; errors are the same.
    """
    if resize in {"bilinear", "bilinear-draft"}:
        at_least = (height, width) if resize == "bilinear-draft" else None
        photo = rgb_image(image, exif, at_least)
        return np.asarray(photo.resize((width, height), Image.Resampling.BILINEAR))
    age: Age = "0.23" if resize == "triangle-0.23" else "0.24"
    pixels = resize_triangle(rgb_pixels(image, exif), height, width, age)
    if pixels.dtype == np.uint8:
        return pixels.astype(np.uint8, copy=False)
    # 0.24 rounds 16 bits to 8 by (v + 128) / 257; the crates before it kept the high byte.
    wide = pixels.astype(np.uint32)
    return (wide >> 8 if age == "0.23" else (wide + 128) // 257).astype(np.uint8)


def pixels_to_tensor(pixels: NDArray[np.uint8], recipe: PreprocessRecipe) -> Tensor:
    """Order, scale and lay out pixels: the second half of :func:`image_to_tensor`.

    Values are computed in float32 as ``(v / 255 * (high - low) + low - mean) / scale``; steps that
    the recipe leaves out are not computed at all, so that 0 to 255 stay exact.

    Parameters
    ----------
    pixels : (recipe.height, recipe.width, 3) uint8 array
        In RGB order.
    recipe : PreprocessRecipe

    Returns
    -------
    Tensor

    Raises
    ------
    ImageError
        If *pixels* are of another size or dtype.
    """
    if pixels.shape != (recipe.height, recipe.width, 3) or pixels.dtype != np.uint8:
        raise ImageError(
            f"expected ({recipe.height}, {recipe.width}, 3) uint8 pixels for the recipe, "
            f"got {pixels.shape} {pixels.dtype}"
        )
    ordered = pixels[:, :, ::-1] if recipe.color == "BGR" else pixels
    planar = recipe.layout.endswith("CHW")
    if planar:
        ordered = ordered.transpose(2, 0, 1)
    if recipe.is_identity:
        values = np.ascontiguousarray(ordered, recipe.type.dtype)
    else:
        values = np.ascontiguousarray(ordered, np.float32)
        channels = (3, 1, 1) if planar else (3,)
        low, high = map(np.float32, recipe.range)
        if recipe.range != (0.0, 255.0):
            values /= np.float32(255)
            values *= high - low
            values += low
        if any(recipe.mean):
            values -= np.array(recipe.mean, np.float32).reshape(channels)
        if recipe.scale != (1.0, 1.0, 1.0):
            values /= np.array(recipe.scale, np.float32).reshape(channels)
        values = values.astype(recipe.type.dtype, copy=False)
    if not values.flags.owndata or np.shares_memory(values, pixels):
        values = values.copy()
    return Tensor.adopt(recipe.dimensions, recipe.type, values)
