"""`MaskViewer`: a mask over its image, composed in the browser."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

import traitlets

from wasinn_nb.comparison import Difference, change_colors
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.imaging import Exif, ImageSource, kept_image
from wasinn_nb.render import write_page
from wasinn_nb.tasks.segmentation import SegmentationResult
from wasinn_nb.widgets.access import PageWidget
from wasinn_nb.widgets.pages import page
from wasinn_nb.widgets.showing import Showable, begin
from wasinn_nb.widgets.standalone import standalone_html
from wasinn_nb.widgets.still import Still
from wasinn_nb.widgets.viewer.notes import Note, gathered, notes_of
from wasinn_nb.widgets.viewer.payload import (
    captions,
    confidence_payload,
    image_payload,
    mask_payload,
    own_file_payload,
)

__all__ = ["MODES", "MaskViewer", "Mode"]

Mode: TypeAlias = Literal[
    "photo", "overlay", "mask", "swipe", "blink", "side by side", "difference"
]
MODES: Final[tuple[Mode, ...]] = get_args(Mode)


class MaskViewer(Showable, PageWidget):
    """A mask over its image: opacity, classes, outlines, zoom, the class under the pointer.

    The page gets the image and the labels once and draws by itself: no control asks the kernel.
    The card's background is switched off at first, as in :meth:`SegmentationResult.overlay`.  Of
    results of one class that keep their scores, the page moves the threshold: it gets their
    probabilities once.  What is assumed of the model is stated below the image.

    Keys, where the image has the focus: ``1`` to ``9`` switch classes, arrows move the cross
    whose pixel is read, ``+``, ``-`` and ``0`` zoom, ``o`` outlines, ``[`` and ``]`` change the
    opacity.

    Parameters
    ----------
    result : SegmentationResult, optional
        With its image, unless the mask alone is to be seen; with its scores for the
        confidence threshold and for the runner-up of a pixel.
    other : SegmentationResult, optional
        A second mask of the same image, to swipe, blink and difference against.
    mode : {"photo", "overlay", "mask", "swipe", "blink", "side by side", "difference"}
        ``difference`` needs *other*; with one mask, ``swipe``, ``blink`` and ``side by side`` show
        image and overlay.
    opacity : float
        Of the mask over the image, 0 to 1.
    outline : bool
        Draw the edges of the classes in place of their areas.
    threshold : float
        Of several classes: pixels whose probability is lower stay uncolored, 0 to 1.  Of one class:
        the probability above which a pixel belongs to it, above 0 and below 1; default: that of
        *result*.  With two results of one class it is that of both, unless it is that of *result*:
        then each has its own.
    hidden : sequence of str
        The classes that are switched off.  Default: the background.
    **options
        Those of any Jupyter widget, such as ``layout``.

    Attributes
    ----------
    stale : bool
        Whether another image is on its way, or could not be made: what is shown is dimmed.
    serial : int
        How many pairs of masks were shown; ``data-painted`` of the page's element says which one
        is on screen.

    Raises
    ------
    InvalidArgumentError
        If *result* or *other* is not a `SegmentationResult`, *mode* is ``difference`` without
        *other*, or *threshold* cannot be applied to results of one class.
    traitlets.TraitError
        If another value is none of these.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> viewer = wn.MaskViewer(wn.segment("city-crosswalk"), opacity=0.4)
    >>> viewer.hidden, viewer.mode
    (['background'], 'overlay')
    """

    _from_page = frozenset({"mode", "opacity", "outline", "threshold", "hidden"})

    _from_threads = frozenset(
        {
            *("_sent_image", "_masks", "_confidence", "_notes", "_change_colors"),
            *("stale", "mode", "hidden", "threshold"),
        }
    )
    _page_module, _css = page("viewer")

    mode = traitlets.Enum(MODES, "overlay").tag(sync=True)
    opacity = traitlets.Float(0.5, min=0.0, max=1.0).tag(sync=True)
    outline = traitlets.Bool().tag(sync=True)
    threshold = traitlets.Float(0.0, min=0.0, max=1.0).tag(sync=True)
    hidden = traitlets.List(traitlets.Unicode()).tag(sync=True)
    stale = traitlets.Bool().tag(sync=True)
    _sent_image = traitlets.Dict({"number": 0}).tag(sync=True)
    _masks = traitlets.List(traitlets.Dict()).tag(sync=True)
    _confidence = traitlets.List(traitlets.Dict()).tag(sync=True)
    _notes = traitlets.List(traitlets.Dict()).tag(sync=True)
    _change_colors = traitlets.List(traitlets.Unicode()).tag(sync=True)
    _still_id = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        result: SegmentationResult | None = None,
        other: SegmentationResult | None = None,
        *,
        mode: Mode = "overlay",
        opacity: float = 0.5,
        outline: bool = False,
        threshold: float | None = None,
        hidden: Sequence[str] | None = None,
        **options: Any,
    ) -> None:
        if mode == "difference" and other is None:
            raise InvalidArgumentError("mode 'difference' needs a second result: pass other=…")
        self._given: tuple[SegmentationResult, ...] = ()  # as they came
        self._results: tuple[SegmentationResult, ...] = ()  # at the threshold
        self.serial = 0
        self.still = Still(self.update_still, self._follow_still)
        self._image_number = 0
        self._sent: tuple[object, Exif | None] = (None, None)
        content: dict[str, Any] = {"_still_id": self.still.id}
        if result is not None:
            content |= self._traits_of(result, other, None)
        content |= {"mode": mode, "opacity": opacity, "outline": outline}
        chosen = {"threshold": threshold, "hidden": None if hidden is None else list(hidden)}
        content |= {name: value for name, value in chosen.items() if value is not None}
        super().__init__(**(content | options))
        begin(self)
        if result is not None:
            self.send_confidences()

    @property
    def result(self) -> SegmentationResult | None:
        """What is shown; of one class, at the threshold that is set."""
        return self._results[0] if self._results else None

    @property
    def other(self) -> SegmentationResult | None:
        """What it is compared with."""
        return self._results[1] if len(self._results) > 1 else None

    @property
    def results(self) -> tuple[SegmentationResult, ...]:
        """What is shown: nothing, one result or two."""
        return self._results

    def show(self, result: SegmentationResult, other: SegmentationResult | None = None) -> None:
        """Show another mask.

        Where the classes are the same, what is switched off stays off, and a threshold of one class
        stays where it was moved to.

        Parameters
        ----------
        result, other : SegmentationResult
            As for the class.
        """
        self.show_masks(result, other)
        self.send_confidences()
        self.update_still()

    def send_photo(self, image: ImageSource) -> None:
        """Send an image ahead of its mask; it is decoded meanwhile, and shown with the mask.

        Parameters
        ----------
        image : path, bytes, binary file, PIL.Image or array
            Files that browsers show alike are sent; all others travel with their mask.

        Raises
        ------
        ImageError, MissingFileError
            If it is not an image.
        """
        content = kept_image(image)
        if not isinstance(content, bytes) or self._was_sent(content, None):
            return
        if (own := own_file_payload(content)) is not None:
            self._sent_image = self._numbered(own, content, None)

    def recall_photo(self) -> None:
        """Send the image of what is shown again where another was sent ahead for nothing."""
        if (result := self.result) is None or self._was_sent(result.image, _exif(result)):
            return
        payload = self._numbered(image_payload(result), result.image, _exif(result))
        with self.hold_sync():
            self._sent_image = payload
            self._masks = [mask | {"image": self._image_number} for mask in self._masks]

    def show_masks(
        self,
        result: SegmentationResult,
        other: SegmentationResult | None = None,
        notes: Sequence[Note] | None = None,
    ) -> None:
        """Show another mask at once; :meth:`send_confidences` sends what it need not wait for.

        Parameters
        ----------
        result, other : SegmentationResult
            As for the class.
        notes : sequence of Note, optional
            What to say below the image.  Default: what the results assume.
        """
        content = self._traits_of(result, other, notes)
        with self.hold_sync():
            self.stale = False
            if self.mode == "difference" and other is None:
                self.mode = "overlay"
            for name, value in content.items():
                setattr(self, name, value)

    def write_html(self, path: str | os.PathLike[str]) -> Path:
        """Write the viewer as one self-contained page: alive without Jupyter and without a network.

        The page shows what is shown here, with its controls; where scripts are off, an image.

        Parameters
        ----------
        path : path-like
            The page appears whole or not at all.

        Returns
        -------
        Path

        Raises
        ------
        InvalidArgumentError
            If nothing is shown yet.
        OSError
            If it cannot be written.
        """
        if not self._results:
            raise InvalidArgumentError("there is no result to write: show(result) one first")
        title = " | ".join(captions(self._results)) or self._results[0].card.name
        return write_page(path, title, standalone_html(self, self._results))

    def update_still(self) -> None:
        """Bring the static image up to date: a difference is one figure, else each has its own."""
        if self.mode == "difference" and len(self._results) == 2:
            a, b = self._results
            first, second = captions(self._results)
            self.still.update(Difference(a, b, (first, second)))
        else:
            self.still.update(*self._results)

    def send_confidences(self) -> None:
        """Send how sure the model was of what is shown."""
        self._confidence = [
            confidence_payload(result, self.serial, self.threshold) for result in self._given
        ]

    def _traits_of(
        self,
        result: SegmentationResult,
        other: SegmentationResult | None,
        notes: Sequence[Note] | None,
    ) -> dict[str, Any]:
        """Take results over, and return the traits that change with them."""
        results = (result,) if other is None else (result, other)
        for given in results:
            if not isinstance(given, SegmentationResult):
                raise InvalidArgumentError(
                    f"expected a SegmentationResult, got {type(given).__name__}; wn.segment() and "
                    f"SegmentationResult.from_scores() make one"
                )
        before, self._given = self._given, results
        self.serial += 1
        content: dict[str, Any] = {}
        if not self._was_sent(result.image, _exif(result)):
            payload = image_payload(result)
            content["_sent_image"] = self._numbered(payload, result.image, _exif(result))
        content["_masks"] = [
            mask_payload(one, self.serial, caption, self._image_number)
            for one, caption in zip(results, captions(results), strict=True)
        ]
        content["_notes"] = list(gathered(list(map(notes_of, results))) if notes is None else notes)
        palette = [color for one in results for color in one.card.palette]
        content["_change_colors"] = [
            "#{:02x}{:02x}{:02x}".format(*c) for c in change_colors(palette)
        ]
        if not before or _meaning(before[0]) != _meaning(result):
            content["hidden"] = _untinted(result)
        if _thresholds(before) != _thresholds(results):
            content["threshold"] = 0.0 if result.threshold is None else result.threshold
        self._set_threshold(content.get("threshold", self.threshold))
        return content

    def _set_threshold(self, threshold: float) -> None:
        """Bring the results of one class to a threshold."""
        own = self._given[0].threshold if self._given else None
        moved = own is not None and threshold != own
        self._results = tuple(
            one.with_threshold(threshold) if moved and one.threshold is not None else one
            for one in self._given
        )

    @traitlets.validate("threshold")
    def _check_threshold(self, proposal: Any) -> float:
        threshold: float = proposal["value"]
        one_class = [one for one in self._given if one.threshold is not None]
        if self._given and self._given[0].threshold not in {None, threshold}:
            if not 0 < threshold < 1:
                raise InvalidArgumentError(
                    f"expected a threshold of one class above 0 and below 1, got {threshold:g}"
                )
            if any(one.scores is None for one in one_class):
                raise InvalidArgumentError(
                    "the result keeps no scores to apply another threshold to; make it with "
                    "wn.segment(..., scores=True)"
                )
        return threshold

    @traitlets.observe("threshold")
    def _threshold_moved(self, _: object) -> None:
        self._set_threshold(self.threshold)
        one_class = [one for one in self._confidence if "levels" in one]
        if any(one["serial"] != self.serial for one in one_class) or not one_class:
            return  # the rest of what is shown is still to come, or does not depend on it
        if any(self.threshold not in one["levels"] for one in one_class):
            self.send_confidences()
        self.update_still()

    @traitlets.observe("mode")
    def _mode_changed(self, change: Any) -> None:
        if "difference" in {change["old"], change["new"]} and self._results:
            self.update_still()

    def _was_sent(self, image: object, exif: Exif | None) -> bool:
        """Return whether the page surely has this image."""
        sent, turned = self._sent
        same = sent == image if isinstance(sent, bytes) else sent is image
        return bool(same) and turned in {None, exif}

    def _numbered(
        self, payload: dict[str, Any], image: object, exif: Exif | None
    ) -> dict[str, Any]:
        """Give an image that is about to be sent its number, and remember it."""
        # An image's own file is the same image under every recipe.
        self._sent = (image, None if payload.get("bytes") is image else exif)
        self._image_number += 1
        return payload | {"number": self._image_number}

    def _follow_still(self) -> None:
        self._still_id = self.still.id

    def __repr__(self) -> str:
        results = " | ".join(map(repr, self._results)) or "no result"
        return f"MaskViewer({results})"


def _exif(result: SegmentationResult) -> Exif | None:
    return None if result.recipe is None else result.recipe.exif


def _meaning(result: SegmentationResult) -> tuple[object, ...]:
    """Return what the switches of the classes stand for."""
    return result.card.classes, result.card.background


def _untinted(result: SegmentationResult) -> list[str]:
    """Return the classes that are switched off at first: the background."""
    classes, background = result.card.classes, result.card.background
    if background is None or len(classes) == 1:
        return []
    return [classes[background]]


def _thresholds(results: Sequence[SegmentationResult]) -> object:
    """Return what a threshold that was moved belongs to; None for that of several classes."""
    if not results or results[0].threshold is None:
        return None
    first = results[0]
    kept = all(one.scores is not None for one in results if one.threshold is not None)
    return first.card.classes, first.threshold, kept
