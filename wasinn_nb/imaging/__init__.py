"""Images: reading them, and making of them what a model takes, exactly as the Rust guests do."""

from wasinn_nb.imaging.colors import rgb_image, rgb_pixels, rgba_image
from wasinn_nb.imaging.coverage import WHOLE, Coverage
from wasinn_nb.imaging.decoders import DECODERS_MEAN, DECODERS_MOST
from wasinn_nb.imaging.depth import spread, unused_bits
from wasinn_nb.imaging.exif import exif_orientation, ignored_orientation, is_sideways
from wasinn_nb.imaging.keeping import kept_image
from wasinn_nb.imaging.masks import StoredMask, stored_mask
from wasinn_nb.imaging.placement import Box, Placement, centered, cover_size, inside_size
from wasinn_nb.imaging.preprocessing import (
    image_to_bytes,
    image_to_tensor,
    luma,
    open_for,
    ordered,
    pixels_to_tensor,
    reordered,
    resized_pixels,
)
from wasinn_nb.imaging.reading import OpenedImage, formats_loading, open_image
from wasinn_nb.imaging.recipe import (
    CHANNELS,
    INTEGER_LIMITS,
    MAX_SIDE,
    Color,
    Exif,
    Fit,
    Layout,
    PreprocessRecipe,
    RecipeFields,
    Resize,
)
from wasinn_nb.imaging.rust import rust_fields
from wasinn_nb.imaging.sources import (
    IMAGE_SUFFIXES,
    JPEG_SUFFIXES,
    EncodedImage,
    ImageSource,
    encoded_bytes,
    no_images_in,
    read_encoded,
)
from wasinn_nb.imaging.triangle import resize_triangle
from wasinn_nb.imaging.unreadable import HEADER_BYTES, unread_format

__all__ = [
    "CHANNELS",
    "DECODERS_MEAN",
    "DECODERS_MOST",
    "HEADER_BYTES",
    "IMAGE_SUFFIXES",
    "INTEGER_LIMITS",
    "JPEG_SUFFIXES",
    "MAX_SIDE",
    "WHOLE",
    "Box",
    "Color",
    "Coverage",
    "EncodedImage",
    "Exif",
    "Fit",
    "ImageSource",
    "Layout",
    "OpenedImage",
    "Placement",
    "PreprocessRecipe",
    "RecipeFields",
    "Resize",
    "StoredMask",
    "centered",
    "cover_size",
    "encoded_bytes",
    "exif_orientation",
    "formats_loading",
    "ignored_orientation",
    "image_to_bytes",
    "image_to_tensor",
    "inside_size",
    "is_sideways",
    "kept_image",
    "luma",
    "no_images_in",
    "open_for",
    "open_image",
    "ordered",
    "pixels_to_tensor",
    "read_encoded",
    "reordered",
    "resize_triangle",
    "resized_pixels",
    "rgb_image",
    "rgb_pixels",
    "rgba_image",
    "rust_fields",
    "spread",
    "stored_mask",
    "unread_format",
    "unused_bits",
]
