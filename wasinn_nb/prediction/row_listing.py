"""`RowListing`: some rows of predictions, under the summary of all."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final

from wasinn_nb.prediction.display import predictions_document, predictions_values
from wasinn_nb.prediction.ordering import highest_first, usual_order
from wasinn_nb.render import Column, Document, Report, Table
from wasinn_nb.wording import counted

if TYPE_CHECKING:
    from wasinn_nb.prediction.predictions import Predictions

__all__ = ["RowListing"]

_LISTED: Final = 20
"""Rows of text, where their number is not stated."""


@dataclass(frozen=True, eq=False, repr=False)
class RowListing(Report):
    """Some rows of predictions, under the summary of all.

    Parameters
    ----------
    predictions : Predictions
        What is summarized.
    most : int, optional
        How many rows are listed.  Default: 20 of them as text, and all as JSON.
    by : str, optional
        The column that orders them, as of :meth:`Predictions.worst`.
    """

    predictions: Predictions
    most: int | None = None
    by: str | None = None

    @property
    def rows(self) -> Predictions:
        """The rows that are listed as JSON."""
        if self.most is None and self.by is None:
            return self.predictions
        return self.predictions.worst(self._most, self.by)

    def to_dict(self) -> dict[str, Any]:
        """Return what :meth:`Predictions.to_dict` has, with the rows that are listed."""
        return predictions_values(self.predictions, self.rows)

    def document(self) -> Document:
        """Return the summary of all rows, and the first of the listed ones as a table."""
        rows = self.rows
        columns = rows.columns
        by = None
        if self.most is not None or self.by is not None:
            by = self.by or usual_order(columns)
        known = ["mean_confidence", "label", "probability", *rows.class_columns.values()]
        chosen = [name for name in dict.fromkeys([by, *known]) if name in columns]
        listed = rows[: self.most or _LISTED]
        frame = listed.table(["name", "status", *chosen])
        headings: list[str | Column] = ["name", "status"]
        headings += [Column(name, ".4f") for name in chosen]
        summary = predictions_document(self.predictions, listed)
        table = Table(headings, frame.to_numpy().tolist(), self._caption(len(frame), by))
        return replace(summary, blocks=[*summary.blocks, table])

    def _caption(self, count: int, by: str | None) -> str:
        """Say how many of the rows these are, and in which order."""
        every = len(self.predictions)
        text = counted(every, "row") if count == every else f"the first {count} of {every} rows"
        if by is None:
            return text
        text += f", the {'highest' if highest_first(by) else 'lowest'} {by} first"
        missing = every - len(self.predictions.worst(every, by))
        return f"{text}; {counted(missing, 'row')} without a value" if missing else text

    @property
    def _most(self) -> int:
        return len(self.predictions) if self.most is None else self.most
