"""Tensors as WASI-NN hands them over: dimensions, a type, bytes; and the files they go to."""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from wasinn_nb.abi import TensorType
from wasinn_nb.errors import TensorError, TensorFileError
from wasinn_nb.files import atomic, existing_file, expanded

__all__ = ["Tensor", "read_sidecar", "read_tensor", "sidecar_path"]

SIDECAR_FORMAT: Final = "wasinn_nb.tensor/1"
_MAX_SIDECAR_BYTES: Final = 1 << 20
# Smaller files are read: what is in memory stays as it is when the file is written to or truncated.
_MAP_FROM_BYTES: Final = 1 << 28
_SIGNATURE = re.compile(
    r"(?:^|[-_.])(?P<dims>\d{1,19}(?:x\d{1,19})*)x(?P<type>f16|f32|f64|u8|i8|i32|i64)$"
)


class Tensor:
    """An immutable tensor: dimensions, element type and little-endian bytes in C order.

    Parameters
    ----------
    dimensions : iterable of int
        Each 0 or more.
    type : TensorType, str or dtype
        ``TensorType.F32``, ``"f32"`` and ``np.float32`` mean the same.
    data : bytes-like or array
        The elements' bytes, or an array of the dtype of *type*.  `bytes` are taken as they are;
        what could still change is copied.

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
    >>> tensor = Tensor((1, 3), "u8", b"abc")
    >>> tensor
    Tensor(1x3xu8, 3 bytes)
    >>> tensor.to_array()
    array([[97, 98, 99]], dtype=uint8)
    >>> Tensor((1, 4), "u8", b"abc")
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
        type_ = _checked_type(type)
        flat = _flat_bytes(data, type_)
        if not isinstance(data, bytes):
            flat = np.frombuffer(flat.tobytes(), np.uint8)
        self._build(_checked_dimensions(dimensions), type_, flat)

    def _build(
        self, dimensions: tuple[int, ...], type_: TensorType, flat: NDArray[np.uint8]
    ) -> None:
        needed = math.prod(dimensions) * type_.itemsize
        if flat.nbytes != needed:
            raise TensorError(
                f"a {_signature(dimensions, type_)} tensor takes {needed} bytes, got {flat.nbytes}"
            )
        try:
            flat.view(type_.dtype).reshape(dimensions)
        except ValueError as error:  # more than 64 dimensions, or 0 times something huge
            raise TensorError(
                f"NumPy cannot shape a {_signature(dimensions, type_):.120} tensor: {error}"
            ) from error
        object.__setattr__(self, "dimensions", dimensions)
        object.__setattr__(self, "type", type_)
        object.__setattr__(self, "_bytes", flat)

    @classmethod
    def adopt(
        cls, dimensions: Iterable[int], type: TensorType | str | np.dtype[Any], data: Any
    ) -> Tensor:
        """Make a tensor around *data* without a copy.

        The caller promises that nothing will write to *data* any more.  Parameters and errors are
        those of the constructor.
        """
        self = cls.__new__(cls)
        type_ = _checked_type(type)
        self._build(_checked_dimensions(dimensions), type_, _flat_bytes(data, type_))
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
        >>> Tensor.from_array(np.zeros((1, 4, 2, 2), np.float32)).signature
        '1x4x2x2xf32'
        """
        try:
            source = np.asarray(array)
        except ValueError as error:  # rows of different lengths
            raise TensorError(f"expected an array: {error}") from error
        type_ = _checked_type(source.dtype)
        return cls.adopt(source.shape, type_, np.array(source, dtype=type_.dtype, order="C"))

    def to_array(self) -> NDArray[Any]:
        """Return a read-only array of these dimensions over the tensor's own bytes (no copy)."""
        return self._bytes.view(self.type.dtype).reshape(self.dimensions)

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
        return _signature(self.dimensions, self.type)

    def sha256(self) -> str:
        """Return the SHA-256 of the bytes, in hexadecimal."""
        return hashlib.sha256(self.data).hexdigest()

    def write(
        self, path: str | os.PathLike[str], *, metadata: Mapping[str, object] | None = None
    ) -> Path:
        """Write the tensor to *path*: ``.npy``, or raw bytes with a JSON sidecar.

        Both files appear whole or not at all.

        Parameters
        ----------
        path : path-like
            For ``.npy`` NumPy's format.  Otherwise the raw bytes go to *path* and dimensions, type
            and SHA-256 to ``path + ".json"``.
        metadata : mapping, optional
            What else the sidecar shall say: recipe, model, target, precision, versions.  It must
            be JSON.

        Returns
        -------
        Path
            The file with the data.

        Raises
        ------
        TensorFileError
            If the name of *path* says other dimensions or another type, or *metadata* is no JSON.
        """
        path = expanded(path)
        if path.suffix == ".npy":
            if metadata:
                raise TensorFileError(f"{path.name}: .npy keeps no metadata; write a .tensor file")
            with atomic(path) as temporary, temporary.open("wb") as file:
                np.save(file, self.to_array(), allow_pickle=False)
            return path
        named = _signature_in(path)
        if named is not None and named != (self.dimensions, self.type):
            raise TensorFileError(
                f"the name {path.name} says {_signature(*named)}, the tensor is {self.signature}; "
                f"rename the file, or leave the dimensions out of its name"
            )
        clash = {"format", "dimensions", "type", "bytes", "sha256"} & set(metadata or {})
        if clash:
            raise TensorFileError(f"the sidecar says {', '.join(sorted(clash))} itself; rename it")
        said = {
            "format": SIDECAR_FORMAT,
            "dimensions": list(self.dimensions),
            "type": self.type.suffix,
            "bytes": self.nbytes,
            "sha256": self.sha256(),
            **(metadata or {}),
        }
        try:
            text = json.dumps(said, indent=2, allow_nan=False) + "\n"
        except (TypeError, ValueError) as error:
            raise TensorFileError(f"the metadata for {path.name} is no JSON: {error}") from error
        with atomic(sidecar_path(path)) as sidecar, atomic(path) as raw:
            sidecar.write_text(text, encoding="utf-8")
            with raw.open("wb") as file:
                self._bytes.tofile(file)
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
        return f"Tensor({self.signature}, {self.nbytes} bytes)"


