"""Where matplotlib keeps its list of the fonts that are installed."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wasinn_nb import settings
from wasinn_nb.files import is_folder

__all__ = ["fonts_in_cache"]

_VARIABLE: Final = "MPLCONFIGDIR"


@contextmanager
def fonts_in_cache() -> Iterator[None]:
    """Let matplotlib, when it is imported in the block, write to this package's cache folder only.

    It would make two folders in the home folder.  Nothing is changed where it is imported already,
    and where the user has chosen a folder for it or it has one: its settings file may lie there.
    """
    if "matplotlib" in sys.modules or os.environ.get(_VARIABLE) or any(map(is_folder, _usual())):
        yield
        return
    os.environ[_VARIABLE] = str(settings.cache_dir() / "matplotlib")
    try:
        yield
    finally:
        # matplotlib has looked it up, and other programs that are started have no use for it.
        os.environ.pop(_VARIABLE, None)


def _usual() -> list[Path]:
    """Return the folders where matplotlib looks for its settings by default."""
    try:
        home = Path.home()
    except RuntimeError:  # there is none
        return []
    return [
        Path(os.environ.get("XDG_CONFIG_HOME") or home / ".config", "matplotlib"),
        Path(os.environ.get("LOCALAPPDATA") or home, "matplotlib"),
        home / ".matplotlib",
    ]
