"""Saving the results that the Explorer shows."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

from wasinn_nb.tasks import SavedFiles
from wasinn_nb.tasks.classification import SavedScores
from wasinn_nb.widgets.viewer import WidgetResult

__all__ = ["Saved", "save_all"]

Saved: TypeAlias = SavedFiles | SavedScores
"""Where the files of one result lie."""


def save_all(results: Sequence[WidgetResult], folder: Path, title: str) -> list[Saved]:
    """Write one result, or two of the same image, into a folder.

    Parameters
    ----------
    results : sequence of SegmentationResult or ClassificationResult
    folder : Path
    title : str
        Of the image: the files' names begin with what of it can be in a file's name, and of two
        results with ``-a`` or ``-b`` behind it.

    Raises
    ------
    OSError
        If the folder cannot be written to.
    """
    stem = re.sub(r"[^A-Za-z0-9._-]+", "-", Path(title).stem).strip(".-") or "image"
    stems = [stem] if len(results) == 1 else [f"{stem}-a", f"{stem}-b"]
    return [result.save(folder, one) for result, one in zip(results, stems, strict=True)]