def read_tensor(
    path: str | os.PathLike[str],
    dimensions: Iterable[int] | None = None,
    type: TensorType | str | np.dtype[Any] | None = None,
    *,
    verify: bool = True,
) -> Tensor:
    """Read a ``.tensor`` (raw bytes) or ``.npy`` file.

    Dimensions and type come from the file's name (``…-1x4x512x896xf32.tensor``), from its sidecar
    (``….tensor.json``) and from the arguments.  One source is enough; all that speak must agree,
    with each other and with the number of bytes.

    Parameters
    ----------
    path : path-like
    dimensions : iterable of int, optional
    type : TensorType, str or dtype, optional
    verify : bool
        Compare the data with the sidecar's SHA-256, where there is one.  ``False`` saves reading a
        huge file.

    Returns
    -------
    Tensor
        Of 256 MiB or more, memory-mapped: the data are read from disk when they are used, and the
        file must stay as it is until then.

    Raises
    ------
    MissingFileError
        If there is no such file.
    TensorFileError
        If nothing tells the shape, two sources disagree, or the byte count is not what they say.

    Examples
    --------
    >>> import tempfile
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "out-2x2xu8.tensor").write_bytes(b"abc")
    >>> read_tensor(folder / "out-2x2xu8.tensor")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.TensorFileError: out-2x2xu8.tensor: 2x2xu8 takes 4 bytes, the file has 3
    >>> read_tensor(folder / "out-2x2xu8.tensor", [3])
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.TensorFileError: out-2x2xu8.tensor: the name says dimensions 2x2, the
    arguments say 3
    """
    found = existing_file(path, "tensor")
    said: list[tuple[str, tuple[int, ...] | None, TensorType | None]] = []
    try:
        given_dims = None if dimensions is None else _checked_dimensions(dimensions)
        given_type = None if type is None else _checked_type(type)
    except TensorError as error:
        raise TensorFileError(f"{found.name}: {error}") from error
    if found.suffix == ".npy":
        array = _read_npy(found)
        said += [("the file", array.shape, TensorType.from_dtype(array.dtype))]
        said += [("the arguments", given_dims, given_type)]
        _agree(found, said)
        return Tensor.adopt(array.shape, array.dtype, array)
    if (named := _signature_in(found)) is not None:
        said += [("the name", *named)]
    sidecar = read_sidecar(found)
    if sidecar is not None:
        said += [("the sidecar", sidecar["dimensions"], sidecar["type"])]
    said += [("the arguments", given_dims, given_type)]
    dims, type_ = _agree(found, said)
    needed, size = math.prod(dims) * type_.itemsize, found.stat().st_size
    if needed != size:
        raise TensorFileError(
            f"{found.name}: {_signature(dims, type_)} takes {needed} bytes, the file has {size}"
        )
    raw = np.memmap(found, np.uint8, mode="r") if size >= _MAP_FROM_BYTES else found.read_bytes()
    tensor = Tensor.adopt(dims, type_, raw)
    if verify and sidecar is not None and tensor.sha256() != sidecar["sha256"]:
        raise TensorFileError(
            f"{found.name}: the data have SHA-256 {tensor.sha256()[:16]}…, the sidecar says "
            f"{sidecar['sha256'][:16]}…; the file was changed after its sidecar was written "
            f"(delete {sidecar_path(found).name} if that was intended)"
        )
    return tensor


