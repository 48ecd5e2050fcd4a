"""Thumbnails of the images that the page shows, made in the background and kept."""

from __future__ import annotations

import functools
import io
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from PIL import Image

from wasinn_nb.errors import ImageError, WasiNnError
from wasinn_nb.files import change_stamp, existing_file
from wasinn_nb.imaging import open_image, rgb_image
from wasinn_nb.widgets.pickers.background import ending

__all__ = ["Described", "Thumbnails", "described"]

_THUMBNAIL: Final = (144, 96)
_QUALITY: Final = 60
_MOST_KEPT: Final = 4096
_MOST_WAITING: Final = 400
_SECONDS_BETWEEN: Final = 0.1  # two messages with thumbnails

Described = tuple[dict[str, Any], bytes]
"""What is to be added to the option of an image: its size, or why it cannot be picked; and its
thumbnail, which is empty then."""


def described(source: Path | bytes) -> Described:
    """Return the size and the thumbnail of an image, or why it has none.

    Parameters
    ----------
    source : Path or bytes

    Examples
    --------
    >>> described(b"hello")[0]["enabled"]
    False
    """
    try:
        if isinstance(source, bytes):
            image = open_image(source)
            return {"detail": _size(image)}, _jpeg(image)
        stamp = change_stamp(existing_file(source, "image"))
        detail, thumbnail = _of_file(source, *stamp)
    except (WasiNnError, OSError) as error:
        reason = error.reason if isinstance(error, ImageError) else str(error)
        return {"reason": reason, "enabled": False}, b""
    return {"detail": detail}, thumbnail


@functools.lru_cache(maxsize=_MOST_KEPT)
def _of_file(path: Path, *_changes: int) -> tuple[str, bytes]:
    """Return the size of an image in words, and its thumbnail; made once."""
    width, height = _THUMBNAIL
    small = _jpeg(open_image(path, at_least=(height, width)))
    with Image.open(path) as opened:
        return _size(opened), small


def _jpeg(image: Image.Image) -> bytes:
    """Return *image* in small, as a model sees it: without alpha."""
    small = rgb_image(image)
    small = small.copy() if small is image else small
    small.thumbnail(_THUMBNAIL)
    out = io.BytesIO()
    small.save(out, "JPEG", quality=_QUALITY)
    return out.getvalue()


def _size(image: Image.Image) -> str:
    return f"{image.width}x{image.height}"


class Thumbnails:
    """Makes what is asked for in a thread; what was asked for last comes first.

    Parameters
    ----------
    make : callable
        Describes the image of a key.
    send : callable
        Called with a list of key and description, as often as some are made; with None in place
        of a description that is not made, because too many others were asked for since.

    Examples
    --------
    >>> made = []
    >>> thumbnails = Thumbnails(lambda key: ({"detail": key}, b""), made.extend)
    >>> thumbnails.ask(["a", "b"])
    >>> thumbnails.wait(10)
    True
    >>> sorted(key for key, _ in made)
    ['a', 'b']
    """

    def __init__(
        self,
        make: Callable[[str], Described],
        send: Callable[[list[tuple[str, Described | None]]], None],
    ) -> None:
        self._make, self._send = make, send
        self._changed = threading.Condition()
        self._waiting: dict[str, None] = {}  # the last is the next
        self._working = False

    def ask(self, keys: Iterable[str]) -> None:
        """Make the thumbnails of these images, the first one first."""
        with self._changed:
            for key in reversed(list(keys)):
                self._waiting.pop(key, None)
                self._waiting[key] = None
            dropped = list(self._waiting)[:-_MOST_WAITING]
            for key in dropped:
                del self._waiting[key]
            start = bool(self._waiting) and not self._working
            self._working = self._working or start
        if dropped:
            self._send([(key, None) for key in dropped])
        if start:
            threading.Thread(target=self._work, name="wasinn_nb thumbnails", daemon=True).start()

    def cancel(self) -> None:
        """Make nothing more."""
        with self._changed:
            self._waiting.clear()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until all is made; return whether that came about in time."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._working, timeout)

    def _work(self) -> None:
        made: list[tuple[str, Described | None]] = []
        sent = time.monotonic()
        while True:
            with self._changed:
                key = self._waiting.popitem()[0] if self._waiting and not ending() else None
            if key is not None:
                made.append((key, self._make(key)))
            if made and (key is None or time.monotonic() - sent >= _SECONDS_BETWEEN):
                sent = time.monotonic()
                self._send(made)
                made = []
            if key is None:
                with self._changed:
                    if not self._waiting or ending():
                        self._working = False
                        self._changed.notify_all()
                        return
