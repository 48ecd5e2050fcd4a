"""What a task's results are as columns, and back."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, Final, Protocol

import numpy as np

from wasinn_nb.cards import ModelCard
from wasinn_nb.errors import ImageError, InvalidArgumentError, Remedy
from wasinn_nb.imaging import Coverage, ImageSource, ignored_orientation, open_image
from wasinn_nb.json_files import json_text
from wasinn_nb.origin import Origin
from wasinn_nb.prediction.arrow import arrow
from wasinn_nb.prediction.schema import class_columns
from wasinn_nb.tasks import saturated_row
from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.tasks.segmentation import Confidence, SegmentationResult

__all__ = ["IGNORED_EXIF", "SATURATED", "Columns", "columns_of", "mask_labels", "no_mask"]

_TOP: Final = 5
_CONFIDENCE: Final = ("mean_confidence", "lowest_confidence", "near_tie")
SATURATED: Final = "saturated"
"""The column of the part of the pixels whose confidence means nothing; of a classifier 0 or 1."""
IGNORED_EXIF: Final = "exif_ignored"
"""The column of the EXIF orientation that was not applied; 1 where there was none."""
_COMPRESSION: Final = 3  # of zlib: beyond, masks take twice the time for a tenth of the bytes


class Columns(Protocol):
    """A task's columns."""

    def fields(self) -> list[Any]:
        """Return the fields, beside those that every task has."""

    def row(self, result: Any) -> dict[str, Any]:
        """Return a result as the values of the fields."""

    def result(self, row: Mapping[str, Any], origin: Origin, image: ImageSource | None) -> Any:
        """Return the result that a row holds."""


def columns_of(
    task: str, card: ModelCard, threshold: float | None = None, assumed: tuple[str, ...] = ()
) -> Columns:
    """Return the columns of a task.

    Parameters
    ----------
    task : str
        One that is not known here keeps its results as JSON.
    card : ModelCard
        With a name for every class.
    threshold : float, optional
        Of a model of one class.
    assumed : tuple of str
        What nothing states about the model.
    """
    if task == "segmentation":
        return _MaskColumns(card, threshold, assumed)
    if task == "classification":
        return _ScoreColumns(card, assumed)
    return _JsonColumns()


class _MaskColumns:
    def __init__(self, card: ModelCard, threshold: float | None, assumed: tuple[str, ...]) -> None:
        self._card, self._threshold, self._assumed = card, threshold, assumed
        self._names = [*class_columns(card.classes).values()]

    def fields(self) -> list[Any]:
        pa = arrow()
        return [
            pa.field("mask", pa.binary()),
            pa.field("mask_width", pa.int32()),
            pa.field("mask_height", pa.int32()),
            pa.field("covers", pa.list_(pa.float64())),
            pa.field("mean_confidence", pa.float64()),
            pa.field("lowest_confidence", pa.float64()),
            pa.field("near_tie", pa.float64()),
            pa.field(SATURATED, pa.float64()),
            pa.field("pixels", pa.list_(pa.int64())),
            *(pa.field(name, pa.float64()) for name in self._names),
        ]

    def row(self, result: SegmentationResult) -> dict[str, Any]:
        file = io.BytesIO()
        result.mask_image().save(file, "PNG", compress_level=_COMPRESSION)
        areas = [*result.areas().values()]
        shares = (pixels / result.labels.size for pixels in areas)
        sure = result.confidence
        return {
            "mask": file.getvalue(),
            "mask_width": result.width,
            "mask_height": result.height,
            "covers": list(result.covers),
            "mean_confidence": None if sure is None else sure.mean,
            "lowest_confidence": None if sure is None else sure.lowest,
            "near_tie": None if sure is None else sure.near_tie,
            SATURATED: None if sure is None else sure.saturated,
            "pixels": areas,
            **dict(zip(self._names, shares, strict=True)),
        }

    def result(
        self, row: Mapping[str, Any], origin: Origin, image: ImageSource | None
    ) -> SegmentationResult:
        mean, lowest, near_tie = (row.get(name) for name in _CONFIDENCE)
        saturated = row.get(SATURATED) or 0.0  # rows of an older version do not have it
        sure = None
        if mean is not None and lowest is not None and near_tie is not None:
            sure = Confidence(mean, lowest, near_tie, saturated)
        return SegmentationResult(
            mask_labels(row["mask"], row["name"]),
            self._card,
            None,
            image,
            origin.recipe,
            origin.target,
            origin.precision,
            seconds_of(row),
            origin.sha384,
            origin.versions,
            origin.files,
            origin.runtime,
            self._threshold,
            _assumed(self._assumed, row),
            Coverage.of_values(row["covers"]),
            sure,
            () if sure is None else sure.remarks,
        )