def read_sidecar(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Return what the sidecar of the ``.tensor`` file at *path* says, or None where there is none.

    ``dimensions`` is a tuple and ``type`` a `TensorType`; the rest is as in the JSON.

    Parameters
    ----------
    path : path
        Of the ``.tensor`` file, not of its sidecar.

    Raises
    ------
    TensorFileError
        If the sidecar is not what :meth:`Tensor.write` writes.
    """
    sidecar = sidecar_path(path)
    if not sidecar.is_file():
        return None
    if sidecar.stat().st_size > _MAX_SIDECAR_BYTES:
        raise TensorFileError(f"{sidecar.name}: larger than {_MAX_SIDECAR_BYTES} bytes; no sidecar")
    try:
        said = json.loads(sidecar.read_text(encoding="utf-8"))
        if not isinstance(said, dict) or said.get("format") != SIDECAR_FORMAT:
            raise ValueError(f'expected a JSON object with "format": "{SIDECAR_FORMAT}"')
        if not isinstance(said.get("sha256"), str):
            raise ValueError('expected "sha256" as text')
        dims, type_ = _checked_dimensions(said.get("dimensions")), _checked_type(said.get("type"))
        needed = math.prod(dims) * type_.itemsize
        if said.get("bytes", needed) != needed:
            raise ValueError(
                f"{_signature(dims, type_)} takes {needed} bytes, it says {said['bytes']!r:.80}"
            )
        return said | {"dimensions": dims, "type": type_}
    except (ValueError, RecursionError) as error:
        raise TensorFileError(f"{sidecar.name}: {error}") from error


def sidecar_path(path: str | os.PathLike[str]) -> Path:
    """Return where the sidecar of the ``.tensor`` file at *path* lies."""
    path = Path(path)
    return path.with_name(path.name + ".json")


def _agree(
    path: Path, said: list[tuple[str, tuple[int, ...] | None, TensorType | None]]
) -> tuple[tuple[int, ...], TensorType]:
    """Return the dimensions and type that all sources in *said* agree on."""
    dims = [(source, _signature(d, None) or "()", d) for source, d, _ in said if d is not None]
    types = [(source, t.suffix, t) for source, _, t in said if t is not None]
    for what, claims in (("dimensions", dims), ("type", types)):
        if not claims:
            raise TensorFileError(
                f"{path.name}: nothing says its {what}; name it like "
                f"output-1x4x512x896xf32.tensor, keep its sidecar beside it, or pass "
                f"dimensions and type"
            )
        (first, told, value), *others = claims
        for source, differently, other in others:
            if other != value:
                raise TensorFileError(
                    f"{path.name}: {first} says {what} {told}, {source} say"
                    f"{'' if source.endswith('s') else 's'} {differently}"
                )
    return dims[0][2], types[0][2]


def _read_npy(path: Path) -> NDArray[Any]:
    try:
        array = np.lib.format.open_memmap(path, mode="r")
        type_ = TensorType.from_dtype(array.dtype)
    except (ValueError, EOFError, OSError, OverflowError, MemoryError) as error:
        raise TensorFileError(f"{path.name}: not a .npy file to read here: {error}") from error
    ends, size = array.offset + array.nbytes, path.stat().st_size
    if ends != size:
        raise TensorFileError(
            f"{path.name}: {_signature(array.shape, type_)} and its header take {ends} bytes, "
            f"the file has {size}"
        )
    # A copy, unless the file is huge and lies as a tensor does.
    copy = None if array.nbytes >= _MAP_FROM_BYTES else True
    return np.array(array, dtype=type_.dtype, order="C", copy=copy)


def _signature_in(path: Path) -> tuple[tuple[int, ...], TensorType] | None:
    """Return the dimensions and type that the name of a ``.tensor`` file carries."""
    match = _SIGNATURE.search(path.name.removesuffix(".tensor"))
    if match is None:
        return None
    return tuple(int(dim) for dim in match["dims"].split("x")), TensorType.parse(match["type"])


def _signature(dimensions: tuple[int, ...], type_: TensorType | None) -> str:
    return "x".join([*map(str, dimensions), *([type_.suffix] if type_ is not None else [])])


def _checked_dimensions(dimensions: object) -> tuple[int, ...]:
    try:
        dims: tuple[Any, ...] = tuple(dimensions)  # type: ignore[arg-type]
    except TypeError:
        raise TensorError(
            f"expected dimensions such as (1, 3, 512, 896), got {dimensions!r}"
        ) from None
    for dim in dims:
        if isinstance(dim, bool) or not isinstance(dim, int | np.integer) or dim < 0:
            raise TensorError(f"expected whole dimensions of 0 or more, got {dim!r} in {dims!r}")
    return tuple(int(dim) for dim in dims)


def _checked_type(type_: object) -> TensorType:
    try:
        return TensorType.parse(type_)  # type: ignore[arg-type]
    except ValueError as error:
        raise TensorError(str(error)) from error


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
