"""How far two tensors differ: numbers and a sentence, whatever they belong to."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

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
    a: Tensor, b: Tensor, tolerance: float = TOLERANCE, role: Role = "output"
) -> TensorDifference:
    """Measure how two tensors differ.

    Parameters
    ----------
    a, b : Tensor
        Dimensions of 1 do not count, and (C, H, W) is compared with (H, W, C).
    tolerance : float
        See `agreement`.
    role : {"input", "output"}
        An input may differ by *tolerance* at most; an output by that in the root mean square, and
        25 times that at most.

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
        sizes = [f"{t.signature}, {t.nbytes} bytes" for t in (a, b)]
        return TensorDifference(identical=False, within=False, notes=(" against ".join(sizes),))
    if aligned is not second:
        notes.append(f"layout {_shape(a)} against {_shape(b)}")
    elif a.dimensions != b.dimensions:
        notes.append(f"dimensions {_shape(a)} against {_shape(b)}")
    found = _measured(first, aligned, tolerance, role, a.dimensions)
    if not found.within and role == "input" and (how := _explained(first, second, aligned)):
        notes.append(how)
    return replace(found, notes=(*notes, *found.notes))


def _measured(
    a: NDArray[Any], b: NDArray[Any], tolerance: float, role: Role, dims: tuple[int, ...]
) -> TensorDifference:
    """Measure two arrays of one shape, a block at a time."""
    if a.size == 0:
        return TensorDifference(identical=False, within=True, largest=0.0, share=0.0)
    first, second = a.reshape(-1), b.reshape(-1)
    total = squares = scale = 0.0
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
        scale = max(scale, _largest_finite(x), _largest_finite(y))
        peak = int(differences.argmax())
        if differences[peak] > largest:
            largest, at = float(differences[peak]), start + peak
        total += whole
        squares += float(differences @ differences)
        differing += int(np.count_nonzero(differences))
    rms = math.sqrt(squares / first.size)
    if role == "input":
        within = largest <= tolerance * scale
    else:
        within = rms <= tolerance * scale and largest <= _PEAK * tolerance * scale
    return TensorDifference(
        identical=False,
        within=within and not misplaced,
        notes=(f"NaN: {nans[0]} in a, {nans[1]} in b",) if misplaced else (),
        largest=largest,
        mean=total / first.size,
        rms=rms,
        scale=scale,
        share=differing / first.size,
        ulps=_ulps(first, second) if 0 < largest < math.inf and not any(nans) else None,
        where=tuple(map(int, np.unravel_index(at, dims))),
        values=(float(first[at]), float(second[at])),
    )


def _largest_finite(values: NDArray[np.float64]) -> float:
    low, high = float(values.min()), float(values.max())
    if not (math.isfinite(low) and math.isfinite(high)):
        finite = values[np.isfinite(values)]
        low, high = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    return max(abs(low), abs(high))


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


def _explained(a: NDArray[Any], stored: NDArray[Any], aligned: NDArray[Any]) -> str | None:
    """Say how the channels or the layout of an image were mixed up, where that is all."""
    if a.ndim != 3 or 3 not in (a.shape[0], a.shape[-1]):
        return None
    axis = 0 if a.shape[0] == 3 else 2
    reversed_ = "the channels are in reverse order (BGR against RGB)"
    if _close(a, np.flip(aligned, axis)):
        return reversed_
    if stored.shape != a.shape:
        return None
    planes, rows, columns = a.shape if axis == 0 else (a.shape[2], *a.shape[:2])
    chw, hwc = (planes, rows, columns), (rows, columns, planes)
    names = ("HWC", "CHW") if axis == 0 else ("CHW", "HWC")
    for (one, other, side), flip in itertools.product(
        ((a, stored, "b"), (stored, a, "a")), (False, True)
    ):
        # What one side's bytes would be if they lay as the other layout says.
        if axis == 0:
            meant = np.moveaxis(other.reshape(hwc), -1, 0)
        else:
            meant = np.moveaxis(other.reshape(chw), 0, -1)
        if _close(one, np.flip(meant, axis) if flip else meant):
            mixed = f"{side} holds {names[0]} bytes under {names[1]} dimensions"
            return f"{mixed}, and {reversed_}" if flip else mixed
    return None


def _close(a: NDArray[Any], b: NDArray[Any]) -> bool:
    """Return whether two images differ by no more than two decoders do."""
    step = (slice(None, None, 7), slice(None, None, 5)) if a.size > 10_000 else ()
    for part in (step, ()):  # a sample says no quickly
        x, y = a[part].astype(np.float64), b[part].astype(np.float64)
        if not np.abs(x - y).max(initial=0) <= TOLERANCE * _largest_finite(x):
            return False
    return True


def _plain(dimensions: tuple[int, ...]) -> tuple[int, ...]:
    """Return dimensions without those of 1 that lead; one at least stays."""
    return tuple(itertools.dropwhile(lambda side: side == 1, dimensions)) or (1,)


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.dimensions))
