"""The native path in one call: read, resize, infer, argmax; compiled once, called many times."""

from __future__ import annotations

import functools
import importlib.metadata
import threading
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from PIL import Image

from wasinn_nb import catalog, settings
from wasinn_nb.arguments import device_name
from wasinn_nb.cards import ModelCard
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.pictures import ImageSource, encoded_bytes
from wasinn_nb.preprocessing import open_for, resized_pixels
from wasinn_nb.recipe import PreprocessRecipe, Resize
from wasinn_nb.segmentation import SegmentationResult
from wasinn_nb.tensor import Tensor

if TYPE_CHECKING:
    import os

__all__ = ["Pipeline", "kept_pipeline", "segment", "versions"]

_MOST_KEPT: Final = 4
_kept: dict[tuple[object, ...], Pipeline] = {}
_kept_lock = threading.Lock()


class Pipeline:
    """A segmentation model, compiled with its preprocessing and argmax in one graph.

    The graph takes 8-bit pixels and gives 8-bit labels: layout, colour order, range and argmax
    are OpenVINO's work, and no float tensor crosses into Python unless *scores* asks for it.  The
    mask is that of the five WASI-NN calls on the tensor of the same recipe, pixel for pixel.

    Parameters
    ----------
    model : str, path, Model or None
        As for :func:`wasinn_nb.model`.
    target : str or ExecutionTarget, optional
        ``"CPU"``, ``"GPU"``, ``"NPU"``, ``"AUTO"``.  Default: ``WASINN_NB_TARGET``, else CPU.
    precision : {"f32", "f16", "bf16", "device"}, optional
        What the graph computes in; ``device`` takes what the device prefers, and the result says
        which it was.  Default: ``WASINN_NB_PRECISION``, else f32.
    recipe : PreprocessRecipe, optional
        Default: the card's; without one, size and layout are read off the model's input and
        values are BGR from 0 to 255.
    resize : {"triangle", "triangle-0.23", "bilinear", "bilinear-draft"}, optional
        Replaces the recipe's filter.
    scores : bool
        Keep the scores of every class in the results.

    Attributes
    ----------
    model : Model
    recipe : PreprocessRecipe
    target, precision : str
        The device and the precision that really run.
    load_seconds : float
        How long reading and compiling took.

    Raises
    ------
    NotFoundError, MissingFileError, DownloadError
        If the model cannot be found or fetched.
    InvalidArgumentError
        If the target is not here, or the model is no segmentation model of one image.
    RuntimeFailure
        If OpenVINO cannot read or compile the model.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> pipeline = wn.Pipeline()
    >>> [pipeline(name).labels.shape for name in wn.images()[:2]]
    [(512, 896), (512, 896)]
    """

    def __init__(
        self,
        model: str | os.PathLike[str] | catalog.Model | None = None,
        target: str | int | None = None,
        *,
        precision: str | None = None,
        recipe: PreprocessRecipe | None = None,
        resize: Resize | None = None,
        scores: bool = False,
    ) -> None:
        from wasinn_nb.runtimes.openvino.runtime import OpenVinoBackend

        self.model = catalog.model(model)
        start = time.perf_counter()
        fused = OpenVinoBackend().load_segmentation(
            self.model.files,
            self.model.encoding,
            device_name(target),
            precision or settings.default("precision"),
            recipe or self.model.card.recipe,
            scores=scores,
        )
        self._context = fused.graph.execution_context()
        self.load_seconds = time.perf_counter() - start
        self.recipe = fused.recipe.replace(resize=resize) if resize else fused.recipe
        self.target = fused.graph.device
        self.precision = fused.graph.precision
        self._scores = scores
        self._card = _card_with_classes(self.model.card, fused.classes)
        self._lock = threading.Lock()

    def __call__(self, image: ImageSource | None = None) -> SegmentationResult:
        """Segment one image.

        Parameters
        ----------
        image : path, name of a shipped image, bytes, file, PIL.Image or array, optional
            Default: ``WASINN_NB_IMAGE``, else a shipped one.

        Returns
        -------
        SegmentationResult
            At the model's size, with the photograph and the seconds per step: ``read``,
            ``preprocess``, ``infer`` (argmax included).

        Raises
        ------
        ImageError, MissingFileError
            If the image cannot be read.
        """
        recipe = self.recipe
        if image is None or isinstance(image, str):
            image = catalog.image(image)
        started = time.perf_counter()
        decoded = isinstance(image, Image.Image | np.ndarray)
        kept = image if decoded else encoded_bytes(image)
        opened = open_for(image if isinstance(image, Path) else kept, recipe)
        read = time.perf_counter()
        pixels = resized_pixels(opened, recipe)
        tensor = Tensor.adopt((1, *pixels.shape), "u8", np.ascontiguousarray(pixels))
        prepared = time.perf_counter()
        with self._lock:  # one inference request: callers take turns
            self._context.set_input(0, tensor)
            self._context.compute()
            labels = self._context.output(0).to_array()[0]
            scores = self._context.output(1).to_array()[0] if self._scores else None
        inferred = time.perf_counter()
        return SegmentationResult(
            labels,
            self._card,
            scores,
            kept,
            recipe,
            self.target,
            self.precision,
            {"read": read - started, "preprocess": prepared - read, "infer": inferred - prepared},
            self.model.sha384[self.model.files[-1].name],
            versions(),
        )

    def __repr__(self) -> str:
        return f"Pipeline({self.model.name}, {self.target}, {self.precision}, {self.recipe.resize})"


