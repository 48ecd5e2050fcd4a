"""The data that comes with the package: pictures, their masks, and where they lie."""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final, TypeAlias

from wasinn_nb import settings
from wasinn_nb.errors import NotFoundError
from wasinn_nb.files import existing_file, expanded

__all__ = [
    "PathLike",
    "data_dir",
    "guest",
    "has_folder",
    "image",
    "images",
    "mask",
    "no_such",
]

PathLike: TypeAlias = str | os.PathLike[str]
_PICTURES: Final = (".jpg", ".jpeg", ".png")


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
        if path.suffix.lower() in _PICTURES
    }


def no_such(what: str, name: object, known: Iterable[str], where: str = "") -> str:
    """Say that there is no such name, and which ones come close."""
    names = list(known)
    close = difflib.get_close_matches(str(name), names, n=3, cutoff=0.5)
    close = close or [known for known in names if str(name).lower() in known.lower()]
    remedy = f"did you mean {' or '.join(close)}?" if close else f"there are {', '.join(names)}"
    return f"no {what} {str(name)!r:.140}{where}; {remedy if names else 'there are none here'}"


def has_folder(text: str) -> bool:
    """Return whether *text* can only be a path, not a name."""
    return "/" in text or os.sep in text or text in {".", "..", "~"}
