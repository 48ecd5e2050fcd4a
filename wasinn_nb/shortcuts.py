"""One call for each task: recipe, inference, result."""

from __future__ import annotations

import os
from typing import Any, cast

from wasinn_nb import catalog
from wasinn_nb.cards import ModelCard, PartialRecipe
from wasinn_nb.imaging import ImageSource, Resize
from wasinn_nb.pipeline import kept_pipeline
from wasinn_nb.runtimes import Precision, Runtime
from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.tasks.segmentation import SegmentationResult

__all__ = ["classify", "segment"]


def segment(
    image: ImageSource | None = None,
    model: str | os.PathLike[str] | catalog.Model | None = None,
    target: str | int | None = None,
    *,
    precision: Precision | None = None,
    card: ModelCard | str | os.PathLike[str] | None = None,
    recipe: PartialRecipe | None = None,
    resize: Resize | None = None,
    scores: bool = False,
    threshold: float | None = None,
    output: str | int | None = None,
    runtime: str | Runtime | None = None,
) -> SegmentationResult:
    """Segment an image in one call: recipe, inference, labels, result.

    The compiled models of the last four different calls are kept, so that the next image takes
    only its own time.

    Parameters
    ----------
    image : path, name of a shipped image, bytes, file, PIL.Image or array, optional
        Default: ``WASINN_NB_IMAGE``, else a shipped one.
    model, target, precision, card, recipe, resize, scores, runtime
        As for `Pipeline`.
    threshold : float, optional
        Of a model of one class: the probability above which a pixel belongs to it.  Default: the
        card's, else 0.5.
    output : str or int, optional
        The name or index of the output that holds the mask.  Default: the card's, else the one
        that fits.

    Returns
    -------
    SegmentationResult

    Raises
    ------
    WasiNnError
        As `Pipeline` and its call.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> result = wn.segment("city-crosswalk")
    >>> result.labels.shape, result.card.classes
    ((512, 896), ('background', 'road', 'curb', 'mark'))
    """
    pipeline = kept_pipeline(
        _with_fields(model, card, threshold=threshold, output=output),
        target,
        precision=precision,
        recipe=recipe,
        resize=resize,
        scores=scores,
        task="segmentation",
        runtime=runtime,
    )
    return cast("SegmentationResult", pipeline(image))


def classify(
    image: ImageSource | None = None,
    model: str | os.PathLike[str] | catalog.Model | None = None,
    target: str | int | None = None,
    *,
    precision: Precision | None = None,
    card: ModelCard | str | os.PathLike[str] | None = None,
    recipe: PartialRecipe | None = None,
    resize: Resize | None = None,
    output: str | int | None = None,
    runtime: str | Runtime | None = None,
) -> ClassificationResult:
    """Classify an image in one call: recipe, inference, probabilities, result.

    The compiled models of the last four different calls are kept, so that the next image takes
    only its own time.

    Parameters
    ----------
    image : path, name of a shipped image, bytes, file, PIL.Image or array, optional
        Default: ``WASINN_NB_IMAGE``, else a shipped one.
    model, target, precision, card, recipe, resize, runtime
        As for `Pipeline`; *model* has to be a classifier, and none is shipped.
    output : str or int, optional
        The name or index of the output that holds the scores.  Default: the card's, else the one
        that fits.

    Returns
    -------
    ClassificationResult

    Raises
    ------
    WasiNnError
        As `Pipeline` and its call.

    Examples
    --------
    A model that gives the mean of each channel says how red, green and blue an image is:

    >>> import os, tempfile
    >>> import numpy as np
    >>> import onnx
    >>> path = os.path.join(tempfile.mkdtemp(), "colors.onnx")
    >>> model = onnx.parser.parse_model('''<ir_version: 8, opset_import: ["": 13]>
    ...     colors (float[1, 3, 8, 8] image) => (float[1, 3] scores) {
    ...         means = GlobalAveragePool(image)
    ...         scores = Flatten(means)
    ...     }''')
    >>> onnx.save(model, path)
    >>> colors, recipe = ("red", "green", "blue"), {"color": "RGB", "range": (0, 1)}
    >>> card = wn.ModelCard.from_model(path, task="classification", classes=colors, recipe=recipe)
    >>> orange = np.full((8, 8, 3), (255, 153, 0), np.uint8)
    >>> result = wn.classify(orange, path, card=card)
    >>> [(score.name, round(score.probability, 2)) for score in result.top(2)]
    [('red', 0.49), ('green', 0.33)]
    """
    pipeline = kept_pipeline(
        _with_fields(model, card, output=output),
        target,
        precision=precision,
        recipe=recipe,
        resize=resize,
        task="classification",
        runtime=runtime,
    )
    return cast("ClassificationResult", pipeline(image))


def _with_fields(
    model: str | os.PathLike[str] | catalog.Model | None,
    card: ModelCard | str | os.PathLike[str] | None,
    **fields: Any,
) -> catalog.Model:
    """Return a model whose card has those of the fields that are not None."""
    found = catalog.model(model, card=card)
    stated = {name: value for name, value in fields.items() if value is not None}
    return catalog.model(found, card=found.card.replace(**stated)) if stated else found
