"""Reading ``.tensor`` and ``.npy`` files."""

from __future__ import annotations

import io
import math
import os
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from wasinn_nb.abi import TensorType
from wasinn_nb.errors import Remedy, TensorError, TensorFileError
from wasinn_nb.files import existing_file, expanded
from wasinn_nb.tensor.shapes import (
    checked_dimensions,
    checked_type,
    guessed_signature,
    named_signature,
    signature_text,
)
from wasinn_nb.tensor.sidecar import read_sidecar, sidecar_path
from wasinn_nb.tensor.value import Tensor
from wasinn_nb.transaction import settle
from wasinn_nb.wording import counted

__all__ = ["read_tensor"]

_NAME_IT: Final = "name it like output-1x4x512x896xf32.tensor, keep its sidecar beside it, or"
_STATE_IT: Final = Remedy(
    f"{_NAME_IT} pass dimensions and type",
    command=f"{_NAME_IT} add --shape 1x4x512x896 --type f32, or --model NAME",
)

# Smaller files are read: what is in memory stays as it is when the file is written to or truncated.
_MAP_FROM_BYTES: Final = 1 << 28


def read_tensor(
    path: str | os.PathLike[str],
    dimensions: Iterable[int] | None = None,
    type: TensorType | str | np.dtype[Any] | None = None,
    *,
    verify: bool = True,
) -> Tensor:
    """Read a ``.tensor`` (raw bytes) or ``.npy`` file.

    Dimensions and type come from the file's name (``…-1x4x512x896xf32.tensor``), from its sidecar
    (``….tensor.json``) and from the arguments.  One source is enough; all that state something must
    agree, with each other and with the number of bytes.  Where they state nothing, a name such as
    ``tensor-1x224x224x3-f32.bgr`` counts.

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
        If nothing states the shape, two sources disagree, or the byte count does not fit them.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "out-2x2xu8.tensor").write_bytes(b"abc")
    >>> wn.read_tensor(folder / "out-2x2xu8.tensor")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.TensorFileError: out-2x2xu8.tensor: 2x2xu8 takes 4 bytes, the file has 3
    >>> wn.read_tensor(folder / "out-2x2xu8.tensor", [3])
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.TensorFileError: out-2x2xu8.tensor: dimensions 2x2 in the name,
    but 3 in the arguments; correct one of them
    """
    settle(expanded(path).parent, sidecar_path(path).name)
    found = existing_file(path, "tensor")
    claims: list[tuple[str, tuple[int, ...] | None, TensorType | None]] = []
    try:
        given_dims = None if dimensions is None else checked_dimensions(dimensions)
        given_type = None if type is None else checked_type(type)
    except TensorError as error:
        raise TensorFileError(f"{found.name}: {error}") from error
    if found.suffix == ".npy":
        array = _read_npy(found)
        claims += [("the file", array.shape, TensorType.from_dtype(array.dtype))]
        claims += [("the arguments", given_dims, given_type)]
        _agree(found, claims)
        return Tensor.adopt(array.shape, array.dtype, array)
    if (named := named_signature(found)) is not None:
        claims += [("the name", *named)]
    sidecar = read_sidecar(found)
    if sidecar is not None:
        claims += [("the sidecar", sidecar["dimensions"], sidecar["type"])]
    claims += [("the arguments", given_dims, given_type)]
    if all(dims is None for _, dims, _ in claims) and (guess := guessed_signature(found)):
        claims.append(("the name", *guess))
    dims, type_ = _agree(found, claims)
    needed, size = math.prod(dims) * type_.itemsize, found.stat().st_size
    if needed != size:
        raise TensorFileError(
            f"{found.name}: {signature_text(dims, type_)} takes {counted(needed, 'byte')}, "
            f"the file has {size}"
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


def _agree(
    path: Path, claims: Sequence[tuple[str, tuple[int, ...] | None, TensorType | None]]
) -> tuple[tuple[int, ...], TensorType]:
    """Return the dimensions and the type that all *claims* agree on."""
    dims = [
        (source, signature_text(d, None) or "()", d) for source, d, _ in claims if d is not None
    ]
    types = [(source, t.suffix, t) for source, _, t in claims if t is not None]
    for what, stated in (("dimensions", dims), ("type", types)):
        if not stated:
            raise TensorFileError(f"{path.name}: nothing says its {what}", remedy=_STATE_IT)
        (first, text, value), *others = stated
        for source, other_text, other in others:
            if other != value:
                raise TensorFileError(
                    f"{path.name}: {what} {text} in {first}, but {other_text} in {source}; "
                    f"correct one of them"
                )
    return dims[0][2], types[0][2]


def _read_npy(path: Path) -> NDArray[Any]:
    try:
        array, ends, size = _npy_array(path)
        type_ = TensorType.from_dtype(array.dtype)
    except (ValueError, EOFError, OSError, OverflowError, MemoryError) as error:
        raise TensorFileError(f"{path.name}: not a .npy file to read here: {error}") from error
    if ends != size:
        raise TensorFileError(
            f"{path.name}: {signature_text(array.shape, type_)} and its header take {ends} bytes, "
            f"the file has {size}"
        )
    return np.array(array, dtype=type_.dtype, order="C", copy=None)


def _npy_array(path: Path) -> tuple[NDArray[Any], int, int]:
    """Return the array of a file, where it ends there, and the file's size, both in bytes."""
    size = path.stat().st_size
    if size >= _MAP_FROM_BYTES:
        mapped = np.lib.format.open_memmap(path, mode="r")
        return mapped, mapped.offset + mapped.nbytes, size
    # Not mapped: another process that writes the file meanwhile would end this one.
    content = io.BytesIO(path.read_bytes())
    array = np.lib.format.read_array(content, allow_pickle=False)
    return array, content.tell(), len(content.getbuffer())
