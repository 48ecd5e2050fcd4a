"""What a program may have done to an image, as values that name their mistakes and remedies."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.abi import TensorType
from wasinn_nb.diagnosis.remedies import Mistake
from wasinn_nb.diagnosis.resampling import Content, View, own_gray
from wasinn_nb.diagnosis.scalings import Scaling
from wasinn_nb.diagnosis.spaces import Space
from wasinn_nb.errors import RecipeError
from wasinn_nb.imaging import CHANNELS, Color, Exif, Fit, PreprocessRecipe
from wasinn_nb.wording import percent

__all__ = ["FLIPS", "ORDERS", "Candidate", "Flip", "Making", "Order", "Unit"]

Order = Literal["CHW", "HWC", "CWH", "WHC"]
"""How the values of an image of H rows and W columns follow each other in memory."""
Unit = Literal["levels", "scores", "pixels"]
Flip = Literal["", "rows", "columns", "both"]
"""Which axes are in reverse order."""
ORDERS: Final[tuple[Order, ...]] = ("CHW", "HWC", "CWH", "WHC")
FLIPS: Final[dict[Flip, str]] = {
    "": "as it is",
    "rows": "upside down",
    "columns": "mirrored",
    "both": "turned by 180°",
}
_CONTENTS: Final[dict[Color, Content]] = {
    "RGB": "RGB",
    "BGR": "RGB",
    "RGBA": "RGBA",
    "BGRA": "RGBA",
}


@dataclass(frozen=True, slots=True)
class Making:
    """One way to make a tensor of an image.

    Parameters
    ----------
    height, width : int
        The size that the image was resized to.
    order : {"CHW", "HWC", "CWH", "WHC"}
        How its values lie in memory.
    color : {"BGR", "RGB", "GRAY", "RGBA", "BGRA"}
    scaling : Scaling
    type : TensorType
        Of the bytes, whatever was declared.
    filter : str
        Of `FILTERS`.
    fit : str
        Of `FITS`.
    exif : {"ignore", "apply"}
    alpha : str
        Of `ALPHAS`.
    gray : {"Rec. 601", "Rec. 709"}
        How gray is made; it says something only for the color ``GRAY``.
    pad : tuple of int or None
        The levels of the border's channels; None where there is no border, or it is not known.
    big_endian : bool
    flip : {"", "rows", "columns", "both"}
    shift : (int, int)
        Rows and columns by which the tensor is ahead of the image.
    valid : int or None
        The elements that were written, where it is not all of them.
    repeated : bool
        Whether those after `valid` repeat the first ones.
    dimensions : tuple of int or None
        As declared; None stands for those of the recipe.
    declared : TensorType or None
        As declared; None stands for `type`.
    space : str
        Of `SPACES`; empty for that of `color`.
    wrapped : bool
        Whether levels of 128 and more became negative, as bytes that are read as signed do.
    pitch, step : int or None
        From the first value of a row, or of a pixel, to that of the next one; None where nothing
        lies between them.
    """

    height: int
    width: int
    order: Order
    color: Color
    scaling: Scaling
    type: TensorType
    filter: str = "bilinear"
    fit: str = "stretch"
    exif: Exif = "ignore"
    alpha: str = "drop"
    gray: Content = "Rec. 601"
    pad: tuple[int, ...] | None = None
    big_endian: bool = False
    flip: Flip = ""
    shift: tuple[int, int] = (0, 0)
    valid: int | None = None
    repeated: bool = False
    dimensions: tuple[int, ...] | None = None
    declared: TensorType | None = None
    space: Space = ""
    wrapped: bool = False
    pitch: int | None = None
    step: int | None = None

    @classmethod
    def of(cls, recipe: PreprocessRecipe) -> Making:
        """Return the way of a recipe."""
        order: Order = "CHW" if recipe.layout.endswith("CHW") else "HWC"
        return cls(
            recipe.height,
            recipe.width,
            order,
            recipe.color,
            Scaling.of(recipe),
            recipe.type,
            recipe.resize,
            recipe.fit,
            exif=recipe.exif,
            alpha="keep" if recipe.channels == 4 else "drop",
            gray=own_gray(recipe.resize),
            pad=(recipe.pad_value,) * recipe.channels if recipe.fit == "letterbox" else None,
        )

    @property
    def channels(self) -> int:
        """How many channels such a tensor has."""
        return CHANNELS[self.color]

    @property
    def elements(self) -> int:
        """How many elements such a tensor has."""
        return self.channels * self.height * self.width

    @property
    def view(self) -> View:
        """What of the image is used."""
        content = self.space or _CONTENTS.get(self.color, self.gray)
        return View(self.height, self.width, self.filter, self.fit, self.exif, self.alpha, content)

    def lay_out(self, pixels: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return (h, w, channels) values in the order of memory, one after the other."""
        axes = {"H": 0, "W": 1, "C": 2}
        return np.ascontiguousarray(pixels.transpose([axes[a] for a in self.order])).reshape(-1)

    def as_image(self, flat: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return a flat tensor's values as the (h, w, channels) image that they mean: a view."""
        sizes = {"H": self.height, "W": self.width, "C": self.channels}
        shaped = flat.reshape([sizes[axis] for axis in self.order])
        image = shaped.transpose([self.order.index(axis) for axis in "HWC"])
        rows = -1 if self.flip in {"rows", "both"} else 1
        columns = -1 if self.flip in {"columns", "both"} else 1
        return image[::rows, ::columns]

    def recipe(self) -> PreprocessRecipe | None:
        """Return the recipe that makes the same tensor, or None where no recipe does."""
        damaged = (
            (self.big_endian, self.flip, self.shift, self.valid) != (False, "", (0, 0), None)
            or self.wrapped
            or self.space
            or (self.pitch, self.step) != (None, None)
        )
        expressible = (
            self.order in {"CHW", "HWC"}
            and self.fit in get_args(Fit)
            and self.alpha in {"drop", "keep"}
            and (self.color != "GRAY" or self.gray == own_gray(self.filter))
            and (self.pad is None or len(set(self.pad)) == 1)
        )
        if damaged or not expressible:
            return None
        try:
            return PreprocessRecipe.from_dict(
                {
                    "height": self.height,
                    "width": self.width,
                    "layout": "NCHW" if self.order == "CHW" else "NHWC",
                    "color": self.color,
                    "type": self.type.suffix,
                    "resize": self.filter,
                    "exif": self.exif,
                    "fit": self.fit,
                    "pad_value": self.pad[0] if self.pad else 0,
                    **self.scaling.recipe_fields(),
                }
            )
        except RecipeError:
            return None


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to make the tensor, and how far its result is from it.

    Attributes
    ----------
    making : Making
    mistakes : tuple of Mistake
        In what it differs from the model's recipe; empty for the recipe itself.
    distance : float
        The mean absolute difference, in `unit`.
    furthest : float
        The largest one.
    exact : bool
        Whether every value that can be compared is equal, but for the rounding of its type.
    note : str
        A further remark.
    unit : {"levels", "scores", "pixels"}
        Of a tensor's values levels from 0 to 255; of an output scores, or parts of the pixels.
    agreement : float or None
        Of an output, the part of the pixels with the same class.
    near : bool
        Of an input, whether only decoders or rounding can be between it and this.
    """

    making: Making
    mistakes: tuple[Mistake, ...]
    distance: float
    furthest: float
    exact: bool
    note: str = field(default="", compare=False)
    unit: Unit = "levels"
    agreement: float | None = None
    near: bool = False

    @property
    def name(self) -> str:
        """The mistakes in short: ``layout: HWC bytes declared NCHW; color: RGB channels``."""
        return "; ".join(f"{m.axis}: {m.short}" for m in self.mistakes) or "the model's recipe"

    @property
    def axes(self) -> frozenset[str]:
        """The axes on which there is a mistake."""
        return frozenset(mistake.axis for mistake in self.mistakes)

    def __repr__(self) -> str:
        return f"Candidate({self.name}: {self.off})"

    @property
    def off(self) -> str:
        """The distance in words: ``exact``, ``0.11 levels off``, ``2.10 % of the pixels off``."""
        if self.exact:
            return "exact"
        if not math.isfinite(self.distance):
            return "not comparable"
        if self.unit == "pixels":
            return f"{percent(self.distance)} of the pixels off"
        digits = ".2f" if self.unit == "levels" else ".4f"
        return f"{self.distance:{digits}} {self.unit} off"
