"""Images behind URLs, by fsspec: ``s3://``, ``gs://``, ``https://``, ``memory://`` and others."""

from __future__ import annotations

import functools
import posixpath
import re
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar

from wasinn_nb.errors import (
    InvalidArgumentError,
    MissingFileError,
    Remedy,
    UnsupportedOperationError,
)
from wasinn_nb.imaging import IMAGE_SUFFIXES
from wasinn_nb.prediction.items import Item, Stamp

__all__ = ["RemotePlace", "is_url", "remote_items"]

_URL: Final = re.compile(r"(?!file:)[a-z][a-z0-9+.-]+://.", re.IGNORECASE)
_MAGIC: Final = re.compile(r"[*?\[]")
_SECONDS: Final = 60.0
_ATTEMPTS: Final = 3
_PAUSE: Final = 0.2

Value = TypeVar("Value")


def is_url(text: str) -> bool:
    """Return whether a text is a URL that fsspec may read.

    Examples
    --------
    >>> is_url("s3://bucket/images"), is_url("images/a.png"), is_url("C:/images")
    (True, False, False)
    """
    return _URL.match(text) is not None


def remote_items(url: str, name: str = "") -> Iterator[Item]:
    """Yield the images that a URL leads to: one, those of a folder, or those that a glob matches.

    Parameters
    ----------
    url : str
    name : str
        What the only image is called.

    Raises
    ------
    UnsupportedOperationError
        If fsspec, or its package for this kind of URL, is not installed.
    MissingFileError
        If it leads nowhere.
    """
    place, path = _place(url)
    scheme = url.partition("://")[0]

    def item(found: str, root: str) -> Item:
        own = posixpath.relpath(found, root) if root else posixpath.basename(found)
        source = found if is_url(found) else f"{scheme}://{found.lstrip('/')}"
        return Item(source, name or own, place=place, path=found)

    # One image is not looked up here: one that is missing is a row with an error.
    if posixpath.splitext(path)[1].lower() in IMAGE_SUFFIXES and not _MAGIC.search(path):
        yield item(path, "")
        return
    if _MAGIC.search(path):
        root = posixpath.dirname(path[: _MAGIC.search(path).start()] + "x")  # type: ignore[union-attr]
        matching = sorted(place.call("glob", path))
        if not matching:
            raise MissingFileError(f"no file matches {url:.300}; check the pattern")
        yield from (item(found, root) for found in matching)
        return
    waiting = [path]
    while waiting:
        here = waiting.pop()
        try:
            names, folders = place.entries(here)
        except OSError as error:
            if here == path:
                raise MissingFileError(
                    f"nothing can be listed at {url:.300}: {error!s:.300}; check the URL"
                ) from error
            source = f"{scheme}://{here.lstrip('/')}"
            yield Item(source, posixpath.relpath(here, path), problem=f"cannot be listed: {error}")
            continue
        waiting += folders
        for found in names:
            if posixpath.splitext(found)[1].lower() in IMAGE_SUFFIXES:
                yield item(found, path)


class RemotePlace:
    """A file system of fsspec, asked again where the network fails, and never for ever.

    Parameters
    ----------
    scheme : str
        Of its URLs, such as ``s3``; all of its settings come from the environment.
    """

    def __init__(self, scheme: str) -> None:
        self._scheme = scheme
        self._known: dict[str, Stamp] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return RemotePlace, (self._scheme,)

    @functools.cached_property
    def _files(self) -> Any:
        try:
            import fsspec

            return fsspec.filesystem(self._scheme)
        except ImportError as error:
            raise UnsupportedOperationError(
                f"{self._scheme}:// is read by fsspec: {error}",
                remedy=Remedy("install it with: pip install 'wasinn-nb[remote]'"),
            ) from error
        except ValueError as error:
            raise InvalidArgumentError(
                f"{self._scheme}:// is not a kind of URL that fsspec reads: {error}"
            ) from error

    def call(self, name: str, *arguments: Any, **options: Any) -> Any:
        """Call a method of the file system within a minute, three times where the network fails."""
        files = self._files
        inner = getattr(files, f"_{name}", None)
        if not getattr(files, "async_impl", False) or inner is None:
            return _tried(lambda: getattr(files, name)(*arguments, **options))
        from fsspec.asyn import sync

        return _tried(lambda: sync(files.loop, inner, *arguments, timeout=_SECONDS, **options))

    def stripped(self, url: str) -> str:
        """Return what the file system calls a URL."""
        return str(self._files._strip_protocol(url))  # noqa: SLF001 - it has no other name

    def entries(self, folder: str) -> tuple[list[str], list[str]]:
        """Return the files and the folders in a folder, hidden ones left out."""
        inside = [
            entry
            for entry in self.call("ls", folder, detail=True)
            if entry["name"].rstrip("/") != folder.rstrip("/")
            and not posixpath.basename(entry["name"].rstrip("/")).startswith(".")
        ]
        files, folders = (
            sorted(entry["name"] for entry in inside if entry["type"] == kind)
            for kind in ("file", "directory")
        )
        return files, folders

    def stamp(self, path: str) -> Stamp:
        """Return size, ETag and time of a file as its server states them."""
        return _stamp(self.call("info", path))

    def read(self, path: str) -> bytes:
        """Return the content of a file."""
        return bytes(self.call("cat_file", path))


@functools.lru_cache(maxsize=32)
def _of_scheme(scheme: str) -> RemotePlace:
    return RemotePlace(scheme)


def _place(url: str) -> tuple[RemotePlace, str]:
    place = _of_scheme(url.partition("://")[0].lower())
    return place, place.stripped(url)


def _tried(call: Callable[[], Value]) -> Value:
    """Return what a call gives; once more where the network fails, but not where nothing is."""
    for attempt in range(_ATTEMPTS):
        try:
            return call()
        except (FileNotFoundError, PermissionError, UnsupportedOperationError):
            raise
        except Exception as error:  # every file system has exceptions of its own
            if attempt == _ATTEMPTS - 1:
                reason = str(error) or type(error).__name__
                raise OSError(f"{reason} (asked {_ATTEMPTS} times)") from error
            time.sleep(_PAUSE * 2**attempt)
    raise AssertionError  # the last attempt returned or raised


def _stamp(info: dict[str, Any]) -> Stamp:
    size = info.get("size")
    marks = (
        info.get(key) for key in ("ETag", "etag", "md5Hash", "LastModified", "mtime", "created")
    )
    mark = next((str(one).strip('"') for one in marks if one), "")
    return Stamp(-1 if size is None else int(size), etag=mark)
