"""The sections of a WebAssembly module's bytes, as far as they are needed before it is compiled."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

__all__ = ["FunctionType", "exported_functions", "has_start", "imports_of", "memories"]

_HEADER: Final = 8
_PAGE: Final = 1 << 16
_TYPES, _IMPORTS, _FUNCTIONS, _MEMORIES, _EXPORTS, _START = 1, 2, 3, 5, 7, 8  # sections
_FUNCTION_TYPE, _STRUCT_TYPE, _GROUP = 0x60, 0x5F, 0x4E
_SUBTYPES: Final = {0x50, 0x4F}
_NUMBER_TYPES: Final = {0x7F: "i32", 0x7E: "i64", 0x7D: "f32", 0x7C: "f64"}
_OTHER: Final = "another type"
_FUNCTION, _TABLE, _MEMORY, _GLOBAL, _TAG = range(5)  # what is imported
_NUMBERS: Final = {_FUNCTION: 1, _TABLE: 2, _MEMORY: 1, _GLOBAL: 2, _TAG: 2}
_TYPED_REFERENCES: Final = {0x63, 0x64}


@dataclass(frozen=True, slots=True)
class FunctionType:
    """The type of a function, read without wasmtime, which ends the process at some types.

    Attributes
    ----------
    params, results : tuple of str
        ``i32``, ``i64``, ``f32``, ``f64``, or ``another type``.
    """

    params: tuple[str, ...]
    results: tuple[str, ...]

    @property
    def numeric(self) -> bool:
        """Whether all are numbers."""
        return _OTHER not in {*self.params, *self.results}


def imports_of(wasm: bytes) -> dict[str, FunctionType | None]:
    """Return what a module imports, by ``module.name``; nothing where it is not valid.

    Parameters
    ----------
    wasm : bytes

    Returns
    -------
    dict
        None stands for what is not a function.

    Examples
    --------
    >>> import wasmtime
    >>> imports_of(bytes(wasmtime.wat2wasm('(module (import "env" "f" (func (param i32))))')))
    {'env.f': FunctionType(params=('i32',), results=())}
    """
    try:
        types = _function_types(_section(wasm, _TYPES))
        return {
            name: None if index is None else types[index]
            for name, index in _imports(_section(wasm, _IMPORTS))
        }
    except (IndexError, UnicodeDecodeError):
        return {}


def exported_functions(wasm: bytes) -> dict[str, FunctionType]:
    """Return the functions that a valid module exports, by name.

    Parameters
    ----------
    wasm : bytes
    """
    types = _function_types(_section(wasm, _TYPES))
    imported = [index for _, index in _imports(_section(wasm, _IMPORTS)) if index is not None]
    own, _ = _numbers(_section(wasm, _FUNCTIONS), 0)
    indices = [*imported, *own]
    found, section = {}, _section(wasm, _EXPORTS)
    count, at = _leb(section, 0) if section else (0, 0)
    for _ in range(count):
        size, at = _leb(section, at)
        name, at = section[at : at + size].decode(), at + size
        kind, (index, at) = section[at], _leb(section, at + 1)
        if kind == _FUNCTION:
            found[name] = types[indices[index]]
    return found


def _function_types(section: bytes) -> list[FunctionType]:
    """Return the types by their numbers; those that are not of functions as ones of other types."""
    count, at = _leb(section, 0) if section else (0, 0)
    types: list[FunctionType] = []
    for _ in range(count):
        grouped = 1
        if section[at] == _GROUP:
            grouped, at = _leb(section, at + 1)
        for _ in range(grouped):
            found, at = _one_type(section, at)
            types.append(found)
    return types


def _one_type(section: bytes, at: int) -> tuple[FunctionType, int]:
    if section[at] in _SUBTYPES:
        _, at = _numbers(section, at + 1)  # its supertypes
    kind, at = section[at], at + 1
    if kind == _FUNCTION_TYPE:
        params, at = _value_types(section, at)
        results, at = _value_types(section, at)
        return FunctionType(params, results), at
    fields = 1
    if kind == _STRUCT_TYPE:
        fields, at = _leb(section, at)
    for _ in range(fields):  # of a struct, or the elements of an array
        _, at = _value_type(section, at)
        at += 1  # whether it can be changed
    return FunctionType((_OTHER,), ()), at


def _value_type(section: bytes, at: int) -> tuple[str, int]:
    if section[at] in _TYPED_REFERENCES:
        _, at = _leb(section, at + 1)
        return _OTHER, at
    return _NUMBER_TYPES.get(section[at], _OTHER), at + 1


def _value_types(section: bytes, at: int) -> tuple[tuple[str, ...], int]:
    count, at = _leb(section, at)
    types = []
    for _ in range(count):
        found, at = _value_type(section, at)
        types.append(found)
    return tuple(types), at


def has_start(wasm: bytes) -> bool:
    """Return whether a valid module has a function that runs when it is instantiated.

    Parameters
    ----------
    wasm : bytes
    """
    return bool(_section(wasm, _START))


def memories(wasm: bytes) -> tuple[int, ...]:
    """Return the bytes that each memory of a valid module has at its start.

    Parameters
    ----------
    wasm : bytes
    """
    section = _section(wasm, _MEMORIES)
    if not section:
        return ()
    found: list[int] = []
    count, at = _leb(section, 0)
    for _ in range(count):
        flags, at = _leb(section, at)
        pages, at = _leb(section, at)
        if flags & 1:  # a maximum
            _, at = _leb(section, at)
        page = _PAGE
        if flags & 8:  # a page size of its own
            exponent, at = _leb(section, at)
            page = 1 << exponent
        found.append(pages * page)
    return tuple(found)


def _section(wasm: bytes, number: int) -> bytes:
    """Return the content of the first section of this number; nothing where there is none."""
    at = _HEADER
    while at < len(wasm):
        section, (size, at) = wasm[at], _leb(wasm, at + 1)
        if section == number:
            return wasm[at : at + size]
        at += size
    return b""


def _imports(section: bytes) -> Iterator[tuple[str, int | None]]:
    """Yield ``module.name`` of each import, with the number of its type if it is a function."""
    count, at = _leb(section, 0) if section else (0, 0)
    for _ in range(count):
        names = []
        for _ in range(2):
            size, at = _leb(section, at)
            names.append(section[at : at + size].decode())
            at += size
        kind, at = section[at], at + 1
        if kind in {_TABLE, _GLOBAL} and section[at] in _TYPED_REFERENCES:
            at += 1  # the type that it refers to follows
        value = 0
        for _ in range(_NUMBERS.get(kind, 0)):
            value, at = _leb(section, at)
        yield ".".join(names), value if kind == _FUNCTION else None
        if kind in {_TABLE, _MEMORY}:  # the last number says which limits follow
            for _ in range(1 + (value & 1) + (value >> 3 & 1)):
                _, at = _leb(section, at)


def _numbers(section: bytes, at: int) -> tuple[list[int], int]:
    count, at = _leb(section, at) if section else (0, at)
    found = []
    for _ in range(count):
        value, at = _leb(section, at)
        found.append(value)
    return found, at


def _leb(data: bytes, at: int) -> tuple[int, int]:
    """Return the unsigned LEB128 number at *at*, and where it ends."""
    value = shift = 0
    while True:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
