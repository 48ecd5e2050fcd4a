"""What NumPy takes as one array."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

__all__ = ["AsArray"]


class AsArray:
    """A value that is one array, for `numpy.asarray` and what calls it, such as ``plt.imshow``.

    Examples
    --------
    >>> class Row(AsArray):
    ...     def _as_array(self):
    ...         return np.array([1, 2], np.uint8)
    >>> np.asarray(Row()), np.asarray(Row(), np.float32)
    (array([1, 2], dtype=uint8), array([1., 2.], dtype=float32))
    """

    __slots__ = ()

    def _as_array(self) -> NDArray[Any]:
        """Return the array, which may be read-only."""
        raise NotImplementedError

    @property
    def __array_interface__(self) -> Any:
        # NumPy passes over it; `PIL.Image.fromarray` asks for it, and then for a buffer.
        raise AttributeError(
            f"{type(self).__name__} is not a buffer: pass numpy.asarray of it, which is an array"
        )

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> NDArray[Any]:
        """Return the array, by NumPy's protocol.

        Parameters
        ----------
        dtype : dtype, optional
            Default: the array's own.
        copy : bool, optional
            Default: only where *dtype* is another one.

        Raises
        ------
        ValueError
            If *copy* is False, and *dtype* takes a copy.
        """
        array = self._as_array()
        if dtype is None or np.dtype(dtype) == array.dtype:
            return array.copy() if copy else array
        if copy is False:
            raise ValueError(
                f"{array.dtype} as {np.dtype(dtype)} takes a copy: leave copy=False out"
            )
        return array.astype(dtype)
