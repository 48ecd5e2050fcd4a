"""The columns of a store, by their version; ``docs/scale.md`` documents them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.json_files import decoded_json
from wasinn_nb.prediction.arrow import arrow

__all__ = [
    "FORMAT",
    "HEAVY",
    "VERSION",
    "base_fields",
    "class_columns",
    "read_metadata",
    "refuse_newer",
    "results_first",
    "schema_of",
]

VERSION: Final = 1
FORMAT: Final = f"wasinn_nb.predictions/{VERSION}"
"""The ``format`` of a store and of its parts."""

HEAVY: Final = frozenset({"mask", "thumbnail", "probabilities"})
"""Columns that are read row by row only."""

_RESERVED: Final = frozenset(
    {
        *("source", "source_bytes", "name", "size", "mtime_ns", "inode", "etag", "sha256"),
        *("width", "height", "exif_ignored", "status", "error", "error_kind", "digest"),
        *("finished", "run"),
        *("seconds_read", "seconds_preprocess", "seconds_infer", "seconds_write", "thumbnail"),
        *("mask", "mask_width", "mask_height", "pixels", "covers"),
        *("mean_confidence", "lowest_confidence", "near_tie", "saturated"),
        *("label", "probability", "margin", "top", "probabilities", "result", "index"),
    }
)
"""Names of columns that no class takes, whatever the task."""

_READ_FIRST: Final = ("label", "probability", "mean_confidence", "near_tie", "name", "status")

_METADATA: Final = b"wasinn_nb"


def base_fields() -> list[Any]:
    """Return the columns that every task has."""
    pa = arrow()
    seconds = [f"seconds_{step}" for step in ("read", "preprocess", "infer", "write")]
    return [
        pa.field("source", pa.string(), nullable=False),
        pa.field("source_bytes", pa.binary()),
        pa.field("name", pa.string(), nullable=False),
        pa.field("size", pa.int64()),
        pa.field("mtime_ns", pa.int64()),
        pa.field("inode", pa.uint64()),
        pa.field("etag", pa.string()),
        pa.field("sha256", pa.string()),
        pa.field("width", pa.int32()),
        pa.field("height", pa.int32()),
        pa.field("exif_ignored", pa.int32()),
        pa.field("status", pa.string(), nullable=False),
        pa.field("error_kind", pa.string()),
        pa.field("error", pa.string()),
        *(pa.field(name, pa.float32()) for name in seconds),
        pa.field("finished", pa.timestamp("us", "UTC"), nullable=False),
        pa.field("run", pa.string(), nullable=False),
        pa.field("digest", pa.string()),
        pa.field("thumbnail", pa.binary()),
    ]


def results_first(names: Iterable[str]) -> list[str]:
    """Return names of columns, those of classes and of what was found before those of files.

    Examples
    --------
    >>> results_first(["source", "name", "mean_confidence", "road"])
    ['road', 'mean_confidence', 'name', 'source']
    """
    given = list(dict.fromkeys(names))
    ranks = {name: rank for rank, name in enumerate(_READ_FIRST)}
    return sorted(given, key=lambda name: ranks.get(name, len(ranks) if name in _RESERVED else -1))


def class_columns(classes: Sequence[str]) -> dict[str, str]:
    """Return class name → the name of its column; a reserved name is prefixed ``class:``.

    Examples
    --------
    >>> class_columns(["road", "width"])
    {'road': 'road', 'width': 'class:width'}
    """
    reserved = {*_RESERVED, *(f"class:{name}" for name in _RESERVED & {*classes})}
    return {name: f"class:{name}" if name in reserved else name for name in classes}


def schema_of(fields: Sequence[Any], about: str) -> Any:
    """Return a schema whose metadata say what it is.

    Parameters
    ----------
    fields : sequence of pyarrow.Field
        Of the task, beside those of :func:`base_fields`.
    about : str
        JSON: ``format``, and what the columns mean.
    """
    return arrow().schema([*base_fields(), *fields], {_METADATA: about.encode()})


def read_metadata(schema: Any, name: str) -> Mapping[str, Any]:
    """Return what the metadata of a schema say.

    Raises
    ------
    InvalidArgumentError
        If it is not of a part of ours, or of a newer version.
    """
    text = (schema.metadata or {}).get(_METADATA)
    if text is None:
        raise InvalidArgumentError(f"{name}: a Parquet file, but not one of predictions")
    about = decoded_json(text, name, InvalidArgumentError)
    if not isinstance(about, dict):
        raise InvalidArgumentError(f"{name}: its metadata are not those of predictions")
    refuse_newer(about.get("format"), name)
    return about


def refuse_newer(found: object, name: str) -> None:
    """Raise InvalidArgumentError unless *found* is the format of this version or an older one."""
    kind, _, number = str(found).partition("/")
    if kind != FORMAT.partition("/")[0] or not number.isdecimal():
        raise InvalidArgumentError(f'{name}: expected "format": "{FORMAT}", got {found!r:.80}')
    if int(number) > VERSION:
        raise InvalidArgumentError(
            f"{name}: written in version {number} of the format, this package reads up to version "
            f"{VERSION}; install a newer one: pip install --upgrade wasinn-nb"
        )
