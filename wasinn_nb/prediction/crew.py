"""Threads that read, run and encode images, with bounded queues between them."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, NamedTuple, Protocol

from wasinn_nb.pipeline import Pipeline
from wasinn_nb.prediction.columns import Columns
from wasinn_nb.prediction.items import Content, Item, read_item
from wasinn_nb.prediction.rows import Kept, error_row, finished_row
from wasinn_nb.request import Request

__all__ = ["Judge", "Outcome", "Readers", "Workers"]

_READERS: Final = 2
_REMOTE_READERS: Final = 16
_PATIENCE: Final = 0.05
"""Seconds after which a thread looks whether it is to stop."""


class Loaded(NamedTuple):
    """An item that was read, or the error that says why not."""

    place: int
    """Its place in the listing."""
    item: Item
    content: Content | None
    error: BaseException | None = None


class Outcome(NamedTuple):
    """The row of an item, and its error where it has one."""

    place: int
    row: dict[str, Any]
    error: BaseException | None = None


class Judge(Protocol):
    """Says which images are to be run.

    Attributes
    ----------
    unchanged, repeated : int
        How many images were passed over, because they have their row, or were listed before.
    """

    unchanged: int
    repeated: int

    def needs_reading(self, item: Item) -> bool:
        """Return whether an item has to be read."""

    def takes(self, item: Item, content: Content | None) -> bool:
        """Return whether an item gets a row, now that it was read, if it could be read."""


class Readers:
    """Threads that read items ahead.

    Parameters
    ----------
    items : iterator of Item
    judge : Judge
        Which items are to be run.
    remote : bool
        Whether reading an image takes the time of a network.
    requests : int
        How many images are run at once.
    """

    def __init__(
        self,
        items: Iterator[Item],
        judge: Judge,
        *,
        remote: bool,
        requests: int,
    ) -> None:
        self._items, self._judge = items, judge
        self._lock = threading.Lock()
        self._count = 0
        threads = _REMOTE_READERS if remote else _READERS
        self._loaded: queue.Queue[Loaded] = queue.Queue(max(threads, requests) + 2)
        self._stopped = threading.Event()
        self.failure: BaseException | None = None
        self._threads = [_started(self._work, "wasinn-nb read") for _ in range(threads)]

    def next(self) -> Loaded | None:
        """Return the next image, or None where all are read; wait a moment at most, then raise.

        Raises
        ------
        queue.Empty
            If none is ready yet.
        """
        ended = not any(thread.is_alive() for thread in self._threads)
        try:
            return self._loaded.get(timeout=0 if ended else _PATIENCE)
        except queue.Empty:
            if ended:
                return None
            raise

    def stop(self) -> None:
        """Let the threads end after what they are reading."""
        self._stopped.set()

    def _work(self) -> None:
        while not self._stopped.is_set():
            try:
                place, item = self._next_item()
            except BaseException as error:  # noqa: BLE001 - of a user's generator; the driver raises it
                self.failure = error  # what was listed before is run
                return
            if item is None:
                return
            loaded = self._read(place, item)
            while loaded is not None and not self._stopped.is_set():
                try:
                    self._loaded.put(loaded, timeout=_PATIENCE)
                    break
                except queue.Full:
                    continue

    def _next_item(self) -> tuple[int, Item | None]:
        """Return the next item that is to be run with its place, None at the end."""
        while not self._stopped.is_set() and self.failure is None:
            with self._lock:
                item = next(self._items, None)
                place = self._count = self._count + 1
            if item is None or self._judge.needs_reading(item):
                return place, item
        return 0, None

    def _read(self, place: int, item: Item) -> Loaded | None:
        try:
            loaded = Loaded(place, item, read_item(item))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is the image's row
            loaded = Loaded(place, item, None, error)
        return loaded if self._judge.takes(item, loaded.content) else None


class Workers:
    """Threads that each run one image at a time, with a request of their own.

    Parameters
    ----------
    readers : Readers
    pipeline : Pipeline
    columns : Columns
    run : str
        The key of the run.
    kept : Kept
    outcomes : queue.SimpleQueue
        Where rows go.
    threads : int
    """

    def __init__(
        self,
        readers: Readers,
        pipeline: Pipeline,
        columns: Columns,
        run: str,
        kept: Kept,
        outcomes: queue.SimpleQueue[Outcome],
        threads: int,
    ) -> None:
        self._readers, self._pipeline, self._columns = readers, pipeline, columns
        self._run, self._kept, self._outcomes = run, kept, outcomes
        self._stopped = threading.Event()
        self._cancelled = False
        self._requests = [pipeline.request() for _ in range(threads)]
        self._threads = [
            _started(self._work, "wasinn-nb run", request) for request in self._requests
        ]

    @property
    def running(self) -> bool:
        """Whether a thread has not ended yet."""
        return any(thread.is_alive() for thread in self._threads)

    def stop(self) -> None:
        """Let the threads end after the image that they run."""
        self._stopped.set()

    def join(self) -> None:
        """Wait until all threads have ended."""
        for thread in self._threads:
            thread.join()

    def end(self, seconds: float) -> None:
        """Wait so long for images that are running; what is not finished then gets no row."""
        self._stopped.set()
        last = time.monotonic() + seconds
        for thread in self._threads:
            thread.join(max(0.0, last - time.monotonic()))
        if self.running:
            self._cancelled = True
            for request in self._requests:
                request.cancel()

    def _work(self, request: Request) -> None:
        while not self._stopped.is_set():
            try:
                loaded = self._readers.next()
            except queue.Empty:
                continue
            if loaded is None:
                return
            outcome = self._outcome(loaded, request)
            if not self._cancelled:
                self._outcomes.put(outcome)

    def _outcome(self, loaded: Loaded, request: Request) -> Outcome:
        place, item, content, error = loaded
        if error is None and content is not None:
            try:
                row = finished_row(
                    item, content, self._pipeline, request, self._columns, self._run, self._kept
                )
                return Outcome(place, row)
            except Exception as failure:  # noqa: BLE001 - whatever it is, it is the image's row
                error = failure
        assert error is not None  # noqa: S101 - there is a content, or the reason why not
        return Outcome(place, error_row(item, content, self._run, error), error)


def _started(work: Callable[..., None], name: str, *arguments: Any) -> threading.Thread:
    thread = threading.Thread(target=work, args=arguments, name=name, daemon=True)
    thread.start()
    return thread
