"""How many images are run at once, and with how many threads: measured, not guessed."""

from __future__ import annotations

import time
from typing import Any, Final, NamedTuple

from wasinn_nb.runtimes import Concurrency, processors

__all__ = ["Choice", "Tuning", "candidates"]

_SETTLING: Final = 1.0
"""Seconds of a trial that do not count: threads start, and processors change their speed."""
_COUNTED: Final = 2.0
_MOST: Final = 4096
_LEAST: Final = 4
"""Images that each thread finishes at least in what counts."""


class Choice(NamedTuple):
    """How many images are run at once.

    Attributes
    ----------
    concurrency : Concurrency
        Of the graph.
    requests : int
        Images that are prepared, run or encoded at the same time: one thread each.
    """

    concurrency: Concurrency
    requests: int

    def to_dict(self) -> dict[str, int]:
        """Return it as JSON values."""
        streams, threads = self.concurrency
        return {"streams": streams, "threads": threads, "requests": self.requests}

    @classmethod
    def from_dict(cls, values: dict[str, Any]) -> Choice:
        """Return what :meth:`to_dict` returned.

        Raises
        ------
        KeyError, TypeError, ValueError
            If it is not that.
        """
        numbers = [int(values[name]) for name in ("streams", "threads", "requests")]
        if not all(1 <= number <= _MOST for number in numbers):
            raise ValueError(numbers)
        return cls(Concurrency(*numbers[:2]), numbers[2])


def candidates(threads: int | None = None) -> list[Choice]:
    """Return the choices to measure, the one that is mostly the best first.

    Parameters
    ----------
    threads : int, optional
        Default: the processors that this process may use.

    Examples
    --------
    >>> [choice.concurrency.streams for choice in candidates(8)]
    [8, 4, 1]
    >>> candidates(1)
    [Choice(concurrency=Concurrency(streams=1, threads=1), requests=3)]
    """
    count = processors() if threads is None else max(1, threads)
    streams = dict.fromkeys([count, max(1, count // 2), 1])
    # While some compute, others decode and encode: more than there are streams, so that none waits.
    return [Choice(Concurrency(one, count), count + 2) for one in streams]


class Tuning:
    """Tries each candidate on the first images, and then says which was the fastest.

    Parameters
    ----------
    choices : sequence of Choice
        One alone is not measured.
    """

    def __init__(self, choices: list[Choice]) -> None:
        self._waiting = list(choices)
        self.choice = self._waiting.pop(0)
        self._measures = bool(self._waiting)
        self.measured: list[tuple[Choice, float]] = []
        self.start()

    def start(self) -> None:
        """Begin to measure the present choice."""
        self._began = time.monotonic()
        self._first: float | None = None
        self._count = 0

    def count(self) -> bool:
        """Count an image; return whether another choice is to be tried or taken now."""
        if not self._measures:
            return False
        now = time.monotonic()
        if now - self._began < _SETTLING:
            return False
        if self._first is None:
            self._first = now
            return False
        self._count += 1
        if now - self._first < _COUNTED or self._count < _LEAST * self.choice.requests:
            return False
        self.measured.append((self.choice, self._count / (now - self._first)))
        before = self.choice
        if self._waiting:
            self.choice = self._waiting.pop(0)
        else:
            self._measures = False
            self.choice = max(self.measured, key=lambda one: one[1])[0]
        return self.choice != before

    def facts(self) -> list[dict[str, float]]:
        """Return what was measured as JSON values; nothing before all choices were."""
        if self._measures:
            return []
        return [
            {**choice.to_dict(), "images_per_second": round(speed, 3)}
            for choice, speed in self.measured
        ]
