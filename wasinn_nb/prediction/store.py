"""A store on disk: a folder of runs, each a folder of Parquet files that are whole or not there.

::

    STORE/store.json                    the version of the format
    STORE/<run>/origin.json             what makes the results of a run, written once
    STORE/<run>/facts.json              how it ran: sessions, speed, what was measured
    STORE/<run>/rows/part-….parquet     one row for each image
"""

from __future__ import annotations

import itertools
import json
import os
import shlex
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, Self

from wasinn_nb.cards import ModelCard, restored_assumptions
from wasinn_nb.errors import (
    BusyError,
    InvalidArgumentError,
    MissingFileError,
    Remedy,
    UnwritableError,
)
from wasinn_nb.files import expanded, is_file, is_folder, nothing_at
from wasinn_nb.json_files import json_text, read_json
from wasinn_nb.origin import Origin
from wasinn_nb.prediction.columns import Columns, columns_of
from wasinn_nb.prediction.schema import (
    FORMAT,
    class_columns,
    refuse_newer,
    schema_of,
)
from wasinn_nb.transaction import atomic
from wasinn_nb.wording import listed

__all__ = ["Run", "is_store", "make_run", "near_store", "runs_in"]

_STORE: Final = "store.json"
_ORIGIN: Final = "origin.json"
_FACTS: Final = "facts.json"
_DRIVER: Final = ".driver.json"
_MOST_BYTES: Final = 1 << 24
_KEPT_SESSIONS: Final = 50
_MOST_ENTRIES: Final = 2000
_MOST_NAMES: Final = 3


class Run:
    """The rows of one model with one recipe.

    Parameters
    ----------
    folder : Path

    Attributes
    ----------
    folder : Path
    key : str
        What decides the results, as 16 hexadecimal digits; the folder's name.
    task : str
    card : ModelCard
    origin : Origin
    assumed : tuple of str
    threshold : float or None

    Raises
    ------
    MissingFileError
        If there is no run.
    InvalidArgumentError
        If its ``origin.json`` does not say what it should, or is of a newer version.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        path = folder / _ORIGIN
        about = read_json(path, "run", most_bytes=_MOST_BYTES, error=InvalidArgumentError)
        refuse_newer(about.get("format"), str(path))
        try:
            self.key = str(about["key"])
            self.task = str(about["task"])
            self.card = ModelCard.from_dict(about["card"])
            self.origin = Origin.from_dict(about["origin"])
            self.assumed = restored_assumptions(
                tuple(map(str, about["assumed"])), self.origin.recipe, len(self.card.classes)
            )
            threshold = about["threshold"]
            self.threshold = None if threshold is None else float(threshold)
            self.created = str(about["created"])
        except (KeyError, TypeError, ValueError) as error:
            raise InvalidArgumentError(f"{path}: not what `predict` writes: {error}") from error

    @property
    def rows(self) -> Path:
        """The folder of the Parquet files."""
        return self.folder / "rows"

    @property
    def staged(self) -> Path:
        """The folder where workers put parts until the driver takes them."""
        return self.folder / ".staged"

    @property
    def class_columns(self) -> Mapping[str, str]:
        """Class name → the name of its column; empty where classes have none."""
        return class_columns(self.card.classes) if self.task == "segmentation" else {}

    @property
    def columns(self) -> Columns:
        """What a result is as columns."""
        return columns_of(self.task, self.card, self.threshold, self.assumed)

    @property
    def schema(self) -> Any:
        """The schema of its parts."""
        about = {
            "format": FORMAT,
            "task": self.task,
            "model": self.origin.model,
            "classes": list(self.card.classes),
        }
        return schema_of(self.columns.fields(), json.dumps(about))

    @property
    def unfinished(self) -> bool:
        """Whether a driver writes into it, or was killed: replaced rows may still be there."""
        return is_file(self.folder / _DRIVER)

    def parts(self) -> list[Path]:
        """Return the Parquet files, the oldest first."""
        try:
            found = [entry.name for entry in os.scandir(self.rows)]
        except FileNotFoundError:
            return []
        whole = (name for name in found if name.endswith(".parquet") and not name.startswith("."))
        return [self.rows / name for name in sorted(whole)]

    def facts(self) -> dict[str, Any]:
        """Return how it ran: ``sessions``, the newest last; and ``measured``, the choice."""
        if not is_file(path := self.folder / _FACTS):
            return {"sessions": []}
        found = read_json(
            path, "facts of a run", most_bytes=_MOST_BYTES, error=InvalidArgumentError
        )
        return found if isinstance(found.get("sessions"), list) else {"sessions": []}

    def add_session(self, session: Mapping[str, Any]) -> None:
        """Keep how a session ran; the last 50 are kept."""
        facts = self.facts()
        facts["sessions"] = [*facts["sessions"], dict(session)][-_KEPT_SESSIONS:]
        _write_json(self.folder / _FACTS, facts)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other drivers from this run until the block ends.

        The system takes the lock back from a process that is killed.

        Raises
        ------
        BusyError
            If another driver has it.
        UnwritableError
            If the folder cannot be written.
        """
        from filelock import FileLock, Timeout

        lock, holder = FileLock(self.folder / ".lock"), self.folder / _DRIVER
        try:
            lock.acquire(timeout=0)
        except Timeout as error:
            who = ""
            with suppress(OSError, ValueError, KeyError):
                known = json.loads(holder.read_text(encoding="utf-8"))
                who = f" (process {int(known['process'])} on {str(known['host'])[:80]})"
            raise BusyError(
                f"another program{who} writes predictions into {self.folder}; wait until it has "
                f"ended, or name another store"
            ) from error
        except OSError as error:
            raise UnwritableError(
                f"the store {self.folder} cannot be written: {error.strerror or error}; change the "
                f"permissions of the folder, or name another store"
            ) from error
        try:
            host = os.uname().nodename if hasattr(os, "uname") else ""
            _write_json(holder, {"process": os.getpid(), "host": host})
            yield
            # Otherwise it says that replaced rows may still be there.
            holder.unlink(missing_ok=True)
        finally:
            lock.release()

    @classmethod
    def make(cls, store: Path, stated: Mapping[str, Any]) -> Self:
        """Return the run that *stated* is of, made where it is not there yet."""
        folder = store / str(stated["key"])
        if not is_file(folder / _ORIGIN):
            _write_json(folder / _ORIGIN, stated)
        (folder / "rows").mkdir(exist_ok=True)
        return cls(folder)


