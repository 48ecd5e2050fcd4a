"""The figure of a comparison: both masks, which class became which, and how near to a tie."""

from __future__ import annotations

import functools
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.cards import named_background
from wasinn_nb.comparison.chain import Chain, class_names
from wasinn_nb.comparison.changes import (
    MOST_CHANGES,
    OTHER_CHANGES,
    Change,
    change_colors,
    draw_changes,
    faded,
)
from wasinn_nb.comparison.margins import NEAR_TIE
from wasinn_nb.imaging import ImageSource, rgb_image
from wasinn_nb.render import (
    RGB,
    Block,
    Histogram,
    ImageBlock,
    ImageRow,
    Legend,
    LegendEntry,
    Panel,
    class_palette,
    distinct_palette,
    encoded_image,
)
from wasinn_nb.tasks import how_read
from wasinn_nb.tasks.segmentation import MANY_CLASSES, colorize
from wasinn_nb.wording import inert

if TYPE_CHECKING:
    from wasinn_nb.render import PanelFigure

__all__ = ["class_colors", "comparison_blocks", "draw_comparison"]

_FEW_COLORS: Final = 128
_LONGEST_SIDE: Final = 640
_TITLE: Final = 80
_LEAD: Final = "Lead of the highest probability over the next"
_DISTANCE: Final = "Distance of the probability from the threshold"


def draw_comparison(
    chains: tuple[Chain, Chain],
    changes: Sequence[Change],
    present: Collection[str],
    margins: NDArray[np.float32] | None,
    image: ImageSource | None,
) -> PanelFigure:
    """Draw the masks of two sides and, where both have one of the same size, what changed.

    Parameters
    ----------
    chains : (Chain, Chain)
        One of them has labels at least.
    changes : sequence of Change
        The most pixels first.
    present : collection of str
        The classes that have a pixel; of many classes the legend names only these.
    margins : (H, W) float32 array or None
        As from `score_margins`.
    image : path, bytes, binary file, PIL.Image, array or None
        What is drawn beneath the changed pixels.  Default: the image of a side that has one.
    """
    from wasinn_nb.render import draw_panels

    panels, legend = _panels(chains, changes, present, image)
    a, b = (chain.labels for chain in chains)
    if a is None or b is None or a.shape != b.shape:
        return draw_panels(panels, legend, columns=2)
    histogram = None if margins is None else _histogram(chains, margins, a != b)
    return draw_panels(
        panels, legend, histogram=histogram, columns=None if histogram is None else 2
    )


def comparison_blocks(
    chains: tuple[Chain, Chain], changes: Sequence[Change], present: Collection[str]
) -> list[Block]:
    """Return what :func:`draw_comparison` draws but for the histogram, without matplotlib.

    Parameters are those of :func:`draw_comparison`.
    """
    panels, legend = _panels(chains, changes, present, None)
    return [ImageRow(list(map(_panel_block, panels))), Legend(legend)]


def _panel_block(panel: Panel) -> ImageBlock:
    image = Image.fromarray(panel.pixels)
    encode = functools.partial(encoded_image, image, _LONGEST_SIDE)
    if not panel.smooth:
        encode = functools.partial(encoded_image, image.quantize(_FEW_COLORS))
    return ImageBlock(encode, panel.title, panel.title, pixelated=not panel.smooth)


def _panels(
    chains: tuple[Chain, Chain],
    changes: Sequence[Change],
    present: Collection[str],
    image: ImageSource | None,
) -> tuple[list[Panel], list[LegendEntry]]:
    """Return the images, and what their colors mean."""
    photo = next((one for one in (_photo(image, chain) for chain in chains) if one), None)
    masks = [chain.labels for chain in chains if chain.labels is not None]
    names, palette = _classes(chains)
    sides = [name for name, chain in zip("ab", chains, strict=True) if chain.labels is not None]
    titles = _titles(chains, sides)
    panels = [] if photo is None else [Panel("Image", np.asarray(photo))]
    panels += [
        Panel(title, colorize(labels, palette), smooth=False)
        for title, labels in zip(titles, masks, strict=True)
    ]
    legend = [
        LegendEntry(name, color, "")
        for name, color in zip(names, palette, strict=True)
        if len(names) <= MANY_CLASSES or name in present
    ]
    if len(masks) < 2 or masks[0].shape != masks[1].shape:
        return panels, legend
    background = faded(masks[0], photo)
    panel, entries = _changes_panel(masks, changes, names, palette, background)
    return [*panels, panel], [*legend, *entries]