class _ScoreColumns:
    def __init__(self, card: ModelCard, assumed: tuple[str, ...]) -> None:
        self._card, self._assumed = card, assumed

    def fields(self) -> list[Any]:
        pa = arrow()
        top = [("index", pa.int32()), ("name", pa.string()), ("probability", pa.float32())]
        return [
            pa.field("label", pa.string()),
            pa.field("probability", pa.float64()),
            pa.field("margin", pa.float64()),
            pa.field(SATURATED, pa.float64()),
            pa.field("top", pa.list_(pa.struct(top))),
            pa.field("probabilities", pa.binary()),
        ]

    def row(self, result: ClassificationResult) -> dict[str, Any]:
        top = result.top(_TOP)
        return {
            "label": top[0].name,
            "probability": top[0].probability,
            "margin": top[0].probability - (top[1].probability if len(top) > 1 else 0.0),
            SATURATED: float(bool(result.remarks)),
            "top": [one._asdict() for one in top],
            "probabilities": result.probabilities.astype("<f4").tobytes(),
        }

    def result(
        self, row: Mapping[str, Any], origin: Origin, image: ImageSource | None
    ) -> ClassificationResult:
        data = row["probabilities"] or b""
        if len(data) != 4 * len(self._card.classes):
            raise InvalidArgumentError(
                f"{row['name']}: expected a probability for each class, got {len(data)} bytes"
            )
        values = np.frombuffer(data, "<f4").astype(np.float32)
        return ClassificationResult(
            values,
            self._card,
            origin,
            None,
            image,
            seconds_of(row),
            _assumed(self._assumed, row),
            remarks=(saturated_row(),) if row.get(SATURATED) else (),
        )


def _assumed(of_model: tuple[str, ...], row: Mapping[str, Any]) -> tuple[str, ...]:
    """Return what is assumed of a model, and of the image of a row."""
    turned = ignored_orientation(row.get(IGNORED_EXIF) or 1)
    return (*of_model, turned) if turned else of_model


class _JsonColumns:
    """Of tasks of other packages: what `to_dict` of their results has."""

    def fields(self) -> list[Any]:
        return [arrow().field("result", arrow().string())]

    def row(self, result: Any) -> dict[str, Any]:
        return {"result": json_text(result.to_dict(), "the result", InvalidArgumentError)}

    def result(self, row: Mapping[str, Any], origin: Origin, image: ImageSource | None) -> Any:
        del origin, image
        raise InvalidArgumentError(
            f"{row['name']}: its task keeps its results as JSON in the column 'result'; "
            f"run the model on the image to see more"
        )


def seconds_of(row: Mapping[str, Any]) -> dict[str, float]:
    """Return step → seconds of a row."""
    named = {step: row.get(f"seconds_{step}") for step in ("read", "preprocess", "infer")}
    return {step: float(value) for step, value in named.items() if value is not None}


def no_mask(name: str) -> InvalidArgumentError:
    """Return the error of a row whose mask is needed and was not kept."""
    return InvalidArgumentError(
        f"{name}: no mask was kept",
        remedy=Remedy(
            "predict with masks=True into another store",
            command="run predict without --no-masks into another store",
        ),
    )


def mask_labels(data: bytes | None, name: str) -> np.ndarray[Any, np.dtype[np.uint8]]:
    """Return the labels of a mask as a row keeps it.

    Raises
    ------
    InvalidArgumentError
        If the row has none, or it is broken.
    """
    if data is None:
        raise no_mask(name)
    try:
        labels = np.asarray(open_image(data))
    except ImageError as error:
        raise InvalidArgumentError(f"{name}: its mask cannot be read: {error}") from error
    if labels.ndim != 2 or labels.dtype != np.uint8:
        raise InvalidArgumentError(f"{name}: its mask is not an index PNG")
    labels.flags.writeable = False
    return labels
