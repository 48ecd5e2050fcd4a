"""Parts of a store: Parquet files of some rows, each written once, whole or not at all."""

from __future__ import annotations

import os
import secrets
import time
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.prediction.arrow import arrow, parquet
from wasinn_nb.prediction.schema import HEAVY, read_metadata
from wasinn_nb.transaction import atomic

__all__ = ["Rows", "read_part", "write_part"]

_ROW_GROUP: Final = 128
_MOST_ROWS: Final = 1000
_MOST_ROW_BYTES: Final = 1 << 26
_FIRST_SECONDS: Final = 5.0
_MOST_SECONDS: Final = 60.0


def write_part(folder: Path, table: Any, name: str = "") -> Path:
    """Write rows as a Parquet file that is whole or not there.

    Parameters
    ----------
    folder : Path
    table : pyarrow.Table
    name : str
        Of the file.  Default: a new one, after all that are there.

    Raises
    ------
    UnwritableError
        If it cannot be written.
    """
    path = folder / (name or f"part-{time.time_ns():020d}-{secrets.token_hex(3)}.parquet")
    pixels = {"mask": "NONE", "thumbnail": "NONE"}  # compressed already
    compression = {field.name: pixels.get(field.name, "ZSTD") for field in table.schema}
    with atomic(path) as temporary, temporary.open("wb") as file:
        parquet().write_table(
            table,
            file,
            row_group_size=_ROW_GROUP,
            compression=compression,
            write_page_checksum=True,
        )
        file.flush()
        os.fsync(file.fileno())
    return path


class Rows:
    """Rows that wait to be written: as a part at a time, so that little is lost with a process.

    Parameters
    ----------
    folder : Path
        Where parts go.
    schema : pyarrow.Schema
    """

    def __init__(self, folder: Path, schema: Any) -> None:
        self._folder, self._schema = folder, schema
        self._rows: list[tuple[int, dict[str, Any]]] = []
        self._bytes = 0
        self._patience = _FIRST_SECONDS
        self._since = time.monotonic()

    def add(self, row: dict[str, Any], place: int = 0) -> None:
        """Take a row; those of a part are in the order of their places."""
        if not self._rows:
            self._since = time.monotonic()
        self._rows.append((place, row))
        self._bytes += sum(len(row.get(name) or b"") for name in HEAVY)

    def write_if_due(self) -> None:
        """Write a part where there are 1000 rows, 64 MB, or rows that wait for long."""
        waited = time.monotonic() - self._since
        full = len(self._rows) >= _MOST_ROWS or self._bytes >= _MOST_ROW_BYTES
        if full or (self._rows and waited >= self._patience):
            self.write()

    def write(self) -> None:
        """Write what waits.

        Raises
        ------
        UnwritableError
            If it cannot be written; it waits on.
        """
        if self._rows:
            rows = [row for _, row in sorted(self._rows, key=itemgetter(0))]
            write_part(self._folder, arrow().Table.from_pylist(rows, self._schema))
            self._rows, self._bytes = [], 0
            # The first part comes soon; many small ones would be slow to read.
            self._patience = min(_MOST_SECONDS, self._patience * 2)


def read_part(path: Path, columns: Sequence[str] | None = None) -> Any:
    """Return the rows of a part, all columns or some.

    Raises
    ------
    InvalidArgumentError
        If it is broken, not one of predictions, or of a newer version.
    """
    lib = arrow()
    try:
        with parquet().ParquetFile(path, page_checksum_verification=True) as file:
            read_metadata(file.schema_arrow, path.name)
            names = file.schema_arrow.names
            chosen = None if columns is None else [name for name in columns if name in names]
            return file.read(columns=chosen)
    except (lib.ArrowException, OSError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise InvalidArgumentError(f"{path.name} cannot be read: {reason:.300}") from error
