"""A gallery as one page that works without Jupyter, a server or a network."""

from __future__ import annotations

import base64
import hashlib
import json
import os
from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.comparison import change_colors
from wasinn_nb.errors import InvalidArgumentError, Remedy
from wasinn_nb.files import expanded
from wasinn_nb.prediction import Predictions
from wasinn_nb.transaction import atomic
from wasinn_nb.widgets.gallery.bins import number_bins, text_bins
from wasinn_nb.widgets.gallery.opened import opened_bars
from wasinn_nb.widgets.gallery.packing import packed
from wasinn_nb.widgets.gallery.table import GalleryTable, hex_color
from wasinn_nb.widgets.gallery.tiles import Tiles
from wasinn_nb.widgets.pages import page
from wasinn_nb.wording import counted

__all__ = ["written_page"]


def written_page(
    path: str | os.PathLike[str],
    table: GalleryTable,
    tiles: Tiles,
    rows: NDArray[np.int64],
    about: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> Path:
    """Write rows as a page; see :meth:`Gallery.write_html`.

    Parameters
    ----------
    path : path-like
    table : GalleryTable
    tiles : Tiles
    rows : (N,) array
        In the order in which the page numbers them.
    about : mapping
        What the page is told of the gallery; its ``rows``, ``facets``, ``matrix`` and
        ``notes`` are replaced.
    settings : mapping
        Trait → value.

    Raises
    ------
    InvalidArgumentError
        If none of the table's rows is among them.
    """
    if len(table) and not len(rows):
        raise InvalidArgumentError(
            f"no image of {len(table)} passes the query {str(about['query'])!r:.200}",
            remedy=Remedy(
                "set gallery.query to another one; the empty one selects all",
                command="state another --query, or leave it out",
            ),
        )
    final = expanded(path)
    title = f"{about['title']}, {counted(len(rows), 'image')}"
    content = _page(_content(table, tiles, rows, about, settings), title)
    with atomic(final) as temporary:
        temporary.write_text(content, encoding="utf-8")
    return final


def _content(
    table: GalleryTable,
    tiles: Tiles,
    rows: NDArray[np.int64],
    about: Mapping[str, Any],
    settings: Mapping[str, Any],
) -> dict[str, Any]:
    places = [int(row) for row in rows]
    facets, columns = {}, {}
    for one in about["facets"]:
        values = table.values(one["name"])[places]
        facets[one["name"]] = (number_bins if values.dtype.kind == "f" else text_bins)(values)
    for name in {"name", settings["sort_by"], *facets}:
        columns[name] = {
            "values": [_json_value(value) for value in table.values(name)[places].tolist()],
            "shown": table.written(name, places),
        }
    layers: dict[str, list[dict[str, Any]]] = {}
    for layer in tiles.layers or ["prediction"]:
        made = tiles.made(places, layer)
        for number, tile in enumerate(made):
            tile["row"] = number
            if layer != "prediction":
                tile.pop("thumbnail", None)  # it is the same
        layers[layer] = made
    bars = []
    if table.predictions.task == "classification":
        bars = [_bars(table.predictions, place, tiles) for place in places]
    cells: dict[str, list[int]] = {}
    matrix = about["matrix"]
    if matrix is not None:
        kept = []
        for true, predicted, _ in matrix["cells"]:
            counts = table.values(table.cell_column(true, predicted))[places]
            if counts.any():
                kept.append([true, predicted, int(counts.sum())])
                cells[f"{true}:{predicted}"] = np.flatnonzero(counts).tolist()
        matrix = matrix | {"cells": kept}
    changed = {
        "rows": len(places),
        "failed": table.failed(places),
        "matrix": matrix,
        "code": False,
        "notes": [*_selection(about, len(table), len(places)), *about["notes"]],
    }
    return {
        "traits": {**settings, "text": "", "_filters": [], "_cell": [], "_still_id": ""}
        | {"_about": {**about, **changed}},
        "facets": facets,
        "columns": columns,
        "layers": layers,
        "bars": bars,
        "cells": cells,
        "change_colors": [hex_color(color) for color in change_colors(_palette(table))],
    }


def _bars(predictions: Predictions, row: int, tiles: Tiles) -> dict[str, Any] | None:
    """Return what the page shows of a classification; the image is that of its tile."""
    values = predictions.row(row)
    if values["status"] != "done":
        return None
    opened = opened_bars(predictions.made(values), row, values, tiles)
    opened["bars"]["_sent_image"] = {}
    return opened


def _selection(about: Mapping[str, Any], every: int, count: int) -> list[str]:
    """Return which of the images are on the page, where it is not all of them."""
    query, selected = about["query"], about["selected"]
    notes = []
    if query:
        of = counted(every, "image", grouped=True)
        notes.append(
            f"selected by {query}: {selected:,} of {of}; the others are not in this page, so that "
            f"the query cannot be removed here"
        )
    if count < selected:
        of = counted(selected, "image", grouped=True)
        notes.append(f"on this page: the first {count} of {of}")
    return notes


def _palette(table: GalleryTable) -> list[tuple[int, int, int]]:
    judged = table.judged
    true = [] if judged is None or judged.palette is None else judged.palette
    return [*table.predictions.card.palette, *true]


def _json_value(value: Any) -> Any:
    return None if isinstance(value, float) and not np.isfinite(value) else value


def _page(content: dict[str, Any], title: str) -> str:
    esm, css = page("gallery_page")
    value, buffers = packed(content)
    texts = [base64.b64encode(one).decode("ascii") for one in buffers]
    # In a script element, "<" could end it; in JSON it may stand as an escape.
    data = json.dumps({"content": value, "buffers": texts}, allow_nan=False).replace("<", "\\u003c")
    script = f"\n{esm}\n"
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")
    policy = (
        f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; "
        f"img-src blob: data:; base-uri 'none'; form-action 'none'"
    )
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{css}</style></head>"
        f'<body><main id="gallery"></main><script type="application/json" id="data">{data}</script>'
        f'<script type="module">{script}</script></body></html>\n'
    )
