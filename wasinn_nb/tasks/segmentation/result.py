"""The result of a segmentation: a mask that knows its classes and where it comes from."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Self, Unpack

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb import render
from wasinn_nb.arrays import AsArray
from wasinn_nb.cards import ModelCard
from wasinn_nb.imaging import WHOLE, Coverage, ImageSource, PreprocessRecipe, kept_image, rgb_image
from wasinn_nb.origin import Origin
from wasinn_nb.pickling import pickled_fields
from wasinn_nb.tasks.fields import how_read, read_only
from wasinn_nb.tasks.saving import SavedFiles
from wasinn_nb.tasks.segmentation.checks import (
    kept_labels,
    kept_scores,
    refuse_sha384,
    refuse_threshold,
)
from wasinn_nb.tasks.segmentation.confidence import Confidence
from wasinn_nb.tasks.segmentation.derived import at_size, at_threshold, made_by
from wasinn_nb.tasks.segmentation.digest import Digest
from wasinn_nb.tasks.segmentation.display import document_of, figure_of, line_of
from wasinn_nb.tasks.segmentation.fields import ResultFields
from wasinn_nb.tasks.segmentation.masks import class_areas, labels_of
from wasinn_nb.tasks.segmentation.on_image import blended, covered_on, image_to_tint, labels_on
from wasinn_nb.tasks.segmentation.saved import load_result, save_result

if TYPE_CHECKING:
    from wasinn_nb.render import PanelFigure

__all__ = ["SavedFiles", "SegmentationResult"]


@dataclass(frozen=True, eq=False, repr=False)
class SegmentationResult(AsArray, render.Showing):
    """A mask, and all that is needed to show, judge and save it; as an array, its labels.

    Parameters
    ----------
    labels : (H, W) uint8 array
        The class of each pixel.  Copied unless it is read-only.
    card : ModelCard
        The model's name, classes and palette.
    scores : (C, H, W) float32 array, optional
        What the labels were taken from, in the order of the classes.
    image : path, bytes, binary file, PIL.Image or array, optional
        Encoded ones are kept as their bytes, all others as an array.
    recipe : PreprocessRecipe, optional
        What was done to the image before the model saw it.
    target, precision : str
        The device that ran, and in which precision: ``"f32"``, ``"bf16"``, ``"f16"``.
    timings : mapping
        Step → seconds.  Nothing that the result shows contains them.
    model_sha384 : str, optional
        SHA-384 of the model's weights, in hexadecimal.
    versions : mapping
        Package → version.
    files : mapping
        File name → SHA-384 in hexadecimal, of every file that the model's weights come from.
    runtime : str
    threshold : float, optional
        Of one class: the probability above which a pixel belongs to it.  `scores` has one plane
        then, of probabilities, and labels are 0 and 1.
    assumed : tuple of str
        What nothing states about the model, and was assumed.
    covers : Coverage
        The part of the image that the labels cover: less than all where it was cropped, or padded.
    confidence : Confidence, optional
        How sure the model was of the mask as it gave it, where that was measured.
    remarks : tuple of str
        What a reader of the mask should know of it, such as that its scores are saturated.

    Raises
    ------
    TensorError
        If labels, scores or image have the wrong shape, dtype or values.
    InvalidArgumentError
        If another field holds what it cannot.

    Examples
    --------
    >>> card = wn.ModelCard("toy", "segmentation", classes=("background", "road"))
    >>> result = wn.SegmentationResult(np.array([[0, 1], [1, 1]], np.uint8), card)
    >>> result
    SegmentationResult(toy, 2x2, f32 on CPU: background 25.00 %, road 75.00 %)
    >>> result.areas()
    {'background': 1, 'road': 3}
    >>> wn.SegmentationResult(np.array([[0, 2]], np.uint8), card)
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.TensorError: expected labels from 0 to 1, got 2 (1 pixel)
    """

    labels: NDArray[np.uint8]
    card: ModelCard
    scores: NDArray[np.float32] | None = None
    image: ImageSource | None = None
    recipe: PreprocessRecipe | None = None
    target: str = "CPU"
    precision: str = "f32"
    timings: Mapping[str, float] = field(default_factory=dict)
    model_sha384: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    runtime: str = "openvino"
    threshold: float | None = None
    assumed: tuple[str, ...] = ()
    covers: Coverage = WHOLE
    confidence: Confidence | None = None
    remarks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "labels", kept_labels(np.asarray(self.labels), self.card))
        if self.scores is not None:
            planes = len(self.card.classes) if self.threshold is None else 1
            scores = kept_scores(np.asarray(self.scores), (planes, *self.labels.shape))
            object.__setattr__(self, "scores", scores)
        if self.image is not None:
            object.__setattr__(self, "image", kept_image(self.image, **how_read(self.recipe)))
        if self.model_sha384 is not None:
            refuse_sha384(self.model_sha384)
        if self.threshold is not None:
            refuse_threshold(self.threshold, self.card)
        for name in ("timings", "versions", "files"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        for name in ("assumed", "remarks"):
            object.__setattr__(self, name, tuple(getattr(self, name)))
        self.origin  # noqa: B018 - refuses what it cannot hold

    @classmethod
    def from_scores(
        cls,
        scores: NDArray[Any],
        card: ModelCard,
        *,
        keep_scores: bool = True,
        **about: Unpack[ResultFields],
    ) -> Self:
        """Make a result from a model's output.

        Parameters
        ----------
        scores : (C, H, W) or (1, C, H, W) array
            Labels as of `masks.labels_of`; with ``threshold=`` one plane of probabilities.
        card : ModelCard
        keep_scores : bool
            Whether the result keeps them: 4 bytes for each class of each pixel.
        **about
            Further parameters of the class, image to covers.

        Examples
        --------
        >>> card = wn.ModelCard("toy", "segmentation", classes=("background", "road"))
        >>> scores = np.array([[[[0.9, 0.2]], [[0.1, 0.8]]]], np.float32)
        >>> wn.SegmentationResult.from_scores(scores, card).labels
        array([[0, 1]], dtype=uint8)
        """
        labels = labels_of(scores, about.get("threshold"))
        labels.flags.writeable = False
        kept = scores.reshape(scores.shape[-3:]).astype(np.float32, copy=False)
        return cls(labels, card, kept if keep_scores else None, **about)

    @cached_property
    def origin(self) -> Origin:
        """What made the result: model, files, recipe, target, precision, runtime, versions."""
        return made_by(self)

    @cached_property
    def photo(self) -> NDArray[np.uint8] | None:
        """The image as a read-only (h, w, 3) array in RGB order at its own size, or None.

        An encoded one is decoded when it is first asked for.
        """
        if self.image is None:
            return None
        return read_only(np.asarray(rgb_image(self.image, **how_read(self.recipe))))

    def _as_array(self) -> NDArray[np.uint8]:
        return self.labels

    @property
    def height(self) -> int:
        """Rows of the mask."""
        return int(self.labels.shape[0])

    @property
    def width(self) -> int:
        """Columns of the mask."""
        return int(self.labels.shape[1])

    def areas(self) -> dict[str, int]:
        """Return the number of pixels of every class: name → pixels."""
        counts = class_areas(self.labels, len(self.card.classes)).tolist()
        return dict(zip(self.card.classes, counts, strict=True))

    def fractions(self) -> dict[str, float]:
        """Return each class's part of all pixels: name → 0 to 1."""
        return {name: area / self.labels.size for name, area in self.areas().items()}

    def digest(self) -> Digest:
        """Return the mask as a few lines of stable text that can be compared."""
        card = self.card
        return Digest.of(self.labels, card.classes, card.name, self.precision, self.assumed)

    def resize(self, height: int, width: int) -> SegmentationResult:
        """Return the result at another size.

        Scores are resized (bilinear) before their argmax where they were kept; labels by nearest
        otherwise.

        Parameters
        ----------
        height, width : int
            Pixels.

        Raises
        ------
        InvalidArgumentError
            If an image cannot have that size.
        """
        return at_size(self, height, width)

    def with_threshold(self, threshold: float) -> SegmentationResult:
        """Return the result of one class at another threshold.

        Parameters
        ----------
        threshold : float
            The probability, above 0 and below 1, above which a pixel belongs to the class.

        Raises
        ------
        InvalidArgumentError
            If it is not the result of one class, or keeps no scores.

        Examples
        --------
        >>> card = wn.ModelCard("toy", "segmentation", classes=("background", "person"))
        >>> scores = np.array([[[0.2, 0.4, 0.7]]], np.float32)
        >>> result = wn.SegmentationResult.from_scores(scores, card, threshold=0.5)
        >>> result.with_threshold(0.3).labels
        array([[0, 1, 1]], dtype=uint8)
        """
        return at_threshold(self, threshold)

    def labels_at(self, height: int, width: int) -> NDArray[np.uint8]:
        """Return the labels laid over an image of another size.

        As in :meth:`resize`; where the mask covers less than the image, the rest is background.

        Parameters
        ----------
        height, width : int
            Pixels of the whole image.
        """
        return labels_on(self, height, width)

    def covered_at(self, height: int, width: int) -> NDArray[np.bool_]:
        """Return which pixels of an image of *height* x *width* pixels the mask covers."""
        return covered_on(self, height, width)

    def overlay(self, image: ImageSource | None = None, opacity: float = 0.5) -> Image.Image:
        """Return the image tinted with the mask's colors, at the image's own size.

        The labels are brought to that size as in :meth:`resize`, and colored last.  The card's
        background is not tinted.

        Parameters
        ----------
        image : path, bytes, binary file, PIL.Image or array, optional
            Another image than the result's own.
        opacity : float
            0 leaves the image, 1 paints over it.

        Raises
        ------
        InvalidArgumentError
            If there is no image, or *opacity* is not within 0 to 1.
        ImageError, MissingFileError
            If *image* cannot be read.
        """
        pixels = image_to_tint(self, image)
        labels = self.labels_at(*pixels.shape[:2])
        return Image.fromarray(blended(self, pixels, labels, opacity))

    def mask_image(self) -> Image.Image:
        """Return the mask as an index image (Pillow's mode ``P``) with the card's palette."""
        return render.palette_image(self.labels, self.card.palette)

    def plot(self, image: ImageSource | None = None, opacity: float = 0.5) -> PanelFigure:
        """Draw image, mask and overlay with a legend; the mask alone without one.

        Parameters
        ----------
        image, opacity
            As for :meth:`overlay`; so are the errors.

        Returns
        -------
        PanelFigure
            A `matplotlib.figure.Figure`, but not pyplot's: it shows itself once in a notebook and
            needs no closing.
        """
        return figure_of(self, image, opacity)

    def save(self, directory: str | os.PathLike[str], stem: str | None = None) -> SavedFiles:
        """Write mask, overlay, tensor and facts into a folder.

        =========================  =========================================================
        ``STEM-mask.png``          the labels as an index image with the card's palette
        ``STEM-overlay.jpg``       :meth:`overlay`, where the result has its image
        ``STEM-DIMS.tensor``       scores as ``1xCxHxWxf32`` where kept, else labels ``HxWxu8``
        ``STEM-DIMS.tensor.json``  its sidecar: recipe, model, target, precision, versions
        ``STEM.json``              areas, digest, timings, all of the sidecar; written last
        =========================  =========================================================

        Each file appears whole or not at all; what lay there before is replaced.

        Parameters
        ----------
        directory : path-like
            Made when it is missing.
        stem : str, optional
            How the files' names begin.  Default: the model's name.

        Returns
        -------
        SavedFiles
            The paths.

        Raises
        ------
        InvalidArgumentError
            If *stem* is not a plain file name.
        OSError
            If the folder cannot be written to.
        """
        return save_result(self, directory, stem)

    def to_dict(self) -> dict[str, Any]:
        """Return what is known of the mask as plain JSON values, without its pixels."""
        return {
            "model": self.card.name,
            "target": self.target,
            "precision": self.precision,
            "runtime": self.runtime,
            "height": self.height,
            "width": self.width,
            "areas": self.areas(),
            "fractions": self.fractions(),
            "digest": str(self.digest()).splitlines(),
            "threshold": self.threshold,
            "assumed": list(self.assumed),
            "remarks": list(self.remarks),
            "covers": list(self.covers),
            "seconds": dict(self.timings),
            "origin": self.origin.to_dict(),
        }

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read back what :meth:`save` wrote, without the image.

        Parameters
        ----------
        path : path-like
            The ``STEM.json``.

        Raises
        ------
        MissingFileError
            If a file is missing.
        InvalidArgumentError
            If the JSON does not say what :meth:`save` writes, or its digest is not the mask's.
        TensorFileError, ImageError
            If the tensor or the mask is broken.
        """
        return load_result(cls, path)

    def document(self) -> render.Document:
        """Return what there is to see: the overlay with a legend; as text, a table of classes."""
        return document_of(self)

    def __repr__(self) -> str:
        return line_of(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return pickled_fields(self)
