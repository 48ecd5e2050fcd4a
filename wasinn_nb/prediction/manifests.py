"""Manifests: CSV and Parquet files with a column of paths or URLs, read row by row."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from wasinn_nb.errors import InvalidArgumentError, Remedy
from wasinn_nb.prediction.arrow import arrow, parquet
from wasinn_nb.wording import listed

__all__ = ["MANIFEST_SUFFIXES", "manifest_paths"]

MANIFEST_SUFFIXES: Final = (".csv", ".parquet")
"""How the names of manifests end, in lower case."""

_COLUMNS: Final = ("path", "image", "file", "filename", "file_name", "source", "uri", "url")
"""Names of the column that holds the paths, where nothing names it."""


def manifest_paths(path: Path, column: str | None = None) -> Iterator[str]:
    """Yield the paths or URLs that a manifest lists; rows without one are left out.

    Parameters
    ----------
    path : Path
        A CSV file in UTF-8 whose first row names its columns, or a Parquet file.
    column : str, optional
        Default: the only one, or the one called ``path``, ``image``, ``file``, ``filename``,
        ``file_name``, ``source``, ``uri`` or ``url``.

    Raises
    ------
    InvalidArgumentError
        If it is not such a file, or has no such column.
    """
    read = _csv_rows if path.suffix.lower() == ".csv" else _parquet_rows
    yield from filter(None, read(path, column))


def _csv_rows(path: Path, column: str | None) -> Iterator[str]:
    try:
        # Bytes that are not UTF-8 may be the names of files.
        with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
            rows = csv.reader(file)
            chosen = _chosen(path, next(rows, []), column)
            for row in rows:
                if len(row) > chosen:
                    yield row[chosen]
    except csv.Error as error:
        raise InvalidArgumentError(f"{path} is not a CSV file: {error}") from error


def _parquet_rows(path: Path, column: str | None) -> Iterator[str]:
    lib = arrow()
    try:
        with parquet().ParquetFile(path) as file:
            names = file.schema_arrow.names
            name = names[_chosen(path, names, column)]
            for batch in file.iter_batches(columns=[name]):
                for value in batch.column(0).to_pylist():
                    if value is not None and not isinstance(value, str):
                        raise InvalidArgumentError(
                            f"{path}: expected text in the column {name!r:.80}, got {value!r:.80}"
                        )
                    yield value or ""
    except lib.ArrowInvalid as error:
        raise InvalidArgumentError(f"{path} is not a Parquet file: {error}") from error


def _chosen(path: Path, names: Sequence[str], column: str | None) -> int:
    """Return the index of the column that holds the paths."""
    known = [column] if column is not None else list(_COLUMNS)
    found = [names.index(name) for name in known if name in names]
    if not found and column is None and len(names) == 1:
        return 0
    if not found:
        problem = f"no column {column!r:.80}" if column else "no column that is known to hold paths"
        raise InvalidArgumentError(
            f"{path}: {problem}; it has {listed([*map(str, names)]) or 'none'}",
            remedy=Remedy(
                "name the one with the paths, column=NAME",
                command="name the one with the paths, --column NAME",
            ),
        )
    return found[0]
