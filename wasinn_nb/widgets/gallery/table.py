"""The columns of a gallery: those of the store, and what truths and another run add to them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypedDict

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.prediction import Predictions, no_column, rows_that_plainly_hold
from wasinn_nb.widgets.gallery.bins import MOST_TEXTS, number_bins, text_bins
from wasinn_nb.widgets.gallery.judged import Judged
from wasinn_nb.widgets.gallery.numbers import written_numbers
from wasinn_nb.wording import inert

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["DISAGREEMENT", "Facet", "GalleryTable", "hex_color"]

DISAGREEMENT: Final = "disagreement"
_READ_AT_ONCE: Final = 16
_STATUS: Final = ("status", "error_kind")
_MODEL: Final = ("label", "probability", "margin", "mean_confidence", "lowest_confidence")
_IMAGE: Final = ("width", "height", "size", "seconds_infer")
_WORST_HIGH: Final = frozenset({DISAGREEMENT, "near_tie", "size", "seconds_infer"})


class Facet(TypedDict):
    """A column that the page can filter by."""

    name: str
    label: str
    """Without what steers a display."""
    group: str
    """``"truth"``, ``"other run"``, ``"model"``, ``"classes"`` or ``"image"``."""
    kind: str
    """``"number"`` or ``"text"``."""
    color: str
    """Of a class; empty for others."""
    draws: str
    """The class whose part of the image it is; empty for others."""
    high: bool
    """Whether the highest values deserve a look first."""


class GalleryTable:
    """The columns of rows; each is read when it is needed, and kept.

    Parameters
    ----------
    predictions : Predictions
    judged : Judged, optional
    disagreement : (N,) float64 array, optional
        Of each row, the part of its pixels that another run gave another class; NaN where that
        has no result.

    Attributes
    ----------
    names : tuple of str
        Of all columns that an expression may use.
    added : frozenset of str
        Those of them that the store does not have.
    """

    def __init__(
        self,
        predictions: Predictions,
        judged: Judged | None = None,
        disagreement: NDArray[np.float64] | None = None,
    ) -> None:
        self.predictions, self.judged = predictions, judged
        stored = [name for name in predictions.columns if name not in _NEVER]
        self._made: dict[str, Callable[[], NDArray[Any]]] = {}
        self._groups: dict[str, str] = {}
        if judged is not None:
            for name, make in judged.columns.items():
                self._add(name, make, "truth", stored)
            for true, predicted, _ in judged.matrix.tolist():
                cell = self.cell_column(true, predicted)
                self._add(cell, partial(judged.cell, true, predicted), "", stored)
        if disagreement is not None:
            self._add(DISAGREEMENT, lambda: disagreement, "other run", stored)
        self.names = (*stored, *self._made)
        self.added = frozenset(self._made)
        self._values: dict[str, NDArray[Any]] = {}
        self._facets: dict[str, dict[str, Any]] = {}
        # One column takes as long to read as some do.
        light = [*_STATUS, *_MODEL, "near_tie", *_IMAGE]
        self._load([*light, *[*predictions.class_columns.values()][:_READ_AT_ONCE]])

    def __len__(self) -> int:
        return len(self.predictions)

    def _add(
        self, name: str, make: Callable[[], NDArray[Any]], group: str, stored: Sequence[str]
    ) -> None:
        name = f"truth:{name}" if name in stored else name
        self._made[name], self._groups[name] = make, group

    def cell_column(self, true: int, predicted: int) -> str:
        """Return the column of a cell of the confusion matrix: its pixels, or images."""
        assert self.judged is not None  # noqa: S101 - there is a matrix
        return f"{self.judged.classes[true]} as {self.judged.classes[predicted]}"

    @property
    def worst_first(self) -> tuple[str, bool]:
        """The column that the rows are sorted by at first, and whether the highest come first."""
        if self.judged is not None:
            name, high = self.judged.worst
            return (name if name in self.added else f"truth:{name}"), high
        for name in (DISAGREEMENT, "mean_confidence", "probability"):
            if name in self.names and (name in self.added or not self._is_empty(name)):
                return name, name in _WORST_HIGH
        return "name", False

    @property
    def aspect(self) -> float:
        """The height of most images by their width, within what tiles can have."""
        width, height = self.values("width"), self.values("height")
        known = (width > 0) & (height > 0)
        middle = np.median(height[known] / width[known]) if known.any() else 0.75
        return float(np.clip(middle, 0.5, 1.25))

    def facets(self) -> list[Facet]:
        """Return the columns that the page can filter by, in its order; empty ones are left out."""
        colors: dict[str, str] = {}
        classes = self.predictions.class_columns
        drawn = {column: name for name, column in classes.items()}
        for name, color in zip(self.predictions.card.classes, self._palette(), strict=False):
            colors[classes.get(name, "")] = color
        if self.judged is not None and self.judged.palette is not None:
            for name, rgb in zip(self.judged.classes, self.judged.palette, strict=True):
                colors[f"IoU {name}"] = hex_color(rgb)
        grouped = [(name, group) for name, group in self._groups.items() if group]
        stored = [(name, "classes") for name in classes.values()]
        stored += [(name, "model") for name in (*_MODEL, "near_tie")]
        stored += [(name, "image") for name in (*_STATUS, *_IMAGE)]
        grouped += [(name, group) for name, group in stored if name in self.names]
        return [
            Facet(
                name=name,
                label=inert(name),
                group=group,
                kind="text" if group != "classes" and self._is_text(name) else "number",
                color=colors.get(name, ""),
                draws=drawn.get(name, "") if group == "classes" else "",
                high=name in _WORST_HIGH,
            )
            for name, group in grouped
            if group == "classes" or self._tells(name)
        ]

    def values(self, name: str) -> NDArray[Any]:
        """Return a column: float64 with NaN where there is no value, or texts.

        Raises
        ------
        InvalidArgumentError
            If there is no such column.
        """
        if name not in self._values:
            if name in self._made:
                self._values[name] = _plain(self._made[name]())
            elif name in self.names:
                classes = [*self.predictions.class_columns.values()]
                start = classes.index(name) if name in classes else 0
                self._load([name, *classes[start : start + _READ_AT_ONCE]])
            else:
                raise no_column(name, self.names, argument="by")
        return self._values[name]

    def facet(self, name: str) -> dict[str, Any]:
        """Return a column for the page, in bins; see `number_bins` and `text_bins`.

        Raises
        ------
        InvalidArgumentError
            If there is no such column.
        """
        if name not in self._facets:
            values = self.values(name)
            made = number_bins if values.dtype.kind == "f" else text_bins
            self._facets[name] = made(values)
        return self._facets[name]

    def frame(self, names: Sequence[str]) -> pd.DataFrame:
        """Return columns as a table."""
        import pandas as pd

        stored = [name for name in names if name not in self._made]
        frame = self.predictions.table(stored or ["status"])
        added = {name: self.values(name) for name in names if name in self._made}
        frame = pd.concat([frame, pd.DataFrame(added, index=frame.index)], axis=1)
        return frame[[*names]]

    def rows_that_hold(self, expression: str) -> NDArray[np.bool_]:
        """Return for which rows an expression holds, by the rules of `Predictions.query`."""
        return rows_that_plainly_hold(expression, self.names, self.frame)

    def order(self, name: str, *, descending: bool) -> NDArray[np.int64]:
        """Return the rows in the order of a column; those without a value come last."""
        values = self.values(name)
        if values.dtype.kind == "f":
            order = np.argsort(-values if descending else values, kind="stable")
            return order.astype(np.int64)
        _, codes = np.unique(values.astype(str), return_inverse=True)
        return np.argsort(-codes if descending else codes, kind="stable").astype(np.int64)

    def written(self, name: str, rows: Sequence[int]) -> list[str]:
        """Return the values of rows as the page writes them; empty where there is none."""
        values = self.values(name)[[*rows]]
        if values.dtype.kind == "f":
            return written_numbers(values, self.values(name))
        return [inert(one, 120, middle=True) for one in values.tolist()]

    def failed(self, rows: Sequence[int] | None = None) -> int:
        """Return how many of the rows, by default of all, are of images that failed."""
        status = self.values("status")
        return int(np.count_nonzero((status if rows is None else status[[*rows]]) == "error"))

    def _load(self, names: Sequence[str]) -> None:
        """Read those of several columns of the store that were not read before."""
        stored = self.predictions.columns
        new = [n for n in dict.fromkeys(names) if n not in self._values and n in stored]
        self._values |= self.predictions.arrays(new)
        others = [name for name in new if name not in self._values]  # lists and times
        if others:
            frame = self.predictions.table(others)
            self._values |= {str(name): _plain(frame[name]) for name in frame}

    def _is_text(self, name: str) -> bool:
        return self.values(name).dtype.kind != "f"

    def _is_empty(self, name: str) -> bool:
        values = self.values(name)
        return bool(np.isnan(values).all() if values.dtype.kind == "f" else (values == "").all())

    def _tells(self, name: str) -> bool:
        """Return whether a column can tell rows apart: not empty, and not another name of each."""
        if self._is_empty(name):
            return False
        return not self._is_text(name) or len({*self.values(name).tolist()}) <= MOST_TEXTS

    def _palette(self) -> list[str]:
        return [hex_color(color) for color in self.predictions.card.palette]


_NEVER: Final = frozenset({"mask", "thumbnail", "probabilities", "source_bytes", "digest"})


def _plain(column: pd.Series[Any] | NDArray[Any]) -> NDArray[Any]:
    """Return float64, or texts: empty where pandas has None or NaN."""
    if isinstance(column, np.ndarray) and column.dtype.kind == "f":
        return column.astype(np.float64)
    import pandas as pd

    series = pd.Series(column)
    if series.dtype.kind in "iuf":
        numbers: NDArray[np.float64] = series.to_numpy(np.float64)
        return numbers
    values: NDArray[Any] = series.to_numpy(object)
    if not isinstance(series.dtype, pd.StringDtype):  # lists and times, too
        values = np.array([str(one) for one in values], object)
    values[series.isna().to_numpy()] = ""
    return values


def hex_color(color: Sequence[int]) -> str:
    """Return red, green and blue as the page writes them."""
    return "#{:02x}{:02x}{:02x}".format(*color)
