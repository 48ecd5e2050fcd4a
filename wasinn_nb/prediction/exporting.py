"""Masks of a run as files that other programs read: index PNGs, or COCO's JSON."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.files import expanded
from wasinn_nb.prediction.columns import no_mask
from wasinn_nb.progress import Progress, progress_bar
from wasinn_nb.transaction import atomic
from wasinn_nb.wording import inert

if TYPE_CHECKING:
    from wasinn_nb.prediction.predictions import Predictions

__all__ = ["exported", "run_lengths"]

_COLUMNS = ("source", "name", "status", "width", "height", "mask", "covers")


def exported(
    predictions: Predictions, folder: str | os.PathLike[str], kind: str, progress: Progress
) -> Path:
    """Write masks; see :meth:`Predictions.export`."""
    if predictions.task != "segmentation":
        raise InvalidArgumentError(
            f"expected masks to export, these are results of {predictions.task}; use to_parquet"
        )
    if kind not in {"png", "coco"}:
        raise InvalidArgumentError(f"expected format as 'png' or 'coco', got {kind!r:.80}")
    into = expanded(folder)
    finished = predictions.query("status == 'done'")
    rows = progress_bar(
        finished.rows(_COLUMNS),
        progress=progress,
        desc="export",
        unit="image",
        total=len(finished),
        leave=False,
    )
    if kind == "coco":
        return _coco(finished, rows, into / "annotations.json")
    written: set[str] = set()
    for row in rows:
        path = into / _file_name(row["name"], written)
        with atomic(path) as temporary:
            temporary.write_bytes(_mask(row))
    return into


def _mask(row: dict[str, Any]) -> bytes:
    if row["mask"] is None:
        raise no_mask(row["name"])
    return bytes(row["mask"])


def _file_name(name: str, written: set[str]) -> str:
    """Return a path inside the folder for a mask, which no other mask has."""
    # A name from outside leads nowhere else: neither upwards, nor to a root, nor to a device.
    parts = [part for part in PurePosixPath(name.replace("\\", "/")).parts if part.strip("./ ")]
    safe = [inert(part).replace(":", "_").replace("\\", "_")[:200] for part in parts] or ["image"]
    stem = PurePosixPath(*safe).with_suffix("").as_posix()
    found = f"{stem}.png"
    number = 1
    while found.casefold() in written:  # a.jpg and a.png; some file systems ignore the case
        number += 1
        found = f"{stem}-{number}.png"
    written.add(found.casefold())
    return found


def _coco(predictions: Predictions, rows: Iterator[dict[str, Any]], path: Path) -> Path:
    """Write COCO's JSON, image by image, so that no more than one mask is in memory."""
    classes = predictions.card.classes
    categories = [{"id": n + 1, "name": name} for n, name in enumerate(classes)]
    path.parent.mkdir(parents=True, exist_ok=True)
    notes = path.with_name(".annotations.part")
    number = 0
    try:
        with atomic(path) as temporary:
            with (
                temporary.open("w", encoding="utf-8") as file,
                notes.open("w", encoding="utf-8") as waiting,
            ):
                file.write(f'{{"categories": {json.dumps(categories)},\n"images": [')
                for image, row in enumerate(rows, 1):
                    about = {key: row[key] for key in ("width", "height")}
                    about |= {"id": image, "file_name": row["name"]}
                    file.write(f"{',' if image > 1 else ''}\n{json.dumps(about)}")
                    labels = predictions.made(row).labels_at(row["height"], row["width"])
                    for label in np.unique(labels).tolist():
                        number += 1
                        note = _annotation(labels == label, number, image, label + 1)
                        waiting.write(f"{',' if number > 1 else ''}\n{json.dumps(note)}")
                file.write('],\n"annotations": [')
            with (
                temporary.open("a", encoding="utf-8") as file,
                notes.open(encoding="utf-8") as waiting,
            ):
                for line in waiting:
                    file.write(line)
                file.write("]}\n")
    finally:
        notes.unlink(missing_ok=True)
    return path


def _annotation(mask: NDArray[np.bool_], number: int, image: int, category: int) -> dict[str, Any]:
    rows, columns = np.flatnonzero(mask.any(axis=1)), np.flatnonzero(mask.any(axis=0))
    top, left = int(rows[0]), int(columns[0])
    return {
        "id": number,
        "image_id": image,
        "category_id": category,
        "area": int(mask.sum()),
        "bbox": [left, top, int(columns[-1]) - left + 1, int(rows[-1]) - top + 1],
        "iscrowd": 1,
        "segmentation": {"size": [*mask.shape], "counts": run_lengths(mask)},
    }


def run_lengths(mask: NDArray[np.bool_]) -> list[int]:
    """Return COCO's run lengths: column by column, pixels outside and inside in turn.

    Parameters
    ----------
    mask : (H, W) bool array

    Examples
    --------
    >>> run_lengths(np.array([[True, False], [True, True]]))
    [0, 2, 1, 1]
    """
    flat = mask.ravel(order="F")
    edges = np.flatnonzero(flat[1:] != flat[:-1]) + 1
    lengths: list[int] = np.diff(np.concatenate([[0], edges, [flat.size]])).tolist()
    return [0, *lengths] if flat[0] else lengths
