"""The first images of a selection as a static image, for the notebook that is saved."""

from __future__ import annotations

import functools
import io
import zlib
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.evaluation import WRONG
from wasinn_nb.render import (
    RGB,
    Block,
    Document,
    ImageBlock,
    ImageRow,
    Items,
    Legend,
    LegendEntry,
    Paragraph,
    Report,
    encoded_image,
)
from wasinn_nb.tasks.segmentation import MANY_CLASSES
from wasinn_nb.widgets.gallery.table import GalleryTable
from wasinn_nb.widgets.gallery.tiles import Tiles
from wasinn_nb.wording import counted, inert

__all__ = ["FirstPage", "Look"]

_FEW: Final = 8
_MOST: Final = 24
_LOOKED_AT: Final = 60  # rows without an image are passed over
_AT_ONCE: Final = 12
_IN_NAME: Final = frozenset({"name", "label", "probability"})  # what stands there anyway
_MARKED: Final = {"wrong": "predicted wrong", "disagreement": "another class in the other run"}
_LAYERS: Final = {"truth": "the truth", "other": "the other run"}


class Look(NamedTuple):
    """How a page shows its images."""

    query: str
    """What selects them; empty for all."""
    sort_by: str
    descending: bool
    layer: str
    """What lies over them."""
    hidden: Sequence[str]
    """Classes that are not drawn."""
    opacity: float
    tiles: int
    """How many images the page showed first: so many are drawn, 8 to 24."""


class FirstPage(Report):
    """What a gallery shows first.

    Parameters
    ----------
    table : GalleryTable
    tiles : Tiles
    rows : sequence of int
        The selected rows, in their order.
    look : Look
    """

    def __init__(
        self,
        table: GalleryTable,
        tiles: Tiles,
        rows: Sequence[int] | NDArray[np.int64],
        look: Look,
    ) -> None:
        self._table, self._tiles, self._rows, self._look = table, tiles, rows, look

    def document(self) -> Document:
        """Return what there is to see: how many images, the first ones, what colors mean."""
        return self._made

    @functools.cached_property
    def _made(self) -> Document:
        # As HTML and as PNG: rows are read once, and each image is drawn once.
        found = self._table.predictions
        images = self._images()
        blocks: list[Block] = [Paragraph(self._words(len(images)))]
        blocks += [Items(found.remarks)] if found.remarks else []
        blocks += [ImageRow(images)] if images else []
        entries = self._legend()
        if images and 0 < len(entries) <= MANY_CLASSES:
            blocks.append(Legend(entries))
        return Document(f"Gallery: {found.origin.model}, {counted(len(found), 'image')}", blocks)

    def _words(self, drawn: int) -> str:
        """Say how many images there are, in which order, and what lies over them."""
        look, count = self._look, len(self._rows)
        words = f"{counted(count, 'image', grouped=True)} sorted by {inert(look.sort_by)}"
        if look.sort_by != "name" or look.descending:
            words += f", the {'highest' if look.descending else 'lowest'} first"
        words += f", where {inert(look.query, 300)}" if look.query else ""
        words += f"; {drawn} of them are here" if drawn < count else ""
        return words + (f"; with {_LAYERS[look.layer]}" if look.layer in _LAYERS else "")

    def _images(self) -> list[ImageBlock]:
        look, most = self._look, min(max(self._look.tiles, _FEW), _MOST)
        layer = look.layer if self._tiles.layers else ""
        rows = [int(row) for row in self._rows[:_LOOKED_AT]]
        images: list[ImageBlock] = []
        for start in range(0, len(rows), _AT_ONCE):
            some = rows[start : start + _AT_ONCE]
            values = self._table.written(look.sort_by, some)
            for tile, value in zip(self._tiles.made(some, layer), values, strict=True):
                if "thumbnail" in tile and len(images) < most:
                    name = inert(tile["name"], 40, middle=True)
                    words = [name, tile.get("detail")]
                    words += [] if look.sort_by in _IN_NAME else [value]
                    encode = functools.cache(functools.partial(self._encoded, tile))
                    images.append(ImageBlock(encode, name, ", ".join(filter(None, words))))
        return images

    def _encoded(self, tile: dict[str, Any]) -> tuple[str, bytes, int]:
        """Return a thumbnail under what lies over it, as the page draws it."""
        with Image.open(io.BytesIO(tile["thumbnail"])) as file:
            if "labels" not in tile:
                return "image/jpeg", tile["thumbnail"], file.width
            image = file.convert("RGB")
        size = tile["height"], tile["width"]
        labels = np.frombuffer(zlib.decompress(tile["labels"]), np.uint8).reshape(size)
        top, left, bottom, right = tile.get("covers", (0.0, 0.0, 1.0, 1.0))
        box = [round(part * image.width) for part in (left, right)]
        box += [round(part * image.height) for part in (top, bottom)]
        place = max(1, box[1] - box[0]), max(1, box[3] - box[2])
        over = Image.fromarray(self._colors[labels], "RGBA").resize(place, Image.Resampling.NEAREST)
        image.paste(over, (box[0], box[2]), over)
        return encoded_image(image)

    @functools.cached_property
    def _colors(self) -> NDArray[np.uint8]:
        """The color of each label and how far it covers: (256, 4) uint8."""
        colors = np.zeros((256, 4), np.uint8)
        for label, name, color in self._classes():
            if name not in self._look.hidden:
                colors[label] = (*color, round(255 * self._look.opacity))
        return colors

    def _classes(self) -> list[tuple[int, str, RGB]]:
        """Return labels with their names and colors; of a layer of marks only that of marks."""
        look, card, judged = self._look, self._table.predictions.card, self._table.judged
        if look.layer in _MARKED:
            return [(1, _MARKED[look.layer], WRONG)]
        if look.layer.startswith("cell:") and judged is not None:
            true, predicted = (judged.classes[int(one)] for one in look.layer.split(":")[1:])
            return [(1, f"{true} predicted as {predicted}", WRONG)]
        names, palette = card.classes, card.palette
        if look.layer == "truth" and judged is not None and judged.palette is not None:
            names, palette = judged.classes, tuple(judged.palette)
        pairs = zip(names, palette, strict=False)
        return [(n, name, color) for n, (name, color) in enumerate(pairs)]

    def _legend(self) -> list[LegendEntry]:
        if not self._tiles.layers:
            return []
        drawn = [(name, color) for _, name, color in self._classes()]
        return [
            LegendEntry(inert(name), color, "")
            for name, color in drawn
            if name not in self._look.hidden
        ]
