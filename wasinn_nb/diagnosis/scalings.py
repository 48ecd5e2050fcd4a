"""How levels from 0 to 255 become the values of a tensor: the ways that programs are known for."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.abi import TensorType
from wasinn_nb.imaging import CHANNELS, INTEGER_LIMITS, Color, PreprocessRecipe

__all__ = ["Scaling", "incomplete_scalings", "known_scalings", "whole_levels"]

_Floats = tuple[float, ...]
_Limits = tuple[str, float, float]
_IMAGENET_MEAN: Final[_Floats] = (0.485, 0.456, 0.406)
_IMAGENET_STD: Final[_Floats] = (0.229, 0.224, 0.225)
_CLIP_MEAN: Final[_Floats] = (0.48145466, 0.4578275, 0.40821073)
_CLIP_STD: Final[_Floats] = (0.26862954, 0.26130258, 0.27577711)
_CAFFE_MEAN: Final[_Floats] = (123.68, 116.779, 103.939)
# Name, and what 0 and 255 become.
_BYTES: Final[_Limits] = ("0 to 255", 0, 255)
_SIGNED_BYTES: Final[_Limits] = ("-128 to 127", -128, 127)
# What rounding takes away, and a little more where float32 decides on which side of a half it is.
_ROUNDED: Final = 0.501


@dataclass(frozen=True, slots=True)
class Scaling:
    """How 0 to 255 become the values of a tensor: ``value * slope + offset``, by channel.

    Parameters
    ----------
    name : str
        In words.
    slope, offset : tuple of float
        One for each channel, in the order of the tensor's channels.
    fitted : bool
        Whether it was computed from the tensor: it then counts only if it is exact.
    limits : (int, int), optional
        Of a quantized tensor, the least and the greatest value; values are clamped to them and
        rounded.

    Examples
    --------
    >>> half = Scaling("-1 to 1", (1 / 127.5,) * 3, (-1.0,) * 3)
    >>> half.apply(np.array([[0, 127.5, 255]])).tolist()
    [[-1.0, 0.0, 1.0]]
    """

    name: str
    slope: _Floats
    offset: _Floats
    fitted: bool = False
    limits: tuple[int, int] | None = None

    @classmethod
    def of(cls, recipe: PreprocessRecipe) -> Scaling:
        """Return the scaling of a recipe."""
        step, zero_point = recipe.quantization or (1.0, 0)
        low, high = recipe.range
        slope = [(high - low) / 255 / scale / step for scale in recipe.scale]
        offset = [
            (low - mean) / scale / step + zero_point
            for mean, scale in zip(recipe.mean, recipe.scale, strict=True)
        ]
        limits = None if recipe.quantization is None else INTEGER_LIMITS[recipe.type]
        name = "the model's range, mean and scale"
        if limits is not None:
            name = f"quantized with scale {step:g} and zero point {zero_point}"
        made = cls(name, _floats(slope), _floats(offset))
        known = (known for known in known_scalings(recipe.color) if known.close_to(made))
        return replace(next(known, made), slope=made.slope, offset=made.offset, limits=limits)

    def for_channels(self, channels: int) -> Scaling | None:
        """Return the same for another number of channels; None where the channels differ."""
        if channels == len(self.slope):
            return self
        if len(set(self.slope)) > 1 or len(set(self.offset)) > 1:
            return None
        return replace(self, slope=self.slope[:1] * channels, offset=self.offset[:1] * channels)

    def close_to(self, other: Scaling, tolerance: float = 1e-5) -> bool:
        """Whether no value of 0 to 255 differs by more than *tolerance* of 255."""
        same = other.for_channels(len(self.slope))
        if same is None:
            return False
        ours, theirs = (zip(s.slope, s.offset, strict=True) for s in (self, same))
        for (a, b), (c, d) in zip(ours, theirs, strict=True):
            most = tolerance * 255 * min(abs(a), abs(c))
            if a * c <= 0 or abs(b - d) > most or abs(255 * (a - c) + b - d) > most:
                return False
        return True

    def apply(self, levels: NDArray[np.generic]) -> NDArray[np.float64]:
        """Return the values of (…, channels) levels from 0 to 255, before they are rounded."""
        values = np.asarray(levels, np.float64) * self.slope + self.offset
        return values if self.limits is None else np.clip(values, *self.limits)

    def undo(self, values: NDArray[np.generic]) -> NDArray[np.float32]:
        """Return the levels from 0 to 255 of (…, channels) values."""
        offset, slope = np.array(self.offset, np.float32), np.array(self.slope, np.float32)
        levels: NDArray[np.float32] = (np.asarray(values, np.float32) - offset) / slope
        return levels

    def distances(
        self, values: NDArray[np.generic], levels: NDArray[np.generic]
    ) -> NDArray[np.floating[Any]]:
        """Return how far values are from those of levels, in levels and without what is rounded."""
        if self.limits is None:
            return np.abs(self.undo(values) - np.asarray(levels, np.float32))
        off = np.abs(np.asarray(values, np.float64) - self.apply(levels))
        return np.maximum(off - _ROUNDED, 0) / np.abs(self.slope)

    def recipe_fields(self) -> dict[str, Any]:
        """Return the same as fields of a `PreprocessRecipe`."""
        slope, offset = np.array(self.slope), np.array(self.offset)
        quantization = {} if self.limits is None else {"quantization": (1.0, 0)}
        if np.ptp(slope) == 0 and np.ptp(offset) == 0:
            ends = (float(offset[0]), float(slope[0] * 255 + offset[0]))
            return {"range": ends, **quantization}
        return {
            "range": (0.0, 1.0),
            "mean": tuple((-offset / (slope * 255)).tolist()),
            "scale": tuple((1 / (slope * 255)).tolist()),
            **quantization,
        }


def whole_levels(type_: TensorType, color: Color) -> Scaling:
    """Return the scaling of an integer tensor that holds levels as they are: i8 less 128.

    Examples
    --------
    >>> whole_levels(TensorType.I8, "GRAY")
    Scaling(name='-128 to 127', slope=(1.0,), offset=(-128.0,), fitted=False, limits=None)
    """
    return _between(_BYTES if type_ is TensorType.U8 else _SIGNED_BYTES, CHANNELS[color])


def incomplete_scalings(recipe: PreprocessRecipe) -> list[Scaling]:
    """Return the scalings of programs that leave out the mean or the scale of a recipe.

    Examples
    --------
    >>> recipe = PreprocessRecipe(8, 8, range=(0, 1), mean=(0.1, 0.2, 0.3), scale=(2, 3, 4))
    >>> [scaling.name for scaling in incomplete_scalings(recipe)]
    ['with no mean subtracted', 'not divided by the scale']
    """
    parts: dict[str, tuple[str, _Floats]] = {
        "with no mean subtracted": ("mean", (0.0,) * recipe.channels),
        "not divided by the scale": ("scale", (1.0,) * recipe.channels),
    }
    right = Scaling.of(recipe)
    found = []
    for name, (field, idle) in parts.items():
        without: Any = {field: idle}
        scaling = Scaling.of(recipe.replace(**without))
        if not scaling.close_to(right):
            known = any(scaling.name == one.name for one in known_scalings(recipe.color))
            found.append(scaling if known else replace(scaling, name=name))
    return found


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
    channels = CHANNELS[color]
    for limits in (_BYTES, ("0 to 1", 0, 1), ("-1 to 1", -1, 1)):
        yield _between(limits, channels)
    if channels == 3:
        yield from _normalizations(color)
    for limits in (
        ("divided by 255 twice", 0, 1 / 255),
        ("0 to 1, divided by 256", 0, 255 / 256),
        ("(value - 127.5) / 128", -127.5 / 128, 127.5 / 128),
        ("(value - 128) / 128", -1, 127 / 128),
        _SIGNED_BYTES,
        ("-0.5 to 0.5", -0.5, 0.5),
        ("inverted, 255 to 0", 255, 0),
        ("inverted, 1 to 0", 1, 0),
    ):
        yield _between(limits, channels)


def _between(limits: _Limits, channels: int) -> Scaling:
    """Return the scaling to the values that 0 and 255 become, with its name."""
    name, low, high = limits
    return Scaling(name, ((high - low) / 255,) * channels, (float(low),) * channels)


def _normalizations(color: Color) -> Iterator[Scaling]:
    """Yield the scalings with means and deviations of red, green and blue."""

    def normal(name: str, mean: _Floats, std: _Floats, divisor: float = 255) -> Scaling:
        slope = [1 / divisor / s for s in std]
        return Scaling(name, _floats(slope), _floats([-m / s for m, s in zip(mean, std)]))  # noqa: B905

    turn = slice(None, None, 1 if color == "RGB" else -1)
    back = slice(None, None, -1 if color == "RGB" else 1)
    ones = (1.0, 1.0, 1.0)
    for name, mean, std in (
        ("ImageNet mean and std", _IMAGENET_MEAN, _IMAGENET_STD),
        ("CLIP mean and std", _CLIP_MEAN, _CLIP_STD),
    ):
        wrong = "BGR" if color == "RGB" else "RGB"
        yield normal(name, mean[turn], std[turn])
        yield normal(f"{name} in {wrong} order on {color} channels", mean[back], std[back])
    mean, std = _IMAGENET_MEAN[turn], _IMAGENET_STD[turn]
    yield normal("ImageNet mean subtracted from 0 to 1, not divided by std", mean, ones)
    yield normal("0 to 1 divided by ImageNet std, no mean subtracted", (0.0,) * 3, std)
    yield normal("ImageNet mean and std of 0 to 1 applied to 0 to 255", mean, std, 1)
    mean255 = _floats([m * 255 for m in mean])
    std255 = _floats([s * 255 for s in std])
    yield normal("ImageNet mean and std of 0 to 255 applied to 0 to 1", mean255, std255)
    for order, way in ((turn, ""), (back, " in the other channel order")):
        yield normal(f"Caffe's ImageNet mean subtracted{way}", _CAFFE_MEAN[order], ones, 1)


def _floats(values: Sequence[float]) -> _Floats:
    return tuple(np.asarray(values, np.float64).tolist())
