"""What there is to see of predictions."""

from __future__ import annotations

import functools
import io
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from PIL import Image

from wasinn_nb.render import (
    COUNT,
    Block,
    Column,
    Document,
    Facts,
    ImageBlock,
    ImageRow,
    Items,
    Legend,
    LegendEntry,
    Only,
    Paragraph,
    Table,
    encoded_image,
)
from wasinn_nb.tasks.segmentation import MANY_CLASSES
from wasinn_nb.wording import counted, inert, percent

if TYPE_CHECKING:
    import pandas as pd

    from wasinn_nb.prediction.predictions import Predictions

__all__ = ["predictions_document", "predictions_values", "tinted_thumbnail"]

_THUMBNAILS: Final = 5
_ERRORS: Final = 5
_CLASSES: Final = 10
_OPACITY: Final = 0.45


def predictions_document(predictions: Predictions, first: Predictions | None = None) -> Document:
    """Return what there is to see of rows: counts, classes, errors, the first images.

    Parameters
    ----------
    predictions : Predictions
    first : Predictions, optional
        The rows whose images come first.  Default: as they are stored.
    """
    columns = ["status", *_figures(predictions)]
    frame = predictions.table(columns)
    failed = int((frame["status"] == "error").sum())
    origin, count = predictions.origin, len(predictions)
    title = f"Predictions: {origin.model}, {counted(count, 'image')}"
    title += f", {counted(failed, 'error')}" if failed else ""
    blocks: list[Block] = [_classes(predictions, frame)] if count > failed else []
    if failed:
        blocks += _errors(predictions, failed)
    if predictions.assumed:
        blocks.append(Paragraph(f"assumed: {'; '.join(predictions.assumed)}"))
    if predictions.remarks:
        blocks.append(Items(predictions.remarks))
    blocks.append(Only(("notebook", "page"), _thumbnails(predictions if first is None else first)))
    where = [("rows", str(predictions.folder / "rows")), ("made by", origin.ran)]
    blocks.append(Only(("notebook", "page"), [Facts(where)]))
    return Document(title, blocks)


def predictions_values(
    predictions: Predictions, listed: Predictions | None = None
) -> dict[str, Any]:
    """Return rows as JSON values; see :meth:`Predictions.to_dict`.

    Parameters
    ----------
    predictions : Predictions
    listed : Predictions, optional
        The rows to list, where the counts are of more.
    """
    statuses = predictions.table(["status"])["status"]
    frame = (predictions if listed is None else listed).table()
    if "finished" in frame:
        frame["finished"] = frame["finished"].dt.strftime("%Y-%m-%dT%H:%M:%SZ")
    run = predictions.folder.name
    return {
        "model": predictions.origin.model,
        "task": predictions.task,
        "run": run,
        "folder": str(predictions.folder),
        "assumed": list(predictions.assumed),
        "others": list(predictions.others),
        "remarks": list(predictions.remarks),
        "images": len(statuses),
        "errors": int((statuses == "error").sum()),
        "rows": [
            {name: _plain(value) for name, value in row.items()} for row in frame.to_dict("records")
        ],
    }


def _plain(value: Any) -> Any:
    """Return a cell as JSON has it: NaN as None."""
    if isinstance(value, np.ndarray | list):
        return [_plain(one) for one in value]
    if isinstance(value, dict):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, np.generic):
        value = value.item()
    missing = value is None or (isinstance(value, float) and not np.isfinite(value))
    return None if missing else value


def _figures(predictions: Predictions) -> list[str]:
    known = ("mean_confidence", "near_tie", "label", "probability")
    return [
        *(name for name in known if name in predictions.columns),
        *predictions.class_columns.values(),
    ]


