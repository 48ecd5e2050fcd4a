"""Preprocessing said as a value: what is done to an image before a model sees it."""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Literal, Self, get_args

from wasinn_nb.abi import TensorType
from wasinn_nb.errors import RecipeError

__all__ = ["Color", "Exif", "Layout", "PreprocessRecipe", "Resize"]

Layout = Literal["NCHW", "NHWC", "CHW", "HWC"]
Color = Literal["BGR", "RGB"]
Resize = Literal["triangle", "triangle-0.23", "bilinear", "bilinear-draft"]
Exif = Literal["ignore", "apply"]

MAX_SIDE: Final = 65_535
# The ends of what float32, in which pixels are computed, holds at full precision.
_F32_MAX: Final = 3.4028234663852886e38
_F32_TINY: Final = 1.1754943508222875e-38
_IMAGE_TYPES: Final = frozenset({TensorType.U8, TensorType.F16, TensorType.F32})
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "layout": get_args(Layout),
    "color": get_args(Color),
    "resize": get_args(Resize),
    "exif": get_args(Exif),
}


@dataclass(frozen=True, slots=True)
class PreprocessRecipe:
    """How an image becomes a tensor: a value to save, print, compare and read back.

    The steps, in this order: open the image; turn it upright if ``exif="apply"``; resize to
    (`height`, `width`); order the channels; map ``0…255`` linearly to `range`; subtract `mean` and
    divide by `scale`, channel by channel; convert to `type`; lay out.

    Parameters
    ----------
    height, width : int
        Pixels, 1 to 65535.
    layout : {"NCHW", "NHWC", "CHW", "HWC"}
        ``N`` is 1 where it is written.
    color : {"BGR", "RGB"}
        Channel order of the tensor, and of `mean` and `scale`.
    type : TensorType or str
        ``"u8"`` takes no range, mean or scale, because rounding them would lose values silently.
    range : (float, float)
        Where 0 and 255 go: ``(0, 255)`` leaves values alone, ``(0, 1)`` divides by 255.
    mean, scale : (float, float, float)
        Applied after `range`, in the units of `range`.
    resize : {"triangle", "triangle-0.23", "bilinear", "bilinear-draft"}
        ``triangle``: the Rust `image` crate from 0.24 on; ``triangle-0.23``: that crate up to 0.23;
        ``bilinear``: Pillow's; ``bilinear-draft``: the same after libjpeg has decoded a large JPEG
        at a half, a quarter or an eighth of its size, as Pillow's thumbnails are made (quicker,
        and coarser; other files: as ``bilinear``).  All of them average when they shrink.
    exif : {"ignore", "apply"}
        Whether the EXIF orientation turns the image.  The Rust crate ignores it.

    Raises
    ------
    RecipeError
        If a value is not one of these.

    Examples
    --------
    >>> recipe = PreprocessRecipe(512, 896)
    >>> recipe
    PreprocessRecipe(1x3x512x896xf32 NCHW BGR, range 0 to 255, triangle)
    >>> recipe.diff(recipe.replace(color="RGB"))
    {'color': ('BGR', 'RGB')}
    >>> PreprocessRecipe.from_json(recipe.to_json()) == recipe
    True
    """

    height: int
    width: int
    layout: Layout = "NCHW"
    color: Color = "BGR"
    type: TensorType = TensorType.F32
    range: tuple[float, float] = (0.0, 255.0)
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    scale: tuple[float, float, float] = (1.0, 1.0, 1.0)
    resize: Resize = "triangle"
    exif: Exif = "ignore"

    def __post_init__(self) -> None:
        for side in ("height", "width"):
            value = getattr(self, side)
            try:
                pixels = operator.index(value)  # NumPy's integers too
            except TypeError:
                pixels = 0
            if isinstance(value, bool) or not 1 <= pixels <= MAX_SIDE:
                raise RecipeError(f"expected {side} from 1 to {MAX_SIDE} pixels, got {value!r:.80}")
            object.__setattr__(self, side, pixels)
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise RecipeError(
                    f"expected {name} as one of {', '.join(choices)}, "
                    f"got {getattr(self, name)!r:.80}"
                )
        try:
            type_ = TensorType.parse(self.type)
        except ValueError as error:
            raise RecipeError(f"type: {error}") from error
        if type_ not in _IMAGE_TYPES:
            raise RecipeError(f"expected type u8, f16 or f32 for an image, got {type_.suffix}")
        object.__setattr__(self, "type", type_)
        for name, length in (("range", 2), ("mean", 3), ("scale", 3)):
            object.__setattr__(self, name, _floats(name, getattr(self, name), length))
        if self.range[0] == self.range[1]:
            raise RecipeError(f"expected a range with two different ends, got {self.range}")
        if min(map(abs, self.scale)) < _F32_TINY:
            raise RecipeError(f"expected a scale without zeros to divide by, got {self.scale}")
        if type_ is TensorType.U8 and not self.is_identity:
            raise RecipeError(
                "a u8 tensor holds 0 to 255 as they are; use type f32 for a range, mean or scale"
            )

    @property
    def is_identity(self) -> bool:
        """Whether values stay 0 to 255: no range, mean or scale."""
        return self.range == (0.0, 255.0) and not any(self.mean) and self.scale == (1.0, 1.0, 1.0)

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The dimensions of the tensor, in the order of `layout`."""
        sizes = {"N": 1, "C": 3, "H": self.height, "W": self.width}
        return tuple(sizes[axis] for axis in self.layout)

    def replace(self, **changes: Any) -> Self:
        """Return a recipe with some values changed, checked as a new one is."""
        unknown = sorted(set(changes) - {field.name for field in fields(self)})
        if unknown:
            raise RecipeError(f"a recipe has no {', '.join(unknown)}; it has {_field_names(self)}")
        return replace(self, **changes)

    def diff(self, other: PreprocessRecipe) -> dict[str, tuple[Any, Any]]:
        """Return what differs: field name → (here, in *other*); empty where both are equal."""
        pairs = {f.name: (getattr(self, f.name), getattr(other, f.name)) for f in fields(self)}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as plain JSON values."""
        return asdict(self) | {
            "type": self.type.suffix,
            "range": list(self.range),
            "mean": list(self.mean),
            "scale": list(self.scale),
        }

    def to_json(self) -> str:
        """Return the recipe as one line of JSON."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Make a recipe from what :meth:`to_dict` returned.

        Raises
        ------
        RecipeError
            If a field is missing, unknown or wrong.
        """
        if not isinstance(values, Mapping):  # it comes from JSON, which holds anything
            raise RecipeError(f"expected a recipe as a JSON object, got {values!r:.80}")
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(map(str, values)) - known):
            raise RecipeError(f"a recipe has no {', '.join(unknown)}; it has {_field_names(cls)}")
        if missing := sorted({"height", "width"} - set(values)):
            raise RecipeError(f"the recipe lacks {', '.join(missing)}")
        return cls(**values)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Make a recipe from what :meth:`to_json` returned; errors as in :meth:`from_dict`."""
        try:
            values = json.loads(text)
        except (ValueError, RecursionError, TypeError) as error:
            raise RecipeError(f"the recipe is no JSON: {error}") from error
        return cls.from_dict(values)

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.dimensions))
        parts = [f"{shape}x{self.type.suffix} {self.layout} {self.color}"]
        if self.type is not TensorType.U8:
            parts.append(f"range {self.range[0]:g} to {self.range[1]:g}")
        if any(self.mean):
            parts.append("mean " + " ".join(f"{m:g}" for m in self.mean))
        if self.scale != (1.0, 1.0, 1.0):
            parts.append("scale " + " ".join(f"{s:g}" for s in self.scale))
        parts.append(self.resize)
        if self.exif == "apply":
            parts.append("EXIF applied")
        return f"PreprocessRecipe({', '.join(parts)})"


def _floats(name: str, values: Any, length: int) -> tuple[float, ...]:
    try:
        numbers = () if isinstance(values, str | bytes) else tuple(map(float, values))
    except (TypeError, ValueError, OverflowError):
        numbers = ()
    # Not "> _F32_MAX": NaN compares false.
    if len(numbers) != length or not all(abs(number) <= _F32_MAX for number in numbers):
        raise RecipeError(
            f"expected {length} finite float32 numbers for {name}, got {values!r:.80}"
        )
    return numbers


def _field_names(recipe: Any) -> str:
    return ", ".join(field.name for field in fields(recipe))
