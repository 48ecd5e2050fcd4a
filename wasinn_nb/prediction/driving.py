"""One process runs images into a run of a store: tuning, parts, progress, and how it ends."""

from __future__ import annotations

import queue
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from wasinn_nb.pipeline import Pipeline
from wasinn_nb.prediction.crew import Judge, Outcome, Readers, Workers
from wasinn_nb.prediction.items import Item
from wasinn_nb.prediction.parts import Rows
from wasinn_nb.prediction.rows import Kept
from wasinn_nb.prediction.session import Limits, Session
from wasinn_nb.prediction.store import Run
from wasinn_nb.prediction.tuning import Tuning
from wasinn_nb.progress import Progress, progress_bar
from wasinn_nb.wording import counted

__all__ = ["drive"]

_PATIENCE: Final = 0.1
_STOPPING: Final = 0.4
"""Seconds that running images get to finish when the run is interrupted."""


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
    folder: Path | None = None,
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
    folder : Path, optional
        Where parts go.  Default: to the rows of the run.

    Raises
    ------
    TooManyFailuresError
        If more of the first images fail than *limits* allow.
    KeyboardInterrupt
        If it is interrupted; within a second.
    Exception
        With ``on_error="raise"`` the first error of an image; any error of the source of images.
    """
    driver = _Driver(pipeline, run, kept, limits, tuning, folder or run.rows)
    readers = Readers(items, judge, remote=remote, requests=driver.requests)
    return driver.run(readers, judge, session or Session(), progress, total)


class _Driver:
    """Runs what readers have read, and keeps the rows."""

    def __init__(
        self,
        pipeline: Pipeline,
        run: Run,
        kept: Kept,
        limits: Limits,
        tuning: Tuning,
        folder: Path,
    ) -> None:
        self._pipeline, self._run, self._kept, self._limits = pipeline, run, kept, limits
        self._tuning, self._columns = tuning, run.columns
        self._outcomes: queue.SimpleQueue[Outcome] = queue.SimpleQueue()
        self._rows = Rows(folder, run.schema)

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
                counted_so_far = 0
                while failure is None and (workers.running or not self._outcomes.empty()):
                    failure, tried = self._take(session)
                    bar.total = total()
                    passed = session.finished + judge.unchanged + judge.repeated
                    bar.update(passed - counted_so_far)
                    counted_so_far = passed
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
        self._rows.add(outcome.row, outcome.place)
