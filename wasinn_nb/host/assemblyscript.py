"""The functions that AssemblyScript's programs import from ``env`` unless they are built for WASI.

Only those whose types are AssemblyScript's: other compilers use the same names.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable
from typing import Any, Final

import wasmtime

from wasinn_nb.errors import WasiNnError
from wasinn_nb.host.linker import HostFunctions
from wasinn_nb.host.memory import GuestMemory, unsigned
from wasinn_nb.host.output import Output, Stream
from wasinn_nb.host.sections import FunctionType, imports_of
from wasinn_nb.host.wasi import Exited

__all__ = ["SPACE", "define_assemblyscript"]

SPACE: Final = "env"
"""The module that they are imported from."""
_ABORTED: Final = 255
"""The exit code of AssemblyScript's own WASI library after ``abort``."""
_LONGEST: Final = 1 << 20
_VALUE_TYPES: Final = {"i32": wasmtime.ValType.i32, "f64": wasmtime.ValType.f64}
_TYPES: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...]]]] = {
    "abort": (("i32",) * 4, ()),
    "trace": (("i32", "i32", *("f64",) * 5), ()),
    "seed": ((), ("f64",)),
    "Date.now": ((), ("f64",)),
    "performance.now": ((), ("f64",)),
    **{f"console.{level}": (("i32",), ()) for level in ("log", "info", "debug", "warn", "error")},
}


def define_assemblyscript(
    linker: wasmtime.Linker, wasm: bytes, functions: HostFunctions, output: Output
) -> None:
    """Define those of the functions that a module imports.

    ``abort`` prints its message and ends the guest with exit code 255; ``console.log`` and its
    kin, and ``trace``, print.

    Parameters
    ----------
    linker : wasmtime.Linker
    wasm : bytes
        The module's.
    functions : HostFunctions
    output : Output
    """
    printer = _Printer(output)
    bodies: dict[str, Callable[..., Any]] = {
        "abort": printer.abort,
        "trace": printer.trace,
        "seed": lambda _: random.random(),  # noqa: S311 - as JavaScript's
        "Date.now": lambda _: time.time() * 1000,
        "performance.now": lambda _: time.perf_counter() * 1000,
        "console.log": printer.to("stdout"),
        "console.info": printer.to("stdout"),
        "console.debug": printer.to("stdout"),
        "console.warn": printer.to("stderr"),
        "console.error": printer.to("stderr"),
    }
    imports = imports_of(wasm)
    for name, (params, results) in _TYPES.items():
        if imports.get(f"{SPACE}.{name}") == FunctionType(params, results):
            types = [[_VALUE_TYPES[one]() for one in part] for part in (params, results)]
            body = functions.guarded(bodies[name])
            linker.define_func(SPACE, name, wasmtime.FuncType(*types), body, access_caller=True)


class _Printer:
    """Prints the texts of one guest."""

    def __init__(self, output: Output) -> None:
        self._output = output

    def to(self, stream: Stream) -> Callable[[wasmtime.Caller, int], None]:
        def write(caller: wasmtime.Caller, text: int) -> None:
            self._print(stream, _text(caller, text))

        return write

    def abort(
        self, caller: wasmtime.Caller, message: int, file: int, line: int, column: int
    ) -> None:
        place = f"{_text(caller, file)}({unsigned(line)}:{unsigned(column)})"
        self._print("stderr", f"abort: {_text(caller, message)} in {place}")
        raise Exited(_ABORTED)

    def trace(self, caller: wasmtime.Caller, message: int, count: int, *values: float) -> None:
        numbers = ", ".join(map(str, values[: max(count, 0)]))
        self._print("stderr", f"trace: {_text(caller, message)} {numbers}".rstrip())

    def _print(self, stream: Stream, text: str) -> None:
        self._output.take(stream, f"{text}\n".encode(errors="replace"))


def _text(caller: wasmtime.Caller, pointer: int) -> str:
    """Return a text of AssemblyScript's: UTF-16, its number of bytes before it."""
    if not pointer:
        return "null"
    try:
        memory = GuestMemory.of(caller)
        at = memory.check(pointer, 0, "a text")
        (size,) = memory.read_u32(at - 4, 1, "the size of a text")
        raw = memory.read_bytes(at, min(size, _LONGEST) & ~1, "a text")
    except WasiNnError:
        return "(a text outside of the memory)"
    return raw.decode("utf-16-le", errors="replace")
