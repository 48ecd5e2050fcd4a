"""Results of any task, read back from their files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.tasks.classification import CLASSIFICATION_FORMAT, ClassificationResult
from wasinn_nb.tasks.saving import RESULT_FORMAT, saved_format
from wasinn_nb.tasks.segmentation import SegmentationResult

__all__ = ["saved_result", "saved_results"]

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
    return [
        path
        for path in sorted(folder.glob("*.json"))
        if not path.name.endswith(".tensor.json") and _states_result(path)
    ]


def _states_result(path: Path) -> bool:
    try:
        return saved_format(path) in _LOADERS
    except (InvalidArgumentError, OSError):  # another program's
        return False
