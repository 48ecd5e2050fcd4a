"""Paths as users write them, and what lies there."""

from __future__ import annotations

import itertools
import os
import re
import stat
from collections.abc import Collection
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from wasinn_nb.errors import InvalidArgumentError, MissingFileError, UnwritableError
from wasinn_nb.wording import closest, listed

__all__ = [
    "change_stamp",
    "close_paths",
    "existing_file",
    "expanded",
    "first_bytes",
    "has_folder",
    "is_file",
    "is_folder",
    "is_special",
    "nothing_at",
    "refuse_other_kind",
]

_MOST_CLOSE: Final = 3
_ALIKE: Final = 0.65
_MOST_ENTRIES: Final = 2000
"""So many entries of a folder are looked through for a name like one that is not there."""


# Two letters at least: one is a drive of Windows.
_URL: Final = re.compile(r"([a-z][a-z0-9+.-]+:)//?(?=[^/]|/[^/])", re.IGNORECASE)
_DATA_URL: Final = re.compile(r"data:[\w.+-]*/?[\w.+-]*[;,]", re.IGNORECASE)


def expanded(path: str | os.PathLike[str], what: str = "a path") -> Path:
    """Return *path* as a `Path`, a leading ``~`` or ``~user`` expanded.

    Parameters
    ----------
    path : path-like
    what : str
        What it is to the user, for the error.

    Raises
    ------
    InvalidArgumentError
        If it is not a path.
    MissingFileError
        If there is no such user, or it is a URL.

    Examples
    --------
    >>> expanded("a.png").name, expanded("~/a.png").is_absolute()
    ('a.png', True)
    """
    try:
        found = Path(path)
        if url := _url(path):
            raise MissingFileError(_url_message(url))
        return found.expanduser()
    except TypeError as error:
        raise InvalidArgumentError(f"expected {what}, got {path!r:.80}") from error
    except RuntimeError as error:  # "~" of a user who is not here
        raise MissingFileError(f"{path!s:.300}: {error} Check the name after the ~") from error


def _url(path: str | os.PathLike[str]) -> str:
    """Return the URL that *path* is, whose second slash `Path` leaves out; else an empty text."""
    text = os.fspath(path)
    if not isinstance(text, str) or os.path.lexists(text.partition("/")[0]):
        return ""
    found = _URL.match(text)
    if _DATA_URL.match(text) or (found and found[0].endswith("//")):
        return text
    slashes = "///" if text.lower().startswith("file:") else "//"
    return f"{found[1]}{slashes}{text[found.end() :]}" if found else ""


def _url_message(url: str) -> str:
    if url.startswith("data:"):
        return f"{url[:40]}… is a data URL; pass its decoded bytes, or write them to a file"
    if url.lower().startswith("file:"):
        return f"{url:.300} is a URL; give the path alone: {unquote(urlsplit(url).path):.300}"
    return f"{url:.300} is a URL, and nothing is fetched here; download the file and give its path"


def is_file(path: Path) -> bool:
    """Return whether a regular file lies at *path*; False for a path that cannot be looked up.

    Examples
    --------
    >>> is_file(Path("n" * 5000))
    False
    """
    try:
        return path.is_file()
    except OSError:  # a name too long, a folder not to enter
        return False


def is_folder(path: Path) -> bool:
    """Return whether a folder lies at *path*; False for a path that cannot be looked up."""
    try:
        return path.is_dir()
    except OSError:
        return False


def refuse_other_kind(folder: Path, file: Path | None = None) -> None:
    """Raise UnwritableError if a file is where a folder is to be written into, or the reverse.

    Parameters
    ----------
    folder : Path
        It, and those above it, need not be there.
    file : Path, optional
        What is to be written into the folder.
    """
    for one in (folder, *folder.parents):
        if is_file(one) or is_special(one):
            raise UnwritableError(
                f"expected a folder to write into, got the file {one}; name another folder"
            )
    if file is not None and is_folder(file):
        raise UnwritableError(f"expected a file to write, got the folder {file}; name a file in it")


def is_special(path: Path) -> bool:
    """Return whether *path* is a pipe, a socket or a device: opening it may never return."""
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return not stat.S_ISREG(mode) and not stat.S_ISDIR(mode)


