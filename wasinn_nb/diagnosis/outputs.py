"""From an output back to the mistake: candidates are fed to the model until one gives it.

Single mistakes come first; where none of them gives the output, those of layout, color and range
that go together.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final, get_args

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.diagnosis.candidates import FLIPS, Candidate, Making, Order, Unit
from wasinn_nb.diagnosis.differences import mistakes_of
from wasinn_nb.diagnosis.reading import Given, Reader
from wasinn_nb.diagnosis.resampling import GRAYS, Original
from wasinn_nb.diagnosis.scalings import incomplete_scalings, known_scalings, whole_levels
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.imaging import CHANNELS, INTEGER_LIMITS, Color, Fit, PreprocessRecipe, ordered
from wasinn_nb.progress import Progress, progress_bar
from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.tasks.segmentation import SegmentationResult
from wasinn_nb.tensor import Tensor
from wasinn_nb.wording import percent

__all__ = ["OutputMatch", "feed", "match_output"]

_FILTERS: Final = ("triangle", "bilinear", "triangle-0.23", "cv2-linear", "nearest", "cv2-area")
_OTHER_ORDER: Final[dict[Color, Color]] = {
    "BGR": "RGB",
    "RGB": "BGR",
    "BGRA": "RGBA",
    "RGBA": "BGRA",
}
_FITS: Final[tuple[Fit, ...]] = get_args(Fit)
# Levels that programs fill borders with; Ultralytics fills with 114.
_PADS: Final = (0, 114, 128, 255)
_RANGES: Final = 4  # the first ones of `known_scalings`: ImageNet's is the last of them
# A cause is named if it is several times nearer than every other one.
_NEARER: Final = 4.0
_AGREE: Final = 0.99
_SAME: Final = 1e-4
# What big-endian bytes become, 1e-38 at most, gives what zeros give but for its last bits.
_TINY: Final = 1e-12
# Scalings that are so near to each other, as a part of their range, do the same.
_ALIKE: Final = 0.01


@dataclass(frozen=True, slots=True)
class OutputMatch:
    """What feeding the candidates gave.

    Attributes
    ----------
    candidates : tuple of Candidate
        The nearest first.  Distances are of scores, or parts of the pixels for a mask.
    equals : tuple of Candidate
        Those that give the output as well as the first one, with another cause.
    fits : bool
        Whether the first candidate explains the output.
    alike : tuple of Candidate
        Those that give it as well, where the first one is right or scales values almost as they do.
    """

    candidates: tuple[Candidate, ...]
    equals: tuple[Candidate, ...]
    fits: bool
    alike: tuple[Candidate, ...] = ()


def feed(making: Making, original: Original, recipe: PreprocessRecipe) -> Tensor | None:
    """Return the tensor that a program which works like *making* hands to the model.

    It is declared as the model takes it, whatever its bytes are; None where it has another number
    of elements, or where nothing can be made in this way.

    Parameters
    ----------
    making : Making
    original : Original
    recipe : PreprocessRecipe

    Examples
    --------
    >>> recipe = PreprocessRecipe(1, 1, color="BGR")
    >>> red = Original(np.array([[[255, 0, 0]]], np.uint8))
    >>> feed(replace(Making.of(recipe), color="RGB"), red, recipe).to_array().ravel().tolist()
    [255.0, 0.0, 0.0]
    """
    m = making
    if m.valid == 0:
        return Tensor.from_array(np.zeros(recipe.dimensions, recipe.type.dtype))
    levels = original.whole(m.view, m.pad)
    if levels is None or m.elements != Making.of(recipe).elements:
        return None
    values = m.scaling.apply(ordered(levels, m.color))
    if m.scaling.limits is not None:
        values = np.rint(values)
    flat = m.lay_out(m.as_image(m.lay_out(values).reshape(-1)) if m.flip else values)
    # The bytes in an integer tensor may be those of the other integer type.
    stored = m.type if recipe.type in INTEGER_LIMITS else recipe.type
    if stored in INTEGER_LIMITS:
        low, high = INTEGER_LIMITS[stored]
        if flat.min() < low or flat.max() > high or (flat != np.rint(flat)).any():
            return None  # no program converts these to integers
    typed = flat.astype(stored.dtype)
    if m.big_endian:
        typed = typed.byteswap()
    return Tensor.adopt(
        recipe.dimensions, recipe.type, np.ascontiguousarray(typed).view(recipe.type.dtype)
    )


def match_output(
    given: Given,
    original: Original,
    recipe: PreprocessRecipe,
    reader: Reader,
    *,
    progress: Progress = True,
) -> OutputMatch:
    """Find which mistake makes a model give an output for an image.

    Parameters
    ----------
    given : Given
    original : Original
    recipe : PreprocessRecipe
    reader : Reader
        Of the model, for this recipe.
    progress : bool or callable
        Show a bar in a terminal or notebook; or call ``progress(so_far, in_all)`` with runs,
        from 0 again for each kind of mistake.

    Raises
    ------
    InvalidArgumentError
        If the model's output is of another size.
    """
    with reader.running() as compute:
        tried: list[Candidate] = []
        done: set[Making] = set()
        fed: set[str] = set()

        def run(makings: Iterable[Making], what: str) -> None:
            every = [making for making in makings if making not in done]
            bar = progress_bar(every, progress=progress, desc=what, unit="run", leave=False)
            for making in bar:
                if making in done:
                    continue
                done.add(making)
                tensor = feed(making, original, recipe)
                if tensor is None or tensor.sha256() in fed:
                    continue  # the earlier way to the same bytes is the more usual one
                fed.add(tensor.sha256())
                tried.append(_compared(making, compute(tensor), given, recipe, reader))

        run(_usual(recipe), "usual mistakes")
        found = _ranked(tried)
        if not found.fits or found.candidates[0].axes <= {"range", "buffer"}:
            # Other ranges and filters come near these, and tiny values near zeros; near the other
            # mistakes nothing does.
            run(_further(original, recipe), "further mistakes")
            found = _ranked(tried)
        if not found.fits and not found.equals:
            run(_together(recipe), "mistakes together")
            found = _ranked(tried)
    return found


def _usual(recipe: PreprocessRecipe) -> Iterator[Making]:
    """Yield the right way, then the ways that most programs with one mistake go."""
    right = Making.of(recipe)
    yield right
    other = _OTHER_ORDER.get(right.color)
    if other is not None:
        yield replace(right, color=other)
        yield replace(right, order="HWC" if right.order == "CHW" else "CHW")
    if right.height != right.width:
        yield replace(right, height=right.width, width=right.height)
    yield replace(right, order="CWH" if right.order == "CHW" else "WHC")
    if recipe.type in INTEGER_LIMITS:
        yield from _unquantized(right)
    else:
        usual = known_scalings(right.color)[:_RANGES]
        yield from (replace(right, scaling=s) for s in usual if not s.close_to(right.scaling, 1e-4))
        if other is not None and CHANNELS[other] == 3:
            # These are the numbers of RGB; where they are used, the channels are RGB too.
            yield replace(right, color=other, scaling=known_scalings(other)[_RANGES - 1])
    for fit in _FITS:
        if fit != right.fit:
            yield replace(right, fit=fit, pad=None)
    yield from (replace(right, flip=flip) for flip in FLIPS if flip)
    yield replace(right, valid=0)


def _unquantized(right: Making) -> Iterator[Making]:
    """Yield the ways of programs that feed levels as they are, as u8 or as i8, to an integer."""
    for type_ in INTEGER_LIMITS:
        declared = None if type_ is right.type else right.type
        scaling = whole_levels(type_, right.color)
        yield replace(right, type=type_, declared=declared, scaling=scaling)


def _further(original: Original, recipe: PreprocessRecipe) -> Iterator[Making]:
    """Yield further ways with one mistake."""
    right = Making.of(recipe)
    if recipe.type not in INTEGER_LIMITS:
        further = known_scalings(right.color)[_RANGES:]
        for scaling in (*incomplete_scalings(recipe), *further):
            if not scaling.close_to(right.scaling, 1e-4):
                yield replace(right, scaling=scaling)
        yield replace(right, big_endian=True)
    for pad in _PADS:
        yield replace(right, fit="letterbox", pad=(pad,) * right.channels)
    for pad in _PADS[:2]:
        yield replace(right, fit="letterbox-corner", pad=(pad,) * right.channels)
    yield replace(right, fit="crop-first", pad=None)
    for exif in original.exifs:
        yield replace(right, exif=exif)
    for alpha in original.alphas(right.channels):
        yield replace(right, alpha=alpha, filter="bilinear" if alpha == "pillow" else right.filter)
    for gray in GRAYS if right.color == "GRAY" else ():
        yield replace(right, gray=gray)
    for filter_ in _FILTERS:
        yield replace(right, filter=filter_)


def _together(recipe: PreprocessRecipe) -> Iterator[Making]:
    right = Making.of(recipe)
    other: Order = "HWC" if right.order == "CHW" else "CHW"
    turned: Order = "CWH" if right.order == "CHW" else "WHC"
    layouts = [right, replace(right, order=other), replace(right, order=turned)]
    if right.height != right.width:
        layouts.insert(2, replace(right, height=right.width, width=right.height))
    colors = [color for color, count in CHANNELS.items() if count == right.channels]
    for layout, color in itertools.product(layouts, colors):
        colored = replace(layout, color=color)
        yield colored
        if recipe.type not in INTEGER_LIMITS:
            for scaling in known_scalings(colored.color)[:_RANGES]:
                yield replace(colored, scaling=scaling)


def _compared(
    making: Making,
    planes: NDArray[np.float32],
    given: Given,
    recipe: PreprocessRecipe,
    reader: Reader,
) -> Candidate:
    """Compare what the model gives for one way with what was given."""
    mistakes = mistakes_of(making, recipe)
    unit: Unit = "pixels" if given.labels else "scores"
    values = reader.compared(planes, given)
    if values is None:
        return Candidate(making, mistakes, math.inf, math.inf, exact=False, unit=unit)
    if values.shape != given.values.shape:
        raise InvalidArgumentError(
            f"expected an output of the model's own size {values.shape}, got {given.values.shape}; "
            f"a resized one cannot be compared"
        )
    off = _apart(values, given)
    distance, furthest = float(off.mean()), float(off.max(initial=0))
    size = np.abs(given.values[np.isfinite(given.values)])
    exact = furthest <= _SAME * max(1.0, float(size.max(initial=0)))
    agreement, note = _agreement(planes, given, reader)
    return Candidate(making, mistakes, distance, furthest, exact, note, unit, agreement)


def _apart(values: NDArray[Any], given: Given) -> NDArray[np.float64]:
    """Return how far values are apart; infinite where one of them is not a number."""
    apart: NDArray[np.float64]
    if given.labels:
        apart = (values != given.values).astype(np.float64)
        return apart
    with np.errstate(invalid="ignore"):
        off = np.abs(values.astype(np.float64) - given.values)
    same = (values == given.values) | (np.isnan(values) & np.isnan(given.values))
    apart = np.where(same, 0.0, np.where(np.isfinite(off), off, np.inf))
    return apart


def _agreement(
    planes: NDArray[np.float32], given: Given, reader: Reader
) -> tuple[float | None, str]:
    """Return the part of the labels that agree, and the same in words."""
    found, expected = reader.read(planes, given), given.result
    if isinstance(found, ClassificationResult) and isinstance(expected, ClassificationResult):
        same = found.top(1)[0].index == expected.top(1)[0].index
        return float(same), f"the most probable class is {'the same' if same else 'another one'}"
    if not isinstance(found, SegmentationResult):
        return None, ""
    if isinstance(expected, SegmentationResult):
        labels = expected.labels
    elif given.labels:
        labels = given.values
    else:
        return None, ""
    agreement = float((found.labels == labels).mean())
    return agreement, f"{percent(agreement)} of the labels agree"


def _ranked(tried: list[Candidate]) -> OutputMatch:
    # Stable: of equal ones, the earlier is the more usual.
    ranked = sorted(tried, key=lambda c: (c.distance, len(c.mistakes)))
    if not ranked or not math.isfinite(ranked[0].distance):
        return OutputMatch(tuple(ranked), (), fits=False)
    first = ranked[0]
    cause = _cause(first)
    distinct = [c for c in ranked[1:] if _cause(c) != cause]
    others = [c for c in distinct if not _is_alike(c.making, first.making)]
    most = first.distance * (1 + 1e-6) + _TINY
    equals = tuple(c for c in others if c.distance <= most)
    alike = tuple(c for c in distinct if c.distance <= most and c not in others)
    own = next((c for c in (first, *equals, *alike) if not _cause(c)), None)
    if first.exact and own is not None:  # what the right way gives is right, whatever else gives it
        rest = tuple(c for c in ranked if c is not own)
        as_well = tuple(c for c in (first, *equals, *alike) if _cause(c))
        return OutputMatch((own, *rest), (), fits=True, alike=as_well)
    nearest = min((c.distance for c in others), default=1.0)
    explains = first.exact or (
        (first.agreement or 0) >= _AGREE and first.distance * _NEARER <= nearest
    )
    return OutputMatch(tuple(ranked), equals, explains and not equals, alike)


def _is_alike(one: Making, other: Making) -> bool:
    """Whether two ways differ by a scaling that hardly differs, such as 1/255 and 1/256."""
    same = replace(one, scaling=other.scaling) == other
    return same and one.scaling.close_to(other.scaling, _ALIKE)


def _cause(candidate: Candidate) -> frozenset[tuple[str, str]]:
    """Return the mistakes, but for the filter: filters can hardly be distinguished in an output."""
    return frozenset((m.axis, m.found) for m in candidate.mistakes if m.axis != "resize")
