"""Why a guest failed, as far as its WASI-NN calls say."""

from __future__ import annotations

from typing import Final

from wasinn_nb.abi import Errno
from wasinn_nb.errors import GuestError
from wasinn_nb.wasi_nn import Trace
from wasinn_nb.wording import inert

__all__ = ["add_reasons", "failure_reasons"]

_MOST: Final = 3
_LAST_OLD: Final = Errno.RUNTIME_ERROR
"""The last errno of WASI-NN until 2023."""


def failure_reasons(trace: Trace) -> str:
    """Return lines with the last calls that failed, and the host's reasons; may be empty.

    Parameters
    ----------
    trace : Trace

    Examples
    --------
    >>> from wasinn_nb.errors import NotFoundError
    >>> trace = Trace()
    >>> try:
    ...     with trace.call("load_by_name", "'birds'"):
    ...         raise NotFoundError("no model 'birds'")
    ... except NotFoundError:
    ...     print(failure_reasons(trace))
    the last failed WASI-NN calls:
        #0 load_by_name: no model 'birds'
        errno 8 (not_found) is newer than some guests: those of the Rust crate wasi-nn up to 0.6,
    for one, know errnos up to 5 and call this one unknown
    """
    failed = [
        (number, call) for number, call in trace.numbered() if call.errno is not Errno.SUCCESS
    ][-_MOST:]
    lines = [
        f"#{number} {call.name}: {call.note or call.errno.name.lower()}" for number, call in failed
    ]
    newer = dict.fromkeys(call.errno for _, call in failed if call.errno > _LAST_OLD)
    lines += [
        f"errno {errno.value} ({errno.name.lower()}) is newer than some guests: those of the Rust "
        f"crate wasi-nn up to 0.6, for one, know errnos up to {_LAST_OLD.value} and call this one "
        f"unknown"
        for errno in newer
    ]
    return "\n    ".join(["the last failed WASI-NN calls:", *lines]) if lines else ""


def add_reasons(error: GuestError, reasons: str) -> None:
    """Add lines to the message of an error that has no remedy.

    Parameters
    ----------
    error : GuestError
    reasons : str
    """
    error.problem = f"{error.problem}\n{inert(reasons, lines=True)}"
    error.args = (error.problem,)
