"""The search: which way of making it makes this tensor of this image.

The axes are taken one after the other.  At a few thousand pixels the layouts, sizes and fits are
distinguished by correlation, which no linear scaling changes; on those that are left, least squares
gives the scaling, and every filter is tried; the best few are then compared value by value.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.diagnosis.candidates import Candidate, Making
from wasinn_nb.diagnosis.decoding import Decoded, decodings, image_shapes, written
from wasinn_nb.diagnosis.differences import mistakes_of
from wasinn_nb.diagnosis.exactness import judged, part_of
from wasinn_nb.diagnosis.filters import FILTERS
from wasinn_nb.diagnosis.geometries import colors_of, geometries
from wasinn_nb.diagnosis.misreadings import misreadings, wraps
from wasinn_nb.diagnosis.resampling import FITS, GRAYS, Original, own_gray
from wasinn_nb.diagnosis.sampling import least_squares, likeness, some_points
from wasinn_nb.diagnosis.scalings import Scaling, incomplete_scalings, known_scalings
from wasinn_nb.diagnosis.spaces import SPACES, Space, mixture
from wasinn_nb.imaging import CHANNELS, DECODERS_MEAN, Color, PreprocessRecipe, ordered
from wasinn_nb.tensor import Tensor

__all__ = ["Match", "match"]

_SHIFTS: Final = tuple(
    (rows, columns)
    for rows in (-2, -1, 0, 1, 2)
    for columns in (-2, -1, 0, 1, 2)
    if rows or columns
)
# Below this correlation a tensor shows nothing of an image; a wrong filter keeps 0.95.
_SEEN: Final = 0.85
_WORTH_A_TRY: Final = 0.75
_MARGIN: Final = 0.1
# Enough to distinguish layouts.
_FEW_POINTS: Final = 800
_SURVIVORS: Final = 6


@dataclass(frozen=True, slots=True)
class Match:
    """What the search found.

    Attributes
    ----------
    candidates : tuple of Candidate
        The nearest first.
    likeness : float
        The highest correlation with the image, 0 to 1.
    comparable : bool
        Whether there is a size that an image of so many values may have.
    mixed : float
        The highest correlation with mixtures of the image's channels, or with wrapped levels.
    """

    candidates: tuple[Candidate, ...]
    likeness: float
    comparable: bool = True
    mixed: float = 0.0

    @property
    def fits(self) -> bool:
        """Whether the first candidate explains the tensor."""
        return bool(self.candidates) and (self.candidates[0].exact or self.candidates[0].near)


def match(tensor: Tensor, original: Original, recipe: PreprocessRecipe) -> Match:
    """Find how *tensor* was made of *original*, as a program of the model of *recipe* might have.

    Parameters
    ----------
    tensor : Tensor
    original : Original
    recipe : PreprocessRecipe

    Returns
    -------
    Match
        Without candidates where the tensor is of a size that no image has.
    """
    with np.errstate(all="ignore"):  # tensors hold anything
        return _matched(tensor, original, recipe)


def _matched(tensor: Tensor, original: Original, recipe: PreprocessRecipe) -> Match:
    best = Match((), 0.0, comparable=False)
    readings = tuple(decodings(tensor, recipe))
    for decoded in readings:
        found = _Search(decoded, original, recipe).run()
        if not best.comparable or _rank(found) < _rank(best):
            best = found
        if best.candidates and best.candidates[0].exact:
            break
    if best.comparable and not any(tensor.data):
        return replace(best, candidates=_with_nothing(best.candidates, recipe))
    if not best.fits:
        own = Decoded(np.frombuffer(tensor.data, tensor.type.dtype), tensor.type)
        for decoded in misreadings(readings[0] if readings else own, recipe):
            found = _Search(decoded, original, recipe).run()
            if found.fits:
                return found
    return best


def _with_nothing(
    candidates: tuple[Candidate, ...], recipe: PreprocessRecipe
) -> tuple[Candidate, ...]:
    """Return *candidates* with the one of a tensor that was never written; it explains zeros."""
    making = replace(Making.of(recipe), pad=None, valid=0)
    nothing = Candidate(making, mistakes_of(making, recipe), 0.0, 0.0, exact=True)
    exact = [one for one in candidates if one.exact and len(one.mistakes) <= 1]
    others = [one for one in candidates if one not in exact]
    return (*exact, nothing, *others)


def _rank(found: Match) -> tuple[bool, float]:
    nearest = found.candidates[0].distance if found.candidates else math.inf
    return not found.fits, nearest if found.fits else -found.likeness


class _Search:
    """The search over one reading of the bytes."""

    def __init__(self, decoded: Decoded, original: Original, recipe: PreprocessRecipe) -> None:
        self.decoded, self.original, self.recipe = decoded, original, recipe
        right = Making.of(recipe)
        self.base = replace(
            right,
            type=decoded.type,
            big_endian=decoded.big_endian,
            declared=decoded.declared,
            dimensions=decoded.dimensions,
            pad=None,
            wrapped=decoded.wrapped,
            order=decoded.order or right.order,
            pitch=decoded.pitch,
            step=decoded.step,
        )
        self.flat = decoded.values
        self.valid = decoded.valid
        self.repeated = False
        self.candidates: dict[Making, Candidate] = {}
        self.likeness = self.mixed = 0.0

    def run(self) -> Match:
        if self._judged(self.base).exact:
            # The others are for comparison.
            self.likeness = 1.0
            return self._match()
        every = tuple(sorted(FITS, key=lambda fit: fit != self.recipe.fit))
        for fits in (every[:1], every):
            survivors = self._survivors(fits)
            if self._tried(survivors) or any(c.near for c in self.candidates.values()):
                return self._match()
        undamaged = survivors
        for valid, repeated in written(self.flat, self.valid):
            self.valid, self.repeated = valid, repeated
            if self._tried(self._survivors(every[:1])):
                return self._match()
        self.valid, self.repeated = self.decoded.valid, False
        self._shifted(undamaged)
        if not any(c.exact or c.near for c in self.candidates.values()):
            self._in_other_spaces(every[:1])
        return self._match()

    def _match(self) -> Match:
        ranked = sorted(
            self.candidates.values(),
            key=lambda c: (not c.exact, 0.0 if c.exact else c.distance, len(c.mistakes)),
        )
        if ranked and not ranked[0].exact and ranked[0].near:
            # What decoders and rounding blur, the fewest mistakes explain: but for the filter only.
            first = ranked[0]
            axes = first.axes - {"resize"}
            alike = [
                c
                for c in ranked
                if c.near and c.axes - {"resize"} == axes and c.distance <= first.distance + 0.15
            ]
            simplest = min(alike, key=lambda c: len(c.mistakes))
            ranked.remove(simplest)
            ranked.insert(0, simplest)
        return Match(tuple(ranked), self.likeness, mixed=self.mixed)

    # -- layouts, sizes and fits -----------------------------------------------------------------

    def _survivors(self, fits: Iterable[str], space: Space = "") -> list[Making]:
        """Return the geometries in which the tensor resembles the image, the best first."""
        scored: list[tuple[float, int, Making]] = []
        base = replace(self.base, valid=self.valid, repeated=self.repeated, space=space)
        for making, values, levels in self._geometries(base, fits):
            scored.append((likeness(values, levels), len(scored), making))
        scored.sort(key=lambda entry: (-entry[0], entry[1]))
        if not scored:
            return []
        best = scored[0][0]
        self.likeness = max(self.likeness, best)
        floor = max(_WORTH_A_TRY, best - _MARGIN)
        return [making for score, _, making in scored[:_SURVIVORS] if score >= floor]

    def _geometries(
        self, base: Making, fits: Iterable[str]
    ) -> Iterator[tuple[Making, NDArray[np.float64], NDArray[np.float32]]]:
        """Yield every geometry with some of the tensor's values, and the image's levels there."""
        shapes = image_shapes(self.decoded, self.recipe)
        for making in geometries(base, shapes, self.original, fits):
            pixels = self._pixels(replace(making, filter="bilinear"))
            if pixels is None:
                continue
            points, values = self._sampled(making, _FEW_POINTS)
            if values is not None:
                yield making, values, pixels[points].astype(np.float32)

    def _pixels(self, making: Making) -> NDArray[np.generic] | None:
        """Return what *making* uses of the image, without borders."""
        return self.original.pixels(making.view)

    def _sampled(
        self, making: Making, most: int | None = None
    ) -> tuple[tuple[NDArray[np.intp], NDArray[np.intp]], NDArray[np.float64] | None]:
        """Return positions in the image, and the tensor's values there: (n, channels), or NaN."""
        image, valid = part_of(making, self.flat, self.original)
        rows, columns = image.shape[:2]
        y, x = (axis[:most] for axis in some_points(rows, columns))
        down, right = making.shift
        inside = (y + down >= 0) & (y + down < rows) & (x + right >= 0) & (x + right < columns)
        y, x = y[inside], x[inside]
        values = image[y + down, x + right].astype(np.float64)
        if valid is not None:
            values[~valid[y + down, x + right]] = np.nan
        if np.isfinite(values).sum() < min(64, values.size // 4):
            return (y, x), None
        return (y, x), values

    def _judged(self, making: Making) -> Candidate:
        """Compare *making* with every value of the tensor."""
        if making not in self.candidates:
            found = judged(making, self.flat, self.original, self.recipe)
            if found is None:
                return Candidate(making, (), math.inf, math.inf, exact=False)
            self.candidates[making] = found
        return self.candidates[making]

    # -- filters, colors and scalings -----------------------------------------------------------

    def _tried(self, survivors: list[Making]) -> bool:
        """Judge the likeliest of *survivors*; whether one of them is exact."""
        for making in self._nearest(survivors, 3):
            if self._judge_best(self._scored(making, self._filters)):
                return True
        return False

    @property
    def _filters(self) -> list[str]:
        return sorted(FILTERS, key=lambda name: name != self.recipe.resize)

    def _nearest(self, makings: Iterable[Making], most: int) -> list[Making]:
        """Return those that come nearest with one filter, which is quick to try."""
        scored = [
            (min(entry[0] for entry in found), number, making)
            for number, making in enumerate(makings)
            if (found := self._scored(making, ["bilinear"]))
        ]
        scored.sort(key=lambda entry: entry[:2])
        limit = 1.5 * scored[0][0] + 1 if scored else 0
        return [making for distance, _, making in scored[:most] if distance <= limit]

    def _scored(self, making: Making, filters: Iterable[str]) -> list[tuple[float, int, Making]]:
        """Return (distance at the sampled points, number, way) with every color and scaling."""
        points, values = self._sampled(making)
        scored: list[tuple[float, int, Making]] = []
        if values is None:
            return scored
        for filter_, gray in itertools.product(filters, GRAYS):
            if making.color != "GRAY" and gray != own_gray(filter_):
                continue  # there is no gray
            view = replace(making, filter=filter_, gray=gray)
            pixels = self._pixels(view)
            if pixels is None:
                continue
            levels = pixels[points].astype(np.float64)
            for color, scaling, distance in self._scalings(values, levels, making.space):
                way = replace(view, color=color, scaling=scaling)
                scored.append((distance, len(scored), way))
        return scored

    def _judge_best(self, scored: list[tuple[float, int, Making]]) -> bool:
        scored.sort(key=lambda entry: entry[:2])
        if not scored:
            return False
        exact = False
        least = scored[0][0]
        for number, (distance, _, making) in enumerate(scored[:24]):
            if distance > DECODERS_MEAN + 0.25 and making not in self.candidates:
                # Far from exact already at the sampled points; kept for comparison.
                if number < 3:
                    mistakes = mistakes_of(making, self.recipe)
                    sampled = Candidate(making, mistakes, distance, math.inf, exact=False)
                    self.candidates[making] = sampled
            elif number < 3 or distance <= max(0.02, least * 1.05):
                exact = self._judged(making).exact or exact
        return exact

    def _scalings(
        self, values: NDArray[np.float64], levels: NDArray[np.float64], space: Space
    ) -> Iterator[tuple[Color, Scaling, float]]:
        """Yield channel orders and scalings that may turn *levels* into *values*."""
        colors: list[Color] = ["RGB"] if space else colors_of(levels.shape[1], self.recipe.color)
        for color in colors:
            image = ordered(levels, color)
            fitted = least_squares(values, image)
            every = [*self._own_scalings(CHANNELS[color]), *known_scalings(color)]
            likely: list[Scaling] = []
            for known in every:
                if any(known.close_to(other) for other in likely):
                    continue
                if fitted is None or known.close_to(fitted, 0.15):
                    likely.append(known)
            if fitted is not None and not any(known.close_to(fitted, 1e-3) for known in likely):
                likely.append(fitted)
            for scaling in likely:
                off = scaling.distances(values, image)
                off = off[~np.isnan(off)]
                distance = float(off.mean()) if off.size else math.inf
                if math.isfinite(distance):
                    yield color, scaling, distance

    def _own_scalings(self, channels: int) -> list[Scaling]:
        """Return the recipe's scaling, parts of it, and the same without its quantization."""
        recipes = [self.recipe]
        if self.recipe.quantization is not None:
            recipes.append(self.recipe.replace(type="f32", quantization=None))
        own = [s for recipe in recipes for s in (Scaling.of(recipe), *incomplete_scalings(recipe))]
        found = [scaling.for_channels(channels) for scaling in own]
        return [scaling for scaling in found if scaling is not None]

    def _in_other_spaces(self, fits: Iterable[str]) -> None:
        """Try tensors of luma and chroma, of hues, and of other channels than an image's."""
        if self.decoded.values.size % 3:
            return
        for space in SPACES:
            survivors = self._survivors(fits, space)
            if self._tried(survivors) or any(c.near for c in self.candidates.values()):
                return
        for making, values, levels in self._geometries(self.base, fits):
            if making.channels == CHANNELS["RGB"]:
                self.mixed = max(self.mixed, mixture(values, levels))
                if making.type.itemsize == 1:
                    self.mixed = max(self.mixed, wraps(values, ordered(levels, making.color)))

    def _shifted(self, survivors: list[Making]) -> None:
        """Try rows and columns that begin too early or too late."""
        if self.likeness < _WORTH_A_TRY:
            return
        for making in survivors[:2]:
            ways = [replace(making, shift=shift) for shift in _SHIFTS]
            for way in self._nearest(ways, 2):
                if self._judge_best(self._scored(way, self._filters)):
                    return
