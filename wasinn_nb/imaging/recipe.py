"""Preprocessing as a value: what is done to an image before a model gets it."""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Literal, Self, TypedDict, Unpack, get_args

import numpy as np

from wasinn_nb.abi import TensorType
from wasinn_nb.errors import RecipeError, Remedy
from wasinn_nb.json_files import decoded_json

__all__ = ["Color", "Exif", "Fit", "Layout", "PreprocessRecipe", "RecipeFields", "Resize"]

Layout = Literal["NCHW", "NHWC", "CHW", "HWC"]
Color = Literal["BGR", "RGB", "GRAY", "RGBA", "BGRA"]
Resize = Literal["triangle", "triangle-0.23", "bilinear", "bilinear-draft"]
Exif = Literal["ignore", "apply"]
Fit = Literal["stretch", "letterbox", "crop"]

CHANNELS: Final[dict[Color, int]] = {"BGR": 3, "RGB": 3, "GRAY": 1, "RGBA": 4, "BGRA": 4}
"""How many channels a tensor of each color has."""
MAX_SIDE: Final = 65_535
# The ends of what float32, in which pixels are computed, holds at full precision.
_F32_MAX: Final = 3.4028234663852886e38
_F32_TINY: Final = 1.1754943508222875e-38
_IMAGE_TYPES: Final = frozenset({TensorType.U8, TensorType.I8, TensorType.F16, TensorType.F32})
INTEGER_LIMITS: Final = {TensorType.U8: (0, 255), TensorType.I8: (-128, 127)}
"""The least and the greatest value of the integer types that an image may have."""
_LEVELS: Final = (0.0, 255.0)
_SIGNED_LEVELS: Final = (-128.0, 127.0)
_CHOICES: Final[dict[str, tuple[str, ...]]] = {
    "layout": get_args(Layout),
    "color": get_args(Color),
    "resize": get_args(Resize),
    "exif": get_args(Exif),
    "fit": get_args(Fit),
}
_QUANTIZED: Final = Remedy(
    "for these use type f32, or state the model's quantization=(scale, zero_point)",
    command="for these use type=f32 in --recipe, or state the model's quantization there, as in "
    "quantization=0.0078:128",
)
# Fields that 0.1.0 does not know; written only where they are not the default.
_ADDED: Final = {"fit": "stretch", "pad_value": 0, "quantization": None, "bits": None}


class RecipeFields(TypedDict, total=False):
    """Fields of a recipe by name, for editors, with the types that they can be given in."""

    height: int
    width: int
    layout: Layout
    color: Color
    type: TensorType | str
    range: Sequence[float]
    mean: Sequence[float] | float
    scale: Sequence[float] | float
    resize: Resize
    exif: Exif
    fit: Fit
    pad_value: int
    quantization: Sequence[float] | None
    bits: int | None


