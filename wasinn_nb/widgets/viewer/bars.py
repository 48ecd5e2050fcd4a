"""`Bars`: the most probable classes of an image, in place of a mask."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import traitlets

from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.widgets.access import PageWidget
from wasinn_nb.widgets.pages import page
from wasinn_nb.widgets.pickers import readable
from wasinn_nb.widgets.viewer.notes import Note
from wasinn_nb.widgets.viewer.payload import image_payload
from wasinn_nb.wording import counted, percent

__all__ = ["Bars", "bars_state"]

_MOST_CLASSES: Final = 5


class Bars(PageWidget):
    """The five most probable classes of an image: index, name, probability; of two runs, both.

    Attributes
    ----------
    stale : bool
        Whether another result is on its way, or could not be made: what is shown is dimmed.
    serial : int
        How often results were shown; ``data-painted`` of the page's element says which are on
        screen.
    """

    _from_threads = frozenset({"stale", "_sent_image", "_results", "_notes"})
    _page_module, _css = page("bars")

    stale = traitlets.Bool().tag(sync=True)
    _sent_image = traitlets.Dict().tag(sync=True)
    _results = traitlets.List(traitlets.Dict()).tag(sync=True)
    _notes = traitlets.List(traitlets.Dict()).tag(sync=True)

    def __init__(self) -> None:
        self.serial = 0
        self._source: object = None
        super().__init__()

    def show(
        self, results: Sequence[ClassificationResult], titles: Sequence[str], notes: Sequence[Note]
    ) -> None:
        """Show one result, or two of the same image.

        Parameters
        ----------
        results : sequence of ClassificationResult
        titles : sequence of str
            What stands above the bars of each.
        notes : sequence of Note
            What to say below them.
        """
        self.serial += 1
        with self.hold_sync():
            self.stale = False
            if self._source is None or self._source is not results[0].image:
                self._source = results[0].image
                self._sent_image = image_payload(results[0])
            self._results = [
                _payload(result, title, self.serial)
                for result, title in zip(results, titles, strict=True)
            ]
            self._notes = list(notes)


def bars_state(
    results: Sequence[ClassificationResult], titles: Sequence[str], notes: Sequence[Note]
) -> dict[str, Any]:
    """Return the traits of `Bars` that show results of one image, as plain values."""
    return {
        "stale": False,
        "_sent_image": image_payload(results[0]),
        "_results": [
            _payload(result, title, 1) for result, title in zip(results, titles, strict=True)
        ],
        "_notes": list(notes),
    }


def _payload(result: ClassificationResult, title: str, serial: int) -> dict[str, Any]:
    """Return what the page shows of a result."""
    top = result.top(_MOST_CLASSES)
    classes = counted(len(result.card.classes), "class")
    softmax = ", probabilities by softmax" if result.softmax else ""
    return {
        "serial": serial,
        "title": title,
        "facts": f"the {len(top)} most probable of {classes}{softmax}",
        "bars": [
            {
                "index": one.index,
                "name": readable(one.name),
                "share": percent(one.probability),
                "part": min(1.0, max(0.0, one.probability)),
            }
            for one in top
        ],
    }
