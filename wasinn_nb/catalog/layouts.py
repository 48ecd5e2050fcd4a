"""How a model lies in a folder: flat, in a folder of its own, by precision, or as a folder."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from wasinn_nb.cards import ENCODINGS, WEIGHTS, is_saved_model, main_path, model_stem

__all__ = ["PRECISION", "homes", "main_files", "precision_folders", "precision_of"]

PRECISION = re.compile(r"(?:FP|BF|NF|INT)\d{1,2}(?:-(?:FP|BF|NF|INT)\d{1,2})*")
"""What a precision is called, in upper case; files of one may lie in a folder of that name."""


def homes(root: Path, name: str) -> tuple[Path, ...]:
    """Return the folders below *root* in which a model may lie, in the order of preference."""
    return (root / name, root, root / "intel" / name, root / "public" / name)


def main_files(home: Path, name: str) -> Iterator[tuple[str | None, Path]]:
    """Yield precision and main file of the model *name*, whose folder *home* may be.

    The precision is that of the folder below *home*; None for a file in *home* itself, and where
    *home* is itself the model.  Where only weights lie, the main file that should lie beside them
    is yielded, so that it can be reported as missing.
    """
    if is_saved_model(home) and model_stem(home) == name:
        yield None, home
        return
    if (path := _main_file(home, name)) is not None:
        yield None, path
    for folder in precision_folders(home):
        if (path := _main_file(folder, name)) is not None:
            yield precision_of(folder), path


def precision_folders(home: Path) -> list[Path]:
    """Return the folders in *home* that are named after a precision."""
    folders = sorted(home.iterdir()) if home.is_dir() else []
    return [folder for folder in folders if precision_of(folder) is not None]


def precision_of(folder: Path) -> str | None:
    """Return the precision that a folder is named after, in upper case.

    Examples
    --------
    >>> precision_of(Path("toy/fp16-int8")), precision_of(Path("toy"))
    ('FP16-INT8', None)
    """
    return folder.name.upper() if PRECISION.fullmatch(folder.name.upper()) else None


def _main_file(folder: Path, name: str) -> Path | None:
    for suffix in ENCODINGS:
        for path in (folder / f"{name}{suffix}", folder / f"{name}{suffix.upper()}"):
            if path.is_file():
                return path
    if is_saved_model(folder / name):
        return folder / name
    # Weights alone are half of a pair.
    weights = (folder / f"{name}{suffix}" for suffix in WEIGHTS.values())
    return next((main_path(path) for path in weights if path.is_file()), None)
