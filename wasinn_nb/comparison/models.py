"""Two models that run on one image: their results, and their layers."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, TypeAlias

from wasinn_nb import catalog
from wasinn_nb.cards import standard_name
from wasinn_nb.catalog import Model
from wasinn_nb.comparison.allowances import EXPLAINED, SPREAD, coarsest
from wasinn_nb.comparison.fusions import without_fused
from wasinn_nb.comparison.layer_pairs import Measured, Rounded, measured
from wasinn_nb.comparison.layers import LayerComparison, LayerDifference
from wasinn_nb.comparison.matching import Pair, gap_before, matched
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.imaging import ImageSource, image_to_tensor, pixels_to_tensor
from wasinn_nb.origin import Origin
from wasinn_nb.pipeline import Pipeline
from wasinn_nb.progress import Progress, progress_bar
from wasinn_nb.runtimes import INPUT, FusableModel, LayeredModel, open_layers, runtime
from wasinn_nb.wording import counted

__all__ = ["Runnable", "compare_layers", "image_name", "pipeline_of"]

_NORMALIZATION: Final = "BatchNormalization"

Runnable: TypeAlias = Pipeline | Model | str | os.PathLike[str]
"""What can be run: a pipeline, or the model of one in f32."""


def pipeline_of(thing: Any, name: str) -> Pipeline:
    """Return the pipeline of what is to be run, keeping scores where the task has them.

    Parameters
    ----------
    thing : Pipeline, Model, name or path of a model
    name : str
        What to call it in an error.

    Raises
    ------
    InvalidArgumentError
        If it cannot be run.
    """
    if isinstance(thing, Pipeline):
        return thing.variant(scores=True)
    if isinstance(thing, Model | str | os.PathLike):
        return Pipeline(thing, scores=True)
    raise InvalidArgumentError(
        f"expected {name} as a Pipeline or a model, whose layers can be computed, "
        f"got {type(thing).__name__}; leave layers out to compare results"
    )


def compare_layers(
    a: Pipeline, b: Pipeline, image: ImageSource | None, progress: Progress = True
) -> LayerComparison:
    """Compare the layers of two models on one image.

    Parameters
    ----------
    a, b : Pipeline
    image : path, name of a shipped image, bytes, PIL.Image or array, optional
    progress : bool or callable
        As for `compare`.

    Raises
    ------
    UnsupportedOperationError
        If a runtime does not show layers.
    InvalidArgumentError
        If the models have less than half of the layers of the smaller one in common.
    """
    opened = _alike(_layered(a), _layered(b))
    pairs = matched(*opened)
    _check_common((a, b), opened, len(pairs))
    prepared = a.prepare(image)
    first = pixels_to_tensor(prepared.pixels, a.recipe).to_array()
    same = b.recipe == a.recipe
    images = first, first if same else image_to_tensor(prepared.source, b.recipe).to_array()
    with progress_bar(
        progress=progress, total=len(pairs), desc="layers", unit="layer", leave=False
    ) as bar:
        rounded = Rounded.of(*opened, pairs)
        found = measured(*opened, pairs, images, bar.update, rounded=rounded)
    precision = coarsest([one.precision for one in opened], [one.weights for one in opened])
    least = EXPLAINED[precision]
    allowed = [least if one.rounded is None else max(least, one.rounded - SPREAD) for one in found]
    outputs = _outputs(opened, pairs)

    def alone(again: Sequence[int], known: Sequence[Pair]) -> list[float]:
        chosen = [pairs[number] for number in again]
        return [one.own for one in measured(*opened, chosen, images, known=known)]

    own, compensated, limits = without_fused(
        opened[1],
        pairs,
        [one.own for one in found],
        allowed,
        frozenset(n for n in outputs if n is not None),
        alone,
    )
    layers = tuple(
        _difference(
            opened, pairs, number, one._replace(own=own[number]), limits[number], compensated
        )
        for number, one in enumerate(found)
    )
    left_out = tuple(len(one.layers) - len(pairs) for one in opened)
    return LayerComparison(
        layers,
        precision,
        least,
        (left_out[0], left_out[1]),
        same_model=_runs_alike(a.origin, b.origin),
        outputs_equal=all(n is not None and found[n].snr == math.inf for n in outputs),
    )


def _alike(a: LayeredModel, b: LayeredModel) -> tuple[LayeredModel, LayeredModel]:
    """Return two models with the normalizations of one fused if those of the other are."""
    normalized = [
        any(standard_name(layer.operation) == _NORMALIZATION for layer in one.layers)
        for one in (a, b)
    ]
    if normalized[0] and not normalized[1] and isinstance(a, FusableModel):
        return a.fused(), b
    if normalized[1] and not normalized[0] and isinstance(b, FusableModel):
        return a, b.fused()
    return a, b


def _check_common(
    pipelines: tuple[Pipeline, Pipeline], opened: tuple[LayeredModel, LayeredModel], common: int
) -> None:
    """Raise InvalidArgumentError if models have too few layers in common."""
    if common and 2 * common >= min(len(one.layers) for one in opened):
        return
    a, b = (
        f"{one.model.name} ({counted(len(model.layers), 'layer')})"
        for one, model in zip(pipelines, opened, strict=True)
    )
    number = counted(common, "layer") if common else "no layer"
    raise InvalidArgumentError(
        f"{a} and {b} have {number} of one name or place, and of one size, in common, where half "
        f"of the smaller model's are needed to say which is the first that differs; compare a "
        f"model with itself, or with a copy that keeps the names or the order of layers"
    )


def _outputs(opened: tuple[LayeredModel, LayeredModel], pairs: Sequence[Pair]) -> list[int | None]:
    """Return which pair each output is; None of one that the models do not share."""
    numbers = {pair: number for number, pair in enumerate(pairs)}
    a, b = (one.outputs for one in opened)
    return [numbers.get((one, other)) for one, other in itertools.zip_longest(a, b)]  # type: ignore[call-overload]


def _difference(
    opened: tuple[LayeredModel, LayeredModel],
    pairs: Sequence[Pair],
    number: int,
    one: Measured,
    allowed: float,
    compensated: frozenset[int],
) -> LayerDifference:
    """Return how a layer differs, and where it does, what lies before it."""
    layers = opened[0].layers
    layer = layers[pairs[number].a]
    explained = one.own >= allowed
    before, unmatched = "", (0, 0)
    if not explained:
        gap = gap_before(*opened, pairs, pairs[number])
        unmatched, last = gap.unmatched, max(gap.before, default=INPUT)
        before = "the image" if last == INPUT else layers[last].name
    return LayerDifference(
        layer.name,
        layer.operation,
        layer.dimensions,
        one.own,
        one.snr,
        one.largest,
        explained,
        number in compensated,
        before,
        unmatched,
        allowed,
    )


def _runs_alike(a: Origin, b: Origin) -> bool:
    """Return whether two are of files of the same content, run in the same way."""
    same = all(getattr(a, n) == getattr(b, n) for n in ("recipe", "target", "precision", "runtime"))
    return same and bool(a.files) and sorted(a.files.values()) == sorted(b.files.values())


def image_name(image: ImageSource | None) -> str:
    """Return what an image that was passed is called; nothing for one in memory."""
    if image is None:
        return f"{catalog.image().name}, as none was named"
    return Path(image).name if isinstance(image, str | os.PathLike) else ""


def _layered(pipeline: Pipeline) -> LayeredModel:
    made = pipeline.arguments
    return open_layers(
        runtime(made["runtime"]),
        pipeline.model.files,
        pipeline.model.encoding,
        made["target"],
        made["precision"],
        input=lambda _: pipeline.recipe,
    )