def _photo(image: ImageSource | None, chain: Chain) -> Image.Image | None:
    """Return the image to show, as the side's recipe reads it; None where there is none."""
    source = chain.image if image is None else image
    return None if source is None else rgb_image(source, **how_read(chain.recipe))


def _titles(chains: tuple[Chain, Chain], sides: Sequence[str]) -> list[str]:
    """Return the titles of the masks: with what tells the sides apart, where that is known."""
    about = {}
    for side, chain in zip("ab", chains, strict=True):
        what, colon, _ = chain.what.partition(": ")  # the name of a file
        if colon:
            about[side] = what
        elif chain.origin is not None:
            weights = f", {chain.weights} weights" if chain.weights else ""
            about[side] = f"{chain.origin.model}, {chain.origin.ran}{weights}"
    if len(set(about.values())) < len(about):
        about = {}
    clipped = {side: inert(text, _TITLE, middle=True) for side, text in about.items()}
    return [f"Mask of {side}" + (f": {clipped[side]}" if side in about else "") for side in sides]


def _changes_panel(
    masks: Sequence[NDArray[np.uint8]],
    changes: Sequence[Change],
    names: Sequence[str],
    palette: Sequence[RGB],
    background: NDArray[np.uint8],
) -> tuple[Panel, list[LegendEntry]]:
    """Return the changed pixels over a background, and what their colors mean."""
    named = changes[:MOST_CHANGES]
    colors = change_colors(palette)[: len(named)]
    index = {name: number for number, name in enumerate(names)}
    pairs = {
        (index[change.before], index[change.after]): color
        for change, color in zip(named, colors, strict=True)
    }
    pixels, widened = draw_changes(masks[0], masks[1], pairs, OTHER_CHANGES, background)
    title = f"Changed pixels{', widened' if widened else ''}" if changes else "No pixel changed"
    legend = [
        LegendEntry(f"{change.before} → {change.after}", color, f"{change.pixels:,} px")
        for change, color in zip(named, colors, strict=True)
    ]
    if rest := sum(change.pixels for change in changes[MOST_CHANGES:]):
        legend.append(LegendEntry("other changes", OTHER_CHANGES, f"{rest:,} px"))
    return Panel(title, pixels, smooth=False), legend


def _histogram(
    chains: tuple[Chain, Chain], margins: NDArray[np.float32], changed: NDArray[np.bool_]
) -> Histogram:
    one_class = any(chain.threshold is not None for chain in chains)
    return Histogram(
        _DISTANCE if one_class else _LEAD,
        {"all pixels": margins.ravel(), "changed": margins[changed]},
        marked=(f"near a tie: below {NEAR_TIE}", NEAR_TIE),
    )


def class_colors(chains: tuple[Chain, Chain]) -> dict[str, RGB]:
    """Return the color of each class.

    Parameters
    ----------
    chains : (Chain, Chain)
        One of them has labels at least.
    """
    return dict(zip(*_classes(chains), strict=True))


def _classes(chains: tuple[Chain, Chain]) -> tuple[tuple[str, ...], tuple[RGB, ...]]:
    """Return names and colors in the order of the labels."""
    masks = [chain.labels for chain in chains if chain.labels is not None]
    names = class_names(chains, 1 + max(int(labels.max()) for labels in masks))
    return names, _palette(chains, names)


def _palette(chains: tuple[Chain, Chain], names: Sequence[str]) -> tuple[RGB, ...]:
    cards = [chain.card for chain in chains if chain.card is not None]
    stated = next((card.palette for card in cards if card.palette), ())
    if len(stated) == 1 and len(names) > 1:  # the background of a single class
        stated = (distinct_palette(1)[0], *stated)
    # A card with fewer classes than the masks have keeps its colors.
    return (*stated, *class_palette(len(names), named_background(names))[len(stated) :])
