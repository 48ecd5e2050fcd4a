"""One process runs images into a run of a store: tuning, parts, progress, and how it ends."""

from __future__ import annotations

import queue
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from wasinn_nb.errors import Remedy, TooManyFailuresError
from wasinn_nb.pipeline import Pipeline
from wasinn_nb.prediction.crew import Judge, Outcome, Readers, Workers
from wasinn_nb.prediction.items import Item
from wasinn_nb.prediction.parts import Rows
from wasinn_nb.prediction.rows import Kept
from wasinn_nb.prediction.store import Run
from wasinn_nb.prediction.tuning import Choice, Tuning
from wasinn_nb.progress import Progress, progress_bar
from wasinn_nb.runtimes import processors
from wasinn_nb.wording import counted

__all__ = ["Limits", "Session", "drive"]

_PATIENCE: Final = 0.1
_STOPPING: Final = 0.4
"""Seconds that running images get to finish when the run is interrupted."""


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
        }

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
        if session.finished != self.first or session.errors <= self.failures * self.first:
            return None
        kind, count = session.kinds.most_common(1)[0]
        return TooManyFailuresError(
            f"{session.errors} of the first {self.first} images failed, {count} of them with "
            f"{kind}, such as {session.example}",
            remedy=Remedy(
                "look at the column 'error' of the predictions; to go on regardless, "
                "pass failures=1",
                command="look at the rows with wasinn-nb predictions; to go on regardless, add "
                "--failures 1",
            ),
        )


def drive(
    items: Iterator[Item],
    pipeline: Pipeline,
    run: Run,
    *,
    judge: Judge,
    kept: Kept,
    limits: Limits,
    tuning: Tuning,
    remote: bool = False,
    total: Callable[[], int | None] = lambda: None,
    progress: Progress = True,
    session: Session | None = None,
) -> Session:
    """Run images into a run; what is finished when it ends, however it ends, is kept.

    Parameters
    ----------
    items : iterator of Item
    pipeline : Pipeline
        What results are made with; a variant of it is compiled for each choice.
    run : Run
        Locked by the caller.
    judge : Judge
    kept : Kept
    limits : Limits
    tuning : Tuning
    remote : bool
        Whether reading an image takes the time of a network.
    total : callable, optional
        → how many images there are, as far as that is known by then.
    progress : bool or callable
    session : Session, optional
        Where to count.

    Raises
    ------
    TooManyFailuresError
        If more of the first images fail than *limits* allow.
    KeyboardInterrupt
        If it is interrupted; within a second.
    Exception
        With ``on_error="raise"`` the first error of an image; any error of the source of images.
    """
    driver = _Driver(pipeline, run, kept, limits, tuning)
    readers = Readers(items, judge, remote=remote, requests=driver.requests)
    return driver.run(readers, judge, session or Session(), progress, total)


class _Driver:
    """Runs what readers have read, and keeps the rows."""

    def __init__(
        self, pipeline: Pipeline, run: Run, kept: Kept, limits: Limits, tuning: Tuning
    ) -> None:
        self._pipeline, self._run, self._kept, self._limits = pipeline, run, kept, limits
        self._tuning, self._columns = tuning, run.columns
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._rows = Rows(run.rows, run.schema)
        self._compiled: tuple[Choice, Pipeline] | None = None

    @property
    def requests(self) -> int:
        """How many images are run at once, at first."""
        return self._tuning.choice.requests

    def run(
        self,
        readers: Readers,
        judge: Judge,
        session: Session,
        progress: Progress,
        total: Callable[[], int | None],
    ) -> Session:
        """Run all; see :func:`drive`."""
        start = time.monotonic()
        failure: BaseException | None = None
        workers: Workers | None = None
        try:
            workers = self._workers(readers)
            with progress_bar(
                progress=progress, desc="predict", unit="image", total=total(), leave=False
            ) as bar:
                shown = 0
                while failure is None and (workers.running or not self._outcomes.empty()):
                    failure, tried = self._take(session)
                    bar.total = total()
                    passed = session.finished + judge.unchanged + judge.repeated
                    bar.update(passed - shown)
                    shown = passed
                    if session.errors:
                        bar.set_postfix_str(counted(session.errors, "error"), refresh=False)
                    if tried and failure is None:
                        workers.stop()
                        workers.join()
                        workers = self._workers(readers)
        finally:
            readers.stop()
            if workers is not None:
                workers.end(_STOPPING)
            while not self._outcomes.empty():
                self._keep(self._outcomes.get(), session)
            self._rows.write()
            session.seconds = time.monotonic() - start
            session.unchanged, session.repeated = judge.unchanged, judge.repeated
            session.choice, session.measured = self._tuning.choice, self._tuning.facts()
        if (failure := failure or readers.failure) is not None:
            raise failure
        return session

    def _workers(self, readers: Readers) -> Workers:
        """Start threads as the present choice says."""
        choice = self._tuning.choice
        pipeline = self._pipeline
        if pipeline.concurrency != choice.concurrency:
            pipeline = pipeline.variant(confidence=True, concurrency=choice.concurrency)
        workers = Workers(
            readers,
            pipeline,
            self._columns,
            self._run.key,
            self._kept,
            self._outcomes,
            choice.requests,
        )
        self._tuning.start()
        return workers

    def _take(self, session: Session) -> tuple[BaseException | None, bool]:
        """Keep the next row, if there is one; return what ends the run, and whether to retune."""
        try:
            outcome = self._outcomes.get(timeout=_PATIENCE)
        except queue.Empty:
            self._rows.write_if_due()
            return None, False
        self._keep(outcome, session)
        self._rows.write_if_due()
        tried = self._tuning.count()
        if outcome.error is not None and self._limits.on_error == "raise":
            return outcome.error, tried
        return self._limits.broken(session), tried

    def _keep(self, outcome: Outcome, session: Session) -> None:
        session.count(outcome)
        self._rows.add(outcome.row)
