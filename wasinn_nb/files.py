"""Files that are either whole or not there."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wasinn_nb.errors import MissingFileError

__all__ = ["atomic", "existing_file"]


@contextmanager
def atomic(path: str | os.PathLike[str]) -> Iterator[Path]:
    """Yield a temporary path that becomes *path* when the block ends without an error.

    The temporary file lies in the same folder, so that the final rename is atomic; after an error
    it is removed and *path* is as it was.  Missing parent folders are made.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> with atomic(folder / "a.txt") as temporary:
    ...     _ = temporary.write_text("whole")
    >>> [entry.name for entry in folder.iterdir()]
    ['a.txt']
    """
    final = Path(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    # The suffix is kept because writers such as Pillow choose the format by it.
    handle, name = tempfile.mkstemp(
        dir=final.parent, prefix=f".{final.stem}-", suffix="".join(final.suffixes[-1:])
    )
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        # mkstemp makes files private; the result gets the permissions of any other new file.
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)
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
    found = Path(path).expanduser()
    if found.is_dir():
        raise MissingFileError(
            f"expected the path of a file for the {what}, got the folder {found}"
        )
    if not found.exists():
        raise MissingFileError(
            f"no {what} at {found} (looked from {Path.cwd()}); check the path and its spelling"
        )
    return found
