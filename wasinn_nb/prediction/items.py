"""One image of many: where it is, what tells whether it changed, and its content, read once."""

from __future__ import annotations

import hashlib
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from wasinn_nb.errors import ImageError, MissingFileError
from wasinn_nb.imaging import EncodedImage, ImageSource, read_encoded
from wasinn_nb.wording import bytes_text

__all__ = ["Content", "Item", "Place", "Stamp", "read_item", "stamp_of"]

_MOST_BYTES: Final = 1 << 30
_ATTEMPTS: Final = 3
_PAUSE: Final = 0.05


class Stamp(NamedTuple):
    """What tells that a file is the one that it was, without reading it."""

    size: int
    mtime_ns: int = 0
    inode: int = 0
    etag: str = ""
    """Of a URL: what its server says in place of a time and an inode."""


class Place(Protocol):
    """Where remote images are."""

    def stamp(self, path: str) -> Stamp:
        """Return the stamp of one; raise OSError where it is not there."""

    def read(self, path: str) -> bytes:
        """Return the content of one; raise OSError where it cannot be read."""


@dataclass(frozen=True, slots=True)
class Item:
    """One image of many.

    Parameters
    ----------
    source : str
        Its absolute path, its URL, or ``#17`` where it came from memory without a name.
    name : str
        What it is called among the others: its path inside the folder that was listed.
    image : bytes, PIL.Image, array or open file, optional
        The image itself, where it came from memory.
    place : Place, optional
        Where the path of a URL is read.
    path : str
        What *place* calls it.
    problem : str
        Why there is no image: a folder that cannot be listed.
    """

    source: str
    name: str
    image: ImageSource | None = None
    place: Place | None = None
    path: str = ""
    problem: str = ""

    @property
    def in_memory(self) -> bool:
        """Whether only its content tells whether it is the same."""
        return self.image is not None

    @property
    def identity(self) -> bytes:
        """What tells it from all others: the bytes of its source, also where it is not text."""
        return self.source.encode("utf-8", "surrogateescape")


class Content(NamedTuple):
    """What was read of an item."""

    image: EncodedImage | Image.Image | NDArray[np.generic]
    sha256: str
    stamp: Stamp
    seconds: float


def stamp_of(item: Item) -> Stamp | None:
    """Return what tells that an item did not change; None where only its content does.

    Raises
    ------
    OSError
        If it is not there.
    """
    if item.in_memory or item.problem:
        return None
    if item.place is not None:
        return item.place.stamp(item.path)
    return _stamp(os.stat(item.source))


def read_item(item: Item) -> Content:
    """Read an item once.

    Raises
    ------
    WasiNnError, OSError
        If it cannot be read: it is gone, is not a regular file, or changes all the time.
    """
    start = time.perf_counter()
    if item.problem:
        raise MissingFileError(item.problem)
    if item.in_memory:
        image, data = _of_memory(item)
        stamp = Stamp(len(data))
    elif item.place is not None:
        stamp = item.place.stamp(item.path)
        _refuse_large(item.name, stamp.size)
        data = item.place.read(item.path)
        if 0 <= stamp.size != len(data):
            raise ImageError(
                f"{item.name}: {len(data)} of {stamp.size} bytes were received; run again"
            )
        image = EncodedImage(data, item.name)
    else:
        data, stamp = _read_file(item.source)
        image = EncodedImage(data, item.name)
    sha256 = hashlib.sha256(data).hexdigest()
    return Content(image, sha256, stamp, time.perf_counter() - start)


def _of_memory(item: Item) -> tuple[EncodedImage | Image.Image | NDArray[np.generic], bytes]:
    """Return an image in memory, and the bytes that decide what it is."""
    image: Any = item.image
    if isinstance(image, Image.Image):
        return image, f"{image.mode} {image.size} ".encode() + image.tobytes()
    if isinstance(image, np.ndarray):
        return image, f"{image.dtype} {image.shape} ".encode() + image.tobytes()
    encoded = read_encoded(image)
    return EncodedImage(encoded.content, item.name), encoded.content


def _read_file(source: str) -> tuple[bytes, Stamp]:
    """Return the bytes of a regular file that did not change while they were read."""
    for attempt in range(_ATTEMPTS):
        # A pipe that nobody writes to would be waited for without O_NONBLOCK.
        flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
        descriptor = os.open(source, flags)
        with os.fdopen(descriptor, "rb") as file:
            before = os.fstat(descriptor)
            if not stat.S_ISREG(before.st_mode):
                raise ImageError(
                    f"{Path(source).name}: not a regular file, but a folder, a pipe or a device"
                )
            _refuse_large(Path(source).name, before.st_size)
            data = file.read()
            after = os.fstat(descriptor)
        if _stamp(before) == _stamp(after) and len(data) == after.st_size:
            return data, _stamp(after)
        time.sleep(_PAUSE * (attempt + 1))
    raise ImageError(f"{Path(source).name}: it changes while it is read; run again when it is done")


def _stamp(status: os.stat_result) -> Stamp:
    return Stamp(status.st_size, status.st_mtime_ns, status.st_ino)


def _refuse_large(name: str, size: int) -> None:
    if size > _MOST_BYTES:
        raise ImageError(
            f"{name}: {bytes_text(size)}, which no image is that is read here; "
            f"at most {bytes_text(_MOST_BYTES)}"
        )
