"""The tensor itself, and how it is written to a file."""

from __future__ import annotations

import hashlib
import math
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wasinn_nb.abi import TensorType
from wasinn_nb.arrays import AsArray
from wasinn_nb.errors import TensorError, TensorFileError
from wasinn_nb.files import expanded
from wasinn_nb.tensor.shapes import (
    checked_dimensions,
    checked_type,
    named_signature,
    signature_text,
)
from wasinn_nb.tensor.sidecar import sidecar_path, tensor_files
from wasinn_nb.transaction import atomic, write_files
from wasinn_nb.wording import counted

__all__ = ["Tensor"]


class Tensor(AsArray):
    """An immutable tensor: dimensions, element type and little-endian bytes in C order.

    `numpy.asarray` gives what :meth:`to_array` does.

    Parameters
    ----------
    dimensions : iterable of int
        Each 0 or more.
    type : TensorType, str or dtype
        ``TensorType.F32``, ``"f32"`` and ``np.float32`` mean the same.
    data : bytes-like or array
        The elements' bytes, or an array of the dtype of *type*.  `bytes` are used as they are;
        data that could still change are copied.

    Attributes
    ----------
    dimensions : tuple of int
    type : TensorType
    data : memoryview
        Read-only bytes.

    Raises
    ------
    TensorError
        If the product of *dimensions* times the item size is not the number of bytes.

    Examples
    --------
    >>> tensor = wn.Tensor((1, 3), "u8", b"abc")
    >>> tensor
    Tensor(1x3xu8, 3 bytes)
    >>> tensor.to_array()
    array([[97, 98, 99]], dtype=uint8)
    >>> wn.Tensor((1, 4), "u8", b"abc")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.TensorError: a 1x4xu8 tensor takes 4 bytes, got 3
    """

    __slots__ = ("_bytes", "dimensions", "type")
    __array_priority__ = 0
    dimensions: tuple[int, ...]
    type: TensorType
    _bytes: NDArray[np.uint8]

    def __init__(
        self,
        dimensions: Iterable[int],
        type: TensorType | str | np.dtype[Any],
        data: bytes | bytearray | memoryview | NDArray[Any],
    ) -> None:
        type_ = checked_type(type)
        flat = _flat_bytes(data, type_)
        if not isinstance(data, bytes):
            flat = np.frombuffer(flat.tobytes(), np.uint8)
        self._build(checked_dimensions(dimensions), type_, flat)

    def _build(
        self, dimensions: tuple[int, ...], type_: TensorType, flat: NDArray[np.uint8]
    ) -> None:
        needed = math.prod(dimensions) * type_.itemsize
        if flat.nbytes != needed:
            raise TensorError(
                f"a {signature_text(dimensions, type_)} tensor takes {counted(needed, 'byte')}, "
                f"got {flat.nbytes}"
            )
        try:
            flat.view(type_.dtype).reshape(dimensions)
        except ValueError as error:  # more than 64 dimensions, or 0 times something huge
            raise TensorError(
                f"NumPy cannot shape a {signature_text(dimensions, type_):.120} tensor: {error}"
            ) from error
        object.__setattr__(self, "dimensions", dimensions)
        object.__setattr__(self, "type", type_)
        object.__setattr__(self, "_bytes", flat)

    @classmethod
    def adopt(
        cls, dimensions: Iterable[int], type: TensorType | str | np.dtype[Any], data: Any
    ) -> Tensor:
        """Make a tensor around *data* without a copy.

        Nothing may write to *data* from then on.

        Parameters
        ----------
        dimensions, type, data
            As for the constructor; so are the errors.
        """
        self = cls.__new__(cls)
        type_ = checked_type(type)
        self._build(checked_dimensions(dimensions), type_, _flat_bytes(data, type_))
        return self

    @classmethod
    def from_array(cls, array: ArrayLike) -> Tensor:
        """Make a tensor from an array of any layout; the values are copied.

        Raises
        ------
        TensorError
            If WASI-NN has no type for the array's dtype.

        Examples
        --------
        >>> wn.Tensor.from_array(np.zeros((1, 4, 2, 2), np.float32)).signature
        '1x4x2x2xf32'
        """
        try:
            source = np.asarray(array)
        except ValueError as error:  # rows of different lengths
            raise TensorError(f"expected an array: {error}") from error
        type_ = checked_type(source.dtype)
        return cls.adopt(source.shape, type_, np.array(source, dtype=type_.dtype, order="C"))

    def to_array(self) -> NDArray[Any]:
        """Return a read-only array of these dimensions over the tensor's own bytes (no copy)."""
        return self._bytes.view(self.type.dtype).reshape(self.dimensions)

    _as_array = to_array

    @property
    def data(self) -> memoryview:
        """The elements' bytes, read-only."""
        return self._bytes.data

    @property
    def nbytes(self) -> int:
        """The number of bytes."""
        return self._bytes.nbytes

    @property
    def signature(self) -> str:
        """Dimensions and type as ``.tensor`` file names carry them: ``1x4x512x896xf32``."""
        return signature_text(self.dimensions, self.type)

    def sha256(self) -> str:
        """Return the SHA-256 of the bytes, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    def write(
        self, path: str | os.PathLike[str], *, metadata: Mapping[str, object] | None = None
    ) -> Path:
        """Write the tensor to *path*: ``.npy``, or raw bytes with a JSON sidecar.

        Both files appear whole or not at all, and together.

        Parameters
        ----------
        path : path-like
            For ``.npy`` NumPy's format.  Otherwise the raw bytes go to *path* and dimensions, type
            and SHA-256 to ``path + ".json"``.
        metadata : mapping, optional
            What else the sidecar states: recipe, model, target, precision, versions.  It must
            be JSON values.

        Returns
        -------
        Path
            The file with the data.

        Raises
        ------
        TensorFileError
            If the name of *path* states other dimensions or another type, or *metadata* cannot be
            written as JSON.
        """
        path = expanded(path)
        if path.suffix == ".npy":
            if metadata:
                raise TensorFileError(f"{path.name}: .npy keeps no metadata; write a .tensor file")
            with atomic(path) as temporary, temporary.open("wb") as file:
                np.save(file, self.to_array(), allow_pickle=False)
            return path
        named = named_signature(path)
        if named is not None and named != (self.dimensions, self.type):
            raise TensorFileError(
                f"the name {path.name} states {signature_text(*named)}, the tensor is "
                f"{self.signature}; rename the file, or leave the dimensions out of its name"
            )
        files = tensor_files(path.name, self, metadata or {})
        sidecar = sidecar_path(path).name
        write_files(path.parent, sidecar, files.pop(sidecar), files)
        return path

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Tensor):
            return NotImplemented
        same_shape = self.dimensions == other.dimensions and self.type is other.type
        return same_shape and bool(np.array_equal(self._bytes, other._bytes))

    def __hash__(self) -> int:
        return hash((self.dimensions, self.type, self.sha256()))

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"a Tensor is immutable; make a new one to change {name!r}")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"a Tensor is immutable; {name!r} cannot be deleted")

    def __reduce__(self) -> tuple[Any, ...]:
        return Tensor, (self.dimensions, self.type, self._bytes.tobytes())

    def __repr__(self) -> str:
        return f"Tensor({self.signature}, {counted(self.nbytes, 'byte')})"


def _flat_bytes(data: object, type_: TensorType) -> NDArray[np.uint8]:
    """Return the bytes of *data* as a flat uint8 array, read-only for good, without a copy."""
    if isinstance(data, np.ndarray):
        if data.dtype not in (type_.dtype, np.uint8):
            raise TensorError(
                f"expected data of dtype {type_.dtype} or bytes, got an array of {data.dtype}; "
                f"convert it, or use Tensor.from_array"
            )
        if not data.flags.c_contiguous:
            raise TensorError("expected a C-contiguous array as data; use Tensor.from_array")
        data = data.reshape(-1).view(np.uint8)
    try:
        view = memoryview(data)  # type: ignore[arg-type]
        # An empty view with a 0 in its shape cannot be cast.
        return np.frombuffer(view.toreadonly().cast("B") if view.nbytes else b"", np.uint8)
    except (TypeError, ValueError) as error:
        raise TensorError(
            f"expected bytes as data, got {data.__class__.__name__}: {error}"
        ) from error
