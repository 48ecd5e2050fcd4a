"""How a run on another runtime ended, from its exit code and what it printed on stderr."""

from __future__ import annotations

import re
from typing import Final

from wasinn_nb.errors import GuestError, GuestLinkError, GuestTrap
from wasinn_nb.host.external.programs import Program

__all__ = ["failure_of"]

_TRAPPED: Final = 134
"""Wasmtime's exit code after a trap, which is not a signal."""
_ERROR: Final = re.compile(r"^Error: (.*)$", re.MULTILINE)
_CAUSE: Final = re.compile(r"^ +\d+: (.+)$", re.MULTILINE)
_BACKTRACE: Final = "error while executing at wasm backtrace:\n"
_PLACE: Final = re.compile(r"^ +\d+: +(?:0x([0-9a-f]+) - )?[^!\n]*!(.+)$", re.MULTILINE)
_EDGE: Final = re.compile(
    r"^(?:\[[^]\n]*\] )*\[error\] (?:\S+ )?(loading|instantiation|execution|validation) "
    r"failed: (.+?)(?:, Code: \S+)?$",
    re.MULTILINE,
)


def failure_of(program: Program, guest: str, code: int, stderr: str) -> GuestError | None:
    """Return the error that a program's own words mean; None where the guest ended by itself.

    A guest's exit code and a program's are one number, so that only what the program prints tells
    them apart.

    Parameters
    ----------
    program : Program
    guest : str
        The module's name.
    code : int
        The exit code, not negative.
    stderr : str
        The end of what guest and program printed.

    Examples
    --------
    >>> from pathlib import Path
    >>> printed = '''Error: failed to run main module `a.wasm`
    ...
    ... Caused by:
    ...     0: failed to invoke command default
    ...     1: error while executing at wasm backtrace:
    ...         0:     0x5b5 - a.wasm!work
    ...     2: wasm trap: integer divide by zero
    ... '''
    >>> failure_of(Program("wasmtime", Path("wasmtime"), "49.0.3"), "a.wasm", 134, printed)
    GuestTrap('a.wasm trapped on Wasmtime 49.0.3: integer divide by zero')
    """
    if code == 0:
        return None
    return (_of_wasmtime if program.name == "wasmtime" else _of_wasmedge)(
        program, guest, code, stderr
    )


def _of_wasmtime(program: Program, guest: str, code: int, stderr: str) -> GuestError | None:
    errors = list(_ERROR.finditer(stderr))
    if code not in {1, _TRAPPED} or not errors:
        return None
    message = stderr[errors[-1].start() :]
    _, in_guest, after = message.partition(_BACKTRACE)
    places = [(name, at) for at, name in _PLACE.findall(after)]
    causes = _CAUSE.findall(_PLACE.sub("", after) if in_guest else message)
    if in_guest:  # below a backtrace, the first cause says it in full
        reason = (causes[0] if causes else errors[-1][1]).removeprefix("wasm trap: ")
        return GuestTrap(
            f"{guest} trapped on {program.title}: {reason}",
            reason=reason,
            backtrace=tuple(f"{name} at 0x{at}" if at else name for name, at in places),
        )
    reason = causes[-1] if causes else errors[-1][1]
    if "unknown import" in reason:
        return GuestLinkError(f"{guest} cannot be instantiated on {program.title}: {reason}")
    return GuestError(f"{guest} failed on {program.title}: {reason}")


def _of_wasmedge(program: Program, guest: str, code: int, stderr: str) -> GuestError | None:
    del code  # 1, whatever failed
    failures = list(_EDGE.finditer(stderr))
    if not failures:
        return None
    stage, reason = failures[-1][1], failures[-1][2]
    if stage == "execution":
        return GuestTrap(f"{guest} trapped on {program.title}: {reason}", reason=reason)
    kind = GuestLinkError if "import" in reason else GuestError
    return kind(f"{guest} cannot be started on {program.title}: {stage} failed: {reason}")
