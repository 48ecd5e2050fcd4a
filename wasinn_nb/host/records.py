"""What a guest lays into its memory for a call: tensors, names and members of enumerations."""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from enum import IntEnum
from typing import Final, TypeVar

from wasinn_nb.abi import Dialect, TensorType
from wasinn_nb.errors import InvalidArgumentError
from wasinn_nb.host.memory import Empty, GuestMemory
from wasinn_nb.tensor import Tensor
from wasinn_nb.wasi_nn import Call

__all__ = ["GivenTensor", "member_of", "tensor_of", "text_of"]

_MAX_NAME: Final = 1024
_MAX_RANK: Final = 32  # NumPy's limit before 2.0
_RECORD: Final = struct.Struct("<IIB3xII")  # dimensions, their count, type, data, their length

Member = TypeVar("Member", bound=IntEnum)


@dataclass(frozen=True, slots=True, eq=False)
class GivenTensor:
    """A tensor of a guest's.

    Attributes
    ----------
    tensor : Tensor
        A copy.
    code : int
        Its type's number, as the guest gives it.
    dialect : Dialect or None
        The numbering of types that the code shows; None where both fit.
    at : int
        Where its data lie.
    """

    tensor: Tensor
    code: int
    dialect: Dialect | None
    at: int


def tensor_of(memory: GuestMemory, record: int, row: Call, empty: Empty) -> GivenTensor:
    """Return the tensor that a record describes.

    Parameters
    ----------
    memory : GuestMemory
    record : int
        Where it lies.
    row : Call
        Gets the facts: ``code``, ``misfit`` where no type fits the data, and ``legacy``.
    empty : callable
        Returns the array for the copy.

    Raises
    ------
    InvalidArgumentError
        If something lies outside of the memory, or no type fits the number of bytes.
    """
    raw = memory.read_bytes(record, _RECORD.size, "the tensor record")
    shape, rank, code, data, nbytes = _RECORD.unpack(raw)
    row.state(code=code)
    memory.check(shape, 4 * rank, f"the tensor's {rank} dimensions")
    if rank > _MAX_RANK:
        raise InvalidArgumentError(f"a tensor has at most {_MAX_RANK} dimensions, got {rank}")
    dimensions = memory.read_u32(shape, rank, "the tensor's dimensions")
    memory.check(data, nbytes, "the tensor's data")
    try:
        kind, dialect = TensorType.from_wire(code, math.prod(dimensions), nbytes)
    except ValueError as error:
        row.state(misfit=1)
        sizes = "x".join(map(str, dimensions)) or "no dimensions"
        raise InvalidArgumentError(f"{sizes}: {error}") from None
    content = memory.read(data, nbytes, "the tensor's data", empty=empty)
    row.state(legacy=dialect is Dialect.LEGACY)
    return GivenTensor(Tensor.adopt(dimensions, kind, content), code, dialect, data)


def member_of(kind: type[Member], value: int) -> Member | int:
    """Return the member of an enumeration, or the number where it has none."""
    return kind(value) if value in kind.__members__.values() else value


def text_of(memory: GuestMemory, pointer: int, length: int, what: str) -> str:
    """Return a text in UTF-8; *what* is its name in an error."""
    memory.check(pointer, length, what)
    if length > _MAX_NAME:
        raise InvalidArgumentError(f"{what} has {length} bytes; expected at most {_MAX_NAME}")
    try:
        return memory.read_bytes(pointer, length, what).decode()
    except UnicodeDecodeError as error:
        raise InvalidArgumentError(f"{what} is not UTF-8: {error.reason}") from None