def make_run(store: str | os.PathLike[str], stated: Mapping[str, Any]) -> Run:
    """Return the run of a model in a store; both are made where they are not there yet.

    Parameters
    ----------
    store : path-like
    stated : mapping
        What the run's ``origin.json`` states.

    Raises
    ------
    InvalidArgumentError
        If the folder is not a store, or of a newer version.
    UnwritableError
        If it cannot be written.
    """
    folder = expanded(store, "the store as the path of a folder")
    _check_store(folder)
    try:
        if not is_file(folder / _STORE):
            _write_json(folder / _STORE, {"format": FORMAT})
        return Run.make(folder, stated)
    except OSError as error:
        if isinstance(error, UnwritableError | MissingFileError):
            raise
        raise UnwritableError(
            f"the store {folder} cannot be written: {error.strerror or error}; change the "
            f"permissions of the folder, or name another one"
        ) from error


def is_store(path: str | os.PathLike[str]) -> bool:
    """Return whether a folder is a store, or a run of one."""
    folder = expanded(path)
    return is_file(folder / _STORE) or is_file(folder / _ORIGIN)


def runs_in(store: str | os.PathLike[str]) -> list[Run]:
    """Return the runs of a store, the oldest first.

    Raises
    ------
    MissingFileError
        If there is no such folder, or no run in it.
    InvalidArgumentError
        If it is not a store, or of a newer version.
    """
    folder = expanded(store, "the store as the path of a folder")
    if is_file(folder / _ORIGIN):  # the folder of one run
        return [Run(folder)]
    if not os.path.lexists(folder):
        raise MissingFileError(nothing_at(folder, "store"))
    if not is_file(folder / _STORE):
        raise MissingFileError(_not_a_store(folder))
    _check_store(folder)
    runs = [Run(one) for one in sorted(folder.iterdir()) if is_file(one / _ORIGIN)]
    if not runs:
        raise MissingFileError(
            f"the store {folder} has no run yet",
            remedy=Remedy(
                f"run a model into it with wasinn_nb.predict(images, model, {str(folder)!r})",
                command=f"run a model into it with: {_predict_into(folder)}",
            ),
        )
    return sorted(runs, key=lambda run: (run.created, run.key))


def _not_a_store(folder: Path) -> str:
    """Say that a path is not a store, and which one near it is."""
    what = f"expected the folder of a store, got the file {folder}"
    if is_folder(folder):
        what = f"{folder} is not a store of predictions: it has no {_STORE}"
    return f"{what}; {near_store(folder) or 'name the folder that `predict` wrote'}"


def near_store(path: Path) -> str:
    """Ask whether a store in a folder, or above it, is meant; empty where there is none.

    Parameters
    ----------
    path : Path
        Of something that is there, and not a store.
    """
    near: list[str] = []
    if is_folder(path):
        with os.scandir(path) as entries:
            inside = sorted(entry.path for entry in itertools.islice(entries, _MOST_ENTRIES))
        near = [one for one in inside if is_store(one)]
    near = near or [str(one) for one in path.parents if is_store(one)]
    return f"did you mean {' or '.join(near[:_MOST_NAMES])}?" if near else ""


def _predict_into(folder: Path) -> str:
    return f"wasinn-nb predict IMAGES --store {shlex.quote(str(folder))}"


def _check_store(folder: Path) -> None:
    """Refuse what is not a store, or is one of a newer version; a new or empty folder will do."""
    path = folder / _STORE
    if is_file(path):
        about = read_json(path, "store", most_bytes=_MOST_BYTES, error=InvalidArgumentError)
        refuse_newer(about.get("format"), str(path))
        return
    if is_folder(folder):
        inside = sorted(entry.name for entry in folder.iterdir() if not entry.name.startswith("."))
        if inside:
            raise InvalidArgumentError(
                f"{folder} is a folder with other files ({listed(inside, 4)}); name a new folder "
                f"as the store"
            )
    elif os.path.lexists(folder):
        raise InvalidArgumentError(f"expected a folder as the store, got the file {folder}")


def _write_json(path: Path, values: Mapping[str, Any]) -> None:
    with atomic(path) as temporary:
        temporary.write_text(json_text(values, path.name, InvalidArgumentError), encoding="utf-8")
