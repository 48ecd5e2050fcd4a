"""Where images come from: paths, bytes, open files; and reading an encoded one exactly once."""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.errors import ImageError
from wasinn_nb.files import existing_file
from wasinn_nb.wording import counted, listed

__all__ = [
    "IMAGE_SUFFIXES",
    "JPEG_SUFFIXES",
    "EncodedImage",
    "ImageSource",
    "encoded_bytes",
    "encoded_file",
    "no_images_in",
    "read_encoded",
]

ImageSource: TypeAlias = (
    str
    | os.PathLike[str]
    | bytes
    | bytearray
    | memoryview
    | IO[bytes]
    | Image.Image
    | NDArray[np.generic]
)
"""A path, an encoded image as bytes or as an open file, a `PIL.Image`, or an array in RGB order."""

JPEG_SUFFIXES: Final = (".jfif", ".jpe", ".jpeg", ".jpg")
"""How the names of JPEG files end, in lower case."""

IMAGE_SUFFIXES: Final = (
    *(".apng", ".avif", ".bmp", ".dib", ".gif", *JPEG_SUFFIXES, ".j2k", ".jp2", ".pbm", ".pgm"),
    *(".png", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp"),
)
"""How the names of image files end, in lower case."""

_MOST_ENTRIES: Final = 2000
_MOST_NAMES: Final = 4


def no_images_in(folder: Path) -> str:
    """Say that a folder has no images, what it has, and which files are taken for images.

    Parameters
    ----------
    folder : Path

    Examples
    --------
    >>> no_images_in(Path("wasinn_nb/imaging"))
    'no images in the folder wasinn_nb/imaging, which holds __init__.py, ...; name a folder with
    files that end in .apng, .avif, ...'
    """
    try:
        with os.scandir(folder) as entries:
            found = [entry.name for entry in itertools.islice(entries, _MOST_ENTRIES)]
    except OSError:
        found = []
    names = sorted(name for name in found if not name.startswith("."))
    holds = f"which holds {listed(names, _MOST_NAMES)}" if names else "which is empty"
    return (
        f"no images in the folder {folder}, {holds}; name a folder with files that end in "
        f"{', '.join(IMAGE_SUFFIXES)}"
    )


class EncodedImage(NamedTuple):
    """An encoded image that was read, and what errors call it.

    Attributes
    ----------
    content : bytes
    name : str
        Its path, or ``the 180 bytes``.
    """

    content: bytes
    name: str


def read_encoded(source: ImageSource | EncodedImage) -> EncodedImage:
    """Return an encoded image: of a file that a path leads to, or that is open, or of bytes.

    Parameters
    ----------
    source : path, bytes, binary file or EncodedImage
        An `EncodedImage` is returned as it is.  Open files are read from their beginning.

    Raises
    ------
    MissingFileError, ImageError
        If it cannot be read.

    Examples
    --------
    >>> read_encoded(b"GIF89a").name
    'the 6 bytes'
    """
    if isinstance(source, EncodedImage):
        return source
    if isinstance(source, str | os.PathLike):
        path = existing_file(source, "image")
        try:
            return EncodedImage(path.read_bytes(), str(path))
        except OSError as error:
            raise ImageError(f"cannot be read: {error}", source=str(path)) from error
    if isinstance(source, bytes | bytearray | memoryview):
        content = bytes(source)
    elif not isinstance(source, Image.Image | np.ndarray) and hasattr(source, "read"):
        content = _content(source)
    else:
        raise ImageError(
            f"expected a path, bytes, an open file, a PIL.Image or an array, "
            f"got {type(source).__name__}"
        )
    return EncodedImage(content, f"the {counted(len(content), 'byte')}")


def encoded_bytes(source: ImageSource) -> bytes:
    """Return the bytes of an encoded image; parameters and errors as of :func:`read_encoded`."""
    return read_encoded(source).content


@contextmanager
def encoded_file(source: ImageSource | EncodedImage) -> Iterator[tuple[IO[bytes], str]]:
    """Open an encoded image: its file, and what errors call it.

    A file that a path leads to is read only as far as the caller reads it.  Parameters and errors
    are those of :func:`read_encoded`.
    """
    if not isinstance(source, str | os.PathLike):
        content, name = read_encoded(source)
        yield io.BytesIO(content), name
        return
    path = existing_file(source, "image")
    try:
        # Pillow leaves files with several frames open.
        with path.open("rb") as file:
            yield file, str(path)
    except OSError as error:
        raise ImageError(f"cannot be read: {error}", source=str(path)) from error


def _content(file: IO[bytes]) -> bytes:
    """Return what is in an open file, from its beginning as Pillow reads it."""
    try:
        if file.seekable():
            file.seek(0)
        content = file.read()
    except (OSError, ValueError, AttributeError) as error:  # closed, or made of other things
        raise ImageError(f"the open file cannot be read: {error}") from error
    if not isinstance(content, bytes | bytearray | memoryview):
        raise ImageError(
            f"expected a file opened as binary ('rb'), it gives {type(content).__name__}"
        )
    return bytes(content)
