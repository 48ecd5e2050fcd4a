"""What shows the results of the Explorer: masks in a viewer, classes as bars."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress

from wasinn_nb.errors import WasiNnError
from wasinn_nb.imaging import ImageSource
from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.tasks.segmentation import SegmentationResult
from wasinn_nb.widgets.viewer import Bars, MaskViewer, Mode, Note, WidgetResult, captions, gathered

__all__ = ["Display"]


class Display:
    """A viewer for masks and bars for classes, each for as long as it has something to show.

    Parameters
    ----------
    mode : str
        Of the viewer.
    arrange : callable
        Called with what has something to show: ``"masks"``, ``"bars"`` or both.

    Attributes
    ----------
    viewer : MaskViewer
    bars : Bars
    """

    def __init__(self, mode: Mode, arrange: Callable[[list[str]], None]) -> None:
        self.viewer = MaskViewer(mode=mode)
        self.bars = Bars()
        self._masks = True
        self._arrange = arrange

    def dim(self) -> None:
        """Show that another result is on its way."""
        self.viewer.stale = self.bars.stale = True

    def send_ahead(self, image: ImageSource) -> None:
        """Send an image ahead of its mask, where a mask is likely to come."""
        if self._masks:
            with suppress(WasiNnError):  # what is wrong with it, whoever runs a model on it says
                self.viewer.send_photo(image)

    def show(
        self, results: Sequence[WidgetResult], notes: Sequence[Sequence[Note]]
    ) -> tuple[WidgetResult, ...]:
        """Show one result, or two of the same image; :meth:`show_rest` sends the rest.

        Parameters
        ----------
        results : sequence of SegmentationResult or ClassificationResult
        notes : sequence of sequences of Note
            What is to be known of each.

        Returns
        -------
        tuple
            The results as they are shown: those of one class at the threshold of the viewer.
        """
        masks = [one for one in results if isinstance(one, SegmentationResult)]
        rows = [one for one in results if isinstance(one, ClassificationResult)]
        gathered_notes = gathered(notes)
        if masks:
            other = masks[1] if len(masks) > 1 else None
            self.viewer.show_masks(masks[0], other, [] if rows else gathered_notes)
        if rows:
            titles = captions(results)
            if len(titles) > 1:
                titles = [f"{name}: {title}" for name, title in zip("AB", titles, strict=True)]
            own = [titles[index] for index, one in enumerate(results) if one in rows]
            self.bars.show(rows, own, gathered_notes)
        self._masks = bool(masks)
        self._arrange(["masks"] * bool(masks) + ["bars"] * bool(rows))
        return self.at_threshold(results)

    def at_threshold(self, results: Sequence[WidgetResult]) -> tuple[WidgetResult, ...]:
        """Return results that are shown, those of one class at the threshold of the viewer."""
        masks = iter(self.viewer.results)
        return tuple(next(masks) if isinstance(one, SegmentationResult) else one for one in results)

    def show_rest(self, results: Sequence[WidgetResult]) -> None:
        """Send the confidences, and bring the image in the saved notebook up to date."""
        if self._masks:
            self.viewer.send_confidences()
        if all(isinstance(one, SegmentationResult) for one in results):
            self.viewer.update_still()
        else:
            self.viewer.still.update(*results)
