"""From wasmtime's traps to `GuestTrap`, with function names that people can read."""

from __future__ import annotations

import itertools
import re
import traceback
from collections.abc import Sequence
from typing import Final

import wasmtime

from wasinn_nb.errors import GuestTrap
from wasinn_nb.wording import counted

__all__ = ["as_trap", "demangled", "trap_behind"]

_NO_OFFSET: Final = (1 << 64) - 1
_LAST_LINES: Final = 6
_MOST_LINES: Final = 12
_REPEATED: Final = 2  # frames of one place
_LIBRARY: Final = "library"
_OF_LIBRARY: Final = re.compile(
    r"<?(std|core|alloc|panic_abort|panic_unwind)::|_*rust_|_*rg_|"
    r"<.+ as (std|core|alloc)::|__(cxa|wasi|wasilibc)_|abort\b"
)
"""How the names of functions begin that come with Rust or C, in the frames of a panic or abort."""
_HASH: Final = re.compile(r"h[0-9a-f]{16}")
_ESCAPES: Final = {
    "$LT$": "<",
    "$GT$": ">",
    "$RF$": "&",
    "$BP$": "*",
    "$LP$": "(",
    "$RP$": ")",
    "$C$": ",",
    "$u20$": " ",
    "$u27$": "'",
    "$u7b$": "{",
    "$u7d$": "}",
    "..": "::",
}
_WORDS: Final = {
    wasmtime.TrapCode.STACK_OVERFLOW: "call stack exhausted (endless recursion?)",
    wasmtime.TrapCode.MEMORY_OUT_OF_BOUNDS: "out of bounds memory access",
    wasmtime.TrapCode.TABLE_OUT_OF_BOUNDS: "out of bounds table access",
    wasmtime.TrapCode.INDIRECT_CALL_TO_NULL: "call through an empty place of the function table",
    wasmtime.TrapCode.BAD_SIGNATURE: "indirect call of a function of another type",
    wasmtime.TrapCode.UNREACHABLE: "unreachable executed (a panic or abort)",
}


def as_trap(name: str, error: wasmtime.Trap | wasmtime.WasmtimeError, stderr: str) -> GuestTrap:
    """Return a `GuestTrap` with the reason, the place, and the last lines of the guest's stderr."""
    code = error.trap_code if isinstance(error, wasmtime.Trap) else None
    if code is not None:
        reason = _WORDS.get(code, code.name.lower().replace("_", " "))
    else:
        reason = next(reversed([line.strip() for line in str(error).splitlines() if line]), "")
    backtrace = tuple(map(_place, error.frames)) if isinstance(error, wasmtime.Trap) else ()
    lines = [f"{name} trapped: {reason}"]
    if last := stderr.strip().splitlines()[-_LAST_LINES:]:
        lines += ["the last lines of its stderr:", *(f"    {line}" for line in last)]
    if backtrace:
        lines += [
            "wasm backtrace:",
            *(f"    {line}" for line in _in_short(backtrace)),
        ]
    return GuestTrap("\n".join(lines), reason=reason, backtrace=backtrace)


def _in_short(backtrace: Sequence[str]) -> list[str]:
    r"""Return the lines of a backtrace, in which runs of library frames, and of one frame, are one.

    Examples
    --------
    >>> print("\n".join(_in_short(["rust_panic", "core::panicking::panic", "run at 0x4", "main"])))
    0-1: 2 frames of the standard library
    2: run at 0x4
    3: main
    """
    lines: list[str] = []
    number = 0
    for what, group in itertools.groupby(backtrace, _group):
        places = list(group)
        last = number + len(places) - 1
        span = f"{number}" if last == number else f"{number}-{last}"
        if what == _LIBRARY and len(places) < len(backtrace) and len(places) > 1:
            lines.append(f"{span}: {counted(len(places), 'frame')} of the standard library")
        elif what != _LIBRARY and len(places) > _REPEATED:
            lines.append(f"{span}: {places[0]}, {len(places)} times")
        else:
            lines += [f"{number + at}: {place}" for at, place in enumerate(places)]
        number = last + 1
    if (more := len(lines) - _MOST_LINES) > 0:
        lines[_MOST_LINES:] = [f"and {counted(more, 'more line')}; error.backtrace has every frame"]
    return lines


def _group(place: str) -> str:
    """Return what frames have in common that are shown as one: of the library, or the same."""
    return _LIBRARY if _OF_LIBRARY.match(place) else place


def _place(frame: wasmtime.Frame) -> str:
    name = demangled(frame.func_name) if frame.func_name else f"function {frame.func_index}"
    offset = frame.module_offset
    return name if offset == _NO_OFFSET else f"{name} at 0x{offset:x}"


def demangled(name: str) -> str:
    """Return the path that a Rust symbol stands for; other names as they are.

    Examples
    --------
    >>> demangled("_ZN7roadseg3run17h0123456789abcdefE"), demangled("memcpy")
    ('roadseg::run', 'memcpy')
    """
    if not (name.startswith("_ZN") and name.endswith("E")):
        return name
    rest, parts = name[3:-1], []
    while rest:
        digits = re.match(r"\d+", rest)
        if digits is None:
            return name
        end = digits.end() + int(digits[0])
        parts.append(rest[digits.end() : end])
        rest = rest[end:]
    if parts and _HASH.fullmatch(parts[-1]):
        parts.pop()
    path = "::".join(part.removeprefix("_") if "$" in part else part for part in parts)
    for escaped, character in _ESCAPES.items():
        path = path.replace(escaped, character)
    return path


def trap_behind(error: BaseException) -> wasmtime.Trap | None:
    """Return the trap that wasmtime-py had when it raised *error* instead.

    It keeps the exceptions of host functions in one place for all threads, and raises whichever
    lies there when a guest traps, so that one guest may get another's.
    """
    for frame, _ in traceback.walk_tb(error.__traceback__):
        for value in frame.f_locals.values():
            if isinstance(value, wasmtime.Trap):
                return value
    return None
