"""The data that comes with the package: pictures, their masks, and where they lie."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeAlias

from wasinn_nb import settings
from wasinn_nb.errors import NotFoundError
from wasinn_nb.files import existing_file, expanded, has_folder
from wasinn_nb.imaging import IMAGE_SUFFIXES
from wasinn_nb.wording import no_such

__all__ = [
    "PathLike",
    "data_dir",
    "guest",
    "image",
    "images",
    "mask",
]

PathLike: TypeAlias = str | os.PathLike[str]


def data_dir() -> Path:
    """Return the folder of the shipped data: in the package, or beside it in a source tree."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "data"
    return installed if installed.is_dir() else package.parent / "data"


def images() -> tuple[str, ...]:
    """Return the names of the shipped pictures."""
    return tuple(sorted(_pictures("images")))


def image(name_or_path: PathLike | None = None) -> Path:
    """Return the path of a picture.

    Parameters
    ----------
    name_or_path : str or path-like, optional
        A name of :func:`images`, or a path: text with a ``/`` or a suffix.  Default:
        ``WASINN_NB_IMAGE``, else a shipped one.

    Raises
    ------
    NotFoundError
        If no shipped picture has this name.
    MissingFileError
        If the path leads nowhere.

    Examples
    --------
    >>> image("no-such-picture")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.NotFoundError: no shipped image 'no-such-picture'; ...
    """
    wanted = settings.default("image") if name_or_path is None else name_or_path
    shipped = _pictures("images")
    if isinstance(wanted, str) and wanted in shipped:
        return shipped[wanted]
    if not isinstance(wanted, str) or Path(wanted).suffix or has_folder(wanted):
        return existing_file(expanded(wanted, "a name or a path"), "image").absolute()
    raise NotFoundError(no_such("shipped image", wanted, shipped))


def guest(name_or_path: PathLike) -> Path:
    """Return the path of a WebAssembly guest: a shipped one by its name, or a file.

    Parameters
    ----------
    name_or_path : str or path

    Raises
    ------
    MissingFileError
        If there is neither a shipped guest of this name nor such a file.

    Examples
    --------
    >>> guest("roadseg").name
    'roadseg.wasm'
    """
    shipped = data_dir() / "guests" / f"{name_or_path}.wasm"
    plain = isinstance(name_or_path, str) and not has_folder(name_or_path)
    if plain and shipped.is_file():
        return shipped
    return existing_file(expanded(name_or_path, "a name or a path"), "WebAssembly guest")


def mask(name: str) -> Path:
    """Return the path of the ground truth of a shipped picture: a PNG of class indices.

    Parameters
    ----------
    name : str
        One of `images`.

    Raises
    ------
    NotFoundError
        If no shipped mask has this name.
    """
    shipped = _pictures("masks")
    if name not in shipped:
        raise NotFoundError(no_such("shipped mask", name, shipped))
    return shipped[name]


def _pictures(folder: str) -> dict[str, Path]:
    return {
        path.stem: path
        for path in sorted((data_dir() / folder).glob("*"))
        if path.suffix.lower() in IMAGE_SUFFIXES
    }
