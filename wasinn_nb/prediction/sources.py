"""Where many images come from, listed lazily: the first one is there before the last is known."""

from __future__ import annotations

import glob
import itertools
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sized
from pathlib import Path
from typing import Any, Final

import numpy as np
from PIL import Image

from wasinn_nb import catalog
from wasinn_nb.errors import InvalidArgumentError, MissingFileError
from wasinn_nb.files import expanded, has_folder, is_file, is_folder, nothing_at
from wasinn_nb.imaging import IMAGE_SUFFIXES, no_images_in
from wasinn_nb.prediction.items import Item
from wasinn_nb.prediction.manifests import MANIFEST_SUFFIXES, manifest_paths
from wasinn_nb.prediction.remote import is_url, remote_items
from wasinn_nb.wording import listed

__all__ = ["Listing", "listing"]

_MAGIC: Final = re.compile(r"[*?\[]")
_SORTED: Final = 20_000
_MOST_NAMES: Final = 4


class Listing:
    """Images in the order in which they are found; each iteration but the first lists them anew.

    Parameters
    ----------
    make : callable
        → an iterator of items.
    again : bool
        Whether they can be listed more than once.
    count : int, optional
        How many there are, where that is known.
    remote : bool
        Whether reading each one takes the time of a network.
    empty : callable, optional
        → what to say where there are none.
    """

    def __init__(
        self,
        make: Callable[[], Iterable[Item]],
        *,
        again: bool,
        count: int | None = None,
        remote: bool = False,
        empty: Callable[[], str],
    ) -> None:
        self._make = make
        self.again = again
        self.count = count
        self.remote = remote
        self._empty = empty
        self._begun: Iterator[Item] | None = None

    def __iter__(self) -> Iterator[Item]:
        begun, self._begun = self._begun, None
        return self.anew() if begun is None else begun

    def anew(self) -> Iterator[Item]:
        """List them from the start, beside any other iteration."""
        return iter(self._make())

    def refuse_empty(self) -> None:
        """Refuse to go on where there are no images.

        Raises
        ------
        MissingFileError
        """
        rest = iter(self)
        first = next(rest, None)
        if first is None:
            raise MissingFileError(self._empty())
        self._begun = itertools.chain([first], rest)  # what was listed is not listed again


def listing(images: Any, column: str | None = None) -> Listing:
    """Return the images that a user names.

    Parameters
    ----------
    images : path, glob, URL, mapping, or iterable
        A folder gives its image files and those of its folders.  A CSV or Parquet file lists paths
        or URLs in a column.  A mapping is name → image.  An iterable gives paths, URLs, names of
        shipped images, or images in memory.
    column : str, optional
        The column of a manifest.

    Raises
    ------
    MissingFileError
        If a path leads nowhere, or there are no images.
    InvalidArgumentError
        If it is none of these, or there is a column without a manifest.

    Examples
    --------
    >>> [item.name for item in listing(["city-arrow", b"GIF89a"])]
    ['city-arrow.jpg', '#1']
    """
    if isinstance(images, str | os.PathLike):
        found = _of_path(images, column)
    else:
        found = _of_values(images, column)
    found.refuse_empty()
    return found


def _of_values(images: Any, column: str | None) -> Listing:
    def empty() -> str:
        return f"expected at least one image, got an empty {type(images).__name__}"

    if column is not None:
        raise InvalidArgumentError(
            f"column={column!r:.80} is for a manifest; pass images as the path of a CSV or "
            f"Parquet file"
        )
    if isinstance(images, Mapping):
        return Listing(
            lambda: (_item(image, n, str(name)) for n, (name, image) in enumerate(images.items())),
            again=True,
            count=len(images),
            empty=empty,
        )
    one = isinstance(images, bytes | bytearray | memoryview | Image.Image) or hasattr(
        images, "read"
    )
    if one or (isinstance(images, np.ndarray) and images.ndim < 4):
        images = [images]
    if not isinstance(images, Iterable):
        raise InvalidArgumentError(
            f"expected images as a folder, a glob, a manifest, a mapping or an iterable, got "
            f"{type(images).__name__}"
        )
    again = not isinstance(images, Iterator)
    count = len(images) if again and isinstance(images, Sized) else None
    return Listing(
        lambda: (_item(image, n) for n, image in enumerate(images)),
        again=again,
        count=count,
        empty=empty,
    )


