"""`MaskViewer`: a mask over its photograph, composed in the browser."""

from __future__ import annotations

from typing import Any, Final

import anywidget
import traitlets

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.pictures import ImageSource, kept_image
from wasinn_nb.recipe import Exif
from wasinn_nb.segmentation import SegmentationResult
from wasinn_nb.widgets.pages import page
from wasinn_nb.widgets.payload import (
    captions,
    confidence_payload,
    mask_payload,
    own_file_payload,
    photo_payload,
)
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
    _photo = traitlets.Dict({"number": 0}).tag(sync=True)
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
        self._photo_number = 0
        self._sent: tuple[object, Exif | None] = (None, None)
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

    def send_photo(self, image: ImageSource) -> None:
        """Send a photograph ahead of its mask; it is decoded meanwhile, and shown with the mask.

        Parameters
        ----------
        image : path, bytes, binary file, PIL.Image or array
            Files that browsers show alike are sent; all others travel with their mask.

        Raises
        ------
        ImageError, MissingFileError
            If it is no picture.
        """
        content = kept_image(image)
        if not isinstance(content, bytes) or self._was_sent(content, None):
            return
        if (own := own_file_payload(content)) is not None:
            self._photo = self._numbered(own, content, None)

    def recall_photo(self) -> None:
        """Send the photograph of what is shown again where another was sent ahead for nothing."""
        if (result := self.result) is None or self._was_sent(result.image, _exif(result)):
            return
        payload = self._numbered(photo_payload(result), result.image, _exif(result))
        with self.hold_sync():
            self._photo = payload
            self._masks = [mask | {"photo": self._photo_number} for mask in self._masks]

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
        content: dict[str, Any] = {}
        if not self._was_sent(result.image, _exif(result)):
            payload = photo_payload(result)
            content["_photo"] = self._numbered(payload, result.image, _exif(result))
        content["_masks"] = [
            mask_payload(one, self.serial, caption, self._photo_number)
            for one, caption in zip(results, captions(results), strict=True)
        ]
        classes = result.card.classes
        if not before or before[0].card.classes != classes:
            content["hidden"] = list(classes[:1]) if len(classes) > 1 else []
        return content

    def _was_sent(self, image: object, exif: Exif | None) -> bool:
        """Return whether the page surely has this photograph."""
        sent, turned = self._sent
        same = sent == image if isinstance(sent, bytes) else sent is image
        return bool(same) and turned in {None, exif}

    def _numbered(
        self, payload: dict[str, Any], image: object, exif: Exif | None
    ) -> dict[str, Any]:
        """Give a photograph that is about to be sent its number, and remember it."""
        # A picture's own file is the same picture under every recipe.
        self._sent = (image, None if payload.get("bytes") is image else exif)
        self._photo_number += 1
        return payload | {"number": self._photo_number}

    def _confidences(self) -> list[dict[str, Any]]:
        return [confidence_payload(result, self.serial) for result in self._results]

    def _ipython_display_(self) -> None:
        self.still.update(*self._results)
        self.still.display(self)

    def __repr__(self) -> str:
        shown = " | ".join(map(repr, self._results)) or "no result"
        return f"MaskViewer({shown})"


def _exif(result: SegmentationResult) -> Exif | None:
    return None if result.recipe is None else result.recipe.exif
