"""`compare`: whether two programs did the same, and where they first diverged.

What counts as the same is measured in `agreement` and `ranking`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wasinn_nb import catalog
from wasinn_nb.cards import ModelCard
from wasinn_nb.comparison.agreement import TOLERANCE, MaskDifference, TensorDifference
from wasinn_nb.comparison.chain import Chain, Comparable, chain_of, class_names
from wasinn_nb.comparison.changes import Change
from wasinn_nb.comparison.models import Runnable, compare_layers, image_name, pipeline_of
from wasinn_nb.comparison.notes import (
    QUANTIZED,
    made_by,
    notes_on,
    on_softmax,
    quantized_ports,
    told_apart,
)
from wasinn_nb.comparison.ranking import RankingDifference
from wasinn_nb.comparison.reading import with_inputs, with_meaning, with_places
from wasinn_nb.comparison.result import Comparison, Step, Verdict
from wasinn_nb.comparison.steps import (
    agreement_in_words,
    input_step,
    labels_step,
    margins_of,
    output_step,
    recipe_step,
    scores_steps,
)
from wasinn_nb.errors import InvalidArgumentError, Remedy
from wasinn_nb.imaging import ImageSource
from wasinn_nb.progress import Progress
from wasinn_nb.wording import percent

__all__ = ["compare"]

_BEFORE_THE_MODEL = frozenset({"recipe", "input tensor"})


def compare(
    a: Comparable | Runnable,
    b: Comparable | Runnable,
    *,
    tolerance: float = TOLERANCE,
    image: ImageSource | None = None,
    card: ModelCard | None = None,
    layers: bool = False,
    progress: Progress = True,
) -> Comparison:
    """Compare what two programs did, step by step: input tensor, output tensor, labels.

    Every step that both sides have is compared, in this order, and the first that differs is named.
    Of classifications the steps are input tensor, scores and ranking.  A result that has its image
    and recipe has an input tensor: the one they make.  Where no two input tensors are known,
    recipes that differ in what the model sees (color, range, mean, scale, fit) count as a
    difference.

    An output tensor is read by a card as a pipeline reads it: layout, one class or many, labels,
    scores of classes.  The card is the one that is passed, else the other side's.  Where there is
    none, whole numbers of a byte are labels, and two or more planes are scores of classes.

    Parameters
    ----------
    a, b : SegmentationResult, ClassificationResult, GuestRun, Trace, Tensor, array or path
        Paths lead to a ``.tensor`` or ``.npy`` file from any runtime, to the JSON of a saved
        result, or to an index mask as PNG.  Of several tensors in a trace, the last counts; of
        several outputs the one that the card means, where a card is known.
    tolerance : float
        What is the same within precision, as a part of the largest value.  An input may differ by
        so much at most; an output by so much in the root mean square and 25 times at most; of the
        labels a quarter of it may change, no class of 0.1 % of the image or more may fall below
        an IoU of 1 - 10 times it, and half of the changed pixels are near a tie.  Of a
        classification no probability may differ by more than 5 times it, and the most probable
        class changes only where it leads by less than it.  The default lies between bfloat16 and
        RGB for BGR, see `agreement` and `ranking`; 0 lets nothing but equal values pass.
    image : path, bytes, binary file, PIL.Image or array, optional
        The image, where a side has a recipe but no image of its own.
    card : ModelCard, optional
        How outputs are read, and names and colors of the classes, of sides that have no card.
    layers : bool
        Run two models and compare them layer by layer, too: then *a* and *b* are pipelines, or
        names or paths of models, and *image* is what they run on.  They may differ in precision,
        device or runtime, or be two models whose layers have the same names or order, such as
        before and after quantization.  See `Comparison.layers`.
    progress : bool or callable
        Of the layers: show a bar in a terminal or notebook; or call ``progress(so_far, in_all)``.

    Returns
    -------
    Comparison

    Raises
    ------
    InvalidArgumentError
        If one of them cannot be compared, they have no step in common, or their masks cover
        different parts of the image.
    UnsupportedOperationError
        If a runtime does not show the layers of a model.
    MissingFileError, TensorFileError, ImageError
        If a file is missing or broken.

    Examples
    --------
    >>> a = np.array([[0, 0, 1, 1], [0, 0, 1, 1]], np.uint8)
    >>> b = np.array([[0, 0, 0, 1], [0, 0, 1, 1]], np.uint8)
    >>> wn.compare(a, b, card=wn.ModelCard("toy", classes=("background", "road")))
    different: first at the labels: 87.50 % of the pixels agree, lowest IoU 0.750 (road)
    a: array 2x4xu8
    b: array 2x4xu8
    step    verdict    difference
    labels  different  87.50 % of the pixels agree, lowest IoU 0.750 (road)
    class       pixels in a  pixels in b     IoU
    background            4            5  0.8000
    road                  4            3  0.7500
    - 1 pixel changed; worst class: road
    - changed: road → background 1
    - most changed pixels: rows 0 to 0, columns 2 to 2
    >>> bool(wn.compare(a, a))
    True
    """
    if isinstance(tolerance, bool) or not 0 <= tolerance <= 1:
        raise InvalidArgumentError(f"expected a tolerance from 0 to 1, got {tolerance!r:.80}")
    if layers:
        return _compared_models(a, b, image, tolerance, progress)
    first, second = told_apart(chain_of(a, "a"), chain_of(b, "b"))
    if card is not None:
        first, second = (c if c.card else replace(c, card=card) for c in (first, second))
    if image is not None:
        first, second = (
            c if c.image is not None else replace(c, image=image) for c in (first, second)
        )
    one, other = with_inputs(*with_meaning(*with_places(first, second)))
    margins = margins_of(one, other)
    names = class_names((one, other), _class_count(one, other))
    found = [
        input_step(one, other, tolerance),
        output_step(one, other, tolerance),
        labels_step(one, other, names, tolerance, margins),
        *scores_steps(one, other, names, tolerance),
    ]
    steps = [step for step in found if step is not None]
    if not steps:
        raise InvalidArgumentError(
            _nothing_in_common(one, other), remedy=one.remedy or other.remedy
        )
    recipes: dict[str, tuple[Any, Any]] = {}
    if one.recipe is not None and other.recipe is not None:
        recipes = one.recipe.diff(other.recipe)
        if found[0] is None:
            steps.insert(0, recipe_step(recipes))
    return _concluded((one, other), steps, names, recipes, tolerance, margins)


def _compared_models(
    a: Any, b: Any, image: ImageSource | None, tolerance: float, progress: Progress
) -> Comparison:
    """Run two models on one image, and compare their results and their layers."""
    one, other = pipeline_of(a, "a"), pipeline_of(b, "b")
    first = one(catalog.image() if image is None else image)  # which is named once, below
    found = compare(first, other(first.image), tolerance=tolerance)
    layers = compare_layers(one, other, first.image, progress)
    equal = layers.outputs_equal or found.verdict is Verdict.IDENTICAL
    about: dict[str, Any] = {"image": image_name(image), "outputs_equal": equal}
    differ = found.verdict is Verdict.DIFFERENT
    return replace(found, layers=replace(layers, results_differ=differ, **about))


def _nothing_in_common(one: Chain, other: Chain) -> str:
    known = (
        f"a ({one.what}) and b ({other.what}) have no step in common: a has "
        f"{' and '.join(one.known)}, b has {' and '.join(other.known)}"
    )
    return "; ".join([known, *one.notes, *other.notes])


def _remedies(chains: tuple[Chain, Chain]) -> Iterator[Remedy]:
    one, other = (chain.remedy for chain in chains)
    if one is not None:
        yield one
    if other is not None and other != one:
        yield other


def _class_count(one: Chain, other: Chain) -> int:
    counts = [0]
    for chain in (one, other):
        if chain.labels is not None and chain.labels.size:
            counts.append(1 + int(chain.labels.max()))
        if chain.class_scores is not None:
            counts.append(chain.class_scores.values.size)
    return max(counts)


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
    detail = steps[-1].detail
    about: dict[str, Any] = {}
    if isinstance(detail, MaskDifference):
        about = _on_masks(detail, names)
    elif isinstance(detail, RankingDifference):
        about = {
            "ranks": detail.ranks,
            "unit": detail.unit,
            "largest": None if detail.identical else detail.largest,
        }
    quantized = _on_quantized(one, other, steps)
    softmax = on_softmax(one, other) if about.get("near_ties") is not None else ()
    return Comparison(
        worst,
        _why(worst, steps, one, other) + (f"; {QUANTIZED}" if quantized else ""),
        tuple(steps),
        one.what,
        other.what,
        tolerance,
        recipes=recipes,
        notes=(*notes_on(one, other), *softmax, *quantized),
        remedies=tuple(_remedies(chains)),
        _chains=chains,
        _margins=margins,
        **about,
    )


def _on_masks(found: MaskDifference, names: tuple[str, ...]) -> dict[str, Any]:
    rows, columns = found.matrix.sum(axis=1).tolist(), found.matrix.sum(axis=0).tolist()
    off = [(int(n), i, j) for (i, j), n in np.ndenumerate(found.matrix) if n and i != j]
    return {
        "agreement": found.agreement,
        "changed": found.changed,
        "near_ties": found.near_ties,
        "iou": {
            name: float(value)
            for name, value in zip(names, found.iou, strict=True)
            if not np.isnan(value)
        },
        "pixels": dict(zip(names, zip(rows, columns, strict=True), strict=True)),
        "changes": tuple(
            Change(names[i], names[j], n)
            for n, i, j in sorted(off, key=lambda item: (-item[0], *item[1:]))
        ),
    }


def _on_quantized(one: Chain, other: Chain, steps: list[Step]) -> tuple[str, ...]:
    """Return what is known of a quantized model on two engines, where they gave other values."""
    ports = quantized_ports(one, other)
    before = [step.verdict for step in steps if step.name in _BEFORE_THE_MODEL]
    after = [step for step in steps if step.name not in _BEFORE_THE_MODEL]
    differing = [step for step in after if step.verdict is not Verdict.IDENTICAL]
    if not ports or not differing or Verdict.DIFFERENT in before:
        return ()
    detail = differing[-1].detail
    if isinstance(detail, MaskDifference):
        how_much = f"{percent(detail.changed / detail.matrix.sum())} of the pixels changed"
    elif isinstance(detail, RankingDifference):
        how_much = detail.difference
    else:
        how_much = _short(differing[-1])
    what = f"quantized {' and '.join(ports)}: {QUANTIZED}, here: {how_much}"
    return (f"{what}; to see whether it matters, evaluate both on images with true labels",)


def _why(verdict: Verdict, steps: list[Step], one: Chain, other: Chain) -> str:
    if verdict is Verdict.IDENTICAL:
        *before, final = (step.name for step in steps)
        return f"{', '.join(before)} and {final}" if before else final
    last = steps[-1]
    if verdict is Verdict.SAME:
        makers = made_by(one, other)
        prefix = f"{makers}; " if makers else ""
        if isinstance(last.detail, MaskDifference):
            return prefix + agreement_in_words(last.detail)
        differing = next(step for step in reversed(steps) if step.verdict is Verdict.SAME)
        return f"{prefix}{differing.name}: {_short(differing)}"
    first = next(step for step in steps if step.verdict is Verdict.DIFFERENT)
    named = f"first at the {first.name}: {_short(first)}"
    complete = last is first or last.name not in {"labels", "ranking"}
    return named if complete else f"{named}; {last.difference}"


def _short(step: Step) -> str:
    return step.detail.short if isinstance(step.detail, TensorDifference) else step.difference
