"""How levels from 0 to 255 become the values of a tensor: the ways that programs are known for."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.recipe import Color, PreprocessRecipe

__all__ = ["Scaling", "known_scalings"]

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


def _triple(values: object) -> Triple:
    first, second, third = np.asarray(values, np.float64).tolist()
    return (first, second, third)
