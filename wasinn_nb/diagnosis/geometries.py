"""The layouts, sizes and fits in which a tensor may hold an image."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import replace

from wasinn_nb.diagnosis.candidates import FLIPS, ORDERS, Making
from wasinn_nb.diagnosis.resampling import Original
from wasinn_nb.imaging import CHANNELS, Color

__all__ = ["colors_of", "geometries"]


def geometries(
    base: Making, shapes: Iterable[tuple[int, int, int]], original: Original, fits: Iterable[str]
) -> Iterator[Making]:
    """Yield the ways to lay out an image, the usual ones first.

    Parameters
    ----------
    base : Making
        What the ways have in common.
    shapes : iterable of (height, width, channels)
        Of images that have as many values as the tensor.
    original : Original
    fits : iterable of str
        Of `FITS`.
    """
    fits = tuple(fits)
    # The image is resized once for each combination, and read in 16 ways.
    for height, width, channels in shapes:
        if base.space and channels != CHANNELS["RGB"]:
            continue
        orders = sorted(ORDERS, key=lambda order: order != base.order)
        if channels == 1:  # the place of the channels makes no difference
            orders = [base.order, "CWH" if base.order == "CHW" else "WHC"]
        if (base.pitch, base.step) != (None, None):  # only so the gaps lie between rows
            orders = [base.order]
        sized = replace(base, height=height, width=width, color=colors_of(channels, base.color)[0])
        exifs = sorted(original.exifs, key=lambda exif: exif != base.exif)
        for exif, alpha, fit, flip, order in itertools.product(
            exifs, original.alphas(channels), fits, FLIPS, orders
        ):
            yield replace(sized, exif=exif, alpha=alpha, fit=fit, flip=flip, order=order)


def colors_of(channels: int, first: Color) -> list[Color]:
    """Return the colors of so many channels.

    Parameters
    ----------
    channels : int
    first : {"BGR", "RGB", "GRAY", "RGBA", "BGRA"}
        It comes first, where it has so many channels.

    Examples
    --------
    >>> colors_of(3, "RGB"), colors_of(1, "RGB")
    (['RGB', 'BGR'], ['GRAY'])
    """
    colors = [color for color, count in CHANNELS.items() if count == channels]
    return sorted(colors, key=lambda color: color != first)
