"""Where a guest begins: its ``_start``, a function that is named, or its start section alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import wasmtime

from wasinn_nb.errors import GuestModuleError
from wasinn_nb.host.job import REMEDIES
from wasinn_nb.host.sections import exported_functions, has_start
from wasinn_nb.wording import counted, listed

__all__ = ["arguments_for", "check_entry", "result_lines"]

_START: Final = "_start"
_INTEGERS: Final = {"i32": 32, "i64": 64}
_FLOATS: Final = ("f32", "f64")


def check_entry(module: wasmtime.Module, wasm: bytes, invoke: str) -> str:
    """Return the function that runs a guest; empty for one that its start section runs.

    Parameters
    ----------
    module : wasmtime.Module
    wasm : bytes
        The module's.
    invoke : str
        The function that is asked for; empty for none.

    Raises
    ------
    GuestModuleError
        If there is no such function, or nothing to run.
    """
    functions = exported_functions(wasm)
    names = sorted(functions)
    if invoke:
        if invoke not in functions:
            raise GuestModuleError(
                f"the module exports no function {invoke!r}; it exports "
                f"{listed(names, 8) or 'none'}"
            )
        if not functions[invoke].numeric:
            raise GuestModuleError(
                f"the function {invoke!r} takes or gives something else than numbers: it cannot be "
                f"run from here"
            )
        return invoke
    kinds = {export.name: export.type for export in module.exports}
    if _START in kinds:
        kind = kinds[_START]
        if not isinstance(kind, wasmtime.FuncType) or kind.params or kind.results:
            raise GuestModuleError(
                "the module's _start is not a function without parameters and results"
            )
        return _START
    if has_start(wasm):
        return ""
    raise GuestModuleError(
        f"the module exports no _start and has no start section, so it is not a command but a "
        f"library (it exports {listed(names, 8) or 'no function'}); build it as a program",
        remedy=REMEDIES["invoke"] if names else None,
    )


def arguments_for(name: str, wasm: bytes, texts: Sequence[str]) -> list[int | float]:
    """Return a function's arguments as numbers.

    Parameters
    ----------
    name : str
        The function's, which takes numbers.
    wasm : bytes
        The module's.
    texts : sequence of str
        As they were given; integers in decimal or with ``0x``, signed or unsigned.

    Raises
    ------
    GuestModuleError
        If they are not what the function takes.
    """
    types = exported_functions(wasm)[name].params
    if not types:  # what is given is for the guest's own argument vector
        return []
    if len(texts) != len(types):
        raise GuestModuleError(
            f"{name} takes ({', '.join(types)}), got {counted(len(texts), 'argument')}"
        )
    return [_number(name, one, text) for one, text in zip(types, texts, strict=True)]


def _number(name: str, kind: str, text: str) -> int | float:
    try:
        if kind in _FLOATS:
            return float(text)
        if kind in _INTEGERS:
            value, bits = int(text, 0), _INTEGERS[kind]
            if -(1 << (bits - 1)) <= value < 1 << bits:
                return value - (1 << bits) if value >= 1 << (bits - 1) else value
    except ValueError:
        pass
    raise GuestModuleError(f"{name} takes a number of type {kind}, got {text!r:.80}")


def result_lines(result: Any) -> str:
    r"""Return what a function gives, in lines, as other runtimes print it.

    Examples
    --------
    >>> result_lines([3, 0.5]), result_lines(None)
    ('3\n0.5\n', '')
    """
    values = [] if result is None else result if isinstance(result, list | tuple) else [result]
    return "".join(f"{value}\n" for value in values)
