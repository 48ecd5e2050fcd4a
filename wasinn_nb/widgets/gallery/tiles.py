"""Tiles: a thumbnail and small masks of each row, from which the page draws."""

from __future__ import annotations

import io
import zlib
from collections.abc import Callable, Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.errors import InvalidArgumentError, WasiNnError
from wasinn_nb.evaluation import TrueMasks
from wasinn_nb.prediction import Predictions
from wasinn_nb.tasks.segmentation import resize_labels
from wasinn_nb.widgets.gallery.thumbnails import thumbnail_within
from wasinn_nb.wording import inert

__all__ = ["LAYERS", "OtherRun", "Tiles", "pooled"]

LAYERS: Final = ("prediction", "truth", "wrong", "other", "disagreement")
"""What a tile shows over its image; a cell of the confusion matrix is ``"cell:TRUE:PREDICTED"``."""

_SIDE: Final = 160
_NAMED: Final = 300
_UNKNOWN: Final = 255  # a label that is not drawn
_COLUMNS: Final = (
    *("name", "status", "error_kind", "error", "sha256", "width", "height", "thumbnail"),
    *("mask", "covers", "label", "probability"),
)
_WHOLE: Final = [0.0, 0.0, 1.0, 1.0]


def pooled(marks: NDArray[np.bool_], height: int, width: int) -> NDArray[np.uint8]:
    """Return marks at a smaller size, so that each marked pixel stays visible.

    Parameters
    ----------
    marks : (H, W) bool array
    height, width : int
        At most those of *marks*.

    Examples
    --------
    >>> pooled(np.eye(4, dtype=bool), 2, 2).tolist()
    [[1, 0], [0, 1]]
    """
    rows = np.arange(height) * marks.shape[0] // height
    columns = np.arange(width) * marks.shape[1] // width
    across = np.maximum.reduceat(marks.view(np.uint8), rows, axis=0)
    return np.maximum.reduceat(across, columns, axis=1)


class OtherRun:
    """Another run over the same images, whose rows are found by content.

    Parameters
    ----------
    predictions : Predictions
    """

    def __init__(self, predictions: Predictions) -> None:
        self.predictions = predictions
        table = predictions.table(["sha256", "status"])
        self._places = {
            sha256: place
            for place, (sha256, status) in enumerate(table.itertuples(index=False))
            if status == "done" and sha256
        }

    def row(self, sha256: str | None) -> int | None:
        """Return the place of the row that has the content; None where none has."""
        return self._places.get(sha256)


