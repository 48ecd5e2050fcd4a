"""One row at full size: what the page's viewer shows of it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, Final

import numpy as np

from wasinn_nb.cards import ModelCard
from wasinn_nb.errors import WasiNnError
from wasinn_nb.evaluation import TrueMasks
from wasinn_nb.prediction import Predictions
from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.tasks.segmentation import SegmentationResult
from wasinn_nb.widgets.gallery.tiles import Tiles
from wasinn_nb.widgets.viewer import Note, bars_state, note, viewer_state
from wasinn_nb.wording import inert

__all__ = ["opened_bars", "opened_row"]

_IGNORED: Final = 255
_WHITE: Final = (255, 255, 255)


def opened_row(
    predictions: Predictions, row: int, against: str, truths: TrueMasks | None, tiles: Tiles
) -> dict[str, Any]:
    """Return what the page shows of a row.

    Parameters
    ----------
    predictions : Predictions
    row : int
    against : {"truth", "other", ""}
        What it is compared with.
    truths : TrueMasks or None
    tiles : Tiles
        Knows the other run.

    Returns
    -------
    dict
        ``name``; with ``viewer`` (traits of `MaskViewer`), ``bars`` (those of `Bars`) and
        ``facts``, or ``error``.
    """
    values = predictions.row(row)
    opened = {"name": inert(values["name"], 300, middle=True)}
    if values["status"] != "done":
        return opened | {"error": inert(f"{values['error_kind']}: {values['error']}", 2000)}
    notes: list[Note] = []
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = predictions.result(row)
        notes += [note(inert(str(one.message), 500)) for one in caught]
    except WasiNnError as error:
        return opened | {"error": inert(str(error), 2000)}
    if result.image is None and values["thumbnail"] is not None:
        notes.append(note("what lies under the mask is the thumbnail of the image"))
        result = replace(result, image=values["thumbnail"])
    if isinstance(result, ClassificationResult):
        return opened | opened_bars(result, row, values, tiles, notes)
    pair: Callable[[], tuple[list[SegmentationResult], str]] | None = None
    if against == "truth" and truths is not None:
        pair = lambda: _with_truth(result, row, truths)  # noqa: E731 - called below
    elif against == "other" and "other" in tiles.layers:
        pair = lambda: ([result, tiles.other_result(values)], "other run")  # noqa: E731
    both, titles = [result], [predictions.card.name]
    if pair is not None:
        try:
            both, title = pair()
            titles.append(title)
        except WasiNnError as error:
            notes.append(note(inert(str(error), 500)))
    card = both[0].card
    hidden = [] if card.background is None else [card.classes[card.background]]
    return opened | {"viewer": viewer_state(both, titles, notes, hidden)}


def opened_bars(
    result: ClassificationResult,
    row: int,
    values: dict[str, Any],
    tiles: Tiles,
    notes: Sequence[Note] = (),
) -> dict[str, Any]:
    """Return what the page shows of a classification, beside that of the other run.

    Parameters
    ----------
    result : ClassificationResult
    row : int
    values : dict
        Of the row: its ``sha256``.
    tiles : Tiles
    notes : sequence of Note

    Returns
    -------
    dict
        ``bars``; ``facts``, the true class where it is known.
    """
    results, titles = [result], [result.card.name]
    if (other := tiles.other_class(values)) is not None:
        results.append(other)
        titles.append("other run")
    true = inert(tiles.true_name(row), 80)
    facts = {"facts": f"true class: {true}"} if true else {}
    return facts | {"bars": bars_state(results, titles, notes)}


def _with_truth(
    result: SegmentationResult, row: int, truths: TrueMasks
) -> tuple[list[SegmentationResult], str]:
    """Return prediction and truth in the evaluated classes, at the truth's size."""
    true, predicted = truths.at(row)
    known = truths.class_map
    classes, palette = list(known.names), list(known.palette)
    ignored = true == _IGNORED
    if ignored.any():
        true = np.where(ignored, np.uint8(len(classes)), true)
        classes.append(_unused("ignored", classes))
        palette.append(_WHITE)
    background = result.card.background
    if background is not None:
        background = int(known.from_predicted[background])
    card = ModelCard(
        result.card.name,
        "segmentation",
        classes=tuple(classes),
        palette=tuple(palette),
        background=background if background != _IGNORED else None,
    )
    own = SegmentationResult(predicted, card, None, result.image, result.recipe)
    return [own, SegmentationResult(true, card)], "truth"


def _unused(name: str, names: list[str]) -> str:
    while name in names:
        name += "_"
    return name
