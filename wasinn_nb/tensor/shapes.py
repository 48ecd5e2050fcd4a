"""Dimensions and types of tensors: checked, as text, and as file names carry them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import numpy as np

from wasinn_nb.abi import TensorType
from wasinn_nb.errors import TensorError

__all__ = [
    "checked_dimensions",
    "checked_type",
    "guessed_signature",
    "named_signature",
    "signature_text",
]

_SIGNATURE: Final = re.compile(
    r"(?:^|[-_.])(?P<dims>\d{1,19}(?:x\d{1,19})*)x(?P<type>f16|f32|f64|u8|i8|i32|i64)$"
)

# As in the tutorials of WASI-NN: tensor-1x224x224x3-f32.bgr.
_GUESSED: Final = re.compile(
    r"(?:^|[-_.])(?P<dims>\d{1,19}(?:x\d{1,19})+)[-_x](?P<type>f16|f32|f64|u8|i8|i32|i64)$"
)


def signature_text(dimensions: tuple[int, ...], type_: TensorType | None) -> str:
    """Return dimensions and type as file names carry them: ``1x3x512x896xf32``."""
    return "x".join([*map(str, dimensions), *([type_.suffix] if type_ is not None else [])])


def named_signature(path: Path) -> tuple[tuple[int, ...], TensorType] | None:
    """Return the dimensions and type that the name of a ``.tensor`` file carries."""
    match = _SIGNATURE.search(path.name.removesuffix(".tensor"))
    if match is None:
        return None
    return tuple(int(dim) for dim in match["dims"].split("x")), TensorType.parse(match["type"])


def guessed_signature(path: Path) -> tuple[tuple[int, ...], TensorType] | None:
    """Return what the name of a raw dump of any suffix, or of none, says of its tensor.

    Examples
    --------
    >>> guessed_signature(Path("tensor-1x224x224x3-f32.bgr"))
    ((1, 224, 224, 3), <TensorType.F32: 1>)
    """
    match = _GUESSED.search(path.name) or _GUESSED.search(path.stem)
    if match is None:
        return None
    return tuple(int(dim) for dim in match["dims"].split("x")), TensorType.parse(match["type"])


def checked_dimensions(dimensions: object) -> tuple[int, ...]:
    """Return dimensions as a tuple of Python's integers.

    Raises
    ------
    TensorError
        If they are not whole numbers of 0 or more.
    """
    try:
        dims: tuple[Any, ...] = tuple(dimensions)  # type: ignore[arg-type]
    except TypeError:
        raise TensorError(
            f"expected dimensions such as (1, 3, 512, 896), got {dimensions!r}"
        ) from None
    for dim in dims:
        if isinstance(dim, bool) or not isinstance(dim, int | np.integer) or dim < 0:
            raise TensorError(
                f"expected whole dimensions of 0 or more, got {dim!r:.80} in {dims!r:.120}"
            )
    return tuple(int(dim) for dim in dims)


def checked_type(type_: object) -> TensorType:
    """Return the tensor type that a name or a dtype means.

    Raises
    ------
    TensorError
        If it means none.
    """
    try:
        return TensorType.parse(type_)  # type: ignore[arg-type]
    except ValueError as error:
        raise TensorError(str(error)) from error
