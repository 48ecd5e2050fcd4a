"""What a value shows, as data: text, HTML, JSON and report pages are made from one `Document`.

How it looks is decided in `wasinn_nb.render` alone.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple, TypeAlias

from wasinn_nb.render.palette import RGB, LegendEntry
from wasinn_nb.render.table import Table

__all__ = [
    "Bar",
    "Bars",
    "Block",
    "Code",
    "Document",
    "Facts",
    "ImageBlock",
    "ImageRow",
    "Items",
    "Legend",
    "Matrix",
    "Medium",
    "Only",
    "Paragraph",
    "Section",
    "Tone",
]

Tone: TypeAlias = Literal["plain", "strong", "good", "bad"]
"""How a paragraph stands out: in bold, or in bold and in the color of success or failure."""

Medium: TypeAlias = Literal["text", "notebook", "page"]
"""Where a document is shown: as text, as a notebook's HTML, or as a page of its own."""


@dataclass(frozen=True, slots=True)
class Paragraph:
    """One or more sentences.

    Parameters
    ----------
    text : str
        Line breaks are kept.
    tone : {"plain", "strong", "good", "bad"}
    """

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Items:
    """Sentences as a list.

    Parameters
    ----------
    items : sequence of str
    """

    items: Sequence[str]


@dataclass(frozen=True, slots=True)
class Facts:
    """Labels, each with a text.

    Parameters
    ----------
    rows : sequence of (label, text)
        Texts of several lines keep their lines; those without a label stand below the others.
    """

    rows: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Code:
    """Code or other output that is never wrapped, ready to be copied.

    Parameters
    ----------
    text : str
    heading : str
        What it is; as text it becomes a comment above the code.
    """

    text: str
    heading: str = ""


@dataclass(frozen=True, slots=True)
class ImageBlock:
    """An image or a drawn figure, encoded when it is shown.

    Parameters
    ----------
    encode : callable
        → media type, bytes, and the widest that it is shown, in CSS pixels.
    alt : str
        What it shows, for those who do not see it.
    caption : str
    pixelated : bool
        Whether an enlarged image shows its pixels.
    """

    encode: Callable[[], tuple[str, bytes, int]]
    alt: str
    caption: str = ""
    pixelated: bool = False


@dataclass(frozen=True, slots=True)
class ImageRow:
    """Images side by side, as far as there is room.

    Parameters
    ----------
    images : sequence of ImageBlock
    """

    images: Sequence[ImageBlock]


@dataclass(frozen=True, slots=True)
class Legend:
    """What the colors of images mean.

    Parameters
    ----------
    entries : sequence of LegendEntry
    """

    entries: Sequence[LegendEntry]


class Bar(NamedTuple):
    """One line of `Bars`."""

    name: str
    share: float
    """From 0 to 1."""
    note: str = ""
    """Beside the name, less prominent."""


@dataclass(frozen=True, slots=True)
class Bars:
    """Parts of 1 as bars, beside an image where there is one.

    Parameters
    ----------
    bars : sequence of Bar
    image : ImageBlock, optional
    """

    bars: Sequence[Bar]
    image: ImageBlock | None = None


@dataclass(frozen=True, slots=True)
class Matrix:
    """Of each class, what part was taken for which class: drawn in the colors of the page.

    Parameters
    ----------
    shares : (C, C) sequence of sequences of float
        From 0 to 1, a row for each true class; NaN in a row without any.
    names : sequence of str
        Of the C classes.
    colors : sequence of (red, green, blue)
        Of the classes; none leaves them out.
    across, down : str
        What columns and rows are.
    alt : str
        What it shows, for those who do not see it.
    image : ImageBlock, optional
        The same for exports that take no HTML.
    """

    shares: Sequence[Sequence[float]]
    names: Sequence[str]
    colors: Sequence[RGB] = ()
    across: str = "predicted"
    down: str = "true"
    alt: str = "Confusion matrix"
    image: ImageBlock | None = None


@dataclass(frozen=True, slots=True)
class Section:
    """Blocks under a heading.

    Parameters
    ----------
    heading : str
    blocks : sequence of blocks
    folded : bool
        Whether a notebook shows the heading alone until it is clicked.
    folded_on_page : bool
        The same on a page of its own.
    """

    heading: str
    blocks: Sequence[Block]
    folded: bool = False
    folded_on_page: bool = False


@dataclass(frozen=True, slots=True)
class Only:
    """Blocks that some media leave out.

    Parameters
    ----------
    media : collection of {"text", "notebook", "page"}
        Where they are shown.
    blocks : sequence of blocks
    """

    media: Sequence[Medium]
    blocks: Sequence[Block]


Block: TypeAlias = (
    Paragraph
    | Items
    | Facts
    | Code
    | Table
    | ImageBlock
    | ImageRow
    | Legend
    | Bars
    | Matrix
    | Section
    | Only
)


@dataclass(frozen=True, slots=True)
class Document:
    """What there is to see of a value.

    Parameters
    ----------
    title : str
        Plain text; pages have it as their title.
    blocks : sequence of blocks
        In their order.
    show_title : bool
        Whether text and notebooks begin with the title.
    """

    title: str
    blocks: Sequence[Block] = field(default=())
    show_title: bool = True

    def blocks_in(self, medium: Medium) -> list[Block]:
        """Return the blocks of a medium, those of `Only` in their places.

        Parameters
        ----------
        medium : {"text", "notebook", "page"}
        """
        return _blocks_in(self.blocks, medium)

    def records(self) -> list[dict[str, Any]]:
        """Return the rows of the first table as JSON values."""
        tables = (block for block in self.blocks if isinstance(block, Table))
        table = next(tables, None)
        return [] if table is None else table.records()


def _blocks_in(blocks: Sequence[Block], medium: Medium) -> list[Block]:
    kept: list[Block] = []
    for block in blocks:
        if not isinstance(block, Only):
            kept.append(block)
        elif medium in block.media:
            kept += _blocks_in(block.blocks, medium)
    return kept
