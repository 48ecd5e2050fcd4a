"""Execution contexts of engines whose runs block: a thread for each run that is started."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod

__all__ = ["ThreadedContext"]


class ThreadedContext(ABC):
    """Start, wait and compute over one blocking call."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    @abstractmethod
    def _run(self) -> None:
        """Run the graph to its end, or raise one of our errors."""

    def compute(self) -> None:
        """Run the graph."""
        self._run()

    def start(self) -> None:
        """Begin to run the graph in a thread of its own."""
        self._error = None
        self._thread = threading.Thread(target=self._work, name="wasinn-nb run", daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Wait for the run that :meth:`start` began."""
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        if (error := self._error) is not None:
            self._error = None
            raise error

    def _work(self) -> None:
        try:
            self._run()
        except BaseException as error:  # noqa: BLE001 - `wait` raises it
            self._error = error
