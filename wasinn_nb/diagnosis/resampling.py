"""How programs bring an image to a model's size: the fits, and what of the image is used."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from wasinn_nb.diagnosis.filters import PILLOW, RUST, pixels_of, resample
from wasinn_nb.diagnosis.spaces import SPACES, Space, in_space
from wasinn_nb.errors import ImageError
from wasinn_nb.imaging import (
    MAX_SIDE,
    Box,
    Exif,
    Fit,
    ImageSource,
    PreprocessRecipe,
    Resize,
    centered,
    cover_size,
    exif_orientation,
    inside_size,
    luma,
    open_for,
    open_image,
    resized_pixels,
    rgb_image,
    rgba_image,
    spread,
)

__all__ = ["ALPHAS", "FITS", "GRAYS", "Content", "Explained", "Original", "View", "own_gray"]


class Explained(NamedTuple):
    """A way of doing something in words, with an explanation where it needs one.

    Examples
    --------
    >>> str(Explained("alpha dropped")), str(Explained("gray by Rec. 601", "Pillow's"))
    ('alpha dropped', "gray by Rec. 601 (Pillow's)")
    """

    short: str
    explanation: str = ""

    def __str__(self) -> str:
        return f"{self.short} ({self.explanation})" if self.explanation else self.short


Content = Literal["RGB", "RGBA", "Rec. 601", "Rec. 709"] | Space
"""The channels of an image that are used: in these orders, one of gray, or of another space."""
FITS: Final[dict[str, str]] = {
    "stretch": "stretched to the model's size",
    "letterbox": "letterboxed: the whole image in the middle, borders filled",
    "letterbox-late": "letterboxed: the whole image in the middle, the odd pixel before it",
    "letterbox-corner": "letterboxed: the whole image in the upper left, borders filled",
    "crop": "resized to cover the model's size, then cropped in the middle",
    "crop-first": "cropped in the middle to the model's shape, then resized",
    "crop-enlarged": "resized larger by 8/7 (256 for 224), then cropped in the middle",
}
_LETTERBOXES: Final = frozenset({"letterbox", "letterbox-late", "letterbox-corner"})
_CROPS: Final = {"crop": 1.0, "crop-enlarged": 8 / 7}
"""How many times larger than needed the image becomes before it is cropped."""
ALPHAS: Final[dict[str, Explained]] = {
    "drop": Explained("alpha dropped"),
    "black": Explained("alpha blended on black", "colors premultiplied"),
    "white": Explained("alpha blended on white"),
    "pillow": Explained(
        "resized as RGBA by Pillow, which weights colors by alpha, then alpha dropped"
    ),
    "keep": Explained("alpha kept as the fourth channel"),
    "opaque": Explained("alpha set to 255"),
}
GRAYS: Final[dict[Content, Explained]] = {
    "Rec. 601": Explained("gray by Rec. 601", "Pillow's and OpenCV's: 0.299 R + 0.587 G + 0.114 B"),
    "Rec. 709": Explained(
        "gray by Rec. 709", "the Rust image crate's: 0.2126 R + 0.7152 G + 0.0722 B"
    ),
}


@dataclass(frozen=True, slots=True)
class View:
    """What a program uses of an image, before it orders channels and scales values.

    Parameters
    ----------
    height, width : int
        The size that the model takes.
    filter : str
        Of `FILTERS`.
    fit : str
        Of `FITS`.
    exif : {"ignore", "apply"}
    alpha : str
        Of `ALPHAS`.
    content : {"RGB", "RGBA", "Rec. 601", "Rec. 709"} or one of `SPACES`
        The channels; of gray (`GRAYS`) there is one.
    """

    height: int
    width: int
    filter: str = "bilinear"
    fit: str = "stretch"
    exif: Exif = "ignore"
    alpha: str = "drop"
    content: Content = "RGB"


def own_gray(filter_: str) -> Content:
    """Return how programs that resize with a filter make gray: Rust ones by Rec. 709."""
    return "Rec. 709" if filter_ in RUST else "Rec. 601"


class Original:
    """An image, decoded once; what it is resized to is kept.

    Parameters
    ----------
    source : path, bytes, binary file, PIL.Image or array
    bits : int, optional
        As in a `PreprocessRecipe`.
    """

    def __init__(self, source: ImageSource, bits: int | None = None) -> None:
        self._image = spread(open_image(source), bits)
        # A file can be decoded in draft mode only from its bytes.
        self._encoded = None if isinstance(source, Image.Image | np.ndarray) else source
        if hasattr(source, "read"):
            self._encoded = None
        self._rgb: dict[tuple[str, str], Image.Image] = {}
        self._made: dict[View, NDArray[np.generic] | None] = {}

    @property
    def exifs(self) -> tuple[Exif, ...]:
        """The EXIF policies that make a difference."""
        turned = exif_orientation(self._image) != 1
        return ("ignore", "apply") if turned else ("ignore",)

    def alphas(self, channels: int) -> tuple[str, ...]:
        """Return the treatments of alpha that make a difference for so many channels."""
        usual, *others = {
            1: ("drop", "black", "white"),
            3: ("drop", "black", "white", "pillow"),
            4: ("keep", "opaque"),
        }[channels]
        return (usual, *others) if self._image.has_transparency_data else (usual,)

    def rgb(self, exif: Exif, alpha: str) -> Image.Image:
        """Return the image in RGB mode."""
        if (exif, alpha) not in self._rgb:
            if alpha in {"black", "white"}:
                upright = open_image(self._image, exif).convert("RGBA")
                ground = Image.new("RGBA", upright.size, alpha)
                image = Image.alpha_composite(ground, upright).convert("RGB")
            else:
                image = rgb_image(self._image, exif)
            self._rgb[exif, alpha] = image
        return self._rgb[exif, alpha]

    def box(self, view: View) -> Box[int]:
        """Return the part of the model's input that the image fills."""
        if view.fit not in _LETTERBOXES:
            return Box(0, 0, view.height, view.width)
        image = self.rgb(view.exif, "drop")
        rows, columns = inside_size(view.height, view.width, image.height, image.width)
        if view.fit == "letterbox-corner":
            return Box(0, 0, rows, columns)
        # Where a border cannot be halved, programs differ: ImageOps.pad may put more before.
        late = view.fit == "letterbox-late"
        return centered(view.height, view.width, rows, columns, late=late)

    def pixels(self, view: View) -> NDArray[np.generic] | None:
        """Return what lies in :meth:`box`: (h, w, channels), or None where there is none.

        In RGB or RGBA order; uint8, but float32 for ``linear-float``.
        """
        if view not in self._made:
            self._made[view] = self._resized(view)
        return self._made[view]

    def whole(self, view: View, pad: tuple[float, ...] | None) -> NDArray[np.float32] | None:
        """Return :meth:`pixels` with the border around it: (height, width, channels).

        Parameters
        ----------
        view : View
        pad : tuple of float or None
            The levels of the border's channels; None stands for 0.
        """
        pixels = self.pixels(view)
        if pixels is None:
            return None
        box = self.box(view)
        levels = np.empty((view.height, view.width, pixels.shape[2]), np.float32)
        levels[:] = 0 if pad is None else pad
        levels[box.top : box.top + box.height, box.left : box.left + box.width] = pixels
        return levels

    def _resized(self, view: View) -> NDArray[np.generic] | None:
        if view.content in SPACES:
            rgb = self.pixels(replace(view, content="RGB"))
            return None if rgb is None else in_space(np.rint(rgb).astype(np.uint8), view.content)
        if (
            view.filter in get_args(Resize)
            and view.fit in get_args(Fit)
            and view.alpha in {"drop", "keep"}
            and view.content in {"RGB", "RGBA", own_gray(view.filter)}
        ):
            return self._by_recipe(view)
        if view.filter == "bilinear-draft":
            return None
        if view.fit == "letterbox-late" and self.box(view) == self.box(
            replace(view, fit="letterbox")
        ):
            return None
        if view.alpha == "pillow":
            if view.fit != "stretch" or view.filter not in PILLOW:
                return None
            weighed = rgba_image(self._image, view.exif)
            return np.asarray(
                weighed.resize((view.width, view.height), PILLOW[view.filter]).convert("RGB")
            )
        resized = self._fitted(self._source(view), view)
        if view.content != "Rec. 709" or resized is None:
            return resized
        return luma(np.rint(resized).astype(np.uint8), "0.24")

    def _by_recipe(self, view: View) -> NDArray[np.uint8] | None:
        """Return what the recipe makes that says the same."""
        recipe = PreprocessRecipe.from_dict(
            {
                "height": view.height,
                "width": view.width,
                "color": view.content if view.content in {"RGB", "RGBA"} else "GRAY",
                "resize": view.filter,
                "exif": view.exif,
                "fit": view.fit,
            }
        )
        drafted = view.filter == "bilinear-draft"
        source = self._encoded if drafted else self._image
        if source is None:
            return None
        try:
            opened = open_for(source, recipe)
            if drafted and opened.image.height == opened.height:
                return None  # the same as bilinear
            pixels = resized_pixels(opened, recipe)
        except ImageError:  # too narrow to be cropped
            return None
        box = self.box(view)
        return pixels[box.top : box.top + box.height, box.left : box.left + box.width]

    def _source(self, view: View) -> Image.Image:
        """Return the image in the mode that is resized."""
        rgb = self.rgb(view.exif, view.alpha if view.alpha in {"black", "white"} else "drop")
        if view.content == "RGBA":
            return (
                rgb.convert("RGBA")
                if view.alpha == "opaque"
                else rgba_image(self._image, view.exif)
            )
        return rgb.convert("L") if view.content == "Rec. 601" else rgb

    def _fitted(self, image: Image.Image, view: View) -> NDArray[np.generic] | None:
        height, width = view.height, view.width
        if view.fit in _LETTERBOXES:
            box = self.box(view)
            return resample(image, box.height, box.width, view.filter)
        if view.fit == "crop-first":
            if view.filter in PILLOW:  # with fractions of pixels
                return pixels_of(ImageOps.fit(image, (width, height), PILLOW[view.filter]))
            scale = min(image.height / height, image.width / width)
            rows, columns = height * scale, width * scale
            middle = centered(
                image.height, image.width, max(1, round(rows)), max(1, round(columns))
            )
            part = (
                middle.left,
                middle.top,
                middle.left + middle.width,
                middle.top + middle.height,
            )
            return resample(image.crop(part), height, width, view.filter)
        if view.fit in _CROPS:
            larger = _CROPS[view.fit]
            rows, columns = cover_size(height, width, image.height, image.width, larger)
            if max(rows, columns) > MAX_SIDE:
                return None
            resized = resample(image, rows, columns, view.filter)
            if resized is None:
                return None
            top, left, height, width = centered(rows, columns, height, width)
            return np.ascontiguousarray(resized[top : top + height, left : left + width])
        return resample(image, height, width, view.filter)
