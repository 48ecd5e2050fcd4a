"""Masks as files and arrays: the samples that are stored, not the shades that they stand for."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.errors import ImageError
from wasinn_nb.imaging.colors import rgb_image
from wasinn_nb.imaging.rawmodes import CUT_TO_8_BITS, stored_as
from wasinn_nb.imaging.reading import BROKEN, open_image, open_reduced
from wasinn_nb.imaging.sources import ImageSource, read_encoded

__all__ = ["StoredMask", "stored_mask"]

_LOSSY: Final = frozenset({"JPEG", "MPO", "JPEG2000", "WEBP", "AVIF", "HEIF"})
_LABEL_MODES: Final = frozenset({"1", "L", "P", "F", "I", "I;16", "I;16L", "I;16B"})
_STEPS: Final = {85: 2, 17: 4}
"""By what Pillow multiplies samples of so many bits."""
_INVERTED: Final = frozenset({"L;I", "L;IR", "L;2I", "L;2IR", "L;4I", "L;4IR"})
_INVERTED_BITS: Final = frozenset({"1;I", "1;IR"})
"""Those of 1 bit, inverted where the format does not say that 0 is white, as PBM does."""


@dataclass(frozen=True, eq=False)
class StoredMask:
    """A mask that was read.

    Attributes
    ----------
    source : PIL.Image.Image or array
        As it was read.
    samples : (H, W) integer, bool or float array, or None
        The labels as they are stored, whole floats as integers; None where pixels are colors.
    lossy : str
        The format, where it changes labels, else empty.
    gray : bool
        Whether pixels are colors whose channels are equal (R = G = B): the samples are theirs.
    cut : bool
        Whether it has 16 bits in several channels, of which the high 8 were read.
    loaded : str
        What a loaded `PIL.Image` may have lost: how many bits its samples had, in words; else
        empty.
    """

    source: Image.Image | NDArray[Any]
    samples: NDArray[Any] | None
    lossy: str = ""
    gray: bool = False
    cut: bool = False
    loaded: str = ""

    @property
    def colors(self) -> NDArray[np.uint8] | None:
        """The (H, W, 3) uint8 colors in RGB order; None for an array that has none."""
        if isinstance(self.source, Image.Image):
            return np.asarray(rgb_image(self.source))
        array = self.source
        fits = array.ndim == 3 and array.shape[2] == 3 and array.dtype == np.uint8
        return array if fits else None


def stored_mask(source: ImageSource, name: str) -> StoredMask:
    """Read a mask.

    Where Pillow multiplies small samples up to shades, as those of PNG files with 2 or 4 bits, the
    stored ones are given back.  A `PIL.Image` has lost them once its pixels are loaded.

    Parameters
    ----------
    source : path, bytes, binary file, PIL.Image or array
        Arrays of labels are (H, W), (H, W, 1) or (1, H, W); of colors (H, W, 3).
    name : str
        What the mask is called in errors.

    Returns
    -------
    StoredMask

    Raises
    ------
    ImageError
        If it is not an image, has several pages or frames, or samples that are stored inverted.
    MissingFileError
        If a path leads nowhere.

    Examples
    --------
    >>> stored_mask(b"P2 4 1 3 0 1 2 3", "the mask").samples
    array([[0, 1, 2, 3]], dtype=uint8)
    """
    if isinstance(source, np.ndarray):
        return _of_array(source)
    if isinstance(source, Image.Image):
        raw_mode, largest = stored_as(source)
        _refuse_pages(source, name)
        image = open_image(source)
    else:
        encoded = read_encoded(source)
        image = open_reduced(encoded).image
        with Image.open(io.BytesIO(encoded.content)) as header:
            raw_mode, largest = stored_as(header)
            _refuse_pages(header, name)
    if raw_mode in _INVERTED or (raw_mode in _INVERTED_BITS and image.format == "TIFF"):
        raise ImageError(
            f"{name}: its samples are stored inverted (white is 0), so labels and shades differ; "
            f"export it again as PNG"
        )
    jpeg = "jpeg" in str(image.info.get("compression", "")).lower()
    lossy = "TIFF with JPEG" if jpeg else (image.format or "")
    lossy = lossy if jpeg or lossy in _LOSSY else ""
    if image.mode in {"RGB", "RGBA", "LA"}:
        whole = not raw_mode.endswith(CUT_TO_8_BITS)
        gray = _equal_channels(np.asarray(image.convert("RGB"))) if whole else None
        return StoredMask(image, gray, lossy, gray=gray is not None, cut=not whole)
    if image.mode not in _LABEL_MODES:
        return StoredMask(image, None, lossy)
    samples = np.asarray(image)
    if largest:
        samples = _unscaled(samples, largest)
    lost = _lost_bits(samples) if image is source and not raw_mode else ""
    return StoredMask(image, _whole(samples), lossy, loaded=lost)


def _lost_bits(samples: NDArray[Any]) -> str:
    """Return how many bits the samples of a loaded image may have had, by their values, in words.

    Pillow multiplies samples of 2 bits by 85 and of 4 bits by 17, and forgets that it did.
    """
    if samples.dtype != np.uint8:
        return ""
    values = np.flatnonzero(np.bincount(samples.ravel(), minlength=256))
    if not {*values.tolist()} - {0, 255}:  # as well those of 1 bit, or of 8
        return ""
    for step, bits in _STEPS.items():
        if not (values % step).any():
            return f"multiples of {step}, as Pillow makes of samples of {bits} bits"
    return ""


def _of_array(array: NDArray[Any]) -> StoredMask:
    if array.ndim == 3 and 1 in (array.shape[0], array.shape[2]) and array.shape[2] not in {3, 4}:
        array = array[:, :, 0] if array.shape[2] == 1 else array[0]
    if array.ndim == 3 and array.shape[2] in {3, 4} and array.dtype == np.uint8:
        gray = _equal_channels(array)
        return StoredMask(array, gray, gray=gray is not None)
    return StoredMask(array, _whole(array) if array.ndim == 2 else None)


def _equal_channels(colors: NDArray[Any]) -> NDArray[Any] | None:
    """Return the first channel where red, green and blue are the same everywhere."""
    red = colors[..., 0]
    return red if all(np.array_equal(red, colors[..., index]) for index in (1, 2)) else None


def _whole(samples: NDArray[Any]) -> NDArray[Any]:
    """Return floats as integers where all are whole numbers; others as they are."""
    if samples.dtype.kind != "f":
        return samples
    # Larger ones are not labels, and may not fit.
    whole = np.abs(samples.astype(np.float64)) < 1 << 31
    if not whole.all() or (samples != np.rint(samples)).any():
        return samples
    return samples.astype(np.int64)


def _refuse_pages(image: Image.Image, name: str) -> None:
    """Refuse an image of several pages or frames: nothing says which one is the mask."""
    try:
        pages = int(getattr(image, "n_frames", 1))
    except BROKEN as error:  # what comes after the first one
        raise ImageError(f"{name}: its pages cannot be counted: {error}") from error
    if pages > 1:
        raise ImageError(
            f"{name}: expected one mask, got {pages} pages or frames ({image.format}); "
            f"save the one that is meant as a file of its own, such as PNG"
        )


def _unscaled(samples: NDArray[Any], largest: int) -> NDArray[np.uint16 | np.uint8]:
    """Undo ``round(sample / largest * most)``, where *most* is 255 or 65535."""
    most = 255 if samples.dtype == np.uint8 else 65535
    stored = (samples.astype(np.int64) * largest + most // 2) // most
    return stored.astype(np.uint8 if most == 255 else np.uint16)
