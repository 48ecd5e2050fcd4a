"""The static image of a widget, for the notebook that is saved, exported or read on the web.

A widget needs its kernel.  What is saved with the notebook is therefore a second output right below
it: the image as PNG and as HTML.  While the widget is alive its page hides that output; where
it is not, the image stands alone, without the front end's message that a model was not found.
"""

from __future__ import annotations

import io
import uuid
from collections.abc import Sequence
from typing import Any, Final

from PIL import Image

from wasinn_nb.tasks.segmentation import SegmentationResult, colorize, resize_labels
from wasinn_nb.widgets.viewer.payload import WidgetResult

__all__ = ["Still", "still_png"]

_MOST_PNG_BYTES: Final = 300_000
# The PNG is for exports that take no HTML (PDF, some hosts), and travels with each result.
_SIDES: Final = (480, 360, 240)
_COLORS: Final = 96
# In JupyterLab and Notebook, where the widget before this image is not alive, its place holds
# only an error; :has() spares the live one.
_STYLE: Final = (
    "<style>.jp-OutputArea-child:has(+ .jp-OutputArea-child [data-wnb-still])"
    ":not(:has(.wnb-viewer)){display:none}</style>"
)


class Still:
    """A display below a widget that follows its results.

    Attributes
    ----------
    id : str
        What the page hides while the widget is alive: ``[data-wnb-still=ID]``.
    """

    def __init__(self) -> None:
        self.id = uuid.uuid4().hex
        self._displayed = False
        self._results: tuple[WidgetResult, ...] = ()

    def display(self, widget: Any) -> None:
        """Show a widget's own bundle of media types, and the image below it."""
        from IPython.display import display

        bundle = widget._repr_mimebundle_()
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle, {})
        display(data, metadata=metadata, raw=True)  # type: ignore[no-untyped-call]
        self._displayed = True
        display(self.bundle(), raw=True, display_id=self.id)  # type: ignore[no-untyped-call]

    def update(self, *results: WidgetResult) -> None:
        """Bring the image up to date, wherever it is shown."""
        self._results = results
        if self._displayed:
            from IPython.display import update_display

            bundle = self.bundle()
            update_display(bundle, raw=True, display_id=self.id)  # type: ignore[no-untyped-call]

    def bundle(self) -> dict[str, str | bytes]:
        """Return the image as a bundle of media types: bars of classes as HTML and text alone."""
        results = "".join(result._repr_html_() for result in self._results)
        html = f'<div data-wnb-still="{self.id}">{_STYLE}{results}</div>'
        text = "\n".join(map(repr, self._results)) or "no result yet"
        bundle: dict[str, str | bytes] = {"text/html": html, "text/plain": text}
        masks = [one for one in self._results if isinstance(one, SegmentationResult)]
        if masks and len(masks) == len(self._results):
            bundle["image/png"] = still_png(masks)
        return bundle


def still_png(results: Sequence[SegmentationResult]) -> bytes:
    r"""Return the masked images of results side by side as a PNG of at most 300 kB.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> png = still_png([wn.segment("city-crosswalk")])
    >>> len(png) <= 300_000, png[:4]
    (True, b'\x89PNG')
    """
    for side in _SIDES:
        images = [_small_image(result, side // len(results)) for result in results]
        sheet = Image.new(
            "RGB", (sum(p.width for p in images), max(p.height for p in images)), "white"
        )
        left = 0
        for image in images:
            sheet.paste(image, (left, 0))
            left += image.width
        encoded = io.BytesIO()
        # With few colors an image as PNG takes a quarter of what all of them would.
        sheet.quantize(_COLORS).save(encoded, "PNG", optimize=True)
        if encoded.tell() <= _MOST_PNG_BYTES:
            break
    return encoded.getvalue()


def _small_image(result: SegmentationResult, side: int) -> Image.Image:
    """Return the masked image, or the mask, of at most so many pixels a side."""
    height, width = result.labels.shape if result.photo is None else result.photo.shape[:2]
    shrink = min(1.0, side / max(height, width))
    height, width = max(1, round(height * shrink)), max(1, round(width * shrink))
    if result.photo is None:
        return Image.fromarray(
            colorize(resize_labels(result.labels, height, width), result.card.palette)
        )
    # Labels are brought to this size and colored there.
    return result.overlay(Image.fromarray(result.photo).resize((width, height)))
