"""How the result of a segmentation is shown: one line, document, figure."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from wasinn_nb import render
from wasinn_nb.cards import statements
from wasinn_nb.imaging import ImageSource
from wasinn_nb.tasks.display import assumed_blocks, assumed_text, details, remark_blocks
from wasinn_nb.tasks.segmentation.digest import MANY_CLASSES
from wasinn_nb.tasks.segmentation.masks import colorize
from wasinn_nb.tasks.segmentation.on_image import blended, image_to_tint
from wasinn_nb.tasks.segmentation.preview import encoded_preview
from wasinn_nb.wording import counted, inert, percent

if TYPE_CHECKING:
    from wasinn_nb.render import PanelFigure
    from wasinn_nb.tasks.segmentation.result import SegmentationResult

__all__ = ["document_of", "figure_of", "line_of"]

_MOST_CLASSES: Final = 6


def line_of(result: SegmentationResult) -> str:
    """Return a result in one line: model, size, how it ran, the first classes."""
    entries = _legend(result)
    shares = _shares(entries)
    if len(entries) > _MOST_CLASSES:
        shares.append(f"{len(entries) - _MOST_CLASSES} more")
    more = "".join(f"; {text}" for text in (assumed_text(result.assumed), *result.remarks) if text)
    return inert(
        f"SegmentationResult({result.card.name}, {result.height}x{result.width}, "
        f"{result.origin.ran}: {', '.join(shares)}{more})"
    )


def document_of(result: SegmentationResult) -> render.Document:
    """Return what there is to see: the overlay with a legend; as text, a table of the classes."""
    entries = _legend(result)
    what = "Mask" if result.image is None else "Image tinted with the mask"
    block = render.ImageBlock(
        partial(encoded_preview, result),
        f"{what} of {result.card.name}: {', '.join(_shares(entries))}",
        pixelated=result.image is None,
    )
    blocks: list[render.Block] = [
        block,
        render.Legend(entries),
        render.Only(("text",), [_class_table(result)]),
    ]
    if hidden := len(result.card.classes) - len(entries):
        verb = "has" if hidden == 1 else "have"
        blocks.append(render.Paragraph(f"{counted(hidden, 'further class')} {verb} no pixel"))
    if result.threshold is not None and "threshold" not in statements(result.assumed):
        blocks.append(render.Paragraph(f"threshold {result.threshold:g}"))
    blocks += remark_blocks(result.remarks)
    blocks += assumed_blocks(result.assumed, result.card, result.origin)
    blocks.append(render.Only(("notebook", "page"), [details(result.origin)]))
    size = f"{result.height} x {result.width} pixels (height x width)"
    return render.Document(f"{result.card.name}, {size}, {result.origin.ran}", blocks)


def figure_of(result: SegmentationResult, image: ImageSource | None, opacity: float) -> PanelFigure:
    """Return image, mask and overlay side by side; the mask alone where there is no image."""
    from wasinn_nb.render import Panel, draw_panels

    title = f"Mask: {result.card.name}"
    palette = result.card.palette
    if image is None and result.image is None:
        panels = [Panel(title, colorize(result.labels, palette), smooth=False)]
    else:
        pixels = image_to_tint(result, image)
        labels = result.labels_at(*pixels.shape[:2])
        panels = [
            Panel("Image", pixels),
            Panel(title, colorize(labels, palette), smooth=False),
            Panel("Image and mask", blended(result, pixels, labels, opacity)),
        ]
    return draw_panels(panels, _legend(result))


def _legend(result: SegmentationResult) -> list[render.LegendEntry]:
    areas = list(result.areas().values())
    return render.legend(result.card.classes, result.card.palette, areas, MANY_CLASSES)


def _shares(entries: list[render.LegendEntry]) -> list[str]:
    return [f"{entry.name} {entry.share}" for entry in entries[:_MOST_CLASSES]]


def _class_table(result: SegmentationResult) -> render.Table:
    """Return the pixels of the classes that the legend has."""
    fractions = result.fractions()
    rows = [
        (name, pixels, fractions[name])
        for name, pixels in result.areas().items()
        if pixels or len(fractions) <= MANY_CLASSES
    ]
    return render.Table(
        ["class", render.Column("pixels", render.COUNT), render.Column("share", percent)], rows
    )