def segment(
    image: ImageSource | None = None,
    model: str | os.PathLike[str] | catalog.Model | None = None,
    target: str | int | None = None,
    *,
    precision: str | None = None,
    recipe: PreprocessRecipe | None = None,
    resize: Resize | None = None,
    scores: bool = False,
) -> SegmentationResult:
    """Segment an image in one call: recipe, inference, argmax, result.

    The compiled models of the last four different calls are kept, so that the next image takes
    only its own time.  Parameters and errors are those of `Pipeline` and its call.

    Returns
    -------
    SegmentationResult

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> result = wn.segment("city-crosswalk")
    >>> result.labels.shape, result.card.classes
    ((512, 896), ('background', 'road', 'curb', 'mark'))
    """
    pipeline = kept_pipeline(
        model, target, precision=precision, recipe=recipe, resize=resize, scores=scores
    )
    return pipeline(image)


def kept_pipeline(
    model: str | os.PathLike[str] | catalog.Model | None = None,
    target: str | int | None = None,
    *,
    precision: str | None = None,
    recipe: PreprocessRecipe | None = None,
    resize: Resize | None = None,
    scores: bool = False,
) -> Pipeline:
    """Return the pipeline that `segment` runs for these parameters, compiled once.

    The last four different ones are kept.
    """
    found = catalog.model(model)
    # A file that was written anew is another model.
    stamps = tuple((path, path.stat().st_mtime_ns, path.stat().st_size) for path in found.files)
    precision = precision or settings.default("precision")
    key = (stamps, device_name(target), precision, recipe, resize, scores)
    with _kept_lock:
        pipeline = _kept.pop(key, None) or Pipeline(
            found, target, precision=precision, recipe=recipe, resize=resize, scores=scores
        )
        _kept[key] = pipeline  # the newest is the last
        while len(_kept) > _MOST_KEPT:
            del _kept[next(iter(_kept))]
    return pipeline


def _card_with_classes(card: ModelCard, classes: int) -> ModelCard:
    """Return a card that names every class of the output."""
    if not card.classes:
        names = tuple(f"class {index}" for index in range(classes))
        return replace(card, classes=names, palette=())
    if len(card.classes) != classes:
        raise InvalidArgumentError(
            f"the card of {card.name} names {len(card.classes)} classes, the model's output has "
            f"{classes}"
        )
    return card


@functools.cache
def versions() -> Mapping[str, str]:
    """Return the versions of what makes a mask: this package, OpenVINO, Pillow and NumPy."""
    packages = ("wasinn-nb", "openvino", "pillow", "numpy")
    return {package: importlib.metadata.version(package) for package in packages}
