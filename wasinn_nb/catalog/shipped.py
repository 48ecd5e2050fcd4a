"""The data that comes with the package: images, their masks, and where they lie."""

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
    "guest_sources",
    "guests",
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
    """Return the names of the shipped images.

    Examples
    --------
    >>> images()[:3]
    ('city-arrow', 'city-crosswalk', 'city-cyclist')
    """
    return tuple(sorted(_files_in("images")))


def image(name_or_path: PathLike | None = None) -> Path:
    """Return the path of an image.

    Parameters
    ----------
    name_or_path : str or path-like, optional
        A name of :func:`images`, or a path: text with a ``/`` or a suffix.  Default:
        ``WASINN_NB_IMAGE``, else a shipped one.

    Raises
    ------
    NotFoundError
        If no shipped image has this name.
    MissingFileError
        If the path leads nowhere.

    Examples
    --------
    >>> image("no-such-image")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.NotFoundError: no shipped image 'no-such-image'; ...
    """
    if name_or_path is None:
        name_or_path = settings.default("image")
    shipped = _files_in("images")
    if isinstance(name_or_path, str) and name_or_path in shipped:
        return shipped[name_or_path]
    if not isinstance(name_or_path, str) or Path(name_or_path).suffix or has_folder(name_or_path):
        return existing_file(expanded(name_or_path, "a name or a path"), "image").absolute()
    raise NotFoundError(no_such("shipped image", name_or_path, shipped))


def guests() -> tuple[str, ...]:
    """Return the names of the shipped WebAssembly guests.

    Examples
    --------
    >>> "roadseg" in guests()
    True
    """
    return tuple(sorted(path.stem for path in (data_dir() / "guests").glob("*.wasm")))


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


def guest_sources() -> Path:
    """Return the Cargo project of the general guest: in the package, or in a source tree.

    Examples
    --------
    >>> (guest_sources() / "Cargo.toml").is_file()
    True
    """
    installed = data_dir() / "guests" / "source"
    return installed if installed.is_dir() else data_dir().parent / "guests" / "guest"


def mask(name: str) -> Path:
    """Return the path of the ground truth of a shipped image: a PNG of class indices.

    Parameters
    ----------
    name : str
        One of `images`.

    Raises
    ------
    NotFoundError
        If no shipped mask has this name.

    Examples
    --------
    >>> mask("city-arrow").name
    'city-arrow.png'
    """
    shipped = _files_in("masks")
    if name not in shipped:
        raise NotFoundError(no_such("shipped mask", name, shipped))
    return shipped[name]


def _files_in(folder: str) -> dict[str, Path]:
    return {
        path.stem: path
        for path in sorted((data_dir() / folder).glob("*"))
        if path.suffix.lower() in IMAGE_SUFFIXES
    }
