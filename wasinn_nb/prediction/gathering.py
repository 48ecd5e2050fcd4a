"""`gather_results`: results that are there already, as the rows of a store."""

from __future__ import annotations

import datetime as dt
import hashlib
import io
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

from PIL import Image

from wasinn_nb.errors import InvalidArgumentError, MissingFileError
from wasinn_nb.files import expanded, is_folder, nothing_at
from wasinn_nb.folders import check_new
from wasinn_nb.prediction.deciding import stated_of
from wasinn_nb.prediction.parts import Rows
from wasinn_nb.prediction.predictions import Predictions
from wasinn_nb.prediction.rows import thumbnail_of
from wasinn_nb.prediction.store import Run, make_run
from wasinn_nb.prediction.table import StoredRows
from wasinn_nb.tasks import near_results, saved_result, saved_results
from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.tasks.segmentation import SegmentationResult
from wasinn_nb.transaction import atomic
from wasinn_nb.wording import inert

__all__ = ["gather_results"]

Gathered = SegmentationResult | ClassificationResult

_IMAGES: Final = "images"


class _Named(NamedTuple):
    name: str
    source: str
    result: Gathered


def gather_results(
    results: str
    | os.PathLike[str]
    | Mapping[str, Gathered]
    | Iterable[SegmentationResult]
    | Iterable[ClassificationResult],
    store: str | os.PathLike[str] | None = None,
) -> Predictions:
    """Put results that are there already into a store: to query them, to judge and to browse them.

    Parameters
    ----------
    results : path, mapping, or iterable of SegmentationResult or ClassificationResult
        Of one model, with one recipe, target, precision and threshold.  A folder gives the results
        that :meth:`SegmentationResult.save` or :meth:`ClassificationResult.save` wrote there, named
        by the beginnings of their files' names; they come without their images, which are not
        saved with them.  A mapping is name → result; those of an iterable are ``#0``, ``#1``, ….
    store : path-like, optional
        A new folder, where results and their images are kept.  Default: a temporary one, which is
        removed with the last of these predictions.

    Returns
    -------
    Predictions
        A row for each, in their order.  Images are paired with those of other predictions by their
        bytes; the size of a result without its image is that of its mask.

    Raises
    ------
    MissingFileError
        If there is no such folder, or no result in it.
    InvalidArgumentError
        If there are no results, or two are of different runs; or *store* is not empty.
    UnwritableError
        If the store cannot be written.

    Examples
    --------
    >>> import wasinn_nb as wn
    >>> names = ["city-arrow", "country-road"]
    >>> found = wn.gather_results({name: wn.segment(name) for name in names})
    >>> found.query("road > 0.1").table()["name"].tolist()
    ['city-arrow', 'country-road']
    """
    given = _named(results)
    first = next(given, None)
    if first is None:
        raise InvalidArgumentError("expected results, got none")
    temporary = None
    if store is None:
        temporary = tempfile.mkdtemp(prefix="wasinn_nb-results-")
        folder = Path(temporary)
    else:
        folder = expanded(store, "the store as the path of a folder")
        check_new(folder)
    try:
        run = _written(folder, first, given)
        rows = StoredRows(run)
    except BaseException:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        raise
    if temporary is not None:
        rows.temporary = True
        weakref.finalize(rows, shutil.rmtree, temporary, ignore_errors=True)
    return Predictions(rows)


def _named(results: Any) -> Iterator[_Named]:
    if isinstance(results, str | os.PathLike):
        folder = expanded(results, "the results as the path of a folder")
        if not is_folder(folder):
            raise MissingFileError(nothing_at(folder, "folder"))
        paths = saved_results(folder)
        if not paths:
            remedy = "result.save(folder) and wasinn-nb segment IMAGE --output FOLDER write them"
            raise MissingFileError(
                f"no saved results in {inert(str(folder))}; {near_results(folder) or remedy}"
            )
        for path in paths:
            yield _Named(_text(path.stem), _text(str(path.resolve())), saved_result(path))
        return
    if isinstance(results, Gathered):
        results = [results]
    if isinstance(results, Mapping):
        pairs: Any = results.items()
    elif isinstance(results, Iterable):
        pairs = ((f"#{number}", one) for number, one in enumerate(results))
    else:
        pairs = [("#0", results)]
    for number, (name, one) in enumerate(pairs):
        if not isinstance(one, Gathered):
            raise InvalidArgumentError(
                f"expected results of segment() or classify(), got {type(one).__name__}"
            )
        yield _Named(_text(str(name)), f"#{number}", one)


def _text(path: str) -> str:
    """Return a path as text; bytes of it that are not text are written out."""
    return path.encode("utf-8", "backslashreplace").decode()


def _task(result: Gathered) -> str:
    return "segmentation" if isinstance(result, SegmentationResult) else "classification"


def _written(folder: Path, first: _Named, others: Iterator[_Named]) -> Run:
    """Write results into a store, each when it is read."""
    stated = stated_of(first.result, _task(first.result))
    run = make_run(folder, stated)
    rows, columns = Rows(run.rows, run.schema), run.columns
    rows.add({**_row(folder, first, 0, run.key), **columns.row(first.result)}, 0)
    for number, one in enumerate(others, 1):
        own = stated_of(one.result, _task(one.result))
        if own["key"] != stated["key"]:
            what = [key for key, value in own["decides"].items() if value != stated["decides"][key]]
            raise InvalidArgumentError(
                f"{first.name} and {one.name} are not of one run: they differ in "
                f"{', '.join(what)}; gather the results of each run by themselves"
            )
        rows.add({**_row(folder, one, number, run.key), **columns.row(one.result)}, number)
        rows.write_if_due()
    rows.write()
    return run


def _row(folder: Path, named: _Named, number: int, run: str) -> dict[str, Any]:
    """Return what a row says besides the result; its image lies in the store from now on."""
    name, source, result = named
    row: dict[str, Any] = {
        "source": source,
        "name": name,
        "status": "done",
        "finished": dt.datetime.now(dt.UTC),
        "run": run,
        "digest": str(result.digest()),
        **{f"seconds_{step}": result.timings.get(step) for step in ("read", "preprocess", "infer")},
    }
    if isinstance(result, SegmentationResult):
        top, left, bottom, right = result.covers
        row["width"] = round(result.width / (right - left))
        row["height"] = round(result.height / (bottom - top))
    photo = result.photo
    if photo is None:
        return row
    image = Image.fromarray(photo)
    if isinstance(result.image, bytes):
        data = result.image
    else:
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=1)
        data = file.getvalue()
    path = folder / _IMAGES / f"{number:08}"
    path.parent.mkdir(exist_ok=True)
    with atomic(path) as temporary:
        temporary.write_bytes(data)
    return row | {
        "source": _text(str(path.resolve())),
        "size": len(data),
        "sha256": hashlib.sha256(data).hexdigest(),
        "width": image.width,
        "height": image.height,
        "thumbnail": thumbnail_of(image),
    }
