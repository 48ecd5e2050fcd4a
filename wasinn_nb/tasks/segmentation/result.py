"""The result of a segmentation: a mask that knows its classes and where it comes from."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, Self

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.cards import ModelCard, card_line, restored_assumptions
from wasinn_nb.errors import InvalidArgumentError, TensorError, WasiNnError
from wasinn_nb.imaging import (
    WHOLE,
    Coverage,
    Exif,
    ImageSource,
    PreprocessRecipe,
    kept_image,
    rgb_image,
)
from wasinn_nb.origin import Origin
from wasinn_nb.render import (
    LegendEntry,
    checked_labels,
    legend,
    palette_image,
    picture_html,
    preview,
)
from wasinn_nb.tasks.saving import SavedFiles, read_result, write_result
from wasinn_nb.tasks.segmentation.digest import MANY_CLASSES, Digest
from wasinn_nb.tasks.segmentation.masks import (
    Box,
    blend,
    checked_size,
    class_areas,
    colorize,
    labels_of,
    resize_labels,
    resize_scores,
    resized_labels_of,
)
from wasinn_nb.tensor import Tensor

if TYPE_CHECKING:
    from wasinn_nb.render import PanelFigure

__all__ = ["SavedFiles", "SegmentationResult"]

_SHA384 = re.compile(r"[0-9a-f]{96}")
_SMALL_MASK: Final = 320  # masks smaller than this are shown enlarged
_SHOWN_CLASSES: Final = 6


@dataclass(frozen=True, eq=False, repr=False)
class SegmentationResult:
    """A mask, and all that is needed to show, judge and save it.

    Parameters
    ----------
    labels : (H, W) uint8 array
        The class of each pixel.  Copied unless it is read-only.
    card : ModelCard
        The model's name, classes and palette.
    scores : (C, H, W) float32 array, optional
        What the labels were taken from, in the order of the classes.
    image : path, bytes, binary file, PIL.Image or array, optional
        The photograph.  Encoded ones are kept as their bytes, all others as an array.
    recipe : PreprocessRecipe, optional
        What was done to the photograph before the model saw it.
    target : str
        The OpenVINO device that ran.
    precision : str
        In which it ran: ``"f32"``, ``"bf16"``, ``"f16"``.
    timings : mapping
        Step → seconds.  No text or picture of the result shows them.
    model_sha384 : str, optional
        SHA-384 of the model's weights, in hexadecimal.
    versions : mapping
        Package → version.
    files : mapping
        File name → SHA-384 in hexadecimal, of every file that the model's weights come from.
    runtime : str
        The engine that ran.
    threshold : float, optional
        Of one class: the probability above which a pixel belongs to it.  `scores` has one plane
        then, of probabilities, and labels are 0 and 1.
    assumed : tuple of str
        What nothing states about the model, and was assumed.
    covers : Coverage
        The part of the image that the labels cover: all of it, unless it was cropped, or borders
        were cut off.

    Raises
    ------
    TensorError
        If labels, scores or image have the wrong shape, dtype or values.
    InvalidArgumentError
        If another field holds what it cannot.

    Examples
    --------
    >>> card = ModelCard("toy", "segmentation", classes=("background", "road"))
    >>> result = SegmentationResult(np.array([[0, 1], [1, 1]], np.uint8), card)
    >>> result
    SegmentationResult(toy, 2x2, f32 on CPU: background 25.00 %, road 75.00 %)
    >>> result.areas()
    {'background': 1, 'road': 3}
    >>> SegmentationResult(np.array([[0, 2]], np.uint8), card)
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

    def __post_init__(self) -> None:
        if not self.card.classes:
            raise InvalidArgumentError(
                f"the card of {self.card.name} names no classes; a mask needs one name per class"
            )
        labels = np.asarray(self.labels)
        checked_labels(labels, len(self.card.classes))
        checked_size(*labels.shape)
        object.__setattr__(self, "labels", _read_only(labels))
        if self.scores is not None:
            object.__setattr__(self, "scores", self._checked_scores(np.asarray(self.scores)))
        if self.image is not None:
            object.__setattr__(self, "image", kept_image(self.image, self._exif()))
        if self.model_sha384 is not None and not _SHA384.fullmatch(str(self.model_sha384)):
            raise InvalidArgumentError("expected model_sha384 as 96 hexadecimal digits")
        if self.threshold is not None:
            if type(self.threshold) is not float or not 0 < self.threshold < 1:
                raise InvalidArgumentError(
                    f"expected a threshold between 0 and 1, got {self.threshold!r:.80}"
                )
            if len(self.card.classes) != 2:
                raise InvalidArgumentError(
                    f"a threshold is for one class and its background, the card of "
                    f"{self.card.name} names {len(self.card.classes)} classes"
                )
        for name in ("timings", "versions", "files"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))
        object.__setattr__(self, "assumed", tuple(self.assumed))
        self.origin  # noqa: B018 - refuses what it cannot hold

    @classmethod
    def from_scores(
        cls, scores: NDArray[Any], card: ModelCard, *, keep_scores: bool = True, **about: Any
    ) -> Self:
        """Make a result from a model's output.

        Parameters
        ----------
        scores : (C, H, W) or (1, C, H, W) array
            The labels are those of `masks.labels_of`; with ``threshold=`` one plane of
            probabilities.
        card : ModelCard
        keep_scores : bool
            Whether the result keeps them: 4 bytes for each class of each pixel.
        **about
            Further fields of the result.

        Examples
        --------
        >>> card = ModelCard("toy", "segmentation", classes=("background", "road"))
        >>> scores = np.array([[[[0.9, 0.2]], [[0.1, 0.8]]]], np.float32)
        >>> SegmentationResult.from_scores(scores, card).labels
        array([[0, 1]], dtype=uint8)
        """
        labels = labels_of(scores, about.get("threshold"))
        labels.flags.writeable = False
        kept = scores.reshape(scores.shape[-3:]).astype(np.float32, copy=False)
        return cls(labels, card, kept if keep_scores else None, **about)

    @cached_property
    def origin(self) -> Origin:
        """What made the result: model, files, recipe, target, precision, runtime, versions."""
        files = self.files
        if not files and self.model_sha384 is not None:
            files = {self.card.name: self.model_sha384}
        return Origin(
            self.card.name,
            files,
            self.recipe,
            self.target,
            self.precision,
            self.runtime,
            self.versions,
        )

    @cached_property
    def photo(self) -> NDArray[np.uint8] | None:
        """The photograph as a read-only (h, w, 3) array in RGB order at its own size, or None.

        An encoded one is decoded when it is first asked for.
        """
        if self.image is None:
            return None
        return _read_only(np.asarray(rgb_image(self.image, self._exif())))

    # Not a property: jedi, which completes names, fails on one that returns a Literal.
    def _exif(self) -> Exif:
        return "ignore" if self.recipe is None else self.recipe.exif

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
        return {name: pixels / self.labels.size for name, pixels in self.areas().items()}

    def digest(self) -> Digest:
        """Return the mask as a few lines of stable text that can be compared."""
        return Digest.of(self.labels, self.card.classes, self.card.name, self.precision)

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
        checked_size(height, width)
        if (height, width) == self.labels.shape:
            return self
        if self.scores is None:
            return replace(self, labels=resize_labels(self.labels, height, width))
        scores = resize_scores(self.scores, height, width)
        return replace(self, labels=labels_of(scores, self.threshold), scores=scores)

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
        >>> card = ModelCard("toy", "segmentation", classes=("background", "person"))
        >>> scores = np.array([[[0.2, 0.4, 0.7]]], np.float32)
        >>> result = SegmentationResult.from_scores(scores, card, threshold=0.5)
        >>> result.with_threshold(0.3).labels
        array([[0, 1, 1]], dtype=uint8)
        """
        if self.threshold is None:
            raise InvalidArgumentError(
                f"a threshold is for results of one class, this one of {self.card.name} has "
                f"{len(self.card.classes)} classes"
            )
        if threshold == self.threshold:
            return self
        if self.scores is None:
            raise InvalidArgumentError(
                "the result keeps no scores to apply another threshold to; make it with scores=True"
            )
        labels = labels_of(self.scores, threshold)
        return replace(self, labels=labels, threshold=float(threshold))

    def labels_at(self, height: int, width: int) -> NDArray[np.uint8]:
        """Return the labels laid over an image of another size.

        As in :meth:`resize`; where the mask covers less than the image, the rest is background.

        Parameters
        ----------
        height, width : int
            Pixels of the whole image.
        """
        if self.covers == WHOLE:
            return self._labels_of(height, width, None)
        rows, columns, box = self.covers.window(self.labels.shape, height, width)
        labels = np.full((height, width), self.card.background or 0, np.uint8)
        if rows.start < rows.stop and columns.start < columns.stop:
            size = rows.stop - rows.start, columns.stop - columns.start
            labels[rows, columns] = self._labels_of(*size, box)
        return labels

    def covered_at(self, height: int, width: int) -> NDArray[np.bool_]:
        """Return which pixels of an image of *height* x *width* pixels the mask covers."""
        covered = np.zeros((height, width), np.bool_)
        covered[self.covers.window(self.labels.shape, height, width)[:2]] = True
        return covered

    def _labels_of(self, height: int, width: int, box: Box | None) -> NDArray[np.uint8]:
        if box is None and (height, width) == self.labels.shape:
            return self.labels
        if self.scores is None:
            return resize_labels(self.labels, height, width, box)
        return resized_labels_of(self.scores, height, width, self.threshold, box)

    def overlay(self, image: ImageSource | None = None, opacity: float = 0.5) -> Image.Image:
        """Return the photograph tinted with the mask's colours, at the photograph's own size.

        The labels are brought to that size as in :meth:`resize`; colour comes last.  The card's
        background is not tinted.

        Parameters
        ----------
        image : path, bytes, binary file, PIL.Image or array, optional
            Another photograph than the result's own.
        opacity : float
            0 leaves the photograph, 1 paints over it.

        Raises
        ------
        InvalidArgumentError
            If there is no photograph, or *opacity* is not within 0 to 1.
        ImageError, MissingFileError
            If *image* cannot be read.
        """
        photo = self._photo_to_mask(image)
        return Image.fromarray(self._blended(photo, self.labels_at(*photo.shape[:2]), opacity))

    def mask_image(self) -> Image.Image:
        """Return the mask as an index image (Pillow's mode ``P``) with the card's palette."""
        return palette_image(self.labels, self.card.palette)

    def plot(self, image: ImageSource | None = None, opacity: float = 0.5) -> PanelFigure:
        """Draw photograph, mask and masked photograph with a legend; the mask alone without one.

        Parameters and errors are those of :meth:`overlay`.

        Returns
        -------
        PanelFigure
            A `matplotlib.figure.Figure`, but not pyplot's: it shows itself once in a notebook and
            needs no closing.
        """
        from wasinn_nb.render import Panel, draw_panels

        title = f"Mask: {self.card.name}"
        if image is None and self.image is None:
            panels = [Panel(title, colorize(self.labels, self.card.palette), smooth=False)]
        else:
            photo = self._photo_to_mask(image)
            labels = self.labels_at(*photo.shape[:2])
            panels = [
                Panel("Photograph", photo),
                Panel(title, colorize(labels, self.card.palette), smooth=False),
                Panel("Masked photograph", self._blended(photo, labels, opacity)),
            ]
        return draw_panels(panels, self._legend())

    def save(self, directory: str | os.PathLike[str], stem: str | None = None) -> SavedFiles:
        """Write mask, overlay, tensor and facts into a folder.

        ========================  ==========================================================
        ``STEM-mask.png``         the labels as an index image with the card's palette
        ``STEM-overlay.jpg``      :meth:`overlay`, where the result has its photograph
        ``STEM-DIMS.tensor``      scores as ``1xCxHxWxf32`` where kept, else labels ``HxWxu8``
        ``STEM-DIMS.tensor.json`` its sidecar: recipe, model, target, precision, versions
        ``STEM.json``             areas, digest, timings, all of the sidecar; written last
        ========================  ==========================================================

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
            If *stem* is no plain file name.
        OSError
            If the folder cannot be written to.
        """
        if self.scores is None:
            tensor = Tensor.adopt(self.labels.shape, "u8", self.labels)
        else:
            tensor = Tensor.adopt((1, *self.scores.shape), "f32", self.scores)
        return write_result(
            directory,
            self.card.name if stem is None else stem,
            mask=self.mask_image(),
            overlay=None if self.image is None else self.overlay(),
            tensor=tensor,
            origin=self._saved_origin(),
            facts={
                "areas": self.areas(),
                "digest": str(self.digest()).splitlines(),
                "timings": dict(self.timings),
            },
        )

    def _saved_origin(self) -> dict[str, Any]:
        """Return the origin as files hold it: what the mask means stands beside the model."""
        origin = self.origin.to_dict()
        model = {
            "name": origin.pop("model"),
            "sha384": self.origin.sha384,
            "files": origin.pop("files"),
            "classes": self.card.classes,
            "palette": self.card.palette,
        }
        if self.card.background != 0:
            model["background"] = self.card.background
        covers = None if self.covers == WHOLE else list(self.covers)
        about = {"threshold": self.threshold, "assumed": list(self.assumed), "covers": covers}
        return {"model": model, **origin} | {name: value for name, value in about.items() if value}

    def to_dict(self) -> dict[str, Any]:
        """Return what is known of the mask as plain JSON values, without its pixels."""
        return {
            "model": self.card.name,
            "target": self.target,
            "precision": self.precision,
            "height": self.height,
            "width": self.width,
            "areas": self.areas(),
            "fractions": self.fractions(),
            "digest": str(self.digest()).splitlines(),
            "threshold": self.threshold,
            "assumed": list(self.assumed),
            "covers": list(self.covers),
            "seconds": dict(self.timings),
            "origin": self.origin.to_dict(),
        }

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read back what :meth:`save` wrote, without the photograph.

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
        said, labels, tensor = read_result(Path(path))
        scores = tensor.to_array()
        try:
            model, recipe = dict(said["model"]), said["recipe"]
            sha384, files = model.pop("sha384"), model.pop("files", {})
            made_of = None if recipe is None else PreprocessRecipe.from_dict(recipe)
            result = cls(
                labels,
                ModelCard.from_dict(model | {"task": "segmentation"}),
                scores[0] if scores.ndim == 4 else None,
                None,
                made_of,
                said["target"],
                said["precision"],
                said["timings"],
                sha384,
                said["versions"],
                files,
                said.get("runtime", "openvino"),
                said.get("threshold"),
                restored_assumptions(said.get("assumed", ()), made_of, len(model["classes"])),
                Coverage.of_values(said.get("covers", WHOLE)),
            )
            digest = Digest.parse("\n".join(said["digest"]))
        except (KeyError, TypeError, ValueError, AttributeError, WasiNnError) as error:
            raise InvalidArgumentError(f"{path}: not what `save` writes: {error}") from error
        if digest != (own := result.digest()):
            found = digest.differences(own, tolerance=0, cells=0)
            what = "; ".join(found) or f"precision {digest.precision} here, {own.precision} there"
            raise InvalidArgumentError(
                f"{path}: its digest (here) is not that of the mask (there); one of them was "
                f"changed after saving: {what}"
            )
        return result

    def _checked_scores(self, scores: NDArray[Any]) -> NDArray[np.float32]:
        planes = len(self.card.classes) if self.threshold is None else 1
        expected = (planes, *self.labels.shape)
        if scores.shape != expected or scores.dtype != np.float32:
            raise TensorError(
                f"expected scores as a {expected} float32 array (a plane for each class), "
                f"got {scores.shape} {scores.dtype}"
            )
        return _read_only(scores)

    def _blended(
        self, photo: NDArray[np.uint8], labels: NDArray[np.uint8], opacity: float
    ) -> NDArray[np.uint8]:
        blended = blend(photo, labels, self.card.palette, opacity, self.card.background)
        if self.covers != WHOLE and self.card.background is None:
            uncovered = ~self.covered_at(*labels.shape)  # of no class
            blended[uncovered] = photo[uncovered]
        return blended

    def _photo_to_mask(self, image: ImageSource | None) -> NDArray[np.uint8]:
        if image is not None:
            return np.asarray(rgb_image(image, self._exif()))
        if self.photo is None:
            raise InvalidArgumentError("the result keeps no photograph; pass it as image=…")
        return self.photo

    def _legend(self) -> list[LegendEntry]:
        areas = list(self.areas().values())
        return legend(self.card.classes, self.card.palette, areas, MANY_CLASSES)

    def _repr_html_(self) -> str:
        size = self.labels.shape if self.photo is None else self.photo.shape[:2]
        media_type, encoded, (height, width) = preview(
            self.photo, size, self.labels_at, self.card.palette, self._blended
        )
        entries = self._legend()
        facts = [
            self.card.name,
            f"{self.height} x {self.width} pixels (height x width)",
            self.origin.ran,
        ]
        if self.threshold is not None:
            facts.append(f"threshold {self.threshold:g}")
        if self.assumed:
            facts.append(f"assumed: {'; '.join(self.assumed)}")
        if hidden := len(self.card.classes) - len(entries):
            facts.append(f"{hidden} further classes have no pixel")
        shares = ", ".join(f"{entry.name} {entry.share}" for entry in entries[:_SHOWN_CLASSES])
        what = "Mask" if self.image is None else "Photograph tinted with the mask"
        details = {} if self.recipe is None else {"recipe": repr(self.recipe)}
        details |= {f"SHA-384 of {name}": digest for name, digest in self.origin.files.items()}
        details["runtime"] = self.runtime
        details |= {name: str(version) for name, version in self.versions.items()}
        return picture_html(
            (media_type, encoded),
            width=width * max(1, _SMALL_MASK // max(height, width)),
            alt=f"{what} of {self.card.name}: {shares}",
            facts=facts,
            legend=entries,
            details=details,
            card_line=card_line(self.origin.main_file, self.assumed, self.card, self.recipe),
            pixelated=self.image is None,
        )

    def __repr__(self) -> str:
        entries = self._legend()
        shares = [f"{entry.name} {entry.share}" for entry in entries[:_SHOWN_CLASSES]]
        if len(entries) > _SHOWN_CLASSES:
            shares.append(f"{len(entries) - _SHOWN_CLASSES} more")
        assumed = f"; assumed: {'; '.join(self.assumed)}" if self.assumed else ""
        return (
            f"SegmentationResult({self.card.name}, {self.height}x{self.width}, "
            f"{self.origin.ran}: {', '.join(shares)}{assumed})"
        )

    def __reduce__(self) -> tuple[Any, ...]:
        # Read-only views of mappings cannot be pickled; what they show can.
        values = [getattr(self, f.name) for f in fields(self)]
        return type(self), tuple(
            dict(value) if isinstance(value, MappingProxyType) else value for value in values
        )


def _read_only(array: NDArray[Any]) -> NDArray[Any]:
    """Return *array* in C order, copied where it could still change."""
    if array.flags.writeable or not array.flags.c_contiguous:
        array = np.array(array, order="C")
        array.flags.writeable = False
    return array
