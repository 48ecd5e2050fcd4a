"""Images: reading them, and making of them what a model takes, exactly as the Rust guests do."""

from wasinn_nb.imaging.coverage import WHOLE, Coverage
from wasinn_nb.imaging.placement import Box, Placement, centered, cover_size, inside_size
from wasinn_nb.imaging.preprocessing import (
    image_to_bytes,
    image_to_tensor,
    luma,
    open_for,
    ordered,
    pixels_to_tensor,
    resized_pixels,
)
from wasinn_nb.imaging.reading import (
    IMAGE_SUFFIXES,
    JPEG_SUFFIXES,
    ImageSource,
    encoded_bytes,
    kept_image,
    open_image,
    rgb_image,
    rgba_image,
)
from wasinn_nb.imaging.recipe import (
    CHANNELS,
    INTEGER_LIMITS,
    MAX_SIDE,
    Color,
    Exif,
    Fit,
    Layout,
    PreprocessRecipe,
    Resize,
)
from wasinn_nb.imaging.triangle import resize_triangle

__all__ = [
    "CHANNELS",
    "IMAGE_SUFFIXES",
    "INTEGER_LIMITS",
    "JPEG_SUFFIXES",
    "MAX_SIDE",
    "WHOLE",
    "Box",
    "Color",
    "Coverage",
    "Exif",
    "Fit",
    "ImageSource",
    "Layout",
    "Placement",
    "PreprocessRecipe",
    "Resize",
    "centered",
    "cover_size",
    "encoded_bytes",
    "image_to_bytes",
    "image_to_tensor",
    "inside_size",
    "kept_image",
    "luma",
    "open_for",
    "open_image",
    "ordered",
    "pixels_to_tensor",
    "resize_triangle",
    "resized_pixels",
    "rgb_image",
    "rgba_image",
]
