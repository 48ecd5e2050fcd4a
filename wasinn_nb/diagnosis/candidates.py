"""What a program may have done to a picture, as values that name their mistakes and remedies."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.abi import TensorType
from wasinn_nb.diagnosis.filters import FILTERS
from wasinn_nb.diagnosis.remedies import Mistake, python_line, rust_line
from wasinn_nb.diagnosis.resampling import ALPHAS, FITS, GRAYS, Content, View, own_gray
from wasinn_nb.diagnosis.scalings import Scaling, whole_levels
from wasinn_nb.errors import RecipeError
from wasinn_nb.imaging import CHANNELS, Color, Exif, Fit, PreprocessRecipe
from wasinn_nb.wording import percent

__all__ = ["ORDERS", "Candidate", "Making", "Order", "Unit"]

Order = Literal["CHW", "HWC", "CWH", "WHC"]
"""How the values of a picture of H rows and W columns follow each other in memory."""
Unit = Literal["levels", "scores", "pixels"]
ORDERS: Final[tuple[Order, ...]] = ("CHW", "HWC", "CWH", "WHC")
_IN_WORDS: Final[dict[Color, str]] = {"GRAY": "one channel of gray"}
_CONTENTS: Final[dict[Color, Content]] = {
    "RGB": "RGB",
    "BGR": "RGB",
    "RGBA": "RGBA",
    "BGRA": "RGBA",
}


@dataclass(frozen=True, slots=True)
class Making:
    """One way to make a tensor of a picture.

    Parameters
    ----------
    height, width : int
        The size that the picture was resized to.
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
    flip : {"", "upside down", "mirrored", "turned by 180°"}
    shift : (int, int)
        Rows and columns by which the tensor is ahead of the picture.
    valid : int or None
        The elements that were written, where it is not all of them.
    repeated : bool
        Whether those after `valid` repeat the first ones.
    dimensions : tuple of int or None
        As declared; None stands for those of the recipe.
    declared : TensorType or None
        As declared; None stands for `type`.
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
    flip: str = ""
    shift: tuple[int, int] = (0, 0)
    valid: int | None = None
    repeated: bool = False
    dimensions: tuple[int, ...] | None = None
    declared: TensorType | None = None

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
        """What is taken of the image."""
        content = _CONTENTS.get(self.color, self.gray)
        return View(self.height, self.width, self.filter, self.fit, self.exif, self.alpha, content)

    def lay_out(self, pixels: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return (h, w, channels) values in the order of memory, one after the other."""
        axes = {"H": 0, "W": 1, "C": 2}
        return np.ascontiguousarray(pixels.transpose([axes[a] for a in self.order])).reshape(-1)

    def picture(self, flat: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return a flat tensor's values as the (h, w, channels) image that they mean: a view."""
        sizes = {"H": self.height, "W": self.width, "C": self.channels}
        shaped = flat.reshape([sizes[axis] for axis in self.order])
        seen = shaped.transpose([self.order.index(axis) for axis in "HWC"])
        rows = -1 if self.flip in {"upside down", "turned by 180°"} else 1
        columns = -1 if self.flip in {"mirrored", "turned by 180°"} else 1
        return seen[::rows, ::columns]

    def recipe(self) -> PreprocessRecipe | None:
        """Return the recipe that makes the same tensor, or None where no recipe can say it."""
        damaged = (self.big_endian, self.flip, self.shift, self.valid) != (False, "", (0, 0), None)
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

    def mistakes(self, recipe: PreprocessRecipe) -> tuple[Mistake, ...]:  # noqa: PLR0915
        """Return in what this differs from *recipe*, the most telling first."""
        right = Making.of(recipe)
        found: list[Mistake] = []

        def add(axis: str, was: str, wanted: str) -> None:
            found.append(
                Mistake(axis, was, wanted, rust_line(axis, recipe), python_line(axis, recipe))
            )

        model = "x".join(map(str, recipe.dimensions))
        turned = (right.width, right.height)
        swapped = (self.height, self.width) == turned != (right.height, right.width)
        if self.order in {"CWH", "WHC"}:
            was = "height and width swapped in memory (transposed, columns before rows)"
            add("layout", was, f"{right.order} in memory")
        elif self.order != right.order and self.channels > 1:
            given = "x".join(map(str, self.dimensions or recipe.dimensions))
            if self.dimensions is None:
                was = f"{self.order} bytes declared {recipe.layout} ({given})"
            else:
                was = f"{self.order} bytes ({given})"
            add("layout", was, f"{right.order} in memory ({model})")
        elif (
            self.dimensions is not None
            and self.declared is None
            and self.valid is None
            and not swapped
            and not self._other_size(right)
            and self.channels == right.channels
        ):
            was = "the right bytes declared as " + "x".join(map(str, self.dimensions))
            add("dimensions", was, model)
        if swapped:
            was = f"{self.height} rows of {self.width} columns"
            was = f"height and width swapped when resizing: {was}"
            add("size", was, f"{right.height} rows of {right.width} columns")
        elif self._other_size(right):
            was = f"resized to {self.height} rows of {self.width} columns"
            add("size", was, f"{right.height} rows of {right.width} columns")
        if self.color != right.color:
            was = _IN_WORDS.get(self.color, f"{self.color} channels")
            add("color", was, _IN_WORDS.get(right.color, right.color))
        elif self.color == "GRAY" and self.gray != right.gray:
            add("color", GRAYS[self.gray], GRAYS[right.gray])
        if self._signed_otherwise(right):
            was = f"{self.type.suffix} elements, {self.scaling.name}"
            if self.declared is not None:
                was = f"{self.type.suffix} bytes, {self.scaling.name}, read as {right.type.suffix}"
            add("type", was, f"{right.type.suffix} elements, {right.scaling.name}")
        else:
            if not self.scaling.close_to(right.scaling, 1e-4):
                quantized = "values " if right.scaling.limits else ""
                add("range", f"values {self.scaling.name}", quantized + right.scaling.name)
            if self.type is not right.type:
                add("type", f"{self.type.suffix} elements", right.type.suffix)
            if self.declared is not None:
                was = f"{self.type.suffix} bytes declared {self.declared.suffix}"
                add("declared type", was, "")
        if self.big_endian:
            add("endianness", "big-endian bytes", "little-endian")
        if self.fit != right.fit:
            add("fit", FITS[self.fit], FITS[right.fit])
        elif _levels(self.pad) not in {"", _levels(right.pad)}:
            add("pad", f"border filled with {_levels(self.pad)}", _levels(right.pad))
        if self.filter != right.filter:
            add("resize", f"filter {self.filter} ({FILTERS[self.filter]})", right.filter)
        if self.exif != right.exif:
            said = {"apply": "EXIF orientation applied", "ignore": "EXIF orientation ignored"}
            add("exif", said[self.exif], said[right.exif])
        if self.alpha != right.alpha and self.channels == right.channels:
            add("alpha", ALPHAS[self.alpha], ALPHAS[right.alpha])
        if self.flip:
            add("flip", f"the picture {self.flip}", "")
        if any(self.shift):
            add("shift", _shifted(*self.shift), "")
        if self.valid is not None:
            rest = "then the same again" if self.repeated else "then nothing of the picture"
            was = f"only the first {self.valid} of {right.elements} values, {rest}"
            add("buffer", was, "")
        return tuple(found)

    def _signed_otherwise(self, right: Making) -> bool:
        """Whether 0 to 255 as u8 stands where ``value - 128`` as i8 belongs, or the reverse."""
        return {self.type, right.type} == {TensorType.U8, TensorType.I8} and all(
            making.scaling.close_to(whole_levels(making.type, making.color), 1e-4)
            for making in (self, right)
        )

    def _other_size(self, right: Making) -> bool:
        return sorted((self.height, self.width)) != sorted((right.height, right.width))


@dataclass(frozen=True, slots=True)
class Candidate:
    """A way to make the tensor, and how far what it makes is from it.

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
        What there is to know besides.
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


def _levels(pad: tuple[int, ...] | None) -> str:
    """Return the levels of a border, one where all channels have the same; empty for no border."""
    if pad is None:
        return ""
    return ", ".join(map(str, pad[:1] if len(set(pad)) == 1 else pad))


def _shifted(rows: int, columns: int) -> str:
    said = []
    for count, what in ((rows, "row"), (columns, "column")):
        if count:
            way = "late" if count < 0 else "early"
            said.append(f"{abs(count)} {what}{'s' if abs(count) > 1 else ''} too {way}")
    return "the picture begins " + " and ".join(said)
