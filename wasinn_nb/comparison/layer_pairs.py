"""How the layers that two models have in common differ, in groups that bound memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.comparison.matching import Pair
from wasinn_nb.runtimes import INPUT, Layer, LayeredModel, QuantizedModel

__all__ = ["MOST_BYTES", "Measured", "Rounded", "measured", "signal_to_noise"]

MOST_BYTES: Final = 1 << 27
"""How many bytes of a side's layers are held at once, unless one layer alone takes more."""

_PART: Final = 1 << 16


class Measured(NamedTuple):
    """How a layer of b differs from a's.

    Attributes
    ----------
    snr : float
        Signal to noise in dB where both models run through; infinite where all values are equal.
    own : float
        The same of the layer alone: b's, computed from a's values.
    largest : float
        The largest difference where both run through, as a part of a's largest value.
    rounded : float or None
        As *own*, of the layer with a's weights rounded; None where that is not known.
    """

    snr: float
    own: float
    largest: float
    rounded: float | None = None


class Rounded(NamedTuple):
    """What b would be if nothing but rounding told it from a.

    Attributes
    ----------
    model : LayeredModel
        b with a's weights, rounded to 8 bits.
    layers : frozenset of int
        Which of its layers have them.
    """

    model: LayeredModel
    layers: frozenset[int]

    @classmethod
    def of(cls, a: LayeredModel, b: LayeredModel, pairs: Sequence[Pair]) -> Rounded | None:
        """Return it where b is quantized and a is not, and both show weights; else None."""
        if (a.weights == "i8" or b.weights != "i8") or not (
            isinstance(a, QuantizedModel) and isinstance(b, QuantizedModel)
        ):
            return None
        places = {pair.a: pair.b for pair in pairs}
        weights = {places[one]: values for one, values in a.weights_of([*places]).items()}
        return cls(b.with_weights(weights), frozenset(weights))

    def values_from(
        self, layers: Sequence[int], known: Mapping[int, NDArray[Any]]
    ) -> dict[int, NDArray[Any]]:
        """Return the values of those of some layers that have a's weights, from *known* ones."""
        chosen = [layer for layer in layers if layer in self.layers]
        if not chosen:
            return {}
        return dict(zip(chosen, self.model.values_from(chosen, known), strict=True))


def measured(
    a: LayeredModel,
    b: LayeredModel,
    pairs: Sequence[Pair],
    images: tuple[NDArray[Any], NDArray[Any]],
    step: Callable[[int], object] = lambda _: None,
    most_bytes: int = MOST_BYTES,
    known: Sequence[Pair] | None = None,
    rounded: Rounded | None = None,
) -> list[Measured]:
    """Return how each of the common layers differs.

    Each group of layers takes three runs: of a, of b, and of b's layers from a's values; a fourth
    one where *rounded* has some of them.

    Parameters
    ----------
    a, b : LayeredModel
    pairs : sequence of Pair
    images : (array, array)
        What each of them takes.
    step : callable, optional
        Called after each group with the number of its layers.
    most_bytes : int
        As `MOST_BYTES`.
    known : sequence of Pair, optional
        Those whose values of a the others are computed from.  Default: *pairs*.
    rounded : Rounded, optional
    """
    of_b = {pair.b: pair.a for pair in (pairs if known is None else known)}
    stops = frozenset(of_b)
    reads = [b.reads(pair.b, stops) for pair in pairs]
    done: list[Measured] = []
    for group in _groups(a.layers, pairs, reads, of_b, most_bytes):
        own = [pairs[number] for number in group]
        needed = frozenset().union(*(reads[number] for number in group)) - {INPUT}
        asked = sorted({pair.a for pair in own} | {of_b[layer] for layer in needed})
        values = dict(zip(asked, a.values(asked, images[0]), strict=True))
        first = [values[pair.a] for pair in own]
        layers = [pair.b for pair in own]
        free = [_compared(x, y) for x, y in zip(first, b.values(layers, images[1]), strict=True)]
        given: Mapping[int, NDArray[Any]] = {INPUT: images[0].reshape(images[1].shape)} | {
            layer: values[of_b[layer]] for layer in needed
        }
        alone = b.values_from(layers, given)
        expected = {} if rounded is None else rounded.values_from(layers, given)
        done += [
            Measured(
                snr,
                signal_to_noise(x, y),
                largest,
                signal_to_noise(x, expected[layer]) if layer in expected else None,
            )
            for layer, (snr, largest), x, y in zip(layers, free, first, alone, strict=True)
        ]
        step(len(group))
    return done


def _groups(
    layers: Sequence[Layer],
    pairs: Sequence[Pair],
    reads: Sequence[frozenset[int]],
    of_b: Mapping[int, int],
    most_bytes: int,
) -> Iterator[list[int]]:
    """Yield numbers of pairs whose layers, and those that they read, fit into memory."""

    def size(layer: int) -> int:
        return layers[layer].itemsize * math.prod(layers[layer].dimensions)

    group: list[int] = []
    held: set[int] = set()
    for number, pair in enumerate(pairs):
        more = {pair.a} | {of_b[layer] for layer in reads[number] if layer != INPUT}
        if group and sum(map(size, held | more)) > most_bytes:
            yield group
            group, held = [], set()
        group.append(number)
        held |= more
    if group:
        yield group


def signal_to_noise(values: NDArray[Any], others: NDArray[Any]) -> float:
    """Return the power of *values* over that of the difference, in dB.

    Parameters
    ----------
    values, others : arrays of one number of elements

    Returns
    -------
    float
        Infinite where all are equal, NaN in the same places included; minus infinity where *values*
        are all zero and *others* are not, or a value is not finite on one side alone.

    Examples
    --------
    >>> signal_to_noise(np.array([3.0, 4.0]), np.array([3.0, 4.5]))
    20.0
    >>> signal_to_noise(np.array([0.0, 1.0]), np.array([0.0, 1.0]))
    inf
    """
    return _compared(values, others)[0]


def _compared(values: NDArray[Any], others: NDArray[Any]) -> tuple[float, float]:
    """Return the signal to noise in dB, and the largest difference as a part of the largest."""
    one, other = values.reshape(-1), others.reshape(-1)
    if values.dtype.kind != "f":
        one, other = one.astype(np.float64), other.astype(np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        found = _powers(one, other)
    if not all(map(math.isfinite, found)):
        one, other = one.astype(np.float64), other.astype(np.float64)
        finite = np.isfinite(one) & np.isfinite(other)
        same = (one == other) | (np.isnan(one) & np.isnan(other))
        if not same[~finite].all():
            return -math.inf, math.inf
        found = _powers(one[finite], other[finite])
    signal, noise, peak, largest = found
    if not noise:
        return math.inf, 0.0
    return (10 * math.log10(signal / noise), largest / peak) if signal else (-math.inf, math.inf)


def _powers(one: NDArray[Any], other: NDArray[Any]) -> tuple[float, float, float, float]:
    """Return the powers of values and of the difference, and the largest of either."""
    signal = noise = peak = largest = 0.0
    for start in range(0, one.size, _PART):  # parts that stay in the processor's cache
        x = one[start : start + _PART]
        apart = x - other[start : start + _PART]
        signal += float(x @ x)
        noise += float(apart @ apart)
        peak = max(peak, float(x.max()), -float(x.min()))
        largest = max(largest, float(apart.max()), -float(apart.min()))
    return signal, noise, peak, largest