def _of_path(images: str | os.PathLike[str], column: str | None) -> Listing:
    text = os.fspath(images)
    if isinstance(images, str) and is_url(images):
        return Listing(
            lambda: remote_items(images),
            again=True,
            remote=True,
            empty=lambda: (
                f"no images at {images:.300}; name a folder with files that end in "
                f"{', '.join(IMAGE_SUFFIXES)}"
            ),
        )
    path = expanded(images, "images")
    if path.suffix.lower() in MANIFEST_SUFFIXES and is_file(path):
        remote = any(map(is_url, itertools.islice(manifest_paths(path, column), 1)))
        return Listing(
            lambda: (
                _item(one, n, base=path.parent)
                for n, one in enumerate(manifest_paths(path, column))
            ),
            again=True,
            remote=remote,
            empty=lambda: f"{path} lists no images: no row has a path; check what wrote it",
        )
    if column is not None:
        raise InvalidArgumentError(f"{text!s:.300} is not a CSV or Parquet file, so has no columns")
    if is_folder(path):
        return Listing(lambda: _in_folder(path), again=True, empty=lambda: no_images_in(path))
    if not os.path.lexists(path):
        if _MAGIC.search(str(path)):
            return Listing(
                lambda: _matching(path), again=True, empty=lambda: _nothing_matches(path)
            )
        shipped = catalog.images() if isinstance(images, str) and not has_folder(images) else ()
        if images not in shipped:
            kind = "shipped image" if shipped else ""
            raise MissingFileError(nothing_at(path, "file or folder", shipped, kind))
        path = catalog.image(images)
    return Listing(
        lambda: iter([_of_file(str(path.absolute()), path.name)]),
        again=True,
        count=1,
        empty=str,
    )


def _nothing_matches(pattern: Path) -> str:
    """Say that a glob matches no file: its folder is not there, or has none, or only folders."""
    folders = sorted(glob.iglob(str(pattern), recursive=True))
    if folders:
        inside = Path(folders[0]) / "*"
        return (
            f"{pattern!s:.300} matches only folders: {listed(folders, _MOST_NAMES)}; name one of "
            f"them, or what is in it: {str(inside)!r:.300}"
        )
    fixed = _fixed(pattern)
    if not is_folder(fixed):
        return nothing_at(fixed, "folder")
    return (
        f"no file matches {pattern!s:.300} (looked in {fixed.absolute()}); check the pattern, or "
        f"name the folder alone"
    )


def _fixed(pattern: Path) -> Path:
    """Return the folder of a glob that is there whatever it matches."""
    return Path(*itertools.takewhile(lambda part: not _MAGIC.search(part), pattern.parts))


def _item(image: Any, number: int, name: str = "", base: Path | None = None) -> Item:
    """Return what an iterable gave as an item."""
    if isinstance(image, tuple) and len(image) == 2 and isinstance(image[0], str):
        name, image = image
    if isinstance(image, str) and is_url(image):
        return next(remote_items(image, name))
    if isinstance(image, str | os.PathLike):
        path = Path(image)
        if isinstance(image, str) and not path.suffix and not has_folder(image):
            path = path if path.exists() else catalog.image(image)
        if base is not None:
            path = base / path
        # Not checked here: a file that is missing is a row with an error.
        return _of_file(os.path.abspath(path), name or str(image if base else path.name))
    own = f"#{name or number}"  # no path, and no URL
    return Item(own, name or own, image=image)


def _of_file(source: str, name: str) -> Item:
    return Item(source, name)


def _matching(pattern: Path) -> Iterator[Item]:
    """Yield the files that a glob matches, hidden ones left out; named from its fixed folder."""
    fixed = _fixed(pattern)
    for found in glob.iglob(str(pattern), recursive=True):
        if not os.path.isdir(found):
            yield _of_file(os.path.abspath(found), os.path.relpath(found, fixed))


def _in_folder(folder: Path) -> Iterator[Item]:
    """Yield the image files of a folder and of its folders, without hidden ones.

    Links are followed; a folder that was listed already is not listed again, so that loops end.
    """
    root = os.path.abspath(folder)
    waiting = [root]
    seen: set[tuple[int, int]] = set()
    while waiting:
        here = waiting.pop()
        try:
            status = os.stat(here)
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            folders: list[str] = []
            with os.scandir(here) as entries:
                for entry in _sorted(entries):
                    if entry.name.startswith("."):
                        continue
                    if _is_folder(entry):
                        folders.append(entry.path)
                    elif os.path.splitext(entry.name)[1].lower() in IMAGE_SUFFIXES:
                        yield _of_file(entry.path, os.path.relpath(entry.path, root))
            waiting += reversed(folders)
        except OSError as error:
            if here == root:
                raise MissingFileError(
                    f"the folder {folder} cannot be read: {error.strerror}; change its permissions"
                ) from error
            problem = f"the folder cannot be read: {error.strerror}; change its permissions"
            yield Item(here, os.path.relpath(here, root), problem=problem)


def _sorted(entries: Iterator[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
    """Yield entries by name; of a large folder, so many at a time, as the first ones come soon."""
    while some := list(itertools.islice(entries, _SORTED)):
        yield from sorted(some, key=lambda entry: entry.name)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        return False
