"""What a program may have done to a picture, as values that name their mistakes and remedies."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.abi import TensorType
from wasinn_nb.diagnosis.remedies import Mistake, python_line, rust_line
from wasinn_nb.diagnosis.resampling import ALPHAS, FILTERS, FITS
from wasinn_nb.errors import RecipeError
from wasinn_nb.recipe import Color, Exif, PreprocessRecipe

__all__ = ["ORDERS", "Candidate", "Making", "Order", "Scaling", "Unit", "known_scalings"]

Order = Literal["CHW", "HWC", "CWH", "WHC"]
"""How the values of a picture of H rows and W columns follow each other in memory."""
Unit = Literal["levels", "scores", "pixels"]
ORDERS: Final[tuple[Order, ...]] = ("CHW", "HWC", "CWH", "WHC")

Triple = tuple[float, float, float]
_IMAGENET_MEAN: Final = (0.485, 0.456, 0.406)
_IMAGENET_STD: Final = (0.229, 0.224, 0.225)
_CLIP_MEAN: Final = (0.48145466, 0.4578275, 0.40821073)
_CLIP_STD: Final = (0.26862954, 0.26130258, 0.27577711)
_CAFFE_MEAN: Final = (123.68, 116.779, 103.939)


@dataclass(frozen=True, slots=True)
class Scaling:
    """How 0 to 255 become the values of a tensor: ``value * slope + offset``, by channel.

    Parameters
    ----------
    name : str
        In words.
    slope, offset : (float, float, float)
        In the order of the tensor's channels.
    fitted : bool
        Whether it was computed from the tensor: it then says something only if it is exact.

    Examples
    --------
    >>> half = Scaling("-1 to 1", (1 / 127.5,) * 3, (-1.0,) * 3)
    >>> half.apply(np.array([[0, 127.5, 255]])).tolist()
    [[-1.0, 0.0, 1.0]]
    """

    name: str
    slope: Triple
    offset: Triple
    fitted: bool = False

    @classmethod
    def of(cls, recipe: PreprocessRecipe) -> Scaling:
        """Return the scaling of a recipe."""
        low, high = recipe.range
        slope = [(high - low) / 255 / scale for scale in recipe.scale]
        offset = [(low - m) / s for m, s in zip(recipe.mean, recipe.scale, strict=True)]
        made = cls("", _triple(slope), _triple(offset))
        for known in known_scalings(recipe.color):
            if known.close_to(made):
                return cls(known.name, made.slope, made.offset)
        return cls("the model's range, mean and scale", made.slope, made.offset)

    def close_to(self, other: Scaling, tolerance: float = 1e-5) -> bool:
        """Whether no value of 0 to 255 comes out differently by more than *tolerance* of 255."""
        ours, theirs = (zip(s.slope, s.offset, strict=True) for s in (self, other))
        for (a, b), (c, d) in zip(ours, theirs, strict=True):
            most = tolerance * 255 * min(abs(a), abs(c))
            if a * c <= 0 or abs(b - d) > most or abs(255 * (a - c) + b - d) > most:
                return False
        return True

    def apply(self, levels: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return the values of (…, 3) levels from 0 to 255."""
        return np.asarray(levels, np.float64) * self.slope + self.offset

    def undo(self, values: NDArray[np.generic]) -> NDArray[np.float32]:
        """Return the levels from 0 to 255 of (…, 3) values."""
        offset, slope = np.array(self.offset, np.float32), np.array(self.slope, np.float32)
        levels: NDArray[np.float32] = (np.asarray(values, np.float32) - offset) / slope
        return levels

    def recipe_fields(self) -> dict[str, tuple[float, ...]]:
        """Return the same as fields of a `PreprocessRecipe`."""
        slope, offset = np.array(self.slope), np.array(self.offset)
        if np.ptp(slope) == 0 and np.ptp(offset) == 0:
            return {"range": (float(offset[0]), float(slope[0] * 255 + offset[0]))}
        return {
            "range": (0.0, 1.0),
            "mean": tuple((-offset / (slope * 255)).tolist()),
            "scale": tuple((1 / (slope * 255)).tolist()),
        }


