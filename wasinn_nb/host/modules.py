"""WebAssembly modules: checked, compiled once per content, and linked or refused with a reason."""

from __future__ import annotations

import functools
import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator
from typing import Final

import wasmtime

from wasinn_nb.abi import MODULE, PARAMETERS
from wasinn_nb.errors import GuestLinkError, GuestModuleError
from wasinn_nb.files import existing_file
from wasinn_nb.runtimes import ProcessGuard
from wasinn_nb.wording import listed

__all__ = [
    "NativeCode",
    "check_imports",
    "check_start",
    "compile_module",
    "compiled",
    "imports_of",
    "memories",
    "new_engine",
    "read_module",
]

_MAGIC: Final = b"\0asm"
_MODULE_VERSION: Final = b"\1\0\0\0"
_CACHED: Final = 16
_PAGE: Final = 1 << 16
_IMPORT_SECTION, _MEMORY_SECTION = 2, 5
_FUNCTION, _TABLE, _MEMORY, _GLOBAL, _TAG = range(5)  # what is imported
_NUMBERS: Final = {_FUNCTION: 1, _TABLE: 2, _MEMORY: 1, _GLOBAL: 2, _TAG: 2}
_TYPED_REFERENCES: Final = {0x63, 0x64}


_HINTS: Final = {
    "wasi_unstable": "it was built for the WASI of 2019; build it again for wasm32-wasip1",
    "wasi_snapshot_preview2": "build it for wasm32-wasip1",
    "wasi_nn": "the module of the ABI is called wasi_ephemeral_nn",
    "wasi": "threads do not run here; build it for wasm32-wasip1",
    "env": "it was not linked completely, or was built for Emscripten; build it for wasm32-wasip1",
    "__wbindgen_placeholder__": "it was built for a browser; build it for wasm32-wasip1",
}


class NativeCode:
    """Machine code by the bytes of the module that it was compiled from; the oldest goes first."""

    def __init__(self) -> None:
        self._codes: OrderedDict[bytes, bytes] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, wasm: bytes) -> bytes | None:
        """Return a module's machine code, if it is held."""
        with self._lock:
            return self._codes.get(hashlib.sha256(wasm).digest())

    def put(self, wasm: bytes, native: bytes) -> None:
        """Hold on to a module's machine code."""
        with self._lock:
            self._codes[hashlib.sha256(wasm).digest()] = native
            while len(self._codes) > _CACHED:
                self._codes.popitem(last=False)

    def __len__(self) -> int:
        return len(self._codes)


_cache = NativeCode()


def new_engine() -> wasmtime.Engine:
    """Return an engine of one guest's own: its epoch, which stops a guest, is the engine's."""
    _engine_guard().check()
    config = wasmtime.Config()
    config.epoch_interruption = True
    return wasmtime.Engine(config)


@functools.cache
def _engine_guard() -> ProcessGuard:
    """Return the guard of the threads that wasmtime compiles with."""
    return ProcessGuard(
        "wasmtime, which the parent process has used,", "run guests in child processes only"
    )


def read_module(wasm: str | os.PathLike[str] | bytes) -> bytes:
    r"""Return a module's bytes, if they begin as those of a core module do.

    Raises
    ------
    MissingFileError
        If the path leads nowhere.
    GuestModuleError
        If they are something else.

    Examples
    --------
    >>> read_module(b"<!DOCTYPE html>")
    Traceback (most recent call last):
    ...
    wasinn_nb.errors.GuestModuleError: the guest is not a WebAssembly module: it begins with
    b'<!DOCTYP' where b'\x00asm' is expected; was another file downloaded in its place?
    """
    if isinstance(wasm, bytes | bytearray | memoryview):
        data, name = bytes(wasm), "the guest"
    else:
        path = existing_file(wasm, "WebAssembly module")
        data, name = path.read_bytes(), path.name
    if not data.startswith(_MAGIC):
        hint = "was another file downloaded in its place?"
        if data.lstrip().startswith((b"(module", b";;")):
            hint = "assemble WebAssembly text first: wasmtime.wat2wasm(text)"
        raise GuestModuleError(
            f"{name} is not a WebAssembly module: it begins with {data[:8]!r} where {_MAGIC!r} "
            f"is expected; {hint}"
        )
    version = data[4:8]
    if version[2:] == b"\1\0":
        raise GuestModuleError(
            f"{name} is a WebAssembly component; run_guest takes core modules: "
            f"build it for wasm32-wasip1"
        )
    if len(version) == 4 and version != _MODULE_VERSION:
        raise GuestModuleError(
            f"{name} has WebAssembly version {int.from_bytes(version, 'little')}; expected 1"
        )
    return data


