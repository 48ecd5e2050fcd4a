"""Paths as users write them, and files that are either whole or not there."""

from __future__ import annotations

import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wasinn_nb.errors import InvalidArgumentError, MissingFileError

__all__ = ["atomic", "existing_file", "expanded", "has_folder", "is_file", "is_folder"]


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
        If there is no such user.

    Examples
    --------
    >>> expanded("a.png").name, expanded("~/a.png").is_absolute()
    ('a.png', True)
    """
    try:
        return Path(path).expanduser()
    except TypeError as error:
        raise InvalidArgumentError(f"expected {what}, got {path!r:.80}") from error
    except RuntimeError as error:  # "~" of a user who is not here
        raise MissingFileError(f"{path!s:.300}: {error} Check the name after the ~") from error


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


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path that becomes *path* when the block ends without an error.

    The temporary file lies in the same folder, so that the final rename is atomic; after an error
    it is removed and *path* is as it was.  Missing parent folders are made, and a leading ``~`` is
    expanded.  A symbolic link is replaced; the file that it leads to is not touched.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic(folder / "a.txt") as temporary:
    ...     _ = temporary.write_text("whole")
    >>> [entry.name for entry in folder.iterdir()]
    ['a.txt']
    """
    final = expanded(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    # The suffix is kept because writers such as Pillow choose the format by it.  Unlike mkstemp's
    # private files, this one gets the permissions of any other new file.
    temporary = final.with_name(f".{secrets.token_hex(8)}{final.suffix}")
    temporary.touch(exist_ok=False)
    try:
        yield temporary
        temporary.replace(final)
    finally:
        temporary.unlink(missing_ok=True)


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


def has_folder(text: str) -> bool:
    """Return whether *text* can only be a path, not a name."""
    return "/" in text or os.sep in text or text in {".", "..", "~"}