def _classes(predictions: Predictions, frame: pd.DataFrame) -> Block:
    """Return a table of classes: their part of all images, or how many images have them."""
    done = frame[frame["status"] == "done"]
    rows: list[tuple[str, float, float]]
    columns: list[str | Column]
    if predictions.class_columns:
        rows = [
            (name, float(done[column].mean()), int((done[column] > 0).sum()))
            for name, column in predictions.class_columns.items()
        ]
        if len(rows) > MANY_CLASSES:
            rows = sorted(rows, key=lambda row: -row[1])[:MANY_CLASSES]
        colors = dict(zip(predictions.card.classes, predictions.card.palette, strict=False))
        name = Column("class", colors=colors)
        columns = [name, Column("mean part", percent, "mean"), Column("images", COUNT)]
        sure = float(done["mean_confidence"].mean())
        note = "" if np.isnan(sure) else f"mean confidence {sure:.3f}"
        return Table(columns, rows, note)
    if "label" in frame:
        found = done.groupby("label")["probability"].agg(["size", "mean"])
        found = found.sort_values("size", ascending=False, kind="stable").head(_CLASSES)
        rows = [(str(name), int(n), float(mean)) for name, n, mean in found.itertuples()]
        return Table(["class", Column("images", COUNT), Column("mean probability", ".3f")], rows)
    return Paragraph(f"results of {predictions.task}")


def _errors(predictions: Predictions, failed: int) -> list[Block]:
    """Return the kinds of errors, each with an example of every message that it has."""
    frame = predictions.query("status == 'error'").table(["name", "error_kind", "error"])
    found: dict[tuple[str, str], list[str]] = {}
    for name, kind, error in frame.sort_values("name").itertuples(index=False):
        found.setdefault((kind, _reason(name, error)), []).append(name)
    ordered = sorted(found.items(), key=lambda item: -len(item[1]))
    lines = []
    for (kind, reason), names in ordered[:_ERRORS]:
        text = inert(f"{names[0]}: {reason}", 200, middle=True)
        lines.append(f"{kind} ({len(names):,}): {text}")
    if left := ordered[_ERRORS:]:
        number = sum(len(names) for _, names in left)
        lines.append(
            f"{counted(len(left), 'other message')} of {counted(number, 'image')}: column error, "
            f"where status == 'error'"
        )
    return [Paragraph(counted(failed, "error"), "bad"), Items(lines)]


def _reason(name: str, error: str) -> str:
    """Return the message of a row without what the image is called, so that alike ones meet.

    Examples
    --------
    >>> _reason("a/b.png", "a/b.png: empty"), _reason("a/b.png", "b.png: empty")
    ('empty', 'empty')
    """
    for called in (name, name.rpartition("/")[2]):
        if error.startswith(f"{called}: "):
            return error.removeprefix(f"{called}: ")
    return error


def _thumbnails(predictions: Predictions) -> list[Block]:
    """Return the first images as one row, tinted with their masks."""
    known = ("name", "thumbnail", "mask", "covers", "status", "width", "height")
    columns = [name for name in known if name in predictions.columns]
    blocks: list[ImageBlock] = []
    for values in predictions[: 2 * _THUMBNAILS].rows(columns):
        if values["thumbnail"] is not None and len(blocks) < _THUMBNAILS:
            name = inert(values["name"], 40, middle=True)
            encode = functools.partial(tinted_thumbnail, predictions, values)
            blocks.append(ImageBlock(encode, name, name))
    if not blocks:
        return []
    key: list[Block] = []
    if predictions.class_columns and len(predictions.card.classes) <= MANY_CLASSES:
        card = predictions.card
        entries = zip(card.classes, card.palette, strict=True)
        key = [Legend([LegendEntry(name, color, "") for name, color in entries])]
    total = len(predictions)
    what = Paragraph(f"the first {len(blocks)} of {counted(total, 'image')}")
    return [*([what] if len(blocks) < total else []), ImageRow(blocks), *key]


def tinted_thumbnail(predictions: Predictions, values: Mapping[str, Any]) -> tuple[str, bytes, int]:
    """Return the thumbnail of a row under its mask: media type, bytes and width.

    Parameters
    ----------
    predictions : Predictions
    values : mapping
        Of the row: ``thumbnail``, and of a mask what :meth:`Predictions.made` takes.
    """
    data = values["thumbnail"]
    with Image.open(io.BytesIO(data)) as image:
        if values.get("mask") is None:
            return "image/jpeg", data, image.width
        return encoded_image(predictions.made(values).overlay(image, _OPACITY))
