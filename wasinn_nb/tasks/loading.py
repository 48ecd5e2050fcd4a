"""Results of any task, read back from their files."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from itertools import islice
from pathlib import Path
from typing import Final

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.tasks.classification import CLASSIFICATION_FORMAT, ClassificationResult
from wasinn_nb.tasks.saving import RESULT_FORMAT, saved_format
from wasinn_nb.tasks.segmentation import SegmentationResult
from wasinn_nb.wording import listed

__all__ = ["near_results", "saved_result", "saved_results"]

_MOST_ENTRIES: Final = 500
_MOST_NAMES: Final = 5
_LOADERS: Final[Mapping[str, Callable[[Path], SegmentationResult | ClassificationResult]]] = {
    RESULT_FORMAT: SegmentationResult.load,
    CLASSIFICATION_FORMAT: ClassificationResult.load,
}


def saved_result(path: Path) -> SegmentationResult | ClassificationResult:
    """Read a result of any task back from its JSON file.

    Parameters
    ----------
    path : Path

    Raises
    ------
    MissingFileError, InvalidArgumentError, ImageError, TensorFileError
        As `SegmentationResult.load`, also where the file is of no result.
    """
    return _LOADERS.get(saved_format(path), SegmentationResult.load)(path)


def saved_results(folder: Path) -> list[Path]:
    """Return the JSON files of the results that were saved in a folder, by name.

    Parameters
    ----------
    folder : Path
    """
    return [path for path in sorted(folder.glob("*.json")) if _states_result(path)]


def near_results(folder: Path) -> str:
    """Say which folders in a folder have saved results; empty where none has.

    Parameters
    ----------
    folder : Path
    """
    try:
        with os.scandir(folder) as entries:
            folders = [entry.path for entry in islice(entries, _MOST_ENTRIES) if entry.is_dir()]
    except OSError:
        return ""
    found = [path for path in sorted(folders) if _has_results(Path(path))]
    if len(found) == 1:
        return f"did you mean {found[0]}?"
    return f"they are in {listed(found, _MOST_NAMES)}: name one of these" if found else ""


def _has_results(folder: Path) -> bool:
    try:
        return any(map(_states_result, islice(folder.glob("*.json"), _MOST_ENTRIES)))
    except OSError:
        return False


def _states_result(path: Path) -> bool:
    if path.name.endswith(".tensor.json"):  # a sidecar
        return False
    try:
        return saved_format(path) in _LOADERS
    except (InvalidArgumentError, OSError):  # another program's
        return False
