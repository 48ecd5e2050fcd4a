"""`compare`: whether two programs did the same, and where they first parted.

What counts as the same is measured in `agreement`.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.cards import ModelCard
from wasinn_nb.comparison.agreement import (
    TOLERANCE,
    MaskDifference,
    TensorDifference,
    compare_masks,
    compare_tensors,
    score_margins,
)
from wasinn_nb.comparison.chain import (
    Chain,
    Comparable,
    chain_of,
    class_names,
    same_image,
    with_inputs,
    with_places,
)
from wasinn_nb.comparison.verdict import Change, Comparison, Step, Verdict
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.pictures import ImageSource
from wasinn_nb.tables import percent
from wasinn_nb.tensor import Tensor

__all__ = ["Change", "Comparison", "Step", "Verdict", "compare"]

# What a recipe may not change without changing what the model sees; sizes, types and layouts show
# in the tensors, and another filter may be within precision.
_MATERIAL: Final = ("color", "range", "mean", "scale")


def compare(
    a: Comparable,
    b: Comparable,
    *,
    tolerance: float = TOLERANCE,
    image: ImageSource | None = None,
    card: ModelCard | None = None,
) -> Comparison:
    """Compare what two programs did, step by step: input tensor, output tensor, labels.

    Every step that both sides have is compared, in this order, and the first that differs is named.
    A result that has its photograph and recipe has an input tensor: the one they make.  Where no
    two input tensors are known, recipes that differ in colour, range, mean or scale count as a
    difference.

    Parameters
    ----------
    a, b : SegmentationResult, GuestRun, Trace, Tensor, array or path
        Paths lead to a ``.tensor`` or ``.npy`` file from any runtime, to the JSON of a saved
        result, or to an index mask as PNG.  Of several tensors in a trace, the last counts.
    tolerance : float
        What is the same within precision, as a part of the largest value.  An input may differ by
        so much at most; an output by so much in the root mean square and 25 times at most; of the
        labels a quarter of it may change, no class of 0.1 % of the picture or more may fall below
        an IoU of 1 - 10 times it, and half of the changed pixels are near a tie.  The default lies
        between bfloat16 and RGB for BGR, see `agreement`; 0 lets nothing but equal values pass.
    image : path, bytes, binary file, PIL.Image or array, optional
        The photograph, where a side has a recipe but no photograph of its own.
    card : ModelCard, optional
        Names and colours of the classes, where neither side knows them.

    Returns
    -------
    Comparison

    Raises
    ------
    InvalidArgumentError
        If one of them is nothing to compare, or they have no step in common.
    MissingFileError, TensorFileError, ImageError
        If a file is missing or broken.

    Examples
    --------
    >>> a = np.array([[0, 0, 1, 1], [0, 0, 1, 1]], np.uint8)
    >>> b = np.array([[0, 0, 0, 1], [0, 0, 1, 1]], np.uint8)
    >>> compare(a, b, card=ModelCard("toy", classes=("background", "road")))
    different: first at the labels: 87.50 % of the pixels agree, worst class road (IoU 0.750)
    a: array 2x4xu8
    b: array 2x4xu8
    step    verdict    difference
    labels  different  87.50 % of the pixels agree, worst class road (IoU 0.750)
    class       a  b  IoU
    background  4  5  0.8000
    road        4  3  0.7500
    1 pixel changed; worst class: road
    changed: road → background 1
    most changed pixels: rows 0 to 0, columns 2 to 2
    >>> bool(compare(a, a))
    True
    """
    if isinstance(tolerance, bool) or not 0 <= tolerance <= 1:
        raise InvalidArgumentError(f"expected a tolerance from 0 to 1, got {tolerance!r:.80}")
    first, second = chain_of(a, "a"), chain_of(b, "b")
    if card is not None:
        first, second = (c if c.card else replace(c, card=card) for c in (first, second))
    if image is not None:
        first, second = (
            c if c.image is not None else replace(c, image=image) for c in (first, second)
        )
    one, other = with_inputs(*with_places(first, second))
    margins = _margins(one, other)
    names = class_names((one, other), _class_count(one, other))
    found = [
        _input_step(one, other, tolerance),
        _tensor_step("output tensor", one.output, other.output, tolerance),
        _labels_step(one, other, names, tolerance, margins),
    ]
    steps = [step for step in found if step is not None]
    if not steps:
        raise InvalidArgumentError(
            f"a ({one.what}) and b ({other.what}) have no step in common: a has "
            f"{' and '.join(one.known)}, b has {' and '.join(other.known)}"
        )
    recipes: dict[str, tuple[Any, Any]] = {}
    if one.recipe is not None and other.recipe is not None:
        recipes = one.recipe.diff(other.recipe)
        if found[0] is None:
            steps.insert(0, _recipe_step(recipes))
    return _concluded((one, other), steps, names, recipes, tolerance, margins)


def _recipe_step(recipes: dict[str, tuple[Any, Any]]) -> Step:
    if not recipes:
        return Step("recipe", Verdict.IDENTICAL, "", "", "the same recipe")
    said = ", ".join(f"{name} {a} against {b}" for name, (a, b) in recipes.items())
    material = any(name in recipes for name in _MATERIAL)
    return Step("recipe", Verdict.DIFFERENT if material else Verdict.SAME, "", "", said)


def _input_step(one: Chain, other: Chain, tolerance: float) -> Step | None:
    if one.input is None and other.input is None and one.recipe is not None:
        if one.recipe != other.recipe or not same_image(one, other):
            return None
        shape = "x".join(map(str, one.recipe.dimensions)) + f"x{one.recipe.type.suffix}"
        same = "the same photograph and recipe"
        return Step("input tensor", Verdict.IDENTICAL, shape, shape, same)
    return _tensor_step("input tensor", one.input, other.input, tolerance)


def _tensor_step(name: str, a: Tensor | None, b: Tensor | None, tolerance: float) -> Step | None:
    if a is None or b is None:
        return None
    found = compare_tensors(a, b, tolerance, "input" if name == "input tensor" else "output")
    verdict = _verdict(identical=found.identical, within=found.within)
    return Step(name, verdict, a.signature, b.signature, str(found), found)


def _labels_step(
    one: Chain,
    other: Chain,
    names: tuple[str, ...],
    tolerance: float,
    margins: NDArray[np.float32] | None,
) -> Step | None:
    a, b = one.labels, other.labels
    if a is None or b is None:
        return None
    here, there = (f"{labels.shape[0]}x{labels.shape[1]}" for labels in (a, b))
    if a.shape != b.shape:
        said = f"{here} pixels against {there}; bring both to one size to compare classes"
        return Step("labels", Verdict.DIFFERENT, here, there, said)
    found = compare_masks(a, b, len(names), tolerance, margins)
    verdict = _verdict(identical=found.changed == 0, within=found.within)
    return Step("labels", verdict, here, there, _mask_sentence(found, names), found)


def _verdict(*, identical: bool, within: bool) -> Verdict:
    if identical:
        return Verdict.IDENTICAL
    return Verdict.SAME if within else Verdict.DIFFERENT


def _mask_sentence(found: MaskDifference, names: tuple[str, ...]) -> str:
    if not found.changed:
        return "all pixels agree"
    worst = int(np.nanargmin(found.iou))
    name = names[worst].removeprefix("class ")
    return f"{_agreement(found)}, worst class {name} (IoU {found.iou[worst]:.3f})"


def _agreement(found: MaskDifference) -> str:
    said = f"{percent(found.agreement)} of the pixels agree"
    if found.near_ties is None or not found.changed:
        return said
    some = {0: "none", found.changed: "all"}.get(found.near_ties)
    return f"{said}, {some or percent(found.near_ties / found.changed)} of the others near a tie"


def _margins(one: Chain, other: Chain) -> NDArray[np.float32] | None:
    """Return how sure the surer side is of each pixel, where scores and labels are known."""
    if one.labels is None or other.labels is None or one.labels.shape != other.labels.shape:
        return None
    known: list[NDArray[np.float32]] = []
    for chain in (one, other):
        scores = chain.scores()
        if scores is not None and scores.shape[1:] == one.labels.shape:
            with np.errstate(invalid="ignore"):
                margins = score_margins(scores)
            if np.isfinite(margins).all():
                known.append(margins)
    return np.maximum.reduce(known) if known else None


def _class_count(one: Chain, other: Chain) -> int:
    masks = [chain.labels for chain in (one, other) if chain.labels is not None]
    return 1 + max((int(labels.max()) for labels in masks if labels.size), default=-1)


def _concluded(
    chains: tuple[Chain, Chain],
    steps: list[Step],
    names: tuple[str, ...],
    recipes: dict[str, tuple[Any, Any]],
    tolerance: float,
    margins: NDArray[np.float32] | None,
) -> Comparison:
    one, other = chains
    verdicts = {step.verdict for step in steps}
    worst = next(v for v in (Verdict.DIFFERENT, Verdict.SAME, Verdict.IDENTICAL) if v in verdicts)
    mask = steps[-1].detail if isinstance(steps[-1].detail, MaskDifference) else None
    about: dict[str, Any] = {}
    if mask is not None:
        rows, columns = mask.matrix.sum(axis=1).tolist(), mask.matrix.sum(axis=0).tolist()
        off = [(int(n), i, j) for (i, j), n in np.ndenumerate(mask.matrix) if n and i != j]
        about = {
            "agreement": mask.agreement,
            "changed": mask.changed,
            "near_ties": mask.near_ties,
            "iou": {
                name: float(value)
                for name, value in zip(names, mask.iou, strict=True)
                if not np.isnan(value)
            },
            "pixels": dict(zip(names, zip(rows, columns, strict=True), strict=True)),
            "changes": tuple(
                Change(names[i], names[j], n)
                for n, i, j in sorted(off, key=lambda item: (-item[0], *item[1:]))
            ),
        }
    return Comparison(
        worst,
        _why(worst, steps, one, other),
        tuple(steps),
        one.what,
        other.what,
        tolerance,
        recipes=recipes,
        notes=_notes(one, other),
        _chains=chains,
        _margins=margins,
        **about,
    )


def _why(verdict: Verdict, steps: list[Step], one: Chain, other: Chain) -> str:
    if verdict is Verdict.IDENTICAL:
        *before, final = (step.name for step in steps)
        return f"{', '.join(before)} and {final}" if before else final
    last = steps[-1]
    if verdict is Verdict.SAME:
        precisions = (one.precision, other.precision)
        differ = None not in precisions and one.precision != other.precision
        said = f"{one.precision} against {other.precision}; " if differ else ""
        if isinstance(last.detail, MaskDifference):
            return said + _agreement(last.detail)
        apart = next(step for step in reversed(steps) if step.verdict is Verdict.SAME)
        return f"{said}{apart.name}: {_short(apart)}"
    first = next(step for step in steps if step.verdict is Verdict.DIFFERENT)
    named = f"first at the {first.name}: {_short(first)}"
    return named if last is first or last.name != "labels" else f"{named}; {last.difference}"


def _short(step: Step) -> str:
    return step.detail.short if isinstance(step.detail, TensorDifference) else step.difference


def _notes(one: Chain, other: Chain) -> tuple[str, ...]:
    notes = []
    chains = (one, other)
    cards = (one.card, other.card)
    if cards[0] is not None and cards[1] is not None:
        if cards[0].name != cards[1].name:
            notes.append(f"models: {cards[0].name} in a, {cards[1].name} in b")
        elif one.model_sha384 and other.model_sha384 and one.model_sha384 != other.model_sha384:
            notes.append(f"the weights of {cards[0].name} differ: other SHA-384")
        if cards[0].classes != cards[1].classes:
            notes.append("the cards name different classes; those of a are shown")
    if one.precision and other.precision and one.precision != other.precision:
        notes.append(f"precision: {one.precision} in a, {other.precision} in b")
    highest = [_highest(chain) for chain in chains]
    if None not in highest and highest[0] != highest[1]:
        notes.append(f"the highest score is element {highest[0]} in a, {highest[1]} in b")
    return (*notes, *one.notes, *other.notes)


def _highest(chain: Chain) -> int | None:
    """Return which score of a classification is the highest."""
    if chain.output is None or not chain.output.nbytes:
        return None
    dims = chain.output.dimensions
    values = chain.output.to_array()
    one_row = len(dims) - dims.count(1) == 1
    return int(values.argmax()) if one_row and not np.isnan(values).any() else None
