"""The parameters of a result by name, for editors: what `SegmentationResult.from_scores` takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypedDict

from wasinn_nb.imaging import Coverage, ImageSource, PreprocessRecipe

__all__ = ["ResultFields"]


class ResultFields(TypedDict, total=False):
    """What is known of a result besides its scores and its card."""

    image: ImageSource | None
    recipe: PreprocessRecipe | None
    target: str
    precision: str
    timings: Mapping[str, float]
    model_sha384: str | None
    versions: Mapping[str, str]
    files: Mapping[str, str]
    runtime: str
    threshold: float | None
    assumed: tuple[str, ...]
    covers: Coverage
