"""Predictions of a store, loaded one by one as they are judged."""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any, Final, NamedTuple

from wasinn_nb.errors import ImageError
from wasinn_nb.prediction import Predictions

__all__ = ["Stored", "query_of", "stored_items"]

_MOST_CHARACTERS: Final = 1000


class Stored(NamedTuple):
    """One row of predictions."""

    predictions: Predictions
    place: int
    name: str
    """As folders have it: ``"FOLDER/NAME.SUFFIX"``."""
    failed: bool
    """Whether it holds an error in place of a result, so that no truth is needed."""

    def load(self) -> Any:
        """Return the result without its image.

        Raises
        ------
        ImageError
            If the row holds an error.
        """
        row = self._row()
        if row["status"] != "done":
            raise ImageError(f"{row['error_kind']}: {row['error']}")
        return self.predictions.made(row)

    def with_image(self) -> Any:
        """Return the result with its image, where that is still what it was."""
        return self.predictions.result(self.place)

    @property
    def size(self) -> tuple[int, int]:
        """Height and width of the image."""
        row = self._row()
        return row["height"], row["width"]

    def _row(self) -> dict[str, Any]:
        columns = [name for name in self.predictions.columns if name != "thumbnail"]
        return self.predictions.row(self.place, columns)


def stored_items(predictions: Predictions) -> list[Stored]:
    """Return the rows."""
    table = predictions.table(["name", "status"])
    rows = zip(table["name"].tolist(), (table["status"] != "done").tolist(), strict=True)
    return [Stored(predictions, place, *row) for place, row in enumerate(rows)]


def query_of(names: Collection[str], kept: Collection[str]) -> str:
    """Return an expression that holds for some of the rows; empty where it would be long.

    Parameters
    ----------
    names : collection of str
        Of all rows.
    kept : collection of str
        Of those for which it holds.

    Examples
    --------
    >>> names = ["a.png", "b.png", "c.png", "d.png"]
    >>> query_of(names, ["b.png", "a.png"]), query_of(names, ["d.png"])
    ('name <= "b.png"', 'name >= "d.png"')
    >>> query_of(names, ["b.png", "c.png"]), query_of(names, ["a.png", "b.png", "d.png"])
    ('"b.png" <= name <= "c.png"', 'name not in ["c.png"]')
    """
    first, last = min(kept), max(kept)
    if {name for name in names if first <= name <= last} == {*kept}:
        low, high = map(_quoted, (first, last))
        if first == min(names):
            return f"name <= {high}"
        return f"name >= {low}" if last == max(names) else f"{low} <= name <= {high}"
    others = sorted({*names} - {*kept})
    texts = (f"name in {_quoted(sorted(kept))}", f"name not in {_quoted(others)}")
    shortest = min(texts, key=len)
    return shortest if len(shortest) <= _MOST_CHARACTERS else ""


def _quoted(value: str | list[str]) -> str:
    """Return text with double quotes, which shells need not be told of."""
    return json.dumps(value, ensure_ascii=False)