@dataclass(frozen=True, slots=True)
class PreprocessRecipe:
    """How an image becomes a tensor: a value to save, print, compare and read back.

    The steps, in this order: open the image; turn it upright if ``exif="apply"``; resize it to
    (`height`, `width`) as `fit` states; make the channels of `color`; map ``0…255`` linearly to
    `range`; subtract `mean` and divide by `scale`, channel by channel; quantize if `quantization`
    is given; convert to `type`; lay out.

    Parameters
    ----------
    height, width : int
        Pixels, 1 to 65535.
    layout : {"NCHW", "NHWC", "CHW", "HWC"}
        ``N`` is 1 where it is written.
    color : {"BGR", "RGB", "GRAY", "RGBA", "BGRA"}
        Channel order of the tensor, and of `mean` and `scale`.  An image that is gray already
        keeps its values for ``GRAY``.  Of other images, with the filters of the Rust `image` crate
        it is the crate's ``to_luma8`` after resizing (Rec. 709): ``(2126 R + 7152 G + 722 B) /
        10000`` truncated for ``triangle``, ``0.2126 R + 0.7152 G + 0.0722 B`` in float32 truncated
        for ``triangle-0.23`` (source: ``src/color.rs`` of `image` 0.24.3 and before 0.24; issue
        1214 of that project).  With Pillow's filters it is Pillow's ``convert("L")`` before
        resizing (Rec. 601).  Alpha is 255 where an image has none.  The crate resizes it like the
        other channels; Pillow multiplies the colors by alpha first and divides them by it
        afterwards, so that transparent pixels do not count, and those that stay fully transparent
        become black.
    type : TensorType or str
        ``u8``, ``i8``, ``f16`` or ``f32``.  Without `quantization`, ``u8`` takes no range, mean or
        scale, because rounding them would lose values silently; and ``i8`` holds ``value - 128``,
        so that its range is (-128, 127), also where `range` is left at its default.
    range : sequence of two floats
        Where 0 and 255 go: ``(0, 255)`` leaves values alone, ``(0, 1)`` divides by 255.
    mean, scale : float or sequence of float
        One number for each channel, applied after `range`, in the units of `range`.  A single
        number, or several that are all equal, stand for every channel.
    resize : {"triangle", "triangle-0.23", "bilinear", "bilinear-draft"}
        ``triangle``: the Rust `image` crate from 0.24 on; ``triangle-0.23``: that crate up to 0.23;
        ``bilinear``: Pillow's; ``bilinear-draft``: the same after libjpeg has decoded a large JPEG
        at a half, a quarter or an eighth of its size, as Pillow's thumbnails are made (quicker,
        and coarser; other files: as ``bilinear``).  All of them average when they shrink.  The
        default does, bit for bit, what Rust guests do, and is the slowest: see `wasinn_nb.bench`.
        `ModelCard.from_model` takes ``bilinear`` where nothing names a filter.
    exif : {"ignore", "apply"}
        Whether the EXIF orientation turns the image.  The Rust crate ignores it.
    fit : {"stretch", "letterbox", "crop"}
        ``stretch`` resizes to exactly (`height`, `width`).  ``letterbox`` keeps the aspect ratio:
        the whole image is resized to fit inside and centered, and the rest is `pad_value`.
        ``crop`` keeps it too: the image is resized to cover (`height`, `width`), and its middle is
        taken.  `wasinn_nb.imaging.Placement` states how sizes and margins are rounded.
    pad_value : int
        The level, 0 to 255, of every channel of the border that ``letterbox`` leaves, before
        range, mean and scale.  Ultralytics uses 114.
    quantization : (float, int), optional
        Scale and zero point, for types ``u8`` and ``i8``: the value after range, mean and scale
        becomes ``rint(value / scale) + zero_point``, in float32, where `rint` rounds half to even,
        and is then clamped to the type.

    bits : int, optional
        Of gray images in files of 16 bits: how many bits values have, 9 to 16, such as 10, 12 or
        14 of many cameras; the largest value of so many bits is white.  Images of 8 bits stay as
        they are.  Default: 16.

    Raises
    ------
    RecipeError
        If a value is not one of these.

    Examples
    --------
    >>> recipe = wn.PreprocessRecipe(512, 896)
    >>> recipe
    PreprocessRecipe(1x3x512x896xf32 NCHW BGR, range 0 to 255, triangle)
    >>> recipe.diff(recipe.replace(color="RGB"))
    {'color': ('BGR', 'RGB')}
    >>> wn.PreprocessRecipe.from_json(recipe.to_json()) == recipe
    True
    >>> wn.PreprocessRecipe(640, 640, color="RGB", range=(0, 1), fit="letterbox", pad_value=114)
    PreprocessRecipe(1x3x640x640xf32 NCHW RGB, range 0 to 1, triangle, letterbox, pad value 114)
    """

    height: int
    width: int
    layout: Layout = "NCHW"
    color: Color = "BGR"
    type: TensorType = TensorType.F32
    range: tuple[float, float] = _LEVELS
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    scale: tuple[float, ...] = (1.0, 1.0, 1.0)
    resize: Resize = "triangle"
    exif: Exif = "ignore"
    fit: Fit = "stretch"
    pad_value: int = 0
    quantization: tuple[float, int] | None = None
    bits: int | None = None

    def __post_init__(self) -> None:
        for side in ("height", "width"):
            self._set(side, _whole(side, getattr(self, side), 1, MAX_SIDE, " pixels"))
        self._set("pad_value", _whole("pad_value", self.pad_value, 0, 255))
        if self.bits is not None:
            self._set("bits", _whole("bits", self.bits, 9, 16))
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise RecipeError(
                    f"expected {name} as one of {', '.join(choices)}, "
                    f"got {getattr(self, name)!r:.80}"
                )
        try:
            self._set("type", TensorType.parse(self.type))
        except ValueError as error:
            raise RecipeError(f"type: {error}") from error
        if self.type not in _IMAGE_TYPES:
            raise RecipeError(
                f"expected type u8, i8, f16 or f32 for an image, got {self.type.suffix}"
            )
        self._set("range", _floats("range", self.range, 2))
        for name in ("mean", "scale"):
            self._set(name, _per_channel(name, getattr(self, name), self.channels))
        if self.range[0] == self.range[1]:
            raise RecipeError(f"expected a range with two different ends, got {self.range}")
        if abs(self.range[1] - self.range[0]) > _F32_MAX:
            raise RecipeError(f"expected a range that float32 can span, got {self.range}")
        if min(map(abs, self.scale)) < _F32_TINY:
            raise RecipeError(f"expected a scale without zeros to divide by, got {self.scale}")
        if self.quantization is not None:
            self._set("quantization", _quantization(self.quantization, self.type))
        else:
            self._check_integers()

    def _set(self, name: str, value: object) -> None:
        object.__setattr__(self, name, value)

    def _check_integers(self) -> None:
        """Allow an integer type without quantization only what it holds without rounding."""
        if self.type is TensorType.I8 and self.range == _LEVELS:
            self._set("range", _SIGNED_LEVELS)
        if self.type is TensorType.U8 and not self.is_identity:
            raise RecipeError(
                "a u8 tensor holds 0 to 255 as they are, without a range, a mean or a scale",
                remedy=_QUANTIZED,
            )
        if self.type is TensorType.I8 and (self.range != _SIGNED_LEVELS or self._is_normalized):
            raise RecipeError(
                "an i8 tensor holds value - 128, which is the range (-128, 127), without another "
                "range, a mean or a scale",
                remedy=_QUANTIZED,
            )

    @property
    def channels(self) -> int:
        """How many channels the tensor has: 1, 3 or 4."""
        return CHANNELS[self.color]

    @property
    def is_identity(self) -> bool:
        """Whether values stay 0 to 255: no range, mean, scale or quantization."""
        return self.range == _LEVELS and not self._is_normalized and self.quantization is None

    @property
    def _is_normalized(self) -> bool:
        return any(self.mean) or any(scale != 1 for scale in self.scale)

    @property
    def dimensions(self) -> tuple[int, ...]:
        """The dimensions of the tensor, in the order of `layout`."""
        sizes = {"N": 1, "C": self.channels, "H": self.height, "W": self.width}
        return tuple(sizes[axis] for axis in self.layout)

    def replace(self, **changes: Unpack[RecipeFields]) -> Self:
        """Return a recipe with some values changed, checked as a new one is.

        Parameters
        ----------
        **changes
            Any parameters of the class: height, width, layout, color, type, range, mean, scale,
            resize, exif, fit, pad_value, quantization, bits.
        """
        unknown = sorted(set(changes) - {field.name for field in fields(self)})
        if unknown:
            raise RecipeError(f"a recipe has no {', '.join(unknown)}; it has {_field_names(self)}")
        values: Any = changes  # the class takes them, whatever the types of its fields
        return replace(self, **values)

    def diff(self, other: PreprocessRecipe) -> dict[str, tuple[Any, Any]]:
        """Return what differs: field name → (here, in *other*); empty where both are equal."""
        pairs = {f.name: (getattr(self, f.name), getattr(other, f.name)) for f in fields(self)}
        return {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}

    def to_dict(self) -> dict[str, Any]:
        """Return the recipe as plain JSON values.

        `fit`, `pad_value`, `quantization` and `bits` are left out where they have their default, so
        that version 0.1.0 reads what it can represent.
        """
        values = asdict(self) | {"type": self.type.suffix}
        for name, default in _ADDED.items():
            if values[name] == default:
                del values[name]
        return {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in values.items()
        }

    def to_json(self) -> str:
        """Return the recipe as one line of JSON."""
        return json.dumps(self.to_dict())

    @classmethod
    def from_dict(cls, values: Any) -> Self:
        """Make a recipe from what :meth:`to_dict` returned.

        Parameters
        ----------
        values : mapping

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
        """Make a recipe from what :meth:`to_json` returned; errors as in :meth:`from_dict`.

        Parameters
        ----------
        text : str
        """
        return cls.from_dict(decoded_json(text, "the recipe", RecipeError))

    def __repr__(self) -> str:
        shape = "x".join(map(str, self.dimensions))
        parts = [f"{shape}x{self.type.suffix} {self.layout} {self.color}"]
        if self.type is not TensorType.U8 or self.quantization is not None:
            parts.append(f"range {self.range[0]:g} to {self.range[1]:g}")
        if any(self.mean):
            parts.append("mean " + " ".join(f"{m:g}" for m in self.mean))
        if any(scale != 1 for scale in self.scale):
            parts.append("scale " + " ".join(f"{s:g}" for s in self.scale))
        if self.quantization is not None:
            step, zero = self.quantization
            parts.append(f"quantized with scale {step:g} and zero point {zero}")
        parts.append(self.resize)
        if self.fit != "stretch":
            parts.append(self.fit)
        if self.pad_value:
            parts.append(f"pad value {self.pad_value}")
        if self.bits is not None:
            parts.append(f"{self.bits} of 16 bits")
        if self.exif == "apply":
            parts.append("EXIF applied")
        return f"PreprocessRecipe({', '.join(parts)})"


def _whole(name: str, value: object, least: int, most: int, unit: str = "") -> int:
    try:
        number = operator.index(value)  # type: ignore[arg-type]  # NumPy's integers too
    except TypeError:
        number = least - 1
    if isinstance(value, bool) or not least <= number <= most:
        raise RecipeError(f"expected {name} from {least} to {most}{unit}, got {value!r:.80}")
    return number


def _floats(name: str, values: Any, length: int) -> tuple[float, ...]:
    numbers = _finite(values)
    if len(numbers) != length:
        raise RecipeError(
            f"expected {length} finite float32 numbers for {name}, got {values!r:.80}"
        )
    return numbers


def _per_channel(name: str, values: Any, channels: int) -> tuple[float, ...]:
    """Return one number for each channel; equal ones, or a single one, stand for all."""
    single = isinstance(values, int | float | np.number)
    numbers = _finite([values] if single else values)
    if len(set(numbers)) == 1:
        return numbers[:1] * channels
    if len(numbers) != channels:
        plural = "s" if channels > 1 else ""
        raise RecipeError(
            f"expected {channels} finite float32 number{plural} for {name}, got {values!r:.80}"
        )
    return numbers


def _quantization(values: Any, type_: TensorType) -> tuple[float, int]:
    if type_ not in INTEGER_LIMITS:
        raise RecipeError(
            f"quantization goes with type u8 or i8, got type {type_.suffix}; "
            f"set type to the model's, or leave quantization out"
        )
    try:
        step, zero = values
    except (TypeError, ValueError):
        step = zero = None
    numbers = _finite([step])
    if isinstance(values, str | bytes) or not numbers or numbers[0] < _F32_TINY:
        raise RecipeError(
            f"expected quantization as (scale, zero_point) with a positive float32 scale, "
            f"got {values!r:.80}"
        )
    return numbers[0], _whole("the zero point", zero, *INTEGER_LIMITS[type_])


def _finite(values: Any) -> tuple[float, ...]:
    """Return *values* as floats; nothing where one of them is not a finite float32 number."""
    try:
        numbers = () if isinstance(values, str | bytes) else tuple(map(float, values))
    except (TypeError, ValueError, OverflowError):
        return ()
    # Not "> _F32_MAX": NaN compares false.
    return numbers if all(abs(number) <= _F32_MAX for number in numbers) else ()


def _field_names(recipe: Any) -> str:
    return ", ".join(field.name for field in fields(recipe))