class Tiles:
    """Makes tiles.

    Parameters
    ----------
    predictions : Predictions
    truths : TrueMasks, optional
    other : OtherRun, optional
    true_names : (N,) array of str, optional
        The true class of each row of a classifier; empty where none is known.
    """

    def __init__(
        self,
        predictions: Predictions,
        truths: TrueMasks | None,
        other: OtherRun | None,
        true_names: NDArray[Any] | None = None,
    ) -> None:
        self._predictions, self._truths, self._other = predictions, truths, other
        self._true_names = true_names
        self._columns = tuple(name for name in _COLUMNS if name in predictions.columns)

    @property
    def layers(self) -> list[str]:
        """The layers that there are."""
        if self._predictions.task != "segmentation":
            return []
        found = ["prediction"]
        found += ["truth", "wrong"] if self._truths is not None else []
        return found + (["other", "disagreement"] if self._other is not None else [])

    def made(
        self, rows: Sequence[int], layer: str, side: int | None = None
    ) -> list[dict[str, Any]]:
        """Return tiles for the page.

        Parameters
        ----------
        rows : sequence of int
            Places among the predictions.
        layer : str
        side : int, optional
            Pixels that the sides of thumbnails and masks have at most.  Default: as stored.

        Returns
        -------
        list of dict
            ``row``, ``name``, ``size`` (width and height of the image); of a classifier
            ``detail`` and ``wrong``, the true class where it is another one; ``error`` where there
            is no result; ``thumbnail`` (JPEG or WebP) and ``labels`` (deflated, ``width`` x
            ``height`` of a mask, which ``covers`` a part of the image, by default all) where there
            are any; ``problem`` where the layer cannot be made.
        """
        draw = self._drawer(layer)
        stored = sorted({*rows})  # the order in which they are read
        by_row = {row: self._tile(row, draw, side) for row in stored}
        return [by_row[row] for row in rows]

    def _tile(self, row: int, draw: Callable[..., Any] | None, side: int | None) -> dict[str, Any]:
        values = self._predictions.row(row, self._columns)
        tile: dict[str, Any] = {
            "row": row,
            "name": inert(values["name"], _NAMED, middle=True),
            "size": [values["width"] or 4, values["height"] or 3],
        }
        if values["status"] != "done":
            reason = f"{values['error_kind']}: {values['error']}"
            return tile | {"error": inert(reason, _NAMED)}
        if values.get("label") is not None:
            tile["detail"] = f"{100 * values['probability']:.0f} % {inert(values['label'], 80)}"
            if (true := self.true_name(row)) not in {"", values["label"]}:
                tile["wrong"] = inert(true, 80)
        if values["thumbnail"] is not None:
            if side is not None:
                values["thumbnail"] = thumbnail_within(values["thumbnail"], side)
            tile["thumbnail"] = values["thumbnail"]
        if draw is not None and (values.get("mask") is not None):
            try:
                labels, covers = draw(row, values)
            except WasiNnError as error:
                return tile | {"problem": inert(str(error), _NAMED)}
            height, width = labels.shape
            data = zlib.compress(np.ascontiguousarray(labels).tobytes(), 6)
            tile |= {"labels": data, "width": width, "height": height}
            tile |= {} if covers == _WHOLE else {"covers": covers}
        return tile

    def _drawer(self, layer: str) -> Callable[..., Any] | None:
        if not self.layers:
            return None
        kind, *cell = layer.split(":")
        known = {"prediction": self._prediction, "truth": self._truth, "wrong": self._wrong}
        known |= {"other": self._others, "disagreement": self._disagreement}
        if kind in self.layers and not cell:
            return known[kind]
        if kind == "cell" and self._truths is not None and len(cell) == 2:
            classes = range(len(self._truths.class_map.names))
            if all(part.isascii() and part.isdecimal() and int(part) in classes for part in cell):
                true, predicted = map(int, cell)
                return lambda row, values: self._marked(
                    row, values, lambda a, b: (a == true) & (b == predicted)
                )
        raise InvalidArgumentError(f"expected one of {self.layers}, got the layer {layer!r:.80}")

    def _prediction(self, row: int, values: dict[str, Any]) -> tuple[Any, list[float]]:
        del row
        return _small(self._predictions.made(values), values)

    def _truth(self, row: int, values: dict[str, Any]) -> tuple[Any, list[float]]:
        true, _ = self._both(row)
        return resize_labels(true, *_fitting(values, true.shape)), _WHOLE

    def _wrong(self, row: int, values: dict[str, Any]) -> tuple[Any, list[float]]:
        return self._marked(row, values, lambda a, b: (a != b) & (a != 255))

    def _marked(
        self, row: int, values: dict[str, Any], mark: Callable[[Any, Any], Any]
    ) -> tuple[Any, list[float]]:
        true, predicted = self._both(row)
        return pooled(mark(true, predicted), *_fitting(values, true.shape)), _WHOLE

    def _both(self, row: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
        assert self._truths is not None  # noqa: S101 - the layer is offered
        return self._truths.at(row)

    @property
    def details(self) -> int:
        """How many lines tiles have beside the name: the class, and the true one."""
        if self._predictions.task != "classification":
            return 0
        return 1 if self._true_names is None else 2

    def true_name(self, row: int) -> str:
        """Return the true class of a row of a classifier; empty where it is not known."""
        return "" if self._true_names is None else str(self._true_names[row])

    def other_class(self, values: dict[str, Any]) -> Any:
        """Return the classification that the other run has of an image; None where it has none."""
        if self._other is None or (place := self._other.row(values["sha256"])) is None:
            return None
        found = self._other.predictions
        return found.made(found.row(place))

    def other_result(self, values: dict[str, Any]) -> Any:
        """Return the result that the other run has of an image, without the image.

        Raises
        ------
        InvalidArgumentError
            If it has none.
        """
        assert self._other is not None  # noqa: S101 - the layer is offered
        place = self._other.row(values["sha256"])
        if place is None:
            raise InvalidArgumentError("the other run has no result for this image")
        found = self._other.predictions
        return found.made(found.row(place, ("name", "mask", "covers")))

    def _others(self, row: int, values: dict[str, Any]) -> tuple[Any, list[float]]:
        """Return the labels of the other run as those of the classes that have the same names."""
        del row
        found = self.other_result(values)
        names = list(self._predictions.card.classes)
        known = [names.index(n) if n in names else _UNKNOWN for n in found.card.classes]
        labels, covers = _small(found, values)
        return np.array(known, np.uint8)[labels], covers

    def _disagreement(self, row: int, values: dict[str, Any]) -> tuple[Any, list[float]]:
        del row
        own, other = self._predictions.made(values), self.other_result(values)
        assert self._other is not None  # noqa: S101 - the layer is offered
        names = [*dict.fromkeys([*own.card.classes, *other.card.classes])]
        maps = [np.array([names.index(n) for n in one.card.classes]) for one in (own, other)]
        height, width = values["height"], values["width"]
        labels = [
            known[one.labels_at(height, width)]
            for known, one in zip(maps, (own, other), strict=True)
        ]
        covered = own.covered_at(height, width) & other.covered_at(height, width)
        size = _fitting(values, (height, width))
        return pooled((labels[0] != labels[1]) & covered, *size), _WHOLE


def _small(result: Any, values: dict[str, Any]) -> tuple[Any, list[float]]:
    """Return labels at the size at which they lie on the thumbnail, and what they cover."""
    top, left, bottom, right = result.covers
    height, width = _fitting(values, (values["height"], values["width"]))
    size = max(1, round(height * (bottom - top))), max(1, round(width * (right - left)))
    small = tuple(min(pair) for pair in zip(size, result.labels.shape, strict=True))
    return resize_labels(result.labels, *small), list(result.covers)


def _fitting(values: dict[str, Any], most: tuple[int, ...]) -> tuple[int, int]:
    """Return height and width of the thumbnail, no larger than *most*."""
    if values["thumbnail"] is not None:  # as it is sent
        with Image.open(io.BytesIO(values["thumbnail"])) as image:
            width, height = image.size
    else:
        scale = min(1.0, _SIDE / max(values["width"], values["height"]))
        width, height = (max(1, round(scale * values[side])) for side in ("width", "height"))
    return min(height, most[0]), min(width, most[1])
