"""What a viewer's page shows, as plain values: for widgets that hold a viewer in their own page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wasinn_nb.comparison import change_colors
from wasinn_nb.tasks.segmentation import SegmentationResult
from wasinn_nb.widgets.viewer.notes import Note
from wasinn_nb.widgets.viewer.payload import image_payload, mask_payload

__all__ = ["viewer_state"]


def viewer_state(
    results: Sequence[SegmentationResult],
    titles: Sequence[str],
    notes: Sequence[Note] = (),
    hidden: Sequence[str] = (),
) -> dict[str, Any]:
    """Return the traits of `MaskViewer` that show one mask or two; its settings are the page's.

    Parameters
    ----------
    results : sequence of SegmentationResult
        The first one with its image.
    titles : sequence of str
        What the page writes on each.
    notes : sequence of Note
        What it writes below them.
    hidden : sequence of str
        The classes that are switched off.

    Examples
    --------
    >>> import numpy as np
    >>> from wasinn_nb.cards import ModelCard
    >>> card = ModelCard("toy", "segmentation", classes=("background", "road"))
    >>> state = viewer_state([SegmentationResult(np.zeros((1, 2), np.uint8), card)], ["model"])
    >>> state["_masks"][0]["caption"], state["_sent_image"], state["mode"]
    ('model', {'number': 1}, 'overlay')
    """
    palette = [color for one in results for color in one.card.palette]
    return {
        "mode": "overlay",
        "opacity": 0.5,
        "outline": False,
        "threshold": results[0].threshold or 0.0,
        "hidden": list(hidden),
        "stale": False,
        "_still_id": "",
        "_sent_image": image_payload(results[0]) | {"number": 1},
        "_masks": [
            mask_payload(one, 1, title, 1) for one, title in zip(results, titles, strict=True)
        ],
        "_confidence": [],
        "_notes": list(notes),
        "_change_colors": ["#{:02x}{:02x}{:02x}".format(*c) for c in change_colors(palette)],
    }
