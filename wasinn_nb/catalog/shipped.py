"""The data that comes with the package: images, their masks, and where they lie."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import TypeAlias

from wasinn_nb import settings
from wasinn_nb.errors import MissingFileError, NotFoundError, Remedy
from wasinn_nb.files import (
    existing_file,
    expanded,
    has_folder,
    is_folder,
    nothing_at,
)
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
    >>> import wasinn_nb as wn
    >>> wn.images()[:3]
    ('city-arrow', 'city-crosswalk', 'city-cyclist')
    """
    return tuple(sorted(_files_in("images")))


def image(name_or_path: PathLike | None = None) -> Path:
    """Return the path of an image.

    Parameters
    ----------
    name_or_path : str or path-like, optional
        A name of :func:`images`, or a path.  Default: ``WASINN_NB_IMAGE``, else a shipped one.

    Raises
    ------
    NotFoundError
        If no shipped image has this name.
    MissingFileError
        If the path leads nowhere, or to a folder.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> wn.image("city-arow")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.NotFoundError: no image at city-arow (looked from ...), and no shipped image of
    that name; did you mean city-arrow?
    """
    if name_or_path is None:
        name_or_path = settings.default("image")
    shipped = _files_in("images")
    if isinstance(name_or_path, str) and name_or_path in shipped:
        return shipped[name_or_path]
    path = expanded(name_or_path, "a name or a path")
    if is_folder(path):
        raise MissingFileError(
            f"expected one image, got the folder {path}",
            remedy=Remedy(
                "wasinn_nb.predict takes a folder",
                command="run a folder of images with: "
                + shlex.join(["wasinn-nb", "predict", str(path), "--store", "predictions"]),
            ),
        )
    named = isinstance(name_or_path, str) and not path.suffix and not has_folder(name_or_path)
    if named and not os.path.lexists(path):
        raise NotFoundError(nothing_at(path, "image", shipped, "shipped image"))
    return existing_file(path, "image").absolute()


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
    >>> import wasinn_nb as wn
    >>> wn.guest("roadseg").name
    'roadseg.wasm'
    """
    shipped = data_dir() / "guests" / f"{name_or_path}.wasm"
    plain = isinstance(name_or_path, str) and not has_folder(name_or_path)
    if plain and shipped.is_file():
        return shipped
    path = expanded(name_or_path, "a name or a path")
    if plain and not path.suffix and not os.path.lexists(path):
        raise MissingFileError(nothing_at(path, "WebAssembly guest", guests(), "shipped guest"))
    return existing_file(path, "WebAssembly guest")


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
    >>> import wasinn_nb as wn
    >>> wn.mask("city-arrow").name
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
