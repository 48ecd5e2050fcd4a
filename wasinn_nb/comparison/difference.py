"""What became of what between two masks of one image, as one figure that has a direction."""

from __future__ import annotations

from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.comparison.changes import (
    MOST_CHANGES,
    OTHER_CHANGES,
    Change,
    change_colors,
    draw_changes,
    faded,
)
from wasinn_nb.render import (
    Document,
    ImageBlock,
    Legend,
    LegendEntry,
    Paragraph,
    Showing,
    encoded_image,
)
from wasinn_nb.tasks.segmentation import SegmentationResult
from wasinn_nb.wording import counted, percent

__all__ = ["Difference"]

_LONGEST_SIDE: Final = 640
_FEW_COLORS: Final = 128


class Difference(Showing, arrays="take .changes"):
    """The pixels that have one class in a mask and another one in a second mask.

    Parameters
    ----------
    a, b : SegmentationResult
        Of the same image.  Classes are the same by their names.
    titles : (str, str)
        What tells one from the other.

    Attributes
    ----------
    changes : tuple of Change
        The most pixels first, of the figure.

    Examples
    --------
    >>> from wasinn_nb.cards import ModelCard
    >>> card = ModelCard("toy", "segmentation", classes=("tree", "building"))
    >>> masks = [SegmentationResult(np.array([row], np.uint8), card) for row in ([0, 0], [0, 1])]
    >>> print(Difference(*masks, titles=("f32", "bf16")))
    A: f32 → B: bf16
    50.00 % of the pixels differ (1 pixel): tree → building
    """

    def __init__(
        self, a: SegmentationResult, b: SegmentationResult, titles: tuple[str, str] = ("", "")
    ) -> None:
        self._title = " → ".join(
            f"{letter}: {title}" if title else letter
            for letter, title in zip("AB", titles, strict=True)
        )
        shape = a.labels.shape if a.photo is None else a.photo.shape[:2]
        shrink = min(1.0, _LONGEST_SIDE / max(shape))
        height, width = (max(1, round(side * shrink)) for side in shape)
        names = list(dict.fromkeys((*a.card.classes, *b.card.classes)))
        self._masks = [_renumbered(one, names, height, width) for one in (a, b)]
        both = a.covered_at(height, width) & b.covered_at(height, width)
        self._masks[1][~both] = self._masks[0][~both]  # nothing is known of it
        self._pixels = int(both.sum())
        pairs, counts = np.unique(
            self._masks[0].astype(np.int64) * len(names) + self._masks[1], return_counts=True
        )
        found = [
            (*divmod(int(pair), len(names)), int(count))
            for pair, count in zip(pairs, counts, strict=True)
        ]
        changed = sorted((one for one in found if one[0] != one[1]), key=lambda one: -one[2])
        self.changes = tuple(Change(names[x], names[y], count) for x, y, count in changed)
        self._pairs = [(x, y) for x, y, _ in changed[:MOST_CHANGES]]
        self._colors = change_colors((*a.card.palette, *b.card.palette))[: len(self._pairs)]
        self._background = faded(self._masks[0], a.photo)

    def document(self) -> Document:
        """Return what there is to see: the changed pixels over the pale image, and a legend."""
        total = sum(change.pixels for change in self.changes)
        named = [f"{change.before} → {change.after}" for change in self.changes[:MOST_CHANGES]]
        text = "no pixel differs"
        if total:
            share = percent(total / max(1, self._pixels))
            more = len(self.changes) - len(named)
            listed = ", ".join([*named, *([f"{more} more"] if more else [])])
            pixels = counted(total, "pixel", grouped=True)
            text = f"{share} of the pixels differ ({pixels}): {listed}"
        entries = [
            LegendEntry(name, color, percent(change.pixels / max(1, self._pixels)))
            for name, color, change in zip(named, self._colors, self.changes, strict=False)
        ]
        if rest := sum(change.pixels for change in self.changes[MOST_CHANGES:]):
            entries.append(
                LegendEntry("other changes", OTHER_CHANGES, percent(rest / max(1, self._pixels)))
            )
        block = ImageBlock(partial(self._encoded), text, pixelated=max(self._masks[0].shape) < 320)
        return Document(self._title, [block, Legend(entries), Paragraph(text)])

    def _encoded(self) -> tuple[str, bytes, int]:
        before, after = self._masks
        colors = dict(zip(self._pairs, self._colors, strict=True))
        pixels, _ = draw_changes(before, after, colors, OTHER_CHANGES, self._background)
        return encoded_image(Image.fromarray(pixels).quantize(_FEW_COLORS))


def _renumbered(
    result: SegmentationResult, names: list[str], height: int, width: int
) -> NDArray[np.uint16]:
    """Return the labels of a result at a size, as indices into *names*."""
    numbers = np.array([names.index(name) for name in result.card.classes], np.uint16)
    return numbers[result.labels_at(height, width)]