def existing_file(path: str | os.PathLike[str], what: str) -> Path:
    """Return *path* as a `Path` to a regular file.

    Parameters
    ----------
    path : path-like
        A leading ``~`` is expanded.
    what : str
        What the file is to the user, for the error: ``"image"``.

    Raises
    ------
    MissingFileError
        If nothing lies there, or a folder does.
    """
    found = expanded(path)
    try:
        mode = found.stat().st_mode
    except (OSError, ValueError) as error:  # a name too long, a NUL, a folder not to enter
        if isinstance(error, FileNotFoundError | NotADirectoryError):
            raise MissingFileError(nothing_at(found, what)) from error
        why = getattr(error, "strerror", None) or str(error)
        raise MissingFileError(
            f"no {what} at {found!s:.300} ({why}); check the path and its spelling"
        ) from error
    if stat.S_ISDIR(mode):
        raise MissingFileError(
            f"expected the path of a file for the {what}, got the folder {found}"
        )
    if not stat.S_ISREG(mode):
        raise MissingFileError(
            f"expected a regular file for the {what}, got a device or pipe at {found}"
        )
    return found


def nothing_at(path: Path, what: str, names: Collection[str] = (), kind: str = "") -> str:
    """Say that nothing lies at a path, and which paths and names come close.

    Parameters
    ----------
    path : Path
    what : str
        What was looked for, to the user: ``"image"``, ``"file or folder"``.
    names : collection of str
        What could have been given in place of a path.
    kind : str
        What these are names of: ``"shipped image"``.

    Examples
    --------
    >>> nothing_at(Path("wasinn_nb/warding.py"), "file").partition("; ")[2]
    'did you mean wasinn_nb/wording.py?'
    """
    close = [*map(str, close_paths(path)), *closest(str(path), names)]
    remedy = f"did you mean {' or '.join(close)}?" if close else "check the path and its spelling"
    if names and not close:
        remedy += f"; known names are {listed([*names])}"
    also = f", and no {kind} of that name" if kind else ""
    return f"no {what} at {path!s:.300} (looked from {Path.cwd()}){also}; {remedy}"


def close_paths(path: Path) -> list[Path]:
    """Return what lies where a path ends, and is called almost as the part that is not there."""
    missing = path
    while missing.parent != missing and not is_folder(missing.parent):
        missing = missing.parent
    try:
        if os.path.lexists(missing):  # a file, where a folder was meant
            return []
        with os.scandir(missing.parent) as entries:
            names = [Path(entry.name) for entry in itertools.islice(entries, _MOST_ENTRIES)]
    except (OSError, ValueError):
        return []
    seen = sorted(name for name in names if not name.name.startswith("."))
    # An equal suffix would make any two names alike.
    alike = {one.stem: one for one in seen if one.suffix.lower() == missing.suffix.lower()}
    near = [one for one in seen if one.stem == missing.stem]
    near = near or [alike[stem] for stem in closest(missing.stem, alike, _ALIKE)]
    stems = {one.stem: one for one in seen}
    near = near or [stems[stem] for stem in closest(missing.stem, stems, _ALIKE)]
    found = [missing.with_name(one.name) for one in near[:_MOST_CLOSE]]
    whole = [one / path.relative_to(missing) for one in found]
    return [one for one in whole if os.path.lexists(one)] or found


def first_bytes(path: Path, what: str, most: int) -> bytes:
    """Return the first *most* bytes of a file, or all of it.

    Parameters
    ----------
    path : Path
    what : str
        What the file is to the user, for the error: ``"table"``.
    most : int

    Raises
    ------
    MissingFileError
        If it cannot be read.
    """
    try:
        with path.open("rb") as opened:
            return opened.read(most)
    except OSError as error:
        raise MissingFileError(
            f"the {what} {path} cannot be read: {error.strerror}; change its permissions"
        ) from error


def change_stamp(path: Path) -> tuple[int, int, int, int]:
    """Return what tells a file from what it was: its inode, two times in ns, its size in bytes.

    The times are those of its last writing, which programs can set, and of its last change, which
    they cannot.

    Parameters
    ----------
    path : Path

    Raises
    ------
    OSError
        If there is no such file.
    """
    status = path.stat()
    return status.st_ino, status.st_mtime_ns, status.st_ctime_ns, status.st_size


def has_folder(text: str) -> bool:
    """Return whether *text* can only be a path, not a name."""
    return "/" in text or os.sep in text or text in {".", "..", "~"}
