"""WebAssembly modules: checked, compiled once per content, and linked or refused with a reason."""

from __future__ import annotations

import functools
import hashlib
import os
import re
import threading
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Final

import wasmtime

from wasinn_nb.abi import MODULE, PARAMETERS
from wasinn_nb.errors import GuestLinkError, GuestModuleError, MissingFileError, Remedy
from wasinn_nb.files import existing_file, expanded, has_folder
from wasinn_nb.runtimes import ProcessGuard
from wasinn_nb.wording import listed

__all__ = [
    "NativeCode",
    "check_imports",
    "compile_module",
    "compiled",
    "new_engine",
    "read_module",
    "reason_of",
]

_MAGIC: Final = b"\0asm"
_MODULE_VERSION: Final = b"\1\0\0\0"
_CACHED: Final = 16


_NATIVE: Final = (b"\x7fELF", b"MZ", b"\xcf\xfa\xed\xfe")  # of Linux, Windows and macOS
_HINTS: Final = {
    "wasi_unstable": "it was built for the WASI of 2019; build it again for wasm32-wasip1",
    "wasi_snapshot_preview2": "build it for wasm32-wasip1",
    "wasi_nn": "wasi_nn is WAMR's older module, whose records and sizes are others; include "
    "wasi_ephemeral_nn.h in place of wasi_nn.h, which WAMR serves too when it is built with "
    "WAMR_BUILD_WASI_EPHEMERAL_NN=1",
    "wasi": "threads do not run here; build it for wasm32-wasip1",
    "wasmedge_image": "wasmedge_image is a plug-in of WasmEdge's; decode images in the guest, with "
    "the Rust crate image for one, and every runtime runs it",
    "wasmedge_": "these are plug-ins of WasmEdge's; load the model through wasi_ephemeral_nn, and "
    "every runtime runs it",
    "__wbindgen_placeholder__": "it was built for a browser; build it for wasm32-wasip1",
}
_SHARED: Final = (
    "its memory is shared by threads, which do not run here; build it for wasm32-wasip1, without "
    "threads (not wasm32-wasip1-threads, no -pthread)"
)
_REASONS: Final = {"shared memory support is disabled": _SHARED}
_SETTING: Final = re.compile(r" -- see `Config::\w+`")
_ASSEMBLYSCRIPT: Final = (
    "it was built with AssemblyScript; build it for WASI: npm install @assemblyscript/wasi-shim, "
    "then asc with --config ./node_modules/@assemblyscript/wasi-shim/asconfig.json"
)
_NOT_LINKED: Final = (
    "it was not linked completely, or was built for Emscripten; build it for wasm32-wasip1"
)


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
        path = expanded(wasm, "a WebAssembly module as its bytes or its path")
        if not (path.suffix or has_folder(os.fspath(wasm)) or os.path.lexists(path)):
            raise MissingFileError(
                f"no WebAssembly module at {path!s:.300} (looked from {Path.cwd()})",
                remedy=Remedy(f"the path of one that is shipped is wn.guest({os.fspath(wasm)!r})"),
            )
        path = existing_file(path, "WebAssembly module")
        data, name = path.read_bytes(), path.name
    if not data.startswith(_MAGIC):
        hint = "was another file downloaded in its place?"
        if data.startswith(_NATIVE):
            hint = (
                "it holds machine code, as a module does that wasmedge compile or wasmtime compile "
                "has made; give the .wasm file that it was made from"
            )
        elif data.lstrip().startswith((b"(module", b";;")):
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
        raise GuestModuleError(
            f"the module is not valid: {reason_of(error)}; is the file whole ({len(wasm)} bytes)?"
        ) from error


def reason_of(error: wasmtime.WasmtimeError) -> str:
    """Return why wasmtime does not take a module, without the names of its settings.

    Examples
    --------
    >>> reason_of(wasmtime.WasmtimeError("memory64 is disabled -- see `Config::wasm_memory64`"))
    'memory64 is disabled'
    >>> reason_of(wasmtime.WasmtimeError("shared memory support is disabled for this engine"))
    'its memory is shared by threads, which do not run here; build it for wasm32-wasip1, without
    threads (not wasm32-wasip1-threads, no -pthread)'
    """
    reason = _SETTING.sub("", " ".join(str(error).split()))
    return next((words for part, words in _REASONS.items() if part in reason), reason)


def check_imports(module: wasmtime.Module, provides: Callable[[str, str], bool]) -> None:
    """Raise GuestLinkError if *module* imports a name that *provides* does not know."""
    imports = [item for item in module.imports if not provides(item.module, item.name or "")]
    missing = [(item.module, item.name or "") for item in imports]
    if not missing:
        return
    names = listed([f"{module}.{name}" for module, name in missing], 5)
    hint = next((f"; {found}" for found in map(_hint, missing) if found), "")
    if any(isinstance(item.type, wasmtime.MemoryType) and item.type.is_shared for item in imports):
        hint = f"; {_SHARED}"
    raise GuestLinkError(
        f"the guest imports {names}, which are not provided here; this host provides "
        f"wasi_snapshot_preview1, and of {MODULE}: {', '.join(PARAMETERS)}{hint}"
    )


def _hint(missing: tuple[str, str]) -> str:
    """Return what to do about an import that is not provided; empty where that is not known."""
    module, name = missing
    if module == "env":
        # JavaScript's objects, with a method: console.time, process.exit.
        return _ASSEMBLYSCRIPT if "." in name else _NOT_LINKED
    return next((text for start, text in _HINTS.items() if _is_of(module, start)), "")


def _is_of(module: str, start: str) -> bool:
    return module.startswith(start) if start.endswith("_") else module == start
