"""`MaskViewer`: a mask over its photograph, composed in the browser."""

from __future__ import annotations

from typing import Any, Final

import anywidget
import traitlets

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.segmentation import SegmentationResult
from wasinn_nb.widgets.pages import page
from wasinn_nb.widgets.payload import captions, confidence_payload, mask_payload, photo_payload
from wasinn_nb.widgets.still import Still

__all__ = ["MODES", "MaskViewer"]

MODES: Final = ("photo", "overlay", "mask", "swipe", "blink", "side by side", "difference")


class MaskViewer(anywidget.AnyWidget):
    """A mask over its photograph: opacity, classes, outlines, zoom, the class under the pointer.

    The page gets the picture and the labels once and draws by itself: no control asks the kernel.
    Class 0, the background, is switched off at first, as in :meth:`SegmentationResult.overlay`.

    Keys, where the picture has the focus: ``1`` to ``9`` switch classes, arrows move the cross
    whose pixel is read, ``+``, ``-`` and ``0`` zoom, ``o`` outlines, ``[`` and ``]`` change the
    opacity.

    Parameters
    ----------
    result : SegmentationResult, optional
        With its photograph, unless the mask alone is to be seen; with its scores for the
        confidence threshold and for the runner-up of a pixel.
    other : SegmentationResult, optional
        A second mask of the same picture, to swipe, blink and difference against.
    mode : {"photo", "overlay", "mask", "swipe", "blink", "side by side", "difference"}
        ``difference`` needs *other*; with one mask, ``swipe``, ``blink`` and ``side by side`` show
        photograph and overlay.
    opacity : float
        Of the mask over the photograph, 0 to 1.
    outline : bool
        Draw the edges of the classes in place of their areas.
    threshold : float
        Pixels whose probability is lower stay uncoloured, 0 to 1.

    Attributes
    ----------
    hidden : list of str
        The classes that are switched off.
    stale : bool
        Whether another picture is on its way, or could not be made: what is shown is dimmed.
    serial : int
        How many pairs of masks were shown; ``data-painted`` of the page's element says which one
        is on screen.

    Raises
    ------
    InvalidArgumentError
        If *result* or *other* is no `SegmentationResult`, or *mode* is ``difference`` without
        *other*.
    traitlets.TraitError
        If another value is none of these.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> viewer = wn.MaskViewer(wn.segment("city-crosswalk"), opacity=0.4)
    >>> viewer.hidden, viewer.mode
    (['background'], 'overlay')
    """

    _esm, _css = page("viewer")

    mode = traitlets.Enum(MODES, "overlay").tag(sync=True)
    opacity = traitlets.Float(0.5, min=0.0, max=1.0).tag(sync=True)
    outline = traitlets.Bool().tag(sync=True)
    threshold = traitlets.Float(0.0, min=0.0, max=1.0).tag(sync=True)
    hidden = traitlets.List(traitlets.Unicode()).tag(sync=True)
    stale = traitlets.Bool().tag(sync=True)
    _photo = traitlets.Dict().tag(sync=True)
    _masks = traitlets.List(traitlets.Dict()).tag(sync=True)
    _confidence = traitlets.List(traitlets.Dict()).tag(sync=True)
    _still_id = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        result: SegmentationResult | None = None,
        other: SegmentationResult | None = None,
        **options: Any,
    ) -> None:
        if options.get("mode") == "difference" and other is None:
            raise InvalidArgumentError("mode 'difference' needs a second result: pass other=…")
        self._results: tuple[SegmentationResult, ...] = ()
        self.serial = 0
        self.still = Still()
        content: dict[str, Any] = {"_still_id": self.still.id}
        if result is not None:
            content |= self._taken(result, other)
            content["_confidence"] = self._confidences()
        super().__init__(**(content | options))

    @property
    def result(self) -> SegmentationResult | None:
        """What is shown."""
        return self._results[0] if self._results else None

    @property
    def other(self) -> SegmentationResult | None:
        """What it is compared with."""
        return self._results[1] if len(self._results) > 1 else None

    def show(self, result: SegmentationResult, other: SegmentationResult | None = None) -> None:
        """Show another mask; what is switched off stays off where the classes are the same.

        Parameters
        ----------
        result, other : SegmentationResult
            As for the class.
        """
        self.show_masks(result, other)
        self.show_rest()

    def show_masks(
        self, result: SegmentationResult, other: SegmentationResult | None = None
    ) -> None:
        """Show another mask at once; :meth:`show_rest` sends what it need not wait for."""
        content = self._taken(result, other)
        with self.hold_sync():
            self.stale = False
            if self.mode == "difference" and other is None:
                self.mode = "overlay"
            for name, value in content.items():
                setattr(self, name, value)

    def show_rest(self) -> None:
        """Send the confidences, and bring the picture in the saved notebook up to date."""
        self._confidence = self._confidences()
        self.still.update(*self._results)

    def _taken(
        self, result: SegmentationResult, other: SegmentationResult | None
    ) -> dict[str, Any]:
        """Take results over, and return the traits that change with them."""
        results = (result,) if other is None else (result, other)
        for given in results:
            if not isinstance(given, SegmentationResult):
                raise InvalidArgumentError(
                    f"expected a SegmentationResult, got {type(given).__name__}; wn.segment() and "
                    f"SegmentationResult.from_scores() make one"
                )
        before, self._results = self._results, results
        self.serial += 1
        masks = [
            mask_payload(one, self.serial, caption)
            for one, caption in zip(results, captions(results), strict=True)
        ]
        content: dict[str, Any] = {"_masks": masks}
        classes = result.card.classes
        if not before or before[0].card.classes != classes:
            content["hidden"] = list(classes[:1]) if len(classes) > 1 else []
        if not before or not _same_picture(before[0], result):
            content["_photo"] = photo_payload(result)
        return content

    def _confidences(self) -> list[dict[str, Any]]:
        return [confidence_payload(result, self.serial) for result in self._results]

    def _ipython_display_(self) -> None:
        self.still.update(*self._results)
        self.still.display(self)

    def __repr__(self) -> str:
        shown = " | ".join(map(repr, self._results)) or "no result"
        return f"MaskViewer({shown})"


def _same_picture(a: SegmentationResult, b: SegmentationResult) -> bool:
    """Return whether two results surely have the same photograph, so that it need not travel."""
    if isinstance(a.image, bytes) and isinstance(b.image, bytes):
        return a.image == b.image and (a.recipe and a.recipe.exif) == (b.recipe and b.recipe.exif)
    return a.image is b.image
