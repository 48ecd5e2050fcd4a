"""`Gallery`: the widget, and what its page asks."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Final

import numpy as np
import traitlets
from numpy.typing import NDArray

from wasinn_nb.errors import InvalidArgumentError, WasiNnError
from wasinn_nb.evaluation import (
    ClassificationEvaluation,
    Evaluation,
    row_names,
)
from wasinn_nb.prediction import Predictions
from wasinn_nb.progress import Progress
from wasinn_nb.widgets.access import PageWidget
from wasinn_nb.widgets.gallery.at_rest import CHANGED, NEW, AtRest
from wasinn_nb.widgets.gallery.first_page import FirstPage, Look
from wasinn_nb.widgets.gallery.given import (
    arguments_of,
    backgrounds,
    disagreement_of,
    judged,
    made_by,
    opened,
    refuse_other_truths,
)
from wasinn_nb.widgets.gallery.judged import Judged, judged_by
from wasinn_nb.widgets.gallery.packing import packed
from wasinn_nb.widgets.gallery.questions import Questions, checked_cell
from wasinn_nb.widgets.gallery.selecting import checked_filter, joined_query, selection_code
from wasinn_nb.widgets.gallery.standalone import written_page
from wasinn_nb.widgets.gallery.table import GalleryTable, hex_color
from wasinn_nb.widgets.gallery.tiles import OtherRun, Tiles
from wasinn_nb.widgets.pages import page
from wasinn_nb.widgets.showing import Showable, begin, in_page
from wasinn_nb.widgets.still import Still
from wasinn_nb.wording import counted, inert

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Gallery"]

_MOST_WRITTEN: Final = 500
_LOOK: Final = ("sort_by", "descending", "opacity", "hidden", "layer")
_SETTINGS: Final = ("text", "tile_size", *_LOOK)


class Gallery(Showable, PageWidget):
    """All images of a run: filtered by histograms and expressions, sorted, opened at full size.

    The page draws from thumbnails and small masks of the store, and gets them for what is on
    screen.  In the page, drag over a histogram to filter, click on the name of a column to sort,
    and on an image to open it; arrow keys go on from there.

    Parameters
    ----------
    predictions : Predictions, path, results or evaluation
        A path is the folder of a store, of which the last run is shown, that of one run, or one of
        saved results.
        Results are what :func:`wasinn_nb.gather_results` takes.  An `Evaluation` or a
        `ClassificationEvaluation`, however it was made, gives what it judged, and is what that is
        judged by; see :attr:`Evaluation.predictions`.
    truths : optional
        What :func:`wasinn_nb.evaluate` takes as truths; or an `Evaluation` or a
        `ClassificationEvaluation` of these predictions.  Of another evaluation than one of these
        very predictions no true mask can be looked at.
    other : Predictions, path, results or evaluation, optional
        Another run over the same images, to see where they disagree.
    mapping, ignore, classes, suffix : optional
        As of :func:`wasinn_nb.evaluate`.
    progress : bool or callable
        While truths, another run or what was judged are read; see :func:`wasinn_nb.evaluate`.
    **options
        Those of any Jupyter widget, such as ``layout``.

    Attributes
    ----------
    predictions : Predictions
    other : Predictions or None
    evaluation : Evaluation, ClassificationEvaluation or None
    columns : tuple of str
        That expressions may use: those of the store, and of truths ``mean IoU``, ``accuracy``,
        ``worst class``, ``IoU CLASS`` and ``TRUE as PREDICTED`` (pixels); of another run
        ``disagreement`` (part of the pixels, or how sure both runs were of different classes).
    sort_by : str
    descending : bool
    tile_size : int
        Pixels of a tile's width, 64 to 400.
    opacity : float
        Of the masks, 0 to 1.
    hidden : list of str
        Classes that are not drawn.  Default: the background.
    layer : str
        What lies over the images: ``"prediction"``, ``"truth"``, ``"wrong"``, ``"other"``,
        ``"disagreement"``, or ``"cell:TRUE:PREDICTED"`` (indices of classes).

    Raises
    ------
    InvalidArgumentError, ImageError, MissingFileError, TensorError
        As :func:`wasinn_nb.evaluate` and :meth:`Predictions.compare`.

    Examples
    --------
    >>> import tempfile
    >>> import wasinn_nb as wn
    >>> found = wn.predict(["city-arrow", "city-crosswalk"], store=tempfile.mkdtemp(), progress=0)
    >>> gallery = wn.Gallery(found)
    >>> gallery.query = "road > 0.1"
    >>> sorted(gallery.selection["name"])
    ['city-arrow.jpg', 'city-crosswalk.jpg']
    """

    _from_page: ClassVar[frozenset[str]] = frozenset({*_SETTINGS, "_filters", "_cell"})

    _page_module, _css = page("gallery")

    text = traitlets.Unicode().tag(sync=True)
    sort_by = traitlets.Unicode().tag(sync=True)
    descending = traitlets.Bool().tag(sync=True)
    tile_size = traitlets.Int(150, min=64, max=400).tag(sync=True)
    opacity = traitlets.Float(0.5, min=0.0, max=1.0).tag(sync=True)
    hidden = traitlets.List(traitlets.Unicode()).tag(sync=True)
    layer = traitlets.Unicode("prediction").tag(sync=True)
    _filters = traitlets.List(traitlets.Dict()).tag(sync=True)
    _cell = traitlets.List(traitlets.Int(), maxlen=2).tag(sync=True)
    _about = traitlets.Dict().tag(sync=True)
    _still_id = traitlets.Unicode().tag(sync=True)

    def __init__(
        self,
        predictions: Any,
        truths: Any = None,
        other: Any = None,
        *,
        mapping: Any = None,
        ignore: Any = None,
        classes: Any = None,
        suffix: Any = None,
        progress: Progress = True,
        **options: Any,
    ) -> None:
        if isinstance(predictions, Evaluation | ClassificationEvaluation):
            refuse_other_truths(truths)
            truths = predictions
        self.predictions, self._opening = opened(predictions, "predictions", progress)
        self.other: Predictions | None = None
        opening_other = ""
        if other is not None:
            self.other, opening_other = opened(other, "other", progress)
        how = {"mapping": mapping, "ignore": ignore, "classes": classes, "suffix": suffix}
        rows, self.evaluation = judged(self.predictions, truths, how, progress)
        self._truths = None if rows is None else rows.true_masks
        known: Judged | None = None
        if self.evaluation is not None:
            names = row_names(self.predictions) if rows is None else rows.names
            known = judged_by(self.evaluation, names)
        disagreement = disagreement_of(self.predictions, self.other, progress)
        self._table = GalleryTable(self.predictions, known, disagreement)
        run = None if self.other is None else OtherRun(self.other)
        true_names = None if known is None else known.true_names
        self._tiles = Tiles(self.predictions, self._truths, run, true_names)
        self._questions = Questions(self._table, self._tiles, self._truths, self._code)
        self._arguments = arguments_of(truths, opening_other, how)
        self.still = Still(self._prepare_still, self._follow_still)
        self._at_rest = AtRest(self._update_still)
        self._tiles_in_page = 0  # of the first page, once they were sent
        sort_by, descending = self._table.worst_first
        given = {
            "sort_by": sort_by,
            "descending": descending,
            "hidden": backgrounds(self.predictions, self.evaluation),
            "layer": "prediction",
            "_about": self._described(),
            "_still_id": self.still.id,
        }
        super().__init__(**(given | options))
        self.on_msg(self._receive)
        begin(self)

    # ---------------------------------------------------------------------------- selection

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that expressions may use."""
        return self._table.names

    @property
    def query(self) -> str:
        """What is selected, as an expression: that of the text, the filters and the cell.

        Set, it replaces all of them; the empty text selects every row.
        """
        cell = []
        if self._cell:
            column = self._table.cell_column(*self._cell)
            cell = [{"column": column, "low": 1.0, "high": None}]
        return joined_query(self.text, [*self._filters, *cell])

    @query.setter
    def query(self, text: str) -> None:
        if text.strip():
            self._questions.rows_that_hold(text)  # or an error
        with self.hold_sync():
            self._filters, self._cell = [], []
            self.text = text

    @property
    def selection(self) -> pd.DataFrame:
        """The selected rows in their order: the columns of `Predictions.table`, and the added."""
        frame = self._table.frame([*self.predictions.table().columns, *self._added_columns()])
        return frame.iloc[self.rows].reset_index(drop=True)

    @property
    def rows(self) -> NDArray[np.int64]:
        """The places of the selected rows among the predictions, in their order."""
        order = self._table.order(self.sort_by, descending=self.descending)
        query = self.query
        return order if not query else order[self._questions.rows_that_hold(query)[order]]

    @property
    def code(self) -> str:
        """The Python that makes the selection."""
        return selection_code(
            self._table,
            self.query,
            self.sort_by,
            descending=self.descending,
            arguments=self._arguments,
            opening=self._opening,
            evaluation=made_by(self.evaluation),
        )

    def _code(self) -> dict[str, str]:
        return {"code": self.code, "query": self.query}

    def close(self) -> None:
        """Take the widget off the page."""
        if self.comm is not None:
            self._at_rest.cancel()
        super().close()

    def write_html(self, path: str | os.PathLike[str], most: int = _MOST_WRITTEN) -> Path:
        """Write the selected images as one page that filters and sorts without Jupyter.

        Parameters
        ----------
        path : path-like
            The page appears whole or not at all.
        most : int
            The first so many images of the selection, up to 500.

        Returns
        -------
        Path

        Raises
        ------
        InvalidArgumentError
            If *most* is not from 1 to 500, or nothing is selected.
        UnwritableError
            If the file cannot be written.
        """
        if isinstance(most, bool) or not isinstance(most, int) or not 1 <= most <= _MOST_WRITTEN:
            raise InvalidArgumentError(
                f"expected how many images, 1 to {_MOST_WRITTEN}, got {most!r:.80}"
            )
        settings = {name: getattr(self, name) for name in _SETTINGS if name != "text"}
        rows = self.rows
        about = self._described() | {"query": inert(self.query, 500), "selected": len(rows)}
        return written_page(path, self._table, self._tiles, rows[:most], about, settings)

    # ---------------------------------------------------------------------- what is checked

    @traitlets.validate("text")
    def _check_text(self, proposal: Any) -> str:
        text: str = proposal["value"]
        if text.strip():
            self._questions.rows_that_hold(text)
        return text

    @traitlets.validate("sort_by")
    def _check_sort(self, proposal: Any) -> str:
        self._table.values(proposal["value"])
        return str(proposal["value"])

    @traitlets.validate("layer")
    def _check_layer(self, proposal: Any) -> str:
        self._tiles.made([], proposal["value"])
        return str(proposal["value"])

    @traitlets.validate("_filters")
    def _check_filters(self, proposal: Any) -> list[dict[str, Any]]:
        return [checked_filter(one, self._table) for one in proposal["value"]]

    @traitlets.validate("_cell")
    def _check_cell(self, proposal: Any) -> list[int]:
        cell: list[int] = proposal["value"]
        return checked_cell(cell, self._table) if cell else cell

    def _added_columns(self) -> list[str]:
        return [one["name"] for one in self._table.facets() if one["name"] in self._table.added]

    # -------------------------------------------------------------------- what the page asks

    def _described(self) -> dict[str, Any]:
        card, judged = self.predictions.card, self._table.judged
        masks = self.predictions.task == "segmentation"
        about: dict[str, Any] = {
            "title": inert(self.predictions.origin.model),
            "rows": len(self._table),
            "failed": self._table.failed(),
            "aspect": self._table.aspect,
            "facets": self._table.facets(),
            "classes": _classes(card.classes, card.palette) if masks else [],
            "layers": self._tiles.layers,
            "notes": [*map(inert, self._notes())],
            "matrix": None,
            "details": self._tiles.details,
            "asks": True,
            "code": True,
        }
        if judged is not None:
            about["matrix"] = {
                "classes": _classes(judged.classes, judged.palette),
                "cells": judged.matrix.tolist(),
                "unit": judged.unit,
            }
        return about

    def _notes(self) -> list[str]:
        """Return what is to be known of the runs: what is assumed, and which ones they are."""
        assumed = self.predictions.assumed
        others = () if self.other is None else self.other.remarks
        notes = [f"assumed: {'; '.join(assumed)}"] if assumed else []
        return [*notes, *self.predictions.remarks, *(f"other run: {one}" for one in others)]

    def _receive(self, _: Any, content: Any, _buffers: Any) -> None:
        """Answer a question of the page."""
        if isinstance(content, dict) and self._questions.has(content.get("ask")):
            value, sent = packed(self._questions.answer(content))
            self.send({"id": str(content.get("id"))[:80], "answer": value}, sent)
            if content["ask"] == "tiles" and not self._tiles_in_page:
                self._tiles_in_page = len(value.get("tiles", ()))
            self._at_rest.postpone()

    # ------------------------------------------------------------------------ the still image

    @traitlets.observe("text", "_filters", "_cell", *_LOOK)
    def _look_changed(self, _: object) -> None:
        if self.still.displayed:
            self._at_rest.wait(CHANGED)

    def _prepare_still(self) -> None:
        """Make the image: for a page, once what it asks first is answered."""
        if in_page():
            self._at_rest.wait(NEW)
        else:
            self._update_still()

    def _update_still(self) -> None:
        with contextlib.suppress(WasiNnError, OSError):  # what is gone, its page says
            given = {name: getattr(self, name) for name in _LOOK}
            look = Look(query=self.query, tiles=self._tiles_in_page, **given)
            self.still.update(FirstPage(self._table, self._tiles, self.rows, look))

    def _follow_still(self) -> None:
        self._still_id = self.still.id

    def __repr__(self) -> str:
        query = f" where {inert(self.query, 200)}" if self.query else ""
        count = counted(len(self._table), "image")
        return f"Gallery({self._about['title']}, {count}{query})"


def _classes(
    names: Sequence[str], palette: Sequence[tuple[int, int, int]] | None
) -> list[dict[str, str]]:
    """Return classes for the page; without a palette, their colors are empty."""
    colors = [""] * len(names) if palette is None else map(hex_color, palette)
    return [
        {"name": name, "label": inert(name), "color": color}
        for name, color in zip(names, colors, strict=False)
    ]
