"""Rows of a run, read by columns, by batches, or one at a time; nothing is read twice or early."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.errors import InvalidArgumentError, WasiNnWarning
from wasinn_nb.prediction.arrow import arrow, parquet
from wasinn_nb.prediction.done import identities
from wasinn_nb.prediction.parts import read_part
from wasinn_nb.prediction.schema import read_metadata
from wasinn_nb.prediction.store import Run

__all__ = ["StoredRows", "plain_arrays"]

_BATCH: Final = 256
_NUMBERS: Final = {"double": "<f8", "float": "<f4", "int32": "<i4", "int64": "<i8", "uint64": "<u8"}
_KEPT_GROUPS: Final = 4


class StoredRows:
    """The rows of a run as they were when it was opened.

    Parameters
    ----------
    run : Run

    Attributes
    ----------
    run : Run
    names : tuple of str
        Of the columns.
    temporary : bool
        Whether the store is removed with the last of these rows.
    broken : tuple of str
        What is wrong with parts that cannot be read, one text for each.
    """

    temporary = False

    def __init__(self, run: Run) -> None:
        self.run = run
        self._paths: list[Path] = []
        self._starts = [0]
        broken: list[str] = []
        for path in run.parts():
            try:
                count = _row_count(path)
            except InvalidArgumentError as error:
                broken.append(str(error))
                continue
            self._paths.append(path)
            self._starts.append(self._starts[-1] + count)
        self.broken = tuple(broken)
        for problem in broken:
            warnings.warn(
                f"{problem}; its rows are missing here, and `predict` runs their images again",
                WasiNnWarning,
                stacklevel=4,
            )
        self.names = tuple(run.schema.names)
        self._group = functools.lru_cache(_KEPT_GROUPS)(_read_group)

    def __getstate__(self) -> dict[str, Any]:
        # What was read stays behind.
        return {name: value for name, value in vars(self).items() if name != "_group"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._group = functools.lru_cache(_KEPT_GROUPS)(_read_group)

    def positions(self) -> NDArray[np.int64]:
        """Return the number of each row that counts: of two of one image, that of the later one."""
        everything = np.arange(self._starts[-1], dtype=np.int64)
        if not self.run.unfinished:
            return everything
        table = self.read(("source", "source_bytes"), everything)
        last = {identity: position for position, identity in enumerate(identities(table))}
        return np.array(sorted(last.values()), np.int64)

    def read(self, columns: Sequence[str], positions: NDArray[np.int64]) -> Any:
        """Return columns of rows as a `pyarrow.Table`, in the order of *positions*."""
        lib = arrow()
        schema = self.run.schema
        chosen = lib.schema([schema.field(name) for name in columns])
        parts = [_with_all(read_part(path, columns), chosen) for path in self._paths]
        table = lib.concat_tables(parts) if parts else chosen.empty_table()
        whole = len(positions) == self._starts[-1] and bool((np.diff(positions) == 1).all())
        return table if whole else table.take(positions)

    def rows(
        self, columns: Sequence[str], positions: NDArray[np.int64]
    ) -> Iterator[tuple[int, dict[str, Any]]]:
        """Yield the number of each row and its columns, in the order in which they are stored.

        No more than a few hundred rows are in memory at a time.
        """
        positions = np.sort(positions)
        for path, start, end in zip(self._paths, self._starts, self._starts[1:], strict=False):
            inside = positions[(positions >= start) & (positions < end)] - start
            if len(inside):
                for row, values in _part_rows(path, columns, inside):
                    yield start + row, values

    def row(self, position: int, columns: Sequence[str]) -> dict[str, Any]:
        """Return one row."""
        part = int(np.searchsorted(self._starts, position, side="right")) - 1
        group, start = _group_of(self._paths[part], position - self._starts[part])
        table = self._group(self._paths[part], group, tuple(columns))
        found: dict[str, Any] = table.slice(position - self._starts[part] - start, 1).to_pylist()[0]
        return found


def _with_all(part: Any, schema: Any) -> Any:
    """Return the columns of a schema; those that an older version did not write are null."""
    for field in schema:
        if field.name not in part.column_names:
            part = part.append_column(field, arrow().nulls(len(part), field.type))
    return part.select(schema.names)


def plain_arrays(table: Any) -> dict[str, NDArray[Any]]:
    """Return the columns of numbers and of texts.

    pandas, which is slow to import, is not needed; pyarrow's ``to_numpy`` imports it.

    Parameters
    ----------
    table : pyarrow.Table

    Returns
    -------
    dict of str to array
        Column → float64, NaN where there is no value; or texts, empty where there is none.
    """
    found: dict[str, NDArray[Any]] = {}
    for name in table.column_names:
        column = table.column(name)
        kind = str(column.type)
        if kind in _NUMBERS:
            parts = [_floats(chunk, _NUMBERS[kind]) for chunk in column.chunks]
            found[name] = np.concatenate([np.zeros(0), *parts])
        elif kind == "string":
            texts = ["" if one is None else one for one in column.to_pylist()]
            found[name] = np.array(texts, object)
    return found


def _floats(chunk: Any, kind: str) -> NDArray[np.float64]:
    """Return an array of pyarrow as float64, NaN where there is no value."""
    valid, data = chunk.buffers()
    inside = slice(chunk.offset, chunk.offset + len(chunk))
    values = np.frombuffer(data, kind)[inside].astype(np.float64)
    if chunk.null_count:
        bits = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little")
        values[bits[inside] == 0] = np.nan
    return values


def _row_count(path: Path) -> int:
    lib = arrow()
    try:
        with parquet().ParquetFile(path) as file:
            read_metadata(file.schema_arrow, path.name)
            return int(file.metadata.num_rows)
    except (lib.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InvalidArgumentError(f"{path.name} cannot be read: {reason:.300}") from error


def _part_rows(
    path: Path, columns: Sequence[str], inside: NDArray[np.int64]
) -> Iterator[tuple[int, dict[str, Any]]]:
    lib = arrow()
    start = 0
    try:
        with parquet().ParquetFile(path, page_checksum_verification=True) as file:
            for batch in file.iter_batches(_BATCH, columns=list(columns)):
                rows_here = inside[(inside >= start) & (inside < start + len(batch))] - start
                for row, values in zip(
                    rows_here.tolist(), batch.take(rows_here).to_pylist(), strict=True
                ):
                    yield start + row, values
                start += len(batch)
    except (lib.ArrowException, OSError) as error:
        raise InvalidArgumentError(f"{path.name} cannot be read to its end: {error}") from error


def _group_of(path: Path, row: int) -> tuple[int, int]:
    """Return the row group that has a row of a part, and the first row of that group."""
    metadata = _metadata(path)
    start = 0
    for group in range(metadata.num_row_groups):
        count = int(metadata.row_group(group).num_rows)
        if row < start + count:
            return group, start
        start += count
    raise IndexError(row)


def _metadata(path: Path) -> Any:
    state = path.stat()
    return _kept_metadata(path, state.st_ino, state.st_mtime_ns, state.st_size)


@functools.lru_cache(maxsize=64)
def _kept_metadata(path: Path, *state: int) -> Any:
    del state  # a part that was written anew has other metadata
    return parquet().read_metadata(path)


def _read_group(path: Path, group: int, columns: tuple[str, ...]) -> Any:
    lib = arrow()
    try:
        with parquet().ParquetFile(
            path, metadata=_metadata(path), page_checksum_verification=True
        ) as file:
            return file.read_row_group(group, columns=list(columns))
    except (lib.ArrowException, OSError) as error:
        raise InvalidArgumentError(f"{path.name} cannot be read: {error}") from error
