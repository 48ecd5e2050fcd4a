"""`gather_results`: results that are there already, as the rows of a store."""

from __future__ import annotations

import hashlib
import io
import itertools
import os
import shutil
import tempfile
import weakref
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, NamedTuple

from PIL import Image

from wasinn_nb.errors import InvalidArgumentError, MissingFileError
from wasinn_nb.files import expanded, is_folder, nothing_at
from wasinn_nb.folders import check_new
from wasinn_nb.prediction.deciding import stated_of
from wasinn_nb.prediction.items import Item
from wasinn_nb.prediction.originals import image_of
from wasinn_nb.prediction.parts import Rows
from wasinn_nb.prediction.predictions import Predictions
from wasinn_nb.prediction.rows import error_row, known_of, thumbnail_of
from wasinn_nb.prediction.store import Run, make_run
from wasinn_nb.prediction.table import StoredRows
from wasinn_nb.tasks import near_results, saved_result, saved_results
from wasinn_nb.tasks.classification import ClassificationResult
from wasinn_nb.tasks.segmentation import SegmentationResult
from wasinn_nb.transaction import atomic
from wasinn_nb.wording import inert

__all__ = ["NamedResult", "Original", "gather_named", "gather_results"]

Gathered = SegmentationResult | ClassificationResult

_IMAGES: Final = "images"


class Original(NamedTuple):
    """The file that a result was made of."""

    path: str
    sha256: str


class NamedResult(NamedTuple):
    """A result that becomes a row."""

    name: str
    result: Gathered | None
    """Without its image where there is an original."""
    original: Original | None = None
    """What the row refers to in place of a copy of the image."""
    error: Exception | None = None
    """Why there is no result."""
    source: str = ""
    """Of a row without an image; by default its number."""


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
    return gather_named(_named(results), store)


def gather_named(
    results: Iterable[NamedResult], store: str | os.PathLike[str] | None = None
) -> Predictions:
    """Put results into a store; those of files refer to these, and keep no copy of them.

    Parameters
    ----------
    results : iterable of NamedResult
        With a result among them.
    store : path-like, optional
        As for :func:`gather_results`; so are the errors.
    """
    given = iter(results)
    waiting = [*_until_a_result(given)]
    if not waiting or waiting[-1].result is None:
        raise InvalidArgumentError("expected results, got none")
    temporary = None
    if store is None:
        temporary = tempfile.mkdtemp(prefix="wasinn_nb-results-")
        folder = Path(temporary)
    else:
        folder = expanded(store, "the store as the path of a folder")
        check_new(folder)
    try:
        run = _written(folder, waiting, given)
        rows = StoredRows(run)
    except BaseException:
        if temporary is not None:
            shutil.rmtree(temporary, ignore_errors=True)
        raise
    if temporary is not None:
        rows.temporary = True
        weakref.finalize(rows, shutil.rmtree, temporary, ignore_errors=True)
    return Predictions(rows)


def _named(results: Any) -> Iterator[NamedResult]:
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
            source = _text(str(path.resolve()))
            yield NamedResult(_text(path.stem), saved_result(path), source=source)
        return
    if isinstance(results, Gathered):
        results = [results]
    if isinstance(results, Mapping):
        pairs: Any = results.items()
    elif isinstance(results, Iterable):
        pairs = ((f"#{number}", one) for number, one in enumerate(results))
    else:
        pairs = [("#0", results)]
    for name, one in pairs:
        if not isinstance(one, Gathered):
            raise InvalidArgumentError(
                f"expected results of segment() or classify(), got {type(one).__name__}"
            )
        yield NamedResult(_text(str(name)), one)


def _until_a_result(given: Iterator[NamedResult]) -> Iterator[NamedResult]:
    """Yield what comes before the first result, and that."""
    for one in given:
        yield one
        if one.result is not None:
            return


def _text(path: str) -> str:
    """Return a path as text; bytes of it that are not text are written out."""
    return path.encode("utf-8", "backslashreplace").decode()


def _task(result: Gathered) -> str:
    return "segmentation" if isinstance(result, SegmentationResult) else "classification"


def _written(folder: Path, first: Sequence[NamedResult], others: Iterator[NamedResult]) -> Run:
    """Write results into a store, each when it is read; the last of the *first* states the run."""
    named, states = first[-1].name, first[-1].result
    assert states is not None  # noqa: S101 - the caller has looked for it
    stated = stated_of(states, _task(states))
    run = make_run(folder, stated)
    rows, columns = Rows(run.rows, run.schema), run.columns
    for number, one in enumerate(itertools.chain(first, others)):
        if one.result is None:
            assert one.error is not None  # noqa: S101 - there is a result, or the reason why not
            rows.add(error_row(Item(f"#{number}", one.name), None, run.key, one.error), number)
            continue
        own = stated_of(one.result, _task(one.result))
        if own["key"] != stated["key"]:
            what = [key for key, value in own["decides"].items() if value != stated["decides"][key]]
            raise InvalidArgumentError(
                f"{named} and {one.name} are not of one run: they differ in "
                f"{', '.join(what)}; gather the results of each run by themselves"
            )
        rows.add({**_row(folder, one, number, run.key), **columns.row(one.result)}, number)
        rows.write_if_due()
    rows.write()
    return run


def _row(folder: Path, named: NamedResult, number: int, run: str) -> dict[str, Any]:
    """Return what a row says besides the result and its mask."""
    result = named.result
    assert result is not None  # noqa: S101 - the caller has checked
    source = named.source or f"#{number}"
    item = Item(source if named.original is None else named.original.path, named.name)
    row: dict[str, Any] = {
        **known_of(item, None, run),
        "status": "done",
        "digest": str(result.digest()),
        **{f"seconds_{step}": result.timings.get(step) for step in ("read", "preprocess", "infer")},
    }
    if isinstance(result, SegmentationResult):
        top, left, bottom, right = result.covers
        row["width"] = round(result.width / (right - left))
        row["height"] = round(result.height / (bottom - top))
    if named.original is not None:
        row["sha256"] = named.original.sha256
        content = image_of(row)
        if isinstance(content, bytes):
            result = replace(result, image=content)
            row["size"] = len(content)
    if result.photo is None:
        return row
    image = Image.fromarray(result.photo)
    row |= {"width": image.width, "height": image.height, "thumbnail": thumbnail_of(image)}
    if named.original is None:
        row |= _copied(folder / _IMAGES / f"{number:08}", result.image, image)
    return row


def _copied(path: Path, encoded: Any, image: Image.Image) -> dict[str, Any]:
    """Write the image of a result into the store, as it is encoded or, as an array, as PNG."""
    data = encoded
    if not isinstance(encoded, bytes):
        file = io.BytesIO()
        image.save(file, "PNG", compress_level=1)
        data = file.getvalue()
    path.parent.mkdir(exist_ok=True)
    with atomic(path) as temporary:
        temporary.write_bytes(data)
    sha256 = hashlib.sha256(data).hexdigest()
    return {"source": _text(str(path.resolve())), "size": len(data), "sha256": sha256}
