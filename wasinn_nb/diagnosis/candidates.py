"""What a program may have done to a picture, as values that name their mistakes and remedies."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.abi import TensorType
from wasinn_nb.diagnosis.remedies import Mistake, python_line, rust_line
from wasinn_nb.diagnosis.resampling import ALPHAS, FILTERS, FITS
from wasinn_nb.diagnosis.scalings import Scaling
from wasinn_nb.errors import RecipeError
from wasinn_nb.recipe import Color, Exif, PreprocessRecipe
from wasinn_nb.tables import percent

__all__ = ["ORDERS", "Candidate", "Making", "Order", "Unit"]

Order = Literal["CHW", "HWC", "CWH", "WHC"]
"""How the values of a picture of H rows and W columns follow each other in memory."""
Unit = Literal["levels", "scores", "pixels"]
ORDERS: Final[tuple[Order, ...]] = ("CHW", "HWC", "CWH", "WHC")


@dataclass(frozen=True, slots=True)
class Making:
    """One way to make a tensor of a picture.

    Parameters
    ----------
    height, width : int
        The size that the picture was resized to.
    order : {"CHW", "HWC", "CWH", "WHC"}
        How its values lie in memory.
    color : {"BGR", "RGB"}
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
            exif=recipe.exif,
        )

    @property
    def elements(self) -> int:
        """How many elements such a tensor has."""
        return 3 * self.height * self.width

    def lay_out(self, pixels: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return (h, w, 3) values in the order of memory, one after the other."""
        axes = {"H": 0, "W": 1, "C": 2}
        return np.ascontiguousarray(pixels.transpose([axes[a] for a in self.order])).reshape(-1)

    def picture(self, flat: NDArray[np.generic]) -> NDArray[np.generic]:
        """Return a flat tensor's values as the (h, w, 3) picture that they mean: a view."""
        sizes = {"H": self.height, "W": self.width, "C": 3}
        shaped = flat.reshape([sizes[axis] for axis in self.order])
        seen = shaped.transpose([self.order.index(axis) for axis in "HWC"])
        rows = -1 if self.flip in {"upside down", "turned by 180°"} else 1
        columns = -1 if self.flip in {"mirrored", "turned by 180°"} else 1
        return seen[::rows, ::columns]

    def recipe(self) -> PreprocessRecipe | None:
        """Return the recipe that makes the same tensor, or None where no recipe can say it."""
        plain = (self.fit, self.alpha, self.big_endian, self.flip, self.shift, self.valid)
        if plain != ("stretch", "drop", False, "", (0, 0), None) or self.order[1:] == "WH":
            return None
        layout = "NCHW" if self.order == "CHW" else "NHWC"
        try:
            return PreprocessRecipe.from_dict(
                {
                    "height": self.height,
                    "width": self.width,
                    "layout": layout,
                    "color": self.color,
                    "type": self.type.suffix,
                    "resize": self.filter,
                    "exif": self.exif,
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
        swapped = (
            (self.height, self.width)
            == (right.width, right.height)
            != (
                right.height,
                right.width,
            )
        )
        if self.order[1:] == "WH" or self.order == "WHC":
            was = "height and width swapped in memory (transposed, columns before rows)"
            add("layout", was, f"{right.order} in memory")
        elif self.order != right.order:
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
            add("color", f"{self.color} channels", right.color)
        if not self.scaling.close_to(right.scaling, 1e-4):
            add("range", f"values {self.scaling.name}", right.scaling.name)
        if self.type is not right.type:
            add("type", f"{self.type.suffix} elements", right.type.suffix)
        if self.declared is not None:
            was = f"{self.type.suffix} bytes declared {self.declared.suffix}"
            add("declared type", was, "")
        if self.big_endian:
            add("endianness", "big-endian bytes", "little-endian")
        if self.fit != right.fit:
            add("fit", FITS[self.fit], FITS[right.fit])
        if self.filter != right.filter:
            add("resize", f"filter {self.filter} ({FILTERS[self.filter]})", right.filter)
        if self.exif != right.exif:
            said = {"apply": "EXIF orientation applied", "ignore": "EXIF orientation ignored"}
            add("exif", said[self.exif], said[right.exif])
        if self.alpha != right.alpha:
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


def _shifted(rows: int, columns: int) -> str:
    said = []
    for count, what in ((rows, "row"), (columns, "column")):
        if count:
            way = "late" if count < 0 else "early"
            said.append(f"{abs(count)} {what}{'s' if abs(count) > 1 else ''} too {way}")
    return "the picture begins " + " and ".join(said)
