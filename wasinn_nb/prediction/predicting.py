"""`predict`: a model over any number of images, into a store."""

from __future__ import annotations

import os
import threading
from concurrent.futures import Executor
from typing import Any, Final, Literal

from wasinn_nb.cards import ModelCard, PartialRecipe
from wasinn_nb.catalog import Model
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.imaging import Resize
from wasinn_nb.pipeline import Pipeline
from wasinn_nb.prediction.changes import Changes
from wasinn_nb.prediction.deciding import stated_by
from wasinn_nb.prediction.done import Done
from wasinn_nb.prediction.driving import drive
from wasinn_nb.prediction.executors import Pool
from wasinn_nb.prediction.opening import read_predictions
from wasinn_nb.prediction.predictions import Predictions
from wasinn_nb.prediction.rows import Kept
from wasinn_nb.prediction.session import Limits, Session
from wasinn_nb.prediction.sharding import adopt_staged, drive_shards
from wasinn_nb.prediction.sources import Listing, listing
from wasinn_nb.prediction.store import make_run
from wasinn_nb.prediction.tuning import Tuning, candidates
from wasinn_nb.progress import Progress
from wasinn_nb.runtimes import Precision, Runtime

__all__ = ["predict"]

_COUNTING: Final = 0.3
"""Seconds that are waited for a small folder to be counted, before anything is shown."""


def predict(
    images: Any,
    model: Pipeline | Model | str | os.PathLike[str] | None = None,
    store: str | os.PathLike[str] = "predictions",
    *,
    target: str | int | None = None,
    precision: Precision | None = None,
    card: ModelCard | str | os.PathLike[str] | None = None,
    recipe: PartialRecipe | None = None,
    resize: Resize | None = None,
    task: str | None = None,
    runtime: str | Runtime | None = None,
    column: str | None = None,
    verify: bool = False,
    on_error: Literal["keep", "raise"] = "keep",
    failures: float = 0.5,
    masks: bool = True,
    thumbnails: bool = True,
    executor: Executor | None = None,
    workers: int | None = None,
    progress: Progress = True,
) -> Predictions:
    """Run a model on many images, and keep every result in a store.

    A second call does only what is missing or changed.  Results of another model, recipe or
    precision become a run of their own in the same store.  An image that cannot be read is a row
    with its error.  Interrupted, by Ctrl-C or otherwise, what is finished is kept.

    Parameters
    ----------
    images : folder, glob, manifest, URL, mapping, or iterable
        A folder gives its image files and those of its folders; hidden ones are left out.  A
        manifest is a CSV or Parquet file with a column of paths or URLs.  URLs, such as
        ``s3://bucket/folder`` or ``https://host/a.jpg``, need the extra ``remote``.  A mapping is
        name → image; an iterable, also a generator, gives paths, URLs or images.
    model : Pipeline, name, path or Model, optional
        As for `Pipeline`.
    store : path-like
        A folder; made when it is missing.
    target, precision, card, recipe, resize, task, runtime
        As for `Pipeline`.
    column : str, optional
        The column of a manifest that holds the paths.  Default: the only one, or one called
        ``path``, ``image``, ``file``, ``filename``, ``source``, ``uri`` or ``url``.
    verify : bool
        Read and compare also images whose path, size, time and inode are as they were.
    on_error : {"keep", "raise"}
        ``"raise"`` ends the run at the first image that fails.
    failures : float
        End the run where more than this part of its first 100 images fail; 1 never does.
    masks, thumbnails : bool
        Whether rows have them.
    executor : concurrent.futures.Executor, optional
        Run the images by its workers: threads, processes that are spawned, loky's, or those of a
        Dask cluster (``client.get_executor()``).  They need to see the images, the model and the
        store by the same paths.  A worker that is lost is replaced by another one.
    workers : int, optional
        Run the images by so many processes on this machine: a script needs
        ``if __name__ == "__main__":`` before the call, as each of them imports it.  With
        *executor*, how many workers share a machine, where it does not say.  Default: this process
        alone, which uses all processors.
    progress : bool or callable
        Show a bar in a terminal or notebook; or call ``progress(so_far, in_all)`` with images.

    Returns
    -------
    Predictions
        All rows of the run.

    Raises
    ------
    MissingFileError, NotFoundError
        If images, model or store lead nowhere.
    InvalidArgumentError
        If an option is not one of those above, the store is a folder with other files, or workers
        would run the script again.
    BusyError
        If another program writes into the run.
    TooManyFailuresError
        If more than *failures* of the first 100 images fail; their rows are kept.
    UnwritableError
        If the store cannot be written; rows that are in it are kept.
    RuntimeFailure
        If no worker can run images, or the executor takes no more work.
    UnsupportedOperationError
        If pyarrow is not installed, or what reads a kind of URL.

    Examples
    --------
    >>> import tempfile
    >>> import wasinn_nb as wn
    >>> images = ["city-arrow", "hill-crosswalk"]
    >>> found = wn.predict(images, store=tempfile.mkdtemp(), progress=False)
    >>> len(found), found.table()["status"].tolist()
    (2, ['done', 'done'])
    """
    if on_error not in {"keep", "raise"}:
        raise InvalidArgumentError(f"expected on_error as 'keep' or 'raise', got {on_error!r:.80}")
    if not 0 <= failures <= 1:
        raise InvalidArgumentError(f"expected failures as a part of 1, got {failures!r:.80}")
    pool = Pool(executor, workers) if executor is not None or workers is not None else None
    listed = listing(images, column)
    tuning = Tuning(candidates())
    pipeline = _pipeline(
        model,
        tuning,
        target=target,
        precision=precision,
        card=card,
        recipe=recipe,
        resize=resize,
        task=task,
        runtime=runtime,
    )
    run = make_run(store, stated_by(pipeline))
    session = Session()
    if (chosen := Session.chosen(run.facts()["sessions"])) is not None:
        tuning = Tuning([chosen])
    with run.locked():
        done = Done(run)
        if adopt_staged(run, done):  # of a driver that was killed
            done = Done(run)
        done.remove_replaced()
        total = _Counted(listed, enabled=bool(progress))
        changes = Changes(done, verify=verify)
        about: dict[str, Any] = {
            "kept": Kept(masks, thumbnails),
            "limits": Limits(on_error, failures),
            "remote": listed.remote,
            "total": total,
            "progress": progress,
            "session": session,
        }
        try:
            if pool is None:
                drive(iter(listed), pipeline, run, judge=changes, tuning=tuning, **about)
            else:
                drive_shards(
                    listed, pipeline.arguments, run, pool, changes=changes, done=done, **about
                )
        finally:
            total.stop()
            run.add_session(session.to_dict())
        done.remove_replaced()
    return read_predictions(run.folder)


