"""Which images of a listing have to be run: those that are new, and those that changed."""

from __future__ import annotations

import threading

from wasinn_nb.prediction.done import Done
from wasinn_nb.prediction.items import Content, Item, stamp_of

__all__ = ["Changes"]


class Changes:
    """Says which images are to be run: those without a row, and those that changed; see `Judge`.

    Parameters
    ----------
    done : Done
    verify : bool
        Whether files are read even where nothing shows that they changed.

    Attributes
    ----------
    unchanged, repeated : int
        How many images were passed over, because they have their row, or were listed before.
    """

    def __init__(self, done: Done, *, verify: bool) -> None:
        self._done, self._verify = done, verify
        self._lock = threading.Lock()
        self.unchanged = self.repeated = 0

    def needs_reading(self, item: Item) -> bool:
        """Return whether an item has to be read."""
        with self._lock:
            known = self._done.get(item.identity)
            if known is None:
                return True
            if known.is_new:
                self.repeated += 1
                return False
        if self._verify:
            return True
        try:
            stamp = stamp_of(item)
        except Exception:  # noqa: BLE001 - reading it gives the reason
            return True
        if stamp is None or not known.has_stamp(stamp):
            return True
        with self._lock:
            self.unchanged += 1
        return False

    def takes(self, item: Item, content: Content | None) -> bool:
        """Return whether an item gets a new row, now that it was read; it counts as done then."""
        with self._lock:
            known = self._done.get(item.identity)
            if known is not None and known.is_new:
                self.repeated += 1
                return False
            if known is not None and content is not None and known.has_content(content.sha256):
                self.unchanged += 1
                return False
            self._done.add(item.identity)
            return True