@functools.cache
def known_scalings(color: Color) -> tuple[Scaling, ...]:
    """Return the scalings that programs are known to use, for a tensor of this channel order.

    Examples
    --------
    >>> [scaling.name for scaling in known_scalings("BGR")[:2]]
    ['0 to 255', '0 to 1']
    """
    return tuple(_known_scalings(color))


def _known_scalings(color: Color) -> Iterator[Scaling]:

    def same(name: str, low: float, high: float) -> Scaling:
        return Scaling(name, ((high - low) / 255,) * 3, (low,) * 3)

    def normal(name: str, mean: Triple, std: Triple, divisor: float = 255) -> Scaling:
        slope = [1 / divisor / s for s in std]
        return Scaling(name, _triple(slope), _triple([-m / s for m, s in zip(mean, std)]))  # noqa: B905

    yield same("0 to 255", 0, 255)
    yield same("0 to 1", 0, 1)
    yield same("-1 to 1", -1, 1)
    turn = slice(None, None, 1 if color == "RGB" else -1)
    back = slice(None, None, -1 if color == "RGB" else 1)
    ones = (1.0, 1.0, 1.0)
    for name, mean, std in (
        ("ImageNet mean and std", _IMAGENET_MEAN, _IMAGENET_STD),
        ("CLIP mean and std", _CLIP_MEAN, _CLIP_STD),
    ):
        wrong = "BGR" if color == "RGB" else "RGB"
        yield normal(name, _triple(mean[turn]), _triple(std[turn]))
        yield normal(
            f"{name} in {wrong} order on {color} channels", _triple(mean[back]), _triple(std[back])
        )
    mean, std = _triple(_IMAGENET_MEAN[turn]), _triple(_IMAGENET_STD[turn])
    yield normal("ImageNet mean subtracted from 0 to 1, not divided by std", mean, ones)
    yield normal("0 to 1 divided by ImageNet std, no mean subtracted", (0.0,) * 3, std)
    yield normal("ImageNet mean and std of 0 to 1 applied to 0 to 255", mean, std, 1)
    mean255 = _triple([m * 255 for m in mean])
    std255 = _triple([s * 255 for s in std])
    yield normal("ImageNet mean and std of 0 to 255 applied to 0 to 1", mean255, std255)
    for order, way in ((turn, ""), (back, " in the other channel order")):
        yield normal(f"Caffe's ImageNet mean subtracted{way}", _triple(_CAFFE_MEAN[order]), ones, 1)
    yield same("divided by 255 twice", 0, 1 / 255)
    yield same("0 to 1, divided by 256", 0, 255 / 256)
    yield same("(value - 127.5) / 128", -127.5 / 128, 127.5 / 128)
    yield same("(value - 128) / 128", -1, 127 / 128)
    yield same("-128 to 127", -128, 127)
    yield same("-0.5 to 0.5", -0.5, 0.5)
    yield same("inverted, 255 to 0", 255, 0)
    yield same("inverted, 1 to 0", 1, 0)


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
    """

    making: Making
    mistakes: tuple[Mistake, ...]
    distance: float
    furthest: float
    exact: bool
    note: str = field(default="", compare=False)
    unit: Unit = "levels"
    agreement: float | None = None

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
        if self.unit == "pixels":
            return f"{self.distance:.2%} of the pixels off".replace("%", " %", 1)
        digits = ".2f" if self.unit == "levels" else ".4f"
        return f"{self.distance:{digits}} {self.unit} off"


def _shifted(rows: int, columns: int) -> str:
    said = []
    for count, what in ((rows, "row"), (columns, "column")):
        if count:
            way = "late" if count < 0 else "early"
            said.append(f"{abs(count)} {what}{'s' if abs(count) > 1 else ''} too {way}")
    return "the picture begins " + " and ".join(said)


def _triple(values: object) -> Triple:
    first, second, third = np.asarray(values, np.float64).tolist()
    return (first, second, third)