def _pipeline(model: Any, tuning: Tuning, **options: Any) -> Pipeline:
    many: dict[str, Any] = {"confidence": True, "concurrency": tuning.choice.concurrency}
    if not isinstance(model, Pipeline):
        return Pipeline(model, **options, **many)
    if given := [name for name, value in options.items() if value is not None]:
        raise InvalidArgumentError(
            f"a Pipeline has its {', '.join(given)} already; pass them when it is made, or pass "
            f"the model's name or path in its place"
        )
    return model.variant(**many)


class _Counted:
    """Counts images beside the run, so that the time left can be told.

    Parameters
    ----------
    listed : Listing
    enabled : bool
    """

    def __init__(self, listed: Listing, *, enabled: bool) -> None:
        self._count = listed.count
        self._stopped = False
        if enabled and self._count is None and listed.again and not listed.remote:
            counting = threading.Thread(target=self._work, args=[listed], daemon=True)
            counting.start()
            counting.join(_COUNTING)

    def __call__(self) -> int | None:
        """Return how many images there are; None as long as it is not known."""
        return self._count

    def stop(self) -> None:
        """Stop counting."""
        self._stopped = True

    def _work(self, listed: Listing) -> None:
        count = 0
        try:
            for _ in listed.anew():  # in a thread of its own
                if self._stopped:
                    return
                count += 1
        except Exception:  # noqa: BLE001 - the run itself meets it, too
            return
        self._count = count
