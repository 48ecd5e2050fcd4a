"""The first images of a selection as a static picture, for the notebook that is saved."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.prediction import Predictions, tinted_thumbnail
from wasinn_nb.render import (
    Block,
    Document,
    ImageBlock,
    ImageRow,
    Items,
    Legend,
    LegendEntry,
    Paragraph,
    Report,
)
from wasinn_nb.tasks.segmentation import MANY_CLASSES
from wasinn_nb.wording import counted, inert

__all__ = ["FirstPage"]

_FEW: Final = 8
_MOST: Final = 24
_LOOKED_AT: Final = 60  # rows without an image are passed over
_COLUMNS: Final = ("name", "status", "thumbnail", "mask", "covers")


class FirstPage(Report):
    """What a gallery shows first.

    Parameters
    ----------
    predictions : Predictions
    rows : sequence of int
        The selected rows, in their order.
    query : str
        That selected them; empty for all.
    sort_by : str
        The column that they are sorted by.
    tiles : int
        How many images the page showed first: so many are drawn, 8 to 24.
    """

    def __init__(
        self,
        predictions: Predictions,
        rows: Sequence[int] | NDArray[np.int64],
        query: str,
        sort_by: str,
        tiles: int = 0,
    ) -> None:
        self._most = min(max(tiles, _FEW), _MOST)
        self._predictions, self._rows = predictions, rows
        self._query, self._sort_by = query, sort_by

    def document(self) -> Document:
        """Return what there is to see: how many images, the first ones, the classes."""
        return self._made

    @functools.cached_property
    def _made(self) -> Document:
        # As HTML and as PNG: rows are read once, and each image is drawn once.
        found = self._predictions
        columns = [name for name in _COLUMNS if name in found.columns]
        images: list[ImageBlock] = []
        for row in self._rows[:_LOOKED_AT]:
            values = found.row(int(row), columns)
            if values["thumbnail"] is not None and len(images) < self._most:
                name = inert(values["name"], 40, middle=True)
                encode = functools.cache(functools.partial(tinted_thumbnail, found, values))
                images.append(ImageBlock(encode, name, name))
        count = len(self._rows)
        words = f"{counted(count, 'image')} sorted by {inert(self._sort_by)}"
        words += f", where {inert(self._query, 300)}" if self._query else ""
        if len(images) < count:
            words += f"; {len(images)} of them are here"
        blocks: list[Block] = [Paragraph(words)]
        blocks += [Items(found.remarks)] if found.remarks else []
        blocks += [ImageRow(images)] if images else []
        card = found.card
        if found.task == "segmentation" and len(card.classes) <= MANY_CLASSES and images:
            pairs = zip(card.classes, card.palette, strict=True)
            blocks.append(Legend([LegendEntry(name, color, "") for name, color in pairs]))
        return Document(f"Gallery: {found.origin.model}, {counted(len(found), 'image')}", blocks)
