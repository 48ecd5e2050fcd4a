"""pyarrow, which the extra ``predict`` installs."""

from __future__ import annotations

import functools
from typing import Any

from wasinn_nb.errors import Remedy, UnsupportedOperationError

__all__ = ["arrow", "parquet"]


@functools.cache
def arrow() -> Any:
    """Return the module `pyarrow`.

    Raises
    ------
    UnsupportedOperationError
        If it is not installed.
    """
    try:
        import pyarrow as pa
    except ModuleNotFoundError as error:
        raise UnsupportedOperationError(
            "predictions of many images are kept in Parquet files, for which pyarrow is missing",
            remedy=Remedy("install it with: pip install 'wasinn-nb[predict]'"),
        ) from error
    # Its threads and its pool of memory stay as they are: other code here may use them, too.
    return pa


@functools.cache
def parquet() -> Any:
    """Return the module `pyarrow.parquet`; errors as of :func:`arrow`."""
    arrow()
    import pyarrow.parquet as pq

    return pq
