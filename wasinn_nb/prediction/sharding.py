"""The driver's side: images in shards, run by workers, and run again where one is lost."""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from wasinn_nb.errors import InvalidArgumentError, RuntimeFailure
from wasinn_nb.prediction.changes import Changes
from wasinn_nb.prediction.done import Done, identities
from wasinn_nb.prediction.executors import Pool
from wasinn_nb.prediction.items import Item
from wasinn_nb.prediction.parts import Rows, read_part, write_part
from wasinn_nb.prediction.rows import Kept, error_row
from wasinn_nb.prediction.session import Limits, Session
from wasinn_nb.prediction.shards import Listed, Shard, ShardDone, run_shard
from wasinn_nb.prediction.store import Run
from wasinn_nb.progress import Progress, progress_bar
from wasinn_nb.wording import counted

__all__ = ["adopt_staged", "drive_shards"]

_FIRST_SIZE: Final = 24
_LARGEST: Final = 2000
_SECONDS: Final = 20.0
"""How long a shard takes, about: what a lost worker costs at most."""
_PATIENCE: Final = 0.2
_AHEAD: Final = 2
"""Shards that wait for each worker, so that none idles while the driver works."""
_LOST, _GIVEN_UP = 20, 3
"""Shards and single images that may be lost before any worker has finished a shard."""


def drive_shards(
    items: Iterable[Item],
    arguments: Mapping[str, Any],
    run: Run,
    pool: Pool,
    *,
    changes: Changes,
    done: Done,
    kept: Kept,
    limits: Limits,
    remote: bool,
    total: Callable[[], int | None],
    progress: Progress,
    session: Session,
) -> None:
    """Run images by workers; what is finished when it ends, however it ends, is kept.

    Parameters
    ----------
    items : iterable of Item
    arguments : mapping
        Of the pipeline that each worker makes.
    run : Run
        Locked by the caller.
    pool : Pool
    changes : Changes
    done : Done
    kept : Kept
    limits : Limits
    remote : bool
    total : callable
        → how many images there are, as far as that is known by then.
    progress : bool or callable
    session : Session
        Where to count.

    Raises
    ------
    TooManyFailuresError, KeyboardInterrupt
        As of `drive`.
    RuntimeFailure
        If no worker can run images, or the executor takes no more.
    Exception
        What ended a shard, such as a store that a worker does not see.
    """
    shards = _Shards(items, arguments, run, changes, done, kept, limits.on_error, remote=remote)
    driver = _Driver(run, pool, shards, done, limits, session)
    start = time.monotonic()
    try:
        with progress_bar(
            progress=progress, desc="predict", unit="image", total=total(), leave=False
        ) as bar:
            counted_so_far = 0
            while driver.step():
                bar.total = total()
                passed = session.finished + session.unchanged + changes.unchanged + changes.repeated
                bar.update(passed - counted_so_far)
                counted_so_far = passed
                if session.errors:
                    bar.set_postfix_str(counted(session.errors, "error"), refresh=False)
            passed = session.finished + session.unchanged + changes.unchanged + changes.repeated
            bar.total = total()
            bar.update(passed - counted_so_far)
        pool.close()
    finally:
        pool.stop()
        driver.take_rest()
        session.unchanged += changes.unchanged
        session.repeated = changes.repeated
        session.seconds = time.monotonic() - start


class _Shards:
    """Cuts the images that are to be run into shards, as large as they are to be by then."""

    def __init__(
        self,
        items: Iterable[Item],
        arguments: Mapping[str, Any],
        run: Run,
        changes: Changes,
        done: Done,
        kept: Kept,
        on_error: str,
        *,
        remote: bool,
    ) -> None:
        self._items = iter(items)
        self._arguments, self._run = arguments, run
        self._changes, self._done = changes, done
        self._kept, self._on_error, self._remote = kept, on_error, remote
        self._number = 0
        self.size = _FIRST_SIZE

    def next(self, sharers: int) -> Shard | None:
        """Return the next shard; None where there are no more images."""
        listed: list[Listed] = []
        for item in self._items:
            if self._changes.needs_reading(item):
                known = self._done.get(item.identity)
                self._done.add(item.identity)
                listed.append(Listed(item, known))
                if len(listed) >= self.size:
                    break
        return self.of(listed, sharers) if listed else None

    def of(self, listed: list[Listed], sharers: int) -> Shard:
        """Return a shard of these images."""
        self._number += 1
        return Shard(
            self._number,
            0,
            tuple(listed),
            self._run.folder.absolute(),
            self._arguments,
            sharers,
            self._kept,
            self._on_error,
            self._remote,
        )


