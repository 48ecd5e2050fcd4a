"""`Predictions`: the rows of a run, to look at, to query, and to take further."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.cards import ModelCard
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.files import expanded
from wasinn_nb.imaging import ImageSource
from wasinn_nb.origin import Origin
from wasinn_nb.prediction.agreement import RunComparison, compared
from wasinn_nb.prediction.arrow import arrow, parquet
from wasinn_nb.prediction.column_names import no_column
from wasinn_nb.prediction.display import predictions_document, predictions_values
from wasinn_nb.prediction.exporting import exported
from wasinn_nb.prediction.ordering import usual_order, worst_order
from wasinn_nb.prediction.originals import image_of
from wasinn_nb.prediction.querying import rows_that_hold
from wasinn_nb.prediction.row_remarks import row_remarks
from wasinn_nb.prediction.schema import HEAVY
from wasinn_nb.prediction.table import StoredRows, plain_arrays
from wasinn_nb.progress import Progress
from wasinn_nb.render import Document, Report
from wasinn_nb.transaction import atomic

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Predictions"]

_LEFT_OUT: Final = HEAVY | {"digest", "source_bytes"}
"""Columns that a table has only where they are asked for."""


class Predictions(Report, arrays="take .table() of pandas, or .result(row)"):
    """The rows of a run, or some of them; read when they are needed.

    ``len`` is how many there are.  Made by :func:`wasinn_nb.predict` and
    :func:`wasinn_nb.read_predictions`.

    Parameters
    ----------
    stored : StoredRows
    positions : array, optional
        The numbers of the rows.  Default: all.
    others : sequence of str
        Names of further runs of the store.
    remarks : sequence of str
        See the attribute.

    Attributes
    ----------
    folder : Path
        Of the run.  Its ``rows`` are Parquet files that pandas, Polars and DuckDB read, too.
    card : ModelCard
    origin : Origin
        What made the results.
    task : str
    temporary : bool
        Whether the store is removed with the last of these predictions.
    columns : tuple of str
        Names of all columns, also of those that :meth:`table` leaves out.
    others : tuple of str
        Names of the other runs of the store, where none was named.
    remarks : tuple of str
        Which of several runs this is, whether it is finished, and whether the scores of rows are
        saturated, in words; mostly empty.
    """

    def __init__(
        self,
        stored: StoredRows,
        positions: NDArray[np.int64] | None = None,
        others: Sequence[str] = (),
        remarks: Sequence[str] = (),
    ) -> None:
        self._stored = stored
        self._positions = stored.positions() if positions is None else positions
        self.others = tuple(others)
        self._about_run = tuple(remarks)

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        return self._stored.run.folder

    @property
    def card(self) -> ModelCard:
        """The model's card, with a name for every class."""
        return self._stored.run.card

    @property
    def origin(self) -> Origin:
        """What made the results."""
        return self._stored.run.origin

    @property
    def task(self) -> str:
        """What the model is for."""
        return self._stored.run.task

    @property
    def temporary(self) -> bool:
        """Whether the store is removed with the last of these predictions."""
        return self._stored.temporary

    @property
    def assumed(self) -> tuple[str, ...]:
        """What nothing states about the model, and was assumed."""
        return self._stored.run.assumed

    @cached_property
    def remarks(self) -> tuple[str, ...]:
        """What a reader of the rows should know of them."""
        return (*self._about_run, *row_remarks(self))

    @property
    def columns(self) -> tuple[str, ...]:
        """The names of all columns."""
        return self._stored.names

    @property
    def class_columns(self) -> Mapping[str, str]:
        """Class → the name of its column; empty where classes have none."""
        return self._stored.run.class_columns

    @property
    def whole(self) -> Predictions:
        """All rows of the run, where these are some of them."""
        return Predictions(self._stored, None, self.others, self._about_run)

    @property
    def facts(self) -> dict[str, Any]:
        """How the run went: its sessions with their speed, and what was measured for it."""
        return self._stored.run.facts()

    def __len__(self) -> int:
        return len(self._positions)

    def __getitem__(self, rows: slice) -> Predictions:
        if not isinstance(rows, slice):
            raise InvalidArgumentError(
                f"expected a slice such as [:10], got {rows!r:.80}; use .result(row) for one row"
            )
        return self._part(self._positions[rows])

    def table(self, columns: Sequence[str] | None = None) -> pd.DataFrame:
        """Return the rows as a table of pandas.

        Parameters
        ----------
        columns : sequence of str, optional
            Default: all but ``mask``, ``thumbnail``, ``probabilities``, ``digest`` and
            ``source_bytes``.

        Raises
        ------
        InvalidArgumentError
            If there is no such column.
        """
        if columns is None:
            columns = [name for name in self.columns if name not in _LEFT_OUT]
        for name in columns:
            if name not in self.columns:
                raise no_column(name, self.columns)
        return self._stored.read(columns, self._positions).to_pandas()

    def arrays(self, columns: Sequence[str]) -> dict[str, NDArray[Any]]:
        """Return *columns* of numbers (float64, NaN for None) and of texts ("" for None) alone."""
        return plain_arrays(self._stored.read(columns, self._positions))

    def query(self, expression: str) -> Predictions:
        r"""Return the rows for which an expression holds.

        Parameters
        ----------
        expression : str
            As `pandas.DataFrame.query` takes it, over the columns: a class's name is its part of
            the image, ``"road < 0.05"``; names that are not plain words stand between backticks.
            ``@name`` is a variable of the caller.

        Raises
        ------
        InvalidArgumentError
            If it cannot be computed, or does not give true or false for each row.

        Examples
        --------
        >>> import tempfile
        >>> import wasinn_nb as wn
        >>> found = wn.predict(["city-arrow"], store=tempfile.mkdtemp(), progress=False)
        >>> len(found.query("road > 0.1 and status == 'done'"))
        1
        """
        light = [name for name in self.columns if name not in HEAVY]
        return self._part(self._positions[rows_that_hold(expression, light, self.table, level=1)])

    def worst(self, n: int = 20, by: str | None = None) -> Predictions:
        """Return the rows that deserve a look first.

        Parameters
        ----------
        n : int
            How many.
        by : str, optional
            A column of numbers.  Default: the mean confidence of the pixels, or the probability of
            the most probable class; the lowest first.  Of ``near_tie`` and of seconds, the highest
            come first.  Rows without a value are left out.

        Raises
        ------
        InvalidArgumentError
            If there is no such column, or it does not hold numbers.
        """
        if isinstance(n, bool) or not isinstance(n, int) or n < 0:
            raise InvalidArgumentError(f"expected how many rows, got {n!r:.80}")
        by = usual_order(self.columns) if by is None else by
        if by not in self.columns:
            raise no_column(by, self.columns, argument="by")
        order = worst_order(by, self.table)
        return self._part(self._positions[order[:n]])

    def result(self, row: int | str) -> Any:
        """Return the result of a row, with its image where that is still what it was.

        Parameters
        ----------
        row : int or str
            Its place among these rows, or its ``source`` or ``name``.

        Returns
        -------
        SegmentationResult or ClassificationResult

        Raises
        ------
        InvalidArgumentError
            If there is no such row, it holds an error, or masks were not kept.
        """
        values = self.row(row)
        if values["status"] != "done":
            raise InvalidArgumentError(
                f"{values['name']}: there is no result: {values['error_kind']}: {values['error']}"
            )
        return self.made(values, image_of(values))

    def made(self, values: Mapping[str, Any], image: ImageSource | None = None) -> Any:
        """Return the result of a row that was read before.

        Parameters
        ----------
        values : mapping
            Column → value; of a mask at least ``mask``, ``covers`` and ``name``.
        image : image, optional
        """
        return self._stored.run.columns.result(values, self.origin, image)

    def compare(self, other: Predictions, *, progress: Progress = True) -> RunComparison:
        """Say how far two runs agree, image by image and class by class.

        Images are paired by their content.  Of rows that were selected, these alone are compared.

        Parameters
        ----------
        other : Predictions
            Of another model, precision or recipe.  Classes of one name are the same.
        progress : bool or callable

        Returns
        -------
        RunComparison

        Raises
        ------
        InvalidArgumentError
            If they are for different tasks, or have no image in common.
        """
        if not isinstance(other, Predictions):
            raise InvalidArgumentError(f"expected Predictions, got {type(other).__name__}")
        return compared(self, other, progress)

    def to_parquet(self, path: str | os.PathLike[str], *, masks: bool = False) -> Path:
        """Write the rows as one Parquet file.

        Parameters
        ----------
        path : path-like
        masks : bool
            Whether masks, thumbnails and probabilities are part of it.

        Raises
        ------
        UnwritableError
            If it cannot be written.
        """
        chosen = [name for name in self.columns if masks or name not in HEAVY]
        schema = arrow().schema(
            [self._stored.run.schema.field(name) for name in chosen],
            self._stored.run.schema.metadata,
        )
        final = expanded(path)
        with atomic(final) as temporary, parquet().ParquetWriter(temporary, schema) as writer:
            waiting: list[dict[str, Any]] = []
            for values in self.rows(chosen):
                waiting.append(values)
                if len(waiting) == 1000:
                    writer.write_table(arrow().Table.from_pylist(waiting, schema))
                    waiting = []
            if waiting:
                writer.write_table(arrow().Table.from_pylist(waiting, schema))
        return final

    def export(
        self,
        folder: str | os.PathLike[str],
        format: Literal["png", "coco"] = "png",  # noqa: A002 - the word that other exporters have
        *,
        progress: Progress = True,
    ) -> Path:
        """Write the masks for other programs.

        Parameters
        ----------
        folder : path-like
            Made when it is missing.
        format : {"png", "coco"}
            ``"png"``: an index PNG with the card's palette for each image, at the mask's own size,
            named after the image.  ``"coco"``: one ``annotations.json`` with run-length encoded
            masks at the size of the images.
        progress : bool or callable

        Returns
        -------
        Path
            The folder, or the JSON file.

        Raises
        ------
        InvalidArgumentError
            If these are not masks, or *format* is none of these.
        UnwritableError
            If the folder cannot be written.
        """
        return exported(self, folder, format, progress)

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """Yield the rows one by one in the order in which they are stored, whatever their number.

        Parameters
        ----------
        columns : sequence of str, optional
            Default: all.
        """
        chosen = self.columns if columns is None else tuple(columns)
        yield from (values for _, values in self._stored.rows(chosen, self._positions))

    def row(self, row: int | str, columns: Sequence[str] | None = None) -> dict[str, Any]:
        """Return one row as column → value; parameters as of :meth:`result` and :meth:`rows`."""
        chosen = self.columns if columns is None else tuple(columns)
        return self._stored.row(self._position(row), chosen)

    def thumbnail(self, row: int | str) -> bytes | None:
        """Return the thumbnail of a row, as a JPEG; None where it has none."""
        found: bytes | None = self.row(row, ("thumbnail",))["thumbnail"]
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return counts, and the columns of :meth:`table` of each row, as plain JSON values."""
        return predictions_values(self)

    def document(self) -> Document:
        """Return what there is to see: counts, errors, classes, and the first images."""
        return predictions_document(self)

    def _position(self, row: int | str) -> int:
        if isinstance(row, str):
            table = self._stored.read(("source", "name"), self._positions)
            for column in ("source", "name"):
                found = [n for n, one in enumerate(table.column(column).to_pylist()) if one == row]
                if found:
                    return int(self._positions[found[0]])
            raise InvalidArgumentError(f"no row has the source or name {row!r:.300}")
        try:
            index = int(row.__index__())
            return int(self._positions[index])
        except (AttributeError, TypeError, IndexError) as error:
            raise InvalidArgumentError(
                f"expected a row from 0 to {len(self) - 1}, or its source or name, got {row!r:.80}"
            ) from error

    def _part(self, positions: NDArray[np.int64]) -> Predictions:
        return Predictions(self._stored, positions, self.others, self._about_run)