def compiled(engine: wasmtime.Engine, wasm: bytes) -> wasmtime.Module:
    """Return a module for *engine*; the same bytes are compiled only once in the process.

    Raises
    ------
    GuestModuleError
        If it is truncated or not valid.
    """
    native = _cache.get(wasm)
    if native is not None:
        return wasmtime.Module.deserialize(engine, native)
    module = compile_module(engine, wasm)
    _cache.put(wasm, bytes(module.serialize()))
    return module


def compile_module(engine: wasmtime.Engine, wasm: bytes) -> wasmtime.Module:
    """Compile a module; errors as :func:`compiled`."""
    try:
        return wasmtime.Module(engine, wasm)
    except wasmtime.WasmtimeError as error:
        reason = " ".join(str(error).split())
        raise GuestModuleError(
            f"the module is not valid: {reason}; is the file whole ({len(wasm)} bytes)?"
        ) from error


def check_start(module: wasmtime.Module) -> None:
    """Raise GuestModuleError unless the module is a command: it exports ``_start``."""
    exports = {export.name: export.type for export in module.exports}
    kind = exports.get("_start")
    if isinstance(kind, wasmtime.FuncType) and not kind.params and not kind.results:
        return
    if kind is not None:
        raise GuestModuleError(
            "the module's _start is not a function without parameters and results"
        )
    raise GuestModuleError(
        f"the module exports no _start, so it is not a command but a library "
        f"(it exports {listed(sorted(exports), 8) or 'nothing'}); build it as a program, or "
        f"instantiate it yourself with wasinn_nb.host.add_to_linker"
    )


def check_imports(module: wasmtime.Module, provides: Callable[[str, str], bool]) -> None:
    """Raise GuestLinkError if *module* imports a name that *provides* does not know."""
    missing = [
        (item.module, item.name or "")
        for item in module.imports
        if not provides(item.module, item.name or "")
    ]
    if not missing:
        return
    names = listed([f"{module}.{name}" for module, name in missing], 5)
    hint = next((f"; {_HINTS[m]}" for m, _ in missing if m in _HINTS), "")
    raise GuestLinkError(
        f"the guest imports {names}, which are not provided here; this host provides "
        f"wasi_snapshot_preview1, and of {MODULE}: {', '.join(PARAMETERS)}{hint}"
    )


def imports_of(wasm: bytes) -> tuple[str, ...]:
    """Return what a module imports, as ``module.name``; nothing where it is not valid.

    Examples
    --------
    >>> imports_of(bytes(wasmtime.wat2wasm('(module (import "env" "abort" (func)))')))
    ('env.abort',)
    """
    at = 8
    try:
        while at < len(wasm):
            section, (size, at) = wasm[at], _leb(wasm, at + 1)
            if section == _IMPORT_SECTION:
                return tuple(_imports(wasm[at : at + size]))
            at += size
    except (IndexError, UnicodeDecodeError):
        pass
    return ()


def _imports(section: bytes) -> Iterator[str]:
    count, at = _leb(section, 0)
    for _ in range(count):
        names = []
        for _ in range(2):
            size, at = _leb(section, at)
            names.append(section[at : at + size].decode())
            at += size
        kind, at = section[at], at + 1
        if kind in {_TABLE, _GLOBAL} and section[at] in _TYPED_REFERENCES:
            at += 1  # the type that it refers to follows
        numbers = _NUMBERS.get(kind, 0)
        for _ in range(numbers):
            value, at = _leb(section, at)
        if kind in {_TABLE, _MEMORY}:  # the last number says which limits follow
            for _ in range(1 + (value & 1) + (value >> 3 & 1)):
                _, at = _leb(section, at)
        yield ".".join(names)


def memories(wasm: bytes) -> tuple[int, ...]:
    """Return the bytes that each memory of a valid module has at its start."""
    at = 8
    leb = functools.partial(_leb, wasm)
    while at < len(wasm):
        section, (size, at) = wasm[at], leb(at + 1)
        if section != _MEMORY_SECTION:
            at += size
            continue
        found: list[int] = []
        count, at = leb(at)
        for _ in range(count):
            flags, at = leb(at)
            pages, at = leb(at)
            if flags & 1:  # a maximum
                _, at = leb(at)
            page = _PAGE
            if flags & 8:  # a page size of its own
                exponent, at = leb(at)
                page = 1 << exponent
            found.append(pages * page)
        return tuple(found)
    return ()


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
