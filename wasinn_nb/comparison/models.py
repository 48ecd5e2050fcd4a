"""Two models that run on one image: their results, and their layers."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeAlias

from wasinn_nb import catalog
from wasinn_nb.catalog import Model
from wasinn_nb.comparison.layer_pairs import matched, measured
from wasinn_nb.comparison.layers import EXPLAINED, LayerComparison, LayerDifference, coarsest
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.imaging import ImageSource, image_to_tensor, pixels_to_tensor
from wasinn_nb.origin import Origin
from wasinn_nb.pipeline import Pipeline
from wasinn_nb.progress import Progress, progress_bar
from wasinn_nb.runtimes import LayeredModel, open_layers, runtime

__all__ = ["Runnable", "compare_layers", "image_name", "pipeline_of"]

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
        If the models have no layer in common.
    """
    opened = [_layered(one) for one in (a, b)]
    pairs = matched(*(one.layers for one in opened))
    if not pairs:
        raise InvalidArgumentError(
            f"{a.model.name} ({len(opened[0].layers)} layers) and {b.model.name} "
            f"({len(opened[1].layers)} layers) have no layer of one name and size in common; "
            f"compare a model with itself, or with a copy that keeps the names"
        )
    prepared = a.prepare(image)
    first = pixels_to_tensor(prepared.pixels, a.recipe).to_array()
    same = b.recipe == a.recipe
    second = first if same else image_to_tensor(prepared.source, b.recipe).to_array()
    with progress_bar(
        progress=progress, total=len(pairs), desc="layers", unit="layer", leave=False
    ) as bar:
        found = measured(opened[0], opened[1], pairs, (first, second), bar.update)
    precision = coarsest([one.precision for one in opened], [one.weights for one in opened])
    allowed = EXPLAINED[precision]
    layers = tuple(
        LayerDifference(
            layer.name,
            layer.operation,
            layer.dimensions,
            one.own,
            one.snr,
            one.largest,
            one.own >= allowed,
        )
        for one, layer in zip(found, (opened[0].layers[pair.a] for pair in pairs), strict=True)
    )
    left_out = tuple(len(one.layers) - len(pairs) for one in opened)
    return LayerComparison(
        layers,
        precision,
        allowed,
        (left_out[0], left_out[1]),
        same_model=_runs_alike(a.origin, b.origin),
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
