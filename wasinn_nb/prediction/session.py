"""What one call of `predict` did, and when it ends before its images."""

from __future__ import annotations

import platform
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from wasinn_nb.errors import Remedy, TooManyFailuresError
from wasinn_nb.prediction.crew import Outcome
from wasinn_nb.prediction.tuning import Choice
from wasinn_nb.runtimes import processors

__all__ = ["Limits", "Session"]


@dataclass
class Session:
    """What one call of `predict` did.

    Parameters
    ----------
    finished, errors, unchanged, repeated : int
        Images that got a row, those of them with an error, and those that were passed over.
    seconds : float
    choice : Choice or None
    measured : list
    workers : int
        Processes that ran images; 0: this one.
    lost : int
        How often a worker ended before its images.
    """

    finished: int = 0
    errors: int = 0
    unchanged: int = 0
    repeated: int = 0
    seconds: float = 0.0
    choice: Choice | None = None
    measured: list[dict[str, float]] = field(default_factory=list)
    kinds: Counter[str] = field(default_factory=Counter)
    example: str = ""
    checked: bool = False
    workers: int = 0
    lost: int = 0

    def add(self, other: Session) -> None:
        """Count what another one counted."""
        self.finished += other.finished
        self.errors += other.errors
        self.unchanged += other.unchanged
        self.kinds += other.kinds
        self.example = self.example or other.example
        self.choice = other.choice

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "ended": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "finished": self.finished,
            "errors": self.errors,
            "unchanged": self.unchanged,
            "repeated": self.repeated,
            "seconds": round(self.seconds, 3),
            "choice": None if self.choice is None else self.choice.to_dict(),
            "measured": self.measured,
            "processors": processors(),
            "host": platform.node(),
            "workers": self.workers,
            "lost": self.lost,
        }

    @staticmethod
    def chosen(sessions: Sequence[Mapping[str, Any]]) -> Choice | None:
        """Return what an earlier session on this machine measured to be the fastest."""
        for session in reversed(sessions):
            here = session.get("host"), session.get("processors")
            if session.get("measured") and here == (platform.node(), processors()):
                with suppress(KeyError, TypeError, ValueError):  # a file from outside
                    return Choice.from_dict(session["choice"])
        return None

    def count(self, outcome: Outcome) -> None:
        """Count a row."""
        self.finished += 1
        if outcome.error is not None:
            self.errors += 1
            self.kinds[outcome.row["error_kind"]] += 1
            self.example = self.example or f"{outcome.row['name']}: {outcome.row['error']}"


@dataclass(frozen=True)
class Limits:
    """When a run ends before its images.

    Parameters
    ----------
    on_error : {"keep", "raise"}
    failures : float
        The largest part of the first images that may fail.
    first : int
        How many images that is.
    """

    on_error: str = "keep"
    failures: float = 0.5
    first: int = 100

    def broken(self, session: Session) -> TooManyFailuresError | None:
        """Return the error of a run most of whose first images failed."""
        if session.checked or session.finished < self.first:
            return None
        session.checked = True
        if session.errors <= self.failures * session.finished:
            return None
        kind, count = session.kinds.most_common(1)[0]
        return TooManyFailuresError(
            f"{session.errors} of the first {session.finished} images failed, {count} of them with "
            f"{kind}, such as {session.example}",
            remedy=Remedy(
                "look at the column 'error' of the predictions; to go on regardless, "
                "pass failures=1",
                command="look at the rows with wasinn-nb predictions; to go on regardless, add "
                "--failures 1",
            ),
        )
