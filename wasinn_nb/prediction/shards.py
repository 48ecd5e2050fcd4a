"""A worker's side: a shard of the images, run in whatever process or thread this is."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.pipeline import Pipeline
from wasinn_nb.prediction.deciding import key_of
from wasinn_nb.prediction.done import Known
from wasinn_nb.prediction.driving import drive
from wasinn_nb.prediction.items import Content, Item
from wasinn_nb.prediction.rows import Kept
from wasinn_nb.prediction.session import Limits, Session
from wasinn_nb.prediction.store import Run
from wasinn_nb.prediction.tuning import Tuning, candidates
from wasinn_nb.runtimes import processors

__all__ = ["Shard", "ShardDone", "run_shard"]

_MOST_KEPT: Final = 2
_pipelines: Final[dict[tuple[str, int], Pipeline]] = {}
_lock = threading.Lock()


class Listed(NamedTuple):
    """An item of a shard, and what its row says, where it has one."""

    item: Item
    known: Known | None = None


@dataclass(frozen=True)
class Shard:
    """Images that one worker runs, and all that it needs for that.

    Parameters
    ----------
    number : int
    attempt : int
    listed : sequence of Listed
    folder : Path
        Of the run, as workers see it, too.
    arguments : mapping
        Of the pipeline.
    sharers : int
        How many workers share the processors of a machine.
    kept : Kept
    on_error : str
    remote : bool
        Whether reading an image takes the time of a network.
    """

    number: int
    attempt: int
    listed: Sequence[Listed]
    folder: Path
    arguments: Mapping[str, Any]
    sharers: int
    kept: Kept
    on_error: str
    remote: bool

    @property
    def stem(self) -> str:
        """How the names of its folders of parts begin."""
        return f"{self.number:08}-{self.attempt}-"


@dataclass(frozen=True)
class ShardDone:
    """What became of a shard.

    Parameters
    ----------
    folder : str
        The name of its folder of parts.
    session : Session
    same : list of int
        Which items have the content that their rows say.
    error : exception, optional
        Why it ended before its images.
    """

    folder: str
    session: Session
    same: list[int] = field(default_factory=list)
    error: Exception | None = None


def run_shard(shard: Shard) -> ShardDone:
    """Run a shard's images into a folder of parts of its own.

    What goes wrong with the shard as a whole is returned: what a future raises means that its
    worker is lost.

    Parameters
    ----------
    shard : Shard
    """
    # The same shard may be run twice at a time, where its first worker only seemed to be lost.
    name = f"{shard.stem}{secrets.token_hex(4)}"
    session = Session()
    judge = _Same(shard.listed)
    try:
        run = Run(shard.folder)
        threads = max(1, processors() // max(1, shard.sharers))
        drive(
            (one.item for one in shard.listed),
            _pipeline(shard, run, threads),
            run,
            judge=judge,
            kept=shard.kept,
            limits=Limits(shard.on_error, failures=1),
            tuning=Tuning(candidates(threads)[:1]),
            remote=shard.remote,
            progress=False,
            session=session,
            folder=run.staged / name,
        )
    except Exception as error:  # noqa: BLE001 - the driver raises it
        return ShardDone(name, session, judge.same, error)
    return ShardDone(name, session, judge.same)


class _Same:
    """Says which images of a shard are to be run: all that do not have their row; see `Judge`."""

    def __init__(self, listed: Sequence[Listed]) -> None:
        self._known = {one.item.identity: (n, one.known) for n, one in enumerate(listed)}
        self._lock = threading.Lock()
        self.unchanged = self.repeated = 0
        self.same: list[int] = []

    def needs_reading(self, item: Item) -> bool:
        """Return True: the driver has looked."""
        del item
        return True

    def takes(self, item: Item, content: Content | None) -> bool:
        """Return whether the content is another one than the row says."""
        index, known = self._known[item.identity]
        if known is None or content is None or not known.has_content(content.sha256):
            return True
        with self._lock:
            self.unchanged += 1
            self.same.append(index)
        return False


def _pipeline(shard: Shard, run: Run, threads: int) -> Pipeline:
    """Return the pipeline of a run; it is compiled once in a process."""
    key = (f"{shard.folder}", threads)
    with _lock:
        pipeline = _pipelines.pop(key, None)
        if pipeline is None:
            choice = candidates(threads)[0]
            many = {"confidence": True, "concurrency": choice.concurrency}
            pipeline = Pipeline(**{**shard.arguments, **many})
        _pipelines[key] = pipeline
        while len(_pipelines) > _MOST_KEPT:
            del _pipelines[next(iter(_pipelines))]
    if (own := key_of(pipeline)) != run.key:
        raise InvalidArgumentError(
            f"a worker has another model, or runs it otherwise, than the driver: its results would "
            f"belong to the run {own}, not to {run.key}; give all the same files and the same "
            f"kind of processor, or another precision"
        )
    return pipeline
