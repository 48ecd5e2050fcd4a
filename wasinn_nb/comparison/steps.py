"""The steps of a comparison: what two sides have there, and how it differs."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.comparison.agreement import (
    MaskDifference,
    compare_masks,
    compare_tensors,
)
from wasinn_nb.comparison.chain import Chain
from wasinn_nb.comparison.margins import score_margins
from wasinn_nb.comparison.ranking import compare_rankings
from wasinn_nb.comparison.reading import same_image
from wasinn_nb.comparison.result import Step, Verdict
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.imaging import WHOLE, Coverage
from wasinn_nb.tensor import Tensor
from wasinn_nb.wording import counted, percent

__all__ = [
    "agreement_in_words",
    "input_step",
    "labels_step",
    "margins_of",
    "output_step",
    "recipe_step",
    "scores_steps",
]

# What a recipe may not change without changing what the model sees; sizes, types and layouts show
# in the tensors, and another filter may be within precision.
_MATERIAL: Final = ("color", "range", "mean", "scale", "fit", "pad_value", "quantization", "bits")


def recipe_step(recipes: dict[str, tuple[Any, Any]]) -> Step:
    """Return how two recipes differ, where no input tensors are known."""
    if not recipes:
        return Step("recipe", Verdict.IDENTICAL, "", "", "the same recipe")
    difference = ", ".join(f"{name} {a} against {b}" for name, (a, b) in recipes.items())
    material = any(name in recipes for name in _MATERIAL)
    verdict = Verdict.DIFFERENT if material else Verdict.SAME
    return Step("recipe", verdict, "", "", difference)


def input_step(a: Chain, b: Chain, tolerance: float) -> Step | None:
    """Return how two input tensors differ; None where not both are known."""
    if a.input is None and b.input is None and a.recipe is not None:
        if a.recipe != b.recipe or not same_image(a, b):
            return None
        shape = "x".join(map(str, a.recipe.dimensions)) + f"x{a.recipe.type.suffix}"
        same = "the same image and recipe"
        return Step("input tensor", Verdict.IDENTICAL, shape, shape, same)
    return _tensor_step("input tensor", a.input, b.input, tolerance, _level(a, b))


def _level(a: Chain, b: Chain) -> float | None:
    """Return by how much a level of an image changes a value, as the sides' recipe states it."""
    cards = [chain.card.recipe for chain in (a, b) if chain.card is not None]
    recipe = next((one for one in (a.recipe, b.recipe, *cards) if one is not None), None)
    if recipe is None:
        return None
    step = 1.0 if recipe.quantization is None else recipe.quantization[0]
    return max(
        abs(recipe.range[1] - recipe.range[0]) / 255 / abs(scale) / step for scale in recipe.scale
    )


def output_step(a: Chain, b: Chain, tolerance: float) -> Step | None:
    """Return how two output tensors differ; None where not both are known.

    They are compared as the models gave them where both sides know that, else as scores.  Labels
    and scores of classes have steps of their own.
    """
    if a.class_scores is not None and b.class_scores is not None:
        return None
    first, second = a.output, b.output
    if first is None or second is None:
        scores = a.scores_tensor, b.scores_tensor
        if None not in scores:
            first, second = scores
        else:
            first, second = first or scores[0], second or scores[1]
    elif _gives_labels(a) and _gives_labels(b):
        return None
    return _tensor_step("output tensor", first, second, tolerance)


def _gives_labels(chain: Chain) -> bool:
    """Return whether the output holds labels: the difference of their numbers means nothing."""
    return chain.labels is not None and chain.scores is None


def _tensor_step(
    name: str,
    a: Tensor | None,
    b: Tensor | None,
    tolerance: float,
    level: float | None = None,
) -> Step | None:
    if a is None or b is None:
        return None
    found = compare_tensors(a, b, tolerance, "input" if name == "input tensor" else "output", level)
    verdict = _verdict(identical=found.identical, within=found.within)
    return Step(name, verdict, a.signature, b.signature, str(found), found)