class _Driver:
    """Submits shards, takes their parts, and deals with what is lost."""

    def __init__(
        self,
        run: Run,
        pool: Pool,
        shards: _Shards,
        done: Done,
        limits: Limits,
        session: Session,
    ) -> None:
        self._run, self._pool, self._shards, self._done = run, pool, shards, done
        self._limits, self._session = limits, session
        self._running: dict[Future[ShardDone], Shard] = {}
        self._again: list[Shard] = []
        self._suspects: list[Shard] = []
        self._succeeded = False
        self._given_up = 0

    def step(self) -> bool:
        """Submit what there is room for, take what is ready; return False at the end.

        Raises
        ------
        Exception
            What ends the run.
        """
        pool = self._pool
        while len(self._running) < pool.width * _AHEAD:
            shard = self._again.pop() if self._again else self._shards.next(pool.sharers)
            if shard is None and not self._running and self._suspects:
                shard = self._suspects.pop()  # alone: if a worker ends now, it is the image
            if shard is None:
                break
            self._running[pool.submit(run_shard, shard)] = shard
            self._session.workers = max(self._session.workers, pool.width)
            if shard.attempt and len(shard.listed) == 1:
                break
        if not self._running:
            return False
        ready, _ = wait(self._running, _PATIENCE, FIRST_COMPLETED)
        for future in ready:
            shard = self._running.pop(future)
            try:
                result = future.result()
            except Exception as error:  # noqa: BLE001 - whatever it is, the worker is lost
                self._lose(shard, error)
            else:
                self._take(shard, result)
        return True

    def _take(self, shard: Shard, result: ShardDone) -> None:
        """Make the parts of a shard count."""
        for index in result.same:
            item, known = shard.listed[index]
            if known is not None:
                self._done.restore(item.identity, known)
        self._session.add(result.session)
        self._commit(self._run.staged / result.folder)
        self._forget(shard)
        if result.error is not None:
            raise result.error
        self._succeeded = True
        if (error := self._limits.broken(self._session)) is not None:
            raise error
        if result.session.seconds > 0 and len(shard.listed) >= self._shards.size // 2:
            speed = len(shard.listed) / result.session.seconds
            aimed = min(_LARGEST, max(1, int(speed * _SECONDS)))
            self._shards.size = min(aimed, 4 * self._shards.size)

    def _lose(self, shard: Shard, error: Exception) -> None:
        """Take what a lost worker has written, and have the rest done again."""
        self._session.lost += 1
        hopeless = self._given_up >= _GIVEN_UP or self._session.lost >= _LOST * self._pool.width
        if not self._succeeded and hopeless:
            raise RuntimeFailure(
                f"no worker could run images: {str(error) or type(error).__name__}; check that the "
                f"package is installed and the store and the model are seen where they run"
            ) from error
        written = self._adopt(shard)
        rest = [one for one in shard.listed if one.item.identity not in written]
        again = replace(shard, listed=tuple(rest), attempt=shard.attempt + 1)
        if not rest:
            return
        if again.attempt == 1:
            self._again.append(again)
        elif len(rest) > 1:  # one of them may be what ends workers
            half = len(rest) // 2
            for part in (rest[:half], rest[half:]):
                new = self._shards.of(list(part), shard.sharers)
                self._again.append(replace(new, attempt=1))
        elif shard.attempt < 2:
            self._suspects.append(replace(again, attempt=2))
        else:
            self._give_up(rest[0].item, error)

    def _give_up(self, item: Item, error: Exception) -> None:
        """Write the row of an image that ends its worker."""
        ended = RuntimeFailure(
            f"the worker ended while it ran this image: {str(error) or type(error).__name__}"
        )
        self._given_up += 1
        rows = Rows(self._run.rows, self._run.schema)
        row = error_row(item, None, self._run.key, ended)
        rows.add(row)
        rows.write()
        self._session.finished += 1
        self._session.errors += 1
        self._session.kinds[row["error_kind"]] += 1

    def _adopt(self, shard: Shard) -> set[bytes]:
        """Take the parts that a lost worker has written; return the images that they have."""
        written: set[bytes] = set()
        for folder in _folders(self._run, shard.stem):
            # A worker that only seems to be lost writes to another folder from here on.
            lost = folder.with_name(f"{folder.name}.lost")
            with suppress(OSError):
                folder.rename(lost)
            for part in sorted(lost.glob("part-*.parquet")):
                adopted = _adopt_part(self._run, part, written)
                written |= {*adopted}
                self._session.errors += [*adopted.values()].count("error")
            shutil.rmtree(lost, ignore_errors=True)
        self._session.finished += len(written)
        return written

    def _commit(self, folder: Path) -> None:
        for part in sorted(folder.glob("part-*.parquet")):
            part.rename(self._run.rows / part.name)
        shutil.rmtree(folder, ignore_errors=True)

    def _forget(self, shard: Shard) -> None:
        """Remove what another worker has written of a shard that is done."""
        for folder in _folders(self._run, shard.stem):
            shutil.rmtree(folder, ignore_errors=True)

    def take_rest(self) -> None:
        """Take what is finished of shards that are given up."""
        for future, shard in self._running.items():
            future.cancel()
            if future.done() and not future.cancelled() and future.exception() is None:
                with suppress(Exception):  # the error that ended the run counts
                    self._take(shard, future.result())
            else:
                self._adopt(shard)
        self._running.clear()


def adopt_staged(run: Run, done: Done) -> bool:
    """Take what workers of a driver that was killed have written; return whether there was any."""
    found = False
    for folder in _folders(run, ""):
        for part in sorted(folder.glob("part-*.parquet")):
            found |= bool(_adopt_part(run, part, done))
        shutil.rmtree(folder, ignore_errors=True)
    return found


def _adopt_part(run: Run, part: Path, written: Container[object]) -> dict[bytes, str]:
    """Move a part to the rows of a run; return image → status.

    Images that have their row already are left out.
    """
    try:
        table = read_part(part)
    except InvalidArgumentError:
        return {}
    names = list(identities(table))
    new = [row for row, name in enumerate(names) if name not in written]
    if len(new) == len(names):
        part.rename(run.rows / part.name)
    elif new:
        write_part(run.rows, table.take(new), part.name)
    states = table.column("status").to_pylist()
    return {names[row]: states[row] for row in new}


def _folders(run: Run, stem: str) -> Iterator[Path]:
    try:
        found = sorted(run.staged.iterdir())
    except OSError:
        return
    yield from (one for one in found if one.name.startswith(stem) and one.is_dir())
