"""What the page of a gallery asks, and the answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.errors import InvalidArgumentError, WasiNnError
from wasinn_nb.evaluation import TrueMasks
from wasinn_nb.widgets.gallery.opened import opened_row
from wasinn_nb.widgets.gallery.packing import bit_bytes, order_bytes
from wasinn_nb.widgets.gallery.table import GalleryTable
from wasinn_nb.widgets.gallery.tiles import Tiles
from wasinn_nb.wording import inert

__all__ = ["Questions", "checked_cell"]

_MOST_TILES: Final = 400
"""Rows that one question may name."""
_MOST_BYTES: Final = 900_000
"""Of thumbnails and masks in one message."""


def checked_cell(cell: Any, table: GalleryTable) -> list[int]:
    """Return a cell of the confusion matrix, as true and predicted class.

    Raises
    ------
    InvalidArgumentError
        If there is no such cell, or nothing in it.
    """
    known = [] if table.judged is None else table.judged.matrix[:, :2].tolist()
    if not isinstance(cell, list) or cell not in known:
        raise InvalidArgumentError(f"expected a cell of the confusion matrix, got {cell!r:.80}")
    return cell


class Questions:
    """Answers what the page asks.

    Parameters
    ----------
    table : GalleryTable
    tiles : Tiles
    truths : TrueMasks or None
    code : callable
        Returns the answer to the question for the selection's code.
    """

    def __init__(
        self,
        table: GalleryTable,
        tiles: Tiles,
        truths: TrueMasks | None,
        code: Callable[[], dict[str, str]],
    ) -> None:
        self._table, self._tiles, self._truths = table, tiles, truths
        self._holds: tuple[str, NDArray[np.bool_]] | None = None
        self._answers: Mapping[object, Callable[[Mapping[str, Any]], Any]] = {
            "facet": self._answer_facet,
            "bins": self._answer_bins,
            "order": self._answer_order,
            "holds": self._answer_holds,
            "values": self._answer_values,
            "tiles": self._answer_tiles,
            "open": self._answer_open,
            "code": lambda _: code(),
        }

    def has(self, question: object) -> bool:
        """Return whether there is such a question."""
        return isinstance(question, str) and question in self._answers

    def answer(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return the answer, or what is wrong as ``failed``."""
        try:
            found: dict[str, Any] = self._answers[content["ask"]](content)
        except (WasiNnError, OSError) as error:
            return {"failed": inert(str(error), 500)}
        return found

    def rows_that_hold(self, text: str) -> NDArray[np.bool_]:
        """Return for which rows an expression holds; the last one is kept."""
        if self._holds is None or self._holds[0] != text:
            self._holds = (text, self._table.rows_that_hold(text))
        return self._holds[1]

    def _answer_facet(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return what a histogram shows; filters need the bin of each row, too."""
        facet = self._table.facet(_text(content, "name"))
        return {key: value for key, value in facet.items() if key != "bins"}

    def _answer_bins(self, content: Mapping[str, Any]) -> dict[str, Any]:
        return {"bins": self._table.facet(_text(content, "name"))["bins"]}

    def _answer_order(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return the first rows of an order, as many as are asked for."""
        descending = content.get("descending") is True
        order = self._table.order(_text(content, "name"), descending=descending)
        return {"order": order_bytes(order[: _number(content, "most")])}

    def _answer_holds(self, content: Mapping[str, Any]) -> dict[str, Any]:
        if "cell" in content:
            cell = checked_cell(content["cell"], self._table)
            name = self._table.cell_column(*cell)
            return {"bits": bit_bytes(self._table.values(name) >= 1)}
        return {"bits": bit_bytes(self.rows_that_hold(_text(content, "text")))}

    def _answer_values(self, content: Mapping[str, Any]) -> dict[str, Any]:
        return {"values": self._table.written(_text(content, "name"), self._rows(content))}

    def _answer_tiles(self, content: Mapping[str, Any]) -> dict[str, Any]:
        """Return tiles for as many rows as go into one message, at least one."""
        tiles: list[dict[str, Any]] = []
        layer, side = _text(content, "layer"), _number(content, "side")
        rows, size, step = self._rows(content), 0, 12
        bare = {*self._rows({"rows": content.get("bare", [])})}
        for start in range(0, len(rows), step):
            made = self._tiles.made(rows[start : start + step], layer, side)
            for tile in made:
                if tile["row"] in bare:  # the page has its thumbnail
                    tile.pop("thumbnail", None)
            own = sum(len(one.get("thumbnail", b"")) + len(one.get("labels", b"")) for one in made)
            if tiles and size + own > _MOST_BYTES:
                break
            tiles += made
            size += own
        return {"tiles": tiles}

    def _answer_open(self, content: Mapping[str, Any]) -> dict[str, Any]:
        against = _text(content, "against")
        row = self._rows({"rows": [content.get("row")]})[0]
        return opened_row(self._table.predictions, row, against, self._truths, self._tiles)

    def _rows(self, content: Mapping[str, Any]) -> list[int]:
        rows = content.get("rows")
        count = len(self._table)
        if (
            not isinstance(rows, list)
            or len(rows) > _MOST_TILES
            or not all(type(row) is int and 0 <= row < count for row in rows)
        ):
            raise InvalidArgumentError(f"expected rows from 0 to {count - 1}, got {rows!r:.80}")
        return rows


def _number(content: Mapping[str, Any], name: str) -> int:
    value = content.get(name)
    if type(value) is not int or value < 1:
        raise InvalidArgumentError(f"expected {name} as a number from 1, got {value!r:.80}")
    return value


def _text(content: Mapping[str, Any], name: str) -> str:
    value = content.get(name)
    if not isinstance(value, str):
        raise InvalidArgumentError(f"expected {name} as text, got {value!r:.80}")
    return value
