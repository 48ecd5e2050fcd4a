"""How far two tensors differ: numbers and a sentence, whatever they belong to."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.comparison.hints import mixed_up
from wasinn_nb.imaging import DECODERS_MEAN, DECODERS_MOST
from wasinn_nb.tensor import Tensor
from wasinn_nb.wording import percent

__all__ = ["TOLERANCE", "TensorDifference", "compare_tensors"]

TOLERANCE: Final = 0.01
"""What is the same within precision, as a part of the largest value; measured in `agreement`."""

# A multiple of the tolerance; the table in `agreement` says how it was chosen.
_PEAK: Final = 25.0
# Where a difference is more, units in the last place tell less than the values.
_MOST_ULPS: Final = 4096
# Elements at a time, so that tensors of any size take the memory of themselves.
_BLOCK: Final = 1 << 18

_SAME_BYTES: Final = "the same bytes"

Role = Literal["input", "output"]


@dataclass(frozen=True, slots=True, eq=False)
class TensorDifference:
    """How two tensors differ.

    Attributes
    ----------
    identical : bool
        Dimensions, type and bytes are the same.
    within : bool
        Whether the difference is within the tolerance.
    notes : tuple of str
        What differs besides values: shape, layout, type, NaN.
    largest, mean, rms : float or None
        Of the absolute differences; None where the shapes cannot be compared element by element.
    scale : float
        The largest absolute finite value of either.
    share : float or None
        The part of the elements that differ.
    ulps : int or None
        The largest difference in units in the last place, where both are floats of one type and
        it is small.
    where : tuple of int or None
        The index of the largest difference, in the dimensions of the first tensor.
    values : (float, float) or None
        What stands there.
    """

    identical: bool
    within: bool
    notes: tuple[str, ...] = ()
    largest: float | None = None
    mean: float | None = None
    rms: float | None = None
    scale: float = 0.0
    share: float | None = None
    ulps: int | None = None
    where: tuple[int, ...] | None = None
    values: tuple[float, float] | None = None

    @property
    def short(self) -> str:
        """What differs, without the figures where a name says it."""
        if self.identical:
            return _SAME_BYTES
        if self.notes and not self.within:
            return "; ".join(self.notes)
        return "; ".join([*self.notes, *self._peak])

    def __str__(self) -> str:
        if self.identical:
            return _SAME_BYTES
        values = ", ".join([*self._peak, *self._average])
        return "; ".join([*self.notes, *([values] if values else [])])

    @property
    def _peak(self) -> list[str]:
        """How far values differ at most, in words; nothing where it is not known."""
        if self.largest is None:
            return []
        if self.largest == 0:
            return ["equal values"]
        ulps = "" if self.ulps is None else f" ({self.ulps} ULP)"
        return [f"values differ by up to {self.largest:.3g}{ulps}"]

    @property
    def _average(self) -> list[str]:
        """How far values differ on average, and how many do, in words."""
        if not self.largest or self.share is None:
            return []
        return [f"{self.mean:.3g} on average", f"at {percent(self.share)} of the elements"]


# Differences of infinities are NaN and sums near the largest float64 infinite: both are meant.
@np.errstate(invalid="ignore", over="ignore")
def compare_tensors(
    a: Tensor,
    b: Tensor,
    tolerance: float = TOLERANCE,
    role: Role = "output",
    level: float | None = None,
) -> TensorDifference:
    """Measure how two tensors differ.

    Parameters
    ----------
    a, b : Tensor
        Dimensions of 1 do not count, and (C, H, W) is compared with (H, W, C).
    tolerance : float
        See `agreement`.
    role : {"input", "output"}
        An input may differ by *tolerance* at most, or as much as what two JPEG decoders give (see
        `wasinn_nb.imaging.decoders`; for another tolerance in proportion); an output by that in the
        root mean square, and 25 times that at most.
    level : float, optional
        Of inputs, by how much one of the 255 levels of an image changes a value.  Default: a 255th
        of what lies between the least and the greatest value.

    Examples
    --------
    >>> a = Tensor.from_array(np.array([[0.5, 1.0]], np.float32))
    >>> b = Tensor.from_array(np.array([[0.5, 1 - 2**-24]], np.float32))
    >>> print(compare_tensors(a, b))
    values differ by up to 5.96e-08 (1 ULP), 2.98e-08 on average, at 50.00 % of the elements
    >>> print(compare_tensors(a, Tensor.from_array(np.array([0.5], np.float32))))
    1x2xf32, 8 bytes against 1xf32, 4 bytes
    """
    if a == b:
        return TensorDifference(identical=True, within=True)
    notes: list[str] = []
    if a.dimensions != b.dimensions and a.type is b.type and a.data == b.data:
        same = _plain(a.dimensions) == _plain(b.dimensions)
        notes.append(f"the same bytes as {_shape(a)} and as {_shape(b)}")
        return TensorDifference(identical=False, within=same, notes=tuple(notes))
    if a.type is not b.type:
        notes.append(f"type {a.type.suffix} against {b.type.suffix}")
    first = a.to_array().reshape(_plain(a.dimensions))
    second = b.to_array().reshape(_plain(b.dimensions))
    aligned = _in_layout_of(first, second)
    if aligned is None:
        sizes = " against ".join(f"{t.signature}, {t.nbytes} bytes" for t in (a, b))
        how = mixed_up(first, second)
        notes = [sizes] if how is None else [how, sizes]
        return TensorDifference(identical=False, within=False, notes=tuple(notes))
    if aligned is not second:
        notes.append(f"layout {_shape(a)} against {_shape(b)}")
    elif a.dimensions != b.dimensions:
        notes.append(f"dimensions {_shape(a)} against {_shape(b)}")
    found = _measured(first, aligned, tolerance, role, level, a.dimensions)
    if not found.within and (how := mixed_up(first, second)):
        notes.append(how)
    return replace(found, notes=(*notes, *found.notes))


def _measured(
    a: NDArray[Any],
    b: NDArray[Any],
    tolerance: float,
    role: Role,
    level: float | None,
    dims: tuple[int, ...],
) -> TensorDifference:
    """Measure two arrays of one shape, a block at a time."""
    if a.size == 0:
        return TensorDifference(identical=False, within=True, largest=0.0, share=0.0)
    first, second = a.reshape(-1), b.reshape(-1)
    total = squares = 0.0
    least, greatest = math.inf, -math.inf
    largest, at, differing, misplaced = -1.0, 0, 0, False
    nans = [0, 0]
    for start in range(0, first.size, _BLOCK):
        x, y = (v[start : start + _BLOCK].astype(np.float64) for v in (first, second))
        differences = np.abs(x - y)
        whole = float(differences.sum())
        if not math.isfinite(whole):
            nan = np.isnan(x), np.isnan(y)
            nans = [n + int(np.count_nonzero(flags)) for n, flags in zip(nans, nan, strict=True)]
            misplaced = misplaced or bool((nan[0] != nan[1]).any())
            # Equal infinities differ by NaN, as do two NaN: neither is a difference.
            differences[(x == y) | (nan[0] & nan[1])] = 0.0
            differences[np.isnan(differences)] = np.inf
            whole = float(differences.sum())
        for low, high in map(_finite_ends, (x, y)):
            least, greatest = min(least, low), max(greatest, high)
        peak = int(differences.argmax())
        if differences[peak] > largest:
            largest, at = float(differences[peak]), start + peak
        total += whole
        squares += float(differences @ differences)
        differing += int(np.count_nonzero(differences))
    rms = math.sqrt(squares / first.size)
    scale, notes = max(abs(least), abs(greatest)), []
    if misplaced:
        notes.append(f"NaN: {nans[0]} in a, {nans[1]} in b")
    if role == "input":
        within = largest <= tolerance * scale
        levels = (level or (greatest - least) / 255) * tolerance / TOLERANCE
        if not within and largest <= DECODERS_MOST * levels:
            within = total / first.size <= DECODERS_MEAN * levels
            notes += ["no further apart than two JPEG decoders"] if within else []
    else:
        within = rms <= tolerance * scale and largest <= _PEAK * tolerance * scale
    return TensorDifference(
        identical=False,
        within=within and not misplaced,
        notes=tuple(notes),
        largest=largest,
        mean=total / first.size,
        rms=rms,
        scale=scale,
        share=differing / first.size,
        ulps=_ulps(first, second) if 0 < largest < math.inf and not any(nans) else None,
        where=tuple(map(int, np.unravel_index(at, dims))),
        values=(float(first[at]), float(second[at])),
    )


def _finite_ends(values: NDArray[np.float64]) -> tuple[float, float]:
    """Return the least and the greatest finite value."""
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return low, high


def _ulps(a: NDArray[Any], b: NDArray[Any]) -> int | None:
    """Return the largest distance in representable numbers, or None where it tells little."""
    if a.dtype != b.dtype or a.dtype.kind != "f" or a.dtype.itemsize > 4:
        return None
    kind = np.dtype(f"<i{a.dtype.itemsize}")
    most = 0
    for start in range(0, a.size, _BLOCK):
        steps = []
        for values in (a, b):
            part = np.ascontiguousarray(values[start : start + _BLOCK])
            bits = part.view(kind).astype(np.int64)
            # Negative numbers count downwards from zero.
            steps.append(np.where(bits < 0, np.int64(np.iinfo(kind).min) - bits, bits))
        most = max(most, int(np.abs(steps[0] - steps[1]).max()))
        if most > _MOST_ULPS:
            return None
    return most


def _in_layout_of(a: NDArray[Any], b: NDArray[Any]) -> NDArray[Any] | None:
    """Return *b* in the layout of *a*: itself, or with its channels moved; None if nothing fits."""
    if a.shape == b.shape:
        return b
    if a.ndim == b.ndim == 3:
        for moved in (np.moveaxis(b, -1, 0), np.moveaxis(b, 0, -1)):
            if moved.shape == a.shape:
                return moved
    return None


def _plain(dimensions: tuple[int, ...]) -> tuple[int, ...]:
    """Return dimensions without those of 1 that lead; one at least stays."""
    return tuple(itertools.dropwhile(lambda side: side == 1, dimensions)) or (1,)


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.dimensions))
