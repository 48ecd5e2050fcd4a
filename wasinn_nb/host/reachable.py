"""Which files the engine of a guest may read."""

from __future__ import annotations

import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from wasinn_nb.cards import companion_files, is_saved_model
from wasinn_nb.errors import WasiNnError
from wasinn_nb.files import expanded, is_folder
from wasinn_nb.wasi_nn import ModelFiles, parsed_builders

__all__ = ["reachable_files"]


def reachable_files(models: Iterable[ModelFiles]) -> list[str]:
    """Return the files and folders of models that are given by path, and what belongs to them.

    Parameters
    ----------
    models : iterable of models
        Of one that is not whole, the files that are given are returned: `load` reads them, and
        says what is wrong.
    """
    found: list[Path] = []
    for model in models:
        given: Any = [model] if isinstance(model, str | os.PathLike) else model
        with suppress(WasiNnError, TypeError):
            found += (expanded(part) for part in given if isinstance(part, str | os.PathLike))
        with suppress(WasiNnError, OSError):
            parts = parsed_builders(model)
            found += (part for part in parts if isinstance(part, Path))
            if parts and isinstance(parts[0], Path):
                found += companion_files(parts[0])
    # Of folders, only a SavedModel is a model.
    paths = (path for path in dict.fromkeys(found) if is_saved_model(path) or not is_folder(path))
    return list(map(str, paths))
