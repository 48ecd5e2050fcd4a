"""Tables of values: their columns say how a value becomes text; JSON has the values themselves."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from wasinn_nb.render.palette import RGB
from wasinn_nb.wording import inert

__all__ = ["COUNT", "Column", "NumberText", "Table"]

COUNT: Final = ",d"
"""How a number of pixels, images or bytes becomes text in a `Column`: ``1,036,800``."""
_NO_VALUE: Final = "-"


class NumberText(NamedTuple):
    """A number in a cell that has a text of its own, such as with its bounds.

    Columns of them are sorted by the number, and JSON has it.
    """

    value: float
    text: str


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a `Table`.

    Parameters
    ----------
    name : str
        Its header.
    format : str or callable, optional
        How a number becomes text: a format such as ``".4f"``, or a function.  Texts are shown as
        they are, None as nothing, NaN as ``-``, lists and tuples with commas between.
    key : str, optional
        Its name in JSON.  Default: the header with ``_`` for blanks.
    colors : mapping, optional
        Text of a cell → the color that HTML shows beside it, such as that of a class.
    """

    name: str
    format: str | Callable[[Any], str] | None = None
    key: str = ""
    colors: Mapping[str, RGB] | None = None

    @property
    def json_name(self) -> str:
        """The column's name in JSON."""
        return self.key or self.name.replace(" ", "_")

    def cell_text(self, value: object) -> str:
        """Return the text of a cell.

        Examples
        --------
        >>> column = Column("IoU", ".4f")
        >>> [column.cell_text(value) for value in (0.5, float("nan"), None, "not counted")]
        ['0.5000', '-', '', 'not counted']
        >>> Column("precisions").cell_text(("FP16", "FP32"))
        'FP16, FP32'
        """
        if value is None:
            return ""
        if isinstance(value, NumberText):
            return inert(value.text)
        if isinstance(value, list | tuple):
            return ", ".join(map(self.cell_text, value))
        if not _is_number(value):
            return inert(str(value))
        if isinstance(value, float) and math.isnan(value):
            return _NO_VALUE
        if callable(self.format):
            return self.format(value)
        return format(value, self.format or "")


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of values.

    Parameters
    ----------
    columns : sequence of Column or str
        A name is a column without a format.  Columns of numbers are aligned to the right.
    rows : sequence of sequences
        The values themselves, so that JSON has them, too.
    caption : str
    marked : collection of int
        Rows to show as failed.

    Examples
    --------
    >>> table = Table([Column("class"), Column("IoU", ".2f")], [("road", 0.978)])
    >>> table.cells
    (('road', '0.98'),)
    >>> table.records()
    [{'class': 'road', 'IoU': 0.978}]
    """

    columns: Sequence[Column | str]
    rows: Sequence[Sequence[object]]
    caption: str = ""
    marked: Sequence[int] = ()

    @property
    def headers(self) -> tuple[Column, ...]:
        """The columns, each as a `Column`."""
        return tuple(one if isinstance(one, Column) else Column(one) for one in self.columns)

    @property
    def cells(self) -> tuple[tuple[str, ...], ...]:
        """The text of every cell."""
        columns = self.headers
        return tuple(
            tuple(column.cell_text(value) for column, value in zip(columns, row, strict=True))
            for row in self.rows
        )

    @property
    def numeric(self) -> tuple[bool, ...]:
        """Of each column, whether it holds numbers: it has one, or it has a format."""
        return tuple(
            column.format is not None or any(_is_number(row[index]) for row in self.rows)
            for index, column in enumerate(self.headers)
        )

    @property
    def sort_values(self) -> tuple[tuple[float | str | None, ...], ...]:
        """What every cell is sorted by: in a column of numbers the number, or "" for none.

        None in a column of texts, which are sorted as they are.

        Examples
        --------
        >>> losses = [NumberText(0.5, "0.5 (0.4 to 0.6)"), None]
        >>> Table(["class", "loss"], [("road", losses[0]), ("curb", losses[1])]).sort_values
        ((None, 0.5), (None, ''))
        """
        by_number = [
            numeric or any(isinstance(row[index], NumberText) for row in self.rows)
            for index, numeric in enumerate(self.numeric)
        ]
        return tuple(
            tuple(
                _sort_number(value) if number else None
                for value, number in zip(row, by_number, strict=True)
            )
            for row in self.rows
        )

    def records(self) -> list[dict[str, Any]]:
        """Return the rows as JSON values by column, NaN as None."""
        names = [column.json_name for column in self.headers]
        return [
            {name: _plain(value) for name, value in zip(names, row, strict=True)}
            for row in self.rows
        ]


def _is_number(value: object) -> bool:
    import numpy as np

    return isinstance(value, int | float | np.number) and not isinstance(value, bool)


def _sort_number(value: Any) -> float | str:
    value = value.value if isinstance(value, NumberText) else value
    return float(value) if _is_number(value) and math.isfinite(value) else ""


def _plain(value: object) -> Any:
    """Return a cell as JSON has it."""
    if isinstance(value, bool) or value is None:
        return value
    if isinstance(value, NumberText):
        return _plain(value.value)
    if _is_number(value):
        number = value.item() if hasattr(value, "item") else value
        return None if isinstance(number, float) and not math.isfinite(number) else number
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return str(value)
