"""Paths as users write them, and what lies there."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

from wasinn_nb.errors import InvalidArgumentError, MissingFileError

__all__ = [
    "change_stamp",
    "existing_file",
    "expanded",
    "first_bytes",
    "has_folder",
    "is_file",
    "is_folder",
    "is_special",
]


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
            why = f"looked from {Path.cwd()}"
        else:
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