def labels_step(
    a: Chain,
    b: Chain,
    names: tuple[str, ...],
    tolerance: float,
    margins: NDArray[np.float32] | None,
) -> Step | None:
    """Return how two masks differ; None where not both are known.

    Raises
    ------
    InvalidArgumentError
        If the masks are known to cover different parts of the image.
    """
    if a.labels is None or b.labels is None:
        return None
    _check_covers(a, b)
    here, there = (f"{labels.shape[0]}x{labels.shape[1]}" for labels in (a.labels, b.labels))
    if a.labels.shape != b.labels.shape:
        difference = f"{here} pixels against {there}; bring both to one size to compare classes"
        return Step("labels", Verdict.DIFFERENT, here, there, difference)
    found = compare_masks(a.labels, b.labels, len(names), tolerance, margins)
    verdict = _verdict(identical=found.changed == 0, within=found.within)
    return Step("labels", verdict, here, there, _mask_in_words(found, names), found)


def _check_covers(a: Chain, b: Chain) -> None:
    if a.covers is None or b.covers is None or a.covers == b.covers:
        return
    fits = [chain.recipe.fit if chain.recipe is not None else "unknown" for chain in (a, b)]
    raise InvalidArgumentError(
        f"the masks cover different parts of the image: a {_part(a.covers)}, b {_part(b.covers)} "
        f"(fit {fits[0]} in a, {fits[1]} in b); make both with one fit, or bring both to the size "
        f"of the image first: compare(a.labels_at(height, width), b.labels_at(height, width))"
    )


def _part(covers: Coverage) -> str:
    if covers == WHOLE:
        return "all of it"
    top, left, bottom, right = (f"{100 * part:.4g}" for part in covers)
    return f"{top} to {bottom} % of its height and {left} to {right} % of its width"


def scores_steps(
    a: Chain, b: Chain, names: tuple[str, ...], tolerance: float
) -> tuple[Step | None, Step | None]:
    """Return how two classifications differ: scores and ranking; None where unknown."""
    if a.class_scores is None or b.class_scores is None:
        return None, None
    here, there = (
        counted(chain.values.size, "class") for chain in (a.class_scores, b.class_scores)
    )
    if here != there:
        difference = f"{here} against {there}"
        return Step("scores", Verdict.DIFFERENT, here, there, difference), None
    found = compare_rankings(a.class_scores, b.class_scores, names, tolerance)
    scores = _verdict(identical=found.identical, within=found.scores_within)
    ranking = _verdict(identical=found.same_ranks, within=found.ranking_within)
    return (
        Step("scores", scores, here, there, found.difference, found),
        Step("ranking", ranking, found.top[0].name, found.top[1].name, str(found), found),
    )


def _verdict(*, identical: bool, within: bool) -> Verdict:
    if identical:
        return Verdict.IDENTICAL
    return Verdict.SAME if within else Verdict.DIFFERENT


def _mask_in_words(found: MaskDifference, names: tuple[str, ...]) -> str:
    if not found.changed:
        return "all pixels agree"
    worst = int(np.nanargmin(found.iou))
    return f"{agreement_in_words(found)}, lowest IoU {found.iou[worst]:.3f} ({names[worst]})"


def agreement_in_words(found: MaskDifference) -> str:
    """Return how many pixels of two masks agree, and how many of the others are near a tie."""
    agree = f"{percent(found.agreement)} of the pixels agree"
    if found.near_ties is None or not found.changed:
        return agree
    some = {0: "none", found.changed: "all"}.get(found.near_ties)
    return f"{agree}, {some or percent(found.near_ties / found.changed)} of the others near a tie"


def margins_of(a: Chain, b: Chain) -> NDArray[np.float32] | None:
    """Return how sure the surer side is of each pixel, where scores and labels are known."""
    if a.labels is None or b.labels is None or a.labels.shape != b.labels.shape:
        return None
    known: list[NDArray[np.float32]] = []
    for chain in (a, b):
        if chain.scores is not None and chain.scores.shape[1:] == a.labels.shape:
            with np.errstate(invalid="ignore", over="ignore"):  # infinities, differences of them
                margins = score_margins(chain.scores, chain.threshold)
            if np.isfinite(margins).all():
                known.append(margins)
    return np.maximum.reduce(known) if known else None
